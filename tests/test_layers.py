"""Blocks that networks share."""

import numpy as np
import pytest
import torch

from girlib.errors import GirlibError
from girlib.layers import check_images, dynamic_filter, luma, mirror_pad, value_range
from girlib.samples import Sample


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (2, 2), (5, 4), (9, 7)])
@pytest.mark.parametrize("radius", [1, 2, (3, 0, 0, 5), (6, 11, 4, 7), (4, 0, 0, 1), (0, 1, 5, 0)])
def test_mirror_pad_equals_numpy_even_where_the_border_is_wider_than_the_image(size, radius):
    image = torch.arange(2.0 * size[0] * size[1]).view(1, 2, *size)
    left, right, top, bottom = (radius,) * 4 if isinstance(radius, int) else radius
    expected = np.pad(image.numpy(), ((0, 0), (0, 0), (top, bottom), (left, right)), mode="reflect")
    assert np.array_equal(mirror_pad(image, radius).numpy(), expected)


def test_gradients_pass_through_the_mirror():
    image = torch.rand(1, 1, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: mirror_pad(x, 3), image)


def test_images_that_fit_are_let_through():
    check_images("here", target=(torch.zeros(2, 1, 4, 5), 1), guide=(torch.zeros(2, 3, 4, 5), 3))


@pytest.mark.parametrize("guide, said", [
    (torch.zeros(3, 4, 5), r"here: guide has the shape \(3, 4, 5\)"),
    (torch.zeros(1, 1, 4, 5), "here: guide has 1 channels, but this network was built for 3"),
    (torch.zeros(1, 3, 4, 6), "here: guide is 4x6, but target is 4x5"),
    (torch.zeros(2, 3, 4, 5), "here: guide is 2 x 4x5, but target is 4x5"),
])
def test_images_that_do_not_fit_are_named_with_what_was_expected(guide, said):
    with pytest.raises(GirlibError, match=said):
        check_images("here", target=(torch.zeros(1, 1, 4, 5), 1), guide=(guide, 3))


@pytest.mark.parametrize("padding, mode", [("constant", "constant"), ("replicate", "edge")])
@pytest.mark.parametrize("s", [1, 2])
def test_dynamic_filter_weighs_each_pixels_window_by_its_own_kernel(padding, mode, s):
    """Kernels may be s times as fine as the features: then all s x s of a feature's pixels see the same window."""
    torch.manual_seed(0)
    N, C, h, w, k = 2, 3, 5, 3, 5
    features, kernels = torch.randn(N, C, h, w, dtype=torch.float64), torch.randn(N, k * k, s * h, s * w, dtype=torch.float64)
    padded = np.pad(features.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), mode=mode)
    expected = np.zeros((N, C, s * h, s * w))
    for n, c, y, x in np.ndindex(expected.shape):
        window = padded[n, c, y // s:y // s + k, x // s:x // s + k]
        expected[n, c, y, x] = sum(window.flat[t] * kernels[n, t, y, x].item() for t in range(k * k))
    assert np.abs(dynamic_filter(features, kernels, *[padding] * (padding != "constant")).numpy() - expected).max() < 1e-13


def test_value_range_is_each_images_own_and_the_truths_first():
    low = torch.tensor([[[[1.0, 4.0]]], [[[2.0, 2.0]]]])
    lowest, span = value_range(Sample(low - 1, low, low=low))
    assert lowest.shape == (2, 1, 1, 1) and lowest.flatten().tolist() == [1, 2] and span.flatten().tolist() == [3, 1]
    assert [x.flatten().tolist() for x in value_range(Sample(low, low, reference=2 * low, low=low))] == [[2, 4], [6, 1]]
    assert value_range(Sample(low, low))[0].flatten().tolist() == [1, 2]


def test_luma_weighs_red_green_and_blue_and_leaves_grey_alone():
    image = torch.tensor([1.0, 10.0, 100.0]).view(1, 3, 1, 1).expand(2, 3, 4, 5)
    assert luma(image).shape == (2, 1, 4, 5) and torch.allclose(luma(image), torch.tensor(0.299 + 5.87 + 11.4))
    assert torch.equal(luma(image[:, :1]), image[:, :1])
