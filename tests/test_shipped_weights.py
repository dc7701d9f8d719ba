"""Weights that come with the package: whole, small, told about, and better than what needs no training."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

import girlib
from girlib import GirlibError, evaluate, load_model
from girlib.methods import weights_hash
from girlib.recipes import recipe
from girlib.weights import FOLDER, find_weights, list_weights, read_header

SHIPPED = list_weights()
NAMES = [one.path.stem for one in SHIPPED]


def test_all_files_together_stay_small():
    files = list(FOLDER.iterdir())
    assert SHIPPED and sum(file.stat().st_size for file in files if file.suffix == ".safetensors") < 10 * 2**20
    assert {file.suffix for file in files if file.is_file()} == {".py", ".safetensors"}


@pytest.mark.parametrize("one", SHIPPED, ids=NAMES)
def test_a_file_is_half_precision_and_says_how_it_came_about(one):
    from safetensors.torch import load_file
    floating = [x for x in load_file(one.path).values() if x.is_floating_point()]
    assert floating and {x.dtype for x in floating} == {torch.float16} and all(x.isfinite().all() for x in floating)
    header = one.header
    assert header["data"].startswith("procedural scenes") and header["licence"] == "MIT" and header["cpu minutes"] > 0
    assert re.fullmatch(r"[0-9a-f]{7,}\+?", header["commit"]) and header["seed"] == header["recipe"]["seed"]
    assert one.path.stem == f"{one.network}-{one.task}" or one.path.stem == f"{one.network}-{one.task}-x{one.scales[0]}"
    assert header["recipe"]["data"] == "procedural" and [score["scale"] for score in header["scores"]] == list(one.scales)


@pytest.mark.parametrize("one", SHIPPED, ids=NAMES)
def test_a_file_fits_its_network_without_any_option_from_the_user(one):
    network = load_model(one.network, one.task, weights="girlib", scale=one.scales[0])
    assert weights_hash(network) == one.header["sha256"]
    made = recipe(one.network, one.task, one.scales[0], profile="girlib", seed=one.header["seed"])
    assert json.loads(json.dumps(asdict(made))) == {**json.loads(json.dumps(asdict(made))), **one.header["recipe"]}


@pytest.mark.parametrize("one", SHIPPED, ids=NAMES)
def test_weights_are_better_than_what_needs_none_and_score_as_their_header_says(one):
    """The same three scenes that the header tells of, at the last scale; half precision and other machines move a score by far less."""
    told = one.header["scores"][-1]
    same = dict(scale=told["scale"], limit=told["scenes"], size=told["size"])
    mine = evaluate(one.network, one.task, weights="girlib", **same)[0]
    plain = evaluate(told["baseline"], one.task, **same)[0]
    assert mine.metric == told["metric"] and mine.value == pytest.approx(told["value"], rel=5e-3)
    assert mine.value < plain.value if mine.direction == "lower" else mine.value > plain.value


def test_what_does_not_ship_is_answered_with_what_does():
    one = SHIPPED[0]
    with pytest.raises(GirlibError, match="no weights of girlib for gdd on hyperspectral; there are .*" + one.network):
        load_model("gdd", "hyperspectral", weights="girlib")
    if one.scales[0]:
        with pytest.raises(GirlibError, match=f"at scale 3; there are {one.scales[0]}"):
            find_weights(one.network, one.task, 3)
    random = [load_model(one.network, one.task, **one.options) for _ in range(2)]
    assert weights_hash(random[0]) != weights_hash(random[1])               # weights=None is what it was


@pytest.mark.parametrize("content", (b"", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0[]"))
def test_a_damaged_file_is_one_sentence(tmp_path, content):
    path = Path(tmp_path, "a.safetensors")
    path.write_bytes(content)
    with pytest.raises(GirlibError, match="damaged"):
        read_header(path)


def test_a_line_tells_scores_and_cost():
    for one in SHIPPED:
        assert one.network in str(one) and "CPU-minutes" in str(one) and one.header["scores"][0]["metric"] in str(one)


def test_an_installed_package_holds_them():
    """pyproject.toml names the folder and the kind of file; an installed copy is read from where it lies."""
    tomllib = pytest.importorskip("tomllib")
    setup = tomllib.loads((Path(girlib.__file__).parents[1] / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "girlib.weights" in setup["packages"] and "*.safetensors" in setup["package-data"]["*"]
