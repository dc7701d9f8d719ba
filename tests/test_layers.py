"""Blocks that networks share."""

import numpy as np
import pytest
import torch

from girlib.errors import GirlibError
from girlib.layers import check_images, mirror_pad


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (2, 2), (5, 4), (9, 7)])
@pytest.mark.parametrize("radius", [1, 2, (3, 0, 0, 5), (6, 11, 4, 7)])
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
