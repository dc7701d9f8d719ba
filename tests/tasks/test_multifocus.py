"""Multi-focus fusion: the sources stay as they are, near and far are sharp in turn, and scores equal those found elsewhere."""

import json
import os
from pathlib import Path

import pytest
import torch

from girlib.errors import GirlibError
from girlib.evaluation import evaluate
from girlib.networks import create_model, list_models, predict
from girlib.samples import Capture, Sample
from girlib.scenes import make_scene
from girlib.tasks import get_task

TASK = get_task("multifocus")


def photo(height=24, width=32, seed=0):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [16, (17, 40)])
def test_the_procedural_sample_is_two_photographs_and_a_sharp_one(size):
    sample, again, other = TASK.sample(1, size), TASK.sample(1, size), TASK.sample(2, size)
    height, width = (size, size) if isinstance(size, int) else size
    assert all(image.shape == (1, 3, height, width) for image in (sample.target, sample.guide, sample.reference))
    assert all(((image >= 0) & (image <= 1)).all() for image in (sample.target, sample.guide, sample.reference))
    assert sample.low is None and sample.unit == "1" and sample.meta["name"] == "indoor 1"
    assert torch.equal(sample.target, again.target) and torch.equal(sample.guide, again.guide)
    assert not torch.equal(sample.target, other.target)


def test_each_photograph_is_sharp_at_its_own_depth():
    sample, depth = TASK.sample(5, 96), make_scene("indoor", 5, 96).depth
    near, far = sample.meta["focus"]
    errors = [(image - sample.reference).abs().mean(1, keepdim=True) for image in (sample.target, sample.guide)]
    for first, closer in ((0, (depth < near)), (1, (depth > far))):
        assert errors[first][closer].mean() < 0.8 * errors[1 - first][closer].mean()
    assert min(error.mean() for error in errors) > 1e-3


def test_sources_of_a_recorded_pair_stay_as_they_are():
    first, second = photo(seed=1), photo(seed=2)
    sample = TASK.observe(Capture("pair", {"first": first, "second": second}))
    assert torch.equal(sample.target, first) and torch.equal(sample.guide, second) and sample.reference is None


def test_every_network_of_the_task_restores_the_sample():
    sample = TASK.sample(0, (17, 24))
    for name in list_models("multifocus"):
        torch.manual_seed(0)
        assert predict(create_model(name, "multifocus"), sample).shape == sample.reference.shape, name


@pytest.mark.parametrize("protocol", TASK.protocols, ids=lambda protocol: protocol.name)
def test_every_protocol_scores_the_average(protocol):
    if protocol.name == "sfigf-lpips":
        pytest.importorskip("lpips", reason="LPIPS needs the package lpips and its weights.")
    records = evaluate("average", "multifocus", protocol=protocol.name, size=40, limit=1)
    if protocol.name == "sfigf-lpips" and records[0].failed:
        pytest.skip("LPIPS needs the weights of its backbone.")
    assert [record.metric for record in records] == [name for name, _ in protocol.metrics] and not records[0].failed
    assert all(isinstance(record.value, float) for record in records)


NAMES = {"mgdn": ("q_abf grey", "en mean of rgb", "psnr_fusion MEFB, mean of rgb", "ssim_src wang, grey, L=510"),
         "mgdn-standard": ("q_abf grey", None, "psnr_fusion proper, grey", None),
         "sfigf-lytro": ("mean MI grey, 32 bins over range, nats", "ssim_src wang, mean of rgb, L=255"),
         "sfigf-lytro-standard": ("q_mi Hossny grey", "q_s Piella grey")}


def average_in_8_bits(sample):
    """Rounded half up, as the stored values were made."""
    return ((sample.target + sample.guide) * 255).round().add(1).div(2).floor() / 255


@pytest.mark.parametrize("protocol", NAMES)
def test_lytro_scores_are_those_that_were_found_elsewhere(protocol):
    """Of the average and of source A on the first pair."""
    golden, data = os.environ.get("GIRLIB_REFERENCE"), os.environ.get("GIRLIB_DATA")
    if not golden or not data or not Path(data, "lytro").is_dir():
        pytest.skip("GIRLIB_REFERENCE or GIRLIB_DATA with lytro is not set.")
    stored = json.loads(Path(golden, "golden", "metrics", "lytro.json").read_text())["methods"]
    for method, key in ((average_in_8_bits, "avg"), ("first", "A")):
        for record, name in zip(evaluate(method, "multifocus", "lytro", protocol=protocol, limit=1), NAMES[protocol], strict=True):
            if name:
                assert list(record.images.values()) == pytest.approx(stored[key][name][:1], abs=2e-8), (key, name)


BAD = [
    ({"first": photo()}, None, "has no image 'second', only first; expected first, second"),
    ({}, None, "has no image 'first', only none"),
    ({"first": photo(), "second": photo(24, 33)}, None, "first is 24x32, second is 24x33; expected one size"),
    ({"first": photo()[:, :1], "second": photo()}, None, "first has 1 channels; it must have 3"),
    ({"first": photo(), "second": photo() * torch.nan}, None, "second is nan at (0, 0, 0, 0)"),
    ({"first": photo().byte(), "second": photo()}, None, "first is torch.uint8; give floating numbers"),
    ({"first": photo(), "second": photo(), "reference": photo(12)}, None, "reference is 12x32; expected one size"),
    ({"first": photo(), "second": photo()}, 4, "scale is 4; what is restored has all pixels"),
]


@pytest.mark.parametrize("name", ["multifocus", "multiexposure"])
@pytest.mark.parametrize("images, scale, words", BAD, ids=[words for _, _, words in BAD])
def test_bad_captures_are_refused_in_one_sentence(name, images, scale, words):
    with pytest.raises(GirlibError, match="^" + name) as error:
        get_task(name).observe(Capture("pair", images), scale=scale)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_what_is_no_capture_is_refused():
    with pytest.raises(GirlibError, match="got a Sample; expected a Capture"):
        TASK.observe(Sample(photo(), photo()))
