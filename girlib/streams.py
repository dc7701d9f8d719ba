"""Procedural scenes as a stream of training patches that look as if many cameras and depth sensors had recorded them.

A scene costs more than a training step of a small network. So several patches are cut from each, and a patch comes from one of the
latest scenes at random, lest neighbours in the stream look alike. Which scene, which window and which camera follow from the seed and
the patch's number alone.
"""

from dataclasses import replace
from functools import lru_cache

import torch

from girlib.errors import GirlibError
from girlib.samples import random_crop, random_generator
from girlib.sensors import gaussian_blur

FIRST_SCENE = 2**40                         # seeds of training scenes begin here; scenes that are scored have smaller ones


class Stream:
    """stream(index, generator) -> the capture of patch number `index`, and the scale at which it is to be observed.

    size      pixels of a scene, of which a patch is a part; None: a patch is a whole scene
    patches   how many are cut from a scene, on average
    pool      from how many scenes at a time
    photo     share of patches whose photograph is varied: colour, contrast, focus, noise, and half a pixel beside the depth
    inverse   share of patches with disparity in the place of depth
    whole     depth is measured in shares of its range in the whole scene, of which a patch shows a part, and not of its own range
    tries     of so many windows the one is taken that holds most edges
    scales    of which each batch takes one at random
    controls  of the task's scene (texture, hidden, ...)
    """

    def __init__(self, task, patch, batch=1, scale=None, seed=0, size=None, patches=1, pool=1, photo=0.0, inverse=0.0, whole=False,
                 tries=1, scales=None, **controls):
        for name, value, least in (("size", size or patch, patch), ("patches", patches, 1), ("pool", pool, 1)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise GirlibError(f"stream: {name} is {value!r}; expected a whole number, {least} or more.")
        self.patch, self.size, self.patches, self.pool = patch, size or patch, patches, pool
        self.batch, self.seed, self.scales, self.multiple = batch, seed, scales or [scale], max(scales or [scale or 2])
        self.photo, self.inverse, self.whole, self.tries = photo, inverse, whole, tries
        first = FIRST_SCENE + seed * 2**30
        self.made = lru_cache(2 * pool)(lambda number: task.scene(first + number, self.size, **controls))

    def __call__(self, index, generator):
        draw = lambda: float(torch.rand((), generator=generator))
        number = index // self.patches + (int(draw() * self.pool) if self.pool > 1 else 0)
        capture = self.made(number)
        if "depth" in capture.images and (self.whole or self.inverse):
            capture = _measured(capture, bool(self.inverse) and draw() < self.inverse)
        if self.size > self.patch:
            windows = [random_crop(capture, self.patch, generator, self.multiple) for _ in range(self.tries)]
            capture = max(windows, key=_roughness)
        if self.photo and "color" in capture.images and draw() < self.photo:
            capture = replace(capture, images={**capture.images, "color": varied(capture.images["color"], generator)})
        return capture, self.scale(index // self.batch)

    def scale(self, batch):
        """The same one for all patches of a batch."""
        return self.scales[int(torch.randint(len(self.scales), (), generator=random_generator(self.seed + 1, -1 - batch)))]


def _measured(capture, inverse):
    """Depth, or disparity, that fills [0, 1] over the whole scene."""
    depth = capture.images["depth"]
    depth = 1 / depth if inverse else depth
    lowest, highest = depth.min(), depth.max()
    return replace(capture, images={**capture.images, "depth": (depth - lowest) / (highest - lowest)}, unit="1")


def _roughness(capture):
    """How much the image that is to be restored jumps from pixel to pixel."""
    image = next(capture.images[name] for name in ("depth", "saliency", "reference", *capture.images) if name in capture.images)
    return float(image.diff(dim=-1).square().mean() + image.diff(dim=-2).square().mean())


def varied(photo, generator):
    """The photograph (1, 3, H, W) in [0, 1] as another camera would have given it."""
    def draw(low, high):
        return low + (high - low) * float(torch.rand((), generator=generator))

    photo = photo[:, torch.randperm(3, generator=generator)]
    gain = draw(0.6, 1.4) * (1 + 0.15 * torch.randn(1, 3, 1, 1, generator=generator))
    photo = (photo * gain + draw(-0.1, 0.1)).clamp(0, 1) ** draw(0.6, 1.6)
    if draw(0, 1) < 0.5:
        photo = gaussian_blur(photo, draw(0.3, 1.2))
    noise = draw(0, 0.04) * torch.randn(photo.shape, generator=generator)
    if draw(0, 1) < 0.3:
        photo = photo.roll((int(draw(-1, 2)), int(draw(-1, 2))), (-2, -1))
    return (photo + noise).clamp(0, 1)
