"""Whatever is wrong with a command line of `evaluate` or `table`: one sentence on stderr, nothing on stdout, exit code 2."""

import contextlib
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from girlib import cli, results

GOOD = ["evaluate", "gf", "depth", "--limit", "1", "--size", "32"]
word = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12).map(lambda text: f"x{text}")
below = st.integers(-10**6, 0).map(str)
number = st.one_of(word, st.sampled_from(["", "1.5", "nan", "1e3", "4,8"]))


def changed(place, values):
    """The good command with another word at a place."""
    return values.map(lambda value: [*GOOD[:place], value, *GOOD[place + 1:]])


def added(option, values):
    return values.map(lambda value: [*GOOD, option, value])


bad = st.one_of(
    changed(1, word), changed(2, word), changed(4, st.one_of(below, number)), changed(6, st.one_of(st.integers(-99, 15).map(str), number)),
    changed(2, st.sampled_from(["multifocus", "flash"])).map(lambda line: [*line, "--scale", "4"]),
    added("--dataset", st.one_of(word, st.sampled_from(["lytro", "wv3", ""]))), added("--protocol", word),
    added("--scale", st.one_of(number, st.integers(-99, 99).filter(lambda n: n not in (4, 8, 16)).map(str))),
    added("--weights", st.one_of(word, st.sampled_from(["official", "girlib", ""]))),
    added("--weights", st.one_of(word, st.just("official"), st.just("."))).map(lambda line: [line[0], "dagf", *line[2:], "--scale", "16"]),
    added("--seed", st.one_of(st.integers(-99, -1).map(str), number)), added("--workers", st.one_of(st.integers(-99, -1).map(str), number)),
    added("--tile", st.one_of(st.integers(-99, 63).filter(bool).map(str), number)), added("--device", word),
    added("-o", word), added("-o", word.map(lambda text: f"{text}=1")),
    added("-o", st.sampled_from(["radius=-1", "radius=0.5", "radius=wide", "radius=None", "radius=True", "eps=-1", "eps=nan", "eps=small",
                                 "eps=[1]", "radius=10**9"])),
    added("-o", word.map(lambda text: f"width={text}")).map(lambda line: [line[0], "dagf", *line[2:]]),
    word.map(lambda text: [*GOOD, text]), word.map(lambda text: [*GOOD, f"--{text}"]),
    st.sampled_from([GOOD[:1], GOOD[:2], [*GOOD, "--scale"]]),
    st.one_of(word, st.sampled_from(["sfigf", "sfigf:", "sfigf:6", "dagf:I", ":1", "1", ""])).map(lambda name: ["table", name]),
    st.sampled_from([["table"], ["table", "sfigf:1", "--list"], ["table", "--list", "--csv"], ["table", "gdd:1", "--csv", "--json"],
                     ["table", "gdd:1", "gdd:2"], ["table", "--markdown", "--json", "gdd:1"], ["table", "gdd:1", "--scale", "4"]]),
)


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(results, "records_folder", lambda keep=False: tmp_path / "records")
    monkeypatch.setenv("GIRLIB_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@settings(max_examples=200, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(line=bad)
def test_bad_input_is_one_sentence_and_exit_code_2(line, elsewhere):
    out, said = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        patch.setattr("sys.argv", ["girlib", *line])
        with pytest.raises(SystemExit) as left:
            cli.main()
    assert left.value.code == 2 and out.getvalue() == ""
    assert said.getvalue().startswith("girlib: ") and said.getvalue().endswith("\n") and said.getvalue().count("\n") == 1
    assert not (elsewhere / "records").exists()
