"""Wrong input to `girlib restore`, generated: one sentence, exit code 2, nothing written."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from girlib.cli import main

WORDS = st.text("abcxyz-0127=./:", min_size=1, max_size=12).filter(lambda word: not word.startswith("-"))
WRONG = st.one_of(
    st.tuples(st.just("--task"), WORDS), st.tuples(st.just("--method"), WORDS), st.tuples(st.just("--weights"), WORDS),
    st.tuples(st.just("--scale"), st.sampled_from(["0", "-1", "3", "16", "1e9", "x", "999999999999"])),
    st.tuples(st.just("--tile"), st.sampled_from(["-1", "1", "63", "x", "1.5"])),
    st.tuples(st.just("--device"), st.sampled_from(["gpu", "cuda:99", "cuda:x", ""])),
    st.tuples(st.just("--nodata"), st.sampled_from(["x", "1,5", ""])),
    st.tuples(st.just("--compare"), st.sampled_from(["page.txt", "absent/page.html", "folder", "low.png"])),
    st.tuples(st.just("--option"), st.sampled_from(["radius", "radius=x", "radius=-1", "eps=-1", "eps=nan", "depth=3", "=3", "times=1.5"])),
    st.tuples(st.just("-o"), st.sampled_from(["out.jpg", "out", "low.png", "guide.png", "absent/out.png", "folder", "..", ""])),
    st.tuples(st.just("target"), st.sampled_from(["absent.png", "text.png", "cut.png", "empty.png", "folder", "low.xyz", "guide.png", ""])),
    st.tuples(st.just("guide"), st.sampled_from(["absent.png", "text.png", "cut.png", "empty.png", "folder", "tiny.png", ""])),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    for name, size in (("low", (8, 9)), ("guide", (32, 36, 3)), ("tiny", (4, 4))):
        Image.fromarray(rng.integers(1, 255, size).astype(np.uint8)).save(folder / f"{name}.png")
    (folder / "cut.png").write_bytes((folder / "guide.png").read_bytes()[:200])
    (folder / "text.png").write_text("no picture")
    (folder / "low.xyz").write_text("no picture")
    (folder / "empty.png").touch()
    (folder / "folder").mkdir()
    return folder


@settings(max_examples=120, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wrong=WRONG)
def test_one_wrong_word_is_one_sentence_and_nothing_is_written(place, monkeypatch, capsys, wrong):
    monkeypatch.chdir(place)
    name, value = wrong
    target, guide = (value if name == which else default for which, default in (("target", "low.png"), ("guide", "guide.png")))
    arguments = ["restore", target, guide] + (["-o", "out.png"] if name != "-o" else []) + (list(wrong) if name[0] == "-" else [])
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    monkeypatch.setattr("sys.argv", ["girlib", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and said.startswith("girlib: ") and said.count("\n") == 1, (arguments, said)
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before, arguments
