"""Low-light raw with a mono camera: MCR's exposures and 8 bits, nothing clipped, and no guide that lies beside the picture."""

import os

import pytest
import torch

from girlib.datasets import open_dataset
from girlib.errors import GirlibError
from girlib.methods import find_method
from girlib.metrics import psnr
from girlib.networks import create_model, predict
from girlib.samples import Capture
from girlib.tasks import get_task

TASK = get_task("lowlight_mono")
META = {"ratio": 12287 / 511, "pattern": "RGGB", "black": 0, "white": 255}
IMAGES = {"raw": torch.full((1, 1, 16, 16), 0.2), "mono": torch.full((1, 1, 16, 16), 0.5), "reference": torch.full((1, 3, 16, 16), 0.5)}


@pytest.mark.parametrize(("size", "cut"), [(16, (16, 16)), ((37, 22), (36, 22)), ((18, 35), (18, 34))])
def test_mosaic_mono_and_reference_have_one_size(size, cut):
    sample = TASK.sample(1, size)
    assert sample.target.shape == sample.guide.shape == (1, 1, *cut) and sample.reference.shape == (1, 3, *cut)


def test_scene_and_noise_follow_from_the_seed_and_so_does_the_shutter():
    one, again = TASK.sample(4, 24), TASK.sample(4, 24)
    assert torch.equal(one.target, again.target) and torch.equal(one.guide, again.guide)
    shutters = [round(12287 / TASK.scene(seed, 16).meta["ratio"]) for seed in range(8)]
    assert shutters == [0x7f, 0xff, 0x1ff, 0x3ff, 0x7ff, 0xfff, 0x1fff, 0x7f]


def test_what_is_recorded_has_eight_bits():
    images = TASK.scene(2, 32).images
    for name in ("raw", "long_raw", "mono"):
        assert torch.allclose(images[name] * 255, (images[name] * 255).round(), atol=1e-4)


def test_raw_is_amplified_and_not_clipped():
    sample = TASK.observe(Capture("x", IMAGES, "1", META))
    assert torch.allclose(sample.target, IMAGES["raw"] * 12287 / 511, rtol=1e-6) and sample.target.max() > 4
    assert torch.equal(sample.guide, IMAGES["mono"]) and torch.equal(sample.reference, IMAGES["reference"])


def test_the_mono_picture_helps_the_filter():
    sample = TASK.sample(0, 48)
    alone, guided = (psnr(find_method(name, "lowlight_mono")(sample), sample.reference) for name in ("input", "gf"))
    assert guided > alone + 3                                                # dB


def test_the_network_gives_srgb_whatever_the_guide():
    sample = TASK.sample(0, (22, 36))
    network = create_model("sfigf", "lowlight_mono", width=8, levels=2)
    restored = predict(network, sample)
    assert restored.shape == sample.reference.shape and restored.isfinite().all()
    other = type(sample)(sample.target, 1 - sample.guide, sample.reference, meta=sample.meta)
    assert torch.equal(predict(network, other), restored)                    # the released network never reads it


def test_filters_work_on_the_planes_and_develop_their_result():
    sample = TASK.sample(0, 24)
    for name in ("input", "gf", "jbf"):
        assert find_method(name, "lowlight_mono")(sample).shape == sample.reference.shape


@pytest.mark.skipif("GIRLIB_DATA" not in os.environ, reason="GIRLIB_DATA does not say where the datasets are.")
def test_the_unaligned_sample_is_refused():
    capture = open_dataset("mcr", split="sample")[0]
    complete = Capture(capture.name, {**capture.images, "reference": capture.images["raw"].expand(-1, 3, -1, -1)}, "1", capture.meta)
    with pytest.raises(GirlibError, match="do not lie pixel on pixel"):
        TASK.observe(complete)
    with pytest.raises(GirlibError, match="no image 'reference'"):
        TASK.observe(capture)


@pytest.mark.parametrize(("images", "meta", "words"), [
    ({name: IMAGES[name] for name in ("raw", "reference")}, META, "no image 'mono'"),
    ({name: IMAGES[name] for name in ("mono", "reference")}, META, "no image 'raw'"),
    ({**IMAGES, "mono": IMAGES["mono"][..., :8]}, META, "expected one size"),
    ({**IMAGES, "mono": IMAGES["reference"]}, META, "mono has 3 channels"),
    (IMAGES, {**META, "pattern": "GRBG"}, "the pattern 'GRBG'"),
    (IMAGES, {**META, "ratio": True}, "the ratio True"),
    (IMAGES, {**META, "aligned": False}, "do not lie pixel on pixel"),
])  # fmt: skip
def test_a_wrong_request_is_one_sentence(images, meta, words):
    with pytest.raises(GirlibError) as caught:
        TASK.observe(Capture("x", images, "1", meta))
    assert words in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(GirlibError, match="scale is 4"):
        TASK.observe(Capture("x", IMAGES, "1", META), scale=4)
