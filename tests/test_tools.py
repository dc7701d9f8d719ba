"""The pipeline: what is stored, what is executed again, what stops a build, what a killed one leaves behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path

import environment
import execute
import nbformat
import notebooks
import pytest
from test_notebook import BEGIN, write

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project around the real package, for the executing step."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "requirements.lock").write_text("")
    monkeypatch.setattr(execute, "ROOT", tmp_path)
    monkeypatch.setattr(execute, "BUILD", tmp_path / "_build")
    return tmp_path


def test_unchanged_chapters_are_left_alone_and_changed_ones_run_again(project):
    write(project / "notebooks" / "01_a.ipynb", "x = 1")
    write(project / "notebooks" / "02_b.ipynb", "x = 1")
    first = execute.execute("quick")
    assert [note["notebook"] for note in first] == ["01_a.ipynb", "02_b.ipynb"]
    assert all(note["cpu_seconds"] > 0 and note["profile"] == "quick" for note in first)
    write(project / "notebooks" / "02_b.ipynb", "x = 1", "1 + 1")
    second = execute.execute("quick")
    assert second[0] == first[0]
    assert second[1]["key"] != first[1]["key"]


@pytest.mark.parametrize("change", ["package", "lock", "profile", "data"])
def test_fingerprint_changes_with(change, project, monkeypatch):
    source = write(project / "notebooks" / "01_a.ipynb", "x = 1")
    (project / "girlib").mkdir()
    (project / "girlib" / "filters.py").write_text("x = 1")
    before = execute.fingerprint(source, {"profile": "quick"})
    assert execute.fingerprint(source, {"profile": "quick"}) == before
    profile = "colab" if change == "profile" else "quick"
    if change == "package":
        (project / "girlib" / "filters.py").write_text("x = 2")
    elif change == "lock":
        (project / "requirements.lock").write_text("numpy==2")
    elif change == "data":
        monkeypatch.setenv("GIRLIB_DATA", str(project))
    assert execute.fingerprint(source, {"profile": profile}) != before


def test_failing_cell_stops_the_build_and_is_named(project):
    write(project / "notebooks" / "01_a.ipynb", "1 / 0")
    with pytest.raises(execute.Failure, match=r"01_a\.ipynb: cell c03 \('1 / 0'\) failed with ZeroDivisionError"):
        execute.execute("quick")
    assert not (project / "_build/executed/quick/01_a.ipynb").exists()


def test_stderr_stops_the_build_unless_the_cell_allows_it(project):
    warn = "import sys; print('careful', file=sys.stderr)"
    write(project / "notebooks" / "01_a.ipynb", warn)
    with pytest.raises(execute.Failure, match=r"01_a\.ipynb: cell c03 wrote to stderr: careful"):
        execute.execute("quick")
    assert not (project / "_build/executed/quick/01_a.json").exists()
    write(project / "notebooks" / "01_a.ipynb", warn, tags=[execute.ALLOWS_STDERR])
    assert len(execute.execute("quick")) == 1


def test_hanging_chapter_is_killed_tried_once_more_and_named(project, monkeypatch):
    monkeypatch.setitem(execute.CHAPTER_SECONDS, "quick", 4)
    write(project / "notebooks" / "01_a.ipynb", "import time; time.sleep(100)")
    with pytest.raises(execute.Failure, match=r"01_a\.ipynb: still running after \d+ s, killed \(twice\)"):
        execute.execute("quick")


def test_too_slow_for_the_quick_profile_is_a_failure(project, monkeypatch):
    monkeypatch.setattr(execute, "CPU_SECONDS_EACH", 0.01)
    write(project / "notebooks" / "01_a.ipynb", "x = 1")
    with pytest.raises(execute.Failure, match=r"too slow for the quick profile: 01_a\.ipynb"):
        execute.execute("quick")


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux do the children of a killed process end with it")
def test_killed_build_is_continued_by_the_next_one(project):
    write(project / "notebooks" / "01_a.ipynb", "x = 1")
    slow = write(project / "notebooks" / "02_b.ipynb", f"open({str(project / 'began')!r}, 'a').write('x'); import time; time.sleep(60)")
    code = (f"import sys; sys.path[:0] = [{str(ROOT / 'tools')!r}]; import execute, pathlib\n"
            f"execute.ROOT = pathlib.Path({str(project)!r}); execute.BUILD = execute.ROOT / '_build'\nexecute.execute('quick', workers=2)")
    build = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    done = project / "_build/executed/quick"
    wait_until(lambda: (done / "01_a.json").exists() and (project / "began").exists())
    build.send_signal(signal.SIGKILL)
    build.wait()
    wait_until(lambda: not processes_with(str(slow)))
    assert not (done / "02_b.ipynb").exists() and not (done / "02_b.json").exists()
    kept = json.loads((done / "01_a.json").read_text())
    write(slow, "x = 1")
    assert execute.execute("quick")[0] == kept


def wait_until(true, seconds=60):
    end = time.time() + seconds
    while not true():
        assert time.time() < end, "waited in vain"
        time.sleep(0.1)


def processes_with(text):
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [path] if text in path.read_text().replace("\0", " ") else []
        except OSError:
            pass
    return found


def test_stored_form_has_no_outputs_and_is_stable(tmp_path):
    path = write(tmp_path / "03_x.ipynb", BEGIN)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="old")]
    notebook.cells[2].execution_count = 3
    notebook.cells[2].metadata["collapsed"] = True
    notebook.metadata["widgets"] = {}
    nbformat.write(notebook, path)
    once = notebooks.normal_form(path)
    path.write_text(once)
    assert notebooks.normal_form(path) == once
    clean = nbformat.reads(once, as_version=4)
    assert [cell.id for cell in clean.cells] == ["c01", "badge", "colab", "c02", "c03"]
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in clean.cells)
    assert set(clean.metadata) <= {"kernelspec", "language_info", "girlib"}


def test_badge_points_at_the_file_that_exists():
    _, url, branch = notebooks.repository()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        badge = nbformat.read(path, as_version=4).cells[1].source
        assert f"{url.removeprefix('https://github.com/')}/blob/{branch}/notebooks/{path.name})" in badge


def test_lock_holds_what_pyproject_asks_for_and_no_torch():
    lock = (ROOT / "requirements.lock").read_text()
    assert "--hash=sha256:" in lock and "file:" not in lock and "\ntorch==" not in lock and "\nnvidia" not in lock
    for name in ("numpy", "matplotlib", "pillow", "typer", "jupyter-book", "papermill", "pytest", environment.UV):
        assert f"\n{name}" in lock, name
    pins = [line.strip(" -") for line in (ROOT / "environment.yml").read_text().splitlines() if "==" in line]
    assert environment.TORCH in pins
    assert [pin for pin in pins if pin != environment.TORCH and f"\n{pin} " not in lock] == []


def test_environment_without_its_stamp_is_made_again(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(environment, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(environment, "VENV", tmp_path / "venv")
    monkeypatch.setattr(environment, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(environment, "LOG", tmp_path / "log" / "install.log")
    for step in ("make_venv", "install_uv", "install_locked", "install_torch", "install_girlib"):
        monkeypatch.setattr(environment, step, lambda *_, step=step: made.append(step))
    environment.main()
    assert made == ["make_venv", "install_uv", "install_locked", "install_torch", "install_girlib"]
    environment.main()
    assert len(made) == 5
    (tmp_path / "stamp").write_text("of another lock")
    environment.main()
    assert len(made) == 10


def test_pdf_without_a_browser_is_one_sentence_and_exit_code_2():
    said = subprocess.run([sys.executable, "-c", "import pdf; pdf.print_book()"], capture_output=True, text=True,
                          env={"PATH": "/nowhere", "PYTHONPATH": str(ROOT / "tools")})
    assert said.returncode == 2 and said.stderr.count("\n") == 1 and "Chromium" in said.stderr


def test_colab_cell_installs_girlib_and_leaves_torch_and_numpy_alone(tmp_path):
    """The generated cell, run in an environment with stub distributions of what a Colab runtime holds."""
    venv.create(tmp_path / "colab", with_pip=True)
    python = tmp_path / "colab" / "bin" / "python"
    site = next((tmp_path / "colab" / "lib").glob("python*/site-packages"))
    stub(site, "torch", "2.11.0+cu128")
    stub(site, "numpy", "2.1.3")
    shutil.rmtree(site / "setuptools", ignore_errors=True)      # Python 3.11 brings one that is too old for our pyproject.toml
    shutil.copytree(Path(nbformat.__file__).parent.parent / "setuptools", site / "setuptools")
    origin = publish(tmp_path / "origin")
    _, url, branch = notebooks.repository()
    source = notebooks.generated_cells(ROOT / "notebooks" / "01_x.ipynb")[1].source
    assert "--no-deps" in source
    code = CELL_ON_COLAB + as_python(source.replace(f"git+{url}@{branch}", f"git+file://localhost{origin}@{branch}"))
    before = frozen(python)
    subprocess.run([python, "-c", code], check=True, cwd=tmp_path,
                   env={**os.environ, "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1", "PYTHONPATH": ""})
    after = frozen(python)
    assert {name: version for name, version in after.items() if name != "girlib"} == before
    assert after["girlib"] and before["torch"] == "2.11.0+cu128" and before["numpy"] == "2.1.3"
    subprocess.run([python, "-c", "import girlib"], check=True, cwd=tmp_path)


CELL_ON_COLAB = """
import subprocess, sys, types
sys.modules["google.colab"] = types.ModuleType("google.colab")
class Shell:
    def run_line_magic(self, name, line, *_):
        import shlex
        subprocess.run([sys.executable, "-m", name, *shlex.split(line)], check=True)
get_ipython = Shell
"""


def as_python(cell):
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager().transform_cell(cell)


def stub(site, name, version):
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / "RECORD").write_text("")
    (folder / "INSTALLER").write_text("pip\n")


def publish(folder):
    """The package as a git repository with one commit on the branch that the cell asks for."""
    folder.mkdir()
    for name in ("girlib", "results", "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    git = lambda *a: subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *a], cwd=folder, check=True, capture_output=True)
    git("init", "-b", notebooks.repository()[2])
    git("add", ".")
    git("commit", "-m", "all")
    return folder


def frozen(python):
    lines = subprocess.run([python, "-m", "pip", "list", "--format", "json"], capture_output=True, text=True, check=True).stdout
    return {entry["name"]: entry["version"] for entry in json.loads(lines)}
