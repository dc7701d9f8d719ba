"""Images of many bands. Each reader gives {name: function that reads the capture} and the number of scenes the split has.

Pan-sharpening    low (1, B, h, w), pan (1, 1, 4 h, 4 w) and, at reduced resolution, reference (1, B, 4 h, 4 w): digital number
                  divided by its maximum, so [0, 1]; float64 where the file has it; valid everywhere. meta: sensor, ratio,
                  bits of the digital numbers (None where the file does not tell), resolution ("reduced" or "full")
Hyperspectral     bands (1, 31, 512, 512) reflectance in [0, 1], 400 to 700 nm; color (1, 3, 512, 512) sRGB
"""

from functools import partial

import numpy as np
import torch

from girlib.datasets.files import (
    check_finite,
    check_shape,
    find,
    h5_array,
    natural,
    need,
    open_h5,
    planes,
    read_color,
    read_image,
    read_npz,
    refuse,
    select,
)
from girlib.datasets.mat import read_mat
from girlib.samples import Capture

RATIO = 4
ALIASES = {"low": ("ms", "lrms", "I_MS_LR", "I_MS_input", "I_MS"), "pan": ("pan", "I_PAN", "I_PAN_input"),
           "reference": ("gt", "I_GT", "I_MS_GT")}


def _scene(name, path, arrays, bands, maximum, sensor, reduced, bits=11):
    """Checks sizes and range; the arrays are (H, W, B) by our names."""
    H, W = arrays["pan"].shape[:2]
    expected = {"low": (H // RATIO, W // RATIO, bands), "pan": (H, W), "reference": (H, W, bands)}
    for role, array in arrays.items():
        if array.shape != expected[role] or H % RATIO or W % RATIO:
            refuse(path, f"has {role} of shape {array.shape} beside pan {arrays['pan'].shape}", f"{bands} bands and a ratio of {RATIO}")
        check_finite(path, array)
        if array.min() < 0 or array.max() > maximum:
            refuse(path, f"has {role} of {array.min():g} to {array.max():g}", f"values from 0 to {maximum}")
        if array.max() == 0:
            refuse(path, f"has nothing but zeros in {role}", "an image")
    images = {role: planes(array, maximum) for role, array in arrays.items()}
    return Capture(name, images, "1", {"sensor": sensor, "bits": bits, "ratio": RATIO, "resolution": "reduced" if reduced else "full"})


def _read_scene(name, path, bands, maximum, sensor, reduced, bits=11):
    """One MATLAB file with the arrays under any of the names in use."""
    found = read_mat(path, sum(ALIASES.values(), ()))
    roles = ("low", "pan", "reference") if reduced else ("low", "pan")
    keys = {role: next((alias for alias in ALIASES[role] if alias in found), None) for role in roles}
    for role, key in keys.items():
        if key is None:
            refuse(path, f"holds no {role} (it has {', '.join(found) or 'none of the known names'})", " or ".join(ALIASES[role]))
    return _scene(name, path, {role: found[key] for role, key in keys.items()}, bands, maximum, sensor, reduced, bits)


def _single(folder, split, files, bands, sensor, bits=11):
    name, maximum = files[split]
    path = need(folder, name)
    return {path.stem: partial(_read_scene, path.stem, path, bands, maximum, sensor, split == "reduced", bits)}, 1


def worldview3(folder, split, source):
    """8 bands: 256x256 with reference, already in [0, 1]; or a crop of 128x128 as delivered, 11 bits."""
    return _single(folder, split, {"reduced": ("WV3_test.mat", 1), "full": ("WV3_example.mat", 2047)}, 8, "worldview3")


def worldview2(folder, split, source):
    """8 bands, 1280x1280 as delivered, 11 bits."""
    return _single(folder, split, {"full": ("imgWV2.mat", 2047)}, 8, "worldview2")


def pleiades(folder, split, source):
    """4 bands, 256x256, in [0, 1]. Its pan is synthetic, the mean of the second and third band: of no use for ranking methods."""
    return _single(folder, split, {"reduced": ("Pleiades_test.mat", 1)}, 4, "pleiades", bits=None)


def pan_im4(folder, split, source):
    """8 bands of WorldView-2, 184x216, in [0, 1]; low is MATLAB's bicubic of the reference, not Wald's protocol."""
    return _single(folder, split, {"reduced": ("pan_im4.mat", 1)}, 8, "worldview2", bits=None)


# ---------------------------------------------------------------------------------------------------------- PanCollection

def pancollection(folder, split, source):
    """WorldView-3 of PanCollection: 8 bands, digital numbers 0..2047, as float32 in [0, 1].

    Patches of 64x64 (train, valid), 20 scenes of 256x256 (test, reduced) and of 512x512 (full, without reference), in HDF5
    (N, B, H, W); the test also as single MATLAB files (H, W, B), numbered, those of full resolution with _fr.
    """
    files = sorted(folder.rglob("*"))
    stem = {"train": "train_wv3", "valid": "valid_wv3", "test": "test_wv3(?:_multiExm1)?", "full": "test_wv3_OrigScale(?:_multiExm1)?"}
    stacks = select(files, rf"({stem[split]})\.h5")
    scenes = select(files, rf".*wv3_data{'_fr' if split == 'full' else ''}(\d+)\.mat") if split in ("test", "full") else {}
    expected = {"train": None, "valid": None, "test": 20, "full": 20}[split]
    if len(stacks) > 1:
        refuse(folder, f"holds {' and '.join(path.name for path in stacks.values())}", "one file for the split")
    if stacks:
        path = next(iter(stacks.values()))
        keys, count = _stack_keys(path, reduced=split != "full")
        return {str(i): partial(_stack_row, path, keys, i, split != "full") for i in range(count)}, expected
    if not scenes:
        refuse(folder, f"holds no file of the {split} split", source.layout)
    return {key: partial(_read_scene, key, scenes[key], 8, 2047, "worldview3", split == "test")
            for key in sorted(scenes, key=natural)}, expected


def _stack_keys(path, reduced):
    """{our name: name in the file} of the arrays, and how many images they hold."""
    keys = {}
    with open_h5(path) as file:
        for role in ("low", "pan", "reference") if reduced else ("low", "pan"):
            keys[role] = next((alias for alias in ALIASES[role] if alias in file), ALIASES[role][0])
        shapes = {role: h5_array(path, file, key).shape for role, key in keys.items()}
    counts = {shape[0] if len(shape) == 4 else 0 for shape in shapes.values()}
    if len(counts) > 1 or 0 in counts:
        refuse(path, f"has arrays of shapes {', '.join(map(str, shapes.values()))}", "(N, B, H, W) with one N")
    return keys, counts.pop()


def _stack_row(path, keys, i, reduced):
    with open_h5(path) as file:                                             # (B, H, W) -> (H, W, B)
        arrays = {role: h5_array(path, file, key)[i].transpose(1, 2, 0).astype(np.float32) for role, key in keys.items()}
    arrays["pan"] = arrays["pan"][..., 0] if arrays["pan"].shape[2] == 1 else arrays["pan"]
    return _scene(str(i), path, arrays, 8, 2047, "worldview3", reduced)


# ---------------------------------------------------------------------------------------------------------- CAVE

CAVE_TEST = ("flowers", "feathers", "jelly_beans", "cd", "fake_and_real_beers", "chart_and_stuffed_toy", "hairs", "clay",
             "fake_and_real_tomatoes", "watercolors", "fake_and_real_lemon_slices", "balloons")       # drawn once by MHF-net


def cave(folder, split, source):
    """32 scenes of 31 bands, 512x512, 16-bit PNG a band (watercolors: 8-bit RGBA, the mean of its colours); all valid.

    20 train, 12 test: the permutation that MHF-net drew and GDD follows. meta has wavelengths (31) in nm and, where response.npz
    lies in the folder, the response (31, 3) of the RGB camera of both, columns of sum 1.
    """
    bands = {}
    for path in sorted(folder.rglob("*")):
        for key in select([path], r"(.+)_ms_\d\d\.png"):
            bands.setdefault(key, []).append(path)
    index = {scene: partial(_cave, scene, paths, find(folder, "response.npz")) for scene, paths in sorted(bands.items())
             if (scene in CAVE_TEST) == (split == "test")}
    return index or refuse(folder, f"holds no scene of the {split} split", source.layout), 12 if split == "test" else 20


def _cave(scene, paths, response):
    numbers = sorted(path.stem[-2:] for path in paths)
    if numbers != [f"{n:02d}" for n in range(1, 32)]:
        missing = sorted({f"{n:02d}" for n in range(1, 32)} - set(numbers))
        refuse(paths[0].parent, f"holds {len(paths)} bands of {scene}" + f", {missing[0]} is missing" * bool(missing), "bands 01 to 31")
    bands = []
    for path in sorted(paths, key=lambda path: path.stem[-2:]):
        image = read_image(path, "I;16", "RGBA")
        check_shape(path, image, (512, 512))
        bands.append(planes(image, 65535) if image.ndim == 2 else planes(image[..., :3], 255).mean(1, keepdim=True))
    images = {"bands": torch.cat(bands, dim=1)}
    color = find(paths[0].parent, f"{scene}_RGB.bmp")
    if color:
        images["color"] = read_color(color)
        check_shape(color, images["color"][0, 0], (512, 512))
    meta = {"wavelengths": torch.arange(400, 701, 10)}
    if response:
        R = read_npz(response, "R")
        if R.shape != (31, 3) or not np.allclose(R.sum(0), 1):
            refuse(response, f"has R of shape {R.shape}, or columns that don't sum to 1", "(31, 3)")
        meta["response"] = torch.from_numpy(R)
    return Capture(scene, images, "1", meta)
