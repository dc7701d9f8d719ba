"""CU-Net equals the released networks for restoration and fusion."""

import pytest
import torch
from golden import difference, own, part, recipe, reference

from girlib.errors import GirlibError
from girlib.networks import create_model, cunet, load_model, predict
from girlib.samples import Sample

MIDS = {"u_ch0_15": "u", "v_ch0_15": "v", "z_ch0_15": "z", "rec_u": "explained_u", "rec_v": "explained_v"}
SMALL = {"cunet_restoration": dict(width=8, kernel_size=5),
         "cunet_fusion": dict(channels=3, guide_channels=3, fusion=True, width=8, kernel_size=3)}


@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_it_reproduces_our_vectors(name):
    stored = own(name)
    network = recipe(cunet.Network(**SMALL[name]), gain=0.3).double()
    restored, inside = network(**part(stored, "input"), return_intermediates=True)
    assert difference(restored, stored["output64"]) < 1e-9
    for key, expected in part(stored, "mid").items():
        assert difference(inside[key].float(), expected) < 1e-5, key


@pytest.mark.parametrize("task, scale, name, inputs", [("depth", 4, "cunet_depth", ("target", "guide")),
                                                       ("multifocus", None, "cunet_multi_focus", ("a", "b"))])
@torch.no_grad()
def test_released_weights_reproduce_the_released_network(task, scale, name, inputs):
    stored = reference(f"compared/{name}")
    inputs = [stored[f"input.{key}"] for key in inputs]
    network = load_model("cunet", task, "official", scale).eval()
    restored, inside = network(*inputs, return_intermediates=True)
    assert difference(restored, stored["output"]) < 1e-5
    for theirs, ours in MIDS.items():
        expected = stored[f"mid.{theirs}"]
        assert difference(inside[ours][:, :expected.shape[1]], expected) < 1e-5, ours
    assert difference(network.double()(*(x.double() for x in inputs)), stored["output64"]) < 1e-9


def test_it_has_the_released_number_of_parameters():
    count = lambda **options: sum(p.numel() for p in cunet.Network(**options).parameters())
    assert [count(**cunet.TASKS[task]) for task in ("depth", "flash", "multifocus")] == [207_375, 622_095, 637_647]


def test_a_threshold_below_zero_adds_to_the_magnitude_and_leaves_zero_alone():
    x = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0])
    assert torch.equal(cunet.soft_threshold(x, 1), torch.tensor([-1.0, 0, 0, 0, 1]))
    assert torch.equal(cunet.soft_threshold(x, -1), torch.tensor([-3.0, -1.5, 0, 1.5, 3]))


def test_the_guide_reaches_a_restoration_only_through_what_its_code_leaves_unexplained():
    network = recipe(cunet.Network(width=4, kernel_size=3), gain=0.3)
    P, I = torch.rand(1, 1, 9, 9), torch.rand(1, 1, 9, 9)
    u, v = network.code_u(P), network.code_v(I)
    z = network.code_z(torch.cat([P - network.explain_u(u), I - network.explain_v(v)], dim=1))
    assert torch.allclose(network(P, I), network.decode_u(u) + network.decode_z(z))
    assert not hasattr(network, "decode_v")


@pytest.mark.parametrize("size", [(8, 8), (9, 13)])
@torch.no_grad()
def test_every_task_and_size(size):
    for task, options in cunet.TASKS.items():
        guide = torch.rand(1, 3 if task == "depth" else options["guide_channels"], *size)
        sample = Sample(torch.rand(1, options["channels"], *size), guide)
        restored = predict(create_model("cunet", task, width=8, kernel_size=3), sample)
        assert restored.shape == sample.target.shape


def test_depth_is_scaled_by_its_range_and_its_guide_is_matlabs_luma():
    target = torch.rand(1, 1, 8, 8) * 3 + 1
    guide = torch.zeros(1, 3, 8, 8)
    guide[..., 4:] = 1
    network = cunet.Network(width=4, kernel_size=3)
    sample = Sample(target, guide, target, unit="m")
    P, I = network.prepare(sample)
    assert (P.min(), P.max()) == (0, 1) and torch.allclose(network.finish(P, sample), target)
    assert torch.allclose(I[0, 0, 0, [0, -1]], torch.tensor([16, 235]) / 255)


def test_a_fused_image_is_clamped():
    sample = Sample(torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8))
    restored = create_model("cunet", "multifocus", width=4).finish(torch.tensor([-1.0, 0.5, 2]), sample)
    assert restored.tolist() == [0, 0.5, 1]


def test_every_parameter_learns():
    network = recipe(cunet.Network(**SMALL["cunet_fusion"]), gain=0.3)
    network(torch.rand(1, 3, 9, 9), torch.rand(1, 3, 9, 9)).square().sum().backward()
    assert all(p.grad.abs().max() > 0 for p in network.parameters())


def test_thresholds_start_at_a_hundredth():
    network = cunet.Network(**SMALL["cunet_restoration"])
    thresholds = [p for name, p in network.named_parameters() if ".lam_" in name]
    assert thresholds and all(p.item() == pytest.approx(0.01) for p in thresholds)


def test_wrong_channels_are_refused():
    with pytest.raises(GirlibError, match="guide is 8x9, but target is 8x8"):
        cunet.Network(width=4, kernel_size=3)(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 9))
    with pytest.raises(GirlibError, match="guide has 3 channels"):
        cunet.Network(width=4, kernel_size=3)(torch.rand(1, 1, 8, 8), torch.rand(1, 3, 8, 8))
