"""MGDN equals the released network in all its forms, holds its parameters, takes any size, and its ablations do what they say."""

import pytest
import torch
import torch.nn.functional as F
from golden import difference, own, part, reference, released

from girlib.errors import GirlibError
from girlib.layers import dynamic_filter
from girlib.networks import mgdn
from girlib.networks.weights import load_weights
from girlib.samples import Sample

PAIR, DEPTH, HDR = ("a", "b"), ("depth", "rgb"), ("under", "ref", "over")           # stored inputs in the order of forward
DEPTH_OPTIONS = {"channels": (3, 1), "main": 1, "output_channels": 1}
MFF = {"width": 12, "depths": (2, 2), "heads": (3, 3)}
VECTORS = {
    "mff_c12_13x18": (PAIR, MFF),
    "mff_c12_37x45_outonly": (PAIR, MFF),
    "mff_c12_batch2_16x16_outonly": (PAIR, MFF),
    "mef_c12_w8_15x19": (PAIR, {"width": 12, "depths": (2,), "heads": (2,), "window_size": 8}),
    "gdsr_c12_13x18": (DEPTH, {"width": 12, "depths": (1, 1), "heads": (6, 6), "mlp_ratio": 4, **DEPTH_OPTIONS}),
    "hdr_c60_11x14": (HDR, {"width": 60, "depths": (1,), "heads": (6,), "window_size": 8, "channels": (6, 6, 6), "main": 1}),
}
NAMES = {"mgdf_in": "F", "mgca": "G", "kernel": "KV", "mgdf_out": "C"}              # intermediates: stored -> ours


def small(task, **options):
    """The variant of a task, made narrow."""
    layers = len(mgdn.TASKS[task]["depths"])
    return mgdn.Network(**{**mgdn.TASKS[task], "width": 12, "depths": (2,) * layers, "heads": (2,) * layers, **options})


def network_of(params, name):
    network = mgdn.Network(**VECTORS[name][1])
    state = {f"module.{key}": x.float() for key, x in params.items()}
    return load_weights(network, state, mgdn, name).eval()


def watch(network):
    """What modules inside the network return, by the names of the stored intermediates."""
    seen = {}

    def keep(name, module, reshape=lambda x: x):
        module.register_forward_hook(lambda *call: seen.update({name: reshape(call[-1])}))

    for n, layer in enumerate(network.layers):
        keep(f"L{n}.pff_in", layer.pff.merge)
        for i, one in enumerate(layer.pff.out, 1):
            keep(f"L{n}.out{i}", one)
        for i, one in zip((1, len(layer.pff.out)), layer.mgdf.filters, strict=True):
            one.mix.register_forward_pre_hook(lambda _, given, name=f"L{n}.filtered{i}": seen.update({name: given[0]}))
        for i, block in enumerate(layer.pff.blocks):
            keep(f"L{n}.blk{i}.out", block, lambda x: x.permute(0, 3, 1, 2))
            keep(f"L{n}.blk{i}.lce", block.local)
            keep(f"L{n}.blk{i}.attn_windows", block.attention, lambda x: x.flatten(0, 1))
    keep("after_body", network.body)
    keep("pre_sigmoid", network.last[0])
    return seen


def check_vector(stored, params, name):
    network = network_of(params, name)
    inputs, seen = [stored[f"input.{key}"] for key in VECTORS[name][0]], watch(network)
    restored, inside = network(*inputs, return_intermediates=True)
    assert difference(restored, stored["output"]) < 1e-5
    for theirs, ours in [(f"{theirs}{i}", f"{ours}{i}") for theirs, ours in NAMES.items() for i in (1, 2, 3)] + [("pff_out", "M")]:
        seen |= {f"L{n}.{theirs}": x for n, x in enumerate(inside.get(ours, ()))}
    for key, expected in part(stored, "mid").items():
        assert difference(seen[key], expected) < 1e-5, key
    assert difference(network.double()(*(x.double() for x in inputs)), stored["output64"]) < 1e-9


@pytest.mark.parametrize("file, name", [("mgdn_pair", "mef_c12_w8_15x19"), ("mgdn_depth", "gdsr_c12_13x18")])
@torch.no_grad()
def test_it_reproduces_the_stored_outputs_and_intermediates(file, name):
    stored = own(file)
    check_vector(stored, part(stored, "param"), name)


@torch.no_grad()
def test_it_reproduces_our_vector_with_three_inputs():
    stored = own("mgdn_hdr")
    network = mgdn.Network(width=12, depths=(2,), heads=(2,), channels=(6, 6, 6), main=1).eval()
    network.load_state_dict(part(stored, "param"))
    inputs = [stored[f"input.{name}"] for name in ("under", "middle", "over")]
    assert difference(network(*inputs), stored["output"]) < 1e-5
    assert difference(network.double()(*(x.double() for x in inputs)), stored["output64"]) < 1e-9


@pytest.mark.parametrize("name", VECTORS)
@torch.no_grad()
def test_it_reproduces_every_reference_vector(name):
    stored = reference(f"mgdn/{name}")
    check_vector(stored, part(reference("mgdn/mff_c12_13x18") if "outonly" in name else stored, "param"), name)


@torch.no_grad()
def test_released_weights_reproduce_the_released_network():
    stored = reference("mgdn/released_MFF_62000_E_lytro01_y200x180_48x61")
    network = mgdn.Network(**mgdn.TASKS["multifocus"]).eval()
    load_weights(network, released(mgdn.RELEASED["multifocus", None]), mgdn, "62000_E.pth")
    inputs = [stored[f"input.{name}_u8"].float() / 255 for name in "ab"]
    assert difference(network(*inputs), stored["output"]) < 1e-5
    assert difference(network.double()(*(x.double() for x in inputs)), stored["output64"]) < 1e-9


@pytest.mark.parametrize("task, scale, released_count, unused", [("multifocus", None, 182_755, 3_780),
                                                                 ("multiexposure", None, 908_311, 14_760),
                                                                 ("depth", 8, 297_892, 5_610), ("depth", 16, 1_149_394, 22_020),
                                                                 ("hdr", None, 1_826_685, 240)])
def test_it_holds_the_released_parameters_but_the_unused_ones(task, scale, released_count, unused):
    file = mgdn.RELEASED[task, scale]
    network = mgdn.Network(**{**mgdn.TASKS[task], **(file[1] if isinstance(file, tuple) else {})})
    assert sum(p.numel() for p in network.parameters()) == released_count - unused


def test_a_file_of_another_variant_is_refused():
    state = part(own("mgdn_pair"), "param")
    with pytest.raises(GirlibError, match="only here: layers.1.mgdf"):
        load_weights(mgdn.Network(**{**MFF, "window_size": 8}), state, mgdn, "file")


@pytest.mark.parametrize("task", mgdn.TASKS)
@pytest.mark.parametrize("size", [(8, 8), (9, 13), (3, 20)])
@torch.no_grad()
def test_it_takes_any_size(task, size):
    network = small(task).eval()
    channels = (network.channels[network.main], *network.channels[:1]) if len(network.channels) == 2 else network.channels
    restored, inside = network(*(torch.rand(2, n, *size) for n in channels), return_intermediates=True)
    assert restored.shape == (2, 1 if task == "depth" else 3, *size)
    assert restored.isfinite().all()
    for i in range(1, len(network.channels) + 1):
        assert len(inside[f"C{i}"]) == len(network.layers)


@torch.no_grad()
def test_other_sizes_equal_the_network_on_the_mirrored_image():
    network = small("multifocus").eval()
    a, b = torch.rand(2, 1, 3, 9, 14)
    mirrored = [F.pad(x, (0, 2, 0, 3), mode="reflect") for x in (a, b)]
    assert torch.equal(network(a, b), network(*mirrored)[..., :9, :14])


def test_every_parameter_learns():
    for task in mgdn.TASKS:
        network = small(task)
        channels = network.channels if task != "depth" else (1, 3)
        network(*(torch.rand(2, n, 8, 8) for n in channels)).square().mean().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_filtering_equals_unfolding_on_a_repeated_border():
    features, kernels = torch.randn(2, 3, 5, 4, dtype=torch.float64), torch.randn(2, 49, 5, 4, dtype=torch.float64)
    windows = F.unfold(F.pad(features, (3, 3, 3, 3), mode="replicate"), 7).view(2, 3, 49, 5, 4)
    expected = (windows * kernels[:, None]).sum(dim=2)
    assert torch.allclose(dynamic_filter(features, kernels, padding="replicate"), expected, rtol=0, atol=1e-13)


def test_the_mask_separates_what_the_shift_brought_together():
    block = mgdn.FusionBlock(12, 2, 4, 2, 2, 0.0)
    mask, w, s = block.mask(8, 12, torch.zeros(1)), 4, 2
    for window, region in enumerate((i, j) for i in range(2) for j in range(3)):
        places = [((region[0] * w + k // w + s), (region[1] * w + k % w + s)) for k in range(w * w)]       # before the shift
        for a, (y, x) in enumerate(places):
            for b, (v, u) in enumerate(places):
                together = (y < 8) == (v < 8) and (x < 12) == (u < 12)
                assert mask[window, a, b] == (0 if together else -100)
    assert (mgdn.FusionBlock(12, 2, 4, 0, 2, 0.0).mask(8, 12, torch.zeros(1)) == 0).all()


@torch.no_grad()
def test_stochastic_depth_leaves_out_whole_branches_and_keeps_the_mean():
    torch.manual_seed(0)
    block = mgdn.FusionBlock(12, 2, 4, 0, 2, drop=0.25)
    kept = block.sometimes(torch.ones(4000, 2, 2, 1)).flatten(1)
    assert ((kept == 0).all(1) | torch.isclose(kept, torch.tensor(4 / 3)).all(1)).all()
    assert abs(kept.mean() - 1) < 0.05                                                # 4000 draws: standard error 0.009
    assert (block.eval().sometimes(torch.ones(9, 1, 1, 1)) == 1).all()


def test_every_other_block_shifts_its_windows_by_half():
    blocks = mgdn.Network(**mgdn.TASKS["multiexposure"]).layers[1].pff.blocks
    assert [block.shift for block in blocks] == [0, 4] * 3


def test_linear_layers_and_biases_of_the_windows_start_small():
    torch.manual_seed(0)
    block = small("multifocus", width=48).layers[0].pff.blocks[0]
    for weight in (block.attention.qkv.weight, block.attention.bias, block.mlp[0].weight):
        assert 0.015 < weight.std() < 0.025                                           # 0.02; the fewest numbers: 98, spread 7 %
    assert (block.attention.qkv.bias == 0).all()


def test_stochastic_depth_grows_from_0_to_a_tenth_through_the_network():
    drops = [block.drop for layer in small("multifocus").layers for block in layer.pff.blocks]
    assert drops == pytest.approx([0, 1 / 30, 2 / 30, 0.1])


@torch.no_grad()
def test_the_kernel_of_one_input_knows_the_other_unless_each_guides_itself():
    torch.manual_seed(0)
    a, b, other = torch.rand(3, 1, 3, 8, 8)
    for guidance, same in (("mutual", False), ("self", True)):
        network = small("multifocus", guidance=guidance).eval()
        kernels = [network(a, x, return_intermediates=True)[1]["KV1"][0] for x in (b, other)]
        assert torch.equal(*kernels) == same


@torch.no_grad()
def test_with_three_inputs_the_middle_one_guides():
    torch.manual_seed(0)
    under, middle, over, other = torch.rand(4, 1, 6, 8, 8)
    network = small("hdr").eval()
    first = network(under, middle, over, return_intermediates=True)[1]
    for images, changed in [((under, other, over), {"KV1", "KV3", "C2"}), ((other, middle, over), {"KV1"}),
                            ((under, middle, other), {"KV3"})]:
        second = network(*images, return_intermediates=True)[1]
        assert {name for name in ("KV1", "KV3", "C2") if not torch.equal(first[name][0], second[name][0])} == changed


@torch.no_grad()
def test_the_static_ablation_filters_all_pixels_alike_with_the_same_parameters():
    dynamic, static = small("multifocus"), small("multifocus", filtering="static")
    static.load_state_dict(dynamic.state_dict())
    inputs = torch.rand(2, 1, 3, 8, 8)
    kernels = [network.eval()(*inputs, return_intermediates=True)[1]["KV1"][0] for network in (dynamic, static)]
    assert torch.allclose(kernels[1], kernels[0].mean(dim=(2, 3), keepdim=True).expand_as(kernels[0]), atol=1e-6)


def test_depth_is_scaled_by_the_reference_and_the_guide_by_imagenet():
    network = small("depth")
    reference = torch.linspace(1, 5, 64).view(1, 1, 8, 8)
    sample = Sample(target=1.5 * reference - 1.5, guide=torch.rand(1, 3, 8, 8), reference=reference, unit="m")      # from 0 to 6
    target, guide = network.prepare(sample)
    assert torch.allclose(target, (1.5 * reference - 2.5) / 4)
    assert torch.allclose(guide[0, 1], (sample.guide[0, 1] - 0.456) / 0.224)
    assert torch.allclose(network.finish(target, sample), sample.target.clamp(1, 5), atol=1e-6)      # clamped to the reference's range


@pytest.mark.parametrize("size, mirrored", [((8, 8), (16, 16)), ((13, 9), (16, 16)), ((17, 520), (24, 528))])
def test_photographs_are_mirrored_to_the_next_multiple_of_eight(size, mirrored):
    network, image = small("multifocus"), torch.rand(1, 3, *size)
    sample = Sample(target=image, guide=image)
    prepared, _ = network.prepare(sample)
    assert prepared.shape[2:] == mirrored
    for dim, n in ((2, size[0]), (3, size[1])):                                       # the edge pixel appears twice
        assert torch.equal(prepared.select(dim, n), prepared.select(dim, n - 1))
    assert torch.equal(network.finish(prepared * 3 - 1, sample), (image * 3 - 1).clamp(0, 1))


def test_exposures_get_their_linear_form():
    network, images = small("hdr"), torch.rand(3, 1, 3, 8, 8)
    sample = Sample(target=images[1], guide=(images[0], images[2]), meta={"exposure_times": (0.25, 1, 4)})
    for image, time, prepared in zip(images, (0.25, 1, 4), network.prepare(sample), strict=True):
        assert torch.equal(prepared, torch.cat([image, image**2.2 / time], dim=1))
    ready = torch.rand(1, 6, 8, 8)
    assert network.prepare(Sample(target=ready, guide=(ready, ready)))[1] is ready


def test_mistakes_are_named():
    network, image = small("depth"), torch.rand(1, 3, 8, 8)
    for images, said in [((image, image[:, :1]), "guide has 1 channels"), ((image[:, :1], image[..., 1:]), "8x7"),
                         ((image,), "takes 2: target, guide")]:
        with pytest.raises(GirlibError, match=said):
            network(*images)
    for options, said in [({"width": 16}, "width is 16"), ({"heads": (5, 2, 2)}, "heads"), ({"depths": (1,)}, "depths has 1"),
                          ({"channels": (3,)}, "1 inputs"), ({"guidance": "none"}, "'none'"), ({"filtering": "fixed"}, "'fixed'")]:
        with pytest.raises(GirlibError, match=said):
            small("depth", **options)
