"""Photographs with what people marked in them. Each reader gives {name: function that reads the capture} and the number of pictures.

Saliency       color (1, 3, H, W) in [0, 1], saliency (1, 1, H, W) in [0, 1]
Segmentation   color, labels (1, 1, H, W) int64: class 0..20, 255 = not to be scored; absent in the test split
All sizes are the pictures' own.
"""

import re
from functools import partial

import numpy as np
import torch

from girlib.datasets.files import (
    decoding,
    find,
    listing,
    match,
    need,
    planes,
    read_color,
    read_image,
    refuse,
    select,
)
from girlib.samples import Capture


def _check_sizes(path, image, color):
    if tuple(image.shape[:2]) != tuple(color.shape[-2:]):
        refuse(path, f"is {image.shape[0]}x{image.shape[1]}", f"{color.shape[-2]}x{color.shape[-1]}, the size of its photograph")


def dut_omron(folder, split, source):
    """5,168 photographs, largest side 400, and 8-bit masks by hand: 255 salient, valid everywhere."""
    places = [need(folder, name) for name in ("DUT-OMRON-image", "pixelwiseGT-new-PNG")]
    photos, masks = (find(place, place.name) or place for place in places)             # the archives repeat the folder
    pairs = match(folder, source.layout, color=select(listing(photos).values(), r"(.+)\.jpg"),
                  saliency=select(listing(masks).values(), r"(.+)\.png"))
    return {key: partial(_dut_omron, key, paths) for key, paths in pairs}, 5168


def _dut_omron(name, paths):
    color, mask = read_color(paths["color"]), read_image(paths["saliency"], "L", "1")
    _check_sizes(paths["saliency"], mask, color)
    return Capture(name, {"color": color, "saliency": planes(mask, 1 if mask.dtype == bool else 255)})


def voc(folder, split, source):
    """Pascal VOC 2012, segmentation: 1,464 pictures to train, 1,449 to validate, 1,456 to test; 21 classes, palette PNG."""
    top = find(folder, "VOCdevkit/VOC2012", "VOC2012") or folder
    path = need(top, f"ImageSets/Segmentation/{split}.txt")
    with decoding(path, "a list of names"):
        names = path.read_text(encoding="utf-8").split()
    if not names or not all(re.fullmatch(r"\w+", name) for name in names):
        refuse(path, "is no list of names", "one name a line, without ending")
    photos = listing(need(top, "JPEGImages"))
    labels = {} if split == "test" else listing(need(top, "SegmentationClass"))
    index = {}
    for name in names:
        paths = {"color": photos.get(f"{name}.jpg".lower())} | ({"labels": labels.get(f"{name}.png".lower())} if split != "test" else {})
        for role, found in paths.items():
            if found is None:
                place = "JPEGImages" if role == "color" else "SegmentationClass"
                refuse(top / place / f"{name}.{'jpg' if role == 'color' else 'png'}", "is not there", f"every picture of {path.name}")
        index[name] = partial(_voc, name, paths)
    return index, {"train": 1464, "val": 1449, "test": 1456}[split]


def _voc(name, paths):
    images = {"color": read_color(paths["color"])}
    if "labels" in paths:
        labels = read_image(paths["labels"], "P", "L")
        _check_sizes(paths["labels"], labels, images["color"])
        strange = np.setdiff1d(labels, [*range(21), 255])
        if strange.size:
            refuse(paths["labels"], f"holds class {strange[0]}", "classes 0 to 20, or 255")
        images["labels"] = torch.from_numpy(labels.astype(np.int64))[None, None]
    return Capture(name, images, "class")
