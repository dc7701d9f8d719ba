"""Texture removal: a room with patterns, the same room without, and a method that is applied to its own result."""

import pytest
import torch

from girlib.errors import GirlibError
from girlib.filters import guided_filter
from girlib.methods import find_method
from girlib.metrics import psnr
from girlib.networks import create_model, predict
from girlib.samples import Capture, Sample
from girlib.scenes import make_scene
from girlib.sensors import linear
from girlib.tasks import get_task
from girlib.tasks.texture import painted_over, repeated

TASK = get_task("texture")
IMAGE = torch.full((1, 3, 16, 16), 0.5)


@pytest.mark.parametrize("size", [16, (37, 22)])
def test_the_photograph_is_its_own_guide(size):
    sample = TASK.sample(2, size)
    assert torch.equal(sample.target, sample.guide) and sample.reference.shape == sample.target.shape
    assert sample.target.shape[-2:] == ((16, 16) if size == 16 else size)
    assert torch.equal(sample.target, TASK.sample(2, size).target) and not torch.equal(sample.target, TASK.sample(3, size).target)


@pytest.mark.parametrize("seed", range(2))
def test_the_reference_has_the_same_surfaces_without_their_patterns(seed):
    room = make_scene("indoor", seed, 48, texture=1.0)
    plain = painted_over(room, make_scene("indoor", seed, 48, texture=1.0))
    assert torch.equal(room.ids, plain.ids) and torch.equal(room.depth, plain.depth)
    _, _, share, gain = plain.points.material
    assert gain.min() == gain.max() == 1                                    # no roughness
    first, second = plain.points.material[:2]
    assert torch.equal(first, second)                                       # no pattern
    images = TASK.scene(seed, 48).images
    face = room.picture(8.0 * room.which + room.points.face)
    within = (face[..., 1:] == face[..., :-1])[:, 0]                        # neighbours on one face of one body
    steps = [(images[name][..., 1:] - images[name][..., :-1]).abs().sum(1)[within].mean() for name in ("color", "reference")]
    assert steps[1] < 0.8 * steps[0]                                        # shadows and curved surfaces keep theirs
    light = [linear(images[name]).mean().item() for name in ("color", "reference")]
    assert light[1] == pytest.approx(light[0], rel=0.02)                    # the mean colours stay, but for light that clips


def test_the_mean_paint_of_a_surface_is_that_of_its_rays():
    room = make_scene("indoor", 1, 32, texture=1.0)
    plain = painted_over(room, make_scene("indoor", 1, 32, texture=1.0))
    first, second, share, gain = room.points.material
    for surface in room.which.unique()[:6].tolist():
        rays = room.which == surface
        second_share = share[rays].double().mean()
        paint = torch.lerp(room.spectra[first[rays][0]].double(), room.spectra[second[rays][0]].double(), second_share)
        assert torch.allclose(plain.spectra[surface].double(), gain[rays].double().mean() * paint, atol=1e-5)         # float32


def test_repeated_feeds_a_method_its_own_result():
    sample = TASK.sample(0, 24)
    by_hand = sample.target
    for _ in range(4):
        by_hand = guided_filter(by_hand, by_hand, 2, 1e-2)
    gf = find_method("gf", "texture", radius=2, eps=1e-2)
    assert torch.equal(repeated(gf)(sample), by_hand) and torch.equal(repeated(gf, 1)(sample), gf(sample))
    with pytest.raises(GirlibError, match="times is 0"):
        repeated(gf, 0)


def test_smoothing_comes_nearer_to_the_reference():
    sample = TASK.sample(0, 48)
    smoothed = repeated(find_method("gf", "texture", radius=2, eps=3e-3))(sample)
    assert psnr(smoothed, sample.reference) > psnr(sample.target, sample.reference) + 0.2        # dB


@pytest.mark.parametrize("name", ["dagf", "fgf"])
def test_networks_restore_it(name):
    sample = TASK.sample(0, 24)
    small = {"dagf": dict(width=4, levels=2, residual_blocks=1)}.get(name, {})
    restored = predict(create_model(name, "texture", **small), sample)
    assert restored.shape == sample.target.shape and restored.isfinite().all()


def test_any_photograph_can_be_smoothed_but_not_scored():
    sample = TASK.observe(Capture("x", {"color": IMAGE, "depth": IMAGE[:, :1]}, "m"))
    assert torch.equal(sample.target, IMAGE) and sample.reference is None and sample.unit == "1"


@pytest.mark.parametrize(("images", "options", "words"), [
    ({"depth": IMAGE[:, :1]}, {}, "no image 'color'"),
    ({"color": IMAGE[:, :1]}, {}, "color has 1 channels"),
    ({"color": IMAGE * torch.inf}, {}, "not finite"),
    ({"color": IMAGE}, {"scale": 4}, "scale is 4"),
])  # fmt: skip
def test_a_wrong_request_is_one_sentence(images, options, words):
    with pytest.raises(GirlibError) as caught:
        TASK.observe(Capture("x", images), **options)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_rolling_guidance_takes_what_is_small_and_keeps_a_large_border():
    x = torch.arange(48)
    stripes = 0.04 * (x % 2).float()                                         # too fine for the Gaussian that begins
    target = (0.2 + 0.5 * (x >= 24).float() + stripes).expand(1, 3, 40, 48)
    rolled = find_method("rolling", "texture")(Sample(target, target))[0, 0, 20]
    assert rolled[6:20].std() < stripes.std() / 20 and rolled[28:42].std() < stripes.std() / 20
    blurred = find_method("rolling", "texture", times=1)(Sample(target, target))[0, 0, 20]
    steep = lambda line: (line[25:27].mean() - line[21:23].mean()).item()
    assert steep(rolled) > 0.47 > steep(blurred) + 0.1
    with pytest.raises(GirlibError, match="rolling: times is 0"):
        find_method("rolling", "texture", times=0)(Sample(target, target))
