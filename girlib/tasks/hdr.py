"""HDR deghosting: three exposures of a scene in which things move, and the linear light of the middle moment is wanted.

Where the middle photograph is clipped or dark, only the others know the light. Where something moved they show it elsewhere: a
ghost, if they are believed.
"""

import torch

from girlib.errors import GirlibError
from girlib.samples import Capture, Sample
from girlib.scenes import make_scene
from girlib.sensors import expose
from girlib.tasks import CLIPPED, SKIMAGE, Protocol, Task, images, without_scale

TIMES = 1.0, 4.0, 16.0                           # of exposure, in units of the shortest
MOMENTS = 0.0, 0.5, 1.0                          # at which the three are taken, in seconds
ROLES = "under", "middle", "over"


def scene(seed, size=256):
    """A street in which things move while the camera takes three exposures. A twentieth of the middle photograph is clipped."""
    color = [make_scene("outdoor", seed, size, time=moment).color for moment in MOMENTS]
    gain = 1 / (TIMES[1] * torch.quantile(color[1], 0.95).item())
    light = [(gain * image).clamp(max=1) for image in color]
    photos = {role: expose(image, time) for role, image, time in zip(ROLES, light, TIMES, strict=True)}
    return Capture(f"outdoor {seed}", {**photos, "reference": light[1]}, "1", {"exposure_times": TIMES})


def observe(capture, scale=None, seed=0):
    """The middle exposure is the target, the others (under, over) are the guide; what is wanted is linear, at the middle's moment."""
    without_scale("hdr", scale)
    under, middle, over, reference = images("hdr", capture, under=3, middle=3, over=3, reference=3)
    times = tuple(capture.meta.get("exposure_times", ()))
    if len(times) != 3 or not 0 < times[0] < times[1] < times[2]:
        raise GirlibError(f"hdr: the capture {capture.name!r} has exposure_times {times or None}; its meta must hold three that grow.")
    return Sample(middle, (under, over), reference, unit="1", meta={**capture.meta, "exposure_times": times, "name": capture.name})


MU = {**CLIPPED, "curve": "mu-law"}
TASK = Task(
    name="hdr", title="HDR deghosting",
    observed="three photographs with short, middle and long exposure, taken one after the other while things move",
    wanted="the linear light of the whole range at the moment of the middle one",
    scene=scene, observe=observe, datasets={"kalantari": "test"},
    protocols=(
        Protocol("mgdn", "MGDN, Tables 3 and 5: linear and after the mu-law with 5000; SSIM with scikit-image's default window; clipped to "
                 "[0, 1], where the mu-law is defined", ("kalantari", "procedural"),
                 (("psnr", MU), ("psnr", CLIPPED), ("ssim", {**SKIMAGE, **MU}), ("ssim", {**SKIMAGE, **CLIPPED}))),
    ),
)
