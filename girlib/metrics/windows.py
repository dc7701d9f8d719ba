"""Sums, means and moments over windows, the same for all metrics; images (..., H, W) in float64."""

import torch
import torch.nn.functional as F

from girlib.errors import GirlibError


def window_sum(x, size):
    """Sum over every window of size x size pixels that lies wholly inside: (..., H - size + 1, W - size + 1)."""
    return _run(_run(x, size, -1), size, -2)


def _run(x, n, dim):
    """Sums of n neighbours from sums of n // 2: few additions, none of them larger than a window."""
    if n == 1:
        return x
    length = x.shape[dim] - n + 1
    half = _run(x, n // 2, dim)
    total = half.narrow(dim, 0, length) + half.narrow(dim, n // 2, length)
    return total if n % 2 == 0 else total + x.narrow(dim, n - 1, length)


def gaussian(size, sigma):
    """Taps of a gaussian, normalised; the window is their outer product."""
    x = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    taps = torch.exp(-x**2 / (2 * sigma**2))
    return taps / taps.sum()


def weighted_sum(x, taps):
    """Sum over every window inside the image, weighted by the outer product of symmetric taps."""
    for dim in (-1, -2):
        length = x.shape[dim] - len(taps) + 1
        total = torch.zeros_like(x.narrow(dim, 0, length))
        for i, w in enumerate(taps.tolist()):
            total.add_(x.narrow(dim, i, length), alpha=w)
        x = total
    return x


def correlate(x, kernel, mode="constant"):
    """Correlation with a small odd kernel (a list of rows), of the same size as the image (C, H, W); outside it is zero by default."""
    kernel = x.new_tensor(kernel)
    return F.conv2d(pad(x, kernel.shape[-1] // 2, mode)[:, None], kernel[None, None])[:, 0]


def pad(x, width, mode):
    """An image (C, H, W) made larger on each side: "constant" (zeros), "replicate", "reflect" or "symmetric" (edge repeated)."""
    if mode != "symmetric":
        return F.pad(x, (width,) * 4, mode=mode)
    for dim in (-1, -2):
        n = x.shape[dim]
        i = torch.arange(-width, n + width, device=x.device) % (2 * n)
        x = x.index_select(dim, torch.minimum(i, 2 * n - 1 - i))
    return x


def need_window(where, image, size):
    height, width = image.shape[-2:]
    if min(height, width) < size:
        raise GirlibError(f"{where}: the images have {height}x{width} pixels but the window {size}x{size}; "
                          "give larger images, cut less, or choose a smaller window where there is a choice.")
