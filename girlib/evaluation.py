"""The scoring: a method restores every image of a dataset as a task's protocol asks, and each metric becomes a record.

A method is a network by name (with weights), a classical method by name, a module, or any function of a sample. The same
call gives the same records, whatever the number of workers; a damaged image is named in the record and the rest is done.
"""

import hashlib
import inspect
import multiprocessing
import pickle
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import torch

from girlib.errors import GirlibError
from girlib.results import Record, provenance
from girlib.samples import names_of
from girlib.tasks import get_task
from girlib.tiles import network_in_tiles

LARGE, TILE = 2**22, 1024                    # pixels of an image, above which networks work on it in tiles of so many a side
PROCEDURAL_IMAGES = 8                       # how many scenes are scored where no `limit` says otherwise


def evaluate(method, task, dataset="procedural", *, scale=None, protocol=None, weights=None, limit=None, size=256, seed=0,
             device="auto", workers=0, strict=False, progress=False, data_root=None, profile=None, options=None, trained=None, tile=None,
             **sensor):
    """Scores a method; one Record a metric of the protocol.

    dataset    a dataset of the task; "procedural": scenes of the seeds seed, seed + 1, ...; or captures of one's own, in a list
    protocol   name of one of the task's protocols for the dataset, a list of names, or "all"; by default the first. An image that
               several of them ask for in the same form is restored once
    weights    as for load_model: None (random), "girlib", "official" or a path
    limit      score only so many images, from the first
    size       of procedural scenes, in pixels
    workers    how many processes share the images; 0: this one
    strict     stop at the first image that cannot be scored
    options    of the method: of a network's constructor, of GDD's optimisation, of a filter (radius, eps, ...)
    trained    what is known of weights that were trained here: recipe, data, seed, budget, ... (see results.Record)
    tile       networks work on larger images in tiles of so many pixels a side; 0: never. Default: in tiles of 1024 what has more than
               4 million pixels. Memory is that of one tile, and of the images. The score is that of the whole image but for rounding
               where a network sees a window around each pixel; where it pools over the image (SFIGF, MGDN, ...) tiles are blended
               and the score moves. The record says which tiles there were
    sensor     options of the task's `observe` that differ from the protocol's
    """
    for name, value, least, most in (("limit", limit, 1, 10**6), ("size", size, 16, 10**4), ("seed", seed, 0, 2**31),
                                     ("workers", workers, 0, 10**3)):
        if not (name == "limit" and value is None) and (type(value) is not int or not least <= value <= most):
            raise GirlibError(f"evaluate: {name} is {value!r}; expected a whole number, {least} to {most}.")
    if not (options is None or isinstance(options, dict) and all(isinstance(name, str) for name in options)):
        raise GirlibError(f"evaluate: options is {options!r}; expected a dict of the method's options by name.")
    known = get_task(task)
    if tile is not None and (type(tile) is not int or tile != 0 and not 64 <= tile <= 10**5):
        raise GirlibError(f"evaluate: tile is {tile!r}; expected a whole number, 64 to 100000, or 0 for the whole image.")
    if not (trained is None or isinstance(trained, dict)):
        raise GirlibError(f"evaluate: trained is {trained!r}; expected a dict: recipe, data, seed, budget, ...")
    unknown = [name for name in sensor if name not in list(inspect.signature(known.observe).parameters)[3:]]
    if unknown:
        there = ", ".join(list(inspect.signature(known.observe).parameters)[3:]) or "none"
        raise GirlibError(f"evaluate: there is no option {unknown[0]!r}; those of the task {task}'s sensor are: {there}.")
    own = None if isinstance(dataset, str) else dataset
    if own is not None:
        names_of("evaluate", own)
    dataset = dataset if own is None else "own"
    scale, asked = known.scale(scale), _asked(known, dataset if own is None else "procedural", protocol)
    records = []
    for together in _alike(asked):
        job = _Job(method, task, dataset, scale, together, weights, size, seed, str(device), data_root, dict(options or {}),
                   {**together[0].sensor, **sensor}, strict, trained, own, tile)
        records += _records(job, limit, workers, progress, profile)
    return sorted(records, key=lambda record: [one.name for one in asked].index(record.protocol["name"]))


def _asked(task, dataset, protocol):
    if protocol == "all":
        return task.protocols_for(dataset)
    names = protocol if isinstance(protocol, (list, tuple)) and protocol else [protocol]
    return list({one.name: one for one in (task.protocol(dataset, name) for name in names)}.values())


def _alike(protocols):
    """Protocols with the same sensor on the same images; apart from them those that need more than torch, for that may be missing."""
    from girlib.metrics import METRICS
    groups = {}
    for protocol in protocols:
        needs = [METRICS[metric].needs for metric, _ in protocol.metrics]
        groups.setdefault((repr(sorted(protocol.sensor.items())), protocol.split, *sorted({*needs} - {""})), []).append(protocol)
    return groups.values()


def _records(job, limit, workers, progress, profile):
    """Those of all protocols of a job."""
    begun = time.perf_counter()
    names = job.names(limit)
    scores, failed, digest, unit, tile = {}, {}, hashlib.sha256(), None, None
    for name, values, used, fault in _bar(_each(job, names, workers), len(names), job.title(), progress):
        if fault:
            failed[name] = fault
        else:
            scores[name], (pixels, unit, tiled) = values, used
            digest.update(pixels)
            tile = tile or tiled
    if job.strict and failed:
        raise GirlibError(f"evaluate: {next(iter(failed.values()))}")
    same = dict(method=job.title(), task=job.task, dataset=job.dataset, scale=job.scale, options=job.options, weights=job.weights_hash(),
                data=digest.hexdigest() if scores else None, failed=failed, profile=profile, seed=job.seed, device=job.device_name(),
                trained=job.trained_how(), tile=tile, seconds=time.perf_counter() - begun, **provenance())
    return [_record(same, protocol, job.sensor, metric, given, scores, unit)
            for protocol in job.protocols for metric, given in protocol.metrics]


def _record(same, protocol, sensor, metric, given, scores, unit):
    from girlib.metrics import METRICS

    entry, found = METRICS[metric], {name: of[_key(metric, given)] for name, of in scores.items()}
    values = {name: value for name, (value, _) in found.items()}
    value = sum(values.values()) / len(values) if values else None
    if values and entry.pool:
        value = entry.pool[1](torch.from_numpy(sum(count for _, count in found.values())))
    told = {"name": protocol.name, "source": protocol.source, "sensor": sensor, "metric": given}
    return Record(metric=metric, value=value, images=values, unit=entry.unit_with(given, unit), direction=entry.direction,
                  protocol=told | ({"split": protocol.split} if protocol.split else {}), **same)


def _key(metric, given):
    return repr((metric, sorted(given.items())))


@dataclass
class _Job:
    """Everything that one image's score depends on, in a form that another process can be given."""

    method: object
    task: str
    dataset: str
    scale: int | None
    protocols: list                                             # with one sensor and one split
    weights: object
    size: int
    seed: int
    device: str
    data_root: object
    options: dict
    sensor: dict
    strict: bool
    trained: dict | None = None
    own: object = None                                          # captures that are no dataset of the book
    tile: int | None = None
    _ready: dict = field(default_factory=dict)                  # what is made once in each process

    def __getstate__(self):
        return {**self.__dict__, "_ready": {}}

    def _once(self, name, make):
        if name not in self._ready:
            self._ready[name] = make()
        return self._ready[name]

    def title(self):
        """The name of a network, a method, or a function."""
        kind = type(self.method)
        if kind.__module__.startswith("girlib.networks."):
            return kind.__module__.rpartition(".")[2]
        return self.method if isinstance(self.method, str) else getattr(self.method, "__name__", kind.__name__)

    def trained_how(self):
        """Weights are their authors' only if they were asked for so; of others at least their name is told."""
        if isinstance(self.method, torch.nn.Module):
            return self.trained or {"weights": "of a module"}
        if self.trained or self.weights in (None, "official"):
            return self.trained or {}
        if self.weights == "girlib":
            from girlib.weights import find_weights
            told = find_weights(self.method, self.task, self.scale).header
            return {"weights": "girlib", **{name: told[name] for name in ("recipe", "data", "seed") if name in told},
                    "hours": round(told.get("cpu minutes", 0) / 60, 3)}
        return {"weights": Path(self.weights).name}

    def device_name(self):
        from girlib.notebook import find_device
        return str(find_device(self.device))

    def data(self):
        if self.own is not None:
            return self.own
        from girlib.datasets import open_dataset
        split = self.protocols[0].split or get_task(self.task).datasets[self.dataset]
        return self._once("data", lambda: open_dataset(self.dataset, split=split, root=self.data_root))

    def names(self, limit):
        if self.dataset == "procedural":
            return [f"scene {self.seed + i}" for i in range(limit or PROCEDURAL_IMAGES)]
        return names_of("evaluate", self.data())[:limit]

    def restore(self):
        from girlib.methods import find_method

        def find():
            with torch.random.fork_rng(devices=[]):             # random weights follow from the seed as well
                torch.manual_seed(self.seed)
                return find_method(self.method, self.task, weights=self.weights, scale=self.scale, device=self.device_name(),
                                   **self.options)
        return self._once("restore", find)

    def weights_hash(self):
        return getattr(self.restore(), "weights_hash", None)

    def restored(self, sample):
        """(restored, pixels of the tiles or None)."""
        restore = self.restore()
        network, pixels = getattr(restore, "network", None), sample.target.shape[-2] * sample.target.shape[-1]
        tile = TILE * (pixels > LARGE) if self.tile is None else self.tile
        if network is None or not tile:
            return restore(sample), None
        restored, how = network_in_tiles(network, sample.to(self.device_name()), tile, sample.meta.get("scale"))
        return restored, None if how == "whole" else tile

    def score(self, place, name):
        """(name, {metric: (value, count)}, (hash of what was scored, unit, tile), None), or (name, None, None, what was wrong).

        The count is what a metric that is taken over the whole set has to know of the image.
        """
        task = get_task(self.task)
        self.restore()                                          # what is wrong with a method is no fault of an image
        try:
            capture = task.scene(self.seed + place, self.size) if self.dataset == "procedural" else self.data()[place]
            sample = task.observe(capture, scale=self.scale, seed=self.seed + place, **self.sensor)
            restored, tile = self.restored(sample)
            restored = task.judged(restored)
            seen = {"restored": restored, "reference": sample.reference, "target": sample.target, "guide": sample.guide,
                    "low": sample.low, "valid": sample.valid}
            values = {_key(metric, given): _measured(metric, seen, given)
                      for protocol in self.protocols for metric, given in protocol.metrics}
        except GirlibError as error:
            return name, None, None, str(error)
        return name, values, (_hash(capture), sample.unit, tile), None


def _measured(metric, seen, given):
    """(value, count) of one image."""
    from girlib.metrics import METRICS, measure

    value, pool = measure(metric, **seen, **given), METRICS[metric].pool
    return value, pool and pool[0](seen["restored"].cpu(), seen["reference"].cpu(), **given).numpy()


def _hash(capture):
    """sha256 over the pixels of everything that was recorded."""
    digest = hashlib.sha256()
    for name, image in sorted(capture.images.items()):
        digest.update(f"{name} {tuple(image.shape)} {image.dtype}".encode())
        digest.update(image.detach().cpu().contiguous().numpy().tobytes())
    return digest.digest()


def _each(job, names, workers):
    """The scores in the order of the images, from this process or from several."""
    if workers == 0:
        for place, name in enumerate(names):
            outcome = job.score(place, name)
            yield outcome
            if job.strict and outcome[3]:
                return
        return
    try:
        pickle.dumps(job)
    except Exception:
        raise GirlibError(f"evaluate: {job.title()} cannot be sent to other processes; give workers=0, or the method by name.") from None
    context = multiprocessing.get_context("spawn")               # a forked copy of torch's threads may hang
    with ProcessPoolExecutor(workers, context, _begin, (job, torch.get_num_threads())) as pool:
        yield from pool.map(_score, range(len(names)), names)


def _begin(job, threads):
    global _JOB
    _JOB = job
    torch.set_num_threads(threads)                               # sums of floats depend on the number of threads


def _score(place, name):
    return _JOB.score(place, name)


def _bar(outcomes, total, title, progress):
    if not progress:
        return outcomes
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise GirlibError("evaluate: the progress bar needs tqdm: pip install tqdm") from None
    return tqdm(outcomes, total=total, desc=title, unit="image")
