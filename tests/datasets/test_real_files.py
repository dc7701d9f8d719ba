"""The published files themselves, where GIRLIB_DATA holds them: sizes, units, splits, and the scores of plain interpolation."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from girlib.datasets import __main__ as rows
from girlib.datasets import open_dataset
from girlib.datasets.raw import _scene_table
from girlib.datasets.spectral import CAVE_TEST
from girlib.resampling import downsample


@pytest.fixture
def data():
    folder = os.environ.get("GIRLIB_DATA")
    if not folder:
        pytest.skip("GIRLIB_DATA is not set, so the published files can't be read.")

    def below(path):
        if not Path(folder, path).exists():
            pytest.skip(f"{path} is not in GIRLIB_DATA.")
        return Path(folder, path)

    return below


# name, split, folder, number of scenes here, unit, keys and shapes of the first scene
WHOLE = [("middlebury", "test", "middlebury", 30, "grey", {"color": (3, 370, 427), "depth": (1, 370, 427)}),
         ("lu", "test", "lu", 6, "grey", {"color": (3, 480, 640), "depth": (1, 480, 640)}),
         ("nyu", "test", "nyu_v2", None, "m", {"color": (3, 480, 640), "depth": (1, 480, 640)}),
         ("art", "test", "art", 1, "grey", {"color": (3, 1088, 1376), "depth": (1, 1088, 1376), "low": (1, 68, 86),
                                            "target": (1, 1088, 1376), "confidence": (1, 1088, 1376)}),
         ("worldview3", "reduced", "worldview3", 1, "1", {"low": (8, 64, 64), "pan": (1, 256, 256), "reference": (8, 256, 256)}),
         ("worldview3", "full", "worldview3", 1, "1", {"low": (8, 32, 32), "pan": (1, 128, 128)}),
         ("worldview2", "full", "worldview2", 1, "1", {"low": (8, 320, 320), "pan": (1, 1280, 1280)}),
         ("pleiades", "reduced", "pleiades", 1, "1", {"low": (4, 64, 64), "pan": (1, 256, 256), "reference": (4, 256, 256)}),
         ("pan_im4", "reduced", "gdd/pan_im4.mat", 1, "1", {"low": (8, 46, 54), "pan": (1, 184, 216), "reference": (8, 184, 216)}),
         ("lytro", "test", "lytro", 20, "1", {"first": (3, 520, 520), "second": (3, 520, 520)}),
         ("mefb", "test", "mef", None, "1", {"first": (3, 356, 536), "second": (3, 356, 536)}),
         ("flash", "test", "flash", None, "1", {"noflash": (3, 636, 780), "flash": (3, 636, 780)}),
         ("mcr", "sample", "mcr/C00400_48mp_0x8_0x007f.png", 3, "1", {role: (1, 1024, 1280) for role in ("raw", "long_raw", "mono")})]


@pytest.mark.parametrize("name, split, folder, count, unit, shapes", WHOLE, ids=[f"{case[0]}-{case[1]}" for case in WHOLE])
def test_published_files_are_read(data, name, split, folder, count, unit, shapes):
    data(folder)
    opened = open_dataset(name, split)
    capture = opened[0]
    assert len(opened) == count or count is None
    assert capture.unit == unit and {role: tuple(image.shape[1:]) for role, image in capture.images.items()} == shapes
    assert all(torch.isfinite(image).all() and image.min() >= 0 for image in capture.images.values())


def test_under_is_darker_than_over(data):
    data("mef")
    for capture in open_dataset("mefb"):
        assert capture.images["first"].mean() < capture.images["second"].mean()


def test_art_is_enlarged_by_matlabs_bicubic(data):
    data("art")
    images = open_dataset("art")[0].images
    from girlib.resampling import upsample
    difference = upsample(images["low"], (1088, 1376), "bicubic-matlab") - images["target"]
    assert difference.abs().max() < 0.02                                    # 16 bits of 255 grey levels, rounded twice


def test_pan_im4_is_reduced_by_matlabs_bicubic(data):
    data("gdd/pan_im4.mat")
    images = open_dataset("pan_im4")[0].images
    assert (downsample(images["reference"], 4, "bicubic-matlab") - images["low"]).abs().max() < 1e-6       # stored in single precision


def test_split_of_cave_is_the_published_one(data):
    with open(data("cave/split.tsv"), newline="") as file:
        table = list(csv.DictReader(file, delimiter="\t"))
    assert [row["scene"].removesuffix("_ms") for row in table if row["split"] == "test"] == list(CAVE_TEST) and len(table) == 32


def test_lists_of_sid_hold_2697_pairs_of_231_scenes(data):
    folder = data("sid/sony_scenes.tsv").parent
    pairs = {split: _scene_table(folder, split, None) for split in ("train", "val", "test")}
    assert {split: len(found) for split, found in pairs.items()} == {"train": 1865, "val": 234, "test": 598}
    assert len({short[:5] for found in pairs.values() for short, _ in found}) == 231


@pytest.mark.parametrize("name, factor, title", rows.DEPTH)
@pytest.mark.parametrize("how, variant, border, note", rows.PROTOCOLS)
def test_bicubic_rows_of_depth_equal_the_reference_to_six_digits(data, name, factor, title, how, variant, border, note):
    data({"nyu": "nyu_v2"}.get(name, name)); data("baselines.csv")
    captures = list(open_dataset(name))
    if name == "nyu" and len(captures) != 8:
        pytest.skip("the reference is of eight scenes of NYU.")
    for scale in rows.SCALES:
        assert abs(rows.mean_rmse(captures, how, border, scale, factor) - rows.baselines()[title, variant, border, scale]) < 1e-6


@pytest.mark.parametrize("name, distance", [("lu", 0.005), ("middlebury", 0.02)])        # 0.005: equal in the digits that are printed
def test_the_bicubic_rows_of_dagf_are_the_nearest_phase(data, name, distance):
    data(name)
    captures = list(open_dataset(name))
    for scale, printed in zip(rows.SCALES, rows.DAGF_TABLE_1[name.capitalize()], strict=True):
        assert abs(rows.mean_rmse(captures, "nearest-bottomright", 0, scale) - printed) < distance


@pytest.mark.parametrize("name, how", rows.REFERENCE)
def test_rows_of_pansharpening_equal_the_reference_to_six_digits(data, name, how):
    data({"pan_im4": "gdd/pan_im4.mat"}.get(name, name))
    assert np.abs(np.subtract(rows.scores(*rows.enlarged(name, how)), rows.REFERENCE[name, how])).max() < 1.5e-6


@pytest.mark.parametrize("down, how", rows.REDUCED)
def test_rows_of_a_scene_reduced_once_more_equal_the_reference_to_six_digits(data, down, how):
    data("worldview2")
    assert np.abs(np.subtract(rows.scores(*rows.reduced_and_enlarged(down, how)), rows.REDUCED[down, how])).max() < 1.5e-6


def test_the_command_prints_a_row_of_each_and_goes_on_without_data(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GIRLIB_DATA", str(tmp_path))
    rows.main()
    text = capsys.readouterr().out
    assert text.count("is not there; get it with `girlib fetch") == len(rows.DEPTH) + len(rows.REFERENCE) + len(rows.REDUCED)
