"""Large images tile by tile: memory is that of one tile, and no seam shows.

Why        A network of 32 channels wants 3 GB for each of its layers on 24 megapixels; a tile of 512 x 512 wants 30 MB
How        The image is divided into tiles; each is worked on with a margin around it, and only the tile itself is kept. With
           a margin as wide as what one pixel of the result sees, the tiles together equal the whole image. A method that
           pools over the whole image can't be cut exactly: its tiles are blended across `feather` pixels on both sides
Grid       Tiles begin at multiples of `step`, so that an image of lower resolution has whole pixels there, and what a network
           packs into blocks falls into the same blocks
"""

import math

import torch

from girlib.errors import GirlibError

# How far one pixel of the result sees in the finest image; and where a tile may begin, beside whole pixels of the sensor.
MARGINS = {"svlrm": (12, 1), "fdkn": (40, 4), "dkn": (40, 4), "dagf": (144, 16), "cunet": (80, 1), "djf": (12, 1), "djfr": (12, 1)}
BLENDED = (64, 32), 32                                              # margin and feather, step, of networks not listed


def network_in_tiles(network, sample, tile, scale=None, progress=None):
    """(restored, how): what surrounds the network sees the whole image, for it scales by its limits; the network works in tiles.

    how: "whole" (nothing was cut), "tiles" (equal to the whole image but for rounding) or "blended" (the network pools over the
    whole image, so its tiles differ from it a little). scale: pixels of the finest image for one of the sensor
    """
    margin, step = MARGINS.get(type(network).__module__.rpartition(".")[2], BLENDED)
    margin, feather = margin if isinstance(margin, tuple) else (margin, 0)
    step = math.lcm(step, scale or 1)
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            prepared = network.prepare(sample)
            H, W = max(tuple(image.shape[-2:]) for image in prepared)           # a network may pad
            cut = 0 < tile < max(H, W) and all(H % image.shape[-2] == 0 and H * image.shape[-1] == W * image.shape[-2] and
                                               step % (H // image.shape[-2]) == 0 for image in prepared)
            output = in_tiles(network, prepared, tile, margin, step, feather, progress) if cut else network(*prepared)
            return network.finish(output, sample), "blended" if cut and feather else "tiles" if cut else "whole"
    finally:
        network.train(training)


def in_tiles(work, images, tile, margin, step=1, feather=0, progress=None):
    """work(*images) -> (N, C, H, W), computed tile by tile; images (N, *, H, W) or a whole fraction of it, None where absent.

    tile, margin, step and feather count pixels of the finest image; feather <= margin. progress(done, all) is called after each tile.
    """
    H, W = max(image.shape[-2:] for image in images if image is not None)
    margin, tile = -(-margin // step) * step, -(-tile // step) * step
    if feather > margin:
        raise GirlibError(f"in_tiles: feather is {feather} pixels, but the margin only {margin}; give a wider margin.")
    rows, columns = cuts(H, tile, feather), cuts(W, tile, feather)
    if len(rows) * len(columns) == 1:
        return work(*images)

    def window(image, y, x):
        if image is None:
            return None
        k, left = divmod(H, image.shape[-2])
        if left or W != k * image.shape[-1] or step % k:
            raise GirlibError(f"in_tiles: an image of {image.shape[-2]}x{image.shape[-1]} is no whole fraction of {H}x{W} with whole "
                              f"pixels every {step} pixels; don't cut it into tiles.")
        return image[..., y.start // k:-(-y.stop // k), x.start // k:-(-x.stop // k)]

    result, done = None, 0
    for top, bottom in rows:
        for left, right in columns:
            y, x = around(top, bottom, H, margin), around(left, right, W, margin)
            part = work(*(window(image, y, x) for image in images))
            if result is None:
                result = part.new_zeros(*part.shape[:2], H, W)
            y_kept, x_kept = around(top, bottom, H, feather), around(left, right, W, feather)
            weight = share(y_kept, top, bottom, H, feather, part)[:, None] * share(x_kept, left, right, W, feather, part)
            kept = part[..., y_kept.start - y.start:y_kept.stop - y.start, x_kept.start - x.start:x_kept.stop - x.start]
            result[..., y_kept, x_kept] += weight * kept if feather else kept
            done += 1
            if progress:
                progress(done, len(rows) * len(columns))
    return result


def cuts(n, tile, feather=0):
    """[(start, stop)] of the tiles along n pixels; what remains at the end joins the last tile if it is shorter than two feathers."""
    starts = [start for start in range(0, n, tile) if start == 0 or n - start >= 2 * feather]
    return list(zip(starts, [*starts[1:], n], strict=True))


def around(start, stop, n, margin):
    return slice(max(0, start - margin), min(n, stop + margin))


def share(pixels, start, stop, n, feather, like):
    """What a tile from start to stop counts at these pixels: 1 inside, linear across its borders, 1 in all with its neighbours."""
    at = torch.arange(pixels.start, pixels.stop, dtype=like.dtype, device=like.device) + 0.5
    weight = torch.ones_like(at)
    if feather and start > 0:
        weight *= ((at - start + feather) / (2 * feather)).clamp(0, 1)
    if feather and stop < n:
        weight *= ((stop + feather - at) / (2 * feather)).clamp(0, 1)
    return weight
