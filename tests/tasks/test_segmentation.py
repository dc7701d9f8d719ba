"""Segmentation refinement: coarse probabilities from labels, from a segmenter of our own, or from whoever brings scores."""

import numpy as np
import pytest
import torch

from girlib.errors import GirlibError
from girlib.methods import find_method
from girlib.metrics import miou
from girlib.networks import create_model, predict
from girlib.samples import Capture
from girlib.scenes import CLASSES
from girlib.tasks import get_task, segmentation
from girlib.tasks.segmentation import classes_of, coarse, segment, train_segmenter

TASK = get_task("segmentation")
K = len(CLASSES)


@pytest.fixture(scope="module")
def segmenter():
    return train_segmenter(steps=25, scenes=4)


@pytest.mark.parametrize(("size", "cut"), [(16, (16, 16)), ((37, 45), (32, 40))])
def test_probabilities_have_the_picture_s_size_and_sum_to_one(size, cut):
    sample = TASK.sample(3, size)
    assert sample.target.shape == (1, K, *cut) and sample.guide.shape == (1, 3, *cut) and sample.reference.shape == (1, 1, *cut)
    assert sample.low.shape == (1, K, cut[0] // 8, cut[1] // 8) and sample.reference.dtype == torch.int64 and sample.unit == "1"
    assert torch.allclose(sample.target.sum(1), torch.ones(1, *cut), atol=1e-5) and sample.target.min() >= 0


def test_scene_and_noise_follow_from_the_seed_and_rooms_take_turns_with_streets():
    one, again = TASK.sample(4, 32), TASK.sample(4, 32)
    assert torch.equal(one.target, again.target) and torch.equal(one.reference, again.reference)
    capture = TASK.scene(4, 32)
    assert not torch.equal(one.target, TASK.observe(capture, seed=5).target)
    names = [TASK.scene(seed, 16).name for seed in range(2)]
    assert names == ["indoor 0", "outdoor 1"]


def test_coarse_labels_are_shares_blurred_by_a_cell(monkeypatch):
    monkeypatch.setattr(segmentation, "VARIANCE", 0.0)
    labels = torch.zeros(1, 1, 48, 48, dtype=torch.int64)
    labels[..., 24:] = 1
    labels[0, 0, :8, :8] = 255                                               # nobody knows: no class
    shares = np.zeros((6, 6))
    shares[:, 3:] = 1
    weight = np.exp(-np.arange(-4, 5) ** 2 / 2)
    weight /= weight.sum()
    rows = [sum(w * shares[y, min(max(x + d, 0), 5)] for d, w in zip(range(-4, 5), weight, strict=True)) for y in (5,) for x in range(6)]
    found = coarse(labels, 2, 0)
    assert np.abs(found[0, 1, 5].numpy() - np.clip(rows, 1e-3, None) / (np.clip(rows, 1e-3, None) + np.clip(1 - np.array(rows), 1e-3, None))
                  ).max() < 2e-3                                             # the unknown cell reaches down here a little
    assert torch.allclose(found.sum(1), torch.ones(1, 6, 6), atol=1e-6)


def test_unknown_pixels_stay_in_the_reference_and_count_for_nothing():
    capture = TASK.scene(0, 32)
    labels = capture.images["labels"].clone()
    labels[..., :16, :] = 255
    sample = TASK.observe(Capture("x", {**capture.images, "labels": labels}, "class", capture.meta))
    assert (sample.reference[..., :16, :] == 255).all()
    wrong = sample.reference.where(sample.reference != 255, 0)
    assert miou(wrong, sample.reference, classes=K) == 1


def test_the_guide_repairs_borders():
    before, after, gf = [], [], find_method("gf", "segmentation", radius=4, eps=1e-3)
    truth = []
    for seed in range(3):
        sample = TASK.sample(seed, 64)
        before.append(classes_of(sample.target)), after.append(classes_of(gf(sample))), truth.append(sample.reference)
    before, after = (miou(torch.cat(found), torch.cat(truth), classes=K) for found in (before, after))
    assert 0.2 < before < after - 0.02


def test_the_network_filters_each_class_alone():
    sample = TASK.sample(0, 24)
    network = create_model("dagf", "segmentation", width=4, levels=2, residual_blocks=1)
    restored = predict(network, sample)
    assert restored.shape == sample.target.shape and restored.isfinite().all() and classes_of(restored).shape == sample.reference.shape
    order = torch.randperm(K)
    turned = type(sample)(sample.target[:, order], sample.guide, sample.reference, sample.low[:, order])
    assert torch.allclose(predict(network, turned), restored[:, order], atol=1e-6)


def test_the_segmenter_learns_and_is_the_same_each_time(segmenter):
    train_segmenter.cache_clear()
    again = train_segmenter(steps=25, scenes=4)
    assert again is not segmenter and train_segmenter(steps=25, scenes=4) is again
    assert all(torch.equal(a, b) for a, b in zip(segmenter.parameters(), again.parameters(), strict=True))
    right = {"trained": 0.0, "untrained": 0.0}
    for seed in range(1_000_000, 1_000_004):
        capture = segmentation.scene(seed, 96)
        labels = capture.images["labels"][..., 4::8, 4::8]
        for name, network in (("trained", segmenter), ("untrained", segmentation.Segmenter())):
            right[name] += (classes_of(segment(network, capture.images["color"])) == labels).float().mean().item() / 4
    assert right["trained"] > 0.4 > right["untrained"] + 0.1


def test_the_segmenter_looks_at_any_size(segmenter, monkeypatch):
    monkeypatch.setattr(segmentation, "train_segmenter", lambda: segmenter)
    for size in (16, (37, 130)):
        sample = TASK.sample(1, size, source="segmenter")
        assert sample.low.shape[-2:] == tuple(n // 8 for n in sample.guide.shape[-2:])
        assert torch.allclose(sample.target.sum(1), torch.ones(()), atol=1e-5)


def test_scores_that_a_capture_holds_come_first():
    capture = TASK.scene(0, (37, 45))
    scores = 5 * torch.randn(1, K, 5, 6, generator=torch.Generator().manual_seed(0))
    sample = TASK.observe(Capture("x", {**capture.images, "scores": scores}, "class", capture.meta), source="segmenter")
    assert torch.equal(sample.low, scores.softmax(1)) and sample.target.shape == (1, K, 37, 45)


IMAGES = {"color": torch.full((1, 3, 16, 16), 0.5), "labels": torch.full((1, 1, 16, 16), 20)}


@pytest.mark.parametrize(("images", "options", "words"), [
    ({"labels": IMAGES["labels"]}, {}, "no image 'color'"),
    ({"color": IMAGES["color"]}, {}, "has no labels"),
    ({**IMAGES, "labels": IMAGES["labels"].float()}, {}, "torch.float32; expected (1, 1, 16, 16) of torch.int64"),
    ({**IMAGES, "labels": IMAGES["labels"][..., :8]}, {}, "expected (1, 1, 16, 16)"),
    ({**IMAGES, "labels": IMAGES["labels"] + 1}, {}, "the label 21; expected 0 to 20, or 255"),
    ({**IMAGES, "scores": torch.zeros(1, 13, 2, 2)}, {}, "scores has 13 channels; it must have 21"),
    (IMAGES, {"source": "segmenter"}, "knows the 13 classes of scenes"),
    (IMAGES, {"source": "deeplab"}, "source is 'deeplab'"),
    (IMAGES, {"scale": 4}, "scale is 4"),
    ({name: image[..., :7, :] for name, image in IMAGES.items()}, {}, "multiple is 8"),
])  # fmt: skip
def test_a_wrong_request_is_one_sentence(images, options, words):
    with pytest.raises(GirlibError) as caught:
        TASK.observe(Capture("x", images, "class"), **options)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_voc_captures_have_21_classes():
    assert TASK.observe(Capture("x", IMAGES, "class")).target.shape == (1, 21, 16, 16)
