"""Saliency super-resolution: a coarse map of the truth, made as DAGF's text says."""

import numpy as np
import pytest
import torch
from PIL import Image

from girlib.errors import GirlibError
from girlib.evaluation import evaluate
from girlib.methods import find_method
from girlib.networks import create_model, predict
from girlib.samples import Capture
from girlib.tasks import get_task

TASK = get_task("saliency")


@pytest.mark.parametrize("size, scale, cut", [(16, 8, (16, 16)), ((37, 45), 8, (32, 40)), ((37, 45), 4, (36, 44)), (33, 16, (32, 32))])
def test_the_coarse_map_has_whole_cells(size, scale, cut):
    sample = TASK.sample(3, size, scale)
    assert sample.target.shape == sample.reference.shape == (1, 1, *cut) and sample.guide.shape == (1, 3, *cut)
    assert sample.low.shape == (1, 1, cut[0] // scale, cut[1] // scale)
    assert sample.unit == "1" and sample.meta["scale"] == scale and sample.valid is None


def test_a_seed_is_a_scene():
    one, again, other = (TASK.sample(seed, 32) for seed in (1, 1, 2))
    assert torch.equal(one.target, again.target) and torch.equal(one.guide, again.guide) and not torch.equal(one.guide, other.guide)


def test_something_in_every_scene_is_salient_and_not_all_of_it():
    for seed in range(8):
        share = TASK.scene(seed, 32).images["saliency"].mean().item()
        assert 0.002 < share < 0.9, seed


def test_the_target_is_pillow_s_bicubic_down_and_up():
    capture = TASK.scene(0, 48)
    mask = Image.fromarray(capture.images["saliency"][0, 0].numpy())
    enlarged = mask.resize((6, 6), Image.BICUBIC).resize((48, 48), Image.BICUBIC)
    assert np.abs(TASK.observe(capture, 8).target[0, 0].numpy() - np.asarray(enlarged)).max() < 1e-5       # float32


def test_a_perfect_map_scores_1_and_an_enlarged_one_less():
    perfect = evaluate(lambda sample: sample.reference, "saliency", limit=1, size=32)
    assert [(record.metric, round(record.value, 6)) for record in perfect[:2]] == [("f_measure", 1.0)] * 2
    assert all(record.value < 0.99 for record in evaluate("bicubic", "saliency", limit=1, size=32))
    assert [record.protocol["metric"]["threshold"] for record in perfect] == ["adaptive", "maximum", "mean"]


def test_networks_and_filters_restore_it():
    sample = TASK.sample(0, 32)
    network = create_model("dagf", "saliency", width=4, levels=2, residual_blocks=1)
    for restored in (predict(network, sample), find_method("gf", "saliency")(sample), find_method("jbu", "saliency")(sample)):
        assert restored.shape == sample.reference.shape and restored.isfinite().all()


@pytest.mark.parametrize(("capture", "options", "words"), [
    (Capture("x", {"color": torch.zeros(1, 3, 16, 16)}), {}, "no image 'saliency'"),
    (Capture("x", {"color": torch.zeros(1, 3, 16, 16), "saliency": torch.zeros(1, 1, 16, 8)}), {}, "expected one size"),
    (Capture("x", {"color": torch.zeros(1, 3, 16, 16), "saliency": torch.full((1, 1, 16, 16), torch.nan)}), {}, "not finite"),
    (Capture("x", {"color": torch.zeros(1, 3, 7, 16), "saliency": torch.zeros(1, 1, 7, 16)}), {}, "multiple is 8"),
    (Capture("x", {"color": torch.zeros(1, 3, 16, 16), "saliency": torch.zeros(1, 1, 16, 16)}), {"scale": 3}, "scale is 3"),
    (Capture("x", {"color": torch.zeros(1, 3, 16, 16), "saliency": torch.zeros(1, 1, 16, 16)}), {"downsampling": "cubic"}, "'cubic'"),
    ("a file", {}, "got a str"),
])  # fmt: skip
def test_a_wrong_request_is_one_sentence(capture, options, words):
    with pytest.raises(GirlibError) as caught:
        TASK.observe(capture, **options)
    assert words in str(caught.value) and "\n" not in str(caught.value)
