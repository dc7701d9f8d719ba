"""What makes a depth map look real, in numbers: how steep it is, where its edges are, how much of it is flat, what its guide shows."""

import math

import torch
from torch.nn.functional import conv2d, pad

from ..errors import GirlibError

DEPTH_EDGE, IMAGE_EDGE = 0.02, 0.03  # of the depth's range a pixel; of the grey range a pixel
TILE = 8  # pixels: where a plane is fitted


def depth_statistics(depth, grey):
    """Statistics of a depth map and its grey picture in [0, 1], both (H, W) or (1, 1, H, W); the depth in any unit.

    The depth is brought to [0, 1] first; g is the length of its forward differences, a depth edge where g > 0.02. An image edge is where
    the Sobel gradient of the picture, after a Gaussian of one pixel, exceeds 0.03.
    "Without" means: none of the other kind within two pixels.
    """
    depth, grey = (plane(x, name) for x, name in ((depth, "depth"), (grey, "grey")))
    if depth.shape != grey.shape:
        raise GirlibError(f"depth_statistics: depth is {shape(depth)} but grey is {shape(grey)}; give two images of one size")
    low, high = depth.min(), depth.max()
    if high <= low:
        raise GirlibError(f"depth_statistics: depth is {low.item():g} everywhere, expected more than one value; give a depth map")
    depth = (depth - low) / (high - low)
    g, grain = length_of_differences(depth), length_of_differences(grey)
    slope = sobel(blur(grey))[:-1, :-1]
    depth_edge, image_edge = g > DEPTH_EDGE, slope > IMAGE_EDGE
    quantile = lambda x, q: x.flatten().sort()[0][min(int(q * x.numel()), x.numel() - 1)].item() if x.numel() else 0.0
    share = lambda x: x.double().mean().item() if x.numel() else 0.0
    planes, area, largest, flat, broken, tilt = planar_regions(depth)
    return {
        "median of g": quantile(g, 0.5), "90 % of g": quantile(g, 0.9), "95 % of g": quantile(g, 0.95),
        "99 % of g": quantile(g, 0.99), "99.9 % of g": quantile(g, 0.999),
        "depth-edge density": share(depth_edge), "image-edge density": share(image_edge),
        "depth edges without image edge": share(~near(image_edge)[depth_edge]),
        "image edges without depth edge": share(~near(depth_edge)[image_edge]),
        "jump at depth edges, median": quantile(g[depth_edge], 0.5), "jump at depth edges, 90 %": quantile(g[depth_edge], 0.9),
        "depth, mean": depth.mean().item(), "depth, std": depth.std().item(),
        "share in the nearest tenth": share(depth < 0.1), "share in the farthest tenth": share(depth > 0.9),
        "tiles that fit a plane": flat, "tiles with a step": broken,
        "planar regions": planes, "their area": area, "largest planar region": largest, "slope inside planar tiles": tilt,
        "grey, mean": grey.mean().item(), "grey, std": grey.std().item(),
        "grey gradient, median": quantile(grain, 0.5), "grey gradient, 95 %": quantile(grain, 0.95),
        "spectrum slope, depth": spectrum_slope(depth), "spectrum slope, grey": spectrum_slope(grey),
    }  # fmt: skip


def plane(x, name):
    if not isinstance(x, torch.Tensor) or x.numel() != math.prod(x.shape[-2:]) or x.ndim < 2 or min(x.shape[-2:]) < 16:
        given = shape(x) if isinstance(x, torch.Tensor) else type(x).__name__
        raise GirlibError(f"depth_statistics: {name} is {given}, expected a tensor (H, W) of 16 pixels or more a side; give one image")
    if not x.isfinite().all():
        raise GirlibError(f"depth_statistics: {name} holds values that are not finite; fill them first")
    return x.reshape(x.shape[-2:]).double().cpu()


def shape(x):
    return "x".join(map(str, x.shape))


def length_of_differences(image):
    return torch.hypot(image[1:, :-1] - image[:-1, :-1], image[:-1, 1:] - image[:-1, :-1])


def blur(image):
    taps = torch.exp(-torch.arange(-4.0, 5.0).double() ** 2 / 2)
    taps = taps / taps.sum()
    image = pad(image[None, None], (4, 4, 4, 4), mode="reflect")
    return conv2d(conv2d(image, taps.view(1, 1, 1, 9)), taps.view(1, 1, 9, 1))[0, 0]


def sobel(image):
    """Length of the gradient: Sobel's differences over 4, the difference of neighbours two pixels apart."""
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]).double() / 4
    image = pad(image[None, None], (1, 1, 1, 1), mode="replicate")
    across, down = conv2d(image, torch.stack([kernel, kernel.T])[:, None])[0]
    return torch.hypot(across, down)


def near(edge):
    """Where an edge lies within two pixels (a disc)."""
    steps = torch.arange(-2, 3)
    disc = (steps[:, None] ** 2 + steps**2 <= 4).double()
    return conv2d(pad(edge[None, None].double(), (2, 2, 2, 2)), disc[None, None])[0, 0] > 0


def planar_regions(depth):
    """Fits a plane to every 8 x 8 tile and joins those that go on into each other.

    Returns: number of regions of 0.5 % of the image or more, their area, the largest one's, share of flat tiles, share of tiles with a
    step, median slope a pixel in flat tiles.
    """
    rows, columns = (n // TILE for n in depth.shape)
    tiles = depth[: rows * TILE, : columns * TILE].view(rows, TILE, columns, TILE).transpose(1, 2)  # (rows, columns, 8, 8)
    x = torch.arange(TILE).double() - (TILE - 1) / 2
    spread = TILE * (x**2).sum()
    mean = tiles.mean((2, 3))
    down, across = (tiles * x[:, None]).sum((2, 3)) / spread, (tiles * x).sum((2, 3)) / spread
    rest = tiles - mean[..., None, None] - down[..., None, None] * x[:, None] - across[..., None, None] * x
    rms = (rest**2).mean((2, 3)).sqrt()
    flat = rms < 0.004

    half = TILE / 2
    similar = lambda a, b: torch.hypot(down[a] - down[b], across[a] - across[b]) * TILE < 0.012
    left, right, top, bottom = (slice(None), slice(-1)), (slice(None), slice(1, None)), (slice(-1),), (slice(1, None),)
    beside = flat[left] & flat[right] & similar(left, right) & (
        (mean[left] + half * across[left] - mean[right] + half * across[right]).abs() < 0.006)
    below = flat[top] & flat[bottom] & similar(top, bottom) & (
        (mean[top] + half * down[top] - mean[bottom] + half * down[bottom]).abs() < 0.006)  # fmt: skip
    number = torch.arange(rows * columns).view(rows, columns)
    while True:  # every tile takes the smallest number of those it is joined to
        old = number.clone()
        for one, two, joined in ((left, right, beside), (top, bottom, below)):
            number[one] = torch.where(joined, torch.minimum(number[one], number[two]), number[one])
            number[two] = torch.where(joined, torch.minimum(number[one], number[two]), number[two])
        number = torch.minimum(number, number.flatten()[number])
        if torch.equal(old, number):
            break
    sizes = number[flat].bincount().double() / number.numel()
    sizes = sizes[sizes >= 0.005]
    slopes = torch.hypot(down, across)[flat]
    share = lambda x: x.double().mean().item()
    return (len(sizes), sizes.sum().item(), sizes.max().item() if len(sizes) else 0.0, share(flat), share(rms > 0.02),
            slopes.median().item() if len(slopes) else 0.0)  # fmt: skip


def spectrum_slope(image):
    """Slope of the radial power spectrum in a log-log diagram between 0.01 and 0.4 cycles a pixel."""
    image = image - image.mean()
    hann = [torch.hann_window(n, periodic=False, dtype=torch.float64) for n in image.shape]
    power = torch.fft.fft2(image * hann[0][:, None] * hann[1]).abs() ** 2
    fy, fx = (torch.fft.fftfreq(n, dtype=torch.float64) for n in image.shape)
    frequency = torch.hypot(fy[:, None], fx)
    inside = (frequency > 0.01) & (frequency < 0.4)
    edges = torch.logspace(-2, math.log10(0.4), 25, dtype=torch.float64)
    ring = torch.bucketize(frequency[inside], edges)
    count = torch.bincount(ring, minlength=26).double()
    mean = torch.bincount(ring, weights=power[inside], minlength=26) / count.clamp_min(1)
    centre = torch.bincount(ring, weights=frequency[inside], minlength=26) / count.clamp_min(1)
    kept = (count > 0) & (mean > 0)
    x, y = centre[kept].log(), mean[kept].log()
    x, y = x - x.mean(), y - y.mean()
    return ((x * y).sum() / (x * x).sum()).item()
