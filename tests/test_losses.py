"""Losses equal the released ones where there are released ones, have the right gradients, and mean what they say."""

import math
import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from girlib import losses
from girlib.errors import GirlibError
from girlib.networks import dagf, mgdn
from girlib.samples import Sample


def reference(name):
    if "GIRLIB_REFERENCE" not in os.environ:
        pytest.skip(f"GIRLIB_REFERENCE is not set, so golden/{name}.safetensors can't be read.")
    return load_file(Path(os.environ["GIRLIB_REFERENCE"]) / "golden" / f"{name}.safetensors")


def images(count, shape=(2, 3, 6, 5), seed=0):
    """Random images in float64."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(shape, dtype=torch.float64, generator=generator) for _ in range(count)]


def difference(actual, expected):
    """The largest absolute difference as a share of the expected range."""
    return ((actual - expected).abs().max() / (expected.max() - expected.min())).item()


# -------------------------------------------------------------------------------------------------- of one image and another

def test_plain_losses_are_means_over_all_numbers():
    x, y = images(2)
    d = (x - y).flatten().tolist()
    for loss, expected in [(losses.l1_loss, [abs(v) for v in d]), (losses.mse_loss, [v * v for v in d]),
                           (losses.charbonnier_loss, [math.sqrt(v * v + 1e-6) for v in d]),
                           (partial(losses.charbonnier_loss, eps=0.5), [math.sqrt(v * v + 0.25) for v in d]),
                           (losses.pansharpening_mse_loss, [v * v / 4 for v in d])]:                   # a batch of two, twice
        assert loss(x, y).item() == pytest.approx(math.fsum(expected) / len(d), rel=1e-12)


def test_a_supervised_loss_reads_the_reference():
    x, y = images(2)
    loss = losses.supervised(losses.mse_loss)
    assert loss(x, Sample(y + 1, y + 2, reference=y), {}) == losses.mse_loss(x, y)


def ssim_by_loops(x, y):
    """Of one plane: moments under a Gaussian of 11 x 11 pixels, outside the image all is zero."""
    g = [math.exp(-k * k / 4.5) for k in range(-5, 6)]
    total = sum(a * b for a in g for b in g)
    H, W = x.shape

    def moment(values, i, j):
        return sum(g[a] * g[b] / total * values[i + a - 5, j + b - 5] for a in range(11) for b in range(11)
                   if 0 <= i + a - 5 < H and 0 <= j + b - 5 < W)
    result = 0
    for i in range(H):
        for j in range(W):
            mx, my, xx, yy, xy = (moment(v, i, j) for v in (x, y, x * x, y * y, x * y))
            result += ((2 * mx * my + 1e-4) * (2 * (xy - mx * my) + 9e-4)
                       / ((mx ** 2 + my ** 2 + 1e-4) * (xx - mx ** 2 + yy - my ** 2 + 9e-4)))
    return result / (H * W)


def test_ssim_is_the_mean_over_planes_of_its_formula():
    x, y = images(2, (2, 2, 6, 7))
    expected = np.mean([ssim_by_loops(x[n, c].numpy(), y[n, c].numpy()) for n in range(2) for c in range(2)])
    assert losses.ssim(x, y).item() == pytest.approx(expected, rel=1e-12)
    assert losses.ssim(x, x).item() == pytest.approx(1, abs=1e-12)


def test_ssim_is_that_of_the_released_copy():
    if "GIRLIB_REFERENCE" not in os.environ:
        pytest.skip("GIRLIB_REFERENCE is not set, so golden/metrics/fullref.npz can't be read.")
    with np.load(Path(os.environ["GIRLIB_REFERENCE"]) / "golden/metrics/fullref.npz") as stored:
        x, y = (torch.from_numpy(stored[name] / 255.0)[None, None] for name in ("grey_test", "grey_ref"))
    assert losses.ssim(x, y).item() == pytest.approx(0.763280, abs=2e-6)                   # its window was float32


def test_losses_have_the_right_gradients():
    x, y, z = images(3, (2, 2, 5, 6))
    x.requires_grad_()
    sample = Sample(y, z, reference=y)
    for loss in (losses.l1_loss, losses.mse_loss, losses.charbonnier_loss, losses.ssim, losses.pansharpening_mse_loss,
                 losses.boundary_aware_loss, losses.denoising_loss):
        assert torch.autograd.gradcheck(lambda x, loss=loss: loss(x, y), x), loss.__name__
    assert torch.autograd.gradcheck(lambda x: losses.multifocus_loss(x, sample, style="paper"), x)
    assert torch.autograd.gradcheck(lambda x: losses.mono_raw_loss(x, sample, {"mono": x}), x)


# ------------------------------------------------------------------------------------------------------------- SFIGF

def multifocus_by_loops(pre, a, b, gradients, content, gradient):
    """Eqs. (26)-(28) with the released s_1; gradients(plane) gives two maps of a plane (N, H, W)."""
    N, C, H, W = a.shape

    def at(v, i, j):
        return v[i, j].item() if 0 <= i < H and 0 <= j < W else 0.0

    def high(v, i, j):
        low = sum(at(v, i + di, j + dj) * (2 - abs(di)) * (2 - abs(dj)) / 16 for di in (-1, 0, 1) for dj in (-1, 0, 1))
        return abs(v[i, j].item() - low)
    total = 0
    for c in range(C):
        gp, ga, gb = (gradients(image[:, c]) for image in (pre, a, b))
        for n in range(N):
            for i in range(H):
                for j in range(W):
                    first, second = (a, b) if high(a[n, c], i, j) > high(b[n, c], i, j) else (b, a)
                    chosen = ga if first is a else gb
                    total += content * (pre[n, c, i, j] - first[n, c, i, j]).item() ** 2
                    total += gradient * sum((gp[k][n, i, j] - chosen[k][n, i, j]).item() ** 2 for k in (0, 1))
    return total / a.numel()


def printed_gradients(planes):
    """To the left and above, 0 in the first column and row."""
    right, down = torch.zeros_like(planes), torch.zeros_like(planes)
    for j in range(1, planes.shape[2]):
        right[:, :, j] = planes[:, :, j] - planes[:, :, j - 1]
    for i in range(1, planes.shape[1]):
        down[:, i] = planes[:, i] - planes[:, i - 1]
    return right, down


def released_gradients(planes):
    """Absolute 2 x 2 differences of the planes in a border of zeros, stretched over the batch."""
    N, H, W = planes.shape
    padded = torch.zeros(N, H + 2, W + 2, dtype=planes.dtype)
    padded[:, 1:-1, 1:-1] = planes
    maps = []
    for kernel in (((0, 0), (-1, 1)), ((0, -1), (0, 1))):
        steps = torch.zeros(N, H + 1, W + 1, dtype=planes.dtype)
        for i in range(H + 1):
            for j in range(W + 1):
                steps[:, i, j] = abs(sum(kernel[k][m] * padded[:, i + k, j + m] for k in (0, 1) for m in (0, 1)))
        maps.append(((steps - steps.min()) / (steps.max() - steps.min() + 1e-4))[:, :H, :W])
    return maps


@pytest.mark.parametrize("style, gradients, weights", [("paper", printed_gradients, (1, 1)), ("released", released_gradients, (0.5, 1.5))])
def test_the_multifocus_loss_follows_the_sharper_source(style, gradients, weights):
    pre, a, b = images(3)
    b[:, 1, 2:] = a[:, 1, 2:]                                                      # ties
    loss = losses.multifocus_loss(pre, Sample(a, b), style=style)
    assert loss.item() == pytest.approx(multifocus_by_loops(pre, a, b, gradients, *weights), rel=1e-12)
    assert losses.multifocus_loss(pre, Sample(a, b), None, style) == losses.multifocus_loss(pre, Sample(a, b), {}, style, weights) == loss


def test_the_multifocus_loss_is_the_released_one_and_its_gradient_that_of_the_images_alone():
    stored = reference("sfigf/loss_multifocus")
    pre, a, b = (stored[f"input.{name}"].double() for name in ("pre", "a", "b"))
    pre.requires_grad_()
    sample = Sample(a, b)
    loss = losses.multifocus_loss(pre, sample)
    assert loss.item() == pytest.approx(stored["output64"].item(), abs=1e-9)
    assert losses.multifocus_loss(pre, sample, weights=(1, 0)).item() == pytest.approx(stored["mid.in64"].item(), abs=1e-9)
    assert losses.multifocus_loss(pre, sample, weights=(0, 1)).item() == pytest.approx(stored["mid.grad64"].item(), abs=1e-9)
    (gradient,) = torch.autograd.grad(loss, pre)
    assert (gradient - stored["grad.pre64"]).abs().max() < 1e-9
    assert torch.equal(losses.sharper(a, b)[:, -1:].float(), stored["mid.s1_lastchannel"])


def test_only_the_printed_multifocus_loss_trains_by_gradients_of_the_image():
    pre, a, b = images(3)
    pre.requires_grad_()
    (gradient,) = torch.autograd.grad(losses.multifocus_loss(pre, Sample(a, b), weights=(0, 1)), pre)
    assert gradient.abs().max() == 0
    (gradient,) = torch.autograd.grad(losses.multifocus_loss(pre, Sample(a, b), style="paper", weights=(0, 1)), pre)
    assert gradient.abs().min() > 0


def test_the_loss_of_mono_raw_also_looks_at_the_predicted_monochrome_image():
    (x, y), (mono, recorded) = images(2), images(2, (2, 1, 12, 10), seed=1)
    loss = losses.mono_raw_loss(x, Sample(recorded, recorded, reference=y), {"mono": mono})
    expected = (mono - recorded).abs().mean() + (x - y).abs().mean() + 0.5 * (1 - losses.ssim(x, y))
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)


# -------------------------------------------------------------------------------------------------------------- DAGF

def dagf_case():
    """The stored outputs of three levels, in float64, as leaves."""
    stored = reference("dagf/losses")
    outputs = [stored[f"input.I{i}"].double().requires_grad_() for i in range(3)]
    return stored, outputs, Sample(target=outputs[-1], guide=outputs[-1], reference=stored["input.gt"].double())


def test_parts_of_dagfs_loss_equal_the_released_ones():
    stored, outputs, sample = dagf_case()
    colour = [stored[f"input.rgb_{name}"].double() for name in ("out", "gt")]
    truth, low = sample.reference, stored["input.I0_low"].double()
    for name, value in [("l1", losses.l1_loss(outputs[-1], truth)), ("ba", losses.boundary_aware_loss(outputs[-1], truth)),
                        ("ba_rgb", losses.boundary_aware_loss(*colour)), ("ms", losses.multi_stage_loss(outputs, truth)),
                        ("ms_bicubic_low", losses.multi_stage_loss([low, outputs[-1]], truth))]:
        assert abs(value.item() - stored[f"loss.{name}"].item()) < 1e-9, name


@pytest.mark.parametrize("name, key, options", [("total_paper", "total_paper_w1_10_1", {"style": "paper"}),
                                                ("total_released_e0", "total_released_e0", {}),
                                                ("total_released_e60", "total_released_e60", {"stages": 61 / 121})])
def test_dagfs_whole_loss_and_its_gradients_equal_the_released_ones(name, key, options):
    stored, outputs, sample = dagf_case()
    loss = losses.dagf_loss(outputs[-1], sample, {"outputs": outputs}, **options)
    assert abs(loss.item() - stored[f"loss.{key}"].item()) < 1e-9
    loss.backward()
    for i, output in enumerate(outputs):
        expected = stored[f"grad.{name}.I{i}"]
        assert (output.grad - expected).abs().max() < 1e-6 * expected.abs().max(), i


def test_the_boundary_loss_has_the_released_gradient():
    stored, outputs, sample = dagf_case()
    losses.boundary_aware_loss(outputs[-1], sample.reference).backward()
    expected = stored["grad.ba.I2"]
    assert (outputs[-1].grad - expected).abs().max() < 1e-6 * expected.abs().max()


def test_one_level_alone_has_no_multi_stage_loss():
    image = torch.rand(1, 1, 8, 8)
    assert losses.multi_stage_loss([image], image + 1) == 0


def test_the_boundary_loss_sees_an_edge_only_where_it_is_neither_upright_nor_level():
    def total(height):                                                             # of a missing upright edge
        restored = torch.zeros(1, 1, height, 9)
        reference = restored.clone()
        reference[..., 4:] = 1
        return (losses.boundary_aware_loss(restored, reference) * restored.numel()).item()
    assert total(9) == total(30) > 0                                               # its two ends, where the image meets zero
    assert losses.sobel(torch.eye(5)[None, None])[0][0, 0, 2].tolist() == [1, 2, 0, -2, -1]


def test_the_loss_of_dagf_trains_every_parameter():
    network = dagf.Network(width=2)
    sample = Sample(target=torch.rand(1, 1, 32, 32), guide=torch.rand(1, 3, 32, 32), reference=torch.rand(1, 1, 32, 32))
    losses.dagf_loss(*_restored(network, sample)).backward()
    assert all(p.grad is not None for p in network.parameters())


def _restored(network, sample):
    restored, inside = network(sample.target, sample.guide, return_intermediates=True)
    return restored, sample, inside


# -------------------------------------------------------------------------------------------------------------- MGDN

def test_the_predecessor_of_the_information_loss_equals_its_released_form():
    stored = reference("mgdn/mi_predecessor")
    module = losses.MutualInformation(channels=3, size=16)
    theirs = {"features.0.0": "layer1", "features.0.2": "layer3", "features.1.0": "layer2", "features.1.2": "layer4",
              "mean.0": "fc1_rgb3", "log.0": "fc2_rgb3", "mean.1": "fc1_depth3", "log.1": "fc2_depth3"}
    kinds = ("weight", "bias")
    module.load_state_dict({f"{mine}.{kind}": stored[f"param.{name}.{kind}"] for mine, name in theirs.items() for kind in kinds})
    maps = [stored[f"input.f{i}"].double().requires_grad_() for i in (1, 2)]
    loss = module.double()(*maps, noise=[stored[f"input.eps{i}"].double() for i in (1, 2)])
    assert abs(loss.item() - stored["output64"].item()) < 1e-9
    loss.backward()
    for i, image in enumerate(maps, 1):
        assert (image.grad - stored[f"grad.f{i}64"]).abs().max() < 1e-9
    assert (module.mean[0].weight.grad - stored["grad.fc1_rgb3.weight64"]).abs().max() < 1e-9


def test_the_predecessor_is_cross_entropy_of_samples_minus_divergence_of_the_codes():
    torch.manual_seed(0)
    module = losses.MutualInformation(channels=2, size=12, latent=3).double()
    maps, noise = images(2, (2, 2, 12, 12)), images(2, (2, 3), seed=1)
    mean, sigma, s = [], [], []
    for i in (0, 1):
        x = module.features[i](maps[i])
        mean.append(torch.tanh(module.mean[i](x))), sigma.append(torch.exp(torch.tanh(module.log[i](x))))
        s.append(1 / (1 + torch.exp(-mean[i] - noise[i] * sigma[i] ** 0.5)))
    expected = 0
    for i, j in ((0, 1), (1, 0)):
        expected -= (s[j] * s[i].log() + (1 - s[j]) * (1 - s[i]).log()).sum()
        expected -= ((sigma[j] / sigma[i]).log() + (sigma[i] ** 2 + (mean[i] - mean[j]) ** 2) / (2 * sigma[j] ** 2) - 0.5).sum() / 2
    assert module(*maps, noise).item() == pytest.approx(expected.item(), rel=1e-12)
    assert module(*maps) != module(*maps)                                          # noise is drawn


def test_normalised_information_is_zero_for_equal_independent_distributions_and_one_for_codes_that_agree():
    same = torch.tensor([[0.1, 0.2, 0.3, 0.4]], dtype=torch.float64)
    assert abs(losses.normalised_information(same, same).item()) < 1e-12           # one image: the joint is the product
    sure = torch.eye(4, dtype=torch.float64) * (1 - 4e-9) + 1e-9                   # four images, each with a code of its own
    assert abs(losses.normalised_information(sure, sure).item() - 1) < 1e-6        # 2 (1 - log 4 / (2 log 4))


def test_the_masked_information_loss_has_the_right_gradient():
    torch.manual_seed(0)
    module = losses.MaskedMutualInformation(channels=2, hidden=2).double()
    maps = [torch.randn(2, 2, 6, 7, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    assert torch.autograd.gradcheck(module, maps)


def test_codes_are_of_four_numbers_unless_asked_otherwise():
    assert [x.out_features for x in losses.MutualInformation(channels=2, size=8).mean] == [4, 4]
    assert [x[-1].out_features for x in losses.MaskedMutualInformation(channels=2).to_vector] == [4, 4]


def test_where_the_mask_is_one_nothing_is_left_to_share():
    module = losses.MaskedMutualInformation(channels=2)
    with torch.no_grad():
        module.mask[-2].weight.zero_(), module.mask[-2].bias.fill_(200)
    maps = torch.randn(2, 3, 2, 9, 9)
    assert torch.equal(module(*maps), module(*(5 * maps)))


@pytest.mark.parametrize("inputs", [2, 3])
def test_the_loss_of_mgdn_is_the_printed_sum(inputs):
    torch.manual_seed(0)
    options = {"width": 12, "depths": (1, 1), "heads": (2, 2)}
    network = mgdn.Network(**options) if inputs == 2 else mgdn.Network(**options, channels=(6, 6, 6), main=1)
    images = [torch.rand(2, network.channels[0], 8, 8) for _ in range(inputs)]
    restored, inside = network(*images, return_intermediates=True)
    sample = Sample(target=images[0], guide=images[1], reference=torch.rand(2, 3, 8, 8))
    loss = losses.MGDNLoss(channels=12, layers=2, inputs=inputs, weight=0.5)
    actual, C = loss(restored, sample, inside), {i: inside[f"C{i}"] for i in range(1, inputs + 1)}
    pairs = [(1, 2)] if inputs == 2 else [(2, 1), (2, 3)]
    information = sum(loss.information[n](C[a][n], C[b][n]) for n in range(2) for a, b in pairs)
    x, y = restored, sample.reference
    if inputs == 3:
        x, y = (torch.log(1 + 5000 * image) / torch.log(torch.tensor(5001.0)) for image in (x, y))
    assert torch.allclose(actual, (x - y).abs().mean() + 0.5 * information)
    actual.backward()
    assert all(p.grad is not None for p in [*network.parameters(), *loss.parameters()])


def test_the_mu_law_keeps_the_ends():
    assert torch.allclose(losses.mu_law(torch.tensor([0.0, 1.0])), torch.tensor([0.0, 1.0]))


# --------------------------------------------------------------------------------------------------------------- GDD

@pytest.fixture(scope="module")
def gdd_case():
    return {name: x.double() for name, x in load_file(Path(__file__).parent / "golden/gdd_losses.safetensors").items()}


def test_gdds_losses_and_their_gradients_are_the_released_ones(gdd_case):
    t = gdd_case
    X = t["hs.input.X"].requires_grad_()
    loss = losses.hyperspectral_loss(X, t["hs.input.Y"], t["hs.input.G"], t["hs.input.R"])
    assert loss.item() == pytest.approx(t["hs.loss.total_mu0.1"].item(), rel=1e-12)
    assert difference(losses.block_mean(X, 32, (2, 2)), t["hs.SX"]) < 1e-6

    X, D = t["pan.input.X"].requires_grad_(), t["pan.input.D"].requires_grad_()
    loss = losses.pansharpening_loss(X, torch.einsum("nbhw,bc->nchw", X, D), t["pan.input.Y"], t["pan.input.G"])
    assert loss.item() == pytest.approx(t["pan.loss.total_mu10"].item(), rel=1e-12)
    for gradient, name in zip(torch.autograd.grad(loss, (X, D)), ("pan.grad.X", "pan.grad.D"), strict=True):
        assert difference(gradient, t[name]) < 1e-6, name

    X = t["den.input.X"].requires_grad_()
    loss = losses.denoising_loss(X, t["den.input.Y"])
    assert loss.item() == pytest.approx(t["den.loss"].item(), rel=1e-12)
    assert difference(torch.autograd.grad(loss, X)[0], t["den.grad.X"]) < 1e-6


def test_gdds_hyperspectral_gradient_is_the_released_one():
    t = {name: x.double() for name, x in reference("gdd/losses").items()}
    X = t["hs.input.X"].requires_grad_()
    loss = losses.hyperspectral_loss(X, t["hs.input.Y"], t["hs.input.G"], t["hs.input.R"])
    assert difference(torch.autograd.grad(loss, X)[0], t["hs.grad.X"]) < 1e-6


def test_gdds_printed_loss_takes_absolute_gradients_of_weighted_bands(gdd_case):
    t = gdd_case
    pan = t["pan.input.X"] * t["pan.input.D"].diag().view(1, -1, 1, 1)
    loss = losses.pansharpening_loss(t["pan.input.X"], pan, t["pan.input.Y"], t["pan.input.G"], mu=0, style="paper")
    assert loss.item() == pytest.approx(t["pan.loss.grad_l1_diag_paper"].item(), rel=1e-12)


def test_bicubic_reduction_is_the_released_matrix_and_keeps_brightness(gdd_case):
    X = torch.rand(1, 2, 24, 32, dtype=torch.float64)
    rows, columns = gdd_case["pan.S_matrix_24to6"], gdd_case["pan.S_matrix_32to8"]
    assert (losses.bicubic(X, 4, (6, 8)) - rows @ X @ columns.T).abs().max() < 1e-6
    assert (losses.bicubic(torch.ones(1, 1, 9, 22), 4, (3, 5)) - 1).abs().max() < 1e-6


def test_gdds_operators_have_the_right_gradients():
    X = torch.rand(1, 2, 9, 8, dtype=torch.float64, requires_grad=True)
    for operator, size in ((losses.bicubic, (3, 2)), (losses.block_mean, (3, 2)), (losses.block_mean, (2, 2))):
        assert torch.autograd.gradcheck(partial(operator, scale=4, size=size), X)


# --------------------------------------------------------------------------------------------- what is asked of the user

def test_what_no_loss_can_compare_is_refused_in_one_sentence():
    x, y = images(2)
    sample, bare = Sample(x, x, reference=y), Sample(x, x)
    mgdn_loss = losses.MGDNLoss(channels=2, layers=1)
    for call, said in [
        (lambda: losses.l1_loss(x, y[:, :1]), r"l1_loss: reference is \(2, 1, 6, 5\), but restored is \(2, 3, 6, 5\); both need the same"),
        (lambda: losses.mse_loss(x[0], y[0]), r"mse_loss: restored is \(3, 6, 5\) of torch.float64; give a tensor \(N, C, H, W\)"),
        (lambda: losses.charbonnier_loss(x, y.long()), r"charbonnier_loss: reference is .* of torch.int64; give a tensor"),
        (lambda: losses.ssim(x, y.numpy()), "ssim: reference is ndarray; give a tensor"),
        (lambda: losses.boundary_aware_loss(x, y[..., 1:]), "boundary_aware_loss: reference is .*, but restored is"),
        (lambda: losses.multifocus_loss(x, Sample(x, x[..., 1:])), "multifocus_loss: guide is .*, but restored is"),
        (lambda: losses.multifocus_loss(x, Sample(x[..., 1:], x)), "multifocus_loss: target is .*, but restored is"),
        (lambda: losses.multifocus_loss(x, bare, style="printed"), "multifocus_loss: style is 'printed'; choose released or paper"),
        (lambda: losses.dagf_loss(x, sample, {"outputs": [x]}, style="other"), "dagf_loss: style is 'other'"),
        (lambda: losses.supervised(losses.l1_loss)(x, bare), "l1_loss: the sample holds no reference; give Sample"),
        (lambda: losses.mono_raw_loss(x, bare, {"mono": x}), "mono_raw_loss: the sample holds no reference"),
        (lambda: losses.mono_raw_loss(x, sample, {}), "mono_raw_loss: the intermediates hold no 'mono'; take them from"),
        (lambda: losses.dagf_loss(x, bare, {"outputs": [x]}), "dagf_loss: the sample holds no reference"),
        (lambda: losses.dagf_loss(x, sample, None), "dagf_loss: the intermediates hold no 'outputs'"),
        (lambda: mgdn_loss(x, bare, {"C1": [x[:, :2].float()], "C2": [x[:, :2].float()]}), "MGDNLoss: the sample holds no reference"),
        (lambda: mgdn_loss(x, sample, {"C1": []}), "MGDNLoss: the intermediates hold no 'C2'"),
    ]:
        with pytest.raises(GirlibError, match=said):
            call()


def test_cross_entropy_counts_known_pixels_alone_and_moves_no_maximum():
    generator = torch.Generator().manual_seed(0)
    restored = torch.rand(2, 3, 4, 5, generator=generator, dtype=torch.float64)
    labels = torch.randint(3, (2, 1, 4, 5), generator=generator)
    labels[0, 0, 0] = 255
    terms = [-torch.log(torch.exp(10 * restored[n, k, y, x]) / torch.exp(10 * restored[n, :, y, x]).sum())
             for n in range(2) for y in range(4) for x in range(5) if (k := labels[n, 0, y, x].item()) != 255]
    sample = Sample(restored, restored[:, :1], labels)
    assert torch.isclose(losses.cross_entropy_loss(restored, sample), sum(terms) / len(terms))
    assert losses.cross_entropy_loss(restored, Sample(restored, restored[:, :1], torch.full_like(labels, 255))) == 0
    with pytest.raises(GirlibError, match="one class a pixel"):
        losses.cross_entropy_loss(restored, Sample(restored, restored[:, :1], labels.float()))


def test_dagf_loss_folds_colours_back():
    reference, guide = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    outputs = [torch.rand(6, 1, 8, 8) for _ in range(2)]
    folded = losses.dagf_loss(outputs[-1].view(2, 3, 8, 8), Sample(guide, guide, reference), {"outputs": outputs}, boundary=0)
    apart = [(output.view(2, 3, 8, 8) - reference).abs().mean() for output in outputs]
    assert torch.isclose(folded, apart[0] + apart[1])
