"""Multi-exposure fusion: one photograph lost the shadows, the other the highlights; the result should show both.

Nothing moves, and no linear light is wanted: the result is a photograph to look at. (hdr.py wants the light itself.)
"""

from girlib.samples import Capture
from girlib.scenes import make_scene
from girlib.sensors import expose
from girlib.tasks import PHOTO_SCORES, Protocol, Task, pair

TIMES = 1 / 4, 4                                 # two stops under and two over the exposure that clips nothing


def scene(seed, size=256):
    """A sunny place, too dark and too bright; the reference is the exposure between, of a camera that clips nothing there."""
    light = make_scene("outdoor", seed, size).color
    first, second = (expose(light, time) for time in TIMES)
    return Capture(f"outdoor {seed}", {"first": first, "second": second, "reference": expose(light, 1)}, "1", {"exposure_times": TIMES})


def observe(capture, scale=None, seed=0):
    """The photographs as they are; the under-exposed one is the target, the over-exposed one the guide."""
    return pair("multiexposure", capture, scale)


TASK = Task(
    name="multiexposure", title="Multi-exposure fusion",
    observed="an under-exposed and an over-exposed photograph of one scene",
    wanted="one photograph that shows shadows and highlights",
    scene=scene, observe=observe, datasets={"mefb": "test", "sice": "part2"},
    protocols=(
        Protocol("mgdn", "MGDN, Table 1, computed by MEFB's code: mean over colours, its SSIM is MEF-SSIM, its VIF is VIFF",
                 ("mefb", "procedural"), (("ce", {}), ("mef_ssim", {}), ("q_cb", {}), ("vif", {}))),
        Protocol("reference", "no table: SICE and the procedural scenes have a reference to compare with", ("sice", "procedural"),
                 PHOTO_SCORES),
    ),
)
