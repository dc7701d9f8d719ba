"""Records survive: whole lines only, whatever happens to the writer."""

import json
import math
import multiprocessing
import subprocess
from dataclasses import replace

import pytest

from girlib import results
from girlib.errors import GirlibError
from girlib.results import Record, append, provenance, read


def record(value=1.25, name="one"):
    return Record("bicubic", "depth", "lu", 4, "rmse", value, "cm", "lower", {name: value}, {"name": "sfigf", "metric": {"border": 6}},
                  **provenance())


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "new" / "a.jsonl"
    append([record()], path)
    append([record(2.5), record(math.inf)], path)
    assert [r.value for r in read(path)] == [1.25, 2.5, math.inf]
    assert read(path)[0] == record().__class__(**{**vars(read(path)[0])}) and read(path)[0].result() == record().result()
    assert read(path)[2].images == {"one": math.inf}


def test_each_line_is_standard_json(tmp_path):
    append([record(math.nan), record(-math.inf)], tmp_path / "a.jsonl")

    def refuse(constant):
        raise AssertionError(constant)
    for line in (tmp_path / "a.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=refuse)


@pytest.mark.parametrize("left", [0, 1, 7, 200])
def test_a_torn_last_line_is_left_out_and_then_cut_off(tmp_path, left):
    path = tmp_path / "a.jsonl"
    append([record(1.0), record(2.0)], path)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    path.write_bytes(whole[:first + left])
    assert [r.value for r in read(path)] == [1.0]
    append([record(3.0)], path)
    assert [r.value for r in read(path)] == [1.0, 3.0]


def test_a_folder_is_read_in_the_order_of_its_files(tmp_path):
    for name, value in (("b", 2.0), ("a", 1.0)):
        append([record(value)], tmp_path / f"{name}.jsonl")
    assert [r.value for r in read(tmp_path)] == [1.0, 2.0]


def test_what_is_kept_in_the_repository_is_read_as_a_folder():
    assert len(read(results.records_folder(keep=True))) > 100                   # calibration.jsonl, which holds no records, is no fault


def write_many(path, value):
    for _ in range(20):
        append([record(value), record(value)], path)


def test_two_writers_lose_nothing(tmp_path):
    path, context = tmp_path / "a.jsonl", multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(path, value)) for value in (1.0, 2.0)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(r.value for r in read(path)) == [1.0] * 40 + [2.0] * 40


def test_a_full_disk_leaves_the_records_as_they_were(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    append([record(1.0)], path)

    def full(descriptor):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(results.os, "fsync", full)
    with pytest.raises(GirlibError, match="No space left"):
        append([record(2.0)], path)
    monkeypatch.undo()
    assert [r.value for r in read(path)] == [1.0]


@pytest.mark.parametrize("line", [b"{}", b"[]", b"3", b"not json", b"\xff\xfe", b'{"method": "x", "images": 3, "value": 1}', b""])
def test_a_line_that_is_no_record_is_named(tmp_path, line):
    path = tmp_path / "a.jsonl"
    append([record()], path)
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(GirlibError, match="line 2 of .*a.jsonl"):
        read(path)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(GirlibError, match="cannot be read"):
        read(tmp_path / "none.jsonl")


def test_provenance_says_what_made_a_record():
    made = provenance()
    assert set(made["versions"]) == {"girlib", "torch", "numpy"} and made["date"].endswith("+00:00")
    assert replace(record(), seconds=5.0).result() == record().result()


def test_the_commit_of_a_record_is_marked_where_code_was_changed_but_not_for_records(tmp_path, monkeypatch):
    git = lambda *words: subprocess.run(["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True,
                                        capture_output=True, text=True).stdout.strip()
    code, kept = tmp_path / "girlib/results.py", tmp_path / "results/records/a.jsonl"
    for path in (code, kept):
        path.parent.mkdir(parents=True)
        path.write_text("one")
    git("init", "-q"), git("add", "."), git("commit", "-q", "-m", "one")
    monkeypatch.setattr(results, "PACKAGE", code.parent)
    head = git("rev-parse", "--short=12", "HEAD")
    for path, expected in ((None, head), (kept, head), (code, head + "+")):
        if path:
            path.write_text("two")
        results._commit.cache_clear()
        assert results._commit() == expected
    results._commit.cache_clear()
