"""What importing girlib costs, and that its files depend on each other in one direction."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "girlib"


def imported_by(path):
    """Names of the girlib files that `path` imports at the top or inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "girlib":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("girlib."):
            found.add(node.module.split(".")[1])
    return {name for name in found if (PACKAGE / f"{name}.py").is_file()}


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
    needs = {path.stem: imported_by(path) for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    while leaves := [name for name, others in needs.items() if not others & needs.keys()]:
        for name in leaves:
            del needs[name]
    assert not needs, f"import each other in a circle: {sorted(needs)}"


def test_filters_need_nothing_of_ours_but_the_error():
    assert imported_by(PACKAGE / "filters.py") <= {"errors", "strips"}
