"""Depth with colour. Each reader gives {name: function that reads the capture} and the number of scenes the split has.

Captures   color (1, 3, H, W) in [0, 1]; depth (1, 1, H, W) float32; where a sensor gave less, low (1, 1, h, w); where depth has
           gaps, valid (1, 1, H, W) bool
Units      "m" for NYU, RGB-D-D and ToFMark; "grey" for Middlebury, Lu and Art: disparity-like grey levels 0..255 as stored,
           bright is near; "1" for arrays that were normalised before they were stored
"""

from functools import lru_cache, partial

import numpy as np
import torch

from girlib.datasets.files import (
    check_finite,
    check_shape,
    find,
    h5_array,
    listing,
    match,
    need,
    open_h5,
    open_npy,
    planes,
    read_color,
    read_dpt,
    read_image,
    refuse,
    select,
)
from girlib.resampling import upsample
from girlib.samples import Capture

SIZE_480x640 = (480, 640)


def _capture(name, color, depth, paths, unit, size=None, **meta):
    """Checks that both images have one size, the stated one, and that depth is a measurement everywhere."""
    color_path, depth_path = paths
    if size:
        check_shape(color_path, color[0, 0], size)
        check_shape(depth_path, depth, size)
    if tuple(color.shape[-2:]) != depth.shape:
        refuse(depth_path, f"is {depth.shape[0]}x{depth.shape[1]} and {color_path.name} {color.shape[-2]}x{color.shape[-1]}", "one size")
    _check_depth(depth_path, depth, lowest=0 if unit in ("grey", "1") else np.finfo(np.float32).tiny)
    return Capture(name, {"color": color, "depth": planes(depth)}, unit, meta)


def _check_depth(path, depth, lowest):
    check_finite(path, depth)
    if depth.min() < lowest:
        refuse(path, f"holds {int((depth < lowest).sum())} depths of zero or less", "positive depth everywhere (a filled map)")
    if depth.max() == depth.min():
        refuse(path, f"holds the one value {depth.max():g}", "a depth map")


# ---------------------------------------------------------------------------------------------------------- NYU v2

def nyu(folder, split, source):
    """NYU v2, 1449 pairs of 480x640, filled depth in metres (the set's own filling, so all of it is valid); 0..999 train, the rest test.

    The labelled MATLAB file, files by number, files with depth.h5, or the stacked arrays of DKN and FDSR. In the stacked ones
    depth is normalised to [0, 1]: that of the test is brought back to metres by test_minmax.npy (rows: largest, smallest), that of
    the training stays as it is, unit "1". The outer 5 to 7 pixels are the white frame of the labelled set.
    """
    wanted, expected = (range(1000), 1000) if split == "train" else (range(1000, 1449), 449)
    labelled, rgb = find(folder, "nyu_depth_v2_labeled.mat"), find(folder, "RGB")
    if labelled:
        with open_h5(labelled) as file:
            for key, shape, dtype in (("images", (1449, 3, 640, 480), "uint8"), ("depths", (1449, 640, 480), "float32")):
                array = h5_array(labelled, file, key)
                if array.shape != shape or array.dtype != dtype:
                    refuse(labelled, f"has {key} of shape {array.shape}, {array.dtype}", f"{shape}, {dtype}")
        return {str(i): partial(_nyu_labelled, labelled, i) for i in wanted}, expected
    if rgb and find(folder, "Depth"):
        color = select(listing(rgb).values(), r"(\d+)\.(?:jpg|png)")
        depth = select(listing(find(folder, "Depth")).values(), r"(\d+)\.npy")
        pairs = match(folder, source.layout, color=color, depth=depth)
        index = {key: partial(_nyu_files, key, paths) for key, paths in pairs if int(key) in wanted}
    elif rgb and find(folder, "depth.h5"):
        index = _nyu_h5_index(folder, rgb, find(folder, "depth.h5"), wanted, source)
    else:
        return _nyu_stacked_index(folder, split, source), expected
    return index or refuse(folder, f"holds no image of the {split} split", f"numbers {wanted[0]} to {wanted[-1]}"), expected


def _nyu_labelled(path, i):
    with open_h5(path) as file:                                             # MATLAB's axes come reversed: (W, H)
        color, depth = file["images"][i].transpose(2, 1, 0), file["depths"][i].T
    return _capture(str(i), planes(color, 255), depth, (path, path), "m")


def _nyu_files(name, paths):
    depth = open_npy(paths["depth"], 2)
    if depth.dtype not in (np.float32, np.float64):
        refuse(paths["depth"], f"is {depth.dtype}", "float32 metres")
    return _capture(name, read_color(paths["color"]), np.asarray(depth), tuple(paths.values()), "m", SIZE_480x640)


def _nyu_h5_index(folder, rgb, path, wanted, source):
    with open_h5(path) as file:
        numbers, depth = h5_array(path, file, "index")[()], h5_array(path, file, "depth")
        if numbers.ndim != 1 or depth.shape != (len(numbers), *SIZE_480x640) or depth.dtype != np.float32:
            refuse(path, f"has index {numbers.shape} and depth {depth.shape}, {depth.dtype}", "(n) and (n, 480, 640), float32")
    color = select(listing(rgb).values(), r"(\d+)\.(?:jpg|png)")
    rows = {str(number): (path, row) for row, number in enumerate(numbers)}
    pairs = match(folder, source.layout, color=color, depth={key: path for key in rows})
    return {key: partial(_nyu_h5, key, paths["color"], *rows[key]) for key, paths in pairs if int(key) in wanted}


def _nyu_h5(name, color, path, row):
    with open_h5(path) as file:
        depth = file["depth"][row]
    return _capture(name, read_color(color), depth, (color, path), "m", SIZE_480x640)


def _nyu_stacked_index(folder, split, source):
    names = ("train_images_split.npy", "train_depth_split.npy") if split == "train" else ("test_images_v2.npy", "test_depth.npy")
    if not any(find(folder, name) for name in names):
        refuse(folder, f"holds no {split} split of NYU", source.layout)
    images, depths = (need(folder, name) for name in names)
    color, depth = open_npy(images, 4), open_npy(depths, 3)
    if color.shape != (*depth.shape, 3) or depth.shape[1:] != SIZE_480x640:
        refuse(depths, f"is {depth.shape} and {images.name} {color.shape}", "(n, 480, 640) and (n, 480, 640, 3)")
    minmax = None
    if split == "test":
        path = need(folder, "test_minmax.npy")
        minmax = np.asarray(open_npy(path, 2), np.float32)
        check_finite(path, minmax)
        if minmax.shape != (2, len(depth)) or (minmax[0] <= minmax[1]).any():
            refuse(path, f"is {minmax.shape}, or a largest depth is not above its smallest", f"(2, {len(depth)}): largest, smallest")
    first = 0 if split == "train" else 1000
    return {str(first + i): partial(_nyu_stacked, str(first + i), images, depths, i, minmax) for i in range(len(depth))}


def _nyu_stacked(name, images, depths, i, minmax):
    color, depth = np.asarray(open_npy(images, 4)[i]), np.asarray(open_npy(depths, 3)[i])
    if color.dtype.kind == "f":
        check_finite(images, color)
    for path, array in ((images, color if color.dtype.kind == "f" else color / 255), (depths, depth)):
        if not (array.min() >= 0 and array.max() <= 1):
            refuse(path, f"holds {array.min():g} to {array.max():g} in image {i}", "values from 0 to 1 (or colour of 8 bits)")
    if minmax is not None:
        depth = depth * (minmax[0, i] - minmax[1, i]) + minmax[1, i]
    color = planes(color, 255 if color.dtype.kind == "u" else 1).float()
    return _capture(name, color, depth, (images, depths), "m" if minmax is not None else "1")


# ---------------------------------------------------------------------------------------------------------- pairs of PNG

def middlebury(folder, split, source):
    """30 pairs of 8-bit disparity, filled; grey levels as stored, not stretched. The few zeros of three maps count in every score."""
    return _png_pairs(folder, source, r"Middlebury_(\d\d)_out?put_", 30, None)


def lu(folder, split, source):
    """6 pairs of 480x640, 8-bit depth of 0..255. The authors' colour names lack the first t of `output`; both spellings are read."""
    return _png_pairs(folder, source, r"RGBD_(\d\d)_out?put_", 6, SIZE_480x640)


def _png_pairs(folder, source, stem, expected, size):
    flat = list(listing(folder).values())
    color = select(flat + list(listing(find(folder, "RGB")).values()), stem + r"color\.png")
    depth = select(flat + list(listing(find(folder, "Depth")).values()), stem + r"depth\.png")
    for key, path in (color | depth).items():
        if not 1 <= int(key) <= expected:
            refuse(path, f"has the number {key}", f"01 to {expected:02d}")
    pairs = match(folder, source.layout, color=color, depth=depth)
    return {key: partial(_png_pair, key, paths, size) for key, paths in pairs}, expected


def _png_pair(name, paths, size):
    depth = read_image(paths["depth"], "L").astype(np.float32)
    return _capture(name, read_color(paths["color"]), depth, tuple(paths.values()), "grey", size)


# ---------------------------------------------------------------------------------------------------------- Sintel

def sintel(folder, split, source):
    """1,064 rendered frames of 23 sequences, 436x1024; depth in the units of the film, valid everywhere, far sky included."""
    top = find(folder, "training") or folder
    images, depths = need(top, split), need(top, "depth")
    color = {f"{s.name}/{key}": path for s in listing(images, folders=True).values()
             for key, path in select(listing(s).values(), r"(frame_\d+)\.png").items()}
    depth = {f"{s.name}/{key}": path for s in listing(depths, folders=True).values()
             for key, path in select(listing(s).values(), r"(frame_\d+)\.dpt").items()}
    pairs = match(folder, source.layout, color=color, depth=depth)
    return {key: partial(_sintel, key, paths) for key, paths in pairs}, 1064


def _sintel(name, paths):
    depth = read_dpt(paths["depth"])
    return _capture(name, read_color(paths["color"]), depth, tuple(paths.values()), "film units", (436, 1024))


# ---------------------------------------------------------------------------------------------------------- real sensors

def rgbdd(folder, split, source):
    """RGB-D-D: HR depth 384x512 and the phone's own depth 144x192, 16-bit millimetres, given in metres; valid: where HR is not zero.

    The ratio 8/3 is no whole number. Shows people; needs the signed agreement. Split and kind stand in the folders' names.
    """
    here = [path for path in sorted(folder.rglob("*")) if path.is_file() and _rgbdd_split(path.relative_to(folder)) == split]
    roles = {"color": r"(.+)_RGB\.jpg", "depth": r"(.+)_HR_gt\.png", "low": r"(.+)_LR_fill_depth\.png"}
    pairs = match(folder, source.layout, **{role: select(here, pattern) for role, pattern in roles.items()})
    return {key: partial(_rgbdd, key, paths) for key, paths in pairs}, {"test": 405, "train": 2215, "lights": 430}[split]


def _rgbdd_split(path):
    parts = [part.lower() for part in path.parts[:-1]]
    if any(part.startswith("light") for part in parts):
        return "lights"
    return next((split for split in ("train", "test") if any(part.endswith(split) for part in parts)), None)


def _rgbdd(name, paths):
    color, depth, low = read_color(paths["color"]), *(read_image(paths[role], "I;16") for role in ("depth", "low"))
    check_shape(paths["color"], color[0, 0], (384, 512))
    check_shape(paths["depth"], depth, (384, 512))
    check_shape(paths["low"], low, (144, 192))
    _check_depth(paths["depth"], depth, 0)
    _check_depth(paths["low"], low, 0)
    return Capture(name, {"color": color, "depth": planes(depth, 1000), "valid": planes(depth) > 0, "low": planes(low, 1000)}, "m")


def tofmark(folder, split, source):
    """Books, Devil, Shark: time-of-flight depth and amplitude of 120x160 beside an intensity image and truth of 610x810.

    The two cameras see from different places: low is not registered to depth. Depth is 16-bit millimetres, given in metres; the
    truth has gaps (zero), valid says where it is. The names of the four files are ours: one folder a scene.
    """
    scenes = {name: path for name, path in listing(folder, folders=True).items() if name in ("books", "devil", "shark")}
    if not scenes:
        refuse(folder, "holds no folder of a scene", source.layout)
    return {key: partial(_tofmark, key, place) for key, place in scenes.items()}, 3


def _tofmark(name, place):
    paths = {key: need(place, f"{key}.png") for key in ("intensity", "gt", "depth", "amplitude")}
    intensity = read_image(paths["intensity"], "L")
    depth, low, amplitude = (read_image(paths[key], "I;16") for key in ("gt", "depth", "amplitude"))
    for key, image, size in (("intensity", intensity, (610, 810)), ("gt", depth, (610, 810)), ("depth", low, (120, 160)),
                             ("amplitude", amplitude, (120, 160))):
        check_shape(paths[key], image, size)
    for key, image in (("gt", depth), ("depth", low)):
        _check_depth(paths[key], image, 0)
    images = {"color": planes(intensity, 255).expand(1, 3, -1, -1), "depth": planes(depth, 1000), "valid": planes(depth) > 0,
              "low": planes(low, 1000), "amplitude": planes(amplitude, 65535)}
    return Capture(name, images, "m", {"registered": False})


def art(folder, split, source):
    """Art at x16: the noisy low depth 68x86, enlarged (`target`, MATLAB's bicubic), 16 bits of which 65535 is grey level 255;

    the truth in 8-bit grey levels, valid everywhere; `confidence` in [0, 1], one at the centres of the low pixels. `low` was not
    published; it is what gives `target` when it is enlarged, found by least squares and rounded to 16 bits.
    """
    names = {"color": "reference.png", "depth": "ground_truth.png", "target": "target.png", "confidence": "confidence.png"}
    return {"art": partial(_art, {role: need(folder, name) for role, name in names.items()})}, 1


def _art(paths):
    wide = {role: read_image(paths[role], "I;16") for role in ("target", "confidence")}
    for role, image in wide.items():
        check_shape(paths[role], image, (1088, 1376))
    depth = read_image(paths["depth"], "L").astype(np.float32)
    capture = _capture("art", read_color(paths["color"]), depth, (paths["color"], paths["depth"]), "grey", (1088, 1376), ratio=16)
    rows, columns = (_shrinking(size) for size in wide["target"].shape)
    low = (rows @ wide["target"].astype(float) @ columns.T).round().clip(0, 65535)
    grey = {"low": planes(low, 65535).float() * 255, "target": planes(wide["target"], 65535) * 255}
    return Capture("art", capture.images | grey | {"confidence": planes(wide["confidence"], 65535)}, "grey", capture.meta)


@lru_cache(maxsize=2)
def _shrinking(size):
    """(size / 16, size): undoes the enlargement of a column by MATLAB's bicubic."""
    enlarging = upsample(torch.eye(size // 16, dtype=torch.float64)[None, None], (size, size // 16), "bicubic-matlab")[0, 0]
    return np.linalg.pinv(enlarging.numpy())
