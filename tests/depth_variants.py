"""The 19 ways of making and enlarging a low-resolution depth map whose errors are tabulated beside the data (baselines.csv)."""

import csv
import os
from pathlib import Path

import h5py
import numpy as np
import torch
from PIL import Image

from girlib.resampling import crop_to_multiple, downsample, upsample


def chain(down, up, low=None, result=None):
    """A variant; `low` and `result` change the low image and the enlarged one."""
    def variant(depth, scale):
        reduced = downsample(depth, scale, down)
        enlarged = upsample(low(reduced) if low else reduced, depth.shape[-2:], up)
        return result(enlarged, depth) if result else enlarged
    return variant


def normalised(depth, scale):
    lowest, span = depth.min(), depth.max() - depth.min()
    return upsample(downsample((depth - lowest) / span, scale), depth.shape[-2:]) * span + lowest


def in_8_bits(image, _=None):
    return image.round().clamp(0, 255)


VARIANTS = {                                                   # by the first word of the table's name
    "A": chain("bicubic", "bicubic"),
    "A2": normalised,
    "A3": chain("bicubic", "bicubic", result=lambda x, depth: x.clamp(depth.min(), depth.max())),
    "B": chain("bicubic-8bit", "bicubic-8bit"),
    "B2": chain("bicubic", "bicubic", low=in_8_bits),
    "B3": chain("bicubic", "bicubic", result=in_8_bits),
    "C": chain("bicubic-opencv", "bicubic-opencv"),
    "C2": chain("area", "bicubic-opencv"),
    "D": chain("bicubic-matlab", "bicubic-matlab"),
    "E": chain("bicubic", "bicubic"),
    "E2": chain("bicubic-opencv", "bicubic-torch"),
    "F": chain("bicubic", "bicubic-torch"),
    "G": chain("nearest-topleft", "bicubic"),
    "G2": chain("nearest-center", "bicubic"),
    "G3": chain("nearest-bottomright", "bicubic"),
    "G4": chain("nearest-topleft", "bicubic"),
    "H": chain("bicubic", "nearest"),
    "H2": chain("bicubic", "bilinear"),
    "H3": chain("bicubic", "lanczos"),
}


def folder():
    return Path(os.environ["GIRLIB_DATA"])


def depth_maps(dataset):
    """Each (1, 1, H, W) float32, in the unit of the table: grey levels, and centimetres for NYU8."""
    if dataset == "NYU8":
        with h5py.File(folder() / "nyu_v2" / "depth.h5") as file:
            return [torch.from_numpy(depth[None, None]) for depth in file["depth"][:]]
    files = sorted((folder() / dataset.lower() / "Depth").glob("*.png"))
    return [torch.from_numpy(np.asarray(Image.open(file), np.float32))[None, None] for file in files]


def errors(variant, depth, scale, unit=1.0):
    """Root-mean-square errors over the whole map and without 6 pixels on each side."""
    depth = crop_to_multiple(depth, scale)
    square = (VARIANTS[variant](depth, scale).double() - depth.double()).square()
    return [square[..., c:square.shape[-2] - c, c:square.shape[-1] - c].mean().sqrt().item() * unit for c in (0, 6)]


def table(dataset, scale):
    """{variant: (error over all, error without the border)} as tabulated."""
    with open(folder() / "baselines.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] == dataset and int(row["scale"]) == scale]
    cells = {(row["variant"].split()[0], int(row["border_crop"])): float(row["mean_of_per_image_rmse"]) for row in rows}
    return {variant: (cells[variant, 0], cells[variant, 6]) for variant, _ in cells}


def largest_difference(dataset, scale):
    """{variant: largest difference to the table, of both border rules}."""
    maps, unit = depth_maps(dataset), 100 if dataset == "NYU8" else 1
    result = {}
    for variant, expected in table(dataset, scale).items():
        measured = np.mean([errors(variant, depth, scale, unit) for depth in maps], axis=0)
        result[variant] = np.abs(measured - expected).max()
    return result
