"""Networks by name: what exists can be listed, created, loaded, run and counted; what doesn't is answered with what does."""

import sys
from importlib import import_module

import pytest
import torch
from safetensors.torch import save_file

import girlib.networks
from girlib.errors import GirlibError
from girlib.networks import NETWORKS, create_model, list_models, load_model, predict, summary, svlrm
from girlib.samples import Sample


def test_every_network_is_listed_and_every_task_names_its_own():
    assert list_models() == list(NETWORKS) == ["sfigf", "dagf", "mgdn", "gdd", "fgf", "svlrm", "dkn", "fdkn", "cunet", "djf", "djfr",
                                              "dctnet", "pannet", "ifcnn"]
    assert {"svlrm", "dkn", "fdkn", "cunet", "djf", "djfr", "dctnet"} <= set(list_models("depth"))
    assert "pannet" in list_models("pansharpening") and "pannet" not in list_models("depth")
    with pytest.raises(GirlibError, match="no network is made for the task 'deblurring'; there are .*depth.*multifocus"):
        list_models("deblurring")


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_keeps_to_the_same_form(name):
    module = _module(name)
    assert {task for task, _ in module.RELEASED} <= set(module.TASKS)
    assert all(word in module.__doc__ for word in ("Paper", "Reads as", "Differs", "Weights"))
    network = create_model(name, list(module.TASKS)[0])
    assert hasattr(network, "prepare") and hasattr(network, "finish")
    assert summary(network).total == sum(p.numel() for p in network.parameters())


def _module(name):
    return import_module(f"girlib.networks.{NETWORKS[name]}")


def test_a_network_is_imported_when_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(girlib, "networks", girlib.networks)                # put back afterwards
    for name in [name for name in sys.modules if name.startswith("girlib.networks")]:
        monkeypatch.delitem(sys.modules, name)
    fresh = import_module("girlib.networks")
    imported = lambda: {name for name, file in NETWORKS.items() if f"girlib.networks.{file}" in sys.modules}
    assert imported() == set()
    fresh.create_model("svlrm", "depth", width=4)
    assert imported() == {"svlrm"}


def test_what_does_not_exist_is_answered_with_what_does():
    for message, call in (
            ("create_model: there is no network 'svrlm'; there are sfigf, dagf", lambda: create_model("svrlm", "depth")),
            ("svlrm is not made for the task 'hdr'; it knows depth, pansharpening, multifocus", lambda: create_model("svlrm", "hdr")),
            ("svlrm has no option 'widht'; it has channels, width, depth, slope, coefficients",
             lambda: create_model("svlrm", "depth", widht=3)),
            ("no weights of girlib for svlrm on depth; there are", lambda: load_model("svlrm", "depth", "girlib")),
            ("no weights of svlrm were released for depth at scale 3; there are 4, 8, 16",
             lambda: load_model("svlrm", "depth", "official", 3)),
            ("at scale None; there are 4, 8, 16", lambda: load_model("svlrm", "depth", "official")),
            ("for the task 'multifocus' .only for depth.", lambda: load_model("svlrm", "multifocus", "official")),
            ("no weights of dkn were released for the task 'depth' .nor for any other.", lambda: load_model("dkn", "depth", "official")),
            ("there is no file 'nowhere.pth'", lambda: load_model("svlrm", "depth", "nowhere.pth")),
            ("load_model: svlrm is not made for the task 'hdr'", lambda: load_model("svlrm", "hdr", "official"))):
        with pytest.raises(GirlibError, match=message):
            call()


def test_released_weights_that_are_not_there_say_where_they_belong(tmp_path, monkeypatch):
    monkeypatch.setenv("GIRLIB_DATA", str(tmp_path))
    with pytest.raises(GirlibError, match="weights of fdkn are not at '.*weights/dkn/FDKN_8x'; run `girlib fetch weights/dkn`"):
        load_model("fdkn", "depth", "official", 8)


def test_options_that_released_weights_need_come_with_them(tmp_path, monkeypatch):
    monkeypatch.setenv("GIRLIB_DATA", str(tmp_path))
    wide = create_model("djfr", "depth", width=(128, 64), joint_width=(128, 64))
    path = tmp_path / "weights" / "djf" / "Upsampling_res_8x.safetensors"
    path.parent.mkdir(parents=True)
    save_file(wide.state_dict(), path)
    with pytest.raises(GirlibError, match="Upsampling_res_8x.safetensors doesn't fit"):
        load_model("djfr", "depth", "official", 8)
    loaded = load_model("djfr", "depth", "official", 8, width=(128, 64), joint_width=(128, 64))
    assert torch.equal(loaded.joint[0].weight, wide.joint[0].weight)


def test_a_file_of_ours_comes_back_as_it_was_and_another_networks_is_refused(tmp_path):
    ours = create_model("svlrm", "depth", width=8)
    save_file(ours.state_dict(), tmp_path / "ours.safetensors")
    loaded = load_model("svlrm", "depth", tmp_path / "ours.safetensors", width=8)
    assert all(torch.equal(x, loaded.state_dict()[name]) for name, x in ours.state_dict().items())
    for name in ("dkn", "cunet", "pannet", "dctnet", "fgf"):
        task = list(_module(name).TASKS)[0]
        with pytest.raises(GirlibError, match="ours.safetensors doesn't fit this network .only there: .*; only here: "):
            load_model(name, task, tmp_path / "ours.safetensors")


def test_without_weights_a_seed_decides():
    def first():
        torch.manual_seed(3)
        return load_model("svlrm", "depth", width=4).first.weight
    assert torch.equal(first(), first())


def test_what_has_weights_is_ready_to_be_used():
    assert not load_model("fdkn", "depth", weights="girlib", scale=4).training
    assert load_model("fdkn", "depth").training


@torch.no_grad()
def test_predict_prepares_runs_finishes_and_leaves_the_mode_alone():
    network = create_model("fdkn", "depth").train()
    target = torch.rand(1, 1, 8, 8) + 2
    sample = Sample(target, torch.rand(1, 3, 8, 8), target, unit="m")
    statistics = network.guide_kernel.conv1_bn.running_mean.clone()
    restored = predict(network, sample)
    assert network.training and torch.equal(network.guide_kernel.conv1_bn.running_mean, statistics)
    network.eval()
    assert torch.equal(restored, network.finish(network(*network.prepare(sample)), sample))
    assert not restored.requires_grad and restored.min() > 1


def test_predict_refuses_options_that_only_optimised_networks_have():
    with pytest.raises(GirlibError, match="svlrm takes no options, but steps was given"):
        predict(create_model("svlrm", "depth", width=4), Sample(torch.rand(1, 1, 8, 8), torch.rand(1, 3, 8, 8)), steps=3)


def test_a_summary_counts_by_block_and_names_what_is_never_read():
    network = svlrm.Network(width=4, depth=2)
    counted = summary(network)
    assert counted.blocks == {"first": 76, "body": 296, "last": 74} and counted.total == 446 and counted.unused == {}
    assert str(counted).splitlines() == ["first           76", "body           296", "last            74", "total          446"]
    network.unused = ("body.2",)
    assert summary(network).unused == {"body.2.weight": 144, "body.2.bias": 4}
    assert str(summary(network)).splitlines()[-1] == "never read: body.2.weight, body.2.bias (148 parameters)"
