"""SVLRM equals the released network: a line in the guide at every pixel, predicted from both images."""

import pytest
import torch
from golden import difference, own, part, recipe, reference

from girlib.errors import GirlibError
from girlib.networks import create_model, load_model, predict, svlrm
from girlib.networks.weights import load_weights, rename_prefixes
from girlib.samples import Sample

MIDS = {"alpha": "alpha", "beta": "beta", "feature_ch0_7": "features", "first_conv_ch0_7_before_relu": "first"}


@torch.no_grad()
def test_it_reproduces_our_vector():
    stored = own("svlrm")
    network = recipe(svlrm.Network(width=8, depth=3)).double()
    restored, inside = network(**part(stored, "input"), return_intermediates=True)
    assert difference(restored, stored["output64"]) < 1e-9
    for name, expected in part(stored, "mid").items():
        assert difference(inside[name].float(), expected) < 1e-5, name


@torch.no_grad()
def test_released_weights_reproduce_the_released_network():
    stored = reference("compared/svlrm_x8")
    network = load_model("svlrm", "depth", "official", scale=8).eval()
    inputs = stored["input.target"], stored["input.guide"]
    restored, inside = network(*inputs, return_intermediates=True)
    assert difference(restored, stored["output"]) < 1e-5
    for theirs, ours in MIDS.items():
        expected = stored[f"mid.{theirs}"]
        assert difference(inside[ours][:, :expected.shape[1]], expected) < 1e-5, ours
    assert difference(network.double()(*(x.double() for x in inputs)), stored["output64"]) < 1e-9


def test_it_has_the_released_number_of_parameters():
    assert sum(p.numel() for p in create_model("svlrm", "depth").parameters()) == 371_650


def test_both_public_versions_names_lead_to_the_same_layers():
    network = recipe(svlrm.Network(width=4, slope=0))
    own_names = network.state_dict()
    first = {"first": "module.first_layer", "body": "module.feature_block", "last": "module.final_layer"}
    second = {f"body.{2 * k}": f"medium_layer.{k}.conv" for k in range(10)} | {"first": "input", "last": "output"}
    for table in (first, second):
        theirs = rename_prefixes(own_names, table)
        loaded = load_weights(svlrm.Network(width=4, slope=0), theirs, svlrm, "a file").state_dict()
        assert all(torch.equal(loaded[name], x) for name, x in own_names.items())


@pytest.mark.parametrize("size", [(8, 8), (9, 31)])
@torch.no_grad()
def test_every_task_and_size(size):
    for task, options in svlrm.TASKS.items():
        channels = options["channels"]
        guide = torch.rand(1, {"pansharpening": 1}.get(task, 3), *size)
        sample = Sample(torch.rand(1, channels, *size), guide)
        assert predict(create_model("svlrm", task), sample).shape == sample.target.shape


def test_with_imgf_the_intercept_knows_the_slope():
    network = recipe(svlrm.Network(width=8, depth=2, coefficients="imgf")).double()
    P, I = torch.rand(1, 1, 9, 9).double(), torch.rand(1, 1, 9, 9).double()
    restored, inside = network(P, I, return_intermediates=True)
    A = network.last.infer_A(torch.cat([inside["features"], I], dim=1))
    B = network.last.infer_B(torch.cat([A, P, I], dim=1))
    assert torch.allclose(inside["alpha"], A) and torch.allclose(inside["beta"], B) and torch.allclose(restored, A * I + B)
    restored.square().sum().backward()
    assert all(p.grad.abs().max() > 0 for p in network.parameters())


def test_an_unknown_way_to_the_coefficients_is_refused():
    with pytest.raises(GirlibError, match="coefficients is 'apart'; it must be 'joint' or 'imgf'"):
        svlrm.Network(coefficients="apart")


def test_one_pan_band_guides_every_target_band():
    network, target, pan = recipe(svlrm.Network(channels=3, width=8, depth=2)), torch.rand(1, 3, 9, 9), torch.rand(1, 1, 9, 9)
    assert torch.equal(network(target, pan), network(target, pan.repeat(1, 3, 1, 1)))


def test_a_depth_sample_is_scaled_by_its_range_and_its_guide_becomes_grey():
    target = torch.rand(1, 1, 8, 8) * 3 + 1
    sample = Sample(target, torch.rand(1, 3, 8, 8), target, unit="m")
    network = svlrm.Network()
    P, I = network.prepare(sample)
    assert (P.min(), P.max()) == (0, 1) and I.shape == (1, 1, 8, 8)
    assert torch.allclose(I[0, 0], (sample.guide[0] * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(0))
    assert torch.allclose(network.finish(P, sample), target)
    assert torch.equal(network.finish(P + 2, sample), target.max().expand_as(P))


def test_every_parameter_learns():
    network = recipe(svlrm.Network(width=8, depth=2))
    network(torch.rand(1, 1, 9, 9), torch.rand(1, 1, 9, 9)).sum().backward()
    assert all(p.grad.abs().max() > 0 for p in network.parameters())


def test_wrong_channels_and_sizes_are_refused():
    network = svlrm.Network(width=4)
    with pytest.raises(GirlibError, match="guide has 3 channels"):
        network(torch.rand(1, 1, 8, 8), torch.rand(1, 3, 8, 8))
    with pytest.raises(GirlibError, match="guide is 8x9, but target is 8x8"):
        network(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 9))
