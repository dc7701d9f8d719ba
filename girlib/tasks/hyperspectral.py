"""Hyperspectral super-resolution: a spectrometer sees 31 narrow bands with very few pixels, a camera beside it three broad ones.

What the camera records follows from the bands and its response, so the photograph both guides and checks the result.
"""

import torch

from girlib.errors import GirlibError
from girlib.resampling import downsample, upsample
from girlib.samples import Capture, Sample, crop_to_multiple
from girlib.scenes import RESPONSES, WAVELENGTHS, make_scene
from girlib.sensors import mix
from girlib.tasks import Protocol, Task, images

BANDS = 31                                                                # 400, 410, ..., 700 nm
CAMERA = RESPONSES["rgb"][:, :BANDS] / RESPONSES["rgb"][:, :BANDS].sum(dim=1, keepdim=True)       # (3, 31)


def scene(seed, size=256):
    """A room in 31 visible bands."""
    room = make_scene("indoor", seed, size)
    return Capture(f"indoor {seed}", {"bands": room.image(RESPONSES["visible31"])}, "1", {"wavelengths": WAVELENGTHS[:BANDS]})


def observe(capture, scale=32, seed=0, enlarge="bicubic"):
    """Each low-resolution pixel is the mean of a block; the guide is what a camera sees of the bands, linear.

    The camera is the one of meta["response"] (31, 3), as CAVE's reader gives it, or ours; the sample's meta holds it as (3, 31).
    enlarge: how the target is made of the low-resolution bands, a key of girlib.resampling.UPSAMPLING.
    """
    if scale not in TASK.scales:
        raise GirlibError(f"hyperspectral: scale is {scale!r}; expected {' or '.join(map(str, TASK.scales))}.")
    (bands,) = images("hyperspectral", capture, bands=BANDS)
    bands = crop_to_multiple(Capture(capture.name, {"bands": bands}), scale).images["bands"]
    recorded = capture.meta.get("response")
    if recorded is not None and (not isinstance(recorded, torch.Tensor) or recorded.shape != (BANDS, 3)):
        given = tuple(recorded.shape) if isinstance(recorded, torch.Tensor) else f"a {type(recorded).__name__}"
        raise GirlibError(f"hyperspectral: the response of {capture.name!r} is {given}; expected a tensor ({BANDS}, 3), how red, green and "
                          "blue see each band.")
    response = CAMERA if recorded is None else recorded.float().T
    low = downsample(bands, scale, "average")
    return Sample(upsample(low, bands.shape[-2:], enlarge), mix(bands, response), bands, low, unit="1",
                  meta={**capture.meta, "response": response, "ratio": scale, "scale": scale, "name": capture.name})


TASK = Task(
    name="hyperspectral", title="Hyperspectral super-resolution",
    observed="31 bands with a thousandth of the pixels, and a photograph with all of them",
    wanted="the 31 bands of every pixel of the photograph",
    scene=scene, observe=observe, scales=(32,), datasets={"cave": "test"},
    protocols=(
        Protocol("gdd", "GDD, Table 1: RMSE on 0 ... 255, ERGAS 100/32 and SAM in degrees follow from the printed values; SSIM is Wang's",
                 ("cave", "procedural"),
                 (("rmse", {"factor": 255.0}), ("ergas", {"ratio": 32.0}), ("sam", {}), ("ssim", {"data_range": 1.0}))),
    ),
)
