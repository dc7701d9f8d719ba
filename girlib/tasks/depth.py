"""Depth super-resolution: a depth sensor sees little, the camera beside it sees every edge.

The low-resolution depth is made from the truth, so the way of making it belongs to the result: the same method scores 2.3 or
4.4 grey levels on Middlebury at x4, depending on which pixels were kept.
"""

import torch

from girlib.errors import GirlibError
from girlib.resampling import downsample, upsample
from girlib.samples import Capture, Sample, crop_to_multiple
from girlib.scenes import make_scene
from girlib.sensors import gaussian_noise, srgb
from girlib.tasks import Protocol, Task
from girlib.tasks.multifocus import images


def scene(seed, size=256):
    """A room and its depth in metres."""
    room = make_scene("indoor", seed, size)
    return Capture(f"indoor {seed}", {"color": srgb(room.color), "depth": room.depth}, unit="m")


def observe(capture, scale=4, seed=0, downsampling="bicubic", upsampling="bicubic", noise=0.0):
    """Rows and columns at the end are cut to whole pixels of the sensor; metres become centimetres.

    noise      variance of Gaussian noise on the sensor's depth, in the unit of the depth
    """
    if scale not in (2, 4, 8, 16):
        raise GirlibError(f"depth: scale is {scale!r}; expected 2, 4, 8 or 16.")
    images("depth", capture, color=3, depth=1)
    capture = crop_to_multiple(Capture(capture.name, {k: v for k, v in capture.images.items() if k != "low"}, capture.unit, capture.meta),
                               scale)
    depth, unit = capture.images["depth"], capture.unit
    if unit == "m":
        depth, unit = depth * 100, "cm"
    low = downsample(depth, scale, downsampling)
    if noise:
        low = gaussian_noise(low, noise, torch.Generator().manual_seed(seed))
    return Sample(upsample(low, depth.shape[-2:], upsampling), capture.images["color"], depth, low, capture.images.get("valid"), unit,
                  {**capture.meta, "scale": scale, "name": capture.name})


EVERYWHERE = ("middlebury", "nyu", "lu", "procedural")
TASK = Task(
    name="depth", title="Depth super-resolution", show="depth",
    observed="a depth map with 16 to 256 times too few pixels, and a colour photograph with all of them",
    wanted="the depth of every pixel of the photograph",
    scene=scene, observe=observe, scales=(4, 8, 16),
    datasets={"middlebury": "test", "nyu": "test", "lu": "test"},
    protocols=(
        Protocol("sfigf", "SFIGF, Table 1, released trainer: bicubic, 6 pixels cut on every side, on all three sets", EVERYWHERE,
                 (("rmse", {"border": 6}),)),
        Protocol("dctnet", "DCTNet, released test: bicubic, nothing cut but on NYU", ("middlebury", "lu"), (("rmse", {}),)),
        Protocol("mgdn", "MGDN, Table 4, released test: bicubic, enlarged by torch's bicubic, 6 pixels cut", ("nyu",),
                 (("rmse", {"border": 6}),), {"upsampling": "bicubic-torch"}),
        Protocol("dagf-bicubic", "DAGF, Table I, lower part: bicubic, 6 pixels cut", EVERYWHERE, (("rmse", {"border": 6}),)),
        Protocol("dagf-nearest", "DAGF, Table I, upper part: the last pixel of each cell is kept", EVERYWHERE, (("rmse", {}),),
                 {"downsampling": "nearest-bottomright"}),
        Protocol("dagf-noisy", "DAGF, Table III: bicubic and noise of variance 25 on 0..255", ("middlebury", "lu"), (("rmse", {}),),
                 {"noise": 25.0}),
    ),
)
