"""GDD equals the released network, losses and optimisation; its relatives stand beside it; any size is fitted."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from golden import difference, own, part, reference, released

from girlib.errors import GirlibError
from girlib.networks import gdd
from girlib.networks.weights import load_weights
from girlib.samples import Sample

SMALL = {"gdd_hs": dict(objective="hyperspectral", channels=5, guide_channels=3, width=8),
         "gdd_pan": dict(objective="pansharpening", channels=4, guide_channels=1, width=8),
         "gdd_denoise_odd": dict(objective="denoising", channels=3, guide_channels=3, width=6)}
PAN = SMALL["gdd_pan"]


def tiny(**options):
    return gdd.Network(**{"objective": "pansharpening", "channels": 2, "guide_channels": 1, "width": 3, **options})


def pan_sample(size=(40, 36), channels=2):
    generator = torch.Generator().manual_seed(1)
    low = torch.rand(1, channels, *(n // 4 for n in size), generator=generator)
    return Sample(None, torch.rand(1, 1, *size, generator=generator), low=low)


@torch.no_grad()
def check(stored, network, name):
    """Output in float32 and float64, and every stored intermediate."""
    load_weights(network, part(stored, "param"), gdd, name)
    noise, guide = stored["input.noise"], stored["input.guide"]
    if "output" in stored:
        assert difference(network(noise, guide), stored["output"]) < 1e-5
    X, inside = network.double()(noise.double(), guide.double(), return_intermediates=True)
    if "output64" in stored:
        assert difference(X, stored["output64"]) < 1e-12
    if "output_pan64" in stored:
        assert difference(inside["pan"], stored["output_pan64"]) < 1e-12
    Gamma, Xi = inside["Gamma"], inside["Xi"]
    gates = [network.uru[k % len(network.uru)].gate(Gamma[k + 1]) for k in range(5)]
    calls = {"enc": Gamma[4::-1], "lat": [network.lateral(x) for x in Gamma[1:5]], "enc_ew0": [network.embed(noise.double())],
             "dc1": Xi[:1], "dc_up_conv": Xi[1:], **{f"dc_up_conv{k}": Xi[k - 1:k] for k in range(2, 6)},
             "URU": inside["uru"], "URU.weight_map": gates, **{f"URU{k}.weight_map": gates[k - 1:k] for k in range(1, 6)},
             "FRU": inside["y"], "FRU.gen_se_weights1": [network.fru.gate(x) for x in (Gamma[0], *Xi)]}
    for place, expected in part(stored, "mid").items():
        block, call = place.split("#")
        assert difference(calls[block][int(call)].float(), expected) < 1e-4, place       # theirs are float32 from few pixels a channel


@pytest.mark.parametrize("name", ["gdd_hs", "gdd_denoise_odd"])
def test_random_weights_reproduce_the_stored_part_of_the_vectors(name):
    check(own(name), gdd.Network(**SMALL[name]), name)


@pytest.mark.parametrize("name", SMALL)
def test_random_weights_reproduce_the_released_network(name):
    check(reference(f"gdd/{name}"), gdd.Network(**SMALL[name]), name)


@torch.no_grad()
def test_released_parameters_of_two_images_reproduce_these_images():
    network = gdd.Network(**gdd.TASKS["pansharpening"])
    state = released("gdd/pan_im4_run.safetensors")
    load_weights(network, state, gdd, "pan_im4_run")
    loadmat = pytest.importorskip("scipy.io").loadmat
    folder = Path(os.environ["GIRLIB_DATA"]) / "gdd"
    scene, run = loadmat(folder / "pan_im4.mat"), np.load(folder / "pan_im4_run_out.npz")["out"]
    X = network(state["net_input"], torch.from_numpy(scene["I_PAN_input"]).float()[None, None])
    X = X[0].permute(1, 2, 0).numpy()
    assert np.abs(X - run).max() < 1e-5
    assert -10 * np.log10(np.square(X - scene["I_MS_GT"]).mean()) == pytest.approx(32.999, abs=5e-4)

    from PIL import Image
    network = gdd.Network(**gdd.TASKS["flash"])
    state = released(gdd.RELEASED["flash", None])
    load_weights(network, state, gdd, "flash_noflash")
    flash = np.asarray(Image.open(folder / "im_flash.jpg"), dtype=np.float32) / 255
    X = network(state["net_input"], torch.from_numpy(flash).permute(2, 0, 1)[None])
    image = np.asarray(Image.open(folder / "flash_noflash_out.png")).astype(float)
    difference_in_levels = np.abs(X[0].permute(1, 2, 0).clamp(0, 1).numpy() * 255 - image)
    assert difference_in_levels.max() < 1.5 and difference_in_levels.mean() < 0.6         # 8 bits, and another JPEG decoder


@pytest.mark.parametrize("task, count, never_called", [
    ("hyperspectral", 245_151, 0), ("pansharpening", 561_736, 82_240), ("flash", 140_780, 19_584)])
def test_it_holds_the_released_parameters_but_those_never_called(task, count, never_called):
    assert sum(p.numel() for p in gdd.Network(**gdd.TASKS[task]).parameters()) + never_called == count


# ---------------------------------------------------------------------------------------------------- the optimisation

def test_four_given_steps_are_the_released_ones():
    stored = own("gdd_pan_steps")
    network = gdd.Network(**PAN).double()
    load_weights(network, part(stored, "param"), gdd, "pan_steps")
    network.draw_noise = lambda guide: stored["input.noise"]
    given = iter(range(4))
    network.jitter = lambda noise: (noise + 0.01 * stored[f"input.jitter{next(given)}"]).double()      # the sum was float32
    sample = Sample(None, stored["input.pan"].double(), low=stored["input.ms"].double())
    seen = []
    network.optimise(sample, steps=4, seed=None, progress=lambda step, loss, X: seen.append((loss, X)))
    for step, (loss, X) in enumerate(seen):
        assert loss == pytest.approx(stored["loss"][step].item(), abs=1e-10)
        assert difference(X[..., ::4, ::4].float(), stored[f"output{step}"]) < 1e-6


def test_the_first_gradients_are_the_released_ones():
    stored = own("gdd_pan_steps")
    network = gdd.Network(**PAN).double()
    load_weights(network, part(stored, "param"), gdd, "pan_steps")
    sample = Sample(None, stored["input.pan"].double(), low=stored["input.ms"].double())
    X, inside = network((stored["input.noise"] + 0.01 * stored["input.jitter0"]).double(), sample.guide, return_intermediates=True)
    gradients = torch.autograd.grad(network.loss(X, sample, inside), (network.D, network.fru.conv.weight))
    for gradient, name in zip(gradients, ("vector", "FRU.conv_1.1.weight"), strict=True):
        assert difference(gradient.float(), stored[f"grad0.{name}"]) < 1e-6, name


def test_the_same_seed_gives_the_same_image_and_leaves_the_callers_randomness_alone():
    network, sample = tiny(), pan_sample()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = network.predict(sample, steps=3, seed=1)
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(network.predict(sample, steps=3, seed=1), first)
    assert not torch.equal(network.predict(sample, steps=3, seed=2), first)


@pytest.mark.parametrize("form", gdd.FORMS)
@pytest.mark.parametrize("style", ["released", "paper"])
def test_fitting_lowers_the_loss_and_the_image_belongs_to_the_parameters(form, style):
    network, sample = tiny(form=form, style=style), pan_sample()
    X, inside = network.optimise(sample, steps=25)
    assert len(inside["losses"]) == 25 and inside["losses"][-1] < 0.7 * inside["losses"][0]
    with torch.no_grad():
        assert torch.equal(network.eval()(inside["noise"], sample.guide), X)               # eval() changes nothing


def test_without_a_seed_the_fitting_goes_on():
    network, sample = tiny(), pan_sample()
    network.optimise(sample, steps=40)
    losses = network.optimise(sample, steps=2, seed=None)[1]["losses"]
    assert losses[0] < network.optimise(sample, steps=2, seed=0)[1]["losses"][0] / 2


def test_a_jump_of_the_loss_brings_the_parameters_of_ten_steps_ago_back(monkeypatch):
    monkeypatch.setattr(gdd, "SETTLED", 45)
    network, sample, found = tiny(width=2), pan_sample(), []
    loss, values = network.loss, iter([1] * 26 + [0] * 20 + [0.5, 100] + [0] * 156)       # 0.5 is no jump: 40 to 21 steps ago it was 1
    network.loss = lambda *given: 0 * loss(*given) + next(values)
    network.mark = torch.nn.Parameter(torch.zeros(()))                                    # Adam leaves it alone, having no gradient

    def progress(step, loss, X):
        found.append(network.mark.item())
        network.mark.data.fill_(step)

    _, inside = network.optimise(sample, steps=204, progress=progress)
    assert found[46:50] == [45, 46, 37, 48]
    assert len(inside["losses"]) == 47 + 5 + 1      # of the good steps after the jump 150 don't count; the last step does
    assert {type(loss) for loss in inside["losses"]} == {float}


def test_noise_jitter_and_weights_are_those_of_the_released_programs():
    guide = torch.zeros(1, 1, 2000, 2000)
    for objective, sigma in [("hyperspectral", 0.03), ("pansharpening", 0.01), ("denoising", 0.01)]:
        network = tiny(objective=objective)
        noise = network.draw_noise(guide)
        assert 0 <= noise.min() < 0.001 and 0.099 < noise.max() < 0.1
        assert (network.jitter(noise) - noise).std().item() == pytest.approx(sigma, rel=0.1)
    assert [recipe.mu for recipe in gdd.RECIPES.values()] == [0.1, 10, 1]
    assert [recipe.steps for recipe in gdd.RECIPES.values()] == [20001, 8001, 1001]


def test_bands_may_start_with_either_sign():
    torch.manual_seed(0)
    D = tiny(channels=30).D
    assert D.diag().min() < 0 < D.diag().max() and torch.equal(D, D.diag().diag())


def test_denoising_and_hyperspectral_fitting_read_what_their_losses_need():
    flash, noisy = torch.rand(1, 3, 33, 34), torch.rand(1, 3, 33, 34)
    network = tiny(objective="denoising", channels=3, guide_channels=3)
    assert network.optimise(Sample(noisy, flash), steps=1)[0].shape == noisy.shape
    with pytest.raises(GirlibError, match="target has 1 channels"):
        network.optimise(Sample(noisy[:, :1], flash), steps=1)
    network = tiny(objective="hyperspectral", channels=4, guide_channels=3)
    R, low = torch.rand(3, 4), torch.rand(1, 4, 2, 2)
    assert network.optimise(Sample(None, flash, low=low, meta={"response": R}), steps=2)[0].shape == (1, 4, 33, 34)
    with pytest.raises(GirlibError, match="meta must hold `response`"):
        network.predict(Sample(None, flash, low=low), steps=2)


@pytest.mark.parametrize("size", [(8, 8), (8, 70), (33, 17), (65, 40)])
@pytest.mark.parametrize("form", gdd.FORMS)
@torch.no_grad()
def test_any_size_is_kept(size, form):
    for objective in gdd.RECIPES:
        network, guide = tiny(form=form, objective=objective), torch.rand(1, 1, *size)
        assert network(network.draw_noise(guide), guide).shape == (1, 2, *size)


@pytest.mark.parametrize("size", [(8, 8), (9, 40), (37, 33)])
def test_any_size_is_fitted_whichever_way_the_low_resolution_image_was_rounded(size):
    guide, response = torch.rand(1, 1, *size), torch.rand(1, 2)
    for objective in ("pansharpening", "hyperspectral"):
        network = tiny(objective=objective)
        for low_size in [[n // network.scale for n in size], [-(-n // network.scale) for n in size]]:
            if min(low_size) > 0:
                sample = Sample(None, guide, low=torch.rand(1, 2, *low_size), meta={"response": response})
                assert network.predict(sample, steps=2).shape == (1, 2, *size)


def test_relatives_see_only_what_they_are_fed():
    sample = pan_sample()
    sees = {"gdd": [True, True], "dip_guide": [True, False], "dip_noise": [False, True], "deep_decoder": [False, True]}
    for form in gdd.FORMS:
        network = tiny(form=form)
        noise, guide = network.draw_noise(sample.guide).requires_grad_(), sample.guide.clone().requires_grad_()
        gradients = torch.autograd.grad(network(noise, guide).square().sum(), (guide, noise), allow_unused=True)
        assert [g is not None for g in gradients] == sees[form], form


def test_every_parameter_learns():
    for form in gdd.FORMS:
        network, sample = tiny(form=form), pan_sample()
        X, inside = network(*network.prepare(sample), return_intermediates=True)
        network.loss(X, sample, inside).backward()
        assert [name for name, p in network.named_parameters() if p.grad is None or p.grad.abs().max() == 0] == []


def test_what_it_cannot_take_is_refused():
    network, sample = tiny(), pan_sample()
    for wrong, said in [
        (Sample(None, sample.guide), "no low-resolution image"),
        (Sample(None, sample.guide, low=sample.low[..., :3]), "low is .*, but guide is"),
        (Sample(None, sample.guide.expand(-1, 3, -1, -1), low=sample.low), "guide has 3 channels, but this network was built for 1"),
        (Sample(None, sample.guide, low=sample.low[:, :1]), "low has 1 channels, but this network was built for 2"),
    ]:
        with pytest.raises(GirlibError, match=said):
            network.predict(wrong, steps=1)
    with pytest.raises(GirlibError, match="steps is 0; give at least 1"):
        network.predict(sample, steps=0)
    with pytest.raises(GirlibError, match=r"noise has the shape \(1, 2, 9, 9\), but this guide needs \(1, 2, 2, 2\)"):
        network(torch.rand(1, 2, 9, 9), sample.guide)
    for option in ("objective", "form", "style"):
        with pytest.raises(GirlibError, match=f"gdd: {option} is 'other'; choose one of"):
            tiny(**{option: "other"})
    with pytest.raises(GirlibError, match="doesn't fit this network"):
        load_weights(network, {"conv1.weight": torch.zeros(2)}, gdd, "other.pth")
