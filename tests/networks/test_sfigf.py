"""SFIGF equals the released network in all its forms, as printed it is what the equations say, and any size will do."""

import pytest
import torch
from golden import difference, own, part, reference, released

from girlib.errors import GirlibError
from girlib.networks import sfigf
from girlib.networks.weights import load_weights
from girlib.samples import Sample

T = sfigf.TASKS
FORMS = {                       # golden file: (constructor options, names of target and guide there)
    "depth_n8_20x24_rgb": (T["depth"] | {"width": 8}, ("lr", "image")),
    "depth_n8_72x64_gray_outonly": (T["depth"] | {"width": 8}, ("lr", "image")),
    "pan_c8_n8_23x25": (T["pansharpening"] | {"width": 8}, ("lms", "pan")),
    "pan_c4_n8_16x30_outonly": (T["pansharpening"] | {"width": 8, "channels": 4}, ("lms", "pan")),
    "pan_c4_n16_37x45_outonly": (T["pansharpening"] | {"width": 16, "channels": 4}, ("lms", "pan")),
    "mff_n8_23x25": (T["multifocus"] | {"width": 8}, ("image_a", "image_b")),
    "mff_n16_batch2_37x45_outonly": (T["multifocus"] | {"width": 16}, ("image_a", "image_b")),
    "redraw_n8_20x24": (T["lowlight_red"] | {"width": 8}, ("x",)),
    "monoraw_n8_32x48": (T["lowlight_mono"] | {"width": 8}, ("x",)),
}
TIGHT = {torch.float32: 1e-5, torch.float64: 1e-12}       # of the range; met with room: 1e-6 and 3e-15
THEIRS = {"cpa_out": "CPA", "dbf_out": "mono", **{f"up{t}": f"q{t}_tilde" for t in (2, 3, 4)},
          **{f"qt{t}_gated": f"gated{t}" for t in (2, 3, 4)}}
THEIRS_TWO_WAY = {"A_Im": "A_Im1", "B_Im": "B_Im1", "p1": "i1", "i1": "p1"}       # stored as the first fusion takes them: exchanged
UNNAMED = {"q_Fe_res", "I_gray", "mean_p1", "mean_p2", "mean_p3", "mean_p4"}      # not a tensor of the paper


def network(options, parameters):
    made = load_weights(sfigf.Network(**options), {k: x.float() for k, x in parameters.items()}, sfigf, "the golden vector")
    return made.eval()


def images(stored, names, form):
    found = [stored[f"input.{name}"] for name in names]
    return found[0].split(4, dim=1) if form == "red raw" else found             # packed raw, then packed red


def check(made, inputs, stored, theirs=THEIRS, tight=TIGHT):
    out, mono = ("output.1", "output.0") if "output.0" in stored else ("output", None)
    with torch.no_grad():
        restored, inside = made(*inputs, return_intermediates=True)
        assert difference(restored, stored[out]) < tight[torch.float32]
        for name, expected in part(stored, "mid").items():
            if name not in UNNAMED:
                assert difference(inside[theirs.get(name, name)], expected) < tight[torch.float32], name
        restored, inside = made.double()(*[x.double() for x in inputs], return_intermediates=True)
        assert difference(restored, stored[out.replace("output", "output64")]) < tight[torch.float64]
        if mono:
            assert difference(inside["mono"], stored["output64.0"]) < tight[torch.float64]


@pytest.mark.parametrize("name", ["depth_n8_20x24_rgb", "pan_c4_n8_16x30_outonly", "mff_n8_23x25"])
def test_random_weights_reproduce_our_vector(name):
    stored, (options, names) = own("sfigf_" + name.split("_")[0]), FORMS[name]
    theirs = THEIRS | THEIRS_TWO_WAY if name.startswith("mff") else THEIRS
    check(network(options, part(stored, "param")), images(stored, names, options.get("form")), stored, theirs)


@pytest.mark.parametrize("name", FORMS)
def test_random_weights_reproduce_the_released_network(name):
    stored, (options, names) = reference(f"sfigf/{name}"), FORMS[name]
    parameters = part(stored, "param") or part(reference("sfigf/depth_n8_20x24_rgb"), "param")
    theirs = THEIRS | THEIRS_TWO_WAY if name.startswith("mff") else THEIRS
    check(network(options, parameters), images(stored, names, options.get("form")), stored, theirs)


@pytest.mark.parametrize("task, vector, names", [("multifocus", "released_MFIF_best_lytro01_y200x180_48x61", ("a_u8", "b_u8")),
                                                 ("pansharpening", "released_Pan_best_synthetic_33x30", ("lms", "pan"))])
def test_released_weights_reproduce_the_released_network(task, vector, names):
    stored = reference(f"sfigf/{vector}")
    weights = released(f"sfigf/{ {'multifocus': 'MFIF', 'pansharpening': 'Pan'}[task] }_best.safetensors")
    inputs = images(stored, names, None)
    inputs = [x.float() / 255 if x.dtype == torch.uint8 else x for x in inputs]
    check(network(T[task], weights), inputs, stored)


@pytest.mark.parametrize("task, options, released_count, unused", [
    ("depth", {}, 5_095_221, 182_720), ("depth", {"width": 48}, 11_400_421, 404_640), ("pansharpening", {}, 88_236, 2_624 + 4_160),
    ("multifocus", {}, 95_027, 5_248), ("lowlight_red", {}, 5_104_648, 182_720), ("lowlight_red", {"width": 48}, 11_414_392, 404_640),
    ("lowlight_mono", {}, 13_232_929, 404_640)])
def test_it_holds_the_released_parameters_but_the_unused_ones(task, options, released_count, unused):
    assert sum(x.numel() for x in sfigf.Network(**T[task] | options).parameters()) == released_count - unused


def small(task, **options):
    torch.manual_seed(0)
    made = sfigf.Network(**T[task] | {"width": 8} | options)
    for name, parameter in made.named_parameters():
        if name.endswith(("beta", "gamma")):                 # they start at 0 and would hide a whole block
            parameter.data.normal_(std=0.3)
    return made.eval()


def pair(task, *size):
    channels = 1 if task == "lowlight_mono" else T[task].get("channels", 1)
    return torch.rand(1, channels, *size), torch.rand(1, {"depth": 3, "pansharpening": 1}.get(task, channels), *size)


@pytest.mark.parametrize("style", ["released", "paper"])
@pytest.mark.parametrize("task", T)
@torch.no_grad()
def test_the_output_has_the_target_s_size(task, style):
    made = small(task, style=style)
    for size in ((8, 8), (9, 27), (33, 22)):
        target, guide = pair(task, *size)
        restored = made(target, guide)
        factor, channels = 2 if task == "lowlight_red" else 1, 3 if task.startswith("lowlight") else target.shape[1]
        assert restored.shape == (1, channels, factor * size[0], factor * size[1]) and restored.isfinite().all()


@torch.no_grad()
def test_a_size_the_released_network_refuses_is_mirrored_first():
    made, (P, I) = small("depth"), pair("depth", 18, 23)
    I = I[:, :1]
    mirrored = [torch.cat([torch.cat([x, x[..., -2:-3, :], x[..., -3:-4, :]], -2)], -1) for x in (P, I)]
    mirrored = [torch.cat([x, x[..., -2:-1]], -1) for x in mirrored]                       # 20 x 24
    assert torch.equal(made(P, I), made(*mirrored)[..., :18, :23])


ABLATIONS = {"a": {"features": "private"}, "b": {"features": "shared"}, "c": {"fusion": "convolution"}, "d": {"fusion": "linear"},
             "e": {"fusion": "cross-attention"}, "f": {"image_fusion": "convolution"}}


@pytest.mark.parametrize("row", ABLATIONS)
@pytest.mark.parametrize("task", ["depth", "multifocus"])
def test_every_parameter_of_an_ablation_learns(task, row):
    made, (P, I) = small(task, **ABLATIONS[row]), pair(task, 21, 22)
    made(P, I).square().sum().backward()
    assert all(x.grad is not None and x.grad.isfinite().all() and x.grad.abs().max() > 0 for x in made.parameters())


@pytest.mark.parametrize("row", "cde")
def test_ablations_of_the_fusion_keep_the_size_similar(row):
    def count(**options):
        return sum(x.numel() for x in sfigf.Network(width=16, **options).body.fegf.fuse.parameters())
    assert 0.8 < count(**ABLATIONS[row]) / count() < 1.2


@torch.no_grad()
def test_private_features_see_one_image_only():
    P, I = pair("depth", 24, 24)
    other = P + torch.rand_like(P)
    for options, sees in (({}, True), (ABLATIONS["a"], False), (ABLATIONS["b"], True)):
        made = small("depth", **options)
        (_, first), (_, second) = made(P, I, return_intermediates=True), made(other, I, return_intermediates=True)
        assert (not torch.equal(first["i4"], second["i4"])) == sees


@pytest.mark.parametrize("options", [{}, {"style": "paper"}, {"style": "paper", "guide_channels": 3}])
@torch.no_grad()
def test_intermediates_satisfy_the_equations(options):
    made, (P, I) = small("depth", **options), pair("depth", 24, 20)
    restored, inside = made(P, I, return_intermediates=True)
    if options.get("guide_channels") != 3:
        I = 0.299 * I[:, :1] + 0.587 * I[:, 1:2] + 0.114 * I[:, 2:]
        torch.testing.assert_close(inside["Q_Im"], inside["A_Im"] * I + inside["B_Im"])                    # Eq. (19)
    else:
        torch.testing.assert_close(inside["Q_Im"], (inside["A_Im"] * I[:, None]).sum(2) + inside["B_Im"])
    if "style" in options:
        assert inside["q_Fe"].shape[1] == 8                                                                # n, as printed
        for t in (1, 2, 3, 4):
            torch.testing.assert_close(inside[f"q{t}"], inside[f"ca{t}"] + inside[f"b{t}"])                # Eq. (16)
    else:
        gica, p, i = made.body.fegf.fuse[0], inside["p1"], inside["i1"]
        assert torch.equal(gica(p, i)[0], inside["q1"])
        assert not torch.allclose(gica(i, p)[0], inside["q1"])


def test_linear_fusion_is_a_line_in_the_guide_s_features():
    made, (P, I) = small("depth", **ABLATIONS["d"]), pair("depth", 16, 20)
    _, inside = made(P, I, return_intermediates=True)
    for t in (1, 2, 3, 4):
        torch.testing.assert_close(inside[f"q{t}"], inside[f"a{t}"] * inside[f"i{t}"] + inside[f"b{t}"])


@torch.no_grad()
def test_printed_two_way_networks_exchange_their_roles():
    made, (a, b) = small("multifocus", style="paper"), pair("multifocus", 12, 13)
    restored, inside = made(a, b, return_intermediates=True)
    assert torch.equal(inside["Q2"], made.body.second(b, a)[0]) and torch.equal(inside["Q1"], made.body.first(a, b)[0])
    assert torch.equal(restored, made.body.output(torch.cat([inside["Q1"], inside["Q2"]], 1)))


@torch.no_grad()
def test_red_raw_takes_the_raw_for_the_guide_as_released_and_for_the_target_as_printed():
    raw, red = pair("lowlight_red", 16, 16)
    for style, first in (("released", (red, raw)), ("paper", (raw, red))):
        made = small("lowlight_red", style=style)
        expected = torch.nn.functional.pixel_shuffle(made.body(*first)[0], 2)
        assert torch.equal(made(raw, red), expected)


def test_paths_are_dropped_in_training_only():
    made, images = small("multifocus"), pair("multifocus", 22, 23)
    assert torch.equal(made(*images), made(*images))
    made.train()
    outputs = [made(*images) for _ in range(8)]
    assert not all(torch.equal(outputs[0], x) for x in outputs[1:])


@torch.no_grad()
def test_dropped_paths_keep_the_mean():
    drop = sfigf.DropPath(0.3).train()
    torch.manual_seed(0)
    dropped = drop(torch.ones(20_000, 1, 1, 2))
    torch.testing.assert_close(dropped.unique(), torch.tensor([0.0, 1 / 0.7]))
    assert torch.equal(dropped[..., 0], dropped[..., 1]) and abs(dropped.mean() - 1) < 0.02              # four standard errors


@torch.no_grad()
def test_prepare_standardises_depth_as_released_and_finish_undoes_it():
    P, I = 3 + 2 * torch.rand(2, 1, 16, 16), torch.rand(2, 3, 16, 16)
    reference = P + 1
    sample = Sample(target=P, guide=I, reference=reference, unit="m")
    made = small("depth")
    target, guide = made.prepare(sample)
    lowest, highest = reference[1].min(), reference[1].max()
    torch.testing.assert_close(target[1], (P[1] - lowest) / (highest - lowest))
    torch.testing.assert_close(guide[:, 0], (I[:, 2] - 0.485) / 0.229)                                 # blue with red's constants
    torch.testing.assert_close(guide[:, 2], (I[:, 0] - 0.406) / 0.225)
    torch.testing.assert_close(made.finish(target, sample), P)
    assert torch.equal(small("depth", style="paper").prepare(sample)[1], I)


def test_finish_keeps_fused_and_developed_images_displayable_and_leaves_bands_alone():
    output, sample = torch.tensor([-0.5, 0.5, 1.5]), None
    for task in ("multifocus", "lowlight_red", "lowlight_mono"):
        assert torch.equal(small(task).finish(output, sample), torch.tensor([0.0, 0.5, 1.0]))
    assert torch.equal(small("pansharpening").finish(output, sample), output)


def test_prepare_gives_the_mono_network_the_mosaic_alone():
    P, I = torch.rand(1, 1, 16, 16), torch.rand(1, 1, 16, 16)
    assert [x is P for x in small("lowlight_mono").prepare(Sample(target=P, guide=I))] == [True]


@pytest.mark.parametrize("options, said", [({"width": 12}, "width is 12"), ({"style": "print"}, "style is 'print'"),
                                           ({"fusion": "sum"}, "fusion is 'sum'"), ({"form": "three-way"}, "form is 'three-way'"),
                                           ({"features": "all"}, "features is 'all'"), ({"image_fusion": "no"}, "image_fusion is 'no'"),
                                           ({"levels": 0}, "levels is 0")])
def test_unknown_options_are_named(options, said):
    with pytest.raises(GirlibError, match=said):
        sfigf.Network(**options)


def test_wrong_images_are_named():
    made = small("pansharpening")
    with pytest.raises(GirlibError, match="target has 3 channels"):
        made(torch.rand(1, 3, 16, 16), torch.rand(1, 1, 16, 16))
    with pytest.raises(GirlibError, match="guide has 3 channels"):
        made(torch.rand(1, 8, 16, 16), torch.rand(1, 3, 16, 16))
    with pytest.raises(GirlibError, match="16x16"):
        made(torch.rand(1, 8, 16, 16), torch.rand(1, 1, 16, 18))
    with pytest.raises(GirlibError, match="needs a guide"):
        made(torch.rand(1, 8, 16, 16))


def test_weights_of_another_form_are_refused():
    parameters = {k: x.float() for k, x in part(own("sfigf_mff"), "param").items()}
    with pytest.raises(GirlibError, match="doesn't fit"):
        load_weights(sfigf.Network(**T["pansharpening"] | {"width": 8}), parameters, sfigf, "multi-focus weights")


def test_networks_of_two_ways_and_of_mosaics_alone_start_from_small_normal_numbers():
    for task, normal in [("multifocus", True), ("pansharpening", False)]:
        weight = sfigf.Network(**{**sfigf.TASKS[task], "width": 16}).body.cmfe.first_P[0].weight
        assert (0.015 < weight.std().item() < 0.025) == normal, task
