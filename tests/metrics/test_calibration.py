"""Values that were computed elsewhere, by released code, by public Python code and by libraries, are ours too."""

import math
import os
from pathlib import Path

import pytest

from girlib.errors import GirlibError
from girlib.metrics import METRICS, __main__
from girlib.metrics.calibrate import VARIANTS, Row, calibration, pan_real, read_record, write_record
from girlib.results import records_folder


def folder(name):
    if name not in os.environ:
        pytest.skip(f"{name} is not set, so the stored values can't be compared.")
    return Path(os.environ[name])


@pytest.fixture(scope="module")
def rows():
    return calibration(folder("GIRLIB_REFERENCE") / "golden")


def test_all_stored_values_are_within_their_tolerance(rows):
    assert len(rows) == 270
    assert not [row for row in rows if not row.good]


def test_every_variant_and_every_metric_is_calibrated(rows):
    used = {(row.metric, max((start for start in VARIANTS[row.metric] if row.variant.startswith(start)), key=len)) for row in rows}
    assert used == {(metric, start) for metric, starts in VARIANTS.items() for start in starts}
    names = {how[0] if isinstance(how, tuple) else metric for metric, starts in VARIANTS.items() for how in starts.values()}
    assert set(METRICS) - names == {"lpips"}                              # its network is no part of the references


def test_interpolation_of_real_scenes_scores_as_stored():
    rows = pan_real(folder("GIRLIB_REFERENCE") / "golden", folder("GIRLIB_DATA"))
    assert len(rows) == 60 and not [row for row in rows if not row.good]


def test_the_table_says_which_value_is_not_within(monkeypatch, capsys):
    rows = [Row("rmse", "cm", "a", 1.0, 1.0 + 1e-12, 1e-12, 1e-9), Row("psnr", "grey", "b against c", 1.0, 1.1, 0.1, 1e-9)]
    monkeypatch.setattr(__main__, "calibration", lambda golden: rows)
    monkeypatch.setenv("GIRLIB_REFERENCE", "anywhere")
    monkeypatch.setattr("sys.argv", ["girlib.metrics"])
    assert __main__.main() is True
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and "NOT" not in lines[1] and lines[2].endswith("NOT within, b against c")
    assert lines[3] == "1 of 2 values within their tolerance"


def test_without_the_folder_of_references_the_table_says_what_to_set(monkeypatch):
    monkeypatch.delenv("GIRLIB_REFERENCE", raising=False)
    monkeypatch.setattr("sys.argv", ["girlib.metrics"])
    with pytest.raises(GirlibError, match="GIRLIB_REFERENCE is not set; set it to the folder of references"):
        __main__.main()


def test_the_kept_record_covers_every_metric_and_all_its_values_are_within_their_tolerance():
    rows, made = read_record(records_folder(keep=True) / "calibration.jsonl")
    assert len(rows) >= 270 and all(row.good and row.by for row in rows)
    assert {row.metric for row in rows} >= set(VARIANTS)
    assert set(made) == {"versions", "commit", "date"}


def test_a_record_of_a_calibration_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "new" / "calibration.jsonl"
    rows = [Row("rmse", "cm", "a", 1.0, 1.0 + 1e-12, 1e-12, 1e-9, "a library"), Row("psnr", "same", "b", math.inf, math.inf, 0.0, 1e-9)]
    write_record([*rows, rows[0]], path)
    found, _ = read_record(path)
    assert found == [rows[0], rows[0], rows[1]]             # a line a metric
    assert [file.name for file in path.parent.iterdir()] == ["calibration.jsonl"]


@pytest.mark.parametrize("text", ["", "{", "[1]\n", '{"metric": "rmse", "rows": [[1]]}\n'])
def test_a_damaged_record_says_how_to_make_it_anew(tmp_path, text):
    path = tmp_path / "calibration.jsonl"
    path.write_text(text)
    with pytest.raises(GirlibError, match="no record of a calibration; make it anew"):
        read_record(path)
    with pytest.raises(GirlibError, match="can't be read"):
        read_record(tmp_path / "none.jsonl")
