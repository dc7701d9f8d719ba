"""Differences pixel by pixel and window by window: RMSE, PSNR, SSIM; also as HDR images are compared, after the mu-law."""

import math
from typing import Literal

import torch

from girlib.errors import GirlibError
from girlib.losses import mu_law
from girlib.metrics.definition import metric
from girlib.metrics.windows import gaussian, need_window, pad, weighted_sum, window_sum

Curve = Literal["linear", "mu-law"]


@metric("RMSE", unit="that of the images, times factor", direction="lower", range=(0, math.inf),
        reference="depth super-resolution: DKN (Kim et al., IJCV 2021) with border=6; NYU in centimetres, Middlebury and Lu 0-255")
def rmse(restored, reference, factor=1.0, valid=None):
    """Root of the mean squared difference, times factor (100: metres to centimetres), over the valid pixels."""
    return factor * math.sqrt(_mse(restored, reference, valid))


@metric("PSNR", unit="dB", direction="higher", range=(-math.inf, math.inf),
        reference="10 log10(L^2 / MSE); HDR after Kalantari and Ramamoorthi, 2017")
def psnr(restored, reference, data_range=None, over: Literal["image", "channels", "luma"] = "image", curve: Curve = "linear", valid=None):
    """Peak signal-to-noise ratio; infinite for equal images.

    over    one mean squared error over all channels ("image"), the mean of the channels' PSNR, or that of the luma of video
            (colours in RGB order)
    curve   "mu-law": PSNR-mu, of images on [0, L] after the tone curve, clipped to [0, L] first
    """
    restored, reference = (_curved(x, data_range, curve) for x in (restored, reference))
    if over == "luma":
        if len(restored) != 3:
            raise GirlibError(f"psnr: luma is that of red, green and blue, but the images have {len(restored)} channels.")
        restored, reference = (torch.tensordot(x.new_tensor([0.256789, 0.504129, 0.097906]), x, 1)[None] for x in (restored, reference))
    if over == "channels":
        return sum(_psnr(_mse(a, b, valid), data_range) for a, b in zip(restored, reference, strict=True)) / len(restored)
    return _psnr(_mse(restored, reference, valid), data_range)


@metric("SSIM", direction="higher", range=(-1, 1), reference="Wang et al., IEEE TIP 2004, and the author's ssim_index.m")
def ssim(restored, reference, data_range=None, window: Literal["gaussian", "uniform"] = "gaussian", size=11,
         outside: Literal["cut", "constant", "reflect", "replicate"] = "cut", covariance: Literal["population", "sample"] = "population",
         shrink=False, curve: Curve = "linear"):
    """Structural similarity, mean over windows, then over channels.

    window       gaussian of sigma 1.5 cut to size x size pixels, or uniform. scikit-image's default, which HDR papers and the
                 low-light code use, is window="uniform", size=7, covariance="sample"
    outside      "cut": only windows inside the image; else the border is filled so that every pixel has a window: zeros
                 ("constant": pytorch_ssim, in SFIGF's code), "reflect" (torchmetrics, kornia), "replicate" (MATLAB's own)
    covariance   "sample": variances over N - 1 pixels, not N
    shrink       average and thin by round(min(H, W) / 256) first, as Wang advised later
    curve        "mu-law": as psnr
    data_range   some code doubles it: L = 2 for floats in [0, 1] is what old scikit-image assumed
    """
    if (outside != "cut" and size % 2 == 0) or (covariance == "sample" and size == 1):
        raise GirlibError(f"ssim: size={size} does not do; a window around every pixel is odd, and a sample's variance takes 2 or more.")
    x, y = (_curved(image, data_range, curve) for image in (restored, reference))
    if shrink:
        x, y = (_shrunk(image) for image in (x, y))
    return ssim_map(x, y, data_range, window, size, outside, covariance).mean()


def ssim_map(x, y, L, window="gaussian", size=11, outside="cut", covariance="population"):
    """Eq. (13) of the paper at every window, (C, H', W')."""
    if outside == "cut":
        need_window("ssim", x, size)
    else:
        need_window("ssim", x, size // 2 + 1)
        x, y = (pad(image, size // 2, outside) for image in (x, y))
    mean_x, mean_y, xx, yy, xy = moments(x, y, window, size)
    if covariance == "sample":
        xx, yy, xy = (size**2 / (size**2 - 1) * moment for moment in (xx, yy, xy))
    C1, C2 = (0.01 * L)**2, (0.03 * L)**2
    return (2 * mean_x * mean_y + C1) * (2 * xy + C2) / ((mean_x**2 + mean_y**2 + C1) * (xx + yy + C2))


def moments(x, y, window="gaussian", size=11):
    """Means, variances and covariance of two images in every window inside them."""
    stack = torch.stack([x, y, x * x, y * y, x * y])
    mean_x, mean_y, xx, yy, xy = weighted_sum(stack, gaussian(size, 1.5)) if window == "gaussian" else window_sum(stack, size) / size**2
    return mean_x, mean_y, xx - mean_x**2, yy - mean_y**2, xy - mean_x * mean_y


def _mse(restored, reference, valid):
    squares = (restored - reference)**2
    return (squares.mean() if valid is None else squares[valid.expand_as(squares)].mean()).item()


def _psnr(mse, L):
    return 10 * math.log10(L**2 / mse) if mse else math.inf


def _curved(x, L, curve):
    return x if curve == "linear" else L * mu_law((x / L).clamp(0, 1))


def _shrunk(x):
    """Every f-th pixel of the mean over f x f pixels; beyond the border mirrored, the edge repeated."""
    f = max(1, math.floor(min(x.shape[-2:]) / 256 + 0.5))
    before = (f - 1) // 2
    mean = window_sum(pad(x, f, "symmetric"), f) / f**2
    start = f - before
    return mean[:, start:start + x.shape[-2]:f, start:start + x.shape[-1]:f]
