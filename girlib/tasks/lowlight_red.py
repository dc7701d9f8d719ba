"""Low light with a red flash: a camera sees in the dark what a deep-red light shows it, a light that hardly blinds anyone.

SFIGF's guide was not recorded: it is the red channel of the *reference*, free of noise and in the reference's own light. So a method
gets a third of the answer. The protocol `red-flash` shows what a recorded guide is worth.
"""

import torch

from girlib.errors import GirlibError
from girlib.resampling import crop_to_multiple
from girlib.samples import Capture, Sample
from girlib.scenes import RESPONSES, make_scene
from girlib.sensors import amplify, bayer_mosaic, develop, pack, raw_counts, red_flash_guide, srgb
from girlib.tasks import SKIMAGE, Protocol, Task, images, without_scale

RATIO = 100.0                                    # between the exposures: 10 s and 0.1 s, as in most pairs of SID
SONY = {"black": 512, "white": 16383}


def scene(seed, size=256):
    """A room in the dark as a 14-bit camera records it in 1/100 of the time; and its red under a red flash."""
    room = make_scene("indoor", seed, size)
    capture = photographed(room, seed, RATIO, **SONY)
    red = room.image(RESPONSES["rgb"], light="red flash")[:, :1]
    return Capture(f"indoor {seed}", {**capture, "red": srgb(red)}, "1", {"ratio": RATIO, "pattern": "RGGB", **SONY})


def photographed(room, seed, ratio, black, white, **camera):
    """The raw of a short exposure and of one that is `ratio` times longer, in [0, 1] without black level; the long one as sRGB."""
    generator, mosaic = torch.Generator().manual_seed(seed), bayer_mosaic(room.color)
    raw, long = (amplify(raw_counts(mosaic, r, generator, black=black, white=white, **camera), 1, black, white) for r in (ratio, 1))
    return {"raw": raw, "long_raw": long, "reference": develop(long)}


def observe(capture, scale=None, seed=0, guide="reference"):
    """Raw, amplified and clipped at 1, and red, each packed to four channels of half the size; an odd last row or column is cut.

    guide   "reference": the red of the reference, as SFIGF has it; "flash": what was recorded under a red flash
    Restored and reference are sRGB of full size.
    """
    if guide not in ("reference", "flash"):
        raise GirlibError(f"lowlight_red: guide is {guide!r}; expected 'reference' or 'flash'.")
    wanted = {"raw": 1, "reference": 3, **({"red": 1} if guide == "flash" else {})}
    raw, reference, *red = (crop_to_multiple(x, 2) for x in raw_images("lowlight_red", capture, scale, **wanted))
    target = pack(amplify(raw, capture.meta["ratio"], 0, 1))
    return Sample(target, pack(red[0]) if red else red_flash_guide(reference), reference, unit="1",
                  meta={**capture.meta, "name": capture.name})


def raw_images(task, capture, scale, **channels):
    """Images of a raw capture whose partners lie pixel on pixel and whose meta says how it is to be read."""
    without_scale(task, scale)
    found = images(task, capture, **channels)
    if not capture.meta.get("aligned", True):
        raise GirlibError(f"{task}: the pictures of {capture.name!r} do not lie pixel on pixel, so nothing can be guided or scored; "
                          "take another capture.")
    ratio, pattern = capture.meta.get("ratio"), capture.meta.get("pattern")
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not ratio > 0:
        raise GirlibError(f"{task}: the capture {capture.name!r} has the ratio {ratio!r}; its meta must say by how much raw is amplified.")
    if pattern != "RGGB":
        raise GirlibError(f"{task}: the capture {capture.name!r} has the pattern {pattern!r}; expected RGGB, which the networks know.")
    return found


EIGHT_BITS = {"values": "truncate", "data_range": 1.0}
SCORES = (("psnr", EIGHT_BITS), ("ssim", {**SKIMAGE, **EIGHT_BITS}), ("delta_e", EIGHT_BITS))
LPIPS = (("lpips", EIGHT_BITS),)
TASK = Task(
    name="lowlight_red", title="Low-light raw with red flash",
    observed="the raw of a photograph exposed 100 to 300 times too short, and the scene's red without noise",
    wanted="the photograph of the long exposure, in colour",
    scene=scene, observe=observe, datasets={"sid": "test"},
    protocols=(
        Protocol("sfigf", "SFIGF, Table 4, SID-Sony: 8 bits, truncated, scikit-image's default SSIM, as in its code for MCR; which Delta E "
                 "is not stated: 1976. It says 50 images and not which; its code takes the pairs of 0.1 s alone, one a scene. Here all 598 "
                 "pairs of the test list are scored, or with a limit the first of them", ("sid", "procedural"), SCORES),
        Protocol("sfigf-lpips", "SFIGF, Table 4, SID-Sony: LPIPS, whose backbone is not stated; AlexNet", ("sid", "procedural"), LPIPS),
        Protocol("red-flash", "ours: the guide is recorded under a red flash, not taken from the reference", ("procedural",), SCORES,
                 {"guide": "flash"}),
    ),
)
