"""What well-known libraries compute under the same names, for comparison only: none of these is the papers' definition.

torchmetrics 1.9.0 has an index of its own for Q and builds D_lambda, D_s and QNR on it; sewar 0.4.10 has a mean where the formula
of Q needs a sum. Images (C, H, W) in float64.
"""

import torch
import torch.nn.functional as F

from girlib.metrics.windows import gaussian, pad, weighted_sum, window_sum
from girlib.resampling import downsample


def torchmetrics_q(x, y):
    """Of gaussian windows, with the machine's precision instead of a rule for flat ones; per band."""
    m_x, m_y, xx, yy, xy = weighted_sum(torch.stack([x, y, x * x, y * y, x * y]), gaussian(11, 1.5))
    contrast = (xx - m_x**2).clamp(min=0) + (yy - m_y**2).clamp(min=0)
    return (4 * m_x * m_y * (xy - m_x * m_y) / ((m_x**2 + m_y**2) * contrast + 2.0**-52)).mean(dim=(1, 2))


def torchmetrics_d_lambda(restored, low):
    B = len(restored)
    first, second = zip(*[(i, j) for i in range(B) for j in range(i + 1, B)], strict=True)
    of = lambda x: torchmetrics_q(x[list(first)], x[list(second)])
    return (of(restored) - of(low)).abs().mean()


def torchmetrics_d_s(restored, low, guide, shrink="default"):
    """shrink: the panchromatic image by a mean over 7x7 and bilinear interpolation ("default"), or "bicubic"."""
    if shrink == "bicubic":
        P_low = downsample(guide[None], guide.shape[-1] // low.shape[-1], "bicubic-matlab")[0]
    else:
        mean = window_sum(pad(guide, 3, "symmetric"), 7) / 49
        P_low = F.interpolate(mean[None], low.shape[-2:], mode="bilinear")[0]
    return (torchmetrics_q(restored, guide.expand_as(restored)) - torchmetrics_q(low, P_low.expand_as(low))).abs().mean()


def torchmetrics_qnr(restored, low, guide):
    return (1 - torchmetrics_d_lambda(restored, low)) * (1 - torchmetrics_d_s(restored, low, guide))


def sewar_q(x, y, size=8):
    """The formula of Q with means in the places of sums, so that n^2 times the mean of products meets one mean squared."""
    n = size**2
    mean = lambda image: window_sum(pad(image, size // 2, "symmetric"), size)[..., :image.shape[-2], :image.shape[-1]] / n
    m_x, m_y = mean(x), mean(y)
    means = m_x**2 + m_y**2
    value = 4 * (n * mean(x * y) - m_x * m_y) * m_x * m_y / ((n * mean(x * x + y * y) - means) * means)
    return value[..., size // 2:-(size // 2), size // 2:-(size // 2)].mean()
