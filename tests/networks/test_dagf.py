"""DAGF equals the released network, holds its parameters, takes any size, and combines kernels as Table VII says."""

from fnmatch import fnmatch

import pytest
import torch
import torch.nn.functional as F
from golden import difference, own, part, reference

from girlib.errors import GirlibError
from girlib.layers import dynamic_filter
from girlib.networks import dagf
from girlib.networks.weights import load_weights
from girlib.samples import Sample

VECTORS = {
    "dagf_m1_k7": dict(width=4, levels=1, kernel_size=7),
    "dagf_m2_k5_x8": dict(width=4, levels=2, kernel_size=5),
    "dagf_m3_k3_eval": dict(width=8),
    "dagf_m3_k3_target3": dict(width=4, channels=3),
    "dagf_m3_k3_train": dict(width=4),
    "dagf_m4_k1_grayguide": dict(width=4, levels=4, kernel_size=1, guide_channels=1),
}
NAMES = {"I_t_resized": "I_t", "filtered": "F", "I_out": "outputs"}               # intermediates: stored -> ours


def network_of(stored, name):
    network = dagf.Network(**VECTORS[name])
    state = {f"module.{key}": x for key, x in part(stored, "param").items()}      # as the authors save it
    return load_weights(network, state, dagf, name).train(name.endswith("train"))


def inputs_of(stored):
    return [stored[f"input.{name}"] for name in ("lr_up", "guide", "lr")]


def is_ignored(name):
    return any(fnmatch(name, pattern) for pattern in dagf.IGNORED)


def check_vector(stored, name):
    restored, inside = network_of(stored, name)(*inputs_of(stored), return_intermediates=True)
    assert difference(restored, stored["output"]) < 1e-5
    assert restored is inside["outputs"][-1]
    for key, expected in part(stored, "mid").items():
        level, key = key.split(".")
        actual = inside[NAMES.get(key, key)][int(level)]                          # W is constant for k = 1: compared with its size
        assert actual.shape == expected.shape and (actual - expected).abs().max() < 1e-5 * expected.abs().max(), (level, key)
    doubled = network_of(stored, name).double()(*(x.double() for x in inputs_of(stored)))
    assert difference(doubled, stored["output64"]) < 1e-9


@pytest.mark.parametrize("name", ["dagf_m1_k7", "dagf_m2_k5_x8"])
@torch.no_grad()
def test_it_reproduces_the_stored_outputs_and_intermediates(name):
    check_vector(own(name), name)


@pytest.mark.parametrize("name", VECTORS)
@torch.no_grad()
def test_it_reproduces_every_reference_vector(name):
    check_vector(reference(f"dagf/{name}"), name)


def test_it_reproduces_the_released_gradients():
    stored = reference("dagf/dagf_m3_k3_train")
    network = network_of(stored, "dagf_m3_k3_train").double()
    inputs = dict(zip(("lr_up", "guide", "lr"), (x.double().requires_grad_() for x in inputs_of(stored)), strict=True))
    _, inside = network(*inputs.values(), return_intermediates=True)
    loss = sum((output - stored["input.target"]).abs().mean() for output in inside["outputs"])
    assert abs(loss.item() - stored["loss64"].item()) < 1e-9
    loss.backward()
    for name, expected in part(stored, "grad.input").items():
        assert difference(inputs[name].grad.float(), expected) < 1e-4, name
    expected = dagf.rename({name: x for name, x in part(stored, "grad.param").items() if not is_ignored(name)})
    parameters = dict(network.named_parameters())
    assert expected.keys() == parameters.keys()                                   # every parameter is used
    for name, gradient in expected.items():
        error = (parameters[name].grad.float() - gradient).abs().max()
        assert error <= 1e-4 * gradient.abs().max(), name


@pytest.mark.parametrize("levels, counts", [(1, (797_473, 798_001, 799_057, 800_641)),
                                            (2, (1_618_048, 1_619_104, 1_621_216, 1_624_384)),
                                            (3, (2_438_623, 2_440_207, 2_443_375, 2_448_127)),
                                            (4, (3_259_198, 3_261_310, 3_265_534, 3_271_870))])
def test_it_holds_the_released_parameters_but_the_unused_ones(levels, counts):
    tail, first_sum, entry = 9_248 + 1 + 289 + 1 + 1, 9_248 + 1 + 1, 320 + 1 + 9_248            # with res_scale of the tail and of level 0
    for kernel_size, count in zip((1, 3, 5, 7), counts, strict=True):
        network = dagf.Network(levels=levels, kernel_size=kernel_size)
        assert sum(p.numel() for p in network.parameters()) == count - tail - first_sum - levels * entry


def test_a_file_of_another_network_is_refused():
    stored = own("dagf_m2_k5_x8")
    state = part(stored, "param")
    state["surplus"] = state.pop("up_sample.1.aff_scale_const")
    with pytest.raises(GirlibError, match="only there: surplus; only here: levels.1.kernels.c"):
        load_weights(dagf.Network(**VECTORS["dagf_m2_k5_x8"]), state, dagf, "file")


def test_the_ignored_names_are_the_unused_ones_and_no_others():
    stored = own("dagf_m2_k5_x8")
    ignored = sum(x.numel() for name, x in part(stored, "param").items() if is_ignored(name))
    conv, out, entry = 4 * 4 * 9 + 4, 4 * 9 + 1, 1 * 4 * 9 + 4
    assert ignored == (conv + 1 + out + 1 + 1) + (conv + 1 + 1) + 2 * (entry + 1 + conv)


@pytest.mark.parametrize("size, low", [((8, 8), (2, 2)), ((9, 13), (3, 4)), ((21, 50), (3, 7)), ((16, 17), None), ((24, 24), (1, 1))])
@torch.no_grad()
def test_it_takes_any_size(size, low):
    network = dagf.Network(width=2)
    lr = None if low is None else torch.rand(2, 1, *low)
    restored, inside = network(torch.rand(2, 1, *size), torch.rand(2, 3, *size), lr, return_intermediates=True)
    assert restored.isfinite().all()
    assert all(output.shape == (2, 1, *size) for output in inside["outputs"])


@torch.no_grad()
def test_other_sizes_equal_the_released_network_on_a_continued_image():
    stored = own("dagf_m2_k5_x8")
    network = network_of(stored, "dagf_m2_k5_x8")
    target, guide, lr = torch.rand(1, 1, 20, 28), torch.rand(1, 3, 20, 28), torch.rand(1, 1, 5, 7)
    continued = [F.pad(target, (0, 4, 0, 4), mode="replicate"), F.pad(guide, (0, 4, 0, 4), mode="replicate"),
                 F.pad(lr, (0, 1, 0, 1), mode="replicate")]
    assert torch.equal(network(target, guide, lr), network(*continued)[..., :20, :28])


@pytest.mark.parametrize("low", [(3, 5), (6, 10), (8, 13), (24, 40)])
def test_lr_is_resized_like_torch_does_where_the_size_fits(low):
    lr = torch.rand(1, 1, *low)
    for step in (2, 4, 8):
        expected = F.interpolate(lr, size=(24 // step, 40 // step), mode="nearest")
        assert torch.equal(dagf.nearest(lr, (24, 40), (24, 40), step), expected)


def test_batch_statistics_are_almost_those_of_the_last_batch():
    norm = dagf.AdaptiveNorm(2)
    x = torch.randn(4, 2, 3, 3) + 5
    norm(x)
    assert torch.allclose(norm.bn.running_mean, 0.999 * x.mean(dim=(0, 2, 3)), atol=1e-5)


def test_without_lr_the_target_itself_is_filtered():
    network, target, guide = dagf.Network(width=2).eval(), torch.rand(1, 1, 16, 16), torch.rand(1, 3, 16, 16)
    assert torch.equal(network(target, guide), network(target, guide, target))


def test_filtering_equals_the_released_dilated_filter_on_the_enlarged_features():
    features, kernels = torch.randn(2, 3, 5, 4, dtype=torch.float64), torch.randn(2, 9, 10, 8, dtype=torch.float64)
    enlarged = F.interpolate(features, scale_factor=2)
    windows = F.unfold(enlarged, 3, dilation=2, padding=2).view(2, 3, 9, 10, 8)
    assert torch.allclose(dynamic_filter(features, kernels), (windows * kernels[:, None]).sum(dim=2), rtol=0, atol=1e-13)


def test_the_filter_has_the_right_gradient():
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in [(1, 2, 2, 3), (1, 9, 2, 3)]]
    assert torch.autograd.gradcheck(dynamic_filter, inputs)


@pytest.mark.parametrize("model, combined", [(1, lambda x: x["W_t"]), (2, lambda x: x["W_g"]), (3, lambda x: x["W_t"] * x["W_g"]),
                                             (4, lambda x: x["W_t"] + x["W_g"]),
                                             (7, lambda x: x["A"] * x["W_t"] + (1 - x["A"]) * x["W_g"])])
@torch.no_grad()
def test_the_models_of_table_vii_combine_their_kernels(model, combined):
    torch.manual_seed(model)
    network = dagf.Network(width=4, **dagf.TABLE_VII[model][0])
    for level, c in zip(network.levels, (0.05, 5, 5), strict=True):
        level.kernels.c.fill_(c)                                                  # sums above 1 on level 0 alone, which divides them
    _, inside = network.eval()(torch.rand(1, 1, 16, 16), torch.rand(1, 3, 16, 16), return_intermediates=True)
    for level, c in enumerate((0.05, 5, 5)):
        found = {name: inside[name][level] for name in ("W_t", "W_g", "A") if name in inside}
        W = torch.tanh(combined(found)) / c
        expected = W / (W.abs().sum(1, keepdim=True) + 1e-4).clamp(min=1)
        assert torch.allclose(inside["W"][level], expected, atol=1e-6)
        assert ((W.abs().sum(1) > 1) == (level == 0)).all()
        assert all(torch.allclose(found[name].sum(1), torch.ones(())) for name in found if name != "A")


@torch.no_grad()
def test_models_1_and_2_read_kernels_from_one_image_alone():
    target, guide, lr = torch.rand(1, 1, 16, 16), torch.rand(1, 3, 16, 16), torch.rand(1, 1, 4, 4)
    first, second = (dagf.Network(width=4, fusion=fusion) for fusion in ("target", "guide"))
    assert torch.equal(first(target, guide, lr), first(target, 1 - guide, lr))
    kernels = [second(image, guide, lr, return_intermediates=True)[1]["W"] for image in (target, 1 - target)]
    assert all(torch.equal(a, b) for a, b in zip(*kernels, strict=True))


@pytest.mark.parametrize("model, blocks", [(1, 41), (2, 41), (3, 40), (4, 40)])
def test_more_residual_blocks_give_every_model_the_parameters_of_the_full_one(model, blocks):
    full, ablated = (sum(p.numel() for p in network.parameters())
                     for network in (dagf.Network(), dagf.Network(residual_blocks=blocks, **dagf.TABLE_VII[model][0])))
    assert abs(ablated / full - 1) < 0.006


@torch.no_grad()
def test_the_papers_style_is_what_the_paper_prints():
    torch.manual_seed(0)
    network = dagf.Network(width=4, levels=2, style="paper").eval()
    network.levels[1].lam.fill_(0.7)
    target, guide = torch.rand(1, 1, 16, 24), torch.rand(1, 3, 16, 24)
    restored, inside = network(target, guide, return_intermediates=True)
    F_previous = F_hat = None
    for i, level in enumerate(network.levels):
        W_t, W_g, A, W = (inside[name][i] for name in ("W_t", "W_g", "A", "W"))
        assert 0 < A.min() < A.max() < 1
        assert torch.allclose(W, A * W_g + (1 - A) * W_t)                             # Eq. (14)
        assert torch.equal(W_g, level.kernels.guide_kernel(inside["F_g"][i]))         # Eq. (12), nothing normalised
        I_t = F.interpolate(target, (8 * 2**i, 12 * 2**i), mode="bicubic", align_corners=False)
        features = level.features(I_t)
        if i:
            features = torch.cat([features, F_previous.repeat_interleave(2, 2).repeat_interleave(2, 3)], dim=1)
        windows = F.unfold(features, 3, padding=1).view(1, features.shape[1], 9, *features.shape[2:])
        F_previous = level.blocks(level.merge((windows * W[:, None]).sum(2)))         # Eqs. (16)-(18)
        above = 0.7 * F_hat.repeat_interleave(2, 2).repeat_interleave(2, 3) if i else 0
        F_hat = level.own(F_previous) + above                                         # Eqs. (19)-(20)
        assert torch.allclose(inside["outputs"][i], level.residual.conv(F_hat) + I_t, atol=1e-5)      # Eq. (21)
    assert restored is inside["outputs"][1]
    assert [len(level.blocks) for level in network.levels] == [3, 3]


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (21, 50)])
def test_the_papers_style_takes_any_size_and_uses_every_parameter(size):
    network = dagf.Network(width=2, style="paper")
    restored, inside = network(torch.rand(2, 1, *size), torch.rand(2, 3, *size), return_intermediates=True)
    assert [tuple(x.shape[2:]) for x in inside["outputs"]] == [tuple(-(-n // s) for n in size) for s in (4, 2, 1)]
    sum(output.square().mean() for output in inside["outputs"]).backward()
    assert all(p.grad is not None for p in network.parameters())


def test_a_fresh_network_passes_less_than_a_quarter_of_a_constant():
    torch.manual_seed(0)
    _, inside = dagf.Network().eval()(torch.rand(1, 1, 16, 16), torch.rand(1, 3, 16, 16), return_intermediates=True)
    assert all(0.22 < W.sum(1).mean() < 0.2215 for W in inside["W"])              # 9 tanh(1/9) / 4.5 = 0.2213


def test_the_last_output_trains_all_but_the_other_outputs():
    network = dagf.Network(width=2)
    network(torch.rand(2, 1, 16, 16), torch.rand(2, 3, 16, 16)).sum().backward()
    untouched = {name for name, p in network.named_parameters() if p.grad is None}
    assert untouched == {f"levels.{i}.residual.{p}" for i in (0, 1) for p in ("conv.weight", "conv.bias", "act.weight")}


def test_prepare_scales_by_the_reference_and_finish_scales_back():
    network = dagf.Network(width=2)
    reference = torch.stack([torch.linspace(1, 5, 64), torch.linspace(2, 4, 64)]).view(2, 1, 8, 8)
    sample = Sample(target=reference + 1, guide=torch.rand(2, 3, 8, 8), reference=reference, low=reference[..., ::2, ::2], unit="m")
    target, guide, lr = network.prepare(sample)
    expected = torch.stack([(reference[0] + 1 - 1) / 4, (reference[1] + 1 - 2) / 2])
    assert torch.allclose(target, expected) and torch.equal(guide, sample.guide)
    assert torch.allclose(lr, (reference[..., ::2, ::2] - torch.tensor([1, 2]).view(2, 1, 1, 1)) / torch.tensor([4, 2]).view(2, 1, 1, 1))
    assert torch.allclose(network.finish(target, sample), sample.target, atol=1e-6)


def test_a_target_of_three_channels_is_restored_channel_by_channel():
    network = dagf.Network(width=2).eval()
    sample = Sample(target=torch.rand(2, 3, 16, 16), guide=torch.rand(2, 1, 16, 16))
    restored = network.finish(network(*network.prepare(sample)), sample)
    alone = network(sample.target[1:, 2:], sample.guide[1:].repeat(1, 3, 1, 1))
    assert restored.shape == (2, 3, 16, 16)
    assert torch.allclose(restored[1:, 2:], alone, atol=1e-6)


def test_a_grey_guide_is_made_of_a_colour_one():
    guide = torch.rand(1, 3, 8, 8)
    _, grey, _ = dagf.Network(width=2, guide_channels=1).prepare(Sample(target=torch.rand(1, 1, 8, 8), guide=guide))
    assert torch.allclose(grey, 0.2989 * guide[:, :1] + 0.587 * guide[:, 1:2] + 0.114 * guide[:, 2:])


def test_mistakes_are_named():
    network, target, guide = dagf.Network(width=2), torch.rand(1, 1, 16, 16), torch.rand(1, 3, 16, 16)
    for arguments, said in [((target, guide[:, :1]), "guide has 1 channels"), ((target[:, :0], guide), "target has 0 channels"),
                            ((target, guide[..., 1:]), "guide is 16x15, but target is 16x16"),
                            ((target, guide, guide), "lr has 3 channels")]:
        with pytest.raises(GirlibError, match=said):
            network(*arguments)
    for options, said in [({"kernel_size": 4}, "kernel_size 4"), ({"width": 3}, "width is 3"), ({"levels": 0}, "levels is 0"),
                          ({"fusion": "sum"}, "fusion is 'sum'"), ({"style": "mine"}, "style is 'mine'")]:
        with pytest.raises(GirlibError, match=said):
            dagf.Network(**options)
