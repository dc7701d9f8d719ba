"""Metrics of histograms: entropy, cross entropy, mutual information. Images are levels 0 ... 255, a channel at a time."""

from typing import Literal

import torch

from girlib.metrics.definition import metric


@metric("EN", unit="bit", direction="higher", range=(0, 8), levels="channels", reference="Roberts et al., 2008; as in MEFB")
def en(restored):
    """Entropy of the histogram of 256 levels. It rewards noise as well as content."""
    return _entropy(_histogram(restored))


@metric("CE", unit="bit", direction="lower", range=(-8, 16), levels="channels", reference="Bulanon et al., 2009; as in MEFB")
def ce(restored, target, guide):
    """Mean over the two sources of sum p log2(p / q), p the source's histogram, q the result's.

    Levels that either image lacks are left out, as in MEFB: it is no divergence, and it can be negative.
    """
    q = _histogram(restored)
    total = 0
    for source in (target, guide):
        p = _histogram(source)
        both = (p > 0) & (q > 0)
        total += (p[both] * (p[both] / q[both]).log2()).sum() / 2
    return total


@metric("MI", unit="bit", units={"style": {"sum": "bit", "mean": "nat"}}, direction="higher", range=(0, 16), levels="channels",
        reference="Qu, Zhang and Yan, 2002; the mean with 32 bins on grey comes nearest to what SFIGF prints as Q_MI")
def mi(restored, target, guide, style: Literal["sum", "mean"] = "sum", bins=32):
    """Mutual information of the result with its sources.

    style   "sum": I(A, F) + I(B, F) in bits, of 256 levels; "mean": the mean of both in nats, of `bins` equal bins over the range of
            each image
    """
    if style == "sum":
        return _information(target, restored) + _information(guide, restored)
    A, B, F = (_binned(image, bins) for image in (target, guide, restored))
    return (_information(A, F) + _information(B, F)) / 2 * torch.log(restored.new_tensor(2.0))


@metric("Q_MI", direction="higher", range=(0, 2), levels="channels", reference="Hossny, Nahavandi and Creighton, Electronics Letters 2008")
def q_mi(restored, target, guide, stretch=True):
    """2 [I(A, F) / (H(A) + H(F)) + I(B, F) / (H(B) + H(F))]; 2 only where all three are equal but for the names of the levels.

    stretch   every image is first stretched to 0 ... 255 and rounded
    Three flat images have no entropy, and nan here.
    """
    A, B, F = (stretched(image) if stretch else image for image in (target, guide, restored))
    H = lambda image: _entropy(_histogram(image))
    return 2 * sum(_information(source, F) / (H(source) + H(F)) for source in (A, B))


def stretched(x):
    """Smallest value to 0, largest to 255, rounded (half up, as MATLAB); a flat image stays as it is."""
    low, high = x.min(), x.max()
    return x if low == high else ((x - low) / (high - low) * 255 + 0.5).floor()


def _histogram(x):
    return torch.bincount(x.long().flatten(), minlength=256).double() / x.numel()


def _entropy(p):
    p = p[p > 0]
    return -(p * p.log2()).sum()


def _information(x, y):
    """I(X, Y) = H(X) + H(Y) - H(X, Y) in bits."""
    joint = _histogram(256 * x + y)
    return _entropy(_histogram(x)) + _entropy(_histogram(y)) - _entropy(joint)


def _binned(x, bins):
    """The number of the bin, among equal ones over the image's range; the largest value is in the last."""
    low, high = x.min(), x.max()
    return ((x - low) * bins).div((high - low).clamp(min=1), rounding_mode="floor").clamp(max=bins - 1)
