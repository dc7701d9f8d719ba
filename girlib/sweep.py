"""A grid of trainings: every cell has the same budget, is scored by its task's protocols, and is never run twice.

A cell is a method, a task, a scale, a seed and options. It has a folder of its own with cell.json (what is to be done, and how many
steps its budget buys), the checkpoints of its training, records.jsonl once it is finished, error.txt where it failed. Workers take
cells until none is left: processes of this machine or jobs of Slurm, started by submitit. Who works on a cell holds a lock that
ends with its process, so that a killed cell is free at once and goes on from its checkpoint.
"""

import json
import socket
import time
import traceback
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path

import torch

from girlib.errors import GirlibError
from girlib.methods import CLASSICAL
from girlib.networks import NETWORKS
from girlib.recipes import build, recipe
from girlib.results import append, as_line, read
from girlib.tasks import get_task
from girlib.training import measure, save_weights, train, write_whole

SCORED = ("procedural",)
PAUSE = 0.5                                                 # seconds between two looks at who is still at work


@dataclass(frozen=True)
class Cell:
    """One method, trained under the budget (or only scored, where nothing is trained) and scored on each of the datasets."""

    method: str
    task: str
    scale: int | None = None
    seed: int = 0
    options: dict = field(default_factory=dict)             # of the method
    settings: dict = field(default_factory=dict)            # of the recipe
    label: str = ""                                         # in the name, instead of the options
    datasets: tuple[str, ...] = SCORED
    images: int | None = None                               # scored of each dataset, from the first; None: as evaluate does

    @property
    def name(self):
        told = self.label or " ".join(f"{name}={value}" for name, value in self.options.items())
        words = [self.method, self.task, f"x{self.scale}" if self.scale else "", told, f"seed{self.seed}"]
        return "-".join("".join(c if c.isalnum() or c in "=." else "_" for c in word) for word in words if word)

    @property
    def trains(self):
        return self.method in NETWORKS and self.method != "gdd"

    def recipe(self, steps=1):
        return recipe(self.method, self.task, self.scale, seed=self.seed,
                      **{"validate": 0, "images": 2, **self.settings, "steps": steps, "options": self.options})


@dataclass(frozen=True)
class Budget:
    """What each cell may spend: steps, or minutes of CPU time (of the clock on a GPU), of which a measurement makes steps."""

    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self):
        given = self.minutes if self.steps is None else self.steps
        if (self.steps is None) == (self.minutes is None):
            raise GirlibError(f"sweep: the budget is steps={self.steps} and minutes={self.minutes}; give one of the two.")
        if isinstance(given, bool) or not isinstance(given, int if self.minutes is None else (int, float)) or not 0 < given < 1e9:
            raise GirlibError(f"sweep: the budget is {given!r}; expected a number above 0, of steps a whole one.")

    def __str__(self):
        return f"{self.steps} steps" if self.minutes is None else f"{self.minutes:g} CPU-minutes"


@dataclass
class Swept:
    """What a sweep leaves: the state of every cell, why some failed, and the records of the finished ones."""

    states: dict[str, str]                                  # name -> finished, failed, running, interrupted or waiting
    failed: dict[str, str]                                  # name -> one sentence
    records: list


def sweep(cells, folder, budget, workers=1, executor="auto", device="cpu", threads=1, keep_in=None, retry=False, report=None, **slurm):
    """Trains and scores every cell that is not finished. It may be killed at any moment and called again.

    workers    how many cells are worked on at a time, each by a process of submitit; 0: one after the other in this process
    executor   auto (Slurm where there is one), local or slurm; `slurm`: options of submitit, e.g. slurm_partition="gpu"
    threads    of torch in each worker; sums of floats, so the last digits of the weights, depend on it
    keep_in    a folder of records, to which those of finished cells are added, each once
    retry      try the failed cells again
    report     is called with the name of each cell that comes to an end, and its state
    """
    for name, value, least in (("workers", workers, 0), ("threads", threads, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise GirlibError(f"sweep: {name} is {value!r}; expected a whole number, {least} or more.")
    if executor not in ("auto", "local", "slurm"):
        raise GirlibError(f"sweep: executor is {executor!r}; expected auto, local or slurm.")
    folder, cells = Path(folder), checked(cells, device)
    for cell in cells:
        _begin(folder / cell.name, cell, budget)
        if retry:
            (folder / cell.name / "error.txt").unlink(missing_ok=True)
    worker, told = _Worker(folder, cells, budget, device, threads), set()

    def look():
        for cell in cells:
            state = state_of(folder / cell.name)
            if state in ("finished", "failed") and cell.name not in told:
                told.add(cell.name)
                if keep_in and state == "finished":
                    _keep(folder / cell.name / "records.jsonl", Path(keep_in))
                if report:
                    report(cell.name, state)
    look()
    if workers == 0:
        while worker.one():
            look()
    elif len(told) < len(cells):
        jobs = _submit(worker, workers, executor, folder / "jobs", slurm)
        try:
            while not all(job.done() for job in jobs):
                time.sleep(PAUSE)
                look()
        except BaseException:
            for job in jobs:
                job.cancel()
            raise
    look()
    return swept(cells, folder)


def swept(cells, folder):
    """How far a sweep has come; nothing is started."""
    folders = {cell.name: Path(folder) / cell.name for cell in cells}
    states = {name: state_of(own) for name, own in folders.items()}
    failed = {name: (folders[name] / "error.txt").read_text().strip() for name, state in states.items() if state == "failed"}
    records = [record for name, state in states.items() if state == "finished" for record in read(folders[name] / "records.jsonl")]
    return Swept(states, failed, records)


def state_of(folder):
    for file, state in (("records.jsonl", "finished"), ("error.txt", "failed")):
        if (folder / file).exists():
            return state
    if not (folder / "cell.json").exists():
        return "waiting"
    with _Lock(folder) as mine:
        return "running" if not mine else "interrupted" if (folder / "last.pt").exists() else "waiting"


# ------------------------------------------------------------------------------------------------------------------- the grid

def grid(methods, tasks, scales=(None,), seeds=(0,), options=None, settings=None, variants=({},), **same):
    """Cells of all combinations. options: name -> a list of values, or one; variants: dicts of label, options and settings."""
    choices = {name: value if isinstance(value, list) else [value] for name, value in (options or {}).items()}
    cells = []
    for method, task, scale, variant in product(methods, tasks, scales, variants):
        if unknown := [name for name in variant if name not in ("label", "options", "settings")]:
            raise GirlibError(f"sweep: a variant has {unknown[0]!r}; expected label, options and settings.")
        for values, seed in product(product(*choices.values()), seeds):
            given = {**(settings or {}), **variant.get("settings", {})}
            if wrong := [name for name in given if name in ("network", "task", "scale", "seed", "steps", "options")]:
                raise GirlibError(f"sweep: {wrong[0]} is given as a setting; the grid and the budget decide it.")
            own = {**dict(zip(choices, values, strict=True)), **variant.get("options", {})}
            cell = Cell(method, task, get_task(task).scale(scale), seed, own, given, variant.get("label", ""), **same)
            if cell.method in CLASSICAL and seed != seeds[0]:
                continue                                    # nothing in it is random
            cells.append(cell)
    return cells


KEYS = {"methods": list, "tasks": list, "scales": list, "seeds": list, "options": dict, "settings": dict, "variants": list,
        "datasets": list, "images": int, "about": str}


def read_grid(path):
    """(cells, budget or None) of a TOML file: `steps` or `minutes`, and a [[group]] for each part of the grid, with the names of `grid`."""
    try:
        import tomllib
    except ImportError:                                     # Python 3.10
        raise GirlibError("sweep: a grid file is read by Python 3.11 or later; give the grid as options instead.") from None
    try:
        content = tomllib.loads(Path(path).read_text())
    except OSError as error:
        raise GirlibError(f"sweep: {str(path)!r} cannot be read ({error.strerror}); give the path of a TOML file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GirlibError(f"sweep: {str(path)!r} is no TOML file ({' '.join(str(error).split())}).") from None
    groups, cells = content.pop("group", None), []
    if not groups or not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise GirlibError(f"sweep: {str(path)!r} has no [[group]]; expected at least one, with methods and tasks.")
    budget = {name: content.pop(name) for name in ("steps", "minutes") if name in content}
    if content:
        raise GirlibError(f"sweep: {str(path)!r} has {next(iter(content))!r}; expected steps or minutes, and [[group]].")
    for group in groups:
        for name, value in group.items():
            if not isinstance(value, KEYS.get(name, ())) or isinstance(value, bool):
                raise GirlibError(f"sweep: a group of {str(path)!r} has {name}={value!r}; expected "
                                  f"{', '.join(f'{key} ({kind.__name__})' for key, kind in KEYS.items())}.")
        if missing := [name for name in ("methods", "tasks") if name not in group]:
            raise GirlibError(f"sweep: a group of {str(path)!r} has no {missing[0]}; expected methods and tasks in each.")
        given = {name: value for name, value in group.items() if name != "about"}
        cells += grid(**{**given, "datasets": tuple(given.get("datasets", SCORED))})
    return cells, Budget(**budget) if budget else None


def checked(cells, device="cpu"):
    """The cells, each of which can be built and scored: told before the first one is trained."""
    from girlib.methods import find_method
    from girlib.notebook import find_device

    find_device(device)
    cells = list(cells)
    if not cells:
        raise GirlibError("sweep: the grid has no cell; give at least one method and one task.")
    names, seen = set(), set()
    for cell in cells:
        if cell.name in names:
            raise GirlibError(f"sweep: two cells are named {cell.name!r}; give their variants different labels.")
        names.add(cell.name)
        for dataset in cell.datasets:
            get_task(cell.task).protocols_for(dataset)
        kind = (cell.method, cell.task, cell.scale, repr(cell.options), repr(cell.settings))
        if kind in seen:
            continue
        seen.add(kind)
        if cell.trains:
            build(cell.recipe())
        else:
            find_method(cell.method, cell.task, scale=cell.scale, **cell.options)
    return cells


# ------------------------------------------------------------------------------------------------------------- one cell's life

class _Lock:
    """True inside `with` if no other process holds the folder; the system takes it back when a process ends, however it ends."""

    def __init__(self, folder):
        self.path = folder / ".lock"

    def __enter__(self):
        import fcntl
        self.file = open(self.path, "a")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def __exit__(self, *_):
        self.file.close()


def _begin(folder, cell, budget):
    """Writes down what is to be done, or sees to it that the folder is about the same."""
    path = folder / "cell.json"
    mine = json.loads(json.dumps({"cell": asdict(cell), "budget": asdict(budget)}))
    if not path.exists():
        return write_whole(path, lambda part: part.write_text(json.dumps(mine, indent=1)))
    try:
        told = json.loads(path.read_text())
        changed = [name for name in mine if told[name] != mine[name]]
    except (OSError, ValueError, KeyError, TypeError):
        raise GirlibError(f"sweep: {str(path)!r} is damaged; remove its folder to begin that cell anew.") from None
    if changed:
        raise GirlibError(f"sweep: {str(folder)!r} holds a cell with another {'budget' if changed == ['budget'] else 'content'}; give "
                          "another folder, or the same grid and budget as before.")


@dataclass
class _Worker:
    """Takes cells, one after the other, until none is left; what submitit sends to another process."""

    folder: Path
    cells: list
    budget: Budget
    device: str
    threads: int

    def __call__(self):
        while self.one():
            pass

    def checkpoint(self):
        """Slurm's time is up: the same again, which goes on where the checkpoints are."""
        from submitit.helpers import DelayedSubmission
        return DelayedSubmission(self)

    def one(self):
        """Works on one cell. False: there is none left, here or in other hands."""
        others = False
        for cell in self.cells:
            own = self.folder / cell.name
            if (own / "records.jsonl").exists() or (own / "error.txt").exists():
                continue
            with _Lock(own) as mine:
                if not mine:
                    others = True                           # it may yet be killed, and its cell be left to us
                elif not (own / "records.jsonl").exists():
                    self.finish(cell, own)
                    return True
        if others:
            time.sleep(PAUSE)
        return others

    def finish(self, cell, own):
        torch.set_num_threads(self.threads)
        try:
            with open(own / "starts.txt", "a") as file:
                file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {socket.gethostname()}\n")
            records = _run(cell, own, self.budget, self.device)
            write_whole(own / "records.jsonl", lambda part: part.write_text("".join(as_line(record) + "\n" for record in records)))
        except Exception as error:
            said = str(error) if isinstance(error, GirlibError) else f"{type(error).__name__}: {error}"
            text = traceback.format_exc()
            write_whole(own / "traceback.txt", lambda part: part.write_text(text))
            write_whole(own / "error.txt", lambda part: part.write_text(" ".join(said.split()) + "\n"))


def _run(cell, own, budget, device):
    """Trains a cell, or goes on with it, and scores it."""
    from girlib.evaluation import evaluate

    given = {"options": dict(cell.options), "limit": cell.images}
    if cell.trains:
        begun, cpu = time.perf_counter(), time.process_time()
        made = cell.recipe(_steps(cell, own, budget, device))
        trained = train(made, own, resume=True, device=device, save_every=20.0)
        save_weights(trained.network, own / "final.safetensors", made, {})
        used = "cpu_hours" if device == "cpu" else "gpu_hours"
        seconds = (time.process_time() - cpu) if device == "cpu" else time.perf_counter() - begun
        starts = len((own / "starts.txt").read_text().splitlines())
        given |= {"weights": str(own / "final.safetensors"),
                  "trained": {"recipe": asdict(made), "data": made.data, "seed": cell.seed, "budget": str(budget), "label": cell.label,
                              "steps": made.steps, used: round(seconds / 3600, 5), "hours": round(seconds / 3600, 5), "starts": starts}}
    elif cell.method == "gdd":
        given["options"].setdefault("seed", cell.seed)
    records = [record for dataset in cell.datasets
               for record in evaluate(cell.method, cell.task, dataset, scale=cell.scale, protocol="all", device=device, **given)]
    failed = {name: why for record in records for name, why in record.failed.items()}
    records = [record for record in records if record.images]
    if not records:
        raise GirlibError(f"sweep: no image could be scored: {next(iter(failed.values()))}")
    return records


def _steps(cell, own, budget, device):
    """Steps of a cell. Minutes become steps once, by a measurement that is written down: whoever repeats the cell repeats the steps."""
    if budget.steps is not None:
        return budget.steps
    path = own / "steps.json"
    if not path.exists():
        seconds = measure(cell.recipe(), device).seconds
        told = {"steps": max(1, int(60 * budget.minutes / seconds)), "seconds a step, measured": seconds, "budget": str(budget)}
        write_whole(path, lambda part: part.write_text(json.dumps(told)))
    return json.loads(path.read_text())["steps"]


def _submit(worker, workers, executor, folder, slurm):
    try:
        import submitit
    except ImportError:
        raise GirlibError("sweep: workers need submitit: pip install submitit; or give workers=0, one cell after the other.") from None
    try:
        made = submitit.AutoExecutor(folder, None if executor == "auto" else executor)
        made.update_parameters(**{"timeout_min": 24 * 60, "name": "girlib", **slurm})
    except (RuntimeError, NameError, ValueError, TypeError) as error:
        raise GirlibError(f"sweep: submitit refuses ({' '.join(str(error).split())}); give executor=local, or other options.") from None
    return [made.submit(worker) for _ in range(min(workers, len(worker.cells)))]


def _keep(path, folder):
    """Adds the records of a finished cell to those of its task, unless they are there."""
    for record in read(path):
        file = folder / f"{record.task}.jsonl"
        known = set(file.read_text().splitlines()) if file.exists() else ()
        if as_line(record) not in known:
            append([record], file)
