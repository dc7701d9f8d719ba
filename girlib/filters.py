"""The guided filter and its family: classical filters in which one image steers the smoothing of another.

Papers     He, Sun and Tang, "Guided Image Filtering", 2013; He and Sun, "Fast Guided Filter", 2015;
           Kopf et al., "Joint Bilateral Upsampling", 2007. Equations are numbered as in Liu et al. (SFIGF), Section 3.1
Symbols    P target (N, C, H, W)     I guide (N, G, H, W)     a_k, b_k slope and intercept in window k     A, B their means
Reads as   window means -> covariances -> a_k, b_k -> means A, B -> Q = A * I + B
Border     a window that leaves the image is cut off, and each mean divides by the pixels that remain
Precision  float16 and bfloat16 are computed in float32; an image's mean is taken off before anything is squared, which
           changes nothing in theory and keeps three more digits in float32
"""

import numbers
import operator
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from girlib import strips
from girlib.errors import GirlibError

# ---------------------------------------------------------------------------------------------------- window means

def box_mean(image, radius):
    """Mean of an image (N, C, H, W) over the window of 2 radius + 1 pixels squared around each pixel."""
    radius = _check_whole("box_mean", "radius", radius, 0)
    _check_images("box_mean", image=image)
    x = _working(image)
    centre = _centre("box_mean", "image", x)
    x = x - centre
    return (_window_sum(x, radius) / _window_count(x, radius) + centre).to(image.dtype)


def _window_sum(x, radius):
    return _sum_along(_sum_along(x, radius, dim=-1), radius, dim=-2)


def _window_count(x, radius):
    """How many pixels each window holds, (H, W)."""
    def along(n):
        i = torch.arange(n, device=x.device)
        return (i + radius).clamp(max=n - 1) - (i - radius).clamp(min=0) + 1

    height, width = x.shape[-2:]
    return (along(height)[:, None] * along(width)).to(x.dtype)


def _sum_along(x, radius, dim):
    """Sums of 2 radius + 1 neighbours along one dimension, with zeros outside, in about log2(radius) additions.

    Sums of 1, 2, 4, 8, ... neighbours come from one another; the binary digits of the window's width say which of them
    make up the window. No sum is ever larger than a window's, so float32 loses nothing, whatever the size of the image.
    """
    n = x.shape[dim]
    radius = min(radius, n - 1)
    width = 2 * radius + 1
    sums, size = F.pad(x, (radius, radius) if dim == -1 else (0, 0, radius, radius)), 1     # of `size` neighbours
    total, start = 0, 0
    while True:
        if width & size:
            total = total + sums.narrow(dim, start, n)
            start += size
        if 2 * size > width:
            return total
        length = sums.shape[dim] - size
        sums = sums.narrow(dim, 0, length) + sums.narrow(dim, size, length)
        size *= 2


# ------------------------------------------------------------------------------------------------ the guided filter

def guided_filter(target, guide, radius, eps, weight=None):
    """Smooths the target, but keeps its edges where the guide has one: in each window the result is a line in the guide.

    Window k fits P = a_k I + b_k by least squares and pays eps a_k^2 for each pixel, Eq. (2); each pixel then takes the
    mean over all windows that hold it, Eq. (5). `eps` is a variance of the guide: where the guide varies less, the target
    is smoothed; where it varies more, the target's edges stay. A guide may have any number of channels, and all of them
    serve each channel of the target. The time hardly depends on the radius.

    `weight` (N, 1, H, W), boolean or not negative, says how much each pixel counts in the fit. Where it is zero, target
    and guide may hold anything, NaN too. The result is NaN where no window with a valid pixel reaches, and where the
    guide itself is not finite.
    """
    P, I, radius, eps, weight = _check_filter("guided_filter", target, guide, radius, eps, weight)
    centre_P, centre_I = _centre("guided_filter", "target", P, weight), _centre("guided_filter", "guide", I, weight)
    if strips.suits(P, I, radius, eps, weight):
        return strips.guided_filter(P, I, centre_P, centre_I, radius, partial(_lines, eps=eps)).to(target.dtype)
    I = I - centre_I
    A, B = _fit("guided_filter", P - centre_P, I, radius, eps, weight)
    known = I.isfinite().all(dim=1, keepdim=True)                                 # false only where the weight is 0
    Q = _apply(A, B, I.where(known, 0)) + centre_P                                # no NaN here, so that none is in a gradient
    return Q.where(known, torch.nan).to(target.dtype)


def guided_coefficients(target, guide, radius, eps, weight=None):
    """The means A (N, C, G, H, W) and B (N, C, H, W) with which `guided_filter` gives Q = sum_g A_g I_g + B, Eq. (6)."""
    where = "guided_coefficients"
    P, I, radius, eps, weight = _check_filter(where, target, guide, radius, eps, weight)
    centre_P, centre_I = _centre(where, "target", P, weight), _centre(where, "guide", I, weight)
    A, B = _fit(where, P - centre_P, I - centre_I, radius, eps, weight)
    B = _apply(A, B, -centre_I) + centre_P
    return A.where(B.isfinite()[:, :, None], torch.nan).to(target.dtype), B.to(target.dtype)


def _fit(where, P, I, radius, eps, weight):
    """Slope and intercept of every window, Eqs. (3) and (4), averaged over the windows that hold a pixel, Eq. (6).

    Where none of these windows holds a valid pixel, the slope is 0 and the intercept NaN.
    """
    if weight is None:
        total, usable = _window_count(P, radius), torch.ones_like(P[0, 0])        # (H, W)
    else:
        P, I = torch.where(weight > 0, P, 0), torch.where(weight > 0, I, 0)
        total = _window_sum(weight, radius)                                       # (N, 1, H, W)
        usable = (total > 0).to(P.dtype)
        total = total + (1 - usable)                                              # an empty window may divide by anything

    def mean(x):
        return _window_sum(x if weight is None else weight * x, radius) / total

    planes = I.split(1, dim=1)                                                    # G times (N, 1, H, W)
    a, b = _lines(mean(P), [mean(i) for i in planes], [mean(i * P) for i in planes],
                  [[mean(i * j) for j in planes[:g + 1]] for g, i in enumerate(planes)], eps, 1 - usable, where)

    reach = _window_sum(usable, radius)
    A, B = ([_window_sum(usable * x, radius) / reach.clamp(min=1) for x in lines] for lines in (a, [b]))
    return torch.stack(A, dim=2), B[0].where(reach > 0, torch.nan)                # (N, C, G, H, W), (N, C, H, W)


def _lines(P, I, IP, II, eps, empty=0, where=None):
    """a_k and b_k, Eqs. (3) and (4), of the windows' means; I, IP and the lower triangle II are lists over guide channels.

    a = (Sigma + eps U)^-1 cov by Gaussian elimination. What a channel varies beyond the channels before it may come out as
    rounding, or less than nothing, where the channels nearly repeat one another; it is lifted to what rounding can make, so
    that no slope is noise divided by next to nothing. Where a window is empty, any pivot will do.
    """
    a = [torch.addcmul(IP[g], i, P, value=-1) for g, i in enumerate(I)]           # G times the covariance (N, C, H, W)
    sigma = [[torch.addcmul(ij, I[g], I[h], value=-1) for h, ij in enumerate(row)] for g, row in enumerate(II)]
    for g, row in enumerate(sigma):
        noise = 4 * torch.finfo(P.dtype).eps * II[g][g]
        if eps == 0:
            _check_slopes(where, row[g] + empty > noise)
        row[g] = torch.maximum(row[g], noise) + (eps + empty)
        for h in range(g + 1, len(a)):
            ratio = sigma[h][g] / row[g]
            for k in range(g + 1, h + 1):
                sigma[h][k] = torch.addcmul(sigma[h][k], ratio, sigma[k][g], value=-1)
            a[h] = torch.addcmul(a[h], ratio, a[g], value=-1)
    b = P
    for g in reversed(range(len(a))):
        for h in range(g + 1, len(a)):
            a[g] = torch.addcmul(a[g], sigma[h][g], a[h], value=-1)
        a[g] = a[g] / sigma[g][g]
        b = torch.addcmul(b, a[g], I[g], value=-1)
    return a, b


def _apply(A, B, I):
    """Q = sum_g A_g I_g + B, Eq. (6)."""
    return (A * I[:, None]).sum(dim=2) + B


def fast_guided_filter(target, guide, radius, eps, subsample):
    """The guided filter with its lines fitted on images `subsample` times smaller, and drawn on the full guide.

    He and Sun, 2015: target and guide are shrunk (bilinear), A and B are averaged there with the radius divided by
    `subsample` and rounded, enlarged (bilinear), and applied to the guide. subsample = 1 is the guided filter.
    """
    where = "fast_guided_filter"
    P, I, radius, eps, _ = _check_filter(where, target, guide, radius, eps)
    subsample = _check_whole(where, "subsample", subsample, 1)
    if subsample > max(radius, 1):
        raise GirlibError(f"{where}: subsample is {subsample} but radius is {radius}, so a window would be smaller than "
                          "one small pixel; subsample must not exceed the radius (lower it or use guided_filter).")
    centre_P, centre_I = _centre(where, "target", P), _centre(where, "guide", I)
    I, size = I - centre_I, I.shape[-2:]
    small = [max(1, round(n / subsample)) for n in size]
    A, B = _fit(where, _resize(P - centre_P, small), _resize(I, small), int(radius / subsample + 0.5), eps, None)
    A = _resize(A.flatten(1, 2), size).unflatten(1, A.shape[1:3])
    return (_apply(A, _resize(B, size), I) + centre_P).to(target.dtype)


def _resize(x, size):
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


# ----------------------------------------------------------------------------------------- the joint bilateral filter

def joint_bilateral_filter(target, guide, radius, sigma_space, sigma_range):
    """Weighted mean of the target over each window; near pixels that look alike in the guide weigh most.

    The weight of pixel i at pixel j is exp(-|i - j|^2 / 2 sigma_space^2 - |I_i - I_j|^2 / 2 sigma_range^2), with the
    squared differences of all guide channels added up. The time grows with the window's area.
    """
    where = "joint_bilateral_filter"
    P, I, *parameters = _check_bilateral(where, "target", target, guide, radius, sigma_space, sigma_range)
    _check_same_size(where, target, guide)
    return _joint_bilateral(P, I, I, *parameters).to(target.dtype)


def joint_bilateral_upsample(low, guide, radius, sigma_space, sigma_range):
    """Enlarges `low` (N, C, h, w) to the size of the guide (N, G, H, W), any ratio: Kopf et al., 2007.

    Each pixel is a weighted mean of the low pixels around it; `radius` and `sigma_space` count low pixels. Both images
    cover the same area, edge to edge (pixel centres at half-integers), and the guide is read (bilinear) at the low
    pixels' centres.
    """
    where = "joint_bilateral_upsample"
    P, I, *parameters = _check_bilateral(where, "low", low, guide, radius, sigma_space, sigma_range)
    return _joint_bilateral(P, _resize(I, P.shape[-2:]), I, *parameters).to(low.dtype)


def _joint_bilateral(P, keys, queries, radius, sigma_space, sigma_range):
    """Softmax over the window in `keys` and P (h, w) around each pixel of `queries` (H, W)."""
    def places(n, N):
        at = (torch.arange(N, device=P.device, dtype=torch.float64) + 0.5) * n / N - 0.5        # in low pixels
        return at, (at + 0.5).floor().long().clamp(0, n - 1)                                    # and the nearest one

    (y, row), (x, column) = (places(n, N) for n, N in zip(P.shape[-2:], queries.shape[-2:], strict=True))
    reach_y, reach_x = (min(radius, n - 1) for n in P.shape[-2:])
    offsets = [(dy, dx) for dy in range(-reach_y, reach_y + 1) for dx in range(-reach_x, reach_x + 1)]

    def at(image, dy, dx):
        height, width = image.shape[-2:]
        return image[:, :, (row + dy).clamp(0, height - 1)[:, None], (column + dx).clamp(0, width - 1)]

    def exponent(dy, dx):
        space = -((row + dy - y)[:, None].square() + (column + dx - x).square()) / sigma_space ** 2
        inside = ((row + dy >= 0) & (row + dy < P.shape[-2]))[:, None] & (column + dx >= 0) & (column + dx < P.shape[-1])
        space = space.masked_fill(~inside, -torch.inf).to(P.dtype)                              # (H, W)
        alike = ((at(keys, dy, dx) - queries) / sigma_range).square().sum(dim=1, keepdim=True)  # (N, 1, H, W)
        return (space - alike) / 2

    with torch.no_grad():                             # weights of 1 at the best pixel, so that they cannot all vanish
        best = exponent(0, 0)
        for dy, dx in offsets:
            best = torch.maximum(best, exponent(dy, dx))
    total, weights = 0, 0
    for dy, dx in offsets:
        weight = (exponent(dy, dx) - best).exp()                                                # (N, 1, H, W)
        total, weights = total + weight * at(P, dy, dx), weights + weight
    return total / weights


# ------------------------------------------------------------------------------------------------------ module twins

class BoxMean(nn.Module):
    """`box_mean` as a layer."""

    def __init__(self, radius):
        super().__init__()
        self.radius = radius

    def forward(self, image):
        return box_mean(image, self.radius)


class GuidedFilter(nn.Module):
    """`guided_filter` as a layer."""

    def __init__(self, radius, eps):
        super().__init__()
        self.radius, self.eps = radius, eps

    def forward(self, target, guide, weight=None):
        return guided_filter(target, guide, self.radius, self.eps, weight)


class FastGuidedFilter(nn.Module):
    """`fast_guided_filter` as a layer."""

    def __init__(self, radius, eps, subsample):
        super().__init__()
        self.radius, self.eps, self.subsample = radius, eps, subsample

    def forward(self, target, guide):
        return fast_guided_filter(target, guide, self.radius, self.eps, self.subsample)


class JointBilateralFilter(nn.Module):
    """`joint_bilateral_filter` as a layer."""

    def __init__(self, radius, sigma_space, sigma_range):
        super().__init__()
        self.radius, self.sigma_space, self.sigma_range = radius, sigma_space, sigma_range

    def forward(self, target, guide):
        return joint_bilateral_filter(target, guide, self.radius, self.sigma_space, self.sigma_range)


class JointBilateralUpsample(nn.Module):
    """`joint_bilateral_upsample` as a layer."""

    def __init__(self, radius, sigma_space, sigma_range):
        super().__init__()
        self.radius, self.sigma_space, self.sigma_range = radius, sigma_space, sigma_range

    def forward(self, low, guide):
        return joint_bilateral_upsample(low, guide, self.radius, self.sigma_space, self.sigma_range)


# ------------------------------------------------------------------------------------------- what is asked of the user

def _check_filter(where, target, guide, radius, eps, weight=None):
    """Everything that the guided filter asks for; returns its arguments as they are computed with."""
    radius = _check_whole(where, "radius", radius, 0)
    _check_images(where, target=target, guide=guide)
    _check_same_size(where, target, guide)
    P, I = _working(target), _working(guide)
    eps = _check_number(where, "eps", eps, P.dtype, "a number >= 0 (a variance of the guide)", operator.ge)
    if weight is not None:
        weight = _check_weight(where, target, weight)
    return P, I, radius, eps, weight


def _check_bilateral(where, name, target, guide, radius, sigma_space, sigma_range):
    """Everything that the bilateral filters ask for; returns their arguments as they are computed with."""
    radius = _check_whole(where, "radius", radius, 0)
    _check_images(where, **{name: target, "guide": guide})
    P, I = _working(target), _working(guide)
    sigmas = [_check_number(where, label, value, P.dtype, "a number > 0", operator.gt)
              for label, value in (("sigma_space", sigma_space), ("sigma_range", sigma_range))]
    _check_finite(where, name, P, P.sum())
    _check_finite(where, "guide", I, I.sum())
    return P, I, radius, *sigmas


def _working(image):
    return image.float() if image.dtype in (torch.float16, torch.bfloat16) else image


def _check_slopes(where, determined):
    if not determined.all():
        raise GirlibError(f"{where}: eps is 0, but in {int((~determined).sum())} windows the guide is constant, or one of its "
                          "channels follows from the others, and no slope is determined; eps must be > 0 for this guide (1e-4 "
                          "of its squared range is a start).")


def _check_whole(where, name, value, least):
    try:
        whole = operator.index(value)
    except TypeError:
        whole = None
    if whole is None or isinstance(value, bool) or whole < least:
        raise GirlibError(f"{where}: {name} is {value!r}; it must be a whole number >= {least}.")
    return whole


def _check_number(where, name, value, dtype, expected, compare):
    """The number as `dtype` sees it, which may be 0 or infinite where Python's is not."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    seen = torch.tensor(float(value), dtype=dtype).item() if real else None
    if not real or not compare(seen, 0):
        raise GirlibError(f"{where}: {name} is {value!r}; it must be {expected}.")
    return seen


def _check_images(where, **images):
    """Each a float tensor (N, C, H, W) that is not empty, and all of one batch size, dtype and device."""
    for name, image in images.items():
        if not isinstance(image, torch.Tensor):
            raise GirlibError(f"{where}: {name} is of type {type(image).__name__}; it must be a tensor (N, C, H, W) "
                              "(torch.from_numpy makes one of an array).")
        if image.dim() != 4:
            raise GirlibError(f"{where}: {name} has the shape {tuple(image.shape)}; it must be (N, C, H, W) (image[None, "
                              "None] makes it of a single plane).")
        if not image.is_floating_point():
            raise GirlibError(f"{where}: {name} is {image.dtype}; it must be floating (for 8 bits, image.float() / 255).")
        if image.numel() == 0:
            raise GirlibError(f"{where}: {name} is empty, {tuple(image.shape)}; it must hold at least one pixel.")
    (first, a), *others = images.items()
    for name, b in others:
        for what, x, y, remedy in (("batch size", len(a), len(b), f"pair every {first} with one {name}"),
                                   ("dtype", a.dtype, b.dtype, f"use {name}.to({first}.dtype)"),
                                   ("device", a.device, b.device, f"use {name}.to({first}.device)")):
            if x != y:
                raise GirlibError(f"{where}: {first} has the {what} {x} but {name} has {y}; both must be the same ({remedy}).")


def _check_same_size(where, target, guide):
    (h, w), (H, W) = target.shape[-2:], guide.shape[-2:]
    if (h, w) != (H, W):
        raise GirlibError(f"{where}: guide is {H}x{W} but target is {h}x{w}; both need the same height and width (resize "
                          "the target first, or use joint_bilateral_upsample).")


def _check_weight(where, target, weight):
    if isinstance(weight, torch.Tensor) and weight.dtype == torch.bool:
        weight = weight.to(target.dtype)
    _check_images(where, target=target, weight=weight)
    expected = (len(target), 1, *target.shape[-2:])
    if weight.shape != expected:
        raise GirlibError(f"{where}: weight has the shape {tuple(weight.shape)}; it must be {expected}, one plane for each "
                          "image.")
    _check_finite(where, "weight", weight, weight.sum())
    if (weight < 0).any():
        raise GirlibError(f"{where}: weight goes down to {weight.min().item():.4g}; it must be >= 0 everywhere (0 marks an "
                          "invalid pixel).")
    return _working(weight)


def _centre(where, name, image, weight=None):
    """Mean of each plane over the pixels that count (N, C, 1, 1): a constant, so no gradient runs through it."""
    image = image.detach()
    if weight is None:
        centre = image.mean(dim=(2, 3), keepdim=True)
    else:
        valid = weight > 0
        image = torch.where(valid, image, 0)
        centre = image.sum(dim=(2, 3), keepdim=True) / valid.sum(dim=(2, 3), keepdim=True).clamp(min=1)
    _check_finite(where, name, image, centre)
    if not torch.isfinite(centre).all():
        raise GirlibError(f"{where}: {name} reaches {image.abs().max().item():.4g}, and its sum overflows {image.dtype}; the "
                          "values must be smaller (scale the image, or use float64).")
    return centre


def _check_finite(where, name, image, summary):
    """Looks at every pixel only if a sum over them is not finite."""
    if not torch.isfinite(summary).all() and not (finite := torch.isfinite(image)).all():
        at = tuple((~finite).nonzero()[0].tolist())
        raise GirlibError(f"{where}: {name} is {image[at].item()} at {at}, the first of {int((~finite).sum())} not finite; "
                          "every value must be finite (fill them, or give guided_filter a weight that is 0 there).")
