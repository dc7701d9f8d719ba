"""Segmentation refinement: a network that names things sees them coarsely; a guided layer behind it finds their borders in the picture.

DGF and DAGF put such a layer behind DeepLab-v2 and train both together, where dense CRFs stood before. Here it stands behind any
scores: those that a capture holds, those of the small segmenter below, or coarse and noisy labels.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import nn

from girlib.errors import GirlibError
from girlib.resampling import check_image, check_whole, crop_to_multiple, downsample, upsample
from girlib.samples import Capture, Sample
from girlib.scenes import CLASSES, make_scene
from girlib.sensors import gaussian_blur, gaussian_noise, srgb
from girlib.tasks import Protocol, Task, images

IGNORED = 255                                    # the label of pixels that nobody scores
STRIDE = 8                                       # pixels from one of DeepLab's scores to the next
VARIANCE = 0.02                                  # of the noise on the coarse labels
SEEN = 96                                        # pixels of the longer side that the segmenter looks at


def scene(seed, size=256):
    """A room or a street, by turns, and the class of each pixel, an index into scenes.CLASSES."""
    kind = ("indoor", "outdoor")[seed % 2]
    view = make_scene(kind, seed, size)
    return Capture(f"{kind} {seed}", {"color": srgb(view.color), "labels": view.labels}, "class", {"classes": CLASSES})


def observe(capture, scale=STRIDE, seed=0, source="labels"):
    """Target: the probability of each class, (1, K, H, W), enlarged linearly; guide: the picture; reference: labels, 255 unknown.

    source   "labels": shares of the classes in cells of scale x scale pixels, blurred, with noise (quick; VOC's 21 classes too)
             "segmenter": train_segmenter() looks at the picture; its training takes some 15 seconds, once in a process
    Rows and columns at the end are cut to whole cells. Scores that the capture holds (`scores`, of any size, not yet probabilities)
    come before either, and then nothing is cut.
    """
    if scale != STRIDE:
        raise GirlibError(f"segmentation: scale is {scale!r}; expected {STRIDE}.")
    if source not in ("labels", "segmenter"):
        raise GirlibError(f"segmentation: source is {source!r}; expected 'labels' or 'segmenter'.")
    (color,) = images("segmentation", capture, color=3)
    labels, names = _labels(capture, color), capture.meta.get("classes", range(21))
    if "scores" in capture.images:
        low = capture.images["scores"].float()
        check_image("segmentation", low, "scores", len(names))
        low = low.softmax(dim=1)
    else:
        if source == "segmenter" and tuple(names) != CLASSES:
            raise GirlibError(f"segmentation: the segmenter knows the {len(CLASSES)} classes of scenes, but {capture.name!r} has others; "
                              "give scores with the capture, or source='labels'.")
        color, labels = crop_to_multiple(color, STRIDE), crop_to_multiple(labels, STRIDE)
        low = segment(train_segmenter(), color) if source == "segmenter" else coarse(labels, len(names), seed)
    return Sample(upsample(low, color.shape[-2:], "bilinear"), color, labels, low, unit="1",
                  meta={**capture.meta, "scale": scale, "name": capture.name})


def coarse(labels, classes, seed):
    """Probabilities in cells of 8 x 8 pixels as a poor segmenter gives them: borders blurred by a cell, here and there a wrong class."""
    known = labels != IGNORED
    one_hot = F.one_hot(labels.where(known, 0)[:, 0], classes).movedim(-1, 1) * known              # (1, K, H, W)
    shares = gaussian_blur(downsample(one_hot.float(), STRIDE, "average"), 1.0)
    noisy = gaussian_noise(shares, VARIANCE, torch.Generator().manual_seed(seed)).clamp(min=1e-3)
    return noisy / noisy.sum(dim=1, keepdim=True)


def classes_of(restored):
    """The most probable class of each pixel, (N, 1, H, W): what mIoU compares with the labels."""
    return restored.argmax(dim=1, keepdim=True)


def _labels(capture, color):
    """The capture's labels, whole numbers of the picture's size below the number of classes, or 255."""
    labels = capture.images.get("labels")
    if labels is None:
        raise GirlibError(f"segmentation: the capture {capture.name!r} has no labels (it has {', '.join(capture.images)}); "
                          "take a split that has.")
    expected = (1, 1, *color.shape[-2:])
    if labels.dtype != torch.int64 or tuple(labels.shape) != expected:
        raise GirlibError(f"segmentation: labels are {tuple(labels.shape)} of {labels.dtype}; expected {expected} of torch.int64.")
    most = len(capture.meta.get("classes", range(21))) - 1
    strange = labels[(labels != IGNORED) & ((labels < 0) | (labels > most))]
    if len(strange):
        raise GirlibError(f"segmentation: {capture.name!r} has the label {strange[0].item()}; expected 0 to {most}, or {IGNORED}.")
    return labels


# ------------------------------------------------------------------------------------------------- a segmenter of our own

class Segmenter(nn.Sequential):
    """Scores of the classes from a picture in [0, 1]. It looks at the picture reduced to 96 pixels, in cells of 4 x 4 of them."""

    def __init__(self, width=32):
        def step(channels, stride=1, dilation=1):
            return [nn.Conv2d(channels, width, 3, stride, dilation, dilation), nn.GroupNorm(4, width), nn.ReLU()]
        super().__init__(*step(5, 2), *step(width, 2), *step(width), *step(width, dilation=2), *step(width, dilation=4),
                         *step(width, dilation=8), nn.Conv2d(width, len(CLASSES), 1))

    def forward(self, color):
        """A row and a column of numbers are added to the picture: the floor is below, the sky above."""
        size = [max(1, SEEN * n // max(color.shape[-2:])) for n in color.shape[-2:]]
        color = F.interpolate(color, size, mode="bilinear", antialias=True)
        y, x = (torch.linspace(-1, 1, n, device=color.device, dtype=color.dtype) for n in size)
        place = torch.stack(torch.meshgrid(y, x, indexing="ij")).expand(len(color), -1, -1, -1)
        return super().forward(torch.cat([color - 0.5, place], dim=1))


def segment(segmenter, color):
    """Probabilities in cells of 8 x 8 pixels of the picture, whatever its size."""
    with torch.no_grad():
        scores = segmenter(color)
    return F.interpolate(scores, [n // STRIDE for n in color.shape[-2:]], mode="bilinear", antialias=True).softmax(dim=1)


@lru_cache(maxsize=2)
def train_segmenter(steps=300, seed=0, scenes=48):
    """A segmenter trained on procedural scenes' labels, at the centres of its cells; the same one for the same numbers.

    The scenes have seeds from 1,000,000 on, so that none of them is scored.
    """
    for name, value in (("steps", steps), ("scenes", scenes)):
        check_whole("train_segmenter", name, value)
    pictures = [scene(1_000_000 + i, SEEN) for i in range(scenes)]
    color, labels = (torch.cat([picture.images[name] for picture in pictures]) for name in ("color", "labels"))
    labels = labels[:, 0, 2::4, 2::4]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        segmenter = Segmenter()
        adam = torch.optim.Adam(segmenter.parameters(), 5e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 5e-3, total_steps=steps)
        for _ in range(steps):
            chosen = torch.randint(scenes, (8,))
            flipped = [-1] if torch.rand(()) < 0.5 else []
            loss = F.cross_entropy(segmenter(color[chosen].flip(flipped)), labels[chosen].flip(flipped))
            adam.zero_grad()
            loss.backward()
            adam.step()
            schedule.step()
    return segmenter.eval().requires_grad_(False)


TASK = Task(
    name="segmentation", title="Segmentation refinement",
    observed="how probable each class is, with 64 times too few pixels, and the photograph",
    wanted="the class of every pixel of the photograph",
    scene=scene, observe=observe, judged=classes_of, loss="cross entropy", scales=(STRIDE,), datasets={"voc": "val"},
    protocols=(
        Protocol("coarse-labels", "ours, for the scores of DAGF, Table V, are those of a DeepLab-v2 trained with the layer: labels in "
                 "cells of 8 x 8 pixels, blurred and noisy", ("procedural",), (("miou", {"classes": len(CLASSES)}),)),
        Protocol("segmenter", "ours: the scores of a small segmenter, trained on other procedural scenes", ("procedural",),
                 (("miou", {"classes": len(CLASSES)}),), {"source": "segmenter"}),
        Protocol("dagf", "DAGF, Table V: mean IoU of 21 classes over the whole validation set at once, 255 left out; without the scores "
                 "of its DeepLab-v2 the labels in cells stand in", ("voc",), (("miou", {"classes": 21}),)),
    ),
)
