"""girlib.restore on arrays: what comes in comes out restored, of the same kind, and holes and tiles leave no trace."""

import math

import numpy as np
import pytest
import torch
from oracles import guided_filter as guided_filter_by_loops
from PIL import Image

import girlib
from girlib import restoration, restoration_methods, tiles
from girlib.alignment import find_shift
from girlib.errors import GirlibError
from girlib.networks import create_model


def scene(h=12, w=14, scale=4, seed=0):
    """(low float64, guide uint8 (H, W, 3)): steps and a slope, which the guide shows too."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:h * scale, :w * scale] / scale
    depth = 1000 + 40 * x + 900 * (x > w / 2) + 500 * (y > h / 3)
    guide = np.stack([depth / 12, 255 - depth / 12, 90 + 20 * np.sin(x)], axis=-1) + rng.normal(0, 2, (*depth.shape, 3))
    return depth.reshape(h, scale, w, scale).mean((1, 3)), guide.clip(0, 255).astype(np.uint8)


# ------------------------------------------------------------------------------------------------------------ arrays

def enlarged(low, size):
    return np.asarray(Image.fromarray(low.astype(np.float32)).resize(size[::-1], Image.Resampling.BICUBIC), np.float64)


@pytest.mark.parametrize("noise", [0, 30])
def test_the_default_is_the_guided_filter_and_what_it_lost_beyond_noise(noise):
    low, guide = scene(7, 9)
    low = low + np.random.default_rng(1).normal(0, noise, low.shape)
    expected = guided_filter_by_loops(enlarged(low, (28, 36))[None], guide.transpose(2, 0, 1) / 255, 2, 1e-3)[0]
    second = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6
    level = np.median([abs((second * low[y:y + 3, x:x + 3]).sum()) for y in range(5) for x in range(7)]) / 0.6745
    for _ in range(2):
        missing = low - enlarged(expected, low.shape)                                   # of Pillow: reduces, too
        around = [[np.mean(missing[max(y - 1, 0):y + 2, max(x - 1, 0):x + 2] ** 2) for x in range(9)] for y in range(7)]
        expected += enlarged(missing * np.clip(1 - level ** 2 / np.array(around), 0, 1), (28, 36))
    assert np.abs(girlib.restore(low, guide) - expected.clip(low.min(), low.max())).max() < 1e-3 * np.ptp(low)


def test_the_default_between_images_of_one_size_is_the_guided_filter():
    low, guide = scene(4, 5)
    low = np.kron(low, np.ones((4, 4)))
    expected = guided_filter_by_loops(low[None], guide.transpose(2, 0, 1) / 255, 4, 1e-3)[0].clip(low.min(), low.max())
    assert np.abs(girlib.restore(low, guide) - expected).max() < 1e-3 * np.ptp(low)


@pytest.mark.parametrize("scale", [4, 8, 16])
def test_the_default_comes_closer_than_bicubic_with_noise_and_without(scale):
    """On every scene by at least 3 per cent of the root mean square error without noise, 1 with noise of 2 per cent of the range."""
    task = girlib.get_task("depth")
    for seed in range(3):
        scene = task.scene(seed, 256)
        for noise, most in ((0, 0.97), (25, 0.99)):
            sample = task.observe(scene, scale=scale, grey_noise=noise)
            low, guide, truth = sample.low[0, 0], sample.guide[0], sample.reference[0, 0]
            error = {method: (girlib.restore(low, guide, method=method) - truth).square().mean().sqrt() for method in (None, "bicubic")}
            assert error[None] < most * error["bicubic"], (seed, noise, error)


@pytest.mark.parametrize("name", ["saliency", "pansharpening"])
def test_the_default_of_other_tasks_that_enlarge_comes_closer_than_bicubic(name):
    for seed in range(3):
        sample = girlib.get_task(name).sample(seed, size=128)
        low, guide, truth = sample.low[0], sample.guide[0], sample.reference[0]
        error = {method: (girlib.restore(low, guide, name, method=method) - truth).square().mean().sqrt() for method in (None, "bicubic")}
        assert error[None] < 0.97 * error["bicubic"], (seed, error)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float16", "float32", "float64"])
def test_type_layout_and_unit_come_back(dtype):
    low, guide = scene()
    low = (low / 20).astype(dtype)
    for target, size in ((low, (48, 56)), (low[..., None], (48, 56, 1)), (low[None], (1, 48, 56))):
        out = girlib.restore(target, guide)
        assert isinstance(out, np.ndarray) and out.dtype == dtype and out.shape == size
        assert out.min() >= low.min() and out.max() <= low.max() and abs(out.astype(float).mean() - low.astype(float).mean()) < 2


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_tensors_come_back_as_tensors(dtype):
    low, guide = scene()
    low, guide = torch.from_numpy(low / 20).to(dtype), torch.from_numpy(guide).permute(2, 0, 1)
    for target, helper, size in ((low, guide, (48, 56)), (low[None], guide, (1, 48, 56)), (low[None, None], guide[None], (1, 1, 48, 56))):
        out = girlib.restore(target, helper)
        assert out.dtype == dtype and tuple(out.shape) == size


@pytest.mark.parametrize("mode, dtype", [("L", "uint8"), ("I;16", "uint16"), ("I", "int32"), ("F", "float32")])
def test_pictures_of_pillow_come_back_with_what_they_say(mode, dtype):
    low, guide = scene()
    target = Image.fromarray((low / 20).astype(dtype))
    target.info["dpi"] = (72, 72)
    out = girlib.restore(target, Image.fromarray(guide))
    assert target.mode == mode and out.mode == mode and out.size == (56, 48) and out.info["dpi"] == (72, 72)


def test_an_image_of_equal_size_is_filtered_and_fusion_averages():
    _, guide = scene()
    out = girlib.restore(guide, 254 - guide // 2, "multifocus", method="average")
    assert np.abs(out - (guide.astype(float) + 254 - guide // 2) / 2).max() < 0.5 + 1e-3                 # halves round either way
    assert girlib.restore(guide, guide, "flash").shape == guide.shape


def test_pansharpening_keeps_bands_and_bits():
    rng = np.random.default_rng(0)
    bands, pan = rng.integers(100, 2000, (8, 16, 16)).astype(np.uint16), rng.integers(100, 2000, (64, 64)).astype(np.uint16)
    out = girlib.restore(bands, pan, "pansharpening")
    assert out.shape == (8, 64, 64) and out.dtype == np.uint16
    assert np.abs(out.mean((1, 2)) - bands.mean((1, 2))).max() < 20


def test_a_method_may_be_a_function_or_a_network():
    low, guide = scene()
    assert np.array_equal(girlib.restore(low, guide, method=lambda sample: sample.target * 0 + 1500), np.full((48, 56), 1500.0))
    torch.manual_seed(0)
    out = girlib.restore(low, guide, method=create_model("svlrm", "depth", width=4, depth=1))
    assert out.shape == (48, 56) and out.min() >= low.min() and out.max() <= low.max()


def shipped(monkeypatch, task, scales, value=0.5):
    """As if weights of a small network came with the package; returns what the network saw."""
    from girlib.weights import Weights
    seen = []

    class Brightening(torch.nn.Module):
        def prepare(self, sample):
            seen.append((sample.target.shape[1], sample.guide.shape[1]))
            return sample.target, sample.guide

        def forward(self, target, guide):
            return target + 0.01 * guide.mean(dim=1, keepdim=True)

        def finish(self, output, sample):
            return output

    kept = [Weights("fdkn", task, scales, None,
                    {"scores": [{"metric": "rmse", "value": value, "scale": scale, "baseline value": 1.0} for scale in scales]})]
    monkeypatch.setattr(restoration_methods, "list_weights", lambda task=None: [one for one in kept if one.task == task])
    monkeypatch.setattr(restoration_methods, "load_model", lambda name, task, weights, scale: Brightening())
    return seen


def test_weights_that_come_along_are_the_default_where_scale_and_channels_suit(monkeypatch):
    low, guide = scene()
    seen = shipped(monkeypatch, "depth", (4, 8))
    did = lambda *given, **options: restoration.run(restoration.Image(given[0], "target"), restoration.Image(given[1], "guide"),
                                                    *given[2:], **options).did
    assert "fdkn (weights of girlib" in did(low, guide, "depth") and seen[-1] == (1, 3)
    assert "fdkn (weights of girlib" in did(low, guide[..., 0], "depth") and seen[-1] == (1, 3)           # grey, repeated
    assert "gf-back" in did(low, guide.repeat(4, 0).repeat(4, 1), "depth")                                # x16
    assert "gf (" in did(low.repeat(4, 0).repeat(4, 1), guide, "depth") and len(seen) == 2                # enlarged before
    shipped(monkeypatch, "pansharpening", (4,))
    bands = np.random.default_rng(0).random((4, 8, 8))
    assert "gf-back" in did(bands, np.ones((32, 32)), "pansharpening")                                    # trained with 8
    with pytest.raises(GirlibError, match="no weights of girlib suit pansharpening at scale 4 with 4 and 1 channels"):
        girlib.restore(bands, np.ones((32, 32)), "pansharpening", weights="girlib")


def test_weights_that_scored_no_better_than_the_filter_are_left_alone(monkeypatch):
    low, guide = scene()
    expected = girlib.restore(low, guide, method="gf-back")
    for value in (0.95, 1.2):                                       # of bicubic's error
        seen = shipped(monkeypatch, "depth", (4,), value)
        assert np.array_equal(girlib.restore(low, guide), expected) and not seen
        girlib.restore(low, guide, weights="girlib")
        assert seen


def test_grey_photographs_stay_grey_where_the_network_wants_colours(monkeypatch):
    seen = shipped(monkeypatch, "flash", (None,))
    image = np.random.default_rng(0).random((20, 30))
    out = girlib.restore(image, image, "flash")
    assert out.shape == (20, 30) and seen == [(3, 3)] and np.abs(out - (image * 1.01).clip(0, 1)).max() < 1e-6


# ----------------------------------------------------------------------------------------------------- holes and range

@pytest.mark.parametrize("method", ["gf", "gf-back", "jbf", "jbu", "bicubic"])
@pytest.mark.parametrize("mark", [np.nan, np.inf, 0.0, 65535.0])
def test_holes_stay_and_never_spread(mark, method):
    low, guide = scene()
    low[3:5, 4:8] = low[0, 0] = mark
    out = girlib.restore(low, guide, method=method, nodata=65535 if mark == 65535 else None)
    hole = np.kron(low == mark if mark == mark else np.isnan(low), np.ones((4, 4))).astype(bool)
    assert np.array_equal(out[hole], np.full(hole.sum(), mark), equal_nan=True)
    valid = low[~hole[::4, ::4]]
    assert out[~hole].min() >= valid.min() and out[~hole].max() <= valid.max()


def test_holes_are_filled_by_choice_with_what_lies_around_them():
    low, guide = scene(20, 20)
    whole = girlib.restore(low, guide)
    torn = low.copy()
    torn[8:10, 3:6] = np.nan
    out = girlib.restore(torn, guide, fill=True)
    assert np.isfinite(out).all() and np.abs(out - whole).max() < 200                    # steps are 500 and 900
    far = np.ones_like(out, bool)
    far[16:56, 0:40] = False
    assert np.abs(out - whole)[far].max() < 1                           # the noise is measured without the hole, which changes it little


def test_a_hole_as_large_as_half_the_image_is_filled_within_the_range():
    low, guide = scene()
    low[:, 7:] = np.nan
    out = girlib.restore(low, guide, fill=True)
    assert np.isfinite(out).all() and out.min() >= np.nanmin(low) and out.max() <= np.nanmax(low)


def test_zero_is_a_measurement_where_depth_is_negative_or_nodata_is_false():
    low, guide = scene()
    low[2, 2] = 0
    assert (girlib.restore(low, guide) == 0).sum() == 16
    assert (girlib.restore(low, guide, nodata=False) == 0).sum() < 16
    assert (girlib.restore(low - 1200, guide) == 0).sum() < 16


def test_a_guide_with_nan_spoils_nothing():
    low, guide = scene()
    guide = guide / 255.0
    guide[10:14, 10:14] = np.nan
    assert np.isfinite(girlib.restore(low, guide)).all()


def test_the_result_stays_in_the_targets_range_where_the_plain_method_leaves_it():
    low, guide = np.where(np.mgrid[:8, :8][1] > 3, 4.0, 0.5), np.zeros((64, 64), np.uint8)
    guide[:, 32:] = 255
    plain = np.asarray(Image.fromarray(low.astype(np.float32)).resize((64, 64), Image.Resampling.BICUBIC))
    out = girlib.restore(low, guide, method="bicubic")
    assert plain.min() < 0.3 and plain.max() > 4.2 and out.min() == 0.5 and out.max() == 4


# --------------------------------------------------------------------------------------------------------------- tiles

@pytest.mark.parametrize("method", ["gf", "gf-back", "jbf", "jbu"])
def test_tiles_equal_the_whole_image(method):
    low, guide = scene(40, 44)
    low[10:14, 20:22] = np.nan
    whole, cut = (girlib.restore(low, guide, method=method, tile=tile) for tile in (0, 64))
    assert np.nanmax(np.abs(whole - cut)) < 1e-5 * np.nanmax(low) and np.isnan(cut).sum() == 128


@pytest.mark.parametrize("name, options, size", [("svlrm", {"width": 4}, (70, 150)), ("fdkn", {}, (120, 200)), ("djf", {}, (64, 140)),
                                                 ("dagf", {"width": 2}, (333, 400))])
def test_tiles_of_a_network_equal_the_whole_image_and_need_their_margin(name, options, size):
    torch.manual_seed(1)
    model = create_model(name, "depth", **options).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() == 1:
                parameter.fill_(0.4)                                # a norm that starts as the identity shall do something
    margin, step = tiles.MARGINS[name]
    images = torch.rand(1, 1, *size), torch.rand(1, 3 if name != "svlrm" else 1, *size)
    tile = 160 if name == "dagf" else 64
    with torch.no_grad():
        whole = model(*images)
        assert (tiles.in_tiles(model, images, tile, margin, step) - whole).abs().max() < 1e-5
        assert (tiles.in_tiles(model, images, tile, 0, step) - whole).abs().max() > 1e-3


@pytest.mark.parametrize("size, tile, margin, step, feather", [((50, 70), 16, 8, 1, 0), ((50, 70), 16, 8, 4, 5), ((33, 20), 32, 4, 2, 4)])
def test_tiles_cover_every_pixel_once(size, tile, margin, step, feather):
    image = torch.rand(2, 3, *size, dtype=torch.float64)
    seen = []
    out = tiles.in_tiles(lambda part: seen.append(part.shape) or part, (image,), tile, margin, step, feather)
    assert (out - image).abs().max() < 1e-12
    assert max(max(shape[-2:]) for shape in seen) <= 2 * math.ceil(tile / step) * step + 2 * math.ceil(margin / step) * step


def test_blended_tiles_of_a_method_that_pools_show_no_seam():
    """Steps across seams are as large as one pixel beside them."""
    image = torch.linspace(0, 1, 160)[None, None, None].expand(1, 1, 16, 160).contiguous()
    pooled = lambda part: part + part.mean()
    hard, soft = (tiles.in_tiles(pooled, (image,), 32, 16, feather=feather)[0, 0, 8].diff() for feather in (0, 12))
    beside = hard[[29, 61, 93]].abs().max()
    assert hard[[31, 63, 95]].abs().max() > 5 * beside
    assert (soft[[31, 63, 95]] / soft[[30, 62, 94]] - 1).abs().max() < 0.01


def test_steps_across_blended_seams_of_sfigf_are_distributed_as_beside_them():
    """Two samples (Kolmogorov-Smirnov) of the deviation's steps; with hard seams they differ beyond doubt."""
    from scipy.stats import ks_2samp
    network = girlib.load_model("sfigf", "multifocus", "girlib").eval()
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(256.0), indexing="ij")
    noise = torch.Generator().manual_seed(0)
    images = [torch.stack([0.5 + 0.3 * torch.sin(x / (7 + k + c)) * torch.cos(y / (9 + c)) for c in range(3)])[None]
              + 0.1 * torch.rand(1, 3, 64, 256, generator=noise) for k in range(2)]
    (margin, feather), step = tiles.BLENDED

    def likely(width):
        away = tiles.in_tiles(network, images, 64, margin, step, width) - whole
        at, beside = (torch.cat([away[..., seam + d] - away[..., seam + d - 1] for seam in (64, 128, 192)]) for d in (0, 1))
        return away.abs().max() / (whole.max() - whole.min()), ks_2samp(at.abs().flatten(), beside.abs().flatten()).pvalue

    with torch.no_grad():
        whole = network(*images)
        (deviation, soft), (_, hard) = likely(feather), likely(0)
    assert deviation < 0.02 and soft > 0.01 and hard < 1e-6


class Pooling(torch.nn.Module):
    """A network that pads to eights, pools over the whole image, and notes how large the images are that it sees."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def prepare(self, sample):
        pad = [n for side in sample.target.shape[:1:-1] for n in (0, -side % 8)]
        return [torch.nn.functional.pad(image, pad, mode="replicate") for image in (sample.target, sample.guide)]

    def forward(self, target, guide):
        self.seen.append(max(target.shape[-2:]))
        return target + 0.01 * guide.mean(dim=(1, 2, 3), keepdim=True)

    def finish(self, output, sample):
        return output[..., :sample.target.shape[2], :sample.target.shape[3]]


def test_a_network_that_pads_and_pools_goes_in_tiles_too_and_says_so():
    rng = np.random.default_rng(0)
    a, b = rng.random((70, 301, 3)), rng.random((70, 301, 3))
    network = Pooling()
    done = restoration.run(restoration.Image(a, "target"), restoration.Image(b, "guide"), "multifocus", method=network, tile=64)
    assert max(network.seen) <= 2 * 64 + 2 * 64 and len(network.seen) > 3 and "tiles that are blended" in done.did
    assert np.abs(done.planes[0].permute(1, 2, 0).numpy() - np.minimum(a + 0.005, 1)).max() < 1e-3


# ------------------------------------------------------------------------------------------------------------ alignment

def boxes(seed, size=224):
    """A target (H, W) and a guide (H, W, 3) of rectangles, each with its depth and its colour, some hardly different from the next."""
    rng = np.random.default_rng(seed)
    target, guide = np.full((size, size), 5.0), rng.normal(120, 3, (size, size, 3))
    for _ in range(60):
        y, x, h, w = *rng.integers(0, size, 2), *rng.integers(10, 60, 2)
        target[y:y + h, x:x + w] = rng.uniform(1, 5)
        guide[y:y + h, x:x + w] += rng.normal(0, 40, 3)
    return target, guide.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("shift", [(9, -14), (4, 20), (-12, 6)])
def test_a_shifted_pair_is_noticed_and_by_how_much(shift):
    target, guide = boxes(0)
    moved, guide = np.roll(target, shift, (0, 1))[24:-24, 24:-24], guide[24:-24, 24:-24]
    found = find_shift(torch.from_numpy(moved)[None, None], torch.from_numpy(guide).permute(2, 0, 1)[None])
    assert max(abs(a - b) for a, b in zip(found, shift, strict=True)) <= 2
    side, height = "left" if shift[1] < 0 else "right", "above" if shift[0] < 0 else "below"
    with pytest.warns(UserWarning, match=f"about .* pixels {height} and .* pixels {side} of the guide"):
        girlib.restore(moved, guide)


@pytest.mark.parametrize("seed", range(3))
def test_aligned_and_unrelated_pairs_raise_no_warning(seed):
    target, guide = boxes(seed)
    low = target.reshape(56, 4, 56, 4).mean((1, 3))
    for other in (guide, np.random.default_rng(seed).integers(0, 256, guide.shape).astype(np.uint8)):
        girlib.restore(low, other)                                  # warnings are errors here


# ---------------------------------------------------------------------------------------------------------- wrong input

LOW, GUIDE = scene()


@pytest.mark.parametrize("given, said", [
    ((GUIDE, LOW), "swapped"),
    ((GUIDE[..., 0], LOW), "swapped"),
    ((LOW, GUIDE[:, :30]), "proportions"),
    ((LOW, GUIDE, "depht"), "no task 'depht'"),
    ((LOW, GUIDE, "hdr"), "more than two"),
    ((LOW, GUIDE, "flash"), "flash expects one size"),
    ((LOW, GUIDE, "depth", 3), "scale is 3"),
    ((LOW, GUIDE, "depth", True), "scale is True"),
    ((LOW, GUIDE, "depth", 0), "scale is 0"),
    ((GUIDE, GUIDE, "multifocus", 2), "scale is 2"),
    ((LOW, GUIDE, "depth", None, "magic"), "no method 'magic'"),
    ((LOW, GUIDE, "depth", None, "dagf"), "needs weights"),
    ((LOW, GUIDE, "depth", None, "gf", "w.pth"), "no weights"),
    ((LOW, GUIDE, "depth", None, None, "w.pth"), "name it"),
    ((LOW, GUIDE, "depth", None, "dagf", "girlib"), "weights"),
    ((LOW, GUIDE, "depth", None, "dagf", "absent.pth"), "absent.pth"),
    ((LOW > 0, GUIDE), "bool"),
    ((LOW[:0], GUIDE), "empty"),
    ((LOW[0], GUIDE), "shape"),
    ((LOW.tolist(), GUIDE), "list"),
    ((np.full_like(LOW, np.nan), GUIDE), "only holes"),
    ((LOW, np.full((48, 56), np.nan)), "no finite pixel"),
    ((LOW.astype(complex), GUIDE), "complex"),
    ((np.ma.masked_less(LOW, 1500), GUIDE), "masked"),
])
def test_wrong_arrays_get_one_sentence(given, said):
    with pytest.raises(GirlibError) as error:
        girlib.restore(*given)
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("options, said", [({"tile": 10}, "tile is 10"), ({"nodata": "x"}, "nodata is 'x'"), ({"device": "gpu"}, "gpu"),
                                           ({"diameter": 3}, "diameter"), ({"radius": -1}, "radius is -1"), ({"radius": "x"}, "radius='x'"),
                                           ({"method": Pooling(), "radius": 3}, "radius was given")])
def test_wrong_options_get_one_sentence(options, said):
    with pytest.raises(GirlibError, match=said):
        girlib.restore(LOW, GUIDE, **options)
