"""Flash/no-flash denoising: a dark photograph has the mood of the place and much noise, one with flash has neither.

The flash throws shadows and lights up what is near, so its edges are not all edges of the dark picture. Near-infrared light does
the same without anyone noticing. There is no truth on real pairs: DAGF (Fig. 8) and GDD (Fig. 8) show pictures and print no
number. What is scored here is scored on procedural scenes, where the dark picture is known without noise.
"""

import torch

from girlib.errors import GirlibError
from girlib.samples import Capture, Sample
from girlib.scenes import RESPONSES, make_scene
from girlib.sensors import noisy_photo, srgb
from girlib.tasks import PHOTO_SCORES, Protocol, Task, images, known_reference, without_scale

DARKNESS = 64                                    # how many times too short the exposure without flash is
CAMERA = {"gain": 2e-4, "read": 5e-4}            # of sensors.noisy_photo: 5,000 electrons fill a pixel


def scene(seed, size=256):
    """A dim room, amplified; with a flash that is as bright as day where the camera looks; and with an infrared one."""
    room, generator = make_scene("indoor", seed, size), torch.Generator().manual_seed(seed)
    dim = room.color / DARKNESS
    flash = dim + room.image(RESPONSES["rgb"], light="flash")
    photos = {"noflash": noisy_photo(room.color, DARKNESS, generator, **CAMERA), "flash": noisy_photo(flash, 1, generator, **CAMERA),
              "nir": noisy_photo(room.image(RESPONSES["nir"], light="flash"), 1, generator, **CAMERA), "reference": srgb(room.color)}
    return Capture(f"indoor {seed}", photos)


def observe(capture, scale=None, seed=0, guide="flash"):
    """The photograph without flash is the target, as it was recorded, noise included; linear ones are brought to sRGB first.

    guide   "flash", or "nir": one channel, repeated, for the networks of this task expect three
    The deep-red pairs stay without white balance, which their reference has: no protocol scores them.
    """
    without_scale("flash", scale)
    if guide not in ("flash", "nir"):
        raise GirlibError(f"flash: guide is {guide!r}; expected 'flash' or 'nir'.")
    target, light, *reference = images("flash", capture, noflash=3, **{guide: 3 if guide == "flash" else 1}, **known_reference(capture))
    if "noflash" in capture.meta.get("linear", ()):
        target = srgb(target)
    return Sample(target, light.expand(-1, 3, -1, -1), *reference, unit="1", meta={**capture.meta, "name": capture.name})


TASK = Task(
    name="flash", title="Flash/no-flash denoising",
    observed="a dark and noisy photograph, and one of the same place with flash, or in near-infrared light",
    wanted="the photograph without flash, without noise",
    scene=scene, observe=observe, datasets={"flash": "test", "deep_red_flash": "test"},
    protocols=(
        Protocol("procedural", "ours, for DAGF, Fig. 8 (top), and GDD, Fig. 8, are pictures without a number",
                 ("procedural",), PHOTO_SCORES),
        Protocol("procedural-nir", "ours, for DAGF, Fig. 8 (bottom), is a picture without a number; the guide is near-infrared",
                 ("procedural",), PHOTO_SCORES, {"guide": "nir"}),
    ),
)
