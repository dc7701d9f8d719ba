"""Depth statistics of images whose answer is known, and of real ones whose table is known."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from girlib.errors import GirlibError
from girlib.scenes import depth_statistics

NOISE = torch.rand(128, 128, generator=torch.Generator().manual_seed(0))


def test_a_ramp_is_one_plane():
    ramp = torch.arange(128.0).expand(128, 128) / 10
    found = depth_statistics(ramp, torch.full((128, 128), 0.5))
    assert found["planar regions"] == 1 and found["their area"] == found["tiles that fit a plane"] == 1
    assert found["depth-edge density"] == found["image-edge density"] == 0
    assert found["slope inside planar tiles"] == pytest.approx(1 / 127) and found["median of g"] == pytest.approx(1 / 127)
    assert found["depth, mean"] == pytest.approx(0.5)


def test_a_step_that_nobody_sees_has_no_image_edge():
    step = (torch.arange(128) >= 63).float().expand(128, 128)
    hidden = depth_statistics(step, torch.full((128, 128), 0.5))
    assert hidden["depth-edge density"] == pytest.approx(1 / 127) and hidden["depth edges without image edge"] == 1
    assert hidden["planar regions"] == 2 and hidden["tiles with a step"] == pytest.approx(1 / 16)
    shown = depth_statistics(step, 0.2 + 0.5 * step)
    assert shown["depth edges without image edge"] == 0 and shown["image edges without depth edge"] == 0
    beside = depth_statistics(step, 0.2 + 0.5 * step.roll(20, 1))
    assert beside["depth edges without image edge"] == 1 == beside["image edges without depth edge"]


def test_the_spectrum_of_white_noise_is_flat_and_falls_when_it_is_summed():
    flat = depth_statistics(NOISE, NOISE)
    assert abs(flat["spectrum slope, depth"]) < 0.15
    rough = depth_statistics((NOISE - 0.5).cumsum(0).cumsum(1), NOISE)
    assert rough["spectrum slope, depth"] < -1.5


@pytest.mark.parametrize("depth, grey", [
    (NOISE, NOISE[:64]), (torch.ones(64, 64), NOISE[:64, :64]), (NOISE * torch.nan, NOISE), (NOISE[:8], NOISE[:8]), (NOISE[0], NOISE[0]),
    (NOISE.expand(1, 3, 128, 128), NOISE), (NOISE.numpy(), NOISE), (None, NOISE), (NOISE, torch.rand(0, 4)),
])
def test_bad_input_is_one_sentence(depth, grey):
    with pytest.raises(GirlibError, match=r"^depth_statistics: [^\n]*; (give|fill)[^\n]*$"):
        depth_statistics(depth, grey)


@pytest.mark.skipif("GIRLIB_DATA" not in os.environ, reason="GIRLIB_DATA is not set: the NYU pairs are needed")
def test_nyu_has_the_statistics_of_its_table():
    """Mean of the eight test pairs, white frame cut off, to the digits at which the table was taken down."""
    h5py, image = pytest.importorskip("h5py"), pytest.importorskip("PIL.Image")
    root = Path(os.environ["GIRLIB_DATA"]) / "nyu_v2"
    with h5py.File(root / "depth.h5") as file:
        pairs = list(zip(file["depth"][:], file["index"][:], strict=True))
    inner = (slice(12, -12), slice(12, -12))
    tensor = lambda x: torch.from_numpy(np.array(x, dtype=np.float64)[inner])
    rows = [depth_statistics(tensor(depth), tensor(image.open(root / f"RGB/{i}.jpg").convert("L")) / 255) for depth, i in pairs]
    mean = {name: np.mean([row[name] for row in rows]) for name in rows[0]}
    table = {"median of g": (.0013, 1e-4), "90 % of g": (.0068, 1e-4), "99 % of g": (.059, 1e-3), "99.9 % of g": (.21, .005),
             "depth-edge density": (.032, 1e-3), "image-edge density": (.37, .01), "depth edges without image edge": (.085, .002),
             "image edges without depth edge": (.83, .01), "jump at depth edges, median": (.043, 1e-3), "depth, mean": (.39, .01),
             "depth, std": (.25, .01), "share in the nearest tenth": (.17, .01), "tiles that fit a plane": (.79, .02),
             "tiles with a step": (.051, 1e-3), "planar regions": (12, .5), "their area": (.66, .01), "largest planar region": (.29, .01),
             "slope inside planar tiles": (.0010, 1e-4), "grey, mean": (.37, .01), "grey, std": (.24, .01),
             "spectrum slope, depth": (-3.4, .1), "spectrum slope, grey": (-2.9, .1)}
    assert all(abs(mean[name] - value) <= tolerance for name, (value, tolerance) in table.items()), mean
