"""The guided filter and its family: classical filters that let one image steer the smoothing of another.

Papers     He, Sun and Tang, "Guided Image Filtering", 2013; He and Sun, "Fast Guided Filter", 2015;
           Kopf et al., "Joint Bilateral Upsampling", 2007. Equation numbers are those of Liu et al. (SFIGF), Section 3.1
Symbols    P target (N, C, H, W)     I guide (N, G, H, W)     r radius     a_k, b_k line in window k     A, B their means
Reads as   window means -> covariances -> a_k, b_k -> averaged A, B -> Q = A * I + B
Borders    a window that leaves the image is cut off, and every mean is divided by the pixels that are left
"""

import math
import numbers

import torch
import torch.nn.functional as F
from torch import nn

from girlib.errors import GirlibError


# ---------------------------------------------------------------------------------------------------- window means

def box_mean(image, radius):
    """Mean over the (2 radius + 1)^2 window around each pixel of an image (N, C, H, W), cut off at the border."""
    check_images("box_mean", image=image)
    radius = check_radius("box_mean", radius)
    centred, centre = centre_image("box_mean", "image", image)
    return (window_mean(centred, radius) + centre).to(image.dtype)


def window_mean(x, radius):
    """Means over truncated windows along the last two dimensions of any floating tensor."""
    return window_sum(x, radius) / window_count(x, radius)


def window_sum(x, radius):
    return sum_along(sum_along(x, radius, -1), radius, -2)


def window_count(x, radius):
    """How many pixels each window holds, (H, W)."""
    def along(n):
        i = torch.arange(n, device=x.device)
        return (i + radius).clamp(max=n - 1) - (i - radius).clamp(min=0) + 1

    height, width = x.shape[-2:]
    return (along(height)[:, None] * along(width)).to(x.dtype)


def sum_along(x, radius, dim):
    """Sums of 2 radius + 1 neighbours along one dimension, zeros outside, in about log2(radius) additions.

    Sums of 1, 2, 4, 8, ... neighbours come from one another (y_2s[i] = y_s[i] + y_s[i + s]); the binary digits of the
    window's width say which of them join. Only sums as small as the window are ever added, so float32 stays exact to the
    last digits, where a cumulative sum loses four of seven on a large image.
    """
    n = x.shape[dim]
    radius = min(radius, n - 1)
    padding = (0, 0, radius, radius) if dim == -2 else (radius, radius)
    power, size, width = F.pad(x, padding), 1, 2 * radius + 1
    total, start = 0, 0
    while size <= width:
        if width & size:
            total = total + power.narrow(dim, start, n)
            start += size
        if 2 * size <= width:
            length = power.shape[dim] - size
            power = power.narrow(dim, 0, length) + power.narrow(dim, size, length)
        size *= 2
    return total


# ------------------------------------------------------------------------------------------------ the guided filter

def guided_filter(target, guide, radius, eps, weight=None):
    """Smooths the target as the guide's edges allow: in every window the result is a line of the guide, Eqs. (1)-(6).

    Each window k fits P = a_k I + b_k by least squares and pays eps a_k^2 a pixel, Eq. (2); a pixel takes the mean of all
    windows that contain it, Eq. (5). `eps` is a variance of the guide: what varies less is smoothed, what varies more is
    kept. The guide may have any number of channels; all channels of the target share it. The cost hardly depends on the
    radius.

    `weight` (N, 1, H, W), non-negative or boolean, says how much a pixel counts in the fits. Where it is zero, target and
    guide may hold anything, NaN too. The result is NaN where no window with a valid pixel reaches, and where the guide is.
    """
    P, I, radius, weight = check_filter("guided_filter", target, guide, radius, eps, weight)
    A, B, I, centre = fit("guided_filter", P, I, radius, eps, weight)
    return (apply_line(A, B, I) + centre).to(target.dtype)


def guided_coefficients(target, guide, radius, eps, weight=None):
    """Averaged coefficients of `guided_filter`: A (N, C, G, H, W) and B (N, C, H, W) with Q = sum_g A_g I_g + B, Eq. (6)."""
    P, I, radius, weight = check_filter("guided_coefficients", target, guide, radius, eps, weight)
    A, B, centred, centre = fit("guided_coefficients", P, I, radius, eps, weight)
    guide_centre = (I - centred).nanmean(dim=(2, 3))                              # (N, G)
    B = B + centre - torch.einsum("ncghw,ng->nchw", A, guide_centre)
    return A.to(target.dtype), B.to(target.dtype)
