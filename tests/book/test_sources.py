"""The sources of the book and the texts at the front door: what is stored, and that what they tell a reader to do exists."""

import json
import re

import nbformat
import pytest
import yaml
from in_text import ROOT

import girlib

CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TEXTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "book/index.md", "book/how.md", "data/README.md")]
ADDRESS = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
LONGEST = 20        # lines of a code cell: what fits on a screen beside its output

chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def code(path):
    """Code cells that an author wrote."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code" and cell.id not in ("badge", "colab")]


@chapter
def test_notebook_is_stored_without_a_trace_of_a_run(path):
    notebook = json.loads(path.read_text())
    assert set(notebook["metadata"]) == {"kernelspec", "language_info", "girlib"}
    assert notebook["metadata"]["kernelspec"] == {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    assert set(notebook["metadata"]["girlib"]) == {"before", "question"}
    for cell in notebook["cells"]:
        assert cell.get("outputs", []) == [] and cell.get("execution_count") is None, f"cell {cell['id']} holds results"
        assert set(cell["metadata"]) <= {"tags", "mystnb"}, f"cell {cell['id']} has metadata {cell['metadata']}"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))


@chapter
def test_chapter_has_the_parts_that_a_reader_looks_for(path):
    cells = nbformat.read(path, as_version=4).cells
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    assert prose[0].startswith("# ")
    headings = re.findall(r"^## (.*)$", "\n".join(prose), re.M)
    assert {"Summary", "Exercises", "What to read next"} <= set(headings)
    parameters = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    assert [re.findall(r"^(\w+) = ", cell.source, re.M) for cell in parameters] == [["profile", "seed", "device", "data_root"]]


@chapter
def test_every_exercise_is_followed_by_a_solution_that_asserts_something(path):
    solutions, current = {}, None
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            found = re.findall(r"\*\*Exercise (\d+)\.?\*\*", cell.source)
            current = int(found[-1]) if found else None if cell.source.startswith("## ") else current
            if found:
                solutions.setdefault(current, "")
        elif current and "solution" in cell.metadata.get("tags", []):
            assert "hide-cell" in cell.metadata.tags
            solutions[current] += cell.source
    assert sorted(solutions) == list(range(1, len(solutions) + 1)) and len(solutions) >= 3
    assert [number for number, source in solutions.items() if "assert" not in source] == []


@chapter
def test_cells_fit_on_a_screen_and_use_public_names(path):
    for cell in code(path):
        assert len(cell.source.splitlines()) <= LONGEST, f"cell {cell.id} has {len(cell.source.splitlines())} lines"
        assert not re.search(r"girlib\.\w*\.?_\w|import _|ipywidgets|^class ", cell.source, re.M), f"cell {cell.id}"


@chapter
def test_prose_reads_the_same_in_colab_and_in_the_book(path):
    """No roles, directives or targets: only one of the two would understand them."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"^(```\{|:::|\([\w-]+\)=$)|\{[\w:]+\}`", cell.source, re.M), f"cell {cell.id}"


def test_front_texts_name_the_repository_as_the_configuration_does():
    for name in ("README.md", "CITATION.cff", "pyproject.toml"):
        found = re.findall(r"https://github\.com/[\w.-]+/girlib\b", (ROOT / name).read_text())
        assert found and set(found) == {ADDRESS}, name


def test_citation_and_change_log_know_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == girlib.__version__
    assert f"{girlib.__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_commands_that_a_text_shows_exist(text):
    from girlib.cli import app

    source = text.read_text()
    shown = "\n".join(re.findall(r"```bash\n(.*?)```", source, re.S) + re.findall(r"`([^`\n]+)`", source))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert set(re.findall(r"\bmake ([a-z]+)", shown)) <= targets
    assert set(re.findall(r"(?:^|[\s/])girlib ([a-z]+)\b", shown, re.M)) <= commands


@pytest.mark.parametrize("text", [ROOT / name for name in ("README.md", "CONTRIBUTING.md")], ids=lambda path: path.name)
def test_links_of_the_front_texts_lead_somewhere(text):
    """Links of the book's own pages are checked where they lead, in the built book."""
    for path in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", text.read_text()):
        assert (ROOT / path).exists(), path


def test_code_of_the_readme_runs():
    for block in re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S):
        exec(block, {})


def test_picture_of_the_readme_is_light_and_described():
    (alt, path), = re.findall(r"!\[(.*?)\]\((.*?)\)", (ROOT / "README.md").read_text(), re.S)
    assert len(alt) > 40 and (ROOT / path).stat().st_size < 150_000
