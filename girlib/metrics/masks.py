"""Masks and labels: F-measure of saliency, mean intersection over union."""

from typing import Literal

import torch

from girlib.errors import GirlibError
from girlib.metrics.definition import metric


@metric("F-measure", direction="higher", range=(0, 1),
        reference="Achanta et al., CVPR 2009, as in DJFR; none of the papers says which threshold")
def f_measure(restored, reference, data_range=None, threshold: Literal["adaptive", "maximum", "mean"] = "adaptive", beta2=0.3):
    """(1 + beta2) P R / (beta2 P + R) of a saliency map cut at a threshold; the mask is the reference above half its maximum.

    threshold   "adaptive": min(2 mean, 1); "maximum" or "mean": of the values of the map in 8 bits, cut at each of its 256 levels
    0 where nothing of the mask is found.
    """
    saliency, mask = restored / data_range, reference > reference.max() / 2
    if threshold == "adaptive":
        marked = saliency >= min(2 * saliency.mean(), 1)
        hits, marks = (marked & mask).sum(), marked.sum()
    else:
        level = (255 * saliency.clamp(0, 1)).round().long()
        hits, marks = (torch.bincount(x, minlength=256).flip(0).cumsum(0) for x in (level[mask], level.flatten()))
    F = (1 + beta2) * hits.double() / (beta2 * mask.sum().double() + marks)        # P = hits / marks, R = hits / mask
    F = F.nan_to_num(0)
    return F.max() if threshold == "maximum" else F.mean()


def confusion(restored, reference, classes=21, ignore=255):
    """How many pixels of class i (row) were called j (column); add those of many images, then take `mean_iou`."""
    if (restored != restored.round()).any() or (reference != reference.round()).any():
        raise GirlibError("miou: labels are whole numbers; take the class of the largest score first.")
    known = reference != ignore
    was, called = reference[known].long(), restored[known].long()
    for name, labels in ("reference", was), ("restored", called):
        if labels.numel() and not 0 <= labels.min() <= labels.max() < classes:
            raise GirlibError(f"miou: {name} has labels from {labels.min().item()} to {labels.max().item()}; "
                              f"there are {classes} classes from 0 up, and {ignore} in the reference counts for none.")
    return torch.bincount(classes * was + called, minlength=classes**2).reshape(classes, classes)


def mean_iou(confusion):
    """Mean over the classes that occur; nan where none does."""
    hit = confusion.diagonal().double()
    union = confusion.sum(dim=0) + confusion.sum(dim=1) - hit
    return (hit / union)[union > 0].mean().item()


@metric("mIoU", direction="higher", range=(0, 1), pool=(confusion, mean_iou), reference="Everingham et al., IJCV 2015 (Pascal VOC)")
def miou(restored, reference, classes=21, ignore=255):
    """Mean over classes of TP / (TP + FP + FN), counted over all images at once; labels are whole numbers.

    ignore    the label of the reference where nothing is counted
    Classes that are in neither image are left out.
    """
    return mean_iou(confusion(restored, reference, classes, ignore))
