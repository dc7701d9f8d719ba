"""Golden vectors: stored inputs and outputs. Our own lie in tests/golden; others are read where two folders are named.

GIRLIB_REFERENCE   the folder that holds golden/        GIRLIB_DATA   the folder that holds datasets and weights/
"""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

OWN = Path(__file__).parents[1] / "golden"


def own(name):
    """Our own vectors, made with random weights."""
    return load_file(OWN / f"{name}.safetensors")


def reference(name):
    return load_file(_below("GIRLIB_REFERENCE", f"golden/{name}.safetensors"))


def released(name):
    """A released state dict as it is; only plain tensors are read."""
    path = _below("GIRLIB_DATA", f"weights/{name}")
    return load_file(path) if path.suffix == ".safetensors" else torch.load(path, map_location="cpu", weights_only=True)


def _below(variable, name):
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set, so {name} can't be read.")
    return Path(os.environ[variable]) / name


def part(tensors, prefix):
    """Those tensors whose names begin with `prefix.`, without it."""
    return {name.removeprefix(f"{prefix}."): x for name, x in tensors.items() if name.startswith(f"{prefix}.")}


def difference(actual, expected):
    """The largest absolute difference as a share of the expected range."""
    assert actual.shape == expected.shape and actual.dtype == expected.dtype
    return ((actual - expected).abs().max() / (expected.max() - expected.min())).item()
