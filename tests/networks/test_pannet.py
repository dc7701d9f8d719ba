"""PanNet equals the released network, adds nothing but details, and takes any size."""

import pytest
import torch
from golden import difference, own, part, reference, released

from girlib.errors import GirlibError
from girlib.networks import pannet
from girlib.networks.weights import load_weights
from girlib.samples import Sample


@torch.no_grad()
def test_random_weights_reproduce_our_vector():
    stored = own("pannet")
    network = pannet.Network(channels=4, width=8)
    network.load_state_dict(part(stored, "param"))
    restored, inside = network(**part(stored, "input"), return_intermediates=True)
    assert difference(restored, stored["output"]) < 1e-5
    for name, expected in part(stored, "mid").items():
        assert difference(inside[name], expected) < 1e-5, name
    doubled = network.double()(**{k: x.double() for k, x in part(stored, "input").items()})
    assert difference(doubled, stored["output64"]) < 1e-9


@torch.no_grad()
def test_released_weights_reproduce_the_released_network():
    stored = reference("compared/pannet_wv3")
    state = released(pannet.RELEASED["pansharpening", None])
    for name, x in part(state, "backbone").items():                                       # only duplicates are dropped
        block, rest = name.split(".", 1)
        assert torch.equal(x, state[f"res{int(block) + 1}.{rest}"])
    network = load_weights(pannet.Network(**pannet.TASKS["pansharpening"]), state, pannet, "pannet.pth")
    low, guide, lms = (stored[f"input.{name}"] for name in ("ms", "pan", "lms"))
    restored, inside = network(low, guide, lms, return_intermediates=True)
    assert difference(restored, stored["output"]) < 1e-5
    names = {"ms_highpass": "low_details", "pan_highpass": "guide_details", "deconv": "enlarged", "backbone_ch0_7": "features",
             "residual": "details"}
    for name, mine in names.items():
        expected = stored[f"mid.{name}"]
        assert difference(inside[mine][:, :expected.shape[1]], expected) < 1e-5, name

    network.double()
    low, guide, lms, *high = (x.double() for x in (low, guide, lms, stored["mid.ms_highpass"], stored["mid.pan_highpass"]))
    assert (network(low, guide, lms) - stored["output64"]).abs().max() < 1e-6             # its high-pass images were float32
    assert difference(lms + network.details(*high)[0], stored["output64"]) < 1e-12


def test_it_holds_the_released_parameters():
    assert sum(p.numel() for p in pannet.Network().parameters()) == 83_024
    assert sum(p.numel() for p in pannet.Network(channels=4).parameters()) == 77_640


def test_the_interpolator_keeps_samples_and_brightness():
    torch.manual_seed(0)
    low = torch.rand(1, 2, 5, 3, dtype=torch.float64)
    assert (pannet.enlarge_23_taps(low)[..., 2::4, 2::4] - low).abs().max() < 1e-15       # first at odd, then at even places
    assert (pannet.enlarge_23_taps(torch.ones_like(low)) - 1).abs().max() < 1e-8          # twelve printed digits, four passes
    assert torch.allclose(pannet.enlarge_23_taps(low.roll(1, -1)), pannet.enlarge_23_taps(low).roll(4, -1))


@torch.no_grad()
def test_a_flat_scene_has_no_details_but_those_of_the_biases():
    network = pannet.Network(channels=4, width=8)
    first, second = (network(torch.full((1, 4, 6, 6), x), torch.full((1, 1, 24, 24), y), torch.zeros(1, 4, 24, 24))
                     for x, y in [(0.0, 0.0), (3.0, 5.0)])
    assert (first - second).abs().max() < 1e-5


@pytest.mark.parametrize("size", [(8, 8), (9, 31), (22, 16)])
@torch.no_grad()
def test_any_size_is_kept(size):
    network, guide = pannet.Network(channels=4, width=8), torch.rand(2, 1, *size)
    for low_size in [[n // 4 for n in size], [-(-n // 4) for n in size]]:
        sample = Sample(None, guide, low=torch.rand(2, 4, *low_size))
        assert network.finish(network(*network.prepare(sample)), sample).shape == (2, 4, *size)


def test_enlarging_continues_a_slow_wave_from_its_own_places():
    """Number i of a row stands at 4 i + 2, for the first doubling fills the even places and the second the odd ones."""
    wave = lambda y, x: torch.cos(2 * torch.pi * (y[:, None] / 64 + 2 * x / 48) + 0.3)[None, None]
    low = wave(4 * torch.arange(16, dtype=torch.float64) + 2, 4 * torch.arange(12, dtype=torch.float64) + 2)
    full = wave(torch.arange(64, dtype=torch.float64), torch.arange(48, dtype=torch.float64))
    assert (pannet.enlarge_23_taps(low) - full).abs().max() < 2e-3


def test_a_low_image_that_was_rounded_down_is_continued_by_its_edge():
    low = torch.rand(1, 2, 2, 3)
    continued = pannet.fit(low, torch.zeros(1, 1, 11, 12))
    assert torch.equal(continued[..., :2, :], low) and torch.equal(continued[..., 2, :], low[..., 1, :]) and continued.shape[-2:] == (3, 3)


def test_every_parameter_learns():
    network = pannet.Network(channels=4, width=8)
    network(torch.rand(1, 4, 4, 4), torch.rand(1, 1, 16, 16), torch.rand(1, 4, 16, 16)).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or p.grad.abs().max() == 0] == []


def test_what_it_cannot_take_is_refused():
    network = pannet.Network(channels=4, width=8)
    low, guide, lms = torch.rand(1, 4, 4, 4), torch.rand(1, 1, 16, 16), torch.rand(1, 4, 16, 16)
    with pytest.raises(GirlibError, match="low is 2x2, but guide is 16x16; the guide must be 4 times as large"):
        network(low[..., :2, :2], guide, lms)
    with pytest.raises(GirlibError, match="low has 3 channels, but this network was built for 4"):
        network(low[:, :3], guide, lms)
    with pytest.raises(GirlibError, match="guide has 3 channels, but this network was built for 1"):
        network(low, guide.expand(-1, 3, -1, -1), lms)
    with pytest.raises(GirlibError, match="holds no low-resolution image"):
        network.prepare(Sample(lms, guide))
    with pytest.raises(GirlibError, match="other.pth doesn't fit this network .*only here: enlarge.bias"):
        load_weights(network, {"deconv.weight": torch.zeros(4, 4, 8, 8)}, pannet, "other.pth")
