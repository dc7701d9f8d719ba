"""Depth super-resolution: the published recipe on real maps, its variants, units and cuts."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from girlib.datasets import open_dataset
from girlib.errors import GirlibError
from girlib.methods import find_method
from girlib.metrics import rmse
from girlib.networks import create_model, predict
from girlib.samples import Capture
from girlib.tasks import get_task

TASK = get_task("depth")
real = pytest.mark.skipif("GIRLIB_DATA" not in os.environ, reason="GIRLIB_DATA does not say where the datasets are.")


@pytest.fixture(scope="module")
def middlebury():
    return open_dataset("middlebury")[0]


def tabulated(variant, scale, border):
    with open(Path(os.environ["GIRLIB_DATA"]) / "baselines_per_image.csv", newline="") as file:
        (row,) = [row for row in csv.DictReader(file) if (row["dataset"], row["variant"], row["image"]) == ("Middlebury", variant, "1")
                  and (int(row["scale"]), int(row["border_crop"])) == (scale, border)]
    return float(row["rmse"])


@real
@pytest.mark.parametrize("scale", [4, 8, 16])
@pytest.mark.parametrize(("variant", "sensor"), [("A", {}), ("G3", {"downsampling": "nearest-bottomright"})])
def test_the_recipe_gives_the_tabulated_error(middlebury, scale, variant, sensor):
    sample = TASK.observe(middlebury, scale, **sensor)
    for border in (0, 6):
        assert rmse(sample.target, sample.reference, border=border) == pytest.approx(tabulated(variant, scale, border), abs=2e-6)


@real
def test_middlebury_stays_in_grey_levels(middlebury):
    sample = TASK.observe(middlebury, 8)
    height, width = middlebury.images["depth"].shape[-2:]
    assert sample.unit == "grey" and sample.reference.shape[-2:] == (height // 8 * 8, width // 8 * 8)
    assert torch.equal(sample.reference, middlebury.images["depth"][..., :height // 8 * 8, :width // 8 * 8])
    assert torch.equal(sample.guide, middlebury.images["color"][..., :height // 8 * 8, :width // 8 * 8])


@pytest.mark.parametrize(("size", "scale", "cut"), [(16, 4, (16, 16)), ((37, 45), 8, (32, 40)), (33, 16, (32, 32))])
def test_rows_and_columns_at_the_end_are_cut_to_whole_cells(size, scale, cut):
    capture, sample = TASK.scene(2, size), TASK.sample(2, size, scale)
    assert sample.target.shape == sample.reference.shape == (1, 1, *cut) and sample.guide.shape == (1, 3, *cut)
    assert sample.low.shape == (1, 1, cut[0] // scale, cut[1] // scale)
    assert torch.equal(sample.guide, capture.images["color"][..., :cut[0], :cut[1]])


def test_metres_become_centimetres():
    capture, sample = TASK.scene(1, 16), TASK.sample(1, 16)
    assert capture.unit == "m" and sample.unit == "cm"
    assert torch.equal(sample.reference, capture.images["depth"] * 100)


def test_the_target_is_pillow_s_bicubic_down_and_up():
    sample = TASK.sample(0, 40, 8)
    depth = Image.fromarray(sample.reference[0, 0].numpy())
    enlarged = depth.resize((5, 5), Image.BICUBIC).resize((40, 40), Image.BICUBIC)
    assert np.abs(sample.target[0, 0].numpy() - np.asarray(enlarged)).max() < 1e-3                   # centimetres, float32


def test_noise_has_its_variance_and_lies_on_the_low_image():
    clean, noisy = TASK.sample(0, 256, 4), TASK.sample(0, 256, 4, noise=25.0)
    difference = noisy.low - clean.low
    assert difference.numel() == 64 ** 2 and difference.var().item() == pytest.approx(25, rel=0.1)   # 4.5 standard deviations
    assert abs(difference.mean().item()) < 5 * 5 / 64 and torch.equal(noisy.reference, clean.reference)
    again, other = TASK.sample(0, 256, 4, noise=25.0), TASK.observe(TASK.scene(0, 256), 4, seed=1, noise=25.0)
    assert torch.equal(again.target, noisy.target) and not torch.equal(other.target, noisy.target)


def test_scenes_follow_from_the_seed():
    one, again, other = (TASK.sample(seed, 24) for seed in (3, 3, 4))
    assert torch.equal(one.target, again.target) and not torch.equal(one.target, other.target)


def test_holes_and_a_sensor_s_own_map_are_kept_apart():
    images = {**TASK.scene(0, 18).images, "valid": torch.ones(1, 1, 18, 18, dtype=torch.bool), "low": torch.ones(1, 1, 6, 6)}
    images["valid"][..., :4, :4] = False
    sample = TASK.observe(Capture("x", images, "m"), 4)
    assert sample.valid.shape == (1, 1, 16, 16) and sample.valid.sum() == 256 - 16
    assert sample.low.shape == (1, 1, 4, 4) and sample.low.max() > 1         # made from the depth, not the map that came along


def test_enlarging_is_the_protocol_s():
    pillow, torchs = TASK.sample(0, 32, 4), TASK.sample(0, 32, 4, **TASK.protocol("nyu", "mgdn").sensor)
    assert torch.equal(pillow.low, torchs.low) and not torch.equal(pillow.target, torchs.target)


@pytest.mark.parametrize("name", ["dagf", "svlrm", "djf"])
def test_networks_restore_it(name):
    sample = TASK.sample(0, 32)
    small = {"dagf": dict(width=4, levels=2, residual_blocks=1)}.get(name, {})
    restored = predict(create_model(name, "depth", **small), sample)
    assert restored.shape == sample.reference.shape and restored.isfinite().all()


@pytest.mark.parametrize("name", ["input", "nearest", "bilinear", "bicubic", "gf", "jbf", "jbu"])
def test_filters_restore_it(name):
    sample = TASK.sample(0, 32)
    restored = find_method(name, "depth")(sample)
    assert restored.shape == sample.reference.shape
    assert rmse(restored, sample.reference) < sample.reference.std() / 2     # a constant would have all of it


def test_dagf_cuts_to_sixteen_and_scales_noise_and_films_to_255():
    room = TASK.scene(0, (40, 72))
    assert TASK.observe(room, 4, multiple=16).reference.shape[-2:] == (32, 64)
    for name in ("dagf-bicubic", "dagf-nearest", "dagf-noisy"):
        protocol = TASK.protocol("nyu", name)
        assert protocol.metrics == (("rmse", {"border": 6}),) and protocol.sensor["multiple"] == 16 and "sintel" in protocol.datasets
    clean, noisy = TASK.observe(room, 4), TASK.observe(room, 4, grey_noise=25.0)
    share = (clean.reference.max() - clean.reference.min()) / 255                        # cm in a grey level
    assert (noisy.low - clean.low).std().item() == pytest.approx(5 * share.item(), rel=0.15)
    grey = Capture("grey", {**room.images, "depth": 255 * room.images["depth"] / room.images["depth"].max()}, "grey")
    assert torch.equal(TASK.observe(grey, 4, noise=25.0).low, TASK.observe(grey, 4, grey_noise=25.0).low)
    film = TASK.observe(Capture("film", {**room.images, "depth": 9000 * room.images["depth"]}, "film units"), 4)
    assert (film.unit, film.reference.min().item(), film.reference.max().item()) == ("grey", 0, 255)


def test_a_recorded_depth_is_taken_as_it_is_or_refused():
    room, low = TASK.scene(0, 32), torch.rand(1, 1, 8, 8)
    capture = Capture("sensor", {**room.images, "low": low}, "grey")
    assert torch.equal(TASK.observe(capture, 4, recorded=True).low, low)
    assert not torch.equal(TASK.observe(capture, 4).low, low)
    with pytest.raises(GirlibError, match=r"a low of 8x8; expected 4x4 at scale 8, or recorded=False\.$"):
        TASK.observe(capture, 8, recorded=True)
    with pytest.raises(GirlibError, match="has no low; expected 8x8"):
        TASK.observe(room, 4, recorded=True)


IMAGES = {"color": torch.full((1, 3, 16, 16), 0.5), "depth": torch.full((1, 1, 16, 16), 2.0)}


@pytest.mark.parametrize(("images", "options", "words"), [
    ({"color": IMAGES["color"]}, {}, "no image 'depth'"),
    ({"depth": IMAGES["depth"]}, {}, "no image 'color'"),
    ({**IMAGES, "depth": IMAGES["depth"][..., :8]}, {}, "expected one size"),
    ({**IMAGES, "depth": IMAGES["color"]}, {}, "depth has 3 channels"),
    ({**IMAGES, "depth": IMAGES["depth"] * torch.nan}, {}, "not finite"),
    ({name: image[..., :3] for name, image in IMAGES.items()}, {}, "smaller"),
    (IMAGES, {"scale": 3}, "scale is 3"),
    (IMAGES, {"scale": None}, "scale is None"),
    (IMAGES, {"downsampling": "cubic"}, "'cubic'"),
    (IMAGES, {"upsampling": "area"}, "'area'"),
    (IMAGES, {"noise": -1.0}, "noise is -1.0; expected a variance from 0 up"),
])  # fmt: skip
def test_a_wrong_request_is_one_sentence(images, options, words):
    with pytest.raises(GirlibError) as caught:
        TASK.observe(Capture("x", images, "m"), **options)
    assert words in str(caught.value) and "\n" not in str(caught.value)
