"""Pan-sharpening and hyperspectral images: SAM, ERGAS, SCC, Q, Q2n with a reference; D_lambda, D_s, QNR without.

SFIGF's Table 2 and GDD's Table 2 share the names of these columns but not the definitions: the options say which is which.
"""

import math
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F

from girlib.errors import GirlibError
from girlib.metrics.definition import metric
from girlib.metrics.windows import correlate, need_window, window_sum
from girlib.resampling import downsample, upsample

EPS = 2.0**-52


@metric("SAM", unit="degrees", units={"unit": {"degrees": "degrees", "radians": "radians"}}, direction="lower", range=(0, 180),
        reference="Yuhas et al., 1992; as in Vivone et al., IEEE TGRS 2015 (the toolbox); SFIGF: unit=\"radians\", zeros=\"right angle\"")
def sam(restored, reference, unit: Literal["degrees", "radians"] = "degrees",
        zeros: Literal["left out", "right angle", "no angle", "nan"] = "left out"):
    """Angle between the two spectra of a pixel, mean over pixels.

    unit    "degrees" (the toolbox, GDD) or "radians" (SFIGF)
    zeros   pixels that are black in one of the images have no angle: "left out" (of black images remains nan), a "right angle"
            (py_pansharpening, SFIGF), "no angle" (0), "nan" (torchmetrics)
    """
    product = (restored * reference).sum(dim=0)                                    # (H, W)
    lengths = ((restored**2).sum(dim=0) * (reference**2).sum(dim=0)).sqrt()
    if zeros == "right angle":
        angles = torch.acos((product / (lengths + EPS)).clamp(0, 1))
    else:
        angles = torch.acos((product / lengths).clamp(-1, 1))
        if zeros == "left out":
            angles = angles[lengths > 0]
        elif zeros == "no angle":
            angles = angles.where(lengths > 0, 0)
    return angles.mean() * (180 / math.pi if unit == "degrees" else 1)


@metric("ERGAS", direction="lower", range=(0, math.inf), reference="Wald, 2000; ratio=4 for WorldView, 32 for CAVE")
def ergas(restored, reference, ratio=4.0):
    """100 / ratio times the root of the bands' mean of MSE / mean^2; ratio is that of the pixels' sizes.

    Not symmetric: the mean is the reference's. A band whose mean is 0 gives infinity, unless it is restored without an error.
    """
    mse = ((restored - reference)**2).mean(dim=(1, 2))                             # (B)
    share = mse / reference.mean(dim=(1, 2))**2
    return 100 / ratio * share.where(mse > 0, 0).mean().sqrt()


@metric("SCC", direction="higher", range=(-1, 1), reference="Zhou et al., 1998, in the versions in circulation; SFIGF: filter=\"none\"")
def scc(restored, reference, filter: Literal["sobel", "none", "laplace", "local laplace"] = "sobel"):
    """Correlation of spatial detail. Four different things carry this name.

    filter   "sobel" (the toolbox): one pixel cut off, magnitude of Sobel's gradient with zeros outside, cosine over all bands;
             "none" (py_pansharpening, SFIGF): Pearson's correlation of each band, so that plain interpolation scores well;
             "laplace" (as often described): the same of Laplacians over 8 neighbours; "local laplace" (sewar, torchmetrics):
             correlations of twice that Laplacian in sliding 8x8 windows
    A band without any detail has no correlation: nan ("local laplace": 0 in such a window).
    """
    if filter == "sobel":
        need_window("scc", restored, 3)
        x, y = (_gradient(image[:, 1:-1, 1:-1]) for image in (restored, reference))
        return (x * y).sum() / ((x**2).sum() * (y**2).sum()).sqrt()
    if filter == "none":
        return _pearson(restored, reference)
    laplace = [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]
    x, y = (correlate(image, laplace, "symmetric") for image in (restored, reference))
    if filter == "laplace":
        return _pearson(x, y)
    mean = lambda image: window_sum(F.pad(image, (4, 3, 4, 3)), 8) / 64
    xx, yy, xy = mean(x * x) - mean(x)**2, mean(y * y) - mean(y)**2, mean(x * y) - mean(x) * mean(y)
    length = (xx.clamp(min=0) * yy.clamp(min=0)).sqrt()
    return (xy / length).where(length > 0, 0).mean()


def _gradient(x):
    dx = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    return torch.hypot(correlate(x, dx), correlate(x, [list(column) for column in zip(*dx, strict=True)]))


def _pearson(x, y):
    x, y = (image - image.mean(dim=(1, 2), keepdim=True) for image in (x, y))
    product = (x * y).sum(dim=(1, 2))
    return (product / ((x**2).sum(dim=(1, 2)) * (y**2).sum(dim=(1, 2))).sqrt()).mean()


# ---------------------------------------------------------------------------------------------------- Q and Q2n

@metric("Q", direction="higher", range=(-1, 1), reference="Wang and Bovik, IEEE SPL 2002; SFIGF: size=8")
def q(restored, reference, size=32, flat=0.0):
    """Universal quality index: 4 s_xy m_x m_y / ((s_x^2 + s_y^2)(m_x^2 + m_y^2)), mean over sliding windows, then over bands.

    size   32 (the toolbox) or 8 (Wang; py_pansharpening): this choice moves the number more than the method does
    flat   variances, or squares of means, of both images together up to this count as none; py_pansharpening: 1e-8
    """
    need_window("q", restored, size)
    return _q(restored, reference, partial(window_sum, size=size), size, flat).mean()


def _q(x, y, sums, size, flat=0.0):
    """Q in every window that `sums` adds up. Without contrast only the means count; without means only the contrast."""
    n = size**2
    m_x, m_y = sums(x) / n, sums(y) / n
    square = (sums(x * x) + sums(y * y)) / n
    means = m_x**2 + m_y**2
    contrast = square - means                                                      # s_x^2 + s_y^2
    cross = sums(x * y) / n - m_x * m_y
    bright = 2 * m_x * m_y / means
    alike = 2 * cross / contrast
    rounding = 4 * n * EPS * square                                                # below it a difference is no contrast
    no_contrast, no_mean = contrast <= rounding + flat, means <= rounding + flat
    return torch.where(no_contrast, 1, alike) * torch.where(no_mean, 1, bright)


@metric("Q2n", direction="higher", range=(0, 1), reference="Garzelli and Nencini, IEEE GRSL 2009; Q4 and Q8 by the number of bands")
def q2n(restored, reference, block=32, shift=32, cast=True, deviation: Literal["sample", "population"] = "sample"):
    """Q of hypercomplex pixels: one component a band, so that spectral and spatial errors count together; mean over blocks.

    block       blocks of block x block pixels, one at every `shift` pixels
    cast        both images are first rounded to unsigned 16 bits, as the toolbox does: right for digital numbers, ruinous for values
                in [0, 1], which all become 0 or 1
    deviation   by which a block is normalised; "population" is that of the ports to Python
    The bands' order matters. Missing bands up to a power of two are zero; the image is mirrored up to whole blocks.
    """
    x, y = (((image + 0.5).floor().clamp(0, 65535) if cast else image) for image in (reference, restored))   # half up, as MATLAB
    bands = 2 ** max(1, math.ceil(math.log2(len(x))))
    x, y = (F.pad(image, (0, 0, 0, 0, 0, bands - len(image))) for image in (x, y))
    x, y = (_blocks(_to_whole(image, block, shift), block, shift) for image in (x, y))  # (bands, blocks, M)
    M = block**2
    mean = x.mean(dim=-1, keepdim=True)
    spread = x.std(dim=-1, keepdim=True, correction=1 if deviation == "sample" else 0)
    spread = spread.where(spread > 0, EPS)
    a = (x - mean) / spread + 1
    b = _conjugate(torch.where(mean == 0, y - mean + 1, (y - mean) / spread + 1))
    mean_a, mean_b = a.mean(dim=-1), b.mean(dim=-1)                                # (bands, blocks)
    k = M / (M - 1)
    norms = (mean_a**2).sum(dim=0) + (mean_b**2).sum(dim=0)
    bright = 2 * ((mean_a**2).sum(dim=0) * (mean_b**2).sum(dim=0)).sqrt() / norms
    cross = k * (_product(a, b).mean(dim=-1) - _product(mean_a, mean_b))           # (bands, blocks)
    contrast = k * (((a**2).sum(dim=0) + (b**2).sum(dim=0)).mean(dim=-1) - norms)
    alike = 2 * cross.norm(dim=0) / contrast
    return (bright * alike.where(contrast > 0, 1)).mean()


def _conjugate(x):
    return torch.cat([x[:1], -x[1:]])


def _product(u, v):
    """The product of hypercomplex numbers, components first; neither commutative nor, from 8 on, associative."""
    if len(u) == 1:
        return u * v
    (a, b), (c, d) = u.chunk(2), v.chunk(2)
    b, d = _conjugate(b), _conjugate(d)
    if len(u) == 2:
        return torch.cat([a * c - d * b, a * d + c * b])
    return torch.cat([_product(a, c) - _product(d, _conjugate(b)), _product(_conjugate(a), d) + _product(c, b)])


def _to_whole(x, block, shift):
    """Mirrored at the bottom and on the right, so that blocks at every `shift` pixels cover the image."""
    for dim in (-2, -1):
        n = x.shape[dim]
        whole = math.ceil(n / shift) * shift - shift + block
        i = torch.arange(max(whole, n), device=x.device) % (2 * n)
        x = x.index_select(dim, torch.minimum(i, 2 * n - 1 - i))
    return x


def _blocks(x, block, shift):
    return x.unfold(1, block, shift).unfold(2, block, shift).reshape(len(x), -1, block**2)


# --------------------------------------------------------------------------------------------- without a reference

Style = Literal["toolbox", "paper"]
QNR = "Alparone et al., PE&RS 2008; \"toolbox\": as in Vivone et al., IEEE TGRS 2015, version 1.0"


@metric("D_lambda", direction="lower", range=(0, 1), reference=QNR)
def d_lambda(restored, low, style: Literal["toolbox", "paper", "sliding"] = "toolbox"):
    """Spectral distortion: how much the bands' Q among each other changed; mean over pairs of bands of |Q(F_i, F_j) - Q(M_i, M_j)|.

    style   "toolbox": blocks of 32x32, the low-resolution image M enlarged by 23 taps; "paper": M as it is, with blocks of 32 / ratio;
            "sliding": M as it is, windows of 32x32 that slide over both (py_pansharpening)
    """
    ratio = _ratio("d_lambda", restored, low)
    B = len(restored)
    if B < 2:
        raise GirlibError("d_lambda: restored has one band; distances between bands need two or more.")
    first, second = zip(*[(i, j) for i in range(B) for j in range(i + 1, B)], strict=True)
    if style == "sliding":
        need_window("d_lambda", low, 32)
        of = lambda x: _q(x[list(first)], x[list(second)], partial(window_sum, size=32), 32).mean(dim=(1, 2))
        return (of(restored) - of(low)).abs().mean()
    M, size = (_enlarged(low, ratio), 32) if style == "toolbox" else (low, 32 // ratio)
    distance = _block_q(restored[list(first)], restored[list(second)], 32) - _block_q(M[list(first)], M[list(second)], size)
    return distance.abs().mean()


@metric("D_s", direction="lower", range=(0, 1), reference=QNR)
def d_s(restored, low, guide, style: Style = "toolbox"):
    """Spatial distortion: how much the bands' Q with the panchromatic image P changed; mean over bands of |Q(F_i, P) - Q(M_i, P_low)|.

    style   "toolbox": P shrunk (bicubic, antialiased) and enlarged again by 23 taps, as M; "paper": P shrunk, M as it is
    """
    ratio = _ratio("d_s", restored, low)
    if guide.shape != (1, *restored.shape[-2:]):
        raise GirlibError(f"d_s: guide has shape {tuple(guide.shape)}; the panchromatic image is one channel of restored's size, "
                          f"{(1, *restored.shape[-2:])}.")
    P_low, M, size = downsample(guide[None], ratio, "bicubic-matlab")[0], low, 32 // ratio
    if style == "toolbox":
        P_low, M, size = _enlarged(P_low, ratio), _enlarged(low, ratio), 32
    return (_block_q(restored, guide.expand_as(restored), 32) - _block_q(M, P_low.expand_as(M), size)).abs().mean()


@metric("QNR", direction="higher", range=(0, 1), reference=QNR)
def qnr(restored, low, guide, style: Style = "toolbox"):
    """Quality with no reference: (1 - D_lambda)(1 - D_s), both in the same style."""
    return (1 - d_lambda.definition(restored, low, style)) * (1 - d_s.definition(restored, low, guide, style))


def _ratio(where, restored, low):
    ratio = restored.shape[-1] // low.shape[-1]
    if ratio not in (2, 4, 8) or restored.shape != (len(low), ratio * low.shape[1], ratio * low.shape[2]):
        raise GirlibError(f"{where}: restored has shape {tuple(restored.shape)} and low {tuple(low.shape)}; "
                          "restored should have as many bands and be 2, 4 or 8 times as large.")
    if restored.shape[1] % 32 or restored.shape[2] % 32:
        raise GirlibError(f"{where}: restored has {restored.shape[1]}x{restored.shape[2]} pixels; "
                          "the blocks need multiples of 32: cut it, and low and the panchromatic image with it.")
    return ratio


def _enlarged(x, ratio):
    return upsample(x[None], (ratio * x.shape[1], ratio * x.shape[2]), "exp")[0]


def _block_q(x, y, size):
    """Q of blocks that do not overlap, mean over blocks: (B)."""
    sums = lambda image: F.avg_pool2d(image, size) * size**2
    return _q(x, y, sums, size).mean(dim=(1, 2))
