"""DJF and DJFR equal the released networks inside, and keep the target's size."""

import pytest
import torch
from golden import difference, own, part, recipe, reference

from girlib.errors import GirlibError
from girlib.networks import create_model, djf, load_model, predict
from girlib.samples import Sample

SMALL = dict(width=(8, 4), joint_width=(6, 4))
CUT = (..., slice(6, -6), slice(6, -6))                     # the released code gives no output nearer to the border


@pytest.mark.parametrize("name", ["djf", "djfr"])
@torch.no_grad()
def test_they_reproduce_our_vectors(name):
    stored = own(name)
    network = recipe(create_model(name, "depth", **SMALL)).double()
    restored, inside = network(**part(stored, "input"), return_intermediates=True)
    assert difference(restored, stored["output64"]) < 1e-9
    for key, expected in part(stored, "mid").items():
        assert difference(inside[key].float(), expected) < 1e-5, key


@pytest.mark.parametrize("name", ["djf", "djfr"])
@torch.no_grad()
def test_released_weights_reproduce_the_released_network(name):
    stored = reference(f"compared/{name}_x8")
    inputs = stored["input.target"], stored["input.guide"]
    network = load_model(name, "depth", "official", scale=8).eval()
    restored, inside = network(*inputs, return_intermediates=True)
    assert difference(restored[CUT], stored["output"]) < 1e-5
    maps = torch.cat([inside["guide_map"], inside["target_map"]], dim=1)
    first = {"guide_conv1_ch0_7_relu": network.guide_stream[:2](inputs[1]), "guide_stream": maps[:, :1],
             "target_stream": maps[:, 1:], "joint_conv1_ch0_7": network.joint[:2](maps)}
    for key, actual in first.items():
        assert difference(actual[:, :stored[f"mid.{key}"].shape[1]], stored[f"mid.{key}"]) < 1e-5, key
    assert difference(network.double()(*(x.double() for x in inputs))[CUT], stored["output64"]) < 1e-9


@torch.no_grad()
def test_inside_it_is_the_joint_part_without_a_border():
    network, P, I = recipe(djf.Network(**SMALL)), torch.rand(1, 1, 20, 23), torch.rand(1, 3, 20, 23)
    released = network.joint(torch.cat([network.guide_stream(I), network.target_stream(P)], dim=1))
    assert torch.allclose(network(P, I)[CUT], released, atol=1e-6)


def test_they_have_the_released_numbers_of_parameters():
    count = lambda *args: sum(p.numel() for p in create_model(*args).parameters())
    assert [count("djf", "depth"), count("djfr", "depth"), count("djf", "flash")] == [56_323] * 3
    assert count("djfr", "flash") == 92_163


@torch.no_grad()
def test_the_residual_form_adds_the_target():
    P, I = torch.rand(1, 1, 9, 9), torch.rand(1, 3, 9, 9)
    plain, residual = (recipe(create_model(name, "depth", **SMALL)) for name in ("djf", "djfr"))
    assert torch.equal(residual(P, I), plain(P, I) + P)


@pytest.mark.parametrize("name", ["djf", "djfr"])
@pytest.mark.parametrize("size", [(8, 8), (9, 30)])
@torch.no_grad()
def test_any_size_and_a_color_at_a_time(name, size):
    network = recipe(create_model(name, "flash", **SMALL))
    sample = Sample(torch.rand(2, 3, *size), torch.rand(2, 3, *size))
    restored = predict(network, sample)
    assert restored.shape == sample.target.shape
    assert torch.allclose(restored[1:, 2:], network(sample.target[1:, 2:], sample.guide[1:]), atol=1e-6)


def test_depth_in_another_unit_is_scaled_by_its_range():
    target = torch.rand(1, 1, 8, 8) * 3 + 1
    sample = Sample(target, torch.rand(1, 3, 8, 8), target, unit="m")
    P, _ = djf.Network(**SMALL).prepare(sample)
    assert (P.min(), P.max()) == (0, 1) and torch.allclose(djf.Network(**SMALL).finish(P, sample), target)


def test_every_parameter_learns():
    network = recipe(djf.Network(**SMALL))
    network(torch.rand(1, 1, 20, 20), torch.rand(1, 3, 20, 20)).square().sum().backward()
    assert all(p.grad.abs().max() > 0 for p in network.parameters())


def test_wrong_channels_are_refused():
    with pytest.raises(GirlibError, match="target has 3 channels"):
        djf.Network(**SMALL)(torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8))
