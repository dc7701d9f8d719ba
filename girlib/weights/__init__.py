"""Weights that we trained ourselves, on procedural scenes alone, and that come with the package: girlib.load_model(..., weights="girlib").

A file holds half-precision numbers and, in its header, all that is known of them: the recipe and the command that repeats it, data, seed,
commit, minutes of CPU time, scores on scenes that training never saw, licence.
"""

import json
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from girlib.errors import GirlibError

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Weights:
    """One file: NETWORK-TASK.safetensors, or NETWORK-TASK-xSCALE.safetensors where each scale has a network of its own."""

    network: str
    task: str
    scales: tuple[int | None, ...]              # at which the network was trained; (None,) where the task has no scale
    path: Path
    header: dict

    @property
    def options(self):
        """What the network's constructor was given."""
        return self.header["recipe"]["options"]

    def __str__(self):
        scales = ", ".join(f"x{scale}" for scale in self.scales if scale)
        scores = "; ".join(f"{one['metric']} {one['value']:.4g} ({one['baseline']} {one['baseline value']:.4g}"
                           f"{', x' + str(one['scale']) if one['scale'] else ''})" for one in self.header["scores"])
        return (f"{self.network:6} {self.task:14} {scales:12} {self.path.stat().st_size / 2**10:6.0f} KiB, "
                f"{self.header['cpu minutes']:.0f} CPU-minutes; {scores}")


@lru_cache(1)
def _all():
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.safetensors")))


def list_weights(network=None, task=None):
    """All weights that come with the package, or those of a network or task."""
    return [one for one in _all() if network in (None, one.network) and task in (None, one.task)]


def find_weights(network, task, scale=None):
    """The weights of a network for a task and scale; which ones there are where these are not. Without a scale the first ones."""
    known = list_weights(network, task)
    for one in known:
        if scale is None or scale in one.scales:
            return one
    if known:
        scales = [str(scale) for one in known for scale in one.scales if scale]
        raise GirlibError(f"load_model: no weights of girlib for {network} on {task} at scale {scale!r}; there are "
                          f"{', '.join(scales) or 'some without a scale'} (scale=).")
    there = ", ".join(f"{one.network} {one.task}" for one in list_weights())
    raise GirlibError(f'load_model: no weights of girlib for {network} on {task}; there are {there or "none"}; train it, or give '
                      'weights="official" or a path.')


def read_header(path):
    """The header of a safetensors file: the strings of its __metadata__, each of them JSON where it can be."""
    try:
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            told = json.loads(file.read(min(length, 2**24))).get("__metadata__", {})
    except (OSError, ValueError, AttributeError, struct.error):
        raise GirlibError(f"weights: {Path(path).name} is damaged or no safetensors file; install the package anew.") from None
    return {name: _plain(value) for name, value in told.items()}


def _plain(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read(path):
    header = read_header(path)
    recipe = header["recipe"]
    scales = recipe["scenes"].get("scales") or [recipe["scale"]]
    return Weights(recipe["network"], recipe["task"], tuple(scales), path, header)
