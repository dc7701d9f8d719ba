"""Reads weights that others have trained, in whatever form they were saved, and never runs anything that a file contains.

Forms      safetensors; torch files of both formats (zip, and the older one of concatenated pickles) that hold a state dict,
           a checkpoint with a state dict inside, or a whole pickled module; MatConvNet networks as MATLAB files
Safety     torch's own weights-only loading comes first. What it refuses (NumPy scalars, foreign classes, whole modules) goes
           through an unpickler that finds no class at all: it knows how to rebuild tensors and puts an inert stand-in in the
           place of everything else
"""

import pickle
import struct
import zipfile
from collections import OrderedDict
from fnmatch import fnmatchcase
from pathlib import Path

import torch

from girlib.errors import GirlibError

ENTRIES = ("state_dict", "state", "model", "net", "params")                 # where checkpoints keep the network


def read_weights(path):
    """All tensors of a weights file by the names they have there, on the CPU."""
    path = Path(path)
    if not path.is_file():
        raise GirlibError(f"weights: there is no file {str(path)!r}; give the path of a weights file.")
    if path.suffix == ".safetensors":
        content = _read_safetensors(path)
    elif path.suffix == ".mat":
        content = _read_matconvnet(path)
    else:
        content = _read_torch(path)
    try:
        state = _find_state(content)
    except (RecursionError, TypeError):                                     # only a file made to mislead
        state = {}
    if not state:
        raise GirlibError(f"weights: {path.name} holds no network ({_inventory(content)}); expected a state dict, a checkpoint "
                          "with one inside, a whole module, or a MatConvNet network.")
    return state


def load_weights(model, state, network, source):
    """Copies `state` into the model, strictly; `network` is the module whose table maps released names to ours.

    A file may hold our names or the released ones, either with the `module.` that data-parallel training puts before
    each. Absent counters of batches (`num_batches_tracked`, unknown to old files, unused in inference) are no mismatch.
    """
    ignored = getattr(network, "IGNORED", ())
    rename = getattr(network, "rename", None) or (lambda state: rename_prefixes(state, getattr(network, "NAMES", {})))
    own = model.state_dict()

    def kept(state):
        return {name: value for name, value in state.items() if not any(fnmatchcase(name, pattern) for pattern in ignored)}

    def renamed(state):
        try:
            return kept(rename(state))
        except (KeyError, ValueError):                                      # a table that knows only its own names
            return state

    bare = {name.removeprefix("module."): value for name, value in state.items()}
    readings = [reading for names in (kept(state), kept(bare)) for reading in (names, renamed(names))]
    state = min(readings, key=lambda reading: len(reading.keys() ^ own.keys()))
    state = {name: own[name] for name in own if name.endswith("num_batches_tracked")} | state

    missing, unknown = [name for name in own if name not in state], [name for name in state if name not in own]
    wrong = [f"{name} is {tuple(state[name].shape)} there and {tuple(own[name].shape)} here"
             for name in own if name in state and state[name].shape != own[name].shape]
    if missing or unknown or wrong:
        sides = [f"only there: {_some(unknown)}"] * bool(unknown) + [f"only here: {_some(missing)}"] * bool(missing)
        raise GirlibError(f"load_model: {source} doesn't fit this network ({'; '.join(sides + wrong[:4])}); take the weights of "
                          "the same network, task and options.")
    model.load_state_dict(state)
    return model


def rename_prefixes(state, names):
    """Replaces the beginning of each name as the table says; the longest beginning that fits counts, and ends at a dot."""
    def renamed(name):
        for theirs in sorted(names, key=len, reverse=True):
            if name == theirs or name.startswith(theirs.rstrip(".") + "."):
                return names[theirs] + name.removeprefix(theirs)
        return name
    return {renamed(name): value for name, value in state.items()}


def _some(names, most=4):
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


# -------------------------------------------------------------------------------------------- the network in the content

def _find_state(content):
    """The one mapping of names to tensors in what a file held: itself, an entry of it, or a module walked through."""
    if isinstance(content, StandIn):
        return dict(_walk(content))
    if not isinstance(content, dict):
        return {}
    state = {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, torch.Tensor)}
    if len(state) == len(content):
        return state
    entries = {name: found for name, value in content.items() if isinstance(value, (dict, StandIn)) and (found := _find_state(value))}
    named = [entries[name] for name in ENTRIES if name in entries]
    return (named or list(entries.values()) or [{}])[0]


def _walk(module, prefix=""):
    """Parameters and buffers of a pickled module by their dotted names."""
    for kind in ("_parameters", "_buffers"):
        for name, value in _members(module, kind):
            if isinstance(value, torch.Tensor):
                yield prefix + name, value
    for name, child in _members(module, "_modules"):
        if isinstance(child, StandIn):
            yield from _walk(child, f"{prefix}{name}.")


def _members(module, kind):
    members = vars(module).get(kind)
    return [(str(name), value) for name, value in members.items()] if isinstance(members, dict) else []


def _inventory(content):
    if isinstance(content, dict):
        return f"a dictionary of {_some([repr(name) for name in content])}" if content else "an empty dictionary"
    return f"an object of the class {type(content).__name__}"


# -------------------------------------------------------------------------------------------------------- file formats

def _damaged(path, expected):
    return GirlibError(f"weights: {path.name} is truncated, damaged or no {expected}; get the file again and compare its size "
                       "and hash with the source's.")


def _read_safetensors(path):
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    try:
        return load_file(path)
    except (SafetensorError, ValueError) as error:
        raise _damaged(path, "safetensors file") from error


def _read_torch(path):
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception:               # weights-only loading says in many ways that it won't; the reader below decides
        pass
    try:
        return _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(path)
    except RecursionError as error:
        raise GirlibError(f"weights: {path.name} is nested too deeply to be weights; don't use it.") from error
    except Exception as error:      # any bytes at all may stand in a damaged file
        raise _damaged(path, "torch file") from error


def _read_zip(path):
    """NAME/data.pkl describes the tensors, NAME/data/KEY holds the numbers of each storage."""
    with zipfile.ZipFile(path) as archive:
        inside = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        folder = inside.removesuffix("data.pkl")
        if folder + "byteorder" in archive.namelist() and archive.read(folder + "byteorder") != b"little":
            raise ValueError("big-endian numbers")
        storages = {}

        def storage(kind, key, count):
            if key not in storages:
                numbers = bytearray(archive.read(f"{folder}data/{key}"))
                storages[key] = torch.frombuffer(numbers, dtype=kind) if numbers else torch.empty(0, dtype=kind)
            return storages[key]

        with archive.open(inside) as stream:
            return Reader(stream, storage).load()


def _read_legacy(path):
    """Five pickles (magic number, protocol, system, content, keys), then a count and the numbers of each storage."""
    size, storages = path.stat().st_size, {}

    def storage(kind, key, count):
        if key not in storages:
            if count * kind.itemsize > size:
                raise EOFError("more numbers than the file has bytes")
            storages[key] = torch.empty(count, dtype=kind)
        return storages[key]

    with open(path, "rb") as stream:
        magic, _, system, content, keys = (Reader(stream, storage).load() for _ in range(5))
        if magic != 0x1950A86A20F9469CFC6C or not system["little_endian"]:
            raise ValueError("no torch file")
        for key in keys:
            numbers = storages[key]
            (count,) = struct.unpack("<q", stream.read(8))
            if count != len(numbers):
                raise ValueError("a storage of another size")
            if count:
                stored = stream.read(count * numbers.itemsize)
                numbers.copy_(torch.frombuffer(bytearray(stored), dtype=numbers.dtype))
    return content


# ------------------------------------------------------------------------------------------- a pickle without its code

class StandIn:
    """In the place of an object whose class is not looked up: takes anything, does nothing, keeps its state."""

    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)

    def __init__(self, *args, **kwargs):
        pass

    def __setstate__(self, state):
        if isinstance(state, dict):
            vars(self).update({name: value for name, value in state.items() if isinstance(name, str)})

    def _take(self, *args):
        pass

    append = extend = add = __setitem__ = _take                             # pickled lists, sets and dictionaries fill themselves


class Reader(pickle.Unpickler):
    """Builds tensors, plain containers and stand-ins; imports nothing and calls nothing else.

    storage(dtype, key, count) gives the numbers of a storage. What the pickle can reach is made anew for each file, so
    that a file can't alter it for the next.
    """

    def __init__(self, stream, storage):
        super().__init__(stream, encoding="utf-8")
        self.storage, self.stand_ins = storage, {}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module in ("torch._utils", "torch.nn.parameter") and name in REBUILD:
            rebuild = REBUILD[name]
            return lambda *args: rebuild(*args)
        if module in ("torch", "torch.storage") and name in STORAGES:
            return _Storage(STORAGES[name])
        if (module, name) not in self.stand_ins:
            self.stand_ins[module, name] = type(name, (StandIn,), {"__module__": module})
        return self.stand_ins[module, name]

    def persistent_load(self, token):
        kind, *token = token
        if kind == "module":                                                 # (class, source file, source text)
            return token[0]
        if kind != "storage" or not isinstance(token[0], _Storage):
            raise pickle.UnpicklingError("unknown reference")
        numbers = self.storage(token[0].dtype, token[1], token[3])
        if len(token) > 4 and token[4] is not None:                          # a window of a larger storage
            _, start, count = token[4]
            numbers = numbers[start:start + count]
        return numbers


class _Storage:
    """Names the kind of numbers in a storage."""
    __slots__ = ("dtype",)

    def __init__(self, dtype):
        self.dtype = dtype


STORAGES = {"DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
            "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32, "ShortStorage": torch.int16,
            "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool, "UntypedStorage": torch.uint8}


def _tensor(numbers, offset, size, stride, *_):
    """A view of a storage, whose numbers may come later; torch refuses one that leaves it, and larger ones repeat numbers."""
    tensor = torch.as_strided(numbers, tuple(size), tuple(stride), offset)
    if tensor.numel() > numbers.numel():
        raise pickle.UnpicklingError("a tensor larger than its storage")
    return tensor


def _parameter(data, *_):
    return data


REBUILD = {"_rebuild_tensor": _tensor, "_rebuild_tensor_v2": _tensor, "_rebuild_parameter": _parameter, "Parameter": _parameter}


# ---------------------------------------------------------------------------------------------------------- MatConvNet

def _read_matconvnet(path):
    """Convolutions of a MatConvNet network: `weights.K.weight` and `.bias`, and `weights_depth.K` for a second stream."""
    with open(path, "rb") as stream:
        new = b"MATLAB 7.3" in stream.read(128)
    try:
        layers = _layers_of_hdf5(path) if new else _layers_of_matlab5(path)
    except ImportError as error:
        raise GirlibError(f"weights: {path.name} needs {error.name} to be read; install it with pip install {error.name}.") from error
    except Exception as error:      # any bytes at all may stand in a damaged file
        raise _damaged(path, "MatConvNet file") from error
    state = {}
    for stream in ("weights", "weights_depth"):
        for k, (kernel, bias) in enumerate(layer[stream] for layer in layers if stream in layer):
            state[f"{stream}.{k}.weight"] = torch.tensor(kernel, dtype=torch.float32)          # (out, in, rows, columns)
            state[f"{stream}.{k}.bias"] = torch.tensor(bias, dtype=torch.float32).flatten()
    return state


def _layers_of_matlab5(path):
    from girlib.matlab import read_matlab5

    def kernel(array):                                                       # (rows, columns, in[, out])
        return array.reshape(*array.shape, *[1] * (4 - array.ndim)).transpose(3, 2, 0, 1)

    (net,) = read_matlab5(path.read_bytes(), ["net"])["net"]
    layers = [layer for cell in net["layers"] for layer in (cell if isinstance(cell, list) else [cell])]
    return [{stream: (kernel(pair[0]), pair[1]) for stream, pair in layer.items() if stream.startswith("weights") and len(pair) == 2}
            for layer in layers]


def _layers_of_hdf5(path):
    import h5py

    def kernel(array):                                                       # ([out,] in, columns, rows)
        return array.reshape(*[1] * (4 - array.ndim), *array.shape).transpose(0, 1, 3, 2)

    with h5py.File(path, "r") as file:
        layers = [file[reference] for reference in file["net/layers"][()].ravel()]
        pairs = [{stream: [file[reference][()] for reference in layer[stream][()].ravel()]
                  for stream in layer if stream.startswith("weights") and layer[stream].dtype == h5py.ref_dtype} for layer in layers]
    return [{stream: (kernel(pair[0]), pair[1]) for stream, pair in layer.items() if len(pair) == 2} for layer in pairs]
