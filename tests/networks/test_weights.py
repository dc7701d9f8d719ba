"""Weights of every form are read whole, strictly, and without running anything that a file contains."""

import importlib
import os
import pickle
import struct
import subprocess
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from girlib.errors import GirlibError
from girlib.networks import djf, svlrm
from girlib.networks.weights import load_weights, read_weights, rename_prefixes

ZIP, LEGACY = dict(_use_new_zipfile_serialization=True), dict(_use_new_zipfile_serialization=False)
FORMATS = pytest.mark.parametrize("form", [ZIP, LEGACY], ids=["zip", "legacy"])


@pytest.fixture
def state():
    return OrderedDict(weight=torch.rand(3, 2), bias=torch.rand(3).half(), steps=torch.tensor(7))


def same(read, expected):
    return read.keys() == expected.keys() and all(torch.equal(read[k], x) and read[k].dtype == x.dtype for k, x in expected.items())


# ---------------------------------------------------------------------------------------------------------- what is read

@FORMATS
def test_state_dicts_and_checkpoints(tmp_path, state, form):
    for content in (state, {"model": state}, {"epoch": 3, "state": state, "optimizer": {"state": {0: {"step": torch.ones(1)}}}}):
        torch.save(content, tmp_path / "file.pth", **form)
        assert same(read_weights(tmp_path / "file.pth"), state)


def test_safetensors(tmp_path, state):
    save_file(state, tmp_path / "file.safetensors")
    assert same(read_weights(str(tmp_path / "file.safetensors")), state)


@FORMATS
def test_numpy_numbers_beside_the_network_do_no_harm(tmp_path, state, form):
    torch.save({"net": state, "losses": [np.float64(0.5)], "curve": np.arange(3.0)}, tmp_path / "file.pth", **form)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "file.pth", weights_only=True)
    assert same(read_weights(tmp_path / "file.pth"), state)


THEIR_CODE = """
import torch
class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.act = torch.nn.Conv2d(2, 2, 3), torch.nn.ReLU()
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = torch.nn.Sequential(Block(), Block())
        self.norm = torch.nn.BatchNorm2d(2)
        self.scale = torch.nn.Parameter(torch.rand(1))
"""


@pytest.fixture
def foreign_module(tmp_path, monkeypatch):
    """A network whose class exists while it is saved, and not when it is read."""
    (tmp_path / "their_code.py").write_text(THEIR_CODE)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("their_code").Net()
    sys.modules.pop("their_code", None)


@FORMATS
@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a checkpoint"])
def test_whole_modules_without_their_code(tmp_path, foreign_module, form, inside):
    expected = foreign_module.state_dict()
    torch.save({"epoch": 1, "model": foreign_module} if inside else foreign_module, tmp_path / "file.pth", **form)
    del sys.modules["their_code"]
    (tmp_path / "their_code.py").unlink()
    assert same(read_weights(tmp_path / "file.pth"), expected)
    assert "their_code" not in sys.modules


@FORMATS
def test_views_of_one_storage_keep_their_places(tmp_path, form):
    numbers = torch.arange(12.0)
    views = {"a": numbers[2:8].view(2, 3), "b": numbers.view(3, 4).t(), "c": numbers[:0]}
    torch.save({"model": views, "other": {np.float64(1)}}, tmp_path / "file.pth", **form)
    read = read_weights(tmp_path / "file.pth")
    assert all(torch.equal(read[name], view) for name, view in views.items())


def matconvnet_state():
    """The nine convolutions of a small DJF by MatConvNet's layer numbers."""
    shapes = {"weights": [(8, 3, 9, 9), (4, 8, 1, 1), (1, 4, 5, 5), (6, 2, 9, 9), (4, 6, 1, 1), (1, 4, 5, 5)],
              "weights_depth": [(8, 1, 9, 9), (4, 8, 1, 1), (1, 4, 5, 5)]}
    return {f"{stream}.{k}.{part}": torch.rand(shape if part == "weight" else shape[:1])
            for stream, own in shapes.items() for k, shape in enumerate(own) for part in ("weight", "bias")}


def check_matconvnet(path, state):
    assert same(read_weights(path), state)
    network = load_weights(djf.Network(width=(8, 4), joint_width=(6, 4)), read_weights(path), djf, path.name)
    assert torch.equal(network.guide_stream[2].bias, state["weights.1.bias"])
    assert torch.equal(network.target_stream[0].weight, state["weights_depth.0.weight"])
    assert torch.equal(network.joint[4].weight, state["weights.5.weight"])


def layers_of(state, kernel):
    """MatConvNet's list of layers, with layers between that have no weights."""
    layers = []
    for k in range(6):
        layer = {stream: [kernel(state[f"{stream}.{k}.weight"].numpy()), state[f"{stream}.{k}.bias"].numpy()]
                 for stream in ("weights", "weights_depth") if f"{stream}.{k}.weight" in state}
        layers += [layer, {"type": [], "stride": []}]
    return layers


def test_matconvnet_files_of_matlab_5(tmp_path):
    from scipy.io import savemat
    state = matconvnet_state()

    def cell(items):
        array = np.empty((1, len(items)), dtype=object)
        array[0, :] = items
        return array

    def kernel(x):                                           # rows, columns, in, out; MATLAB drops a last 1
        x = x.transpose(2, 3, 1, 0)
        return x[..., 0] if x.shape[-1] == 1 else x

    layers = [{"type": "conv", **{name: cell(pair) for name, pair in layer.items() if pair}} for layer in layers_of(state, kernel)]
    savemat(tmp_path / "file.mat", {"net": {"layers": cell(layers)}, "other": 1.0})
    check_matconvnet(tmp_path / "file.mat", state)


def test_matconvnet_files_of_matlab_7(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed, and MATLAB 7.3 files are HDF5.")
    state = matconvnet_state()

    def kernel(x):                                           # reversed axes; a single output has none
        x = x.transpose(0, 1, 3, 2)
        return x[0] if len(x) == 1 else x

    with h5py.File(tmp_path / "file.mat", "w", userblock_size=512) as file:
        store, count = file.create_group("#refs#"), iter(range(1000))

        def reference(value):
            name = str(next(count))
            if isinstance(value, dict):
                group = store.create_group(name)
                for key, items in value.items():
                    group[key] = np.array([reference(x) for x in items], dtype=h5py.ref_dtype)[:, None] if items else np.zeros(2)
                return group.ref
            store[name] = value
            return store[name].ref

        file["net/layers"] = np.array([reference(layer) for layer in layers_of(state, kernel)], dtype=h5py.ref_dtype)[:, None]
    with open(tmp_path / "file.mat", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    check_matconvnet(tmp_path / "file.mat", state)


# --------------------------------------------------------------------------------------------------- what is not executed

class Runs:
    """A pickle of this calls a function with arguments when it is loaded."""

    def __init__(self, call, *args):
        self.call, self.args = call, args

    def __reduce__(self):
        return self.call, self.args


def touch(path):
    return f"open({str(path)!r}, 'w').close()"


def attacks(mark):
    """Pickles, each of which leaves `mark` behind where it is loaded by Python's own unpickler."""
    code, shell = touch(mark), f"touch {mark}"
    yield pickle.dumps(Runs(os.system, shell), 2)
    yield pickle.dumps(Runs(eval, code), 4)
    yield pickle.dumps({"model": OrderedDict(a=Runs(exec, code))}, 2)
    yield pickle.dumps(Runs(subprocess.call, ["touch", str(mark)]), 4)
    yield f"cos\nsystem\n(V{shell}\ntR.".encode()
    yield f"(S{shell!r}\nios\nsystem\n.".encode()
    yield f"(cos\nsystem\nS{shell!r}\no.".encode()
    yield b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c" + bytes([len(code)]) + code.encode() + b"\x85R."
    yield b"\x80\x04\x8c\x02os\x8c\x0bpath.os.xxx\x930" + f"cos\nsystem\n(V{shell}\ntR.".encode()


def as_legacy(content):
    """A file of the older format with any pickle for its content."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    magic = [pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, system)]
    return b"".join([*magic, content, pickle.dumps([], 2)])


def as_zip(content, path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("file/data.pkl", content)
        archive.writestr("file/version", "3\n")
        archive.writestr("file/byteorder", "little")


ATTACKS = range(9)


@pytest.mark.parametrize("number", ATTACKS)
def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(tmp_path, number):
    mark = tmp_path / "mark"
    attack = list(attacks(mark))[number]
    if number < 8:                                           # the last one fails in Python's own unpickler before it runs
        pickle.loads(attack)
        assert mark.exists(), "the attack is none"
        mark.unlink()
    (tmp_path / "plain.pth").write_bytes(attack)
    (tmp_path / "legacy.pth").write_bytes(as_legacy(attack))
    as_zip(attack, tmp_path / "zip.pth")
    for name in ("plain", "legacy", "zip"):
        with pytest.raises(GirlibError, match=f"{name}.pth (is truncated, damaged or no torch file|holds no network)"):
            read_weights(tmp_path / f"{name}.pth")
        assert not mark.exists()


@FORMATS
def test_tensors_beside_code_are_read_and_the_code_is_not_run(tmp_path, state, form):
    mark = tmp_path / "mark"
    content = {"state_dict": state, "hook": Runs(eval, touch(mark)), "also": [Runs(os.system, f"touch {mark}")]}
    torch.save(content, tmp_path / "a.pth", **form)
    assert same(read_weights(tmp_path / "a.pth"), state)
    assert not mark.exists()


def test_a_pickle_cannot_alter_what_the_reader_uses_for_the_next(tmp_path, state):
    reachable = ("torch._utils", "_rebuild_tensor_v2"), ("collections", "OrderedDict"), ("torch", "FloatStorage"), ("os", "system")
    for module, name in reachable:                           # BUILD sets attributes
        content = f"c{module}\n{name}\n(N(S'__defaults__'\nS'x'\nS'dtype'\nS'y'\nS'__init__'\nNdtb.".encode()
        (tmp_path / "attack.pth").write_bytes(as_legacy(content))
        with pytest.raises(GirlibError):
            read_weights(tmp_path / "attack.pth")
    torch.save({"net": state, "losses": [np.float64(1)]}, tmp_path / "good.pth", **LEGACY)
    assert same(read_weights(tmp_path / "good.pth"), state)


def test_tensors_that_leave_or_repeat_their_storage_are_refused(tmp_path):
    for size, stride, offset in (((100,), (1,), 0), ((4,), (1,), 3), ((10**6, 10**6), (0, 0), 0), ((2,), (-1,), 3)):
        storage = "(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI4\nNtQ"
        numbers = lambda values: "(" + "".join(f"I{v}\n" for v in values) + "t"
        tensor = f"ctorch._utils\n_rebuild_tensor_v2\n({storage}I{offset}\n{numbers(size)}{numbers(stride)}I00\nNtR"
        content = f"(dS'a'\n{tensor}sS'b'\ncos\nsystem\ns.".encode()
        file = as_legacy(content)[:-len(pickle.dumps([], 2))] + pickle.dumps(["0"], 2) + struct.pack("<q4f", 4, 1, 2, 3, 4)
        (tmp_path / "a.pth").write_bytes(file)
        with pytest.raises(GirlibError, match="damaged"):
            read_weights(tmp_path / "a.pth")


def test_dictionaries_that_hold_themselves_end(tmp_path):
    content = {"model": {}}
    content["model"]["model"] = content
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(GirlibError, match="holds no network"):
        read_weights(tmp_path / "a.pth")


# ------------------------------------------------------------------------------------------------------- what is refused

def test_damaged_files_are_named_wherever_they_were_cut(tmp_path, state):
    torch.save({"model": state, "losses": [np.float64(1)]}, tmp_path / "zip.pth", **ZIP)
    torch.save({"model": state, "losses": [np.float64(1)]}, tmp_path / "legacy.pth", **LEGACY)
    torch.save(state, tmp_path / "plain.pth", **LEGACY)
    save_file(state, tmp_path / "file.safetensors")
    (tmp_path / "net.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    for name in ("zip.pth", "legacy.pth", "plain.pth", "file.safetensors", "net.mat"):
        whole = (tmp_path / name).read_bytes()
        for size in [0, 1, 7, *range(20, len(whole), max(1, len(whole) // 12)), len(whole) - 1]:
            (tmp_path / name).write_bytes(whole[:size])
            with pytest.raises(GirlibError, match=f"{name} is truncated, damaged or no"):
                read_weights(tmp_path / name)


def test_files_without_a_network_say_what_they_hold(tmp_path):
    torch.save({"epoch": 3, "loss": 0.1}, tmp_path / "a.pth")
    with pytest.raises(GirlibError, match="a.pth holds no network .a dictionary of 'epoch', 'loss'"):
        read_weights(tmp_path / "a.pth")
    torch.save([1, 2], tmp_path / "a.pth")
    with pytest.raises(GirlibError, match="an object of the class list"):
        read_weights(tmp_path / "a.pth")
    with pytest.raises(GirlibError, match="there is no file '.*nowhere.pth'"):
        read_weights(tmp_path / "nowhere.pth")
    with pytest.raises(GirlibError, match="there is no file"):
        read_weights(tmp_path)


def test_a_mismatch_names_both_sides():
    network = svlrm.Network(width=4, depth=2)
    state = network.state_dict() | {"extra.weight": torch.zeros(1), "first.weight": torch.zeros(4, 3, 3, 3)}
    del state["last.bias"]
    with pytest.raises(GirlibError) as error:
        load_weights(network, state, svlrm, "a.pth")
    assert "only there: extra.weight; only here: last.bias; first.weight is (4, 3, 3, 3) there and (4, 2, 3, 3) here" in str(error.value)
    assert str(error.value).count("\n") == 0


def test_a_network_that_does_not_fit_stays_as_it_was():
    network = svlrm.Network(width=4, depth=2)
    before = {name: x.clone() for name, x in network.state_dict().items()}
    with pytest.raises(GirlibError, match="only there: conv.weight"):
        load_weights(network, {"conv.weight": torch.zeros(1)}, svlrm, "a.pth")
    assert same(network.state_dict(), before)


# ------------------------------------------------------------------------------------------------------------- the names

class Table(types.SimpleNamespace):
    """What a network's file says about names."""


def small():
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 2, 3), norm=nn.BatchNorm2d(2)))


@pytest.mark.parametrize("prefix", ["", "module."])
def test_released_names_ours_and_data_parallel_ones_all_load(prefix):
    network, table = small(), Table(NAMES={"c": "conv", "n": "norm"})
    theirs = {prefix + name.replace("conv", "c").replace("norm", "n"): x + 1 for name, x in network.state_dict().items()}
    loaded = load_weights(small(), theirs, table, "a").state_dict()
    assert all(torch.equal(loaded[name], x + 1) for name, x in network.state_dict().items())
    ours = {prefix + name: x for name, x in loaded.items()}
    assert same(load_weights(small(), ours, table, "a").state_dict(), loaded)


def test_only_named_keys_are_dropped_and_only_batch_counters_may_be_absent():
    network, table = small(), Table(NAMES={}, IGNORED=("dead.*",))
    state = network.state_dict()
    del state["norm.num_batches_tracked"]
    load_weights(network, state | {"dead.weight": torch.ones(1)}, table, "a")
    with pytest.raises(GirlibError, match="only there: alive.weight"):
        load_weights(network, state | {"alive.weight": torch.ones(1)}, table, "a")
    del state["norm.running_mean"]
    with pytest.raises(GirlibError, match="only here: norm.running_mean"):
        load_weights(network, state, table, "a")


def test_the_longest_beginning_counts_and_ends_at_a_dot():
    names = {"a": "x", "a.b": "y"}
    assert list(rename_prefixes({"a.b.w": 0, "a.c": 0, "ab.w": 0, "a": 0}, names)) == ["y.w", "x.c", "ab.w", "x"]


def test_every_released_file_here_is_read():
    if "GIRLIB_DATA" not in os.environ:
        pytest.skip("GIRLIB_DATA is not set, so released weights can't be read.")
    files = [file for file in sorted(Path(os.environ["GIRLIB_DATA"], "weights").rglob("*")) if file.is_file()]
    assert files and all(len(read_weights(file)) > 5 for file in files)
