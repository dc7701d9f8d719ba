"""Fusion of two sources: how much of both is in the result. There is no reference; target and guide are the two sources.

Images are levels 0 ... 255, a channel at a time: color="channels" is the mean of the channels' values, as in MEFB, color="grey"
that of the grey images. Symbols: A, B the sources, F the result. Many of these metrics reward closeness to both sources, so that
the plain average beats methods that fuse.
"""

import math
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as nn

from girlib.metrics.definition import metric
from girlib.metrics.information import stretched
from girlib.metrics.pixel import moments, ssim_map
from girlib.metrics.windows import correlate, gaussian, need_window, weighted_sum, window_sum

# ------------------------------------------------------------------------------------------------------- differences

@metric("PSNR to the sources", unit="dB", direction="higher", range=(-math.inf, math.inf), levels="channels",
        reference="\"mefb\": VIFB and MEFB (Zhang, 2020), MGDN's Table 2; \"doubled scale\": Linfeng Tang's evaluation code")
def psnr_fusion(restored, target, guide, style: Literal["proper", "mefb", "doubled scale"] = "proper"):
    """Signal-to-noise ratio against the mean error to both sources.

    style   "proper": 10 log10(255^2 / ((MSE_A + MSE_B) / 2)); "mefb": an MSE without its square, the root of the sum of squares
            over N, so half a PSNR's slope plus a term of the image's size; "doubled scale": errors on [0, 1] but a peak of 255,
            48.13 dB more than proper
    """
    squares = [((restored - source)**2).sum().item() for source in (target, guide)]
    if style == "mefb":
        squares = [math.sqrt(x) for x in squares]
    error = sum(squares) / 2 / restored.numel() / (255**2 if style == "doubled scale" else 1)
    return 10 * math.log10(255**2 / error) if error else math.inf


@metric("SSIM to the sources", direction="higher", range=(-1, 1), levels="channels",
        reference="mean of SSIM(A, F) and SSIM(B, F), Wang et al., 2004; near SFIGF's Q_S; with L=510, color=\"grey\" MGDN's SSIM")
def ssim_src(restored, target, guide, L=255.0):
    """Mean similarity to both sources; L: 510 is what old scikit-image takes for floats in [0, 1], doubled."""
    return (ssim_map(target, restored, L).mean() + ssim_map(guide, restored, L).mean()) / 2


# -------------------------------------------------------------------------------------- similarity, weighted by place

@metric("Q_S", direction="higher", range=(-1, 1), levels="channels", reference="Piella and Heijmans, ICIP 2003; as in Liu et al., 2012")
def q_s(restored, target, guide, style: Literal["S", "W"] = "S"):
    """SSIM to the source that has more contrast in the window, gradually: weight s_A^2 / (s_A^2 + s_B^2).

    style   "S": mean over windows; "W": windows of much contrast count more
    """
    need_window("q_s", restored, 11)
    a, b = _variances(target, guide, 11)
    Q = _between(a, b) * ssim_map(target, restored, 255) + (1 - _between(a, b)) * ssim_map(guide, restored, 255)
    if style == "S":
        return Q.mean()
    weight = torch.maximum(a, b)
    return (weight * Q).sum() / weight.sum()


@metric("Q_Y", direction="higher", range=(-1, 1), levels="channels", reference="Yang et al., Sensor Review 2008; as in Liu et al., 2012")
def q_y(restored, target, guide):
    """As Q_S where the sources agree (SSIM(A, B) >= 0.75), elsewhere the better of the two similarities; windows 7x7, no constants."""
    need_window("q_y", restored, 7)
    AB, AF, BF = (_bare_ssim(x, y) for x, y in ((target, guide), (target, restored), (guide, restored)))
    weight = _between(*_variances(target, guide, 7))
    return torch.where(AB >= 0.75, weight * AF + (1 - weight) * BF, torch.maximum(AF, BF)).mean()


def _bare_ssim(x, y):
    m_x, m_y, xx, yy, xy = moments(x, y, size=7)
    return (2 * m_x * m_y + 2e-16) * (2 * xy + 2e-16) / ((m_x**2 + m_y**2 + 2e-16) * (xx + yy + 2e-16))


def _variances(A, B, size):
    _, _, a, b, _ = moments(A, B, size=size)
    return a.clamp(min=0), b.clamp(min=0)


def _between(a, b):
    """a / (a + b), one half where both are zero."""
    return torch.where(a + b > 0, a / (a + b), 0.5)


# -------------------------------------------------------------------------------------------------------------- edges

@metric("Q_abf", direction="higher", range=(0, 1), levels="channels", reference="Xydeas and Petrovic, Electronics Letters 2000; as in MEFB")
def q_abf(restored, target, guide, style: Literal["xydeas", "liu"] = "xydeas"):
    """How much of the sources' edges, their strength g and their orientation a, the result has.

    Equal images give 0.975, not 1; black sources nan (the border of others is an edge, to the zeros outside).

    style   "liu": other constants, orientation folded at pi / 2, and the mean of ratios instead of the ratio of sums (the Q_G of
            Liu et al., 2012)
    """
    nothing = 0 if style == "xydeas" else 1e-5                                     # what stands for a strength of zero
    g_F, a_F = _edges(restored, nothing)
    kept, weight = 0, 0
    for source in (target, guide):
        g, a = _edges(source, nothing)
        G = torch.minimum(g, g_F) / torch.maximum(g, g_F)
        turn = (a - a_F).abs() / (math.pi / 2)
        if style == "xydeas":
            G = torch.where(g == g_F, g, G)                                        # as released: g itself where they are equal
            Q = 0.9994 / (1 + torch.exp(-15 * (G - 0.5))) * 0.9879 / (1 + torch.exp(-22 * (1 - turn - 0.8)))
        else:
            Q = 1 / (1 + torch.exp(-10 * (G - 0.5))) / (1 + torch.exp(-20 * ((turn - 1).abs() - 0.75)))
        kept, weight = kept + Q * g, weight + g
    return (kept / weight).mean() if style == "liu" else kept.sum() / weight.sum()


def _edges(x, nothing):
    """Strength and orientation of Sobel's gradient, with zeros outside the image; pi / 2 where nothing changes to the right."""
    dx = correlate(x, [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    dy = correlate(x, [[1, 2, 1], [0, 0, 0], [-1, -2, -1]])
    g = torch.hypot(dx, dy)
    if nothing:
        return g.where(g > 0, nothing), torch.atan(dy / dx.where(dx != 0, nothing))
    return g, torch.where(dx == 0, math.pi / 2, torch.atan(dy / dx))


# ---------------------------------------------------------------------------------------------- contrast as eyes see it

@metric("Q_cb", direction="higher", range=(0, 1), levels="channels", reference="Chen and Blum, Image and Vision Computing 2009; as in MEFB")
def q_cb(restored, target, guide):
    """How much of the sources' visible contrast the result keeps. It depends on the image's size; black images (0 / 0) give nan."""
    C, C_A, C_B = (_masked_contrast(stretched(x / 255)) for x in (restored, target, guide))
    kept = lambda source: torch.minimum(source, C) / torch.maximum(source, C)
    share = C_A**2 / (C_A**2 + C_B**2)
    return (share * kept(C_A) + (1 - share) * kept(C_B)).mean()


def _masked_contrast(x):
    """Contrast between two gaussians after the eye's sensitivity to frequency, compressed."""
    H, W = x.shape[-2:]
    v, u = (torch.fft.fftfreq(n, d=1 / n, dtype=torch.float64, device=x.device) * 2 / n * n / 30 for n in (H, W))
    r = torch.hypot(v[:, None], u)                                                 # (H, W), in cycles per degree
    sensitivity = torch.exp(-(r / 15.3870)**2) - 0.7622 * torch.exp(-(r / 1.3456)**2)
    seen = nn.pad(torch.fft.ifft2(torch.fft.fft2(x) * sensitivity).real, (15,) * 4)
    t = torch.arange(-15, 16, dtype=torch.float64)
    fine, coarse = (weighted_sum(seen, torch.exp(-t**2 / (2 * s**2)) / (math.sqrt(2 * math.pi) * s)) for s in (2, 4))
    contrast = (fine / coarse - 1).abs()
    return contrast**3 / (contrast**2 + 1e-4)


@metric("VIF", direction="higher", range=(0, math.inf), levels="channels",
        reference="\"viff\": Han et al., Information Fusion 2013, as in MEFB; \"sum\": Linfeng Tang's evaluation code")
def vif(restored, target, guide, style: Literal["viff", "sum"] = "viff"):
    """Visual information of the sources that arrives in the result.

    style   "viff": at each place of the source that arrives with less gain (equal: the guide), per scale, weighted;
            "sum": vifp(A, F) + vifp(B, F)
    """
    if style == "sum":
        return vifp.definition(restored, target) + vifp.definition(restored, guide)
    total, noise = 0, 0.005 * 255**2
    for weight, A, B in zip((1, 0, 0.15, 1), _visual(target, restored, noise), _visual(guide, restored, noise), strict=True):
        from_A = A[0] < B[0]                                                       # the gain
        num, den = (torch.where(from_A, a, b).mean() + 1e-7 for a, b in zip(A[1:], B[1:], strict=True))
        total += weight / 2.15 * num / den
    return total


@metric("VIFp", direction="higher", range=(0, math.inf), levels="channels",
        reference="Sheikh and Bovik, IEEE TIP 2006, in the domain of pixels (vifp_mscale.m)")
def vifp(restored, reference):
    """Visual information fidelity: information about the reference that arrives, over what there is (flat: nan); noise of variance 2."""
    num, den = (sum(x.sum() for x in terms) for terms in list(zip(*_visual(reference, restored, 2), strict=True))[1:])
    return num / den


def _visual(x, y, noise):
    """Per scale: gain from x to y, information that arrives, information of x; windows of 17, 9, 5, 3 pixels."""
    scales = []
    for size in (17, 9, 5, 3):
        taps = gaussian(size, size / 5)
        if scales:
            need_window("vif", x, size)
            x, y = (weighted_sum(image, taps)[..., ::2, ::2] for image in (x, y))
        need_window("vif", x, size)
        m_x, m_y, xx, yy, xy = weighted_sum(torch.stack([x, y, x * x, y * y, x * y]), taps)
        xx, yy, xy = (xx - m_x**2).clamp(min=0), (yy - m_y**2).clamp(min=0), xy - m_x * m_y
        flat_x, flat_y = xx < 1e-10, yy < 1e-10
        gain = (xy / (xx + 1e-10)).masked_fill(flat_x | flat_y, 0).clamp(min=0)
        rest, xx = (yy - gain * xy).clamp(min=1e-10), xx.masked_fill(flat_x, 0)
        scales.append((gain, torch.log10(1 + gain**2 * xx / (rest + noise)), torch.log10(1 + xx / noise)))
    return scales


# ---------------------------------------------------------------------------------------------------------- exposures

@metric("MEF-SSIM", direction="higher", range=(-1, 1), levels="grey",
        reference="Ma, Zeng and Wang, IEEE TIP 2015; MGDN's Table 1 calls it SSIM")
def mef_ssim(restored, target, guide, scales=3):
    """Contrast and structure beside the best patch that the sources could give, at 3 scales or at 1."""
    weights = (0.0448, 0.2856, 0.3001)[:scales] if scales > 1 else (1,)
    value, images = 1, torch.cat([target, guide, restored])                        # (3, H, W)
    for level, weight in enumerate(weights):
        if level:
            images = nn.avg_pool2d(nn.pad(images, (0, images.shape[2] % 2, 0, images.shape[1] % 2), mode="replicate"), 2)
        need_window("mef_ssim", images, 11)
        value *= _beside_best_patch(images[:2], images[2]).clamp(min=0) ** (weight / sum(weights))
    return value


def _beside_best_patch(sources, F):
    """Mean of (2 s_RF + C) / (s_R^2 + s_F^2 + C): the patch R has the largest strength and the mean structure of all sources."""
    eps, n = 2.0**-52, 11
    mean = lambda x: window_sum(x, n) / n**2
    centred = lambda x, y, mean: mean(x * y) - mean(x) * mean(y)
    norms = [n * centred(x, x, mean).clamp(min=0).sqrt() for x in sources]         # of the patches without their means
    strength = torch.stack([norm + 0.001 for norm in norms])                       # (2, H', W')
    together = n * centred(sources.sum(dim=0), sources.sum(dim=0), mean).clamp(min=0).sqrt()
    agreement = ((together + eps) / (sum(norms) + eps)).clamp(max=1 - eps)
    weight = (strength / n) ** torch.tan(math.pi / 2 * agreement).clamp(max=10) + eps
    a = weight / weight.sum(dim=0) / strength                                      # R is along sum a_k (x_k - mean)
    length = (sum(a[i] * a[j] * centred(sources[i], sources[j], mean) for i in (0, 1) for j in (0, 1)).clamp(min=0) * n**2).sqrt()
    a = torch.where(length > 0, a / length, 0) * strength.amax(dim=0)
    smooth = partial(weighted_sum, taps=gaussian(n, 1.5))
    RR = sum(a[i] * a[j] * centred(sources[i], sources[j], smooth) for i in (0, 1) for j in (0, 1))
    RF = sum(a[i] * centred(sources[i], F, smooth) for i in (0, 1))
    C = (0.03 * 255)**2
    return ((2 * RF + C) / (RR + centred(F, F, smooth) + C)).mean()
