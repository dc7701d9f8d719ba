"""DKN and FDKN equal the released networks, their sampling included, and take any size."""

import pytest
import torch
import torch.nn.functional as F
from golden import difference, own, part, recipe, reference

from girlib.errors import GirlibError
from girlib.networks import create_model, dkn, fdkn, load_model, predict
from girlib.samples import Sample


@pytest.mark.parametrize("align_corners, suffix", [(True, ""), (False, ".align_corners_false")])
@torch.no_grad()
def test_dkn_reproduces_the_released_network(align_corners, suffix):
    stored = own("dkn")
    inputs = stored["input.target"], stored["input.guide"]
    network = recipe(dkn.Network(align_corners=align_corners))
    restored, inside = network(*inputs, return_intermediates=True)
    assert difference(restored, stored[f"output{suffix}"]) < 1e-5
    for name in ("weight", "offset"):
        assert difference(inside[name], stored[f"mid.{name}"]) < 1e-5, name
    assert difference(network.double()(*(x.double() for x in inputs)), stored[f"output64{suffix}"]) < 1e-9


@torch.no_grad()
def test_fdkn_reproduces_our_vector():
    stored = own("fdkn")
    restored, inside = recipe(fdkn.Network()).double()(**part(stored, "input"), return_intermediates=True)
    assert difference(restored, stored["output64"]) < 1e-9
    for name, expected in part(stored, "mid").items():
        assert difference(inside[name].float(), expected) < 1e-5, name


@pytest.mark.parametrize("align_corners, suffix", [(True, ""), (False, ".align_corners_false")])
@torch.no_grad()
def test_released_fdkn_weights_reproduce_the_released_network(align_corners, suffix):
    stored = reference("compared/fdkn_x8")
    inputs = stored["input.target"], stored["input.guide"]
    network = load_model("fdkn", "depth", "official", align_corners=align_corners).eval()
    restored, inside = network(*inputs, return_intermediates=True)
    assert difference(restored, stored[f"output{suffix}"]) < 1e-5
    for name in ("packed_guide", "packed_target", "weight", "offset"):
        assert difference(inside[name], stored[f"mid.{name}"]) < 1e-4, name
    assert difference(network.double()(*(x.double() for x in inputs)), stored[f"output64{suffix}"]) < 1e-9


@torch.no_grad()
def test_released_fdkn_weights_without_residual():
    stored = reference("compared/fdkn_x8_noresidual")
    network = load_model("fdkn", "depth", "official", scale=8, residual=False).eval()
    assert difference(network(stored["input.target"], stored["input.guide"]), stored["output"]) < 1e-5


@torch.no_grad()
def test_the_stored_sampling_coordinates_follow_from_the_offsets():
    stored = reference("compared/fdkn_x8")
    offset = stored["mid.offset"][0, :, 20, 30].view(3, 3, 2)
    grid = torch.stack(torch.meshgrid(torch.arange(7.0, 10), torch.arange(7.0, 10), indexing="ij"), dim=-1)
    assert torch.allclose((grid + offset) / 15 * 2 - 1, stored["mid.coord_pixel_20_30"], atol=1e-6)


def by_grid_sample(P, weight, offset, align_corners, size=15):
    """The released way: every pixel's patch as an image of its own, read by torch's grid sampling."""
    N, C, H, W = P.shape
    patches = F.unfold(P, size, padding=size // 2).view(N, C, size, size, H * W).permute(0, 4, 1, 2, 3).reshape(-1, C, size, size)
    grid = torch.stack(torch.meshgrid(torch.arange(7.0, 10), torch.arange(7.0, 10), indexing="ij"), dim=-1).to(P)
    places = (grid + offset.permute(0, 2, 3, 1).reshape(-1, 3, 3, 2)) / size * 2 - 1
    taps = F.grid_sample(patches, places, align_corners=align_corners).view(N, H, W, C, 9)
    return (taps * weight.permute(0, 2, 3, 1)[:, :, :, None]).sum(-1).permute(0, 3, 1, 2)


@pytest.mark.parametrize("align_corners", [True, False])
def test_sampling_equals_grid_sampling_of_patches_far_outside_too(align_corners):
    P = torch.rand(2, 3, 9, 11, dtype=torch.float64)
    weight, offset = torch.randn(2, 9, 9, 11, dtype=torch.float64), 6 * torch.randn(2, 18, 9, 11, dtype=torch.float64)
    assert torch.allclose(dkn.filter_at(P, weight, offset, 15, align_corners), by_grid_sample(P, weight, offset, align_corners))


def test_the_gradient_of_the_sampling_is_right():
    inputs = [torch.rand(1, channels, 5, 6, dtype=torch.float64, requires_grad=True) for channels in (2, 9, 18)]
    steps = [1e-6 * torch.randn_like(x) for x in inputs]
    value = lambda sign: dkn.filter_at(*(x + sign * step for x, step in zip(inputs, steps, strict=True)), 15, True).square().sum()
    slopes = torch.autograd.grad(value(0), inputs)
    expected = (value(1) - value(-1)) / 2
    assert torch.allclose(sum((s * d).sum() for s, d in zip(slopes, steps, strict=True)), expected, rtol=1e-6)


def test_they_have_the_released_number_of_parameters():
    count = lambda *args: sum(p.numel() for p in create_model(*args).parameters())
    assert count("dkn", "depth") == 1_158_070
    assert count("dkn", "pansharpening") == 1_165_910
    assert count("fdkn", "depth") == 693_856


@pytest.mark.parametrize("name", ["dkn", "fdkn"])
@torch.no_grad()
def test_a_size_that_4_does_not_divide_keeps_its_pixels(name):
    network = recipe(create_model(name, "depth"))
    target, guide = torch.rand(1, 1, 8, 11), torch.rand(1, 3, 8, 11)
    whole = network(F.pad(target, (0, 1, 0, 0), mode="replicate"), F.pad(guide, (0, 1, 0, 0), mode="replicate"))
    assert torch.equal(network(target, guide), whole[..., :11])


@torch.no_grad()
def test_weights_sum_to_zero_with_a_residual_and_to_one_without():
    target, guide = torch.rand(1, 1, 8, 8), torch.rand(1, 3, 8, 8)
    for residual, total in ((True, 0), (False, 1)):
        _, inside = recipe(fdkn.Network(residual=residual))(target, guide, return_intermediates=True)
        assert torch.allclose(inside["weight"].sum(dim=1), torch.tensor(float(total)), atol=1e-5)


@torch.no_grad()
def test_fdkn_turns_colors_around_and_keeps_units():
    target = torch.rand(1, 1, 8, 8) * 3 + 1
    sample = Sample(target, torch.rand(1, 3, 8, 8), target, unit="m")
    network = recipe(fdkn.Network())
    P, guide = network.prepare(sample)
    assert torch.equal(guide, sample.guide.flip(1)) and (P.min(), P.max()) == (0, 1)
    _, inside = network(P, guide, return_intermediates=True)
    grey = (sample.guide[0] * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(0)
    assert torch.allclose(inside["packed_guide"][0, 6], grey[1::4, 2::4])
    doubled = Sample(target * 2, sample.guide, target * 2, unit="m")
    assert torch.allclose(predict(network, doubled), 2 * predict(network, sample), atol=1e-5)


@pytest.mark.parametrize("name", ["dkn", "fdkn"])
def test_every_parameter_learns(name):
    network = recipe(create_model(name, "depth"))
    network(torch.rand(1, 1, 8, 8), torch.rand(1, 3, 8, 8)).square().sum().backward()
    assert all(p.grad.abs().max() > 0 for p in network.parameters())


def test_wrong_channels_are_refused():
    with pytest.raises(GirlibError, match="target has 2 channels"):
        fdkn.Network()(torch.rand(1, 2, 8, 8), torch.rand(1, 3, 8, 8))
    with pytest.raises(GirlibError, match="guide has 1 channels"):
        dkn.Network()(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8))


@torch.no_grad()
def test_fdkn_takes_a_grey_guide_as_three_equal_channels_and_no_other_number():
    network, target, grey = recipe(fdkn.Network()), torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8)
    assert difference(network(target, grey), network(target, grey.expand(-1, 3, -1, -1))) < 1e-5
    with pytest.raises(GirlibError, match="guide has 2 channels"):
        network(target, torch.rand(1, 2, 8, 8))


def test_depth_is_scaled_to_the_unit_range():
    depth = torch.tensor([[[[2.0, 6.0], [4.0, 3.0]]]])
    target, _ = create_model("dkn", "depth").prepare(Sample(depth, torch.rand(1, 3, 2, 2), reference=depth, unit="m"))
    assert torch.allclose(target, (depth - 2) / 4)
