"""Low-light raw with a red guide: SFIGF's packing, ratio and clipping, and where its guide comes from."""

import pytest
import torch

from girlib.errors import GirlibError
from girlib.methods import find_method
from girlib.metrics import psnr
from girlib.networks import create_model, predict
from girlib.samples import Capture
from girlib.scenes import RESPONSES, make_scene
from girlib.sensors import srgb
from girlib.tasks import get_task

TASK = get_task("lowlight_red")
META = {"ratio": 250.0, "pattern": "RGGB", "black": 512, "white": 16383}


def by_hand(mosaic, ratio):
    """Planes (0, 0), (0, 1), (1, 1), (1, 0) of a mosaic, times the ratio, at most 1."""
    rows, columns = (n // 2 for n in mosaic.shape[-2:])
    planes = torch.zeros(1, 4, rows, columns)
    for plane, (dy, dx) in enumerate([(0, 0), (0, 1), (1, 1), (1, 0)]):
        for y in range(rows):
            for x in range(columns):
                planes[0, plane, y, x] = min(1.0, ratio * mosaic[0, 0, 2 * y + dy, 2 * x + dx].item())
    return planes


@pytest.mark.parametrize(("size", "cut"), [(16, (16, 16)), ((37, 22), (36, 22)), ((18, 35), (18, 34))])
@pytest.mark.parametrize("guide", ["reference", "flash"])
def test_target_and_guide_are_packed_and_the_reference_is_whole(size, cut, guide):
    sample = TASK.sample(1, size, guide=guide)
    assert sample.target.shape == sample.guide.shape == (1, 4, cut[0] // 2, cut[1] // 2)
    assert sample.reference.shape == (1, 3, *cut) and sample.low is None and sample.unit == "1"
    assert 0 <= sample.target.min() and sample.target.max() <= 1 and sample.meta["ratio"] == 100


def test_scene_and_noise_follow_from_the_seed():
    one, again, other = (TASK.sample(seed, 24) for seed in (4, 4, 5))
    assert torch.equal(one.target, again.target) and torch.equal(one.guide, again.guide) and not torch.equal(one.target, other.target)


def test_raw_is_amplified_clipped_and_packed_as_the_released_loader_does():
    random = torch.Generator().manual_seed(0)
    raw, reference = torch.rand(1, 1, 6, 8, generator=random) / 100, torch.rand(1, 3, 6, 8, generator=random)
    sample = TASK.observe(Capture("x", {"raw": raw, "reference": reference}, "1", META))
    assert torch.allclose(sample.target, by_hand(raw, 250), rtol=1e-6) and (sample.target == 1).any()
    assert torch.equal(sample.guide, by_hand(reference[:, :1], 1)) and torch.equal(sample.reference, reference)


def test_a_recorded_guide_is_the_scene_under_a_red_flash():
    red = make_scene("indoor", 2, 16).image(RESPONSES["rgb"], light="red flash")[:, :1]
    assert torch.allclose(TASK.sample(2, 16, guide="flash").guide, by_hand(srgb(red), 1), atol=1e-6)


def test_the_long_exposure_has_the_same_mean_and_less_noise():
    images = TASK.scene(3, 48).images
    assert (100 * images["raw"]).mean().item() == pytest.approx(images["long_raw"].mean().item(), rel=0.05)
    clean = make_scene("indoor", 3, 48).color[:, 1, ::2, 1::2]               # green
    noise = [(images[name][:, 0, ::2, 1::2] * factor - clean).std() for name, factor in (("raw", 100), ("long_raw", 1))]
    assert noise[1] < noise[0] / 5


def test_the_guide_from_the_reference_flatters():
    best, recorded = TASK.sample(0, 48), TASK.sample(0, 48, guide="flash")
    gf, plain = find_method("gf", "lowlight_red"), find_method("input", "lowlight_red")
    scores = [psnr(restored, best.reference) for restored in (gf(best), gf(recorded), plain(best))]
    assert scores[0] > max(scores[1:]) + 1                                   # dB


def test_the_network_gives_srgb_of_full_size():
    sample = TASK.sample(0, (22, 36))
    restored = predict(create_model("sfigf", "lowlight_red", width=8, levels=2), sample)
    assert restored.shape == sample.reference.shape and restored.isfinite().all()


def test_filters_work_on_the_planes_and_develop_their_result():
    sample = TASK.sample(0, 24)
    for name in ("input", "gf", "jbf"):
        assert find_method(name, "lowlight_red")(sample).shape == sample.reference.shape


def test_the_scores_are_those_of_eight_bits():
    metrics = dict(TASK.protocol("sid").metrics)
    assert list(metrics) == ["psnr", "ssim", "delta_e"] and all(options["values"] == "truncate" for options in metrics.values())
    assert (metrics["ssim"]["window"], metrics["ssim"]["size"]) == ("uniform", 7)
    assert TASK.protocol("sid", "sfigf-lpips").metrics[0][0] == "lpips"


def capture(images=("raw", "reference"), meta=None, **changes):
    known = {"raw": torch.full((1, 1, 16, 16), 0.01), "reference": torch.full((1, 3, 16, 16), 0.5)}
    return Capture("x", {name: known[name] for name in images} | changes, "1", META if meta is None else meta)


@pytest.mark.parametrize(("given", "options", "words"), [
    (capture(["reference"]), {}, "no image 'raw'"),
    (capture(["raw"]), {}, "no image 'reference'"),
    (capture(), {"guide": "flash"}, "no image 'red'"),
    (capture(), {"guide": "mono"}, "guide is 'mono'"),
    (capture(), {"scale": 2}, "scale is 2"),
    (capture(raw=torch.zeros(1, 4, 16, 16)), {}, "raw has 4 channels"),
    (capture(raw=torch.zeros(1, 1, 8, 8)), {}, "expected one size"),
    (capture(raw=torch.zeros(1, 1, 1, 4), reference=torch.zeros(1, 3, 1, 4)), {}, "multiple is 2"),
    (capture(meta={**META, "pattern": "BGGR"}), {}, "the pattern 'BGGR'"),
    (capture(meta={"pattern": "RGGB"}), {}, "the ratio None"),
    (capture(meta={**META, "ratio": 0}), {}, "the ratio 0"),
    (capture(meta={**META, "aligned": False}), {}, "do not lie pixel on pixel"),
])  # fmt: skip
def test_a_wrong_request_is_one_sentence(given, options, words):
    with pytest.raises(GirlibError) as caught:
        TASK.observe(given, **options)
    assert words in str(caught.value) and "\n" not in str(caught.value)
