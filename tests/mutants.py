"""Breaks the filter and the chapters on purpose, one place at a time, and demands that each break is noticed.

    python tests/mutants.py [--only filters|01|02|...|attention|layers|losses|networks|sfigf|... [--all]]

A mutant of the filter is a copy of the package with one text replaced: its tests must fail. A mutant of a chapter is a copy
of the notebook with one text replaced: one of its own cells must fail. Both are first run unbroken, which must pass. A text
that is not found exactly once is an error, and so is a break that is nobody's mistake but no Python. `make mutants` calls
this; it is no part of `make test`. Attention, losses and networks are broken by mutants_code.py, only when asked for.
"""

import argparse
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mutants_code
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

ROOT = Path(__file__).resolve().parents[1]
TESTS = "oracles.py", "test_filters.py", "test_filters_bad_input.py"
LIMIT = 300     # seconds for one run; what hangs is noticed

FILTERS = [     # what is broken, file, old text, new text
    ("guide and target swapped", "filters.py",
     '_fit("guided_filter", P - centre_P, I, radius', '_fit("guided_filter", I, P - centre_P, radius'),
    ("last row of every window dropped", "filters.py",
     "sums.narrow(dim, start, n)\n", "sums.narrow(dim, max(start - 1, 0), n)\n"),
    ("window one pixel wider", "filters.py", "    width = 2 * radius + 1\n", "    width = 2 * radius + 2\n"),
    ("radius not limited to the image", "filters.py", "radius = min(radius, n - 1)\n    width", "width"),
    ("full windows counted at the border", "filters.py",
     "return (i + radius).clamp(max=n - 1) - (i - radius).clamp(min=0) + 1", "return 0 * i + 2 * min(radius, n - 1) + 1"),
    ("count one too small", "filters.py", "(i - radius).clamp(min=0) + 1", "(i - radius).clamp(min=0)"),
    ("epsilon forgotten", "filters.py", " + (eps + empty)", " + empty"),
    ("epsilon multiplied", "filters.py", " + (eps + empty)", " * (1 + eps) + empty"),
    ("epsilon on the first channel only", "filters.py", " + (eps + empty)", " + ((eps if g == 0 else 0) + empty)"),
    ("covariance without centring", "filters.py",
     "torch.addcmul(IP[g], i, P, value=-1) for g, i", "IP[g] for g, i"),
    ("variance without centring", "filters.py", "torch.addcmul(ij, I[g], I[h], value=-1) for h", "ij for h"),
    ("image mean not taken off the guide", "filters.py",
     "    I = I - centre_I\n    A, B", "    I, centre_I = I - 0, 0 * centre_I\n    A, B"),
    ("pivots not lifted above rounding", "filters.py", "torch.maximum(row[g], noise)", "row[g]"),
    ("pivots lifted to nothing", "filters.py", "torch.maximum(row[g], noise)", "row[g].clamp(min=0)"),
    ("elimination leaves the channels' products out", "filters.py",
     "a[g] = torch.addcmul(a[g], sigma[h][g], a[h], value=-1)", "a[g] = a[g]"),
    ("intercept with the wrong sign", "filters.py", "b = torch.addcmul(b, a[g], I[g], value=-1)", "b = torch.addcmul(b, a[g], I[g])"),
    ("coefficients not averaged", "filters.py",
     "[_window_sum(usable * x, radius) / reach.clamp(min=1) for x in lines]", "[usable * x for x in lines]"),
    ("weight ignored in the sums", "filters.py", "weight is None else weight * x", "weight is None else x"),
    ("weight squared", "filters.py", "weight is None else weight * x", "weight is None else weight**2 * x"),
    ("windows without a valid pixel averaged too", "filters.py", "reach = _window_sum(usable, radius)", "reach = _window_count(P, radius)"),
    ("weight not held against the target's holes", "filters.py", "torch.where(weight > 0, P, 0), torch", "P, torch"),
    ("target's mean not put back", "filters.py", "Q = _apply(A, B, I.where(known, 0)) + centre_P ", "Q = _apply(A, B, I.where(known, 0)) "),
    ("float16 summed in float16", "filters.py", "return image.float() if image.dtype in", "return image if image.dtype in"),
    ("small radius cut instead of rounded", "filters.py", "int(radius / subsample + 0.5)", "int(radius / subsample)"),
    ("pixel centres at whole numbers", "filters.py", "dtype=torch.float64) + 0.5) * n / N - 0.5", "dtype=torch.float64)) * n / N"),
    ("range counted on one channel", "filters.py", ".square().sum(dim=1, keepdim=True)", ".square()[:, :1]"),
    ("sigma without its 2", "filters.py", "return (space - alike) / 2", "return space - alike"),
    ("bilateral windows wrap at the border", "filters.py", "space.masked_fill(~inside, -torch.inf)", "space"),
    ("strips keep one row too few", "strips.py",
     "self.along[:, :kept], self.along[:, size:]", "self.along[:, :kept - pitch], self.along[:, size:-pitch]"),
    ("strips forget the rows above", "strips.py", "        self.old.copy_(self.last)\n", ""),
    ("strips keep the rows of the last block", "strips.py", "first.old[:] = second.old[:] = 0", "second.old[:] = 0"),
    ("strips keep the columns of the last block", "strips.py", "first.planes[:C + G] = first.old[:]", "first.old[:]"),
    ("strips load a column beside", "strips.py", "top, left - 2 * radius)", "top, left - 2 * radius + 1)"),
    ("blocks overlap by 2r only", "strips.py", "pitch = columns + 4 * radius", "pitch = columns + 2 * radius"),
    ("strips count the second windows where the first are", "strips.py",
     "second.add(n_second * second_x)", "second.add(n_first * second_x)"),
    ("strips run over a gradient", "strips.py", "not backward and not forward and weight", "not forward and weight"),
    ("strips run over a weight", "strips.py", "weight is None and eps", "eps"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = ["filters", *sorted(path.stem.removeprefix("mutants_") for path in Path(__file__).parent.glob("mutants_[0-9]*.py"))]
    parser.add_argument("--only", choices=[*parts, "networks", *mutants_code.FILES], metavar="PART", help="one part, or all networks")
    parser.add_argument("--all", action="store_true", help="of attention, layers, losses and networks: every place, not a sample")
    options = parser.parse_args()
    if options.only:
        parts = list(mutants_code.NETWORKS) if options.only == "networks" else [options.only]
    begun, failures, number = time.time(), [], 0
    for part in parts:
        if part in mutants_code.FILES:
            results = mutants_code.code_mutants(part, options.all)
        else:
            results = filter_mutants() if part == "filters" else chapter_mutants(part)
        for name, good in results:
            number += 1
            failures += [] if good else [name]
    print(f"\n{number - len(failures)} of {number} as they should be, {time.time() - begun:.0f} s")
    if failures:
        sys.exit("not as they should be:\n  " + "\n  ".join(failures))


def filter_mutants():
    yield report("filters: unbroken", lambda: (test_package() is None, "passes"))
    for name, file, old, new in FILTERS:
        yield report(f"filters: {name}", lambda file=file, old=old, new=new: noticed(test_package(file, old, new)))


def chapter_mutants(part):
    module = importlib.import_module(f"mutants_{part}")
    yield report(f"{part}: unbroken", lambda: (run_chapter(module.NOTEBOOK) is None, "passes"))
    for name, old, new in module.EDITS:
        yield report(f"{part}: {name}", lambda old=old, new=new: noticed(run_chapter(module.NOTEBOOK, old, new)))


def report(name, run):
    start = time.time()
    good, how = run()
    print(f"{'ok' if good else 'NOT':<4}{name:<70}{how:<50}{time.time() - start:6.1f} s", flush=True)
    return name, good


def noticed(how):
    """A break is noticed if something failed that was not merely unreadable as Python."""
    return how is not None and not how.startswith(("SyntaxError", "NameError", "text found")), how or "nobody noticed"


def replaced(text, old, new):
    if text.count(old) != 1:
        raise LookupError(f"text found {text.count(old)} times")
    return text.replace(old, new)


def test_package(file=None, old=None, new=None):
    """None if the tests pass on a copy of the package with one text replaced, else what failed first."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        shutil.copytree(ROOT / "girlib", folder / "girlib", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        (folder / "tests").mkdir()
        for test in TESTS:
            shutil.copy(ROOT / "tests" / test, folder / "tests")
        if file:
            path = folder / "girlib" / file
            try:
                path.write_text(replaced(path.read_text(), old, new))
            except LookupError as error:
                return str(error)
        check = "import girlib, sys, pathlib; sys.exit(not pathlib.Path(girlib.__file__).is_relative_to(sys.argv[1]))"
        environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([sys.executable, "-c", check, str(folder.resolve())], cwd=folder, env=environment, check=True)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=line", "-p", "no:cacheprovider", "tests"]
        try:
            result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return "hangs"
    if result.returncode == 0:
        return None
    named = [line for line in result.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    what = named[0].split("::")[-1].split(" - ")[0] if named else result.stdout[-50:]
    return what if result.returncode == 1 else f"SyntaxError or worse: {what}"


def run_chapter(notebook, old=None, new=None):
    """None if a chapter runs with one text of its code cells replaced, else how its failing cell failed."""
    book = nbformat.read(ROOT / "notebooks" / notebook, as_version=4)
    if old is not None:
        cells = [cell for cell in book.cells if cell.cell_type == "code"]
        found = sum(cell.source.count(old) for cell in cells)
        if found != 1:
            return f"text found {found} times"
        for cell in cells:
            cell.source = cell.source.replace(old, new)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(book, timeout=LIMIT, kernel_name="python3", resources={"metadata": {"path": folder}},
                                extra_arguments=["--IPKernelApp.log_level=ERROR"])
        try:
            client.execute(env={"OMP_NUM_THREADS": "1", **os.environ, "GIRLIB_BOOK": "1"})
        except CellExecutionError as error:
            return f"{error.ename} in a cell"
        except CellTimeoutError:
            return "hangs"
    return None


if __name__ == "__main__":
    main()
