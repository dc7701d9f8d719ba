"""What a user types wrongly for `girlib train` and `girlib sweep`: one sentence, exit code 2, and nothing is left behind."""

import os
import string
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from girlib import cli, training

QUICK = ["-s", "steps=1", "-s", "batch=1", "-s", "patch=32", "-s", "images=1"]


def girlib(capsys, monkeypatch, *words):
    """(exit code, stdout, stderr) of the command line, run in this process."""
    monkeypatch.setattr("sys.argv", ["girlib", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


def refused(capsys, monkeypatch, *words):
    code, out, err = girlib(capsys, monkeypatch, *words)
    assert code == 2 and out == "", (words, code, out, err)
    assert err.startswith("girlib: ") and err.count("\n") == 1, (words, err)
    return err


@pytest.fixture(autouse=True)
def nothing_is_trained(monkeypatch, tmp_path):
    """A line that passes all checks would train: it is stopped there, and fails the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "loader", lambda *given, **more: pytest.fail("trained"))


WORD = some.text(string.ascii_letters + string.digits + "-_=.,()[]{}'\" /é\n\0", min_size=1, max_size=12).filter(
    lambda word: word not in ("depth", "sfigf") and not word.startswith("-"))
NUMBER = some.one_of(some.integers(-10**12, 0).map(str), some.sampled_from(["nan", "inf", "1e400", "True", "[]", "None", "4.5", "''"]))
BAD_TRAIN = some.one_of(
    some.tuples(WORD, some.just("depth")), some.tuples(some.just("svlrm"), WORD), some.just(("svlrm",)),
    WORD.map(lambda word: ("svlrm", "depth", "--profile", word)), WORD.map(lambda word: ("svlrm", "depth", "--dataset", word)),
    some.sampled_from(["3", "0", "-4", "x", "1.5", "4,8"]).map(lambda word: ("svlrm", "depth", "--scale", word)),
    some.sampled_from(["cuda", "cuda:9", "gpu", "tpu", "cpu:x", ""]).map(lambda word: ("svlrm", "depth", "--device", word)),
    WORD.map(lambda word: ("svlrm", "depth", "--precision", word)), WORD.map(lambda word: ("svlrm", "depth", "-s", word)),
    WORD.map(lambda word: ("svlrm", "depth", "--" + word.replace("=", "").lstrip("-"))),
    some.tuples(some.sampled_from(["steps", "batch", "patch", "images", "seed", "rate", "validate"]), NUMBER).filter(
        lambda pair: pair not in (("seed", "0"), ("validate", "0"))).map(lambda pair: ("svlrm", "depth", "-s", "=".join(pair))),
    WORD.map(lambda word: ("svlrm", "depth", "-s", f"loss={word}")), WORD.map(lambda word: ("svlrm", "depth", "--start", word)),
    some.sampled_from(["options=3", "options={'wdth': 3}", "options={'width': 'x'}", "sensor=7", "sensor={'nois': 1}", "decay=1",
                       "decay=(0, 1)", "decay='x'", "data=3"]).map(lambda word: ("svlrm", "depth", "-s", word)),
)


@settings(max_examples=110, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(words=BAD_TRAIN)
def test_a_bad_line_for_train_is_one_sentence_and_leaves_nothing(words, capsys, monkeypatch, tmp_path):
    refused(capsys, monkeypatch, "train", *words)
    assert not list(tmp_path.iterdir()), words


BAD_SWEEP = some.one_of(
    WORD.map(lambda word: (word,)), some.just(()), some.just(("-n", "svlrm")), some.just(("-t", "depth", "--steps", "3")),
    WORD.map(lambda word: ("-n", word, "-t", "depth", "--steps", "3")), WORD.map(lambda word: ("-n", "svlrm", "-t", word, "--steps", "3")),
    some.sampled_from([(), ("--steps", "0"), ("--steps", "-3"), ("--steps", "x"), ("--minutes", "nan"), ("--minutes", "0"),
                       ("--steps", "3", "--minutes", "3"), ("--steps", "3", "--scale", "x"), ("--steps", "3", "--scale", "4;8"),
                       ("--steps", "3", "--seed", "a"), ("--steps", "3", "--workers", "-1"), ("--steps", "3", "--workers", "x"),
                       ("--steps", "3", "--threads", "0"), ("--steps", "3", "--executor", "pbs", "--workers", "1"),
                       ("--steps", "3", "--device", "cuda"), ("--steps", "3", "--dataset", "atlantis"), ("--steps", "3", "-o", "width"),
                       ("--steps", "3", "-o", "wide=3"), ("--steps", "3", "-o", "width=x"), ("--steps", "3", "-s", "ratte=1"),
                       ("--steps", "3", "-s", "rate=7"), ("--steps", "3", "-s", "seed=7"), ("--steps", "3", "--sed", "1")]).map(
                           lambda words: ("-n", "svlrm", "-t", "depth", *words)),
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(words=BAD_SWEEP)
def test_a_bad_line_for_sweep_is_one_sentence_and_leaves_nothing(words, capsys, monkeypatch, tmp_path):
    refused(capsys, monkeypatch, "sweep", *words)
    assert not list(tmp_path.iterdir()), words


@pytest.mark.parametrize("content", [b"", b"this is text", b"\x89PNG\r\n\x1a\n", b"{" * 50])
@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
def test_no_weights_to_begin_from_are_named(content, name, capsys, monkeypatch, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert name in refused(capsys, monkeypatch, "train", "svlrm", "depth", "--start", name, *QUICK)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_computed(capsys, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refused(capsys, monkeypatch, "train", "svlrm", "depth", "-o", "file/run", *QUICK)

    def full(descriptor):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    assert "No space left" in refused(capsys, monkeypatch, "train", "svlrm", "depth", "-o", "run", *QUICK)
    assert not any(path.is_file() for path in Path("run").rglob("*"))


def test_a_good_line_foretells_and_validates(capsys, monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    code, out, err = girlib(capsys, monkeypatch, "train", "svlrm", "depth", "-o", "run", *QUICK)
    first, line, last = out.splitlines()
    assert (code, err) == (0, "") and first.startswith("1 steps of 1 x 32 x 32 pixels: ") and line.startswith("step 1  loss ")
    assert last == "run/best.safetensors" and Path(last).exists()
