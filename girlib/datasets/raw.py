"""Raw photographs in little light. Each reader gives {name: function that reads the capture} and the number of pictures.

Captures   raw (1, 1, H, W): the Bayer mosaic minus its black level, in [0, 1], not amplified; long_raw: the same with long exposure;
           reference (1, 3, H, W) sRGB in [0, 1]; mono (1, 1, H, W): what a camera without colour filters records
meta       ratio (by which raw is to be amplified), pattern, black, white; of SID balance and curve, with which its references were made
All pixels are valid; unit "1".
"""

import re
from functools import lru_cache, partial
from pathlib import PurePosixPath

import numpy as np

from girlib.datasets.files import (
    check_shape,
    check_size,
    decoding,
    find,
    listing,
    need,
    planes,
    read_color,
    read_image,
    read_raw,
    refuse,
    select,
)
from girlib.samples import Capture

SONY_SIZE, SONY_BLACK, SONY_WHITE = (2848, 4256), 512, 16383
MISALIGNED = ("10034", "10045", "10172")                                    # the authors leave them out of scores
SECONDS = r"(?=[\d.]*[1-9])\d+(?:\.\d+)?"                                   # more than zero
MCR_SIZE = (1024, 1280)


def sid(folder, split, source):
    """See in the Dark, Sony: 14-bit RGGB of 2848x4256 and the long exposure developed by rawpy as the authors do (camera white balance).

    Pairs as the authors list them: 1,865 of 161 scenes to train, 234 of 20, 598 of 50 to test. ratio = long / short, at most 300.
    """
    prefix = {"train": "train", "valid": "val", "test": "test"}[split]
    pairs = _authors_list(find(folder, f"Sony_{prefix}_list.txt", f"Sony/Sony_{prefix}_list.txt")) or _scene_table(folder, prefix, source)
    top = need(folder, "Sony")
    short, long = listing(need(top, "short")), listing(need(top, "long"))
    index = {}
    for one, other in pairs:
        for name, files, place in ((one, short, "short"), (other, long, "long")):
            if name.lower() not in files:
                refuse(top / place / name, "is not there", f"every file of the {split} list; get the rest with `girlib fetch sid`")
        index[one.removesuffix(".ARW")] = partial(_sid, short[one.lower()], long[other.lower()])
    return index, {"train": 1865, "valid": 234, "test": 598}[split]


def _authors_list(path):
    """[(short, long)] of lines like `./Sony/short/00001_00_0.04s.ARW ./Sony/long/00001_00_10s.ARW ISO200 F8`."""
    if path is None:
        return []
    pairs = []
    for line in _lines(path):
        found = re.match(rf"\S*short/(\d{{5}}_\d\d_{SECONDS}s\.ARW) \S*long/(\d{{5}}_\d\d_{SECONDS}s\.ARW)", line)
        pairs.append(found.groups() if found else refuse(path, f"has the line {line[:60]!r}", "short and long file"))
    return pairs


def _scene_table(folder, prefix, source):
    """[(short, long)] of sony_scenes.tsv: split, id, long exposure, ISO, f-number, `short exposure:frames` joined by semicolons."""
    path = find(folder, "sony_scenes.tsv") or refuse(folder, f"holds neither Sony_{prefix}_list.txt nor sony_scenes.tsv", source.layout)
    pairs = []
    for line in _lines(path)[1:]:
        found = re.fullmatch(rf"(train|val|test)\t(\d{{5}})\t({SECONDS})\t\w+\tF[\d.]+\t((?:{SECONDS}:\d+(?:,\d+)*;?)+)", line.rstrip(";"))
        if not found:
            refuse(path, f"has the line {line[:60]!r}", "split, id, exposure, ISO, f-number and frames")
        which, scene, long, shots = found.groups()
        for shot in shots.split(";") if which == prefix else ():
            seconds, frames = shot.split(":")
            pairs += [(f"{scene}_{int(frame):02d}_{seconds}s.ARW", f"{scene}_00_{long}s.ARW") for frame in frames.split(",")]
    return pairs


def _lines(path):
    with decoding(path, "a text file of lines"):
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line]


def _sid(short, long):
    seconds = [float(re.search(r"_([\d.]+)s$", path.stem).group(1)) for path in (short, long)]
    long_raw, reference = _developed(long)
    images = {"raw": _mosaic(short), "long_raw": long_raw, "reference": reference}
    meta = {"ratio": min(seconds[1] / seconds[0], 300), "pattern": "RGGB", "black": SONY_BLACK, "white": SONY_WHITE,
            "aligned": short.stem[:5] not in MISALIGNED, "balance": _balance(short), "curve": "bt709"}
    return Capture(short.stem, images, "1", meta)


@lru_cache(maxsize=1)                                                       # the short exposures of a scene share it
def _developed(path):
    """The long exposure, as mosaic and as the sRGB reference."""
    with decoding(path, "a raw file of the Sony camera"), read_raw(path) as raw:
        srgb = raw.postprocess(use_camera_wb=True, half_size=False, no_auto_bright=True, output_bps=16)
    check_shape(path, srgb, SONY_SIZE)
    return _mosaic(path), planes(srgb, 65535)


def _balance(path):
    """The camera's own factors of red, green and blue, the smallest 1, as rawpy takes them; 1 where it wrote none."""
    with decoding(path, "a raw file of the Sony camera"), read_raw(path) as raw:
        factors = [float(factor) for factor in raw.camera_whitebalance[:3]]
    return tuple(factor / min(factors) for factor in factors) if min(factors) > 0 else (1.0, 1.0, 1.0)


def _mosaic(path):
    """max(raw - 512, 0) / (16383 - 512)."""
    with decoding(path, "a raw file of the Sony camera"), read_raw(path) as raw:
        check_size(path, raw.raw_image_visible.shape)
        colours = "".join(chr(raw.color_desc[i]) for i in raw.raw_pattern.ravel()) if raw.raw_pattern is not None else "none"
        if colours != "RGGB":
            refuse(path, f"has the colour filters {colours}", "RGGB")
        values = raw.raw_image_visible.astype(np.float32)
    check_shape(path, values, SONY_SIZE)
    return planes(np.maximum(values - SONY_BLACK, 0), SONY_WHITE - SONY_BLACK)


# ---------------------------------------------------------------------------------------------------------- mono and colour

SHUTTER = r"_48mp_0x8_0x(?!0000)([0-9a-f]{4})"


def mcr(folder, split, source):
    """Colour and mono camera side by side: 8-bit RGGB 1024x1280, mono aligned to it, 498 scenes of 8 shutters, the longest the reference.

    384 pictures to test, 3,600 to train. The split is by picture: every test scene is in the training set too, at other shutters and
    with the same reference. `sample` reads the unaligned files C* and M*, one training scene as the cameras gave it; no reference.
    ratio = longest shutter / shutter (12287 indoors, 1023 outdoors, scenes from 501 on); what it amplifies is not clipped.
    """
    if split == "sample":
        return _mcr_sample(folder)
    top = find(folder, "Mono_Colored_RAW_Paired_DATASET") or folder
    color = select(listing(need(top, "Color_RAW_Input")).values(), rf"C(\d{{5}}){SHUTTER}\.tif")
    mono = {int(key[:-4]): path for key, path in select(listing(need(top, "Mono_GT")).values(), rf"M_Align_(\d+){SHUTTER}\.tif").items()}
    truth = {int(key[:-4]): path for key, path in select(listing(need(top, "RGB_GT")).values(), rf"C(\d+){SHUTTER}\.jpg").items()}
    tested = _tested(folder)
    index = {}
    for key, path in color.items():
        if (key in tested) == (split == "test"):
            scene = int(key[:-4])
            longest = f"{key[:-4]}{_longest(scene):04x}"
            paths = {"raw": path, "mono": _partner(path, mono, scene, "Mono_GT"), "reference": _partner(path, truth, scene, "RGB_GT"),
                     "long_raw": _partner(path, color, longest, "Color_RAW_Input at the longest shutter")}
            index[path.stem] = partial(_mcr, path.stem, paths)
    return index or refuse(folder, f"holds no picture of the {split} split", source.layout), 384 if split == "test" else 3600


def _tested(folder):
    """The keys of the test pictures, from a text of their names or from the authors' array of them."""
    path = find(folder, "test_384.txt", "test_c_path.npy", "random_path_list/test/test_c_path.npy")
    if path is None:
        refuse(folder, "holds no list of the test pictures", "test_c_path.npy, from random_path_list/test of the authors' repository, or "
               "test_384.txt with a name a line")
    if path.suffix.lower() == ".txt":
        names = _lines(path)
    else:
        with decoding(path, "a .npy array of names"):
            names = [str(name).replace("\\", "/") for name in np.load(path, allow_pickle=False).ravel()]
    tested = set(select([folder / PurePosixPath(name).name for name in names], rf"C(\d{{5}}){SHUTTER}\.(?:tif|png|raw)"))
    if len(tested) != 384:
        refuse(path, f"names {len(tested)} pictures", "384")
    return tested


def _mcr_sample(folder):
    """PNG in the folder itself, or the authors' files without any header in raw/."""
    color, mono = (select(listing(find(folder, "raw")).values(), rf"{camera}(\d{{5}}){SHUTTER}\.raw")
                   | select(listing(folder).values(), rf"{camera}(\d{{5}}){SHUTTER}\.png") for camera in "CM")
    if not color:
        refuse(folder, "holds no picture of the sample", "C*.png and M*.png, or the authors' raw/C*.raw and raw/M*.raw")
    index = {}
    for key, path in color.items():
        longest = f"{key[:-4]}{_longest(int(key[:-4])):04x}"
        paths = {"raw": path, "long_raw": _partner(path, color, longest, "C* at the longest shutter"),
                 "mono": _partner(path, mono, longest, "M* at the longest shutter")}
        index[path.stem] = partial(_mcr, path.stem, paths, aligned=False)
    return index, None


def _partner(path, files, key, where):
    return files.get(key) or refuse(path, "has no partner", f"one in {where}")


def _longest(scene):
    return 0x2fff if scene < 500 else 0x03ff


def _mcr(name, paths, aligned=True):
    scene, shutter = int(name[1:6]), int(name[-4:], 16)
    images = {}
    for role, path in paths.items():
        if role == "reference":
            images[role] = read_color(path)
        elif path.suffix.lower() == ".raw":
            images[role] = planes(_headerless(path), 255)
        else:
            image = read_image(path, "L", "RGB")                            # some copies hold three equal planes
            images[role] = planes(image if image.ndim == 2 else image[..., 0], 255)
        check_shape(path, images[role][0, 0], MCR_SIZE)
    meta = {"ratio": _longest(scene) / shutter, "pattern": "RGGB", "black": 0, "white": 255, "aligned": aligned}
    return Capture(name, images, "1", meta)


def _headerless(path):
    """1024 rows of 1280 bytes."""
    with decoding(path, "8-bit raw of 1024x1280"):
        values = np.fromfile(path, np.uint8)
        if values.size != MCR_SIZE[0] * MCR_SIZE[1]:
            refuse(path, f"has {values.size} bytes", f"{MCR_SIZE[0] * MCR_SIZE[1]}, one a pixel")
        return values.reshape(MCR_SIZE)
