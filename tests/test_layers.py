"""Blocks that networks share."""

import numpy as np
import pytest
import torch

from girlib.layers import mirror_pad


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
