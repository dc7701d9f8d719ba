"""Training: learns, goes on bit for bit after any interruption, and never leaves half a file."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open

from girlib import training
from girlib.errors import GirlibError
from girlib.evaluation import evaluate
from girlib.networks import load_model
from girlib.recipes import PAPER, Recipe, recipe
from girlib.training import in_unit_range, train

TINY = dict(steps=6, batch=2, patch=32, validate=3, images=1)


def tiny(network="svlrm", **changes):
    return recipe(network, "depth", 4, **{**TINY, **changes})


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.network.state_dict().values(), other.network.state_dict().values(), strict=True))


def forget_time(history):
    return [{name: value for name, value in line.items() if name != "seconds"} for line in history]


# DAGF begins near the enlarged target, which leaves it less to gain.
@pytest.mark.parametrize(("network", "factor"), [("svlrm", 0.4), ("dagf", 0.8), ("fdkn", 0.4)])
def test_a_network_learns_one_scene(network, factor, monkeypatch):
    class OneScene(training._Samples):
        def one(self, index, generator):
            return super().one(0, torch.Generator().manual_seed(0))
    monkeypatch.setattr(training, "_Samples", OneScene)
    history = train(tiny(network, steps=60, batch=1, validate=10, rate=2e-3, decay=(10**9, 1.0))).history
    assert history[-1]["loss"] < factor * history[0]["loss"]


def test_a_frozen_network_does_not_learn(monkeypatch):
    """The promise above can be broken."""
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self, closure=None: None)
    monkeypatch.setattr(training._Samples, "one", lambda self, index, generator, one=training._Samples.one:
                        one(self, 0, torch.Generator().manual_seed(0)))
    history = train(tiny(steps=6, batch=1, validate=3)).history
    assert history[-1]["loss"] > 0.99 * history[0]["loss"]


def test_an_interrupted_training_goes_on_bit_for_bit(tmp_path):
    whole = train(tiny("dagf"), tmp_path / "whole")

    def stop(line):
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        train(tiny("dagf"), tmp_path / "cut", save_every=0, watch=stop)
    assert not (tmp_path / "cut" / "log.jsonl").exists() or len((tmp_path / "cut" / "log.jsonl").read_text().splitlines()) < 2
    torch.rand(7)                                               # other random numbers were drawn meanwhile
    rest = train(tiny("dagf"), tmp_path / "cut", resume=True)
    assert same(whole, rest) and forget_time(whole.history) == forget_time(rest.history) and whole.best == rest.best


SCRIPT = """
import sys
from girlib.recipes import recipe
from girlib.training import train
train(recipe("svlrm", "depth", 4, steps=20, batch=1, patch=32, validate=10, images=1), sys.argv[1], resume=True, save_every=0)
"""


def test_a_kill_changes_nothing(tmp_path):
    """benchmarks/training_kills.py kills twenty times."""
    def start():
        return subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path / "killed")], env={**os.environ, "OMP_NUM_THREADS": "1"})
    checkpoint = tmp_path / "killed" / "last.pt"
    process, until = start(), time.time() + 120
    while time.time() < until and process.poll() is None:
        if checkpoint.exists() and torch.load(checkpoint, weights_only=True)["step"] >= 4:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert torch.load(checkpoint, weights_only=True)["step"] >= 4                          # whole, whatever was being written
    assert start().wait() == 0
    torch.set_num_threads(1)
    whole = train(recipe("svlrm", "depth", 4, steps=20, batch=1, patch=32, validate=10, images=1), tmp_path / "whole")
    killed = torch.load(checkpoint, weights_only=True)["network"]
    assert all(torch.equal(value, killed[name]) for name, value in whole.network.state_dict().items())


def test_workers_do_not_change_the_weights():
    assert same(train(tiny()), train(tiny(), workers=2))


def test_accumulated_gradients_are_those_of_the_whole_batch():
    one, parts = train(tiny(steps=1, batch=4)), train(tiny(steps=1, batch=4), accumulate=2)
    for a, b in zip(one.network.parameters(), parts.network.parameters(), strict=True):
        assert torch.allclose(a, b, atol=2e-5)                  # Adam's first step is rate * sign: 1e-3 where a sign flips


def test_the_best_weights_load_and_say_where_they_come_from(tmp_path):
    made = train(tiny(), tmp_path)
    path = tmp_path / "best.safetensors"
    with safe_open(path, "pt") as file:
        header = file.metadata()
    assert Recipe(**{**json.loads(header["recipe"]), "decay": None}) == tiny() and json.loads(header["scores"])["rmse"] == made.best
    network = load_model("svlrm", "depth", str(path))
    score = evaluate(network, "depth", scale=4, limit=1, size=64, seed=training.VALIDATION_SEED)[0].value
    assert score == pytest.approx(made.best, rel=1e-6)


def test_no_scene_is_both_trained_on_and_scored(monkeypatch):
    from girlib.tasks import get_task
    seeds, scene = [], get_task("depth").scene
    task = replace(get_task("depth"), scene=lambda seed, size: seeds.append(seed) or scene(seed, size))
    monkeypatch.setattr(training, "get_task", lambda name: task)
    train(tiny(steps=4, validate=0), watch=None)
    assert len(set(seeds)) == 8 and min(seeds) > training.VALIDATION_SEED + 10**6


def test_samples_fill_the_unit_range():
    from girlib.tasks import get_task
    sample = in_unit_range(get_task("depth").sample(0, 64, 4))
    assert sample.reference.min() == 0 and sample.reference.max() == 1 and sample.unit == "1"


def test_every_paper_setting_makes_a_recipe():
    for network, task in PAPER:
        made = recipe(network, task, profile="paper")
        assert made.rate_at(0) == 1 and made.rate_at(made.steps - 1) <= 1 and made.source in str(made)
        assert recipe(network, task).steps < recipe(network, task, profile="colab").steps < made.steps


def test_a_full_disk_is_one_sentence_and_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    train(tiny(steps=3), tmp_path)
    before = (tmp_path / "last.pt").read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(training.os, "fsync", full)
    with pytest.raises(GirlibError, match="last.pt.*No space left"):
        train(tiny(steps=3), tmp_path, resume=True, save_every=0)
    assert (tmp_path / "last.pt").read_bytes() == before and not list(tmp_path.glob(".*part"))


@pytest.mark.parametrize(("call", "words"), [
    (lambda folder: train(tiny(), folder), "holds a training already"),
    (lambda folder: train(tiny(steps=3, seed=1), folder, resume=True), "has another seed"),
    (lambda folder: train(tiny(), None, resume=True), "needs the folder"),
    (lambda folder: train(tiny(), precision="half"), "precision is 'half'"),
    (lambda folder: train(tiny(), accumulate=0), "accumulate is 0"),
    (lambda folder: train(tiny(), device="cuda:77"), "cuda:77"),
    (lambda folder: recipe("gdd", "pansharpening"), "gdd is not trained"),
    (lambda folder: recipe("sfigf", "depth", profile="fast"), "profile is 'fast'"),
    (lambda folder: recipe("sfigf", "depth", 3), "scale is 3"),
    (lambda folder: tiny(stepps=3), "no setting 'stepps'"),
    (lambda folder: tiny(steps=0), "steps is 0"),
    (lambda folder: tiny(rate=2.0), "rate is 2.0"),
    (lambda folder: tiny(loss="l3"), "no loss 'l3'"),
    (lambda folder: tiny(loss="masked mi"), "reads intermediates of mgdn"),
    (lambda folder: train(tiny("dagf", rate=0.99, steps=60)), "the loss is"),
])  # fmt: skip
def test_a_wrong_request_is_one_sentence(call, words, tmp_path):
    (tmp_path / "used").mkdir()
    if "already" in words or "another" in words:
        train(tiny(steps=3), tmp_path / "used")
    with pytest.raises(GirlibError) as caught:
        call(tmp_path / "used")
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", None])
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    train(tiny(steps=3), tmp_path)
    path = tmp_path / "last.pt"
    path.write_bytes(path.read_bytes()[:500] if damage is None else damage)
    with pytest.raises(GirlibError, match="last.pt.*damaged"):
        train(tiny(steps=3), tmp_path, resume=True)


TWO = """
import json, os, sys
from girlib.recipes import recipe
from girlib.training import train
made = train(recipe("svlrm", "depth", 4, steps=6, batch=4, patch=32, validate=1, images=1))
if os.environ.get("RANK", "0") == "0":
    print(json.dumps([line["loss"] for line in made.history]))
"""


def test_two_processes_see_the_losses_of_one():
    pytest.importorskip("accelerate")

    def start(**own):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", **own}
        return subprocess.Popen([sys.executable, "-W", "ignore", "-c", TWO], env=environment, stdout=subprocess.PIPE, text=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    together = [start(WORLD_SIZE="2", RANK=str(rank), LOCAL_RANK=str(rank), MASTER_ADDR="127.0.0.1", MASTER_PORT=port) for rank in (0, 1)]
    (two, _), _ = [process.communicate(timeout=300) for process in together]
    one, _ = start().communicate(timeout=300)
    assert json.loads(two.splitlines()[-1]) == pytest.approx(json.loads(one.splitlines()[-1]), rel=1e-4)    # sums in another order


def test_time_is_foretold_from_a_measured_step(tmp_path, monkeypatch):
    from girlib import results
    line = {"network": "svlrm", "task": "depth", "scale": 4, "options": {}, "batch": 4, "patch": 64, "seconds": 0.5, "memory": 0.7,
            "cpu": "a CPU", "date": "2026-01-01T00:00:00+00:00"}
    (tmp_path / "training_costs.jsonl").write_text(json.dumps(line) + "\n")
    monkeypatch.setattr(results, "results_folder", lambda: tmp_path)
    same = recipe("svlrm", "depth", 4).expected()
    assert (same.seconds, same.memory, same.measured) == (60, 0.7, True) and "about 1 min" in str(same)
    larger = recipe("svlrm", "depth", 8, batch=8, patch=128).expected()
    assert (larger.seconds, larger.memory, larger.measured) == (480, None, False) and "estimate" in str(larger)
    assert recipe("fdkn", "depth").expected() is None
