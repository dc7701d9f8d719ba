"""All networks by name: create one, load weights into it, let it restore a sample, count its parameters.

A network is one file that holds TASKS (task -> the options of its constructor for that task), RELEASED ((task, scale) -> its
authors' weights, below `weights` in the folder of datasets), the table of released names, and the class Network. It is
imported when it is asked for.
"""

import inspect
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch

from girlib.errors import GirlibError
from girlib.networks.weights import load_weights, read_weights
from girlib.weights import find_weights

NETWORKS = {                                                                # name -> file in this folder
    "sfigf": "sfigf", "dagf": "dagf", "mgdn": "mgdn", "gdd": "gdd",
    "fgf": "fgf", "svlrm": "svlrm", "dkn": "dkn", "fdkn": "fdkn", "cunet": "cunet", "djf": "djf", "djfr": "djfr",
    "dctnet": "dctnet", "pannet": "pannet", "ifcnn": "ifcnn",
}


def list_models(task=None):
    """Names of all networks, or of those that are made for a task."""
    if task is None:
        return list(NETWORKS)
    tasks = {name: _network("list_models", name).TASKS for name in NETWORKS}
    known = sorted({task for own in tasks.values() for task in own})
    if task not in known:
        raise GirlibError(f"list_models: no network is made for the task {task!r}; there are {', '.join(known)}.")
    return [name for name in NETWORKS if task in tasks[name]]


def create_model(name, task, **options):
    """A network with random parameters, shaped for a task as its authors released it; `options` change what they name."""
    return _create("create_model", name, task, options)


def load_model(name, task, weights=None, scale=None, **options):
    """A network with weights: None (random), "girlib" (ours, in the package), "official" (its authors', from the folder of datasets),
    or the path of a file.

    A file may hold our names or the released ones, as safetensors, state dict, checkpoint, whole module or MatConvNet
    network. Where there are weights for several scales, `scale` says which ones; those of the package bring their own options.
    What has weights comes in evaluation mode, ready to be used; call .train() to go on training.
    """
    where = "load_model"
    network = _network(where, name)
    if weights is None:
        return _create(where, name, task, options)
    if weights == "girlib":
        _check_task(where, name, network, task)
        ours = find_weights(name, task, scale)
        model = _create(where, name, task, {**ours.options, **options})
        return load_weights(model, read_weights(ours.path), network, ours.path.name).eval()
    if weights != "official":
        model = _create(where, name, task, options)
        return load_weights(model, read_weights(weights), network, Path(weights).name).eval()
    _check_task(where, name, network, task)
    file, needed = _released(where, name, network, task, scale, options)
    model = _create(where, name, task, {**needed, **options})
    path = _weights_folder(where) / file
    if not path.is_file() and path.with_suffix(".mat").is_file():           # as its authors gave it, before it was converted
        path = path.with_suffix(".mat")
    if not path.is_file():
        raise GirlibError(f"{where}: the released weights of {name} are not at {str(path)!r}; {_how_to_get(file)}, or give weights= "
                          "the path of the file.")
    return load_weights(model, read_weights(path), network, path.name).eval()


def predict(model, sample, **options):
    """Restores a sample, in the sample's unit: the network, and before and after it what surrounds it.

    `options` belong to networks that optimise for each sample (GDD: steps, seed, progress).
    """
    if hasattr(model, "predict"):
        return model.predict(sample, **options)
    if options:
        raise GirlibError(f"predict: {type(model).__module__.rpartition('.')[2]} takes no options, but {', '.join(options)} was given; "
                          "leave it out.")
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return model.finish(model(*model.prepare(sample)), sample)
    finally:
        model.train(training)


@dataclass(frozen=True)
class Summary:
    """Parameters by block, in the order of the network; `unused` names those that the forward pass never reads."""

    blocks: dict[str, int]
    total: int
    unused: dict[str, int]

    def __str__(self):
        width = max(map(len, [*self.blocks, "total"]))
        lines = [f"{block:{width}}  {count:>11,}" for block, count in [*self.blocks.items(), ("total", self.total)]]
        if self.unused:
            lines.append(f"never read: {', '.join(self.unused)} ({sum(self.unused.values()):,} parameters)")
        return "\n".join(lines)


def summary(model):
    """How many parameters each block of a network has; a network names in `unused` what it never reads."""
    blocks = {}
    for name, parameter in model.named_parameters():
        block = name.split(".")[0]
        blocks[block] = blocks.get(block, 0) + parameter.numel()
    never = tuple(getattr(model, "unused", ()))
    unused = {name: parameter.numel() for name, parameter in model.named_parameters() if never and name.startswith(never)}
    return Summary(blocks, sum(blocks.values()), unused)


# ------------------------------------------------------------------------------------------- what is asked of the user

def _network(where, name):
    """The file of a network as a module."""
    if name not in NETWORKS:
        raise GirlibError(f"{where}: there is no network {name!r}; there are {', '.join(NETWORKS)}.")
    return import_module(f"girlib.networks.{NETWORKS[name]}")


def _check_task(where, name, network, task):
    if task not in network.TASKS:
        raise GirlibError(f"{where}: {name} is not made for the task {task!r}; it knows {', '.join(network.TASKS)}.")


def _create(where, name, task, options):
    network = _network(where, name)
    _check_task(where, name, network, task)
    parameters = inspect.signature(network.Network).parameters
    unknown = [option for option in options if option not in parameters]
    if unknown:
        raise GirlibError(f"{where}: {name} has no option {unknown[0]!r}; it has {', '.join(parameters)}.")
    own = {**{option: known.default for option, known in parameters.items()}, **network.TASKS[task]}
    for option, value in options.items():
        if not _fits(value, own[option]):
            raise GirlibError(f"{where}: {name} was given {option}={value!r}; expected a value like {option}={own[option]!r}.")
    return network.Network(**{**network.TASKS[task], **options})


def _fits(value, like):
    """Whether a value is of the kind of another; of an option that is None otherwise only a word is refused."""
    if isinstance(like, bool) or isinstance(value, bool):
        return isinstance(value, bool) and (like is None or isinstance(like, bool))
    if isinstance(like, (int, float)):
        return isinstance(value, int if isinstance(like, int) else (int, float))
    if isinstance(like, (tuple, list)):
        return isinstance(value, (tuple, list)) and all(_fits(entry, like[0]) for entry in value)
    return isinstance(value, str) if isinstance(like, str) else not isinstance(value, str)


def _released(where, name, network, task, scale, options):
    """The file of the authors' weights and the options that it needs."""
    released = {own: file for (known, own), file in network.RELEASED.items() if known == task}
    if not released:
        others = sorted({known for known, _ in network.RELEASED})
        raise GirlibError(f"{where}: no weights of {name} were released for the task {task!r} "
                          f"({'only for ' + ', '.join(others) if others else 'nor for any other'}); train it, or give weights= a path.")
    if scale is None and len(released) == 1:
        (scale,) = released
    if scale not in released:
        raise GirlibError(f"{where}: no weights of {name} were released for {task} at scale {scale!r}; there are "
                          f"{', '.join(map(str, released))} (scale=).")
    file = released[scale]
    if callable(file):                                                      # where an option decides
        file = file({**network.TASKS[task], **options})
    return file if isinstance(file, tuple) else (file, {})


def _how_to_get(file):
    from girlib.registry import registry
    entry = "weights/" + Path(file).parts[0]
    return f"run `girlib fetch {entry}`" if entry in registry() else "put them there"


def _weights_folder(where):
    from girlib.notebook import find_data
    folder = find_data()
    if folder is None:
        raise GirlibError(f"{where}: released weights are read from the folder `weights` below GIRLIB_DATA, which is not set; set it, "
                          "or give weights= a path.")
    return folder / "weights"
