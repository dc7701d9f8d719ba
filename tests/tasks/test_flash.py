"""Flash/no-flash: what the camera records in the dark and with a flash, on computed scenes and on real pairs."""

import os

import pytest
import torch

from girlib.datasets import open_dataset
from girlib.errors import GirlibError
from girlib.methods import find_method
from girlib.metrics import psnr
from girlib.networks import create_model, predict
from girlib.samples import Capture, Sample
from girlib.scenes import RESPONSES, make_scene
from girlib.sensors import srgb
from girlib.tasks import get_task

TASK = get_task("flash")
IMAGE = torch.full((1, 3, 16, 16), 0.5)


@pytest.mark.parametrize("size", [16, (37, 22)])
@pytest.mark.parametrize("guide", ["flash", "nir"])
def test_all_images_have_three_channels_and_the_size_of_the_scene(size, guide):
    sample = TASK.sample(2, size, guide=guide)
    shape = (1, 3, *((size, size) if isinstance(size, int) else size))
    assert sample.target.shape == sample.guide.shape == sample.reference.shape == shape
    assert sample.low is None and sample.valid is None and sample.unit == "1" and sample.guide.max() <= 1 and sample.target.min() >= 0


def test_scene_and_noise_follow_from_the_seed():
    one, again, other = (TASK.sample(seed, 24) for seed in (4, 4, 5))
    assert torch.equal(one.target, again.target) and torch.equal(one.guide, again.guide) and not torch.equal(one.target, other.target)


def test_the_reference_is_the_room_without_flash_and_the_flash_has_less_noise():
    capture, room = TASK.scene(1, 32), make_scene("indoor", 1, 32)
    assert torch.equal(capture.images["reference"], srgb(room.color))
    clean = srgb((room.color / 64 + room.image(RESPONSES["rgb"], light="flash")).clamp(0, 1))
    noise = {"noflash": capture.images["noflash"] - capture.images["reference"], "flash": capture.images["flash"] - clean}
    assert 3 * noise["flash"].std() < noise["noflash"].std()


def test_a_flash_helps_the_guided_filter_more_than_the_dark_picture_itself():
    sample, gf = TASK.sample(0, 48), find_method("gf", "flash")
    alone = gf(Sample(sample.target, sample.target, sample.reference))
    untouched, smoothed, guided = (psnr(image, sample.reference, data_range=1.0) for image in (sample.target, alone, gf(sample)))
    assert guided > smoothed + 0.5 and guided > untouched + 2                # dB


@pytest.mark.parametrize("name", ["dagf", "djf", "djfr", "cunet"])
def test_networks_restore_it(name):
    sample = TASK.sample(0, 24)
    small = {"dagf": dict(width=4, levels=2, residual_blocks=1)}.get(name, {})
    restored = predict(create_model(name, "flash", **small), sample)
    assert restored.shape == sample.target.shape and restored.isfinite().all()


def test_gdd_starts_from_it():
    sample = TASK.sample(0, 32)
    noise, guide = create_model("gdd", "flash", width=8).prepare(sample)
    assert torch.equal(guide, sample.guide) and noise.isfinite().all()


def test_linear_pictures_are_brought_to_srgb():
    capture = Capture("deep red", {"noflash": IMAGE, "flash": IMAGE, "reference": IMAGE}, "1", {"linear": ("noflash",)})
    sample = TASK.observe(capture)
    assert torch.equal(sample.target, srgb(IMAGE)) and torch.equal(sample.guide, IMAGE)


@pytest.mark.skipif("GIRLIB_DATA" not in os.environ, reason="GIRLIB_DATA does not say where the datasets are.")
def test_real_pairs_have_no_reference_and_no_protocol():
    data = open_dataset("flash")
    assert len(data) >= 1
    for capture in data:
        sample = TASK.observe(capture)
        assert sample.target.shape == sample.guide.shape and sample.reference is None
        assert torch.equal(sample.target, capture.images["noflash"]) and torch.equal(sample.guide, capture.images["flash"])
    with pytest.raises(GirlibError, match="no protocol for the dataset 'flash'; there are some for procedural"):
        TASK.protocol("flash")


@pytest.mark.parametrize(("images", "options", "words"), [
    ({"flash": IMAGE}, {}, "no image 'noflash'"),
    ({"noflash": IMAGE}, {}, "no image 'flash'"),
    ({"noflash": IMAGE, "flash": IMAGE}, {"guide": "nir"}, "no image 'nir'"),
    ({"noflash": IMAGE, "flash": IMAGE}, {"guide": "red"}, "guide is 'red'"),
    ({"noflash": IMAGE, "flash": IMAGE}, {"scale": 4}, "scale is 4"),
    ({"noflash": IMAGE, "flash": IMAGE[..., :8]}, {}, "expected one size"),
    ({"noflash": IMAGE, "flash": IMAGE[:, :1]}, {}, "flash has 1 channels"),
])  # fmt: skip
def test_a_wrong_request_is_one_sentence(images, options, words):
    with pytest.raises(GirlibError) as caught:
        TASK.observe(Capture("x", images), **options)
    assert words in str(caught.value) and "\n" not in str(caught.value)
