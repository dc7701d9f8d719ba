"""The first call of a chapter, and its execution by papermill."""

import random

import nbformat
import numpy
import pytest
import torch

from girlib import notebook
from girlib.errors import GirlibError

PARAMETERS = 'profile = "quick"   # quick | colab | paper\nseed = 0            # a seed\ndevice = "auto"\ndata_root = ""'
BEGIN = "from girlib import notebook\nrun = notebook.begin(profile, seed, device, data_root)"


def write(path, *code, tags=()):
    """A small chapter: title, parameters, then one cell for each text in `code`."""
    cells = [nbformat.v4.new_markdown_cell("# A chapter", id="c01"),
             nbformat.v4.new_code_cell(PARAMETERS, id="c02", metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell(text, id=f"c{n:02d}", metadata={"tags": list(tags)}) for n, text in enumerate(code, 3)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {
        "name": "python3", "display_name": "Python 3", "language": "python"}}), path)
    return path


@pytest.fixture
def kernel_is_in_the_book(monkeypatch):
    monkeypatch.setenv("GIRLIB_BOOK", "1")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")


@pytest.mark.parametrize(("wrong", "sentence"), [
    ({"profile": "fast"}, "profile is 'fast'; expected one of quick, colab, paper"),
    ({"seed": -1}, "seed is -1; expected a whole number"),
    ({"seed": 1.5}, "seed is 1.5; expected a whole number"),
    ({"seed": True}, "seed is True; expected a whole number"),
    ({"device": "gpu"}, "device is 'gpu'; expected auto, cpu, cuda or cuda:N"),
    ({"device": "mps"}, "device is 'mps'; expected auto, cpu, cuda or cuda:N"),
    ({"device": "cuda:99"}, "device is 'cuda:99' but torch"),
    ({"data_root": "/nowhere/at/all"}, "data_root is '/nowhere/at/all', which is no folder"),
])
def test_wrong_parameter_is_one_sentence(wrong, sentence):
    with pytest.raises(GirlibError, match=sentence.replace("(", r"\(")) as caught:
        notebook.begin(**wrong)
    assert "\n" not in str(caught.value)


def test_same_seed_gives_same_numbers_in_all_three_generators():
    draw = lambda: (random.random(), numpy.random.rand(), torch.rand(1).item())
    notebook.begin(seed=7)
    first = draw()
    notebook.begin(seed=7)
    assert draw() == first
    notebook.begin(seed=8)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_profile_picks_its_own_value():
    assert [notebook.begin(profile).pick(quick=1, colab=2, paper=3) for profile in notebook.PROFILES] == [1, 2, 3]


def test_data_folder_comes_from_argument_then_environment(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    monkeypatch.setenv("GIRLIB_DATA", str(tmp_path / "a"))
    assert notebook.begin().data_root == tmp_path / "a"
    assert notebook.begin(data_root=str(tmp_path / "b")).data_root == tmp_path / "b"
    monkeypatch.setenv("GIRLIB_DATA", str(tmp_path / "c"))
    with pytest.raises(GirlibError, match="GIRLIB_DATA is .* no folder"):
        notebook.begin()


def test_parameters_from_the_command_line_keep_their_type():
    assert notebook.parse_parameters(["profile=colab", "seed=3", "data_root="]) == {"profile": "colab", "seed": 3, "data_root": ""}
    with pytest.raises(GirlibError, match="expected NAME=VALUE"):
        notebook.parse_parameters(["seed"])


def test_chapter_gets_its_parameters_and_appears_whole(tmp_path, kernel_is_in_the_book):
    source = write(tmp_path / "a.ipynb", BEGIN, "print(run.profile, run.seed)")
    before = source.read_bytes()
    notebook.execute(source, tmp_path / "out" / "a.ipynb", {"profile": "colab", "seed": 5})
    done = nbformat.read(tmp_path / "out" / "a.ipynb", as_version=4)
    assert done.cells[-1].outputs[0].text == "colab 5\n"
    assert source.read_bytes() == before
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.ipynb"]


def test_unknown_parameter_lists_the_known_ones(tmp_path):
    source = write(tmp_path / "a.ipynb", BEGIN)
    sentence = r"unknown parameter 'profil' \(did you mean 'profile'\?\); this notebook knows profile, seed, device, data_root"
    with pytest.raises(GirlibError, match=sentence):
        notebook.execute(source, tmp_path / "b.ipynb", {"profil": "colab"})
    assert not (tmp_path / "b.ipynb").exists()


def test_plain_papermill_with_an_unknown_parameter_stops_at_the_first_call(tmp_path, kernel_is_in_the_book):
    import papermill

    source = write(tmp_path / "a.ipynb", BEGIN, "print('not reached')")
    with pytest.raises(papermill.PapermillExecutionError, match="unknown parameter 'profil'"):
        papermill.execute_notebook(str(source), str(tmp_path / "b.ipynb"), {"profil": "colab"}, progress_bar=False, log_output=False,
                                   kernel_manager_class="girlib.notebook.IPCKernelManager")


def test_failing_cell_is_named_and_nothing_appears(tmp_path, kernel_is_in_the_book):
    source = write(tmp_path / "a.ipynb", "x = 1", "\n# a comment\nassert x == 2, 'x should be two'", "x = 3")
    with pytest.raises(GirlibError, match=r"a\.ipynb: cell c04 \('# a comment'\) failed with AssertionError: x should be two"):
        notebook.execute(source, tmp_path / "b.ipynb", {})
    assert not (tmp_path / "b.ipynb").exists()
    assert (tmp_path / "b.failed.ipynb").exists()


def test_cell_that_never_ends_is_a_time_out(tmp_path, monkeypatch, kernel_is_in_the_book):
    monkeypatch.setitem(notebook.CELL_SECONDS, "quick", 2)
    source = write(tmp_path / "a.ipynb", "import time; time.sleep(60)")
    with pytest.raises(TimeoutError, match=r"a\.ipynb: .*[Tt]ime"):
        notebook.execute(source, tmp_path / "b.ipynb", {})
    assert not (tmp_path / "b.ipynb").exists()


def test_kernels_share_no_socket():
    assert notebook.IPCKernelManager().ip != notebook.IPCKernelManager().ip
