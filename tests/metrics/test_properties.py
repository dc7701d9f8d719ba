"""What each metric promises of itself: its best value, its range, what does not move it, and that noise makes it worse."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from girlib import metrics
from girlib.metrics import METRICS, measure
from girlib.metrics.spectral import _product

BEST = {  # of a restored image that equals its reference, or both sources
    "rmse": 0, "psnr": math.inf, "ssim": 1, "sam": 0, "ergas": 0, "scc": 1, "q": 1, "q2n": 1, "delta_e": 0, "vifp": 1,
    "psnr_fusion": math.inf, "ssim_src": 1, "q_s": 1, "q_y": 1, "q_mi": 2, "q_cb": 1, "mef_ssim": 1, "vif": 1, "ce": 0, "miou": 1,
}
FULL = ["rmse", "psnr", "ssim", "sam", "ergas", "scc", "q", "q2n", "delta_e", "vifp"]
FUSION = [name for name, entry in METRICS.items() if entry.reads == ("restored", "target", "guide")]
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=4, deadline=None, derandomize=True)


def textured(seed, channels=3, height=45, width=49):
    """8-bit levels over [0, 1]: smooth shapes and texture."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    smooth = [np.sin(x / rng.uniform(2, 9) + rng.uniform(0, 6)) * np.cos(y / rng.uniform(2, 9)) for _ in range(channels)]
    return np.round(255 * (0.5 + 0.3 * np.stack(smooth) + rng.uniform(-0.15, 0.15, (channels, height, width)))) / 255


def noisy(image, amount, seed=1):
    return (image + amount * np.random.default_rng(seed).standard_normal(image.shape)).clip(0, 1)


def given_to(name, restored, truth):
    """The images that a metric reads, all of them the truth but for the restored one."""
    if name in ("q2n",):
        restored, truth = 2047 * restored, 2047 * truth
    return {"restored": restored} | {key: truth for key in METRICS[name].reads if key != "restored"}


@pytest.mark.parametrize("name", [name for name in BEST if name != "miou"])
@few
@given(seed=seeds)
def test_what_is_equal_has_the_best_value(name, seed):
    image = textured(seed)
    assert measure(name, **given_to(name, image, image)) == pytest.approx(BEST[name], abs=1e-9)


def test_equal_labels_have_the_best_value():
    labels = np.random.default_rng(0).integers(0, 21, (1, 9, 9))
    assert metrics.miou(labels, labels) == 1
    assert metrics.f_measure(labels > 9, labels > 9) == 1


def test_equal_images_without_a_reference_have_no_distortion():
    low = textured(0, 4, 16, 16)
    flat = np.repeat(np.repeat(low.mean(axis=(1, 2), keepdims=True), 64, axis=1), 64, axis=2)
    assert metrics.d_lambda(flat, flat[:, :16, :16]) == pytest.approx(0, abs=1e-9)
    assert metrics.qnr(flat, flat[:, :16, :16], flat[:1]) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", FULL + FUSION)
def test_values_stay_within_their_range_and_noise_makes_them_worse(name):
    truth = textured(3)
    values = [measure(name, **given_to(name, noisy(truth, amount), truth)) for amount in (0.02, 0.08, 0.3)]
    assert all(METRICS[name].range[0] <= value <= METRICS[name].range[1] for value in values)
    better = {"higher": np.greater, "lower": np.less}[METRICS[name].direction]
    assert all(better(values[:-1], values[1:])), values


@pytest.mark.parametrize("name", ["rmse", "psnr", "ssim", "sam", "scc", "q"])
@few
@given(seed=seeds)
def test_symmetric_metrics_do_not_ask_which_is_the_truth(name, seed):
    x, y = textured(seed), noisy(textured(seed), 0.1)
    assert measure(name, restored=x, reference=y) == pytest.approx(measure(name, restored=y, reference=x), rel=1e-12)


@pytest.mark.parametrize("name", ["ergas", "q2n", "vifp"])
def test_other_metrics_do_ask(name):
    x, y = textured(0), noisy(textured(0), 0.1)
    a, b = given_to(name, x, y), given_to(name, y, x)
    assert abs(measure(name, **a) - measure(name, **b)) > 1e-6


@pytest.mark.parametrize("name", [name for name in FUSION if name != "vif"])      # where both gains are 0 it takes the guide's
def test_sources_may_change_places(name):
    A, B = textured(0), noisy(textured(0), 0.2)
    value = measure(name, restored=textured(1), target=A, guide=B)
    assert measure(name, restored=textured(1), target=B, guide=A) == pytest.approx(value, rel=1e-12)


@few
@given(seed=seeds, scale=st.floats(0.1, 8))
def test_ratios_do_not_see_the_unit(seed, scale):
    x, y = noisy(textured(seed), 0.1), textured(seed)
    for name in ("sam", "ergas", "scc", "q"):
        value = measure(name, restored=x, reference=y)
        assert measure(name, restored=scale * x, reference=scale * y) == pytest.approx(value, rel=1e-9), name
    assert metrics.sam(scale * x, y) == pytest.approx(metrics.sam(x, y), rel=1e-9)            # an angle, whatever the brightness
    assert metrics.scc(scale * x, y, filter="none") == pytest.approx(metrics.scc(x, y, filter="none"), rel=1e-9)
    assert metrics.psnr(scale * x, scale * y, data_range=scale) == pytest.approx(metrics.psnr(x, y), rel=1e-9)
    assert metrics.ssim(scale * x, scale * y, data_range=scale) == pytest.approx(metrics.ssim(x, y), rel=1e-9)
    assert metrics.q2n(scale * x, scale * y, cast=False) == pytest.approx(metrics.q2n(x, y, cast=False), rel=1e-9)


def test_the_order_of_bands_matters_to_q2n_alone():
    x, y = noisy(textured(0, 8), 0.1), textured(0, 8)
    order = [3, 1, 7, 0, 2, 6, 5, 4]
    for name in ("rmse", "psnr", "ssim", "sam", "ergas", "scc", "q"):
        value = measure(name, restored=x, reference=y)
        assert measure(name, restored=x[order], reference=y[order]) == pytest.approx(value, rel=1e-12), name
    assert abs(metrics.q2n(x[order], y[order], cast=False) - metrics.q2n(x, y, cast=False)) > 1e-6


@settings(max_examples=30, deadline=None, derandomize=True)
@given(n=st.sampled_from([2, 4, 8]), seed=seeds)
def test_the_length_of_a_hypercomplex_product_is_the_product_of_the_lengths(n, seed):
    u, v = torch.from_numpy(np.random.default_rng(seed).standard_normal((2, n, 5)))
    assert torch.allclose(_product(u, v).norm(dim=0), u.norm(dim=0) * v.norm(dim=0), rtol=1e-12, atol=0)


@few
@given(seed=seeds)
def test_information_does_not_see_the_names_of_the_levels(seed):
    F, A, B = textured(seed), noisy(textured(seed), 0.1), noisy(textured(seed), 0.1, 2)
    renamed = np.random.default_rng(seed).permutation(256)[np.round(255 * F).astype(int)].astype(np.uint8)
    eight = [np.round(255 * image).astype(np.uint8) for image in (F, A, B)]
    assert metrics.en(renamed) == pytest.approx(metrics.en(F), rel=1e-12)
    assert metrics.mi(renamed, *eight[1:]) == pytest.approx(metrics.mi(F, A, B), rel=1e-12)
    assert metrics.q_mi(renamed, *eight[1:], stretch=False) == pytest.approx(metrics.q_mi(F, A, B, stretch=False), rel=1e-12)
    assert 0 <= metrics.q_mi(F, A, B) <= 2 and 0 <= metrics.en(F) <= 8


def test_of_many_images_the_mean_of_their_values_is_taken():
    x, y = np.stack([textured(0), textured(1)]), np.stack([noisy(textured(0), 0.05), noisy(textured(1), 0.2)])
    for name in ("rmse", "psnr", "ssim", "sam", "ergas"):
        assert measure(name, restored=x, reference=y) == np.mean([measure(name, restored=x[n], reference=y[n]) for n in (0, 1)])
    assert metrics.q_abf(x, y, y) == pytest.approx(np.mean([metrics.q_abf(x[n], y[n], y[n]) for n in (0, 1)]), rel=1e-12)
    pooled = metrics.rmse(np.concatenate(list(x), axis=-1), np.concatenate(list(y), axis=-1))
    assert metrics.rmse(x, y) < pooled - 1e-3                             # what libraries that pool the errors print


def test_tensors_arrays_and_8_bit_images_give_the_same():
    x, y = noisy(textured(0), 0.1), textured(0)
    x = np.round(255 * x) / 255
    for name in ("psnr", "ssim", "delta_e"):
        value = measure(name, restored=x, reference=y)
        as_bytes = [torch.from_numpy(np.round(255 * image).astype(np.uint8)) for image in (x, y)]
        assert measure(name, restored=torch.from_numpy(x)[None], reference=torch.from_numpy(y)[None]) == value
        assert measure(name, restored=as_bytes[0], reference=as_bytes[1]) == pytest.approx(value, rel=1e-9)


def test_values_are_clipped_or_brought_to_8_bits_before_they_are_measured():
    x, y = np.array([[[-0.3, 0.4999, 0.7, 1.2]]]), np.array([[[0.0, 0.5, 0.7, 1.0]]])
    error = lambda a, b: math.sqrt(np.mean((np.array(a) - np.array(b))**2))
    assert metrics.rmse(x, y, values="clip") == pytest.approx(error([0, 0.4999, 0.7, 1], [0, 0.5, 0.7, 1]))
    assert metrics.rmse(x, y, values="round") == pytest.approx(error([0, 127, 178, 255], [0, 128, 178, 255]) / 255)
    assert metrics.rmse(x, y, values="truncate") == pytest.approx(0)       # 127.47 and 127.5 are both cut to 127
    levels = torch.arange(256, dtype=torch.float32)[None, None] / 255     # each level survives the way to float32 and back
    assert metrics.rmse(levels, torch.arange(256, dtype=torch.float64)[None, None] / 255, values="truncate") == 0


def test_the_average_of_two_sources_beats_a_result_that_took_the_best_of_each():
    sharp = textured(0, 1, 64, 64)
    blur = lambda x: sum(np.roll(x, (i, j), (1, 2)) for i in (-2, -1, 0, 1, 2) for j in (-2, -1, 0, 1, 2)) / 25
    A, B = sharp.copy(), blur(sharp)
    A[:, :, 32:], B[:, :, 32:] = B[:, :, 32:], A[:, :, 32:].copy()
    assert metrics.ssim_src((A + B) / 2, A, B) > metrics.ssim_src(sharp, A, B)
    assert metrics.q_s(sharp, A, B) > metrics.q_s((A + B) / 2, A, B)      # the one that asks where the contrast is, does not


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_says_all_that_a_table_needs(name):
    entry = METRICS[name]
    assert entry.name == name and entry.title and entry.unit and entry.reference
    assert entry.direction in ("lower", "higher") and entry.range[0] < entry.range[1]
    assert "restored" in entry.reads and set(entry.reads) <= {"restored", "reference", "target", "guide", "low"}
    assert set(entry.choices) <= set(entry.options) and all(entry.options[key] in choices for key, choices in entry.choices.items())
    assert getattr(metrics, name) is entry.function and entry.function.__doc__
    own = set(entry.options) - {"border", "data_range", "values", "color"}
    assert all(option in entry.function.__doc__ for option in own), own


def test_a_half_is_rounded_up_also_where_floats_only_nearly_hold_it():
    """The average of any two levels, made of floats, is (a + b + 1) // 2: of half to even, odd sums would all become even."""
    a, b = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    average = ((a / 255 + b / 255) / 2)[None]
    expected = ((a + b + 1) // 2).to(torch.uint8)[None]
    assert metrics.rmse(average, expected / 255, values="round", factor=255) < 1e-6
    assert metrics.en(average) == metrics.en(expected)
