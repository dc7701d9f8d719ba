"""Scores: equal to a loop of one's own, equal for any number of workers, honest about what could not be scored."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from girlib.errors import GirlibError
from girlib.evaluation import _Job, evaluate
from girlib.methods import CLASSICAL, find_method, list_methods, weights_hash
from girlib.networks import create_model
from girlib.tasks import get_task, list_tasks

SMALL = dict(limit=3, size=32, scale=4)


def test_the_score_is_what_a_loop_finds():
    record = evaluate("bicubic", "depth", **SMALL, seed=5)[0]
    task, errors = get_task("depth"), []
    for seed in (5, 6, 7):
        sample = task.sample(seed, 32, 4)
        error = (sample.target - sample.reference)[0, 0, 6:-6, 6:-6].double()
        errors.append(math.sqrt((error * error).mean()))
    assert list(record.images) == ["scene 5", "scene 6", "scene 7"]
    assert list(record.images.values()) == pytest.approx(errors, rel=1e-6) and record.value == pytest.approx(sum(errors) / 3, rel=1e-6)
    assert (record.unit, record.direction, record.protocol["name"], record.failed) == ("cm", "lower", "sfigf", {})


def test_one_and_several_workers_give_the_same_records():
    here, alone, shared = (evaluate("gf", "depth", limit=5, size=32, scale=4, options={"radius": 2}, workers=n) for n in (0, 1, 4))
    assert [r.result() for r in here] == [r.result() for r in alone] == [r.result() for r in shared]


def test_the_hash_of_the_data_follows_the_data():
    one, again, other = (evaluate("input", "depth", **SMALL, seed=seed)[0] for seed in (0, 0, 1))
    assert one.data == again.data != other.data and one.result() == again.result()


def test_random_weights_follow_from_the_seed():
    one, again, other = (evaluate("svlrm", "depth", limit=1, size=32, scale=4, seed=seed)[0] for seed in (0, 0, 1))
    assert one.images == again.images and one.value != other.value and one.weights is None


def test_modules_and_functions_are_methods():
    network = create_model("svlrm", "depth")
    record = evaluate(network, "depth", limit=1, size=32, scale=4)[0]
    assert record.weights == weights_hash(network) and record.method == "svlrm" and record.trained == {"weights": "of a module"}
    perfect = evaluate(lambda sample: sample.reference, "depth", limit=1, size=32, scale=4)[0]
    assert perfect.value == 0


@pytest.mark.parametrize("method", ["gf", "jbu"])
def test_a_grey_guide_is_the_luminance_of_the_colours(method):
    sample = get_task("depth").sample(1, 32, 4)
    weights = torch.tensor([0.299, 0.587, 0.114])
    sample.guide[:] = sample.guide * torch.rand(1, 3, 1, 1, generator=torch.Generator().manual_seed(0))
    grey = replace(sample, guide=torch.einsum("c,ncyx->nyx", weights, sample.guide)[:, None])
    found = find_method(method, "depth", grey=True)(sample)
    assert torch.allclose(found, find_method(method, "depth")(grey), rtol=1e-5)
    assert (found - find_method(method, "depth")(sample)).abs().max() > 0.1                     # cm: colours count otherwise
    with pytest.raises(GirlibError, match="has 4 channels"):
        find_method(method, "depth", grey=True)(replace(sample, guide=torch.rand(1, 4, 32, 32)))
    with pytest.raises(GirlibError, match="grey is 1;"):
        find_method(method, "depth", grey=1)(sample)


@pytest.mark.parametrize(("network", "size", "bound"), [("svlrm", 96, 1e-6), ("fdkn", 128, 1e-6), ("dctnet", 128, 0.02)])
def test_the_score_of_tiles_is_that_of_the_whole_image(network, size, bound):
    """Equal but for rounding where a pixel sees a window; DCTNet transforms the whole image, so its blended tiles differ."""
    whole, tiled = (evaluate(network, "depth", limit=1, size=size, scale=4, tile=tile)[0] for tile in (0, 64))
    assert whole.tile is None and tiled.tile == 64
    assert tiled.value == pytest.approx(whole.value, rel=bound)


def test_raw_is_developed_as_its_reference_was():
    """Without the camera's balance and curve even an exact raw misses the reference."""
    from girlib.sensors import amplify, bayer_mosaic, develop
    task = get_task("lowlight_red")
    capture = task.scene(3, 32)
    light = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) / 4
    told = {"balance": (2.0, 1.0, 1.5), "curve": "bt709"}
    reference = develop(bayer_mosaic(light), **told)
    images = {"raw": amplify(bayer_mosaic(light), 0.01, 0, 1), "reference": reference}
    given = lambda **meta: task.observe(replace(capture, images=images, meta={"ratio": 100.0, "pattern": "RGGB", **meta}))
    assert torch.allclose(find_method("input", "lowlight_red")(given(**told)), reference, atol=1e-5)
    assert (find_method("input", "lowlight_red")(given()) - reference).abs().mean() > 0.05


def test_only_large_images_are_cut_unless_asked_for(monkeypatch):
    ask = lambda **given: evaluate("svlrm", "depth", limit=1, size=96, scale=4, **given)[0].tile
    assert ask() is None and ask(tile=128) is None                             # a tile that holds the image
    monkeypatch.setattr("girlib.evaluation.LARGE", 96 * 96 - 1)
    monkeypatch.setattr("girlib.evaluation.TILE", 64)
    assert ask() == 64 and ask(tile=0) is None
    assert evaluate("gf", "depth", limit=1, size=96, scale=4)[0].tile is None       # filters need no tiles
    for tile in (-1, 8, 63, 1.5, True, "64"):
        with pytest.raises(GirlibError, match="evaluate: tile is"):
            ask(tile=tile)


def test_a_record_of_weights_that_ship_says_what_their_file_says():
    from girlib.weights import list_weights
    for ours in list_weights()[:1]:
        made = _Job(ours.network, ours.task, "procedural", ours.scales[0], [], "girlib", 32, 0, "cpu", None, {}, {}, False).trained_how()
        assert made["weights"] == "girlib" and made["recipe"] == ours.header["recipe"] and made["hours"] > 0


def test_a_record_says_how_weights_of_our_own_came_about(tmp_path):
    from safetensors.torch import save_file
    network, budget = create_model("svlrm", "depth"), {"budget": "3 CPU-minutes", "seed": 0}
    save_file(network.state_dict(), tmp_path / "ours.safetensors")
    ours = lambda **told: evaluate("svlrm", "depth", limit=1, size=32, scale=4, weights=tmp_path / "ours.safetensors", **told)[0]
    assert ours().trained == {"weights": "ours.safetensors"} and ours(trained=budget).trained == budget
    assert evaluate("bicubic", "depth", limit=1, size=32, scale=4)[0].trained == {}
    with pytest.raises(GirlibError, match="trained is 3;"):
        ours(trained=3)


@pytest.fixture
def middlebury(tmp_path):
    """Three tiny pairs in the authors' layout; the second depth map is cut short."""
    for n in (1, 2, 3):
        random = np.random.default_rng(n)
        for kind, name, shape in (("RGB", "color", (32, 40, 3)), ("Depth", "depth", (32, 40))):
            path = tmp_path / "middlebury" / kind / f"Middlebury_{n:02}_output_{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(1, 255, shape, np.uint8)).save(path)
    broken = tmp_path / "middlebury/Depth/Middlebury_02_output_depth.png"
    broken.write_bytes(broken.read_bytes()[:200])
    return tmp_path


def test_a_damaged_image_is_named_and_the_rest_is_scored(middlebury):
    record = evaluate("bicubic", "depth", "middlebury", scale=4, data_root=str(middlebury))[0]
    assert len(record.images) == 2 and len(record.failed) == 1 and record.value == sum(record.images.values()) / 2
    assert "Middlebury_02" in next(iter(record.failed.values()))
    with pytest.raises(GirlibError, match="Middlebury_02"):
        evaluate("bicubic", "depth", "middlebury", scale=4, data_root=str(middlebury), strict=True)
    with pytest.raises(GirlibError, match="Middlebury_02"):
        evaluate("bicubic", "depth", "middlebury", scale=4, data_root=str(middlebury), strict=True, workers=2)


def test_nothing_that_can_be_scored_is_a_record_without_value(middlebury):
    for path in (middlebury / "middlebury/Depth").glob("*.png"):
        path.write_bytes(b"")
    record = evaluate("bicubic", "depth", "middlebury", scale=4, data_root=str(middlebury))[0]
    assert record.value is None and record.images == {} and len(record.failed) == 3 and record.data is None


def test_protocols_change_the_score():
    values = {name: evaluate("input", "depth", "procedural", limit=2, size=64, scale=4, protocol=name)[0].value
              for name in ("sfigf", "dagf-nearest")}
    assert values["dagf-nearest"] > 1.2 * values["sfigf"]
    noisy = evaluate("input", "depth", limit=2, size=64, scale=4, noise=400.0)[0]
    assert noisy.value > 1.2 * values["sfigf"] and noisy.protocol["sensor"] == {"noise": 400.0}


def test_protocols_with_one_sensor_share_one_restoration():
    calls = []

    def counted(sample):
        calls.append(sample.meta["name"])
        return sample.target

    given = dict(dataset="procedural", limit=2, size=48)
    together = evaluate(counted, "multifocus", protocol=["mgdn", "sfigf", "mgdn"], **given)
    assert len(calls) == 2 and [r.protocol["name"] for r in together] == ["mgdn"] * 4 + ["sfigf"] * 2
    apart = [r for name in ("mgdn", "sfigf") for r in evaluate(counted, "multifocus", protocol=name, **given)]
    assert [r.result() for r in together] == [r.result() for r in apart]
    depth = evaluate("input", "depth", limit=1, size=32, scale=4, protocol="all")
    assert [r.protocol["name"] for r in depth] == [p.name for p in get_task("depth").protocols_for("procedural")]
    assert len({r.value for r in depth}) > 2


def test_miou_is_counted_over_all_images_at_once():
    from girlib.metrics import miou
    from girlib.tasks.segmentation import classes_of
    task = get_task("segmentation")
    (record,) = evaluate("gf", "segmentation", limit=3, size=48, workers=0)
    samples = [task.sample(seed, 48) for seed in range(3)]
    restored = [classes_of(find_method("gf", "segmentation")(sample)) for sample in samples]
    alone = [miou(r, s.reference, classes=13) for r, s in zip(restored, samples, strict=True)]
    assert list(record.images.values()) == pytest.approx(alone, abs=1e-12)
    whole = miou(torch.cat(restored), torch.cat([sample.reference for sample in samples]), classes=13)
    assert record.value == pytest.approx(whole, abs=1e-12) and abs(whole - sum(alone) / 3) > 1e-3


def test_the_unit_follows_the_options_of_the_metric():
    units = lambda task, protocol: {r.metric: r.unit for r in evaluate("input", task, limit=1, size=32, protocol=protocol)}
    assert units("hyperspectral", "gdd")["rmse"] == "grey"                       # factor 255 on [0, 1]
    assert units("pansharpening", "sfigf")["sam"] == "radians" and units("pansharpening", "gdd")["sam"] == "degrees"
    fused = {r.metric: r.unit for r in evaluate("average", "multifocus", limit=1, size=32, protocol="sfigf-lytro")}
    assert fused["mi"] == "nat"


def test_a_protocol_may_ask_for_another_split(tmp_path):
    savemat = pytest.importorskip("scipy.io").savemat
    random, folder = np.random.default_rng(0), tmp_path / "worldview3"
    folder.mkdir()
    low, pan = random.integers(1, 2047, (16, 16, 8), np.uint16), random.integers(1, 2047, (64, 64), np.uint16)
    savemat(folder / "WV3_example.mat", {"I_MS_LR": low, "I_PAN": pan})
    records = evaluate("exp", "pansharpening", "worldview3", protocol="gdd-full", data_root=str(tmp_path))
    assert [r.metric for r in records] == ["qnr", "d_lambda", "d_s"] and not records[0].failed
    assert records[0].protocol["split"] == "full" and list(records[0].images) == ["WV3_example"]
    assert records[0].value == pytest.approx((1 - records[1].value) * (1 - records[2].value))


@pytest.mark.parametrize(("call", "words"), [
    (dict(method="bicubik", task="depth"), "no method 'bicubik'"),
    (dict(method="bicubic", task="depht"), "no task 'depht'"),
    (dict(method="bicubic", task="depth", dataset="lytro"), "no protocol for the dataset 'lytro'"),
    (dict(method="bicubic", task="depth", protocol="dkn"), "no protocol 'dkn'"),
    (dict(method="bicubic", task="depth", protocol=["sfigf", "dkn"]), "no protocol 'dkn'"),
    (dict(method="bicubic", task="depth", protocol=[]), "no protocol []"),
    (dict(method="bicubic", task="depth", dataset="lytro", protocol="all"), "no protocol for the dataset 'lytro'"),
    (dict(method="bicubic", task="depth", scale=3), "expected 4, 8, 16"),
    (dict(method="bicubic", task="depth", limit=0), "limit is 0"),
    (dict(method="bicubic", task="depth", workers=True), "workers is True"),
    (dict(method="bicubic", task="depth", seed=-1), "seed is -1"),
    (dict(method="bicubic", task="depth", size=8), "size is 8"),
    (dict(method="bicubic", task="depth", weights="official"), "bicubic has no weights"),
    (dict(method="gf", task="depth", options={"radios": 3}), "no option 'radios'"),
    (dict(method="gf", task="depth", options={"radius": -3}), "radius"),
    (dict(method="pannet", task="depth"), "pannet is not made for the task"),
    (dict(method="sfigf", task="depth", weights="official", scale=8), "no weights of sfigf were released"),
    (dict(method="bicubic", task="depth", device="cuda:99"), "cuda:99"),
    (dict(method="bicubic", task="depth", downsampling="cubic"), "cubic"),
    (dict(method=lambda sample: sample.target, task="depth", workers=2), "cannot be sent to other processes"),
])  # fmt: skip
def test_a_wrong_request_is_one_sentence(call, words):
    with pytest.raises(GirlibError) as caught:
        evaluate(**{"limit": 1, "size": 32, "strict": True, **call})
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_every_method_has_its_name_once():
    assert set(CLASSICAL) <= set(list_methods("depth")) and "dagf" in list_methods("depth") and "pannet" not in list_methods("depth")
    assert find_method("average", "multifocus")
    assert list_tasks()[0] == "depth" and "sfigf: SFIGF, Table 1" in str(get_task("depth"))
