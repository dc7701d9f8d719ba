"""Blocks that two or more networks share."""

import torch
import torch.nn.functional as F


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
