"""What a filter cannot do it says in one sentence, before any work: where, what was given, what was expected."""

import inspect
import math

import numpy as np
import pytest
import torch

from girlib.errors import GirlibError
from girlib.filters import (
    box_mean,
    fast_guided_filter,
    guided_coefficients,
    guided_filter,
    joint_bilateral_filter,
    joint_bilateral_upsample,
)

GENERATOR = torch.Generator().manual_seed(0)
P, I = torch.rand(1, 2, 9, 11, generator=GENERATOR), torch.rand(1, 3, 9, 11, generator=GENERATOR)
ONES = torch.ones(1, 1, 9, 11)
SPOILED = P.clone()
SPOILED[0, 1, 3, 4] = torch.nan
ENDLESS = P.clone()
ENDLESS[0, 0, 2, 5] = -torch.inf
FLAT = torch.full((1, 1, 9, 11), 0.25)

BAD = [      # what is wrong, the arguments that differ from a good call, what the sentence must say
    ("sizes differ", {"guide": I[:, :, :8]}, "guide is 8x11 but target is 9x11; both need the same height and width"),
    ("integers", {"target": P.byte()}, "target is torch.uint8; it must be floating"),
    ("booleans", {"guide": I > 0}, "guide is torch.bool; it must be floating"),
    ("NaN", {"target": SPOILED}, r"target is nan at \(0, 1, 3, 4\), the first of 1 not finite; every value must be finite"),
    ("infinite", {"target": ENDLESS}, r"target is -inf at \(0, 0, 2, 5\)"),
    ("NaN in the guide", {"guide": torch.where(I == I[0, 2, 8, 10], torch.nan, I)}, r"guide is nan at \(0, 2, 8, 10\)"),
    ("NaN that counts", {"target": SPOILED, "weight": ONES}, r"target is nan at \(0, 1, 3, 4\)"),
    ("empty", {"target": P[..., :0]}, r"target is empty, \(1, 2, 9, 0\); it must hold at least one pixel"),
    ("no channel", {"guide": I[:, :0]}, r"guide is empty, \(1, 0, 9, 11\)"),
    ("too large to sum", {"target": P * 3e38}, "target reaches .*, and its sum overflows torch.float32; the values must be smaller"),
    ("array", {"target": P.numpy()}, "target is of type ndarray; it must be a tensor"),
    ("nothing", {"guide": None}, "guide is of type NoneType; it must be a tensor"),
    ("three dimensions", {"target": P[0]}, r"target has the shape \(2, 9, 11\); it must be \(N, C, H, W\)"),
    ("batches differ", {"guide": torch.cat([I, I])}, "target has the batch size 1 but guide has 2; both must be the same"),
    ("dtypes differ", {"guide": I.double()}, "target has the dtype torch.float32 but guide has torch.float64; both must be the same"),
    ("devices differ", {"guide": I.to("meta")}, "target has the device cpu but guide has meta; both must be the same"),
    ("negative radius", {"radius": -1}, "radius is -1; it must be a whole number >= 0"),
    ("half a radius", {"radius": 1.5}, "radius is 1.5; it must be a whole number >= 0"),
    ("radius not a number", {"radius": math.nan}, "radius is nan; it must be a whole number >= 0"),
    ("radius true", {"radius": True}, "radius is True; it must be a whole number >= 0"),
    ("negative eps", {"eps": -0.01}, "eps is -0.01; it must be a number >= 0"),
    ("eps not a number", {"eps": math.nan}, "eps is nan; it must be a number >= 0"),
    ("eps a word", {"eps": "0.01"}, "eps is '0.01'; it must be a number >= 0"),
    ("zero eps, flat guide", {"guide": FLAT, "eps": 0}, "eps is 0, but in [0-9]+ windows the guide is constant"),
    ("zero eps, grey as RGB", {"guide": I[:, :1].repeat(1, 3, 1, 1), "eps": 0}, "one of its channels follows from the others"),
    ("zero eps, radius zero", {"radius": 0, "eps": 0, "weight": ONES}, "eps is 0, but in 99 windows"),
    ("eps below the dtype", {"guide": FLAT, "eps": 1e-60}, "eps is 0, but in [0-9]+ windows"),
    ("negative weight", {"weight": ONES - 1.5}, "weight goes down to -0.5; it must be >= 0 everywhere"),
    ("NaN weight", {"weight": ONES * torch.nan}, r"weight is nan at \(0, 0, 0, 0\), the first of 99 not finite"),
    ("infinite weight", {"weight": ONES * torch.inf}, "weight is inf"),
    ("weight of a channel", {"weight": ONES.repeat(1, 3, 1, 1)}, r"weight has the shape \(1, 3, 9, 11\); it must be \(1, 1, 9, 11\)"),
    ("weight of another size", {"weight": ONES[..., :5]}, r"weight has the shape \(1, 1, 9, 5\); it must be \(1, 1, 9, 11\)"),
    ("weight an array", {"weight": ONES.numpy()}, "weight is of type ndarray; it must be a tensor"),
    ("weight of integers", {"weight": ONES.int()}, "weight is torch.int32; it must be floating"),
    ("subsample zero", {"subsample": 0}, "subsample is 0; it must be a whole number >= 1"),
    ("subsample a fraction", {"subsample": 1.5}, "subsample is 1.5; it must be a whole number >= 1"),
    ("subsample too large", {"subsample": 4}, "subsample is 4 but radius is 2"),
    ("sigma zero", {"sigma_space": 0}, "sigma_space is 0; it must be a number > 0"),
    ("sigma negative", {"sigma_range": -1}, "sigma_range is -1; it must be a number > 0"),
    ("sigma not a number", {"sigma_range": math.nan}, "sigma_range is nan; it must be a number > 0"),
    ("sigma a tensor", {"sigma_space": torch.ones(2)}, r"sigma_space is tensor\(\[1., 1.\]\); it must be a number > 0"),
]
GOOD = {"radius": 2, "eps": 0.01, "subsample": 2, "sigma_space": 1.5, "sigma_range": 0.3}
TWO_IMAGES = [guided_filter, guided_coefficients, fast_guided_filter, joint_bilateral_filter, joint_bilateral_upsample]


def call(function, given):
    """Calls with good arguments but for those given, under the function's own names."""
    given = {"target": P, "guide": I, **GOOD, **given}
    renamed = {"box_mean": {"image": "target"}, "joint_bilateral_upsample": {"low": "target"}}.get(function.__name__, {})
    names = [name for name in inspect.signature(function).parameters if name != "weight" or "weight" in given]
    return function(*[given[renamed.get(name, name)] for name in names])


def concerns(function, given):
    """Whether the function knows all of these arguments; upsampling takes two sizes, the bilateral filters any guide."""
    names = inspect.signature(function).parameters
    known = {*names, "target"} if {"image", "low"} & {*names} else {*names}
    return set(given) <= known


CASES = [pytest.param(function, given, says, id=f"{function.__name__}: {what}")
         for function in (box_mean, *TWO_IMAGES) for what, given, says in BAD
         if concerns(function, given) and (function, what) not in ((joint_bilateral_upsample, "sizes differ"),
                                                                   (joint_bilateral_filter, "too large to sum"),
                                                                   (joint_bilateral_upsample, "too large to sum"))]


@pytest.mark.parametrize("function, given, says", CASES)
def test_bad_input_is_named_in_one_sentence(function, given, says):
    if function in (box_mean, joint_bilateral_upsample):
        first = {"box_mean": "image", "joint_bilateral_upsample": "low"}[function.__name__]
        says = says.replace("target", first)
    with pytest.raises(GirlibError, match=says) as caught:
        call(function, given)
    sentence = str(caught.value)
    assert sentence.startswith(f"{function.__name__}: ") and sentence.endswith(".") and "\n" not in sentence
    assert isinstance(caught.value, ValueError) and ". " not in sentence


def test_good_calls_are_good():
    for function in (box_mean, *TWO_IMAGES):
        call(function, {})
    guided_filter(P, I, np.int64(2), np.float32(0.01))          # numbers of numpy are numbers
