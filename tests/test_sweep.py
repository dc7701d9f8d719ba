"""Sweeps: every cell is run once, none is lost, whatever is killed; and what is asked for wrongly is one sentence."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from girlib import sweep as sweeps
from girlib.errors import GirlibError
from girlib.results import read
from girlib.sweep import Budget, Cell, checked, grid, read_grid, sweep, swept

GRID = """
steps = 12
[[group]]
methods = ["bicubic"]
tasks = ["depth"]
seeds = [0, 1]
images = 1
[[group]]
methods = ["svlrm"]
tasks = ["depth"]
seeds = [0, 1]
settings = { batch = 1, patch = 32, images = 1 }
options = { width = [8, 12], depth = 1 }
images = 1
"""


def cells(seeds=(0, 1), width=8, **settings):
    return grid(["svlrm"], ["depth"], [4], list(seeds), {"width": width, "depth": 1}, {"batch": 1, "patch": 32, "images": 1, **settings},
                images=1)


@pytest.fixture(autouse=True)
def small_scenes(monkeypatch):
    from girlib import evaluation
    scored = evaluation.evaluate
    monkeypatch.setattr(evaluation, "evaluate", lambda *given, **more: scored(*given, **{"size": 64, **more}))


def test_a_sweep_trains_and_scores_each_cell_once(tmp_path):
    ends = []
    found = sweep(cells(), tmp_path, Budget(steps=4), workers=0, report=lambda *said: ends.append(said), keep_in=tmp_path / "records")
    assert set(found.states.values()) == {"finished"} and not found.failed and len(ends) == 2
    kept = read(tmp_path / "records")
    assert [record.trained["seed"] for record in kept if record.protocol["name"] == "sfigf"] == [0, 1]
    one = kept[0]
    assert one.trained["steps"] == 4 and one.trained["budget"] == "4 steps" and one.trained["cpu_hours"] > 0 and one.options["width"] == 8
    again = sweep(cells(), tmp_path, Budget(steps=4), workers=0, keep_in=tmp_path / "records")
    assert [record.value for record in again.records] == [record.value for record in found.records]
    assert len(read(tmp_path / "records")) == len(kept)                                     # none is kept twice
    assert all(len((tmp_path / name / "starts.txt").read_text().splitlines()) == 1 for name in again.states)


def test_the_record_holds_all_that_repeats_it(tmp_path):
    from girlib.evaluation import evaluate
    from girlib.recipes import Recipe
    from girlib.training import train
    torch.set_num_threads(1)
    record = sweep(cells([3]), tmp_path, Budget(steps=3), workers=0).records[0]
    network = train(Recipe(**record.trained["recipe"])).network
    again = next(r for r in evaluate(network, "depth", scale=4, limit=1, protocol="all") if r.protocol["name"] == record.protocol["name"])
    assert again.value == record.value and again.weights == record.weights


def test_minutes_become_steps_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "measure", lambda recipe, device: SimpleNamespace(seconds=0.5))
    cell, = cells([0])
    found = sweep([cell], tmp_path, Budget(minutes=0.03), workers=0)
    assert found.records[0].trained["steps"] == 3 and found.records[0].trained["budget"] == "0.03 CPU-minutes"
    monkeypatch.setattr(sweeps, "measure", lambda *given: pytest.fail("measured again"))
    (tmp_path / cell.name / "records.jsonl").unlink()
    assert sweep([cell], tmp_path, Budget(minutes=0.03), workers=0).records[0].value == found.records[0].value


def test_a_failed_cell_is_listed_and_the_others_are_done(tmp_path):
    bad, good = *cells([0], rate=0.9, loss="mse"), *cells([0], width=12)
    with pytest.MonkeyPatch.context() as patch:
        run = sweeps._run
        patch.setattr(sweeps, "_run", lambda cell, *given: run(cell, *given) if cell == good else 1 / 0)
        found = sweep([bad, good], tmp_path, Budget(steps=2), workers=0)
        assert found.failed == {bad.name: "ZeroDivisionError: division by zero"} and found.states[good.name] == "finished"
        assert sweep([bad, good], tmp_path, Budget(steps=2), workers=0).failed          # not tried again by itself
    assert not sweep([bad, good], tmp_path, Budget(steps=2), workers=0, retry=True).failed


SCRIPT = """
import sys
from girlib import sweep
cells, budget = sweep.read_grid(sys.argv[1])
sweep.sweep(cells, sys.argv[2], budget, int(sys.argv[3]), "local", keep_in=sys.argv[2] + "/records")
"""


def test_a_killed_sweep_runs_no_cell_twice_and_loses_none(tmp_path):
    pytest.importorskip("submitit")
    (tmp_path / "grid.toml").write_text(GRID)
    home = tmp_path / "sweep"

    def start(workers):
        return subprocess.Popen([sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path / "grid.toml"), str(home), str(workers)],
                                env={**os.environ, "OMP_NUM_THREADS": "1"}, start_new_session=True)
    all_cells, budget = read_grid(tmp_path / "grid.toml")
    third, (process, until) = home / all_cells[2].name, (start(0), time.time() + 240)
    while time.time() < until and not (third / "last.pt").exists() and not (third / "starts.txt").exists():
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = {cell.name: (home / cell.name / "records.jsonl").read_bytes() for cell in all_cells[:2]}
    assert start(2).wait(timeout=500) == 0
    found = swept(all_cells, home)
    assert set(found.states.values()) == {"finished"} and len(found.states) == 5
    starts = {name: len((home / name / "starts.txt").read_text().splitlines()) for name in found.states}
    assert sum(starts.values()) == 6 and starts[all_cells[2].name] == 2                    # only the one that was cut off began twice
    assert all((home / name / "records.jsonl").read_bytes() == before for name, before in done.items())
    kept = read(home / "records")
    assert len(kept) == len(found.records) and {record.weights for record in kept} == {record.weights for record in found.records}


def test_a_grid_file_is_read(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text(GRID + '[[group]]\nmethods = ["dagf"]\ntasks = ["depth"]\nscales = [16]\nvariants = [{ label = "model 1", '
                           'options = { fusion = "target" }, settings = { loss = "l1" } }, { label = "model 7" }]\n')
    found, budget = read_grid(path)
    assert budget == Budget(steps=12) and len(found) == 1 + 4 + 2
    assert found[-2] == Cell("dagf", "depth", 16, 0, {"fusion": "target"}, {"loss": "l1"}, "model 1")
    assert found[-2].recipe(5).loss == "l1" and found[-1].name == "dagf-depth-x16-model_7-seed0"


@pytest.mark.parametrize(("call", "words"), [
    (lambda home: sweep(cells(width="wide"), home, Budget(steps=1)), "width='wide'"),
    (lambda home: sweep(grid(["pannet"], ["depth"]), home, Budget(steps=1)), "not made for the task 'depth'"),
    (lambda home: sweep(grid(["bcubic"], ["depth"]), home, Budget(steps=1)), "no method 'bcubic'"),
    (lambda home: sweep([], home, Budget(steps=1)), "no cell"),
    (lambda home: sweep(cells(), home, Budget(steps=1), workers=-1), "workers is -1"),
    (lambda home: sweep(cells() + cells(rate=0.1), home, Budget(steps=1)), "two cells are named"),
    (lambda home: sweep(grid(["svlrm"], ["depth"], datasets=("atlantis",)), home, Budget(steps=1)), "atlantis"),
    (lambda home: sweep(cells(), home, Budget(steps=1), device="cuda:9"), "cuda:9"),
    (lambda home: Budget(), "give one of the two"), (lambda home: Budget(1, 2), "give one of the two"),
    (lambda home: Budget(steps=0), "budget is 0"), (lambda home: Budget(minutes=float("nan")), "budget is nan"),
    (lambda home: grid(["svlrm"], ["depth"], [3]), "scale is 3"),
    (lambda home: grid(["svlrm"], ["depth"], variants=[{"name": 1}]), "a variant has 'name'"),
    (lambda home: read_grid(home / "no.toml"), "cannot be read"), (lambda home: read_grid(home), "cannot be read"),
])  # fmt: skip
def test_a_wrong_request_is_one_sentence_and_leaves_nothing(call, words, tmp_path):
    with pytest.raises(GirlibError) as caught:
        call(tmp_path)
    assert words in str(caught.value) and "\n" not in str(caught.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[1] / "zoo").glob("*.toml")), ids=lambda path: path.stem)
def test_every_cell_of_the_zoo_can_be_built(path):
    found, budget = read_grid(path)
    assert len(checked(found)) > 10 and budget == Budget(minutes=3)


@pytest.mark.parametrize(("text", "words"), [
    ("", "no [[group]]"), ("steps =", "no TOML"), ("\xff\xfe\x00", "no TOML"), ("group = 3", "no [[group]]"), ("[[group]]", "no methods"),
    ('[[group]]\nmethods = "svlrm"\ntasks = ["depth"]', "methods='svlrm'"), ("stepps = 3\n[[group]]", "'stepps'"),
    ('[[group]]\nmethods = ["svlrm"]\ntasks = ["depth"]\nimages = true', "images=True"),
])  # fmt: skip
def test_a_wrong_grid_file_is_one_sentence(text, words, tmp_path):
    path = tmp_path / "grid.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(GirlibError) as caught:
        read_grid(path)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_another_budget_in_the_same_folder_is_refused(tmp_path):
    sweep(cells([0]), tmp_path, Budget(steps=1), workers=0)
    with pytest.raises(GirlibError, match="another budget"):
        sweep(cells([0]), tmp_path, Budget(steps=2), workers=0)
    (tmp_path / cells([0])[0].name / "cell.json").write_text("{")
    with pytest.raises(GirlibError, match="damaged"):
        sweep(cells([0]), tmp_path, Budget(steps=1), workers=0)
