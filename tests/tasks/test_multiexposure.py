"""Multi-exposure fusion: the target is too dark, the guide too bright, and the reference has lost nothing."""

import os
from pathlib import Path

import pytest
import torch

from girlib.evaluation import evaluate
from girlib.networks import create_model, list_models, predict
from girlib.scenes import make_scene
from girlib.tasks import get_task

TASK = get_task("multiexposure")


@pytest.mark.parametrize("size", [16, (17, 40)])
def test_the_procedural_sample_is_an_under_and_an_over_exposure(size):
    sample, again, other = TASK.sample(1, size), TASK.sample(1, size), TASK.sample(2, size)
    height, width = (size, size) if isinstance(size, int) else size
    assert all(image.shape == (1, 3, height, width) for image in (sample.target, sample.guide, sample.reference))
    assert sample.target.mean() < sample.reference.mean() < sample.guide.mean()
    assert torch.equal(sample.target, again.target) and not torch.equal(sample.target, other.target)


def test_photographs_are_the_light_of_a_quarter_and_of_four_times():
    light, sample = make_scene("outdoor", 3, 24).color, TASK.sample(3, 24)
    for image, time in ((sample.target, 0.25), (sample.reference, 1), (sample.guide, 4)):
        assert (image - (light * time).clamp(max=1) ** (1 / 2.2)).abs().max() < 0.51 / 255
    assert (sample.guide == 1).float().mean() > 0.1 and (sample.target < 1).all()


def test_every_network_of_the_task_restores_the_sample():
    sample = TASK.sample(0, (17, 24))
    for name in list_models("multiexposure"):
        torch.manual_seed(0)
        assert predict(create_model(name, "multiexposure"), sample).shape == sample.reference.shape, name


@pytest.mark.parametrize("protocol", TASK.protocols, ids=lambda protocol: protocol.name)
def test_every_protocol_scores_the_average(protocol):
    records = evaluate("average", "multiexposure", protocol=protocol.name, size=96, limit=1)
    assert [record.metric for record in records] == [name for name, _ in protocol.metrics] and not records[0].failed


def test_a_perfect_result_has_no_error():
    assert evaluate(lambda sample: sample.reference, "multiexposure", protocol="reference", size=24, limit=1)[1].value == pytest.approx(1)


def test_real_pairs_are_scored():
    data = os.environ.get("GIRLIB_DATA")
    if not data or not Path(data, "mef").is_dir():
        pytest.skip("GIRLIB_DATA with mef is not set.")
    values = {record.metric: record.value for record in evaluate("average", "multiexposure", "mefb", limit=1)}
    assert set(values) == {"ce", "mef_ssim", "q_cb", "vif"} and 0 < values["q_cb"] < 1 and 0 < values["mef_ssim"] < 1
