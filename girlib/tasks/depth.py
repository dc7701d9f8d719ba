"""Depth super-resolution: a depth sensor sees little, the camera beside it sees every edge.

The low-resolution depth is made from the truth, so the way of making it belongs to the result: the same method scores 2.3 or
4.4 grey levels on Middlebury at x4, depending on which pixels were kept.
"""

import math

import torch

from girlib.errors import GirlibError
from girlib.resampling import downsample, upsample
from girlib.samples import Capture, Sample, crop_to_multiple
from girlib.scenes import make_scene
from girlib.sensors import gaussian_noise, srgb
from girlib.tasks import Protocol, Task, images


def scene(seed, size=256, **controls):
    """A room and its depth in metres; `controls` are those of make_scene."""
    room = make_scene("indoor", seed, size, **controls)
    return Capture(f"indoor {seed}", {"color": srgb(room.color), "depth": room.depth}, unit="m")


def observe(capture, scale=4, seed=0, downsampling="bicubic", upsampling="bicubic", noise=0.0, grey_noise=0.0, multiple=1,
            recorded=False):
    """Rows and columns at the end are cut to whole pixels of the sensor; metres become centimetres, units of a film 0..255.

    noise        variance of Gaussian noise on the sensor's depth, in the unit of the depth
    grey_noise   the same on 0..255: in grey levels or, where depth has another unit, in shares of the image's range
    multiple     cut to a multiple of this, too: what a network of several levels divides
    recorded     the sensor's depth is the one that the capture holds
    """
    if scale not in (2, 4, 8, 16):
        raise GirlibError(f"depth: scale is {scale!r}; expected 2, 4, 8 or 16.")
    for name, value, least in (("noise", noise, 0), ("grey_noise", grey_noise, 0), ("multiple", multiple, 1)):
        whole = name != "multiple" or isinstance(value, int)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not whole or not least <= value < 10**9:
            raise GirlibError(f"depth: {name} is {value!r}; expected a {'whole number' if least else 'variance'} from {least} up.")
    images("depth", capture, color=3, depth=1)
    fine = {name: image for name, image in capture.images.items() if name in ("color", "depth", "valid")}
    fine = crop_to_multiple(Capture(capture.name, fine, capture.unit, capture.meta), math.lcm(scale, multiple)).images
    depth, unit = fine["depth"], capture.unit
    if unit == "film units":
        depth, unit = 255 * (depth - depth.min()) / (depth.max() - depth.min()), "grey"
    if unit == "m":
        depth, unit = depth * 100, "cm"
    low = _recorded(capture, depth, scale) if recorded else downsample(depth, scale, downsampling)
    if grey_noise:
        noise = grey_noise * (1 if unit == "grey" else ((depth.max() - depth.min()).item() / 255) ** 2)
    if noise:
        low = gaussian_noise(low, noise, torch.Generator().manual_seed(seed))
    return Sample(upsample(low, depth.shape[-2:], upsampling), fine["color"], depth, low, fine.get("valid"), unit,
                  {**capture.meta, "scale": scale, "name": capture.name})


def _recorded(capture, depth, scale):
    """What the sensor gave, if it is `scale` times smaller than what is wanted."""
    low = capture.images.get("low")
    expected = tuple(size // scale for size in depth.shape[-2:])
    if low is None or tuple(low.shape[-2:]) != expected:
        given = "no low" if low is None else "a low of {}x{}".format(*low.shape[-2:])
        raise GirlibError(f"depth: the capture {capture.name!r} has {given}; expected {expected[0]}x{expected[1]} at scale {scale}, or "
                          "recorded=False.")
    return low


EVERYWHERE = ("middlebury", "nyu", "lu", "sintel", "procedural")
CUT = (("rmse", {"border": 6}),)
SINTEL = "how Sintel comes to 0..255 is not stated: here by each frame's range"
DAGF = {"multiple": 16}                          # 2^4: it halves its input three times, and once more for the kernels
TASK = Task(
    name="depth", title="Depth super-resolution", show="depth",
    observed="a depth map with 16 to 256 times too few pixels, and a colour photograph with all of them",
    wanted="the depth of every pixel of the photograph",
    scene=scene, observe=observe, scales=(4, 8, 16),
    datasets={"middlebury": "test", "nyu": "test", "lu": "test", "sintel": "final", "art": "test"},
    protocols=(
        Protocol("sfigf", "SFIGF, Table 1, released trainer: bicubic, 6 pixels cut on every side, on all three sets",
                 ("middlebury", "nyu", "lu", "procedural"),
                 CUT),
        Protocol("dctnet", "DCTNet, released test: bicubic, nothing cut but on NYU", ("middlebury", "lu"), (("rmse", {}),)),
        Protocol("mgdn", "MGDN, Table 4, released test: bicubic, enlarged by torch's bicubic, 6 pixels cut", ("nyu",),
                 CUT, {"upsampling": "bicubic-torch"}),
        Protocol("dagf-bicubic", "DAGF, Table I, lower part, released test: bicubic, sizes cut to multiples of 16, 6 pixels cut on every "
                 f"side; {SINTEL}", EVERYWHERE, CUT, DAGF),
        Protocol("dagf-nearest", "DAGF, Tables I (networks of the upper part), VI and VII, released test: the last pixel of each cell is "
                 f"kept, sizes cut to multiples of 16, 6 pixels cut on every side; {SINTEL}", EVERYWHERE, CUT,
                 {"downsampling": "nearest-bottomright", **DAGF}),
        Protocol("dagf-nearest-uncut", "DAGF, Table I, row Bicubic, which comes out so: the last pixel of each cell is kept, nothing cut",
                 EVERYWHERE, (("rmse", {}),), {"downsampling": "nearest-bottomright"}),
        Protocol("dagf-noisy", "DAGF, Table III: bicubic and noise of variance 25 on 0..255, which for NYU we take for each image's range; "
                 f"cut as dagf-bicubic; {SINTEL}", EVERYWHERE, CUT, {"grey_noise": 25.0, **DAGF}),
        Protocol("ferstl", "no table: Ferstl et al. 2013, x16: the noisy depth of a time-of-flight sensor, simulated by the authors",
                 ("art",), (("rmse", {}),), {"recorded": True, "upsampling": "bicubic-matlab"}),
    ),
)
