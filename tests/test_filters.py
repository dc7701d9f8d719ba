"""The filters keep their promises: they equal least squares in every window, and say in one sentence what they cannot do."""

import inspect
import math
import warnings

import numpy as np
import oracles
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from girlib import filters, strips
from girlib.filters import (
    BoxMean,
    FastGuidedFilter,
    GuidedFilter,
    JointBilateralFilter,
    JointBilateralUpsample,
    box_mean,
    fast_guided_filter,
    guided_coefficients,
    guided_filter,
    joint_bilateral_filter,
    joint_bilateral_upsample,
)

EXACT = 1e-10     # float64: what the issue is about is the definition; rounding stays below 1e-13


def rand(*shape, seed=0, dtype=torch.float64):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def pair(C=1, G=1, H=9, W=11, N=1, dtype=torch.float64):
    return rand(N, C, H, W, dtype=dtype), rand(N, G, H, W, seed=1, dtype=dtype)


def whole(target, guide, *parameters):
    """The filter by whole planes: a gradient that is asked for keeps it from the strips."""
    return guided_filter(target.detach().clone().requires_grad_(), guide, *parameters).detach()


def largest(a, b):
    """Largest difference; infinite if one has a NaN where the other has none."""
    a, b = np.broadcast_arrays(np.asarray(a), np.asarray(b))
    return np.abs(a - b)[~np.isnan(a)].max(initial=0) if np.array_equal(np.isnan(a), np.isnan(b)) else np.inf


# ------------------------------------------------------------------------------------------------------- definitions

@pytest.mark.parametrize("radius", [0, 1, 3, 8, 10**9])
@pytest.mark.parametrize("H, W", [(9, 11), (1, 14), (13, 1), (1, 1)])
def test_box_mean_is_the_mean_of_every_window(H, W, radius):
    image = rand(2, 3, H, W)
    for got, one in zip(box_mean(image, radius), image, strict=True):
        assert largest(got, oracles.box_mean(one, radius)) < EXACT


@pytest.mark.parametrize("radius", [0, 1, 2, 5, 10**9])
@pytest.mark.parametrize("C, G", [(1, 1), (1, 3), (3, 1), (2, 2), (2, 5)])
def test_filter_equals_least_squares_in_every_window(C, G, radius):
    target, guide = pair(C, G)
    for form in (guided_filter, whole):
        assert largest(form(target, guide, radius, 0.01)[0], oracles.guided_filter(target[0], guide[0], radius, 0.01)) < EXACT


@pytest.mark.parametrize("H, W", [(1, 1), (1, 14), (13, 1), (2, 2)])
def test_thin_images_equal_least_squares(H, W):
    target, guide = pair(2, 3, H, W)
    for radius in (1, 4):
        assert largest(guided_filter(target, guide, radius, 0.01)[0], oracles.guided_filter(target[0], guide[0], radius, 0.01)) < EXACT


@pytest.mark.parametrize("G", [1, 3])
def test_coefficients_equal_least_squares_and_make_the_result(G):
    target, guide = pair(2, G)
    A, B = guided_coefficients(target, guide, 2, 0.01)
    a, b = oracles.guided_coefficients(target[0], guide[0], 2, 0.01)
    assert A.shape == (1, 2, G, 9, 11) and B.shape == (1, 2, 9, 11)
    assert largest(A[0], a) < EXACT and largest(B[0], b) < EXACT
    assert largest((A * guide[:, None]).sum(2) + B, guided_filter(target, guide, 2, 0.01)) < EXACT


@pytest.mark.parametrize("G", [1, 3])
def test_weights_count_in_every_window(G):
    target, guide = pair(2, G)
    weight = 3 * rand(1, 1, 9, 11, seed=2) * (rand(1, 1, 9, 11, seed=3) > 0.3)
    weight[..., :5, :5] = 0                                     # a hole that some windows do not see beyond
    for radius in (1, 2, 30):
        got = guided_filter(target, guide, radius, 0.01, weight)[0]
        wanted = oracles.guided_filter(target[0], guide[0], radius, 0.01, weight[0, 0])
        assert largest(got, wanted) < EXACT
        assert got.isnan().any() == (radius < 30)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(H=st.integers(1, 12), W=st.integers(1, 12), C=st.integers(1, 3), G=st.integers(1, 4), radius=st.integers(0, 14),
       eps=st.sampled_from([1e-4, 0.01, 1.0]), dtype=st.sampled_from([torch.float64, torch.float32]))
def test_any_shape_and_radius_equals_least_squares(H, W, C, G, radius, eps, dtype):
    target, guide = pair(C, G, H, W, dtype=dtype)
    got, wanted = guided_filter(target, guide, radius, eps), oracles.guided_filter(target[0], guide[0], radius, eps)
    assert got.dtype == dtype
    # float32: a covariance is wrong by some 1e-7, a slope by that over eps, and a slope of some ten units is possible
    assert largest(got[0], wanted) < (EXACT if dtype == torch.float64 else 3e-3 if eps == 1e-4 else 2e-5)


def test_zero_epsilon_is_plain_least_squares():
    target, guide = pair(2, 3)
    assert largest(guided_filter(target, guide, 2, 0)[0], oracles.guided_filter(target[0], guide[0], 2, 0)) < EXACT


@pytest.mark.parametrize("C, G, radius", [(1, 1, 2), (2, 3, 1), (1, 1, 40)])
def test_bilateral_filter_equals_its_double_sum(C, G, radius):
    target, guide = pair(C, G)
    got = joint_bilateral_filter(target, guide, radius, 1.5, 0.3)
    assert largest(got[0], oracles.joint_bilateral_filter(target[0], guide[0], radius, 1.5, 0.3)) < EXACT


@pytest.mark.parametrize("size, low_size", [((8, 12), (4, 6)), ((9, 13), (4, 5)), ((7, 7), (1, 1)), ((6, 5), (6, 5)), ((4, 9), (8, 3))])
def test_bilateral_upsampling_equals_its_double_sum_for_any_ratio(size, low_size):
    low, guide = rand(1, 2, *low_size), rand(1, 3, *size, seed=1)
    for radius in (0, 1, 2):
        got = joint_bilateral_upsample(low, guide, radius, 0.8, 0.2)
        assert got.shape == (1, 2, *size)
        assert largest(got[0], oracles.joint_bilateral_upsample(low[0], guide[0], radius, 0.8, 0.2)) < EXACT


# -------------------------------------------------------------------------------------------------------- identities

def test_constant_guide_gives_mean_of_means():
    target, _ = pair(2)
    for G in (1, 3):
        got = guided_filter(target, torch.full((1, G, 9, 11), 0.3, dtype=torch.float64), 2, 0.01)
        assert largest(got, box_mean(box_mean(target, 2), 2)) < EXACT


@pytest.mark.parametrize("G", [1, 3])
def test_large_epsilon_forgets_the_guide(G):
    target, guide = pair(2, G)
    forgotten = box_mean(box_mean(target, 2), 2)
    assert largest(guided_filter(target, guide, 2, 1e12), forgotten) < EXACT
    assert largest(guided_filter(target, guide, 2, math.inf), forgotten) < EXACT


def test_small_epsilon_returns_a_guide_that_is_the_target():
    target, _ = pair()
    assert largest(guided_filter(target, target, 2, 1e-14), target) < EXACT


def test_line_of_the_guide_is_kept():
    _, guide = pair(G=3)
    target = guide[:, :1] - 2 * guide[:, 1:2] + 0.5 * guide[:, 2:] + 7
    assert largest(guided_filter(target, guide, 3, 0), target) < EXACT


def test_filter_is_linear_in_the_target_and_keeps_constants():
    target, guide = pair(2, 3)
    filtered = guided_filter(target, guide, 2, 0.01)
    mixed = guided_filter(3 * target[:, :1] - target[:, 1:] + 5, guide, 2, 0.01)
    assert largest(mixed, 3 * filtered[:, :1] - filtered[:, 1:] + 5) < EXACT


def test_scaled_guide_with_scaled_epsilon_is_the_same():
    target, guide = pair(G=3)
    assert largest(guided_filter(target, 255 * guide + 40, 2, 255**2 * 0.01), guided_filter(target, guide, 2, 0.01)) < EXACT


def test_scale_of_the_weight_does_not_matter():
    target, guide = pair()
    weight = rand(1, 1, 9, 11, seed=2)
    assert largest(guided_filter(target, guide, 2, 0.01, 1000 * weight), guided_filter(target, guide, 2, 0.01, weight)) < EXACT


def test_weight_one_everywhere_is_no_weight():
    target, guide = pair(2, 3)
    weight = torch.ones(1, 1, 9, 11, dtype=torch.float64)
    assert torch.equal(guided_filter(target, guide, 2, 0.01, weight), whole(target, guide, 2, 0.01))


@pytest.mark.parametrize("turn", [lambda x: x.flip(-1), lambda x: x.flip(-2), lambda x: x.mT], ids=["mirror", "upside down", "transpose"])
def test_filters_commute_with_flips_and_transposes(turn):
    target, guide = pair(2, 3, 14, 18)
    weight = (rand(1, 1, 14, 18, seed=2) > 0.3).double()
    for apply in (lambda p, i, w: box_mean(p, 2),
                  lambda p, i, w: guided_filter(p, i, 2, 0.01),
                  lambda p, i, w: guided_filter(p, i, 2, 0.01, w),
                  lambda p, i, w: fast_guided_filter(p, i, 4, 0.01, 2),
                  lambda p, i, w: joint_bilateral_filter(p, i, 2, 1.5, 0.3),
                  lambda p, i, w: joint_bilateral_upsample(F.avg_pool2d(p, 2), i, 2, 1.5, 0.3)):
        assert largest(apply(turn(target), turn(guide), turn(weight)), turn(apply(target, guide, weight))) < EXACT


def test_fast_filter_without_subsampling_is_the_filter():
    target, guide = pair(2, 3)
    assert largest(fast_guided_filter(target, guide, 2, 0.01, 1), guided_filter(target, guide, 2, 0.01)) < EXACT


def test_fast_filter_draws_small_lines_on_the_full_guide():
    target, guide = pair(2, 3, 16, 24)
    small = [F.avg_pool2d(x, 2) for x in (target, guide)]       # bilinear halving is the mean of two by two
    A, B = (torch.from_numpy(x) for x in oracles.guided_coefficients(small[0][0], small[1][0], 2, 0.01))
    A, B = (F.interpolate(x, (16, 24), mode="bilinear") for x in (A.transpose(0, 1), B[None]))
    wanted = (A.transpose(0, 1) * guide).sum(1) + B[0]
    assert largest(fast_guided_filter(target, guide, 4, 0.01, 2)[0], wanted) < EXACT


def test_fast_filter_rounds_the_small_radius_and_takes_any_size():
    target, guide = pair(1, 1, 17, 23)
    assert fast_guided_filter(target, guide, 5, 0.01, 5).shape == target.shape
    halved = fast_guided_filter(target, guide, 5, 0.01, 2)      # 5 / 2 is rounded to 3, not to 2
    assert torch.equal(halved, fast_guided_filter(target, guide, 6, 0.01, 2))


def test_wide_range_makes_the_bilateral_filter_forget_the_guide():
    target, guide = pair()
    blind = joint_bilateral_filter(target, torch.zeros_like(guide), 2, 1.5, 1.0)
    assert largest(joint_bilateral_filter(target, guide, 2, 1.5, math.inf), blind) < EXACT


def test_bilateral_upsampling_finds_a_value_where_no_pixel_is_alike():
    low, guide = torch.full((1, 1, 3, 3), 2.0), rand(1, 1, 9, 9, dtype=torch.float32) * 1000
    assert torch.allclose(joint_bilateral_upsample(low, guide, 1, 1.0, 1e-3), torch.tensor(2.0))


# ------------------------------------------------------------------------------------------------ strips and layouts

@pytest.mark.parametrize("columns, area", [(1024, 49152), (16, 1), (7, 100), (3, 1), (40, 900)])
@pytest.mark.parametrize("H, W, C, G, N, radius", [(41, 37, 1, 1, 1, 3), (30, 75, 2, 3, 2, 2), (67, 8, 1, 5, 1, 1), (8, 90, 9, 1, 1, 2),
                                                   (64, 64, 1, 1, 1, 16), (33, 29, 1, 2, 1, 5)])
def test_strips_equal_whole_planes(monkeypatch, columns, area, H, W, C, G, N, radius):
    monkeypatch.setattr(strips, "COLUMNS", columns)
    monkeypatch.setattr(strips, "AREA", area)
    target, guide = pair(C, G, H, W, N)
    assert strips.suits(target, guide, radius, 0.01, None)
    assert largest(guided_filter(target, guide, radius, 0.01), whole(target, guide, radius, 0.01)) < 1e-12


def test_strips_of_a_real_size_equal_whole_planes():
    target, guide = pair(1, 3, 301, 1701, dtype=torch.float32)  # two blocks of columns, several strips
    assert largest(guided_filter(target, guide, 8, 1e-3), whole(target, guide, 8, 1e-3)) < 2e-6


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_do_not_change_the_result(threads):
    target, guide = pair(1, 3, 400, 300, dtype=torch.float32)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        assert largest(guided_filter(target, guide, 4, 1e-3), whole(target, guide, 4, 1e-3)) < 2e-6
    finally:
        torch.set_num_threads(before)


def test_batch_is_filtered_image_by_image():
    target, guide = pair(2, 3, 20, 30, N=3)
    weight = (rand(3, 1, 20, 30, seed=2) > 0.3).double()
    for apply in (lambda p, i, w: box_mean(p, 2), lambda p, i, w: guided_filter(p, i, 2, 0.01), lambda p, i, w: whole(p, i, 2, 0.01),
                  lambda p, i, w: guided_filter(p, i, 2, 0.01, w), lambda p, i, w: fast_guided_filter(p, i, 4, 0.01, 2),
                  lambda p, i, w: joint_bilateral_filter(p, i, 2, 1.5, 0.3)):
        one_by_one = [apply(target[n:n + 1], guide[n:n + 1], weight[n:n + 1]) for n in range(3)]
        assert largest(apply(target, guide, weight), torch.cat(one_by_one)) < EXACT


@pytest.mark.parametrize("layout", [
    lambda x: x.contiguous(memory_format=torch.channels_last), lambda x: x.mT.contiguous().mT,
    lambda x: torch.cat([x, x], dim=-1)[..., ::2] * 0 + x, lambda x: F.pad(x, (3, 2, 1, 4))[..., 1:-4, 3:-2],
], ids=["channels last", "transposed", "computed", "sliced"])
def test_memory_layout_does_not_matter(layout):
    target, guide = pair(2, 3, 24, 28)
    before = target.clone(), guide.clone()
    for form in (guided_filter, whole):
        assert largest(form(layout(target), layout(guide), 2, 0.01), form(target, guide, 2, 0.01)) < EXACT
    assert torch.equal(target, before[0]) and torch.equal(guide, before[1])


def test_expanded_images_are_filtered():
    target, guide = pair(1, 1, 24, 28)
    for form in (guided_filter, whole):
        got = form(target.expand(2, 3, -1, -1), guide.expand(2, -1, -1, -1), 2, 0.01)
        assert largest(got, form(target, guide, 2, 0.01).expand(2, 3, -1, -1)) < EXACT


# --------------------------------------------------------------------------------------------------------- precision

@pytest.mark.parametrize("G, radius, eps", [(1, 4, 1e-2), (1, 64, 1e-4), (3, 8, 1e-3)])
def test_float32_is_safe_at_four_megapixels(G, radius, eps):
    y, x = torch.meshgrid(*2 * [torch.linspace(0, 1, 2048, dtype=torch.float64)], indexing="ij")
    guide = torch.stack([0.4 + 0.4 * x * y + 0.1 * torch.sin((20 + 9 * g) * x + 30 * y) for g in range(G)])[None]
    guide = (guide + 0.05 * rand(1, G, 2048, 2048)).float()
    target = (0.5 * guide[:, :1] + 0.3 * (x > y) + 0.1 * rand(1, 1, 2048, 2048, seed=1)).float()
    exact = guided_filter(target.double(), guide.double(), radius, eps)
    assert largest(guided_filter(target, guide, radius, eps), exact) < 1e-4


def test_float32_box_mean_is_safe_at_four_megapixels():
    image = rand(1, 1, 2048, 2048, dtype=torch.float32)
    for radius in (1, 32, 3000):
        assert largest(box_mean(image, radius), box_mean(image.double(), radius)) < 1e-6


def test_depth_in_millimetres_keeps_its_digits():
    depth, guide = 3000 + 5 * rand(1, 1, 200, 200, dtype=torch.float32), rand(1, 1, 200, 200, seed=1, dtype=torch.float32)
    for form in (guided_filter, whole):
        for target, eps in ((depth, 1e-4), (guide, 1e-2)):      # guided by an image, and guiding
            other = guide if target is depth else depth
            exact = guided_filter(target.double(), other.double(), 4, eps)
            # a float32 of 3000 is 0.00024 coarse; windows of mean 0 and 5 mm leave a part of that
            assert largest(form(target, other, 4, eps), exact) < (5e-4 if target is depth else 1e-5)


def test_a_grey_photograph_stored_in_three_channels_acts_like_one_channel():
    target, grey = pair(1, 1, 60, 60, dtype=torch.float32)
    for eps in (1e-3, 1e-6, 1e-9):
        # three equal channels share the slope, which costs a third: eps / 3 for one channel
        one = guided_filter(target.double(), grey.double(), 3, eps / 3)
        for form in (guided_filter, whole):
            assert largest(form(target, grey.expand(-1, 3, -1, -1), 3, eps), one) < 1e-4


def test_rounding_is_never_divided_by_next_to_nothing():
    target, grey = pair(1, 1, 60, 60, dtype=torch.float32)
    nearly_grey = grey + 1e-4 * rand(1, 3, 60, 60, seed=2, dtype=torch.float32)
    for eps in (1e-9, 1e-12):                                   # far below what float32 can tell of these channels
        for form in (guided_filter, whole):
            assert (form(target, nearly_grey, 3, eps) - 0.5).abs().max() < 1


@pytest.mark.parametrize("dtype, coarse", [(torch.float16, 2**-11), (torch.bfloat16, 2**-8)])
def test_half_precision_is_rounded_once(dtype, coarse):
    target, guide = pair(2, 3, 20, 20, dtype=torch.float32)
    target, guide = target.to(dtype), guide.to(dtype)
    weight = torch.ones(1, 1, 20, 20, dtype=dtype)
    for apply in (lambda p, i, w: box_mean(p, 2), lambda p, i, w: guided_filter(p, i, 2, 1e-3),
                  lambda p, i, w: guided_filter(p, i, 2, 1e-3, w), lambda p, i, w: guided_coefficients(p, i, 2, 1e-3)[1],
                  lambda p, i, w: fast_guided_filter(p, i, 2, 1e-3, 2), lambda p, i, w: joint_bilateral_filter(p, i, 2, 1.5, 0.3),
                  lambda p, i, w: joint_bilateral_upsample(p, i, 2, 1.5, 0.3)):
        got, exact = apply(target, guide, weight), apply(target.float(), guide.float(), weight.float())
        assert got.dtype == dtype and torch.equal(got, exact.to(dtype))
        assert largest(got.float(), exact) <= coarse * exact.abs().max()


def test_half_precision_holds_windows_of_a_hundred_thousand_pixels():
    image = torch.ones(1, 1, 400, 400, dtype=torch.float16)     # sums pass 65504, the largest float16
    assert torch.equal(box_mean(image, 200), image)


# --------------------------------------------------------------------------------------------------------- gradients

@pytest.mark.parametrize("G", [1, 2, 3])
def test_gradients_of_the_guided_filter(G):
    target, guide = (x.requires_grad_() for x in pair(2, G, 5, 6))
    weight = (rand(1, 1, 5, 6, seed=2) + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(lambda p, i: guided_filter(p, i, 1, 0.1), (target, guide))
    assert torch.autograd.gradcheck(lambda p, i, w: guided_filter(p, i, 1, 0.1, w), (target, guide, weight))
    assert torch.autograd.gradcheck(lambda p, i: guided_coefficients(p, i, 2, 0.1), (target, guide))
    assert torch.autograd.gradcheck(lambda p, i: fast_guided_filter(p, i, 2, 0.1, 2), (target, guide))


def test_gradients_of_the_others():
    target, guide, low = (x.requires_grad_() for x in (*pair(2, 2, 5, 6), rand(1, 1, 2, 3)))
    assert torch.autograd.gradcheck(lambda p: box_mean(p, 2), target)
    assert torch.autograd.gradcheck(lambda p, i: joint_bilateral_filter(p, i, 1, 1.5, 0.5), (target, guide))
    assert torch.autograd.gradcheck(lambda p, i: joint_bilateral_upsample(p, i, 1, 1.0, 0.5), (low, guide))


def test_forward_derivatives_pass_too():
    target, guide = pair(1, 1, 12, 12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)     # torch's own, of its script compiler
        _, slope = torch.func.jvp(lambda p: guided_filter(p, guide, 1, 0.1), (target,), (target,))
    assert largest(slope, guided_filter(target, guide, 1, 0.1)) < EXACT           # linear in the target


def test_gradients_stay_finite_around_holes():
    target, guide = pair(1, 3, 12, 12)
    weight = torch.ones(1, 1, 12, 12, dtype=torch.float64)
    weight[..., :8, :8] = 0
    target[..., 2, 2] = guide[..., 7, 7] = torch.nan
    target.requires_grad_(), guide.requires_grad_()
    result = guided_filter(target, guide, 1, 0.01, weight)
    result[~result.isnan()].sum().backward()
    assert result.isnan().any() and target.grad.isfinite().all() and guide.grad.isfinite().all()


# ------------------------------------------------------------------------------------------------------------- holes

def test_what_stands_where_the_weight_is_zero_does_not_matter():
    target, guide = pair(2, 3)
    weight = (rand(1, 1, 9, 11, seed=2) > 0.4).double()
    clean = guided_filter(target, guide, 2, 0.01, weight)
    hole = weight.expand_as(target) == 0
    for junk in (1e9, torch.nan, torch.inf, -torch.inf):
        assert largest(guided_filter(target.masked_fill(hole, junk), guide, 2, 0.01, weight), clean) < EXACT
    assert largest(guided_filter(target, guide, 2, 0.01, weight > 0), clean) < EXACT   # a mask is a weight


@pytest.mark.parametrize("junk", [torch.nan, torch.inf])
def test_invalid_guide_is_invalid_in_the_result_there_only(junk):
    target, guide = pair(2, 3)
    weight = torch.ones(1, 1, 9, 11, dtype=torch.float64)
    weight[..., 4, 5] = weight[..., 0, 0] = 0
    broken = guide.clone()
    broken[:, 1, 4, 5] = junk
    got, clean = guided_filter(target, broken, 2, 0.01, weight), guided_filter(target, guide, 2, 0.01, weight)
    clean[..., 4, 5] = torch.nan
    assert largest(got, clean) < EXACT


def test_one_hole_changes_no_pixel_beyond_two_windows():
    target, guide = pair(1, 1, 30, 30)
    weight = torch.ones(1, 1, 30, 30, dtype=torch.float64)
    weight[..., 15, 15] = 0
    changed = (guided_filter(target, guide, 2, 0.01, weight) - guided_filter(target, guide, 2, 0.01)).abs() > 1e-9
    assert changed[..., 11:20, 11:20].all()
    changed[..., 11:20, 11:20] = False
    assert not changed.any()


def test_no_valid_pixel_at_all_is_nowhere_a_number():
    target, guide = pair()
    assert guided_filter(target, guide, 2, 0.01, torch.zeros(1, 1, 9, 11, dtype=torch.float64)).isnan().all()


# ------------------------------------------------------------------------------------------------------------ OpenCV

@pytest.mark.parametrize("G", [1, 3])
@pytest.mark.parametrize("radius", [1, 4, 9])
def test_opencv_agrees_inside_and_reflects_at_the_border(G, radius):
    cv2 = pytest.importorskip("cv2")
    target, guide = pair(1, G, 60, 80, dtype=torch.float32)
    theirs = cv2.ximgproc.guidedFilter(guide[0].permute(1, 2, 0).numpy().squeeze(), target[0, 0].numpy(), radius, 0.01)
    difference = np.abs(guided_filter(target, guide, radius, 0.01)[0, 0].numpy() - theirs)
    inner = (slice(2 * radius, -2 * radius),) * 2
    assert difference[inner].max() < 2e-5                       # two float32 forms, each wrong by some 1e-7 / eps
    assert difference.max() > 1e-2                              # the border: windows filled by reflection, not cut off

    around = [(0, 0), (0, 0), (2 * radius,) * 2, (2 * radius,) * 2]
    reflected = [torch.from_numpy(np.pad(x.numpy(), around, mode="symmetric")) for x in (target, guide)]
    assert np.abs(guided_filter(*reflected, radius, 0.01)[0, 0].numpy()[inner] - theirs).max() < 2e-5


def test_opencv_gives_up_on_a_faint_colour_guide_and_we_do_not():
    """Below eps = 0.01 it replaces each determinant under 1e-6 by 1, which leaves no slope: the mean of means remains."""
    cv2 = pytest.importorskip("cv2")
    target, faint = pair(1, 3, 40, 40, dtype=torch.float32)
    target, faint = target + faint[:, :1], 0.02 * faint
    theirs = cv2.ximgproc.guidedFilter(faint[0].permute(1, 2, 0).numpy(), target[0, 0].numpy(), 3, 1e-5)
    assert np.abs(theirs - box_mean(box_mean(target, 3), 3)[0, 0].numpy())[6:-6, 6:-6].max() < 1e-4
    exact = guided_filter(target.double(), faint.double(), 3, 1e-5)
    assert largest(guided_filter(target, faint, 3, 1e-5), exact) < 1e-5 and np.abs(theirs - exact[0, 0].numpy())[6:-6, 6:-6].max() > 0.1


# --------------------------------------------------------------------------------------------------- layers, devices

def test_layers_equal_their_functions():
    target, guide = pair(2, 3, 12, 12)
    weight = (rand(1, 1, 12, 12, seed=2) > 0.2).double()
    assert torch.equal(BoxMean(2)(target), box_mean(target, 2))
    assert torch.equal(GuidedFilter(2, 0.01)(target, guide), guided_filter(target, guide, 2, 0.01))
    assert torch.equal(GuidedFilter(2, 0.01)(target, guide, weight), guided_filter(target, guide, 2, 0.01, weight))
    assert torch.equal(FastGuidedFilter(4, 0.01, 2)(target, guide), fast_guided_filter(target, guide, 4, 0.01, 2))
    assert torch.equal(JointBilateralFilter(2, 1.5, 0.3)(target, guide), joint_bilateral_filter(target, guide, 2, 1.5, 0.3))
    low = target[..., :6, :6]
    assert torch.equal(JointBilateralUpsample(2, 1.5, 0.3)(low, guide), joint_bilateral_upsample(low, guide, 2, 1.5, 0.3))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("G", [1, 3])
def test_gpu_equals_cpu(G):
    target, guide = pair(2, G, 40, 50)
    weight = (rand(1, 1, 40, 50, seed=2) > 0.2).double()
    for apply in (lambda p, i, w: box_mean(p, 2), lambda p, i, w: guided_filter(p, i, 2, 0.01),
                  lambda p, i, w: guided_filter(p, i, 2, 0.01, w), lambda p, i, w: fast_guided_filter(p, i, 4, 0.01, 2),
                  lambda p, i, w: joint_bilateral_filter(p, i, 2, 1.5, 0.3),
                  lambda p, i, w: joint_bilateral_upsample(p[..., ::2, ::2], i, 2, 1.5, 0.3)):
        got = apply(target.cuda(), guide.cuda(), weight.cuda())
        assert got.device.type == "cuda" and largest(got.cpu(), apply(target, guide, weight)) < EXACT


def test_public_names_are_documented():
    public = [thing for name, thing in vars(filters).items() if name[0] != "_" and getattr(thing, "__module__", "") == "girlib.filters"]
    assert len(public) == 11 and all(inspect.getdoc(thing) for thing in public)
