"""Saliency super-resolution: a map of what catches the eye, 64 times too coarse, and the photograph that it belongs to.

DAGF takes it as a test of generality: the network has seen nothing but depth, and the map is black and white.
"""

from girlib.errors import GirlibError
from girlib.resampling import crop_to_multiple, downsample, upsample
from girlib.samples import Capture, Sample
from girlib.scenes import make_scene
from girlib.sensors import saliency_map, srgb
from girlib.tasks import Protocol, Task, images


def scene(seed, size=256):
    """A room; salient is the thing in its middle."""
    room = make_scene("indoor", seed, size)
    return Capture(f"indoor {seed}", {"color": srgb(room.color), "saliency": saliency_map(room.ids)})


def observe(capture, scale=8, seed=0, downsampling="bicubic", upsampling="bicubic"):
    """Rows and columns at the end are cut to whole pixels of the coarse map; it overshoots 0 and 1 a little, as bicubic does."""
    if scale not in (4, 8, 16):
        raise GirlibError(f"saliency: scale is {scale!r}; expected 4, 8 or 16.")
    color, saliency = (crop_to_multiple(image, scale) for image in images("saliency", capture, color=3, saliency=1))
    low = downsample(saliency, scale, downsampling)
    return Sample(upsample(low, saliency.shape[-2:], upsampling), color, saliency, low, unit="1",
                  meta={**capture.meta, "scale": scale, "name": capture.name})


TASK = Task(
    name="saliency", title="Saliency super-resolution",
    observed="a map of what is salient, with 64 times too few pixels, and a colour photograph with all of them",
    wanted="the salient pixels of the photograph",
    scene=scene, observe=observe, scales=(8, 4, 16), datasets={"dut_omron": "test"},
    protocols=(
        Protocol("dagf", "DAGF, Table II: x8, the masks reduced by bicubic, F-measure as in DJFR; nobody says at which threshold, so "
                 "at the adaptive one, and the best and the mean of 256", ("dut_omron", "procedural"),
                 tuple(("f_measure", {"threshold": threshold, "data_range": 1.0}) for threshold in ("adaptive", "maximum", "mean"))),
    ),
)
