"""Pan-sharpening: low-resolution bands by Wald's protocol or as delivered, and the scores of enlargement on the real scenes."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from girlib.datasets import open_dataset
from girlib.errors import GirlibError
from girlib.evaluation import evaluate
from girlib.metrics import measure
from girlib.networks import create_model, list_models, predict
from girlib.resampling import downsample, upsample
from girlib.samples import Capture, crop
from girlib.sensors import wald
from girlib.tasks import get_task

TASK = get_task("pansharpening")


def rand(*shape):
    return torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))


def capture(sensor="worldview3", **images):
    return Capture("scene", images, "1", {"sensor": sensor, "ratio": 4, "bits": 11})


@pytest.mark.parametrize("size, cut", [(16, (16, 16)), ((37, 50), (36, 48))])
def test_the_procedural_sample_follows_walds_protocol(size, cut):
    sample, again, other = TASK.sample(1, size), TASK.sample(1, size), TASK.sample(2, size)
    assert sample.target.shape == sample.reference.shape == (1, 8, *cut) and sample.guide.shape == (1, 1, *cut)
    assert sample.low.shape == (1, 8, cut[0] // 4, cut[1] // 4)
    assert torch.equal(sample.low, wald(sample.reference, "worldview3")) and torch.equal(sample.target, upsample(sample.low, cut, "exp"))
    assert {key: sample.meta[key] for key in ("ratio", "sensor", "bits", "resolution", "name")} == {
        "ratio": 4, "sensor": "worldview3", "bits": None, "resolution": "reduced", "name": "overhead 1"}
    assert torch.equal(sample.guide, again.guide) and not torch.equal(sample.guide, other.guide)


@pytest.mark.parametrize("enlarge", ["exp", "bicubic", "bicubic-wald"])
def test_a_recorded_pair_stays_as_it_is(enlarge):
    low, pan, reference = rand(8, 4, 5), rand(1, 16, 20), rand(8, 16, 20)
    for reduce in (None, "wald", "bicubic-matlab"):
        sample = TASK.observe(capture(low=low, pan=pan, reference=reference), enlarge=enlarge, reduce=reduce)
        assert all(torch.equal(*pair) for pair in ((sample.low, low), (sample.guide, pan), (sample.reference, reference)))
        assert torch.equal(sample.target, upsample(low, (16, 20), enlarge))


def test_a_scene_as_delivered_has_no_reference():
    low, pan = rand(8, 8, 12).double(), rand(1, 32, 48)
    sample = TASK.observe(capture(low=low, pan=pan))
    assert sample.reference is None and sample.meta["resolution"] == "full" and torch.equal(sample.low, low.float())
    assert sample.target.dtype == torch.float32 and sample.target.shape == (1, 8, 32, 48)


@pytest.mark.parametrize("reduce, sensor", [("wald", "worldview2"), ("bicubic-matlab", "worldview2"), ("wald", "pleiades")])
def test_a_reduced_scene_has_its_own_bands_as_reference(reduce, sensor):
    low, pan = rand(8, 9, 14), rand(1, 36, 56)
    sample = TASK.observe(capture(sensor, low=low, pan=pan), reduce=reduce)
    make = (lambda image: wald(image, "unknown" if sensor == "pleiades" else sensor)) if reduce == "wald" else \
           (lambda image: downsample(image, 4, reduce))
    assert torch.equal(sample.reference, low[..., :8, :12])
    assert torch.equal(sample.low, make(low[..., :8, :12])) and torch.equal(sample.guide, make(pan[..., :32, :48]))
    assert sample.meta["resolution"] == "reduced" and sample.meta["sensor"] == sensor


@pytest.mark.parametrize("size", [16, (33, 40)])
def test_every_network_of_the_task_restores_the_sample(size):
    sample = TASK.sample(0, size)
    for name in list_models("pansharpening"):
        torch.manual_seed(0)
        options, asked = ({"width": 4}, {"steps": 1}) if name == "gdd" else ({}, {})
        assert predict(create_model(name, "pansharpening", **options), sample, **asked).shape == sample.reference.shape, name


@pytest.mark.parametrize("protocol", [p for p in TASK.protocols if "procedural" in p.datasets], ids=lambda protocol: protocol.name)
def test_every_protocol_of_procedural_scenes_scores_enlargement(protocol):
    records = evaluate("exp", "pansharpening", protocol=protocol.name, size=96, limit=1)
    assert [record.metric for record in records] == [name for name, _ in protocol.metrics] and not records[0].failed


def test_a_black_pixel_counts_as_a_right_angle_in_sfigfs_table_and_not_at_all_in_gdds():
    reference = rand(8, 16, 16) + 0.1
    black = reference.clone()
    black[..., 3, 5] = 0
    options = {name: dict(TASK.protocol("procedural", name).metrics)["sam"] for name in ("sfigf", "gdd")}
    assert measure("sam", restored=black, reference=reference, **options["sfigf"]) == pytest.approx(math.pi / 2 / 256, abs=1e-6)
    assert measure("sam", restored=black, reference=reference, **options["gdd"]) == pytest.approx(0, abs=1e-4)


# ------------------------------------------------------------------------------------------------------- the real scenes

@pytest.fixture
def data():
    folder = os.environ.get("GIRLIB_DATA")
    if not folder or not Path(folder, "worldview3").is_dir():
        pytest.skip("GIRLIB_DATA with the pan-sharpening scenes is not set.")


# of a float64 program of its own: PSNR over the cube, mean over bands, SAM in degrees, ERGAS; to the last digit
KNOWN = [
    ("worldview3", "exp", {}, (27.028652, 28.203629, 6.197563, 8.490146)),
    ("worldview3", "bicubic", {}, (26.785319, 27.956123, 6.209169, 8.731633)),
    ("worldview3", "input", {"enlarge": "bicubic-wald"}, (26.913555, 28.081602, 6.099564, 8.603496)),
    ("pleiades", "exp", {}, (26.578475, 27.877026, 4.665937, 5.736003)),
    ("pan_im4", "exp", {}, (26.975911, 27.241594, 4.465930, 7.637056)),
    ("pan_im4", "input", {"enlarge": "bicubic-matlab"}, (27.447396, 27.706360, 4.057018, 7.243475)),
    ("worldview2", "exp", {"reduce": "wald"}, (24.248089, 25.327643, 7.715399, 7.607753)),
    ("worldview2", "exp", {"reduce": "bicubic-matlab"}, (24.570261, 25.623826, 7.390189, 7.345020)),
]


@pytest.mark.parametrize("dataset, method, sensor, expected", KNOWN, ids=["-".join([*row[:2], *row[2].values()]) for row in KNOWN])
def test_plain_enlargement_scores_what_was_found_elsewhere(data, dataset, method, sensor, expected):
    records = evaluate(method, "pansharpening", dataset, protocol="plain", **sensor)
    assert [record.value for record in records] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("dataset, file, protocol, sensor, keys", [
    ("worldview3", "worldview3/WV3_test.mat", "sfigf", {}, ("psnr", "ssim_wang", "sam_rad_eps", "ergas", "scc_pearson", "q8x8")),
    ("pan_im4", "gdd/pan_im4.mat", "gdd", {"enlarge": "exp"}, ("q2n_dn", None, None, None))])
def test_the_columns_of_both_papers_are_those_that_were_found_elsewhere(data, dataset, file, protocol, sensor, keys):
    golden = os.environ.get("GIRLIB_REFERENCE")
    if not golden:
        pytest.skip("GIRLIB_REFERENCE is not set.")
    stored = json.loads(Path(golden, "golden", "metrics", "pan_real.json").read_text())["values"][f"{file} | 23-tap interpolation (EXP)"]
    for record, key in zip(evaluate("input", "pansharpening", dataset, protocol=protocol, **sensor), keys, strict=True):
        if key:                                         # stored values are of clipped images; GDD's other columns clip nothing
            assert record.value == pytest.approx(stored[key], abs=1e-6), key


def test_a_stored_result_of_gdd_scores_as_it_did_elsewhere(data):
    path = Path(os.environ["GIRLIB_DATA"], "gdd", "pan_im4_run_out.npz")
    if not path.is_file():
        pytest.skip("gdd/pan_im4_run_out.npz is not in GIRLIB_DATA.")
    restored = torch.from_numpy(np.load(path)["out"]).permute(2, 0, 1)[None]
    records = evaluate(lambda sample: restored, "pansharpening", "pan_im4", protocol="gdd")
    assert [round(record.value, digits) for record, digits in zip(records, (3, 2, 2, 3), strict=True)] == [0.961, 4.93, 3.60, 0.966]
    reference = open_dataset("pan_im4")[0].images["reference"]
    whole = measure("q2n", restored=restored * 2047, reference=reference * 2047)
    assert restored.min() < 0 and records[0].value == pytest.approx(whole, abs=1e-4)


def test_low_resolution_bands_made_anew_are_the_recorded_ones(data):
    for dataset, reduce in (("worldview3", "wald"), ("pleiades", "wald"), ("pan_im4", "bicubic-matlab")):
        whole = open_dataset(dataset)[0]
        alone = Capture(whole.name, {role: whole.images[role] for role in ("reference", "pan")}, "1", whole.meta)
        assert (TASK.observe(alone, reduce=reduce).low - whole.images["low"]).abs().max() < 2e-7


def test_full_resolution_is_scored_without_a_reference(data):
    sample = TASK.observe(crop(open_dataset("worldview2")[0], 320, 640, 256, 256))
    images = {"restored": sample.target, "reference": sample.reference, "low": sample.low, "guide": sample.guide}
    qnr, d_lambda, d_s = (measure(name, **images, **options) for name, options in TASK.protocol("worldview2").metrics)
    assert sample.reference is None and d_lambda < 1e-6                     # EXP is what the toolbox compares with
    assert qnr == pytest.approx((1 - d_lambda) * (1 - d_s)) and 0 < d_s < 0.2


BAD = [
    (capture(low=rand(8, 4, 4)), {}, "has no image 'pan', only low"),
    (capture(pan=rand(1, 16, 16)), {}, "has pan; expected low or reference beside pan"),
    (capture(pan=rand(3, 16, 16), low=rand(8, 4, 4)), {}, "pan has 3 channels; it must have 1"),
    (capture(pan=rand(1, 16, 16), low=rand(8, 4, 4), reference=rand(4, 16, 16)), {}, "low has 8 bands and reference 4"),
    (capture(pan=rand(1, 16, 16), low=rand(8, 8, 8)), {}, "low is 8x8 and pan 16x16; expected low of 4x4"),
    (capture(pan=rand(1, 16, 16), low=rand(8, 4, 4), reference=rand(8, 16, 20)), {}, "reference is 16x20 and pan 16x16"),
    (capture(pan=rand(1, 16, 16), low=rand(8, 4, 4)), {"scale": 2}, "scale is 2; satellites come with 4"),
    (capture(pan=rand(1, 16, 16), low=rand(8, 4, 4)), {"reduce": "mean"}, "reduce is 'mean'; expected wald or bicubic-matlab, or None"),
    (capture(pan=rand(1, 16, 16), low=rand(8, 4, 4)), {"enlarge": "sinc"}, "how is 'sinc'; choose one of"),
    (capture(pan=rand(1, 16, 16), reference=rand(5, 16, 16)), {}, "the image has 5 channels, but worldview3 has 8 bands"),
    (capture(pan=rand(1, 3, 3), reference=rand(8, 3, 3)), {}, "images of 3x3 are smaller than 4"),
    (capture(pan=rand(1, 16, 16), low=rand(8, 4, 4) * torch.inf), {}, "low is inf at"),
]


@pytest.mark.parametrize("bad, options, words", BAD, ids=[words for _, _, words in BAD])
def test_bad_captures_are_refused_in_one_sentence(bad, options, words):
    with pytest.raises(GirlibError) as error:
        TASK.observe(bad, **options)
    assert words in str(error.value) and "\n" not in str(error.value)
