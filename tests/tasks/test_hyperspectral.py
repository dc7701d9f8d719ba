"""Hyperspectral super-resolution: blocks of bands, the photograph that a camera takes of them, and GDD's four scores."""

import math

import pytest
import torch

from girlib.errors import GirlibError
from girlib.evaluation import evaluate
from girlib.networks import create_model, list_models, predict
from girlib.samples import Capture
from girlib.tasks import get_task

TASK = get_task("hyperspectral")


def cave(height=64, width=64, **meta):
    return Capture("scene", {"bands": torch.rand(1, 31, height, width, generator=torch.Generator().manual_seed(0))}, "1", meta)


@pytest.mark.parametrize("size, cut", [(32, (32, 32)), ((40, 70), (32, 64))])
def test_the_procedural_sample_has_31_bands_and_a_photograph(size, cut):
    sample, again, other = TASK.sample(1, size), TASK.sample(1, size), TASK.sample(2, size)
    assert sample.target.shape == sample.reference.shape == (1, 31, *cut) and sample.guide.shape == (1, 3, *cut)
    assert sample.low.shape == (1, 31, cut[0] // 32, cut[1] // 32) and sample.meta["response"].shape == (3, 31)
    assert sample.meta["response"].sum(1) == pytest.approx(torch.ones(3).numpy(), abs=1e-6)
    assert torch.equal(sample.reference, again.reference) and not torch.equal(sample.reference, other.reference)


def test_low_pixels_are_means_of_blocks_and_the_photograph_mixes_the_bands():
    response = torch.rand(31, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    recorded = cave(response=response)
    bands, sample = recorded.images["bands"].double(), TASK.observe(recorded)
    assert (sample.low[0, 7, 1, 0] - bands[0, 7, 32:, :32].mean()).abs() < 1e-6
    guide = sum(response[k] * bands[0, k, 5, 9] for k in range(31))
    assert sample.guide[0, :, 5, 9] == pytest.approx(guide.numpy(), rel=1e-5)
    assert torch.equal(sample.meta["response"], response.T.float()) and torch.equal(sample.reference, recorded.images["bands"])


def test_gdd_takes_one_step_on_the_sample():
    sample = TASK.sample(0, 32)
    for name in list_models("hyperspectral"):
        assert predict(create_model(name, "hyperspectral", width=4), sample, steps=1).shape == sample.reference.shape, name


def test_scores_are_those_of_gdds_table():
    records = {r.metric: r for r in evaluate("input", "hyperspectral", size=64, limit=1)}
    sample = TASK.sample(0, 64)
    x, y = (image[0].double() for image in (sample.target, sample.reference))
    mse = (x - y).square().mean((1, 2))
    angle = torch.acos((x * y).sum(0) / (x.norm(dim=0) * y.norm(dim=0)))
    assert records["rmse"].value == pytest.approx(255 * math.sqrt(mse.mean()))
    assert records["ergas"].value == pytest.approx(100 / 32 * math.sqrt((mse / y.mean((1, 2)) ** 2).mean()))
    assert records["sam"].value == pytest.approx(math.degrees(angle.mean())) and records["sam"].unit == "degrees"
    assert 0 < records["ssim"].value < 1


BAD = [
    (Capture("c", {"color": torch.rand(1, 3, 32, 32)}), 32, "has no image 'bands', only color; expected bands"),
    (Capture("c", {"bands": torch.rand(1, 30, 32, 32)}), 32, "bands has 30 channels; it must have 31"),
    (cave(16, 64), 32, "images of 16x64 are smaller than 32"),
    (cave(), 4, "scale is 4; expected 32"),
    (cave(response=torch.rand(3, 31)), 32, "response of 'scene' is (3, 31); expected a tensor (31, 3)"),
    (cave(response="camera"), 32, "response of 'scene' is a str; expected a tensor (31, 3)"),
]


@pytest.mark.parametrize("bad, scale, words", BAD, ids=[words for _, _, words in BAD])
def test_bad_captures_are_refused_in_one_sentence(bad, scale, words):
    with pytest.raises(GirlibError) as error:
        TASK.observe(bad, scale=scale)
    assert words in str(error.value) and "\n" not in str(error.value)
