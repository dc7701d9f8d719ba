"""Blocks that two or more networks share."""

import torch
import torch.nn.functional as F

from girlib.errors import GirlibError


def check_images(where, **images):
    """Each image is given as name=(tensor, channels); all must be (N, channels, H, W) of one N, H and W."""
    first, (reference, _) = next(iter(images.items()))
    for name, (image, channels) in images.items():
        if image.dim() != 4:
            raise GirlibError(f"{where}: {name} has the shape {tuple(image.shape)}; give a tensor (N, C, H, W).")
        if image.shape[1] != channels:
            raise GirlibError(f"{where}: {name} has {image.shape[1]} channels, but this network was built for {channels}; "
                              "convert the image, or create the network for it.")
        if (image.shape[0], *image.shape[2:]) != (reference.shape[0], *reference.shape[2:]):
            raise GirlibError(f"{where}: {name} is {_size(image)}, but {first} is {_size(reference)}; "
                              "both need the same number, height and width (resize one of them first).")


def _size(image):
    number, _, height, width = image.shape
    return f"{number} x {height}x{width}" if number > 1 else f"{height}x{width}"


def mirror_pad(image, radius):
    """Reflect padding without repeating the edge pixel, `radius` pixels on each side, or (left, right, top, bottom).

    Equals F.pad(mode="reflect") where that works, and goes on mirroring where the border is wider than the image.
    """
    left, right, top, bottom = (radius,) * 4 if isinstance(radius, int) else radius
    height, width = image.shape[-2:]
    if max(left, right) < width and max(top, bottom) < height:
        return F.pad(image, (left, right, top, bottom), mode="reflect")
    rows = _mirrored(height, top, bottom, image.device)
    columns = _mirrored(width, left, right, image.device)
    return image[..., rows[:, None], columns]


def _mirrored(n, before, after, device):
    """Indices -before ... n - 1 + after, folded back into 0 ... n - 1."""
    i = torch.arange(-before, n + after, device=device) % max(2 * n - 2, 1)        # the mirror image repeats after 2 n - 2
    return torch.where(i < n, i, 2 * n - 2 - i)


def dynamic_filter(features, kernels, padding="constant"):
    """Filters each pixel with its own k x k kernel, one for all channels; taps row by row from the top left, not flipped.

    features (N, C, h, w), kernels (N, k^2, s h, s w) -> (N, C, s h, s w). Where the kernels' grid is s times finer, the kernels
    of a block of s x s pixels read the neighbourhood of the one pixel below them. padding: a mode of F.pad.
    """
    N, C, h, w = features.shape
    k, s = round(kernels.shape[1] ** 0.5), kernels.shape[-1] // w
    padded = F.pad(features, (k // 2,) * 4, mode=padding)
    taps = kernels.view(N, k, k, 1, h, s, w, s)
    filtered = features.new_zeros(N, C, h, s, w, s)
    for y in range(k):
        for x in range(k):                                       # one shifted view at a time: no k^2-fold copy
            filtered = torch.addcmul(filtered, padded[:, :, y:y + h, None, x:x + w, None], taps[:, y, x])
    return filtered.reshape(N, C, s * h, s * w)


def value_range(sample):
    """Minimum and span of each image's reference, or of what the sensor gave where there is none; each (N, 1, 1, 1)."""
    truth = next(x for x in (sample.reference, sample.low, sample.target) if x is not None)
    lowest, highest = truth.amin(dim=(1, 2, 3), keepdim=True), truth.amax(dim=(1, 2, 3), keepdim=True)
    return lowest, torch.where(highest > lowest, highest - lowest, 1)          # a flat image is only shifted


def unit_range(sample):
    """Minimum and span of the network's [0, 1]: the unit's own where the sample is in [0, 1] already, else as `value_range`."""
    return (0, 1) if sample.unit == "1" else value_range(sample)


def luma(image):
    """Grey (N, 1, H, W) of an RGB image, as most depth networks saw their guides; a single channel stays as it is."""
    if image.shape[1] == 1:
        return image
    return (image * image.new_tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
