"""What importing girlib costs, and that its files depend on each other in one direction."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "girlib"


def home(path):
    """The file or folder directly in the package that a file belongs to."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


HOMES = {home(path) for path in PACKAGE.rglob("*.py")} - {"__init__"}


def imported_by(path):
    """The files and folders of girlib that `path` imports at the top or inside functions, but for its own folder."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and path.parent == PACKAGE:
            found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module == "girlib":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("girlib."):
            found.add(node.module.split(".")[1])
    return found & HOMES - {home(path)}


def test_importing_girlib_loads_only_the_standard_library():
    code = "import sys, girlib; print([m for m in ('torch', 'numpy', 'matplotlib', 'typer') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_names_of_the_package_exist():
    import girlib

    assert all(getattr(girlib, name) is not None for name in girlib.__all__)


def test_unknown_name_is_an_attribute_error():
    import girlib

    assert not hasattr(girlib, "guided_filtre")


def test_no_two_files_need_each_other():
    needs = {name: set() for name in HOMES}
    for path in PACKAGE.rglob("*.py"):
        if path != PACKAGE / "__init__.py":
            needs[home(path)] |= imported_by(path)
    while leaves := [name for name, others in needs.items() if not others & needs.keys()]:
        for name in leaves:
            del needs[name]
    assert not needs, f"import each other in a circle: {sorted(needs)}"


def test_filters_need_nothing_of_ours_but_the_error():
    assert imported_by(PACKAGE / "filters.py") <= {"errors", "strips"}


def test_an_installed_package_holds_all_that_it_reads():
    """Every folder is named in pyproject.toml, and a wheel brings the kept results along, for there is no checkout in Colab."""
    tomllib = pytest.importorskip("tomllib")                 # from Python 3.11 on
    root = PACKAGE.parent
    named = set(tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    folders = {".".join(("girlib", *file.parent.relative_to(PACKAGE).parts)) for file in PACKAGE.rglob("*.py")}
    kept = {".".join(("girlib.kept_results", *file.parent.relative_to(root / "results").parts))
            for file in (root / "results").rglob("*") if file.suffix in (".csv", ".json", ".jsonl")}
    assert folders | kept | {"girlib.registry"} == named
