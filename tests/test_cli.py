"""The command line: help worth reading, one sentence and exit code 2 for what the user can mend."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from girlib import __version__, doctor
from girlib.cli import app

run = CliRunner().invoke


def girlib(*arguments, **environment):
    return subprocess.run([sys.executable, "-m", "girlib.cli", *arguments], capture_output=True, text=True,
                          env={**os.environ, **environment})


def test_help_names_every_command_and_each_has_help():
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        assert name in run(app, ["--help"]).output
        assert command.callback.__doc__.split(".")[0][:40] in run(app, [name, "--help"], terminal_width=200).output


def test_version():
    assert run(app, ["--version"]).output == f"girlib {__version__}\n"


def test_mistake_is_one_sentence_and_exit_code_2():
    said = girlib("notebook", "no_such_chapter")
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("girlib: no notebook 'no_such_chapter'; expected") and said.stderr.count("\n") == 1


def test_debug_shows_the_traceback():
    said = girlib("--debug", "notebook", "no_such_chapter")
    assert said.returncode == 1 and "Traceback" in said.stderr


def test_doctor_finds_what_is_there():
    result = run(app, ["doctor"])
    assert result.exit_code == 0
    assert "All that girlib needs is here." in result.output
    assert f"girlib {__version__}" in result.output


@pytest.mark.parametrize(("gone", "code", "mend"), [("rawpy", 0, 'pip install "girlib[raw]"'), ("torch", 1, "pip install torch")])
def test_doctor_names_what_is_missing_and_the_command_that_mends_it(monkeypatch, gone, code, mend):
    have = doctor.installed
    monkeypatch.setattr(doctor, "installed", lambda name: None if name == gone else have(name))
    result = run(app, ["doctor"])
    assert result.exit_code == code
    line = next(i for i, text in enumerate(result.output.splitlines()) if "missing" in text and gone in text + gone)
    assert mend in "\n".join(result.output.splitlines()[line:])


def test_doctor_says_when_the_data_folder_does_not_exist(monkeypatch):
    monkeypatch.setenv("GIRLIB_DATA", "/nowhere/at/all")
    assert "GIRLIB_DATA is '/nowhere/at/all', which is no folder" in run(app, ["doctor"]).output


def test_fetch_of_an_unknown_name_is_one_sentence_and_exit_code_2(tmp_path):
    said = girlib("fetch", "midlebury", "--root", str(tmp_path))
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == ("girlib: fetch: there is no dataset 'midlebury' (did you mean 'middlebury'?); "
                           "`girlib data --list` shows the names.\n")


def test_fetch_into_a_folder_that_does_not_exist_is_one_sentence_and_exit_code_2(tmp_path):
    said = girlib("fetch", "middlebury", "--root", str(tmp_path / "nowhere"))
    assert said.returncode == 2 and "which is no folder; create it" in said.stderr and said.stderr.count("\n") == 1


def test_what_needs_a_form_is_explained_and_exit_code_1(tmp_path):
    said = girlib("fetch", "rgbdd", "--root", str(tmp_path))
    assert said.returncode == 1 and "sign the agreement" in said.stdout and "show people" in said.stdout and said.stderr == ""


def test_data_lists_every_name_with_what_is_here_and_how_it_is_had(tmp_path):
    (tmp_path / "lu/RGB").mkdir(parents=True)
    (tmp_path / "lu/RGB/RGBD_01_ouput_color.png").touch()
    rows = json.loads(run(app, ["data", "--json", "--root", str(tmp_path)]).output)
    lines = run(app, ["data", "--list", "--root", str(tmp_path)]).output.splitlines()
    for row in rows:
        line = next(line for line in lines if line[2:].startswith(row["name"] + " "))
        assert row["command"] in line and row["licence"] in line
    lu = next(row for row in rows if row["name"] == "lu")
    assert (lu["found"], lu["expected"], lu["complete"]) == (1, 12, False)
    assert f"0 of {len(rows)} datasets and sets of weights are complete, 1 in part" in run(app, ["data", "--root", str(tmp_path)]).output


EVALUATE = ["evaluate", "bicubic", "depth", "--size", "32", "--limit", "2"]


@pytest.fixture
def records(monkeypatch, tmp_path):
    from girlib import results
    monkeypatch.setattr(results, "records_folder", lambda keep=False: tmp_path / ("kept" if keep else "built"))
    return lambda folder: results.read(tmp_path / folder / "depth.jsonl")


def test_evaluate_prints_and_records_what_evaluate_gives(records):
    from girlib import evaluate
    (record,) = evaluate("bicubic", "depth", size=32, limit=2)
    assert run(app, EVALUATE).output == f"bicubic  depth  procedural 4x  sfigf  rmse  {record.value:.6f} cm  (2 images)\n"
    (written,) = records("built")
    assert written.images == record.images and written.protocol == record.protocol
    line = json.loads(run(app, [*EVALUATE, "--json", "--keep", "--protocol", "dagf-bicubic"]).output)
    assert line["value"] == records("kept")[0].value == record.value and len(records("built")) == 1


def test_evaluate_names_images_that_cannot_be_scored_and_keeps_the_others(records, tmp_path, monkeypatch):
    import numpy as np
    from PIL import Image
    monkeypatch.setenv("GIRLIB_DATA", str(tmp_path))
    for n in (1, 2):
        for name, shape in (("color", (32, 40, 3)), ("depth", (32, 40))):
            path = tmp_path / "middlebury" / f"Middlebury_{n:02}_output_{name}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(np.random.default_rng(n).integers(0, 255, shape, np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:40])
    line = [*EVALUATE, "--dataset", "middlebury"]
    said = run(app, line)
    assert said.exit_code == 0 and "(1 image)" in said.stdout and said.stderr.startswith("girlib: not scored: 02: ")
    assert len(records("built")[0].images) == 1
    assert type(run(app, [*line, "--strict"]).exception).__name__ == "GirlibError" and len(records("built")) == 1


def test_table_prints_every_published_number_and_the_same_text_twice():
    from girlib import published
    one, two = (girlib("table", "gdd:1") for _ in range(2))
    assert one.stdout == two.stdout and (one.returncode, one.stderr) == (0, "") and "\033" not in one.stdout
    assert all(number.text in one.stdout for number in published.numbers("gdd:1").values())


def test_table_list_accounts_for_every_number():
    found = json.loads(run(app, ["table", "--list", "--json"]).output)
    assert len(found) == 20 and sum(one["published"] for one in found) == 1142
    assert all(one["published"] == one["measured"] + one["part"] + one["waiting"] for one in found)
    assert all(one["name"] in run(app, ["table", "--list"]).output for one in found)


@pytest.mark.parametrize(("form", "begins"), [("--markdown", "**gdd:1**"), ("--csv", "table,row,column,published"), ("--json", "{")])
def test_table_is_written_in_three_forms(form, begins):
    assert run(app, ["table", "gdd:1", form]).output.startswith(begins)
