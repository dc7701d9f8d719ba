"""HDR deghosting: three exposures of moving things, the light of the middle moment, and what a plain merge makes of them."""

import math

import pytest
import torch

from girlib.errors import GirlibError
from girlib.evaluation import evaluate
from girlib.methods import find_method
from girlib.networks import create_model, list_models, predict
from girlib.samples import Capture, Sample
from girlib.tasks import get_task

TASK = get_task("hdr")


def moved(sample):
    """Where the light of the shortest exposure, in which nothing is clipped, is not that of the middle one: (1, 1, H, W)."""
    return (sample.guide[0] ** 2.2 - sample.reference).abs().amax(1, keepdim=True) > 0.02


@pytest.fixture(scope="module")
def moving():
    """Of six scenes the one in which most moves."""
    return max((TASK.sample(seed, 48) for seed in range(6)), key=lambda sample: moved(sample).sum())


def bracket(**changed):
    light = torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(0))
    images = {role: (light * time).clamp(max=1) ** (1 / 2.2) for role, time in (("under", 1), ("middle", 4), ("over", 16))}
    return Capture("still", {**images, "reference": light, **changed}, "1", {"exposure_times": (1.0, 4.0, 16.0)})


@pytest.mark.parametrize("size", [16, (17, 40)])
def test_the_procedural_sample_is_three_exposures_and_linear_light(size):
    sample, again, other = TASK.sample(1, size), TASK.sample(1, size), TASK.sample(2, size)
    height, width = (size, size) if isinstance(size, int) else size
    under, over = sample.guide
    assert all(image.shape == (1, 3, height, width) for image in (under, sample.target, over, sample.reference))
    assert under.mean() < sample.target.mean() < over.mean() and sample.meta["exposure_times"] == (1, 4, 16)
    assert torch.equal(over, again.guide[1]) and not torch.equal(over, other.guide[1])


def test_the_reference_is_the_light_of_the_middle_photograph():
    sample = TASK.sample(3, 48)
    clipped = sample.target == 1
    assert 0.01 < clipped.float().mean() < 0.1 and sample.reference[clipped].min() > (254.49 / 255) ** 2.2 / 4
    error = sample.target - (4 * sample.reference).clamp(max=1) ** (1 / 2.2)
    assert error.abs().max() < 0.51 / 255


def test_things_move_between_the_exposures(moving):
    assert 0.05 < moved(moving).float().mean() < 0.5


def test_merging_is_exact_where_nothing_moves_and_makes_ghosts_where_something_does(moving):
    merge = find_method("merge", "hdr")
    still = TASK.observe(bracket())
    assert (merge(still) - still.reference).abs().max() < 1e-5
    error = (merge(moving) - moving.reference).abs().mean(1, keepdim=True)
    assert error[moved(moving)].mean() > 5 * error[~moved(moving)].mean()


def test_merging_trusts_the_shortest_in_highlights_and_the_longest_in_shadows():
    capture = bracket(under=torch.full((1, 3, 2, 2), 0.9), middle=torch.ones(1, 3, 2, 2), over=torch.ones(1, 3, 2, 2),
                      reference=torch.ones(1, 3, 2, 2))
    merged = find_method("merge", "hdr")(TASK.observe(capture))
    assert merged == pytest.approx(torch.full((1, 3, 2, 2), 0.9**2.2).numpy(), rel=1e-3)
    capture = bracket(under=torch.zeros(1, 3, 2, 2), middle=torch.zeros(1, 3, 2, 2), over=torch.full((1, 3, 2, 2), 0.1),
                      reference=torch.ones(1, 3, 2, 2))
    assert find_method("merge", "hdr")(TASK.observe(capture)) == pytest.approx(torch.full((1, 3, 2, 2), 0.1**2.2 / 16).numpy(), rel=1e-3)


def test_the_middle_exposure_alone_has_no_ghosts_and_loses_what_it_clips(moving):
    middle = find_method("middle", "hdr")(moving)
    error, clipped = (middle - moving.reference).abs(), moving.target >= 1
    assert error[~clipped].max() < 2.2 * 0.51 / 255 / 4 and error[clipped].max() > 0.01         # half a level, in light
    with pytest.raises(GirlibError, match="middle: it takes three exposures"):
        find_method("middle", "hdr")(Sample(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4)))


def test_every_network_of_the_task_restores_the_sample():
    sample = TASK.sample(0, (17, 24))
    for name in list_models("hdr"):
        torch.manual_seed(0)
        assert predict(create_model(name, "hdr"), sample).shape == sample.reference.shape, name


def test_scores_are_those_of_the_definitions():
    """PSNR of linear light and after the mu-law; the two SSIM are 1 of the reference itself."""
    restored, sample = TASK.sample(3, 24).reference * 0.9, TASK.sample(3, 24)
    by = {(r.metric, r.protocol["metric"].get("curve")): r.value for r in evaluate(lambda s: s.reference * 0.9, "hdr", size=24, limit=1,
                                                                                    seed=3)}
    curve = lambda x: torch.log(1 + 5000 * x.double()) / math.log(5001)
    psnr = lambda x, y: -10 * math.log10((x.double() - y.double()).square().mean())
    assert by["psnr", None] == pytest.approx(psnr(restored, sample.reference), abs=1e-9)
    assert by["psnr", "mu-law"] == pytest.approx(psnr(curve(restored), curve(sample.reference)), abs=1e-9)
    own = evaluate(lambda s: s.reference, "hdr", size=24, limit=1)
    assert [r.value for r in own if r.metric == "ssim"] == pytest.approx([1, 1])


BAD = [
    (Capture("c", {"under": torch.rand(1, 3, 8, 8)}), None, "has no image 'middle', only under; expected under, middle, over, reference"),
    (bracket(over=torch.rand(1, 3, 20, 25)), None, "over is 20x25"),
    (bracket(middle=torch.rand(1, 6, 20, 24)), None, "middle has 6 channels; it must have 3"),
    (bracket(), 2, "scale is 2; what is restored has all pixels"),
    (Capture("c", bracket().images), None, "has exposure_times None; its meta must hold three that grow"),
    (Capture("c", bracket().images, "1", {"exposure_times": (4, 1, 16)}), None, "has exposure_times (4, 1, 16)"),
]


@pytest.mark.parametrize("capture, scale, words", BAD, ids=[words for _, _, words in BAD])
def test_bad_captures_are_refused_in_one_sentence(capture, scale, words):
    with pytest.raises(GirlibError, match="^hdr: ") as error:
        TASK.observe(capture, scale=scale)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_merging_refuses_what_is_no_bracket():
    with pytest.raises(GirlibError, match="merge: it takes three exposures"):
        find_method("merge", "hdr")(Sample(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4)))
