"""Losses equal the released ones where there are released ones, have the right gradients, and mean what they say."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from girlib import losses
from girlib.networks import dagf, mgdn
from girlib.samples import Sample


def reference(name):
    if "GIRLIB_REFERENCE" not in os.environ:
        pytest.skip(f"GIRLIB_REFERENCE is not set, so golden/{name}.safetensors can't be read.")
    return load_file(Path(os.environ["GIRLIB_REFERENCE"]) / "golden" / f"{name}.safetensors")


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
