"""DCTNet equals the released network, solves its inner problem exactly, and takes any size."""

import pytest
import torch
import torch.nn.functional as F
from golden import difference, own, part, reference, released

from girlib.errors import GirlibError
from girlib.networks import dctnet
from girlib.networks.weights import load_weights
from girlib.samples import Sample

NAMES = {"feat_target": "F_P", "feat_guide": "F_I", "edge_weight": "w", "laplacian_guide": "laplacian_I", "lambda": "lambda", "K": "K",
         "rhs_before_dct": "right_hand_side", "z": "Z"}


@pytest.fixture(scope="module")
def official():
    file = dctnet.RELEASED["depth", 8]
    return load_weights(dctnet.Network(**dctnet.TASKS["depth"]), released(file), dctnet, file)


@torch.no_grad()
def test_random_weights_reproduce_our_vector():
    stored = own("dctnet")
    network = dctnet.Network(width=8)
    network.load_state_dict(part(stored, "param"))
    restored, inside = network(**part(stored, "input"), return_intermediates=True)
    assert difference(restored, stored["output"]) < 1e-5
    for name, expected in part(stored, "mid").items():
        assert difference(inside[name], expected) < 1e-5, name
    doubled = network.double()(**{k: x.double() for k, x in part(stored, "input").items()})
    assert difference(doubled, stored["output64"]) < 1e-9


@pytest.mark.parametrize("size", ["24x28", "48x56", "odd_33x41"])
@torch.no_grad()
def test_released_weights_reproduce_the_released_network(official, size):
    stored = reference(f"compared/dctnet_x8_{size}")
    target, guide = stored["input.target"], stored["input.guide"]
    restored, inside = official.float()(target, guide, return_intermediates=True)
    assert difference(restored, stored["output"]) < 1e-5
    for name, expected in part(stored, "mid").items():
        name = name.removesuffix("_ch0_15")
        if name == "dct":                                        # stored: twice the sums, without the factors that make it orthonormal
            rows, columns = (torch.full((n,), (2 * n) ** 0.5) for n in target.shape[-2:])
            rows[0], columns[0] = rows[0] * 2 ** 0.5, columns[0] * 2 ** 0.5
            actual = inside["spectrum"] * rows[:, None] * columns
        else:
            actual = inside[NAMES[name]]
        if name == "K":
            actual = actual[None, None]
        assert difference(actual[:, :expected.shape[1]], expected) < 1e-5, name
    doubled = official.double()(target.double(), guide.double())
    assert difference(doubled, stored["output64"]) < 1e-9


def test_it_holds_the_released_parameters_but_the_unused_ones():
    unused = 16 * 16 * 9 + 16
    assert sum(p.numel() for p in dctnet.Network().parameters()) + unused == 482_865


def test_the_solution_satisfies_the_equation_of_the_four_neighbour_laplacian():
    torch.manual_seed(0)
    P, I, w = torch.rand(3, 1, 5, 9, 12, dtype=torch.float64)
    lam = torch.rand(1, 5, 1, 1, dtype=torch.float64) + 0.5

    def four(x):                                                 # a border that repeats the edge pixel, as the DCT-II has it
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return x[..., :-2, 1:-1] + x[..., 2:, 1:-1] + x[..., 1:-1, :-2] + x[..., 1:-1, 2:] - 4 * x[..., 1:-1, 1:-1]

    Z, inside = dctnet.solve(P, dctnet.laplacian(I), w, lam)
    assert (Z + lam * four(four(Z)) - inside["right_hand_side"]).abs().max() < 1e-12
    assert (inside["right_hand_side"] - P - lam * dctnet.laplacian(w * dctnet.laplacian(I))).abs().max() < 1e-12


def test_a_flat_image_has_no_laplacian_and_one_bright_pixel_has_eight_neighbours():
    image = torch.zeros(1, 1, 5, 5)
    assert dctnet.laplacian(image + 3).abs().max() == 0
    image[..., 2, 2] = 16
    assert dctnet.laplacian(image)[0, 0].tolist() == [[0] * 5, [0, 1, 1, 1, 0], [0, 1, -8, 1, 0], [0, 1, 1, 1, 0], [0] * 5]


@pytest.mark.parametrize("size", [(8, 8), (8, 30), (15, 9), (17, 23)])
@torch.no_grad()
def test_any_size_is_kept(size):
    restored = dctnet.Network(width=8)(torch.rand(2, 1, *size), torch.rand(2, 3, *size))
    assert restored.shape == (2, 1, *size)


@torch.no_grad()
def test_no_depth_is_negative():
    network = dctnet.Network(width=8)
    network.decoder[-2].bias.fill_(-9)
    assert network(torch.rand(1, 1, 16, 16), torch.rand(1, 3, 16, 16)).abs().max() == 0


def test_shared_kernels_start_as_those_of_any_convolution():
    kernels = [p for name, p in dctnet.Network(width=8).named_parameters() if "kernel_shared" in name]
    assert kernels and all(0.9 < p.abs().max() * (9 * p.shape[1]) ** 0.5 <= 1 for p in kernels)


def test_the_logarithms_of_lambda_scatter_by_a_third_around_a_tenth():
    values = dctnet.Network(width=400).log_lambda
    assert values.mean().item() == pytest.approx(0.1, abs=0.05) and values.std().item() == pytest.approx(0.3, abs=0.05)


def test_every_parameter_learns():
    stored = own("dctnet")
    network = dctnet.Network(width=8)
    network.load_state_dict(part(stored, "param"))
    network(**part(stored, "input")).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or p.grad.abs().max() == 0] == []


def test_a_guide_of_one_channel_is_refused():
    with pytest.raises(GirlibError, match="guide has 1 channels, but this network was built for 3"):
        dctnet.Network(width=8)(torch.rand(1, 1, 16, 16), torch.rand(1, 1, 16, 16))


def test_another_networks_weights_are_refused():
    with pytest.raises(GirlibError, match="other.pth doesn't fit this network .*only there: conv1.weight"):
        load_weights(dctnet.Network(width=8), {"conv1.weight": torch.zeros(8, 1, 3, 3)}, dctnet, "other.pth")


def test_the_reference_gives_the_range_and_the_low_resolution_depth_where_there_is_none():
    network = dctnet.Network(width=8)
    low, reference = torch.tensor([2.0, 5.0]).view(1, 1, 1, 2), torch.tensor([1.0, 6.0]).view(1, 1, 1, 2)
    target, guide = torch.tensor([1.0, 3.5]).view(1, 1, 1, 2), torch.full((1, 3, 1, 2), 0.5)
    known, unknown = Sample(target, guide, reference, low), Sample(target, guide, low=low)
    assert torch.allclose(network.prepare(known)[0].flatten(), torch.tensor([0, 0.5]))
    assert torch.allclose(network.prepare(unknown)[0].flatten(), torch.tensor([-1 / 3, 0.5]))
    assert torch.allclose(network.prepare(known)[1][0, :, 0, 0], torch.tensor([0.015 / 0.229, 0.044 / 0.224, 0.094 / 0.225]))
    assert torch.allclose(network.finish(torch.tensor([-1, 0.5]).view(1, 1, 1, 2), known).flatten(), torch.tensor([1, 3.5]))
    assert torch.allclose(network.finish(torch.tensor([0.5, 7.0]).view(1, 1, 1, 2), unknown).flatten(), torch.tensor([3.5, 5.0]))


def test_a_flat_depth_stays_finite():
    flat = torch.full((1, 1, 8, 8), 2.0)
    sample = Sample(flat, torch.rand(1, 3, 8, 8))
    target, _ = dctnet.Network(width=8).prepare(sample)
    assert target.abs().max() == 0 and (dctnet.Network(width=8).finish(target, sample) == 2).all()
