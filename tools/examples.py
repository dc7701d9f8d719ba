"""`.venv/bin/python tools/examples.py`: compute the sample pairs in data/examples, small files in the formats that people have."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from girlib.resampling import downsample
from girlib.scenes import RESPONSES, make_scene
from girlib.sensors import bayer_mosaic, develop, expose, noisy_photo, raw_counts, srgb, thin_lens, tof_noise, wald

FOLDER = Path(__file__).resolve().parent.parent / "data" / "examples"
RATIO = 30                                                              # how much shorter the exposure in the dark is


def examples():
    """{file name: array (H, W) or (H, W, 3), or for .npz a dictionary of arrays (C, H, W)}."""
    return depth() | pansharpening() | multifocus() | multiexposure() | flash() | lowlight()


def depth():
    """A depth map at a quarter of the guide's size in millimetres, and what a time-of-flight sensor gives in metres, 0 where it fails."""
    scene = make_scene("indoor", seed=7, size=256)
    low, _ = tof_noise(scene.depth, 4, torch.Generator().manual_seed(0))
    return {"depth_target.png": levels(1000 * downsample(scene.depth, 4), 1, np.uint16),
            "depth_target_tof.tif": low[0, 0].numpy(),
            "depth_guide.png": photo(srgb(scene.color)),
            "depth_reference.png": levels(1000 * scene.depth, 1, np.uint16)}


def pansharpening():
    """Eight bands, reduced by 4 as their sensor would, and the panchromatic one, in 11 bits."""
    scene = make_scene("overhead", seed=2, size=128)
    bands, pan = (scene.image(RESPONSES[name]) for name in ("worldview3", "pan"))
    images = {"low": wald(bands), "pan": pan, "reference": bands}
    return {"pansharpening.npz": {name: levels(image, 2047, np.uint16) for name, image in images.items()}}


def multifocus():
    """One scene focused near and far, and sharp everywhere."""
    scene = make_scene("indoor", seed=12, size=192)
    near, far = (scene.depth.quantile(q).item() for q in (0.1, 0.8))
    lens = lambda focus: thin_lens(scene.color, scene.depth, focus, aperture=0.03)
    return {"multifocus_first.png": photo(srgb(lens(near).clamp(0, 1))), "multifocus_second.png": photo(srgb(lens(far).clamp(0, 1))),
            "multifocus_reference.png": photo(srgb(scene.color))}


def multiexposure():
    """One scene exposed too short and too long; there is no truth, only taste."""
    scene = make_scene("outdoor", seed=5, size=192)
    return {"multiexposure_first.png": photo(expose(scene.color, 1 / 3)), "multiexposure_second.png": photo(expose(scene.color, 5.0))}


def flash():
    """A noisy photograph by the light of the room, the clean one with a flash, and the first without its noise."""
    scene = make_scene("indoor", seed=21, size=192)
    rgb = RESPONSES["rgb"]
    return {"flash_target.png": photo(noisy_photo(scene.color, 4, torch.Generator().manual_seed(0))),
            "flash_guide.png": photo(srgb(scene.image(rgb, light="flash"))),
            "flash_reference.png": photo(srgb(scene.color))}


def lowlight():
    """Raw counts of a colour camera in the dark (RGGB, black 512, white 16383), a monochrome camera's beside it, and the sRGB truth."""
    scene, generator = make_scene("indoor", seed=33, size=128), torch.Generator().manual_seed(0)
    raw = raw_counts(bayer_mosaic(scene.color), RATIO, generator)
    mono = raw_counts(scene.image(RESPONSES["mono"]), RATIO / 3, generator)         # no filter: three times the light
    return {"lowlight.npz": {"raw": levels(raw, 1, np.uint16), "mono": levels(mono, 1, np.uint16), "ratio": np.array(RATIO),
                             "reference": levels(develop(bayer_mosaic(scene.color)), 255, np.uint8)}}


def levels(image, most, kind):
    """(1, C, H, W) with 1 at `most` as whole numbers (C, H, W), a single channel as (H, W)."""
    array = (image[0] * most).round().numpy().astype(kind)
    return array[0] if len(array) == 1 else array


def photo(image):
    return levels(image, 255, np.uint8).transpose(1, 2, 0)


def write(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        if name.endswith(".npz"):
            np.savez_compressed(folder / name, **content)
        else:
            Image.fromarray(content).save(folder / name)


if __name__ == "__main__":
    write(FOLDER, examples())
