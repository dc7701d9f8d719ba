"""IFCNN equals the released network under its three fusion rules, for any number of sources and any size."""

import pytest
import torch
from golden import difference, own, part, reference, released

from girlib.errors import GirlibError
from girlib.networks import ifcnn
from girlib.networks.weights import load_weights
from girlib.samples import Sample


@torch.no_grad()
def test_random_weights_reproduce_our_vector():
    stored = own("ifcnn")
    network = ifcnn.Network(width=8).eval()
    network.load_state_dict(part(stored, "param"))
    restored, inside = network(**part(stored, "input"), return_intermediates=True)
    assert difference(restored, stored["output"]) < 1e-5
    assert difference(inside["fused"], stored["mid.fused"]) < 1e-5
    doubled = network.double()(**{k: x.double() for k, x in part(stored, "input").items()})
    assert difference(doubled, stored["output64"]) < 1e-9


@pytest.mark.parametrize("fusion", ["max", "sum", "mean"])
@torch.no_grad()
def test_released_weights_reproduce_the_released_network(fusion):
    stored = reference(f"compared/ifcnn_{fusion}")
    file = ifcnn.RELEASED["multifocus", None]
    network = load_weights(ifcnn.Network(fusion), released(file), ifcnn, file).eval()
    a, b = stored["input.a"], stored["input.b"]
    restored, inside = network(a, b, return_intermediates=True)
    assert difference(restored, stored["output"]) < 1e-5
    for name, actual in {"conv1_a": inside["first"][0], "conv2_a": inside["features"][0], "fused": inside["fused"]}.items():
        if f"mid.{name}_ch0_15" in stored:
            assert difference(actual[:, :16], stored[f"mid.{name}_ch0_15"]) < 1e-5, name
    assert difference(network.double()(a.double(), b.double()), stored["output64"]) < 1e-9


def test_it_holds_the_released_parameters():
    network = ifcnn.Network()
    assert sum(p.numel() for p in network.parameters()) == 83_587 and network.first.weight.numel() == 9_408


@torch.no_grad()
def test_sources_have_equal_rights_and_a_third_one_may_join():
    torch.manual_seed(0)
    a, b, c = torch.rand(3, 1, 3, 8, 11)
    for fusion in ifcnn.FUSIONS:
        network = ifcnn.Network(fusion, width=8).eval()
        assert torch.allclose(network(a, b, c), network(c, a, b), atol=1e-6)
        if fusion != "sum":
            assert torch.allclose(network(a, a), network(a, a, a), atol=1e-6)
    assert not torch.allclose(network(a, b), network(a, b, c))


@torch.no_grad()
def test_a_constant_image_stays_constant_up_to_the_border():
    restored = ifcnn.Network(width=8).eval()(*torch.full((2, 1, 3, 9, 10), 0.7))
    assert (restored - restored[..., 4:5, 4:5]).abs().max() < 1e-5                        # zero padding would darken the border


@pytest.mark.parametrize("size", [(8, 8), (9, 31)])
@torch.no_grad()
def test_any_size_is_kept(size):
    assert ifcnn.Network(width=8)(torch.rand(2, 3, *size), torch.rand(2, 3, *size)).shape == (2, 3, *size)


def test_every_parameter_learns():
    network = ifcnn.Network(width=8)
    network(torch.randn(1, 3, 12, 12), torch.randn(1, 3, 12, 12)).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or p.grad.abs().max() == 0] == []


def test_what_it_cannot_take_is_refused():
    with pytest.raises(GirlibError, match="source 2 has 1 channels, but this network was built for 3"):
        ifcnn.Network(width=8)(torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8))
    with pytest.raises(GirlibError, match="fusion is 'median'; choose one of max, sum, mean"):
        ifcnn.Network("median")
    with pytest.raises(GirlibError, match="other.pth doesn't fit this network"):
        load_weights(ifcnn.Network(width=8), {"conv1.weight": torch.zeros(8, 3, 7, 7)}, ifcnn, "other.pth")


def test_images_are_standardised_and_brought_back():
    network = ifcnn.Network(width=8)
    sample = Sample(torch.full((1, 3, 8, 8), 0.5), (torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)))
    inputs = network.prepare(sample)
    assert torch.allclose(inputs[0][0, :, 0, 0], torch.tensor([0.015 / 0.229, 0.044 / 0.224, 0.094 / 0.225]))
    for image, source in zip(inputs, (sample.target, *sample.guide), strict=True):
        assert torch.allclose(network.finish(image, sample), source, atol=1e-6)
    assert network.finish(inputs[2] + 1, sample).max() == 1
