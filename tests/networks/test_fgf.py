"""FGF equals the released network in its four forms, and its filter layers equal the released ones."""

import pytest
import torch
import torch.nn.functional as F
from golden import difference, own, part, recipe, reference

from girlib.errors import GirlibError
from girlib.filters import box_mean, guided_filter
from girlib.networks import create_model, fgf, load_model, predict
from girlib.samples import Sample

COUNTS = {"dgf_b": 26_943, "dgf": 27_068, "dgf_b_c": 28_414, "dgf_c": 28_547}


@pytest.mark.parametrize("form", fgf.FORMS)
@torch.no_grad()
def test_it_reproduces_our_vectors(form):
    stored = own(f"fgf_{form}")
    network = recipe(fgf.Network(form=form, clamp=False)).double()
    restored, inside = network(**part(stored, "input"), return_intermediates=True)
    assert difference(restored, stored["output64"]) < 1e-9
    for name, expected in part(stored, "mid").items():
        assert difference(inside[name].float(), expected) < 1e-5, name


@pytest.mark.parametrize("form", fgf.FORMS)
@torch.no_grad()
def test_released_weights_reproduce_the_released_network(form):
    stored = reference("compared/fgf_l0_smooth")
    small, full = stored["input.guide_lr"], stored["input.guide_hr"]
    network = load_model("fgf", "texture", "official", form=form).eval()
    restored, inside = network(small, full, return_intermediates=True)
    assert difference(inside["low"], stored[f"mid.lr_net.{form}"]) < 1e-5
    if form in ("dgf", "dgf_c"):
        assert difference(inside["guided_map"], stored[f"mid.guided_map_hr.{form}"]) < 1e-5
    if form in ("dgf_b_c", "dgf_c"):                          # the others divide by variances that float32 doesn't resolve
        assert difference(restored, stored[f"output.{form}"]) < 1e-4
    assert difference(network.double()(small.double(), full.double()), stored[f"output64.{form}"]) < 1e-9


@pytest.mark.parametrize("radius, eps", [(1, "1e-08"), (2, "0.01"), (5, "1e-08"), (8, "0.0001")])
def test_the_filter_layers_equal_the_released_ones(radius, eps):
    stored = reference("compared/fgf_layers")
    x = {name: image.double() for name, image in part(stored, "input").items()}
    name = f"r{radius}_eps{eps}"
    filtered = guided_filter(x["target"], x["guide1"], radius, float(eps))
    assert difference(filtered, stored[f"output64.guided_{name}"]) < 1e-9
    lifted = fgf.lift(*fgf.BoxFilter(radius, float(eps))(x["guide_lr"], x["target_lr"]), x["guide1"])
    assert difference(lifted, stored[f"output64.fast_{name}"]) < 1e-9
    if float(eps) > 1e-4:
        filtered = guided_filter(stored["input.target"], stored["input.guide1"], radius, float(eps))
        assert difference(filtered, stored[f"output.guided_{name}"]) < 1e-4


def test_a_color_guide_works_channel_by_channel_and_the_box_is_a_sum():
    stored = reference("compared/fgf_layers")
    guide, target = stored["input.guide3"].double(), stored["input.target"].double()
    planes = [guided_filter(p, i, 2, 0.01) for p, i in zip(guide.flip(1).split(1, dim=1), guide.split(1, dim=1), strict=True)]
    assert difference(torch.cat(planes, dim=1), stored["output64.guided3_r2_eps0.01_target3"]) < 1e-9
    ones = F.conv2d(torch.ones_like(target), torch.ones(1, 1, 5, 5).double(), padding=2)
    assert difference(box_mean(target, 2) * ones, stored["output64.box_r2_sum"]) < 1e-9


def test_it_has_the_released_numbers_of_parameters():
    assert {form: sum(p.numel() for p in fgf.Network(form=form).parameters()) for form in fgf.FORMS} == COUNTS


def test_it_begins_as_the_guided_filter_of_its_low_network():
    network = fgf.Network(form="dgf_b", radius=2, eps=0.01).double()
    features = torch.rand(1, 24, 9, 9).double()
    for k in range(3, 18, 3):                                 # identity before training; the norm does nothing yet
        assert torch.equal(network.low_network[k:k + 2].eval()(features), features)


def test_the_trained_window_begins_as_the_box():
    x, y = torch.rand(1, 2, 9, 11), torch.rand(1, 2, 9, 11)
    trained = fgf.ConvFilter(2, hidden=4, radius=1)
    trained.slope = Division(0.01)
    for actual, expected in zip(trained(x, y), fgf.BoxFilter(1, 0.01)(x, y), strict=True):
        assert torch.allclose(actual, expected, atol=1e-5)


class Division(torch.nn.Module):
    """What the small network stands for: covariance through variance."""

    def __init__(self, eps):
        super().__init__()
        self.eps = eps

    def forward(self, x):
        cov, var = x.chunk(2, dim=1)
        return cov / (var + self.eps)


@pytest.mark.parametrize("size", [(8, 8), (11, 30), (70, 90)])
@torch.no_grad()
def test_every_task_and_size(size):
    for task, options in fgf.TASKS.items():
        guide = torch.rand(1, {"depth": 3, "pansharpening": 1}.get(task, 3), *size)
        sample = Sample(torch.rand(1, options["channels"], *size), guide)
        assert predict(create_model("fgf", task), sample).shape == sample.target.shape


def test_a_photograph_that_guides_itself_is_shrunk_to_64_pixels_by_the_nearest():
    image = torch.rand(1, 3, 192, 320)
    small, full = fgf.Network(self_guided=True).prepare(Sample(image, image))
    assert torch.equal(full, image) and small.shape == (1, 3, 64, 106)
    assert torch.equal(small[..., 0], image[:, :, 1::3, 1])


def test_only_dgf_is_not_clamped():
    assert {form: fgf.Network(form=form).clamp for form in fgf.FORMS} == {"dgf_b": True, "dgf": False, "dgf_b_c": True, "dgf_c": True}
    network = recipe(fgf.Network(form="dgf_c"))
    low, full = torch.rand(1, 3, 9, 9), torch.rand(1, 3, 17, 17)
    clamped = network(low, full)
    network.clamp = False
    assert torch.equal(clamped, network(low, full).clamp(0, 1)) and network(low, full).min() < 0


def test_every_parameter_learns():
    network = recipe(fgf.Network(form="dgf_c", clamp=False)).train()
    network(torch.rand(2, 3, 12, 12), torch.rand(2, 3, 24, 24)).square().sum().backward()
    assert all(p.grad.abs().max() > 0 for p in network.parameters())


def test_an_unknown_form_and_wrong_channels_are_refused():
    with pytest.raises(GirlibError, match="form is 'dgf_d'; it must be one of dgf_b, dgf, dgf_b_c, dgf_c"):
        fgf.Network(form="dgf_d")
    with pytest.raises(GirlibError, match="guide has 1 channels"):
        fgf.Network()(torch.rand(1, 3, 8, 8), torch.rand(1, 1, 16, 16))
    with pytest.raises(GirlibError, match="guide_low is 8x9, but target is 8x8"):
        fgf.Network()(torch.rand(1, 3, 8, 8), torch.rand(1, 3, 16, 16), torch.rand(1, 3, 8, 9))
