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


def recipe(network, gain=1):
    """Fills a network with numbers that follow from a formula, so that a vector needs no parameters of its own."""
    state = network.state_dict()
    for t, (name, x) in enumerate(state.items()):
        i = torch.arange(x.numel(), dtype=torch.float64)
        s = torch.sin(12.9898 * (i + 1) + 78.233 * (t + 1)).view(x.shape)
        if name.endswith("box.weight"):
            value = 1 + 0.1 * s
        elif x.dim() == 4:
            value = gain * (2 / x[0].numel()) ** 0.5 * s
        elif name.endswith("running_var"):
            value = 1 + 0.5 * s.abs()
        elif name.endswith(("bn.weight", "w_0", "w_1")):
            value = 1 + 0.1 * s
        else:
            value = 0 if name.endswith("num_batches_tracked") else 0.1 * s
        state[name] = torch.as_tensor(value).to(x.dtype)
    network.load_state_dict(state)
    return network.eval()


def part(tensors, prefix):
    """Those tensors whose names begin with `prefix.`, without it."""
    return {name.removeprefix(f"{prefix}."): x for name, x in tensors.items() if name.startswith(f"{prefix}.")}


def difference(actual, expected):
    """The largest absolute difference as a share of the expected range."""
    assert actual.shape == expected.shape and actual.dtype == expected.dtype
    return ((actual - expected).abs().max() / (expected.max() - expected.min())).item()
