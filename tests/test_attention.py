"""Every backend of neighbourhood attention equals the definition, and the definition equals NATTEN's own border rule."""

import math
import random
import sys
import types

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck

from girlib import attention
from girlib.attention import NeighborhoodCrossAttention, NeighborhoodSelfAttention, neighborhood_attention_2d
from girlib.errors import GirlibError


def oracle(query, key, value, k, D, bias, scale):
    """One query after the other, with the window starts of NATTEN 0.14's C++ (its distinction of cases, not ours)."""
    r = k // 2

    def start(i, n):
        if i - r * D < 0:
            return i % D
        if i + r * D >= n:
            a, m = n // D * D, i % D
            b = n - a
            return n - b + m - 2 * r * D if m < b else a + m - k * D
        return i - r * D

    def bias_start(i, n):
        if i - r * D < 0:
            return k - 1 - i // D
        return (n - 1 - i) // D if i + r * D >= n else r

    N, heads, H, W, _ = query.shape
    output = torch.zeros_like(query)
    for n in range(N):
        for h in range(heads):
            for y in range(H):
                for x in range(W):
                    at = [(a, b, start(y, H) + a * D, start(x, W) + b * D) for a in range(k) for b in range(k)]
                    logits = [scale * query[n, h, y, x].dot(key[n, h, v, u]) for _, _, v, u in at]
                    if bias is not None:
                        at_bias = [(bias_start(y, H) + a, bias_start(x, W) + b) for a, b, _, _ in at]
                        logits = [z + bias[h, i, j] for z, (i, j) in zip(logits, at_bias, strict=True)]
                    weights = torch.stack(logits).softmax(0)
                    output[n, h, y, x] = sum(w * value[n, h, v, u] for w, (_, _, v, u) in zip(weights, at, strict=True))
    return output


def draw(N, heads, H, W, d, k, with_bias=True, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    make = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
    images = [make(N, heads, H, W, d) for _ in range(3)]
    return images, make(heads, 2 * k - 1, 2 * k - 1) if with_bias else None


def both(images, bias, k, D, backend, **options):
    """Output and all gradients, of a backend and of the definition."""
    inputs = [*images, bias] if bias is not None else images
    direction = torch.randn(images[0].shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64).to(images[0].dtype)
    results = []
    for name in (backend, "reference"):
        output = neighborhood_attention_2d(*images, k, D, bias, backend=name, **options)
        results.append([output, *torch.autograd.grad(output, inputs, direction)])
    return results


def assert_equal(results, tolerance):
    for actual, expected in zip(*results, strict=True):
        assert actual.dtype == expected.dtype and actual.shape == expected.shape
        assert (actual - expected).abs().max() <= tolerance * expected.abs().max()


@pytest.mark.parametrize("H, W, k, D", [(3, 3, 3, 1), (5, 9, 5, 1), (6, 7, 3, 2), (9, 7, 3, 2), (8, 11, 3, 2), (7, 8, 1, 3)])
def test_reference_follows_natten_s_rule_pixel_by_pixel(H, W, k, D):
    images, bias = draw(1, 2, H, W, 3, k)
    with torch.no_grad():
        for table in (bias, None):
            expected = oracle(*images, k, D, table, 0.7)
            actual = neighborhood_attention_2d(*images, k, D, table, scale=0.7, backend="reference")
            assert (actual - expected).abs().max() < 1e-13


def cases(count=24):
    chosen = random.Random(4)
    for seed in range(count):
        k, D = chosen.choice([1, 3, 3, 5, 7]), chosen.choice([1, 1, 2, 3, 4])
        H, W = (k * D + chosen.choice([0, 0, 1, 2, 5, 13]) for _ in range(2))
        yield chosen.choice([1, 2]), chosen.choice([1, 2, 3]), H, W, chosen.choice([1, 2, 4, 5]), k, D, chosen.random() < 0.7, seed


@pytest.mark.parametrize("N, heads, H, W, d, k, D, with_bias, seed", list(cases()))
def test_shifted_sums_equal_the_definition_forward_and_backward(N, heads, H, W, d, k, D, with_bias, seed, monkeypatch):
    images, bias = draw(N, heads, H, W, d, k, with_bias, seed=seed)
    assert_equal(both(images, bias, k, D, "torch"), 1e-12)
    monkeypatch.setattr(attention, "NUMBERS_AT_ONCE", {"cpu": 2 * N * heads * d * W})              # two rows at a time
    assert_equal(both(images, bias, k, D, "torch", scale=0.3), 1e-12)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 2e-5), (torch.float16, 3e-3), (torch.bfloat16, 2e-2)])
def test_every_dtype_is_as_exact_as_it_can_be(dtype, tolerance):
    """Two or three units in the last place of a half-precision number; float32 sums some hundred products."""
    images, bias = draw(1, 2, 22, 25, 4, 7, dtype=dtype)
    assert_equal(both(images, bias, 7, 3, "torch"), tolerance)


def test_gradients_in_float64():
    images, bias = draw(1, 2, 4, 3, 1, 3, seed=3)
    assert gradcheck(lambda *x: neighborhood_attention_2d(*x[:3], 3, 1, x[3], backend="torch"), (*images, bias))
    images, bias = draw(2, 2, 7, 6, 2, 3, seed=3)
    assert gradcheck(lambda *x: neighborhood_attention_2d(*x[:3], 3, 2, x[3], backend="torch"), (*images, bias), fast_mode=True)
    assert gradcheck(lambda *x: neighborhood_attention_2d(*x, 3, 2, backend="torch"), images, fast_mode=True)


def test_large_logits_neither_overflow_nor_vanish():
    images, bias = draw(1, 1, 9, 9, 4, 3, dtype=torch.float32)
    images[0] = (images[0].detach() * 300).requires_grad_()
    (output, *gradients), (expected, *_) = both(images, bias, 3, 1, "torch")
    assert all(x.isfinite().all() for x in gradients)
    assert_equal(([output], [expected]), 1e-3)                   # logits of a thousand: float32 leaves them three decimals


def test_the_same_call_gives_the_same_bits():
    images, bias = draw(1, 2, 24, 21, 4, 7, dtype=torch.float32)
    first, second = (both(images, bias, 7, 3, "torch")[0] for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_constant_value_stays_and_a_steep_bias_picks_one_neighbour():
    images, _ = draw(1, 1, 12, 13, 2, 3)
    ones = torch.ones_like(images[0])
    assert torch.allclose(neighborhood_attention_2d(*images[:2], ones, 3, 2), ones)
    bias = torch.full((1, 5, 5), -1e4, dtype=torch.float64)
    bias[0, 3, 2] = 1e4                                          # one step down, same column
    picked = neighborhood_attention_2d(*images, 3, 2, bias)
    assert torch.allclose(picked[:, :, 2:-2], images[2][:, :, 4:])


def test_auto_is_torch_and_never_compiles(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda *a, **b: pytest.fail("compiled"))
    images, bias = draw(1, 1, 9, 9, 2, 3)
    assert torch.equal(neighborhood_attention_2d(*images, 3, 1, bias), neighborhood_attention_2d(*images, 3, 1, bias, backend="torch"))


def test_memory_does_not_grow_with_the_window(monkeypatch):
    """No tensor that is made on the way holds more than a few copies of a chunk times the window."""
    largest = []
    empty = torch.Tensor.new_empty
    monkeypatch.setattr(torch.Tensor, "new_empty", lambda self, *s, **o: largest.append(math.prod(s)) or empty(self, *s, **o))
    images, bias = draw(1, 2, 64, 64, 4, 7, dtype=torch.float32)
    monkeypatch.setattr(attention, "NUMBERS_AT_ONCE", {"cpu": 4 * 2 * 4 * 64})
    neighborhood_attention_2d(*images, 7, 3, bias).sum().backward()
    border = 49 * 2 * 9 * 64                                     # the logits of the nine rows of a border
    assert max(largest) <= border


# ------------------------------------------------------------------------------------------------------------ compiled

def test_the_compiled_sums_equal_the_definition_uncompiled(monkeypatch):
    """What is compiled is the same function, here without the compiler."""
    monkeypatch.setattr(attention, "_compile", lambda function, *key: function)
    for H, W, k, D, with_bias in ((25, 22, 7, 3, True), (25, 22, 7, 3, False), (9, 8, 3, 2, True), (16, 7, 5, 1, True)):
        images, bias = draw(2, 2, H, W, 3, k, with_bias)
        for at_once in (2 ** 17, 2 * 2 * 2 * 3 * W):
            monkeypatch.setattr(attention, "NUMBERS_AT_ONCE", {"cpu": at_once})
            assert_equal(both(images, bias, k, D, "compiled"), 1e-12)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")         # torch's own compiler uses what torch deprecates
def test_compiled_equals_the_definition():
    images, bias = draw(1, 2, 12, 11, 2, 3, dtype=torch.float32)
    assert_equal(both(images, bias, 3, 2, "compiled"), 2e-5)


# -------------------------------------------------------------------------------------------------------------- natten

@pytest.fixture
def fused(monkeypatch):
    """Stands in for natten's kernels: no bias, heads before the last dimension, head widths in eights."""
    def na2d(query, key, value, kernel_size, dilation, scale):
        assert query.shape[-1] % 8 == 0 and value.shape[-1] % 8 == 0 and query.shape[-1] == key.shape[-1]
        assert all(x.is_contiguous() for x in (query, key, value))
        missing = query.shape[-1] - value.shape[-1]
        images = [x.permute(0, 3, 1, 2, 4) for x in (query, key, F.pad(value, (0, missing)))]
        output = attention._reference(*images, kernel_size, dilation, None, scale)
        return output.permute(0, 2, 3, 1, 4)[..., :value.shape[-1]]

    monkeypatch.setitem(sys.modules, "natten", types.SimpleNamespace(na2d=na2d, HAS_LIBNATTEN=True))
    monkeypatch.setattr(attention, "_why_not_natten", lambda query, k: None)


@pytest.mark.parametrize("H, W, d, k, D, with_bias", [(21, 24, 4, 7, 3, True), (9, 11, 8, 3, 2, True), (9, 11, 6, 3, 2, False),
                                                      (7, 5, 3, 5, 1, True)])
def test_the_bias_survives_kernels_without_bias(fused, H, W, d, k, D, with_bias):
    images, bias = draw(2, 2, H, W, d, k, with_bias)
    assert_equal(both(images, bias, k, D, "natten"), 1e-12)
    assert_equal(both(images, bias, k, D, "natten", scale=0.4), 1e-12)


def test_where_natten_does_not_fit_the_reason_is_said_once(monkeypatch, recwarn):
    attention._warn_once.cache_clear()
    images, bias = draw(1, 1, 9, 9, 2, 3)
    expected = neighborhood_attention_2d(*images, 3, 1, bias)
    monkeypatch.setitem(sys.modules, "natten", None)
    for _ in range(2):
        assert torch.equal(neighborhood_attention_2d(*images, 3, 1, bias, backend="natten"), expected)
    assert len(recwarn) == 1 and "natten can't be imported" in str(recwarn[0].message)
    monkeypatch.setitem(sys.modules, "natten", types.SimpleNamespace(HAS_LIBNATTEN=True))
    assert torch.equal(neighborhood_attention_2d(*images, 3, 1, bias, backend="natten"), expected)
    assert len(recwarn) == 2 and "need a GPU" in str(recwarn[1].message)


# ------------------------------------------------------------------------------------------------------------- modules

def by_hand(module, q, k, v):
    """Attention of projected (N, H, W, C) images through the definition."""
    split = [x.unflatten(-1, (module.heads, -1)).permute(0, 3, 1, 2, 4) for x in (q, k, v)]
    output = neighborhood_attention_2d(*split, module.kernel_size, module.dilation, module.bias, backend="reference")
    return output.permute(0, 2, 3, 1, 4).flatten(3)


@pytest.mark.parametrize("height, width", [(22, 23), (5, 24), (8, 8), (21, 3)])
@torch.no_grad()
def test_modules_extend_small_images_by_zeros_before_the_projection(height, width):
    torch.manual_seed(0)
    x, y = torch.randn(2, 2, height, width, 16)
    extended = [F.pad(z, (0, 0, 0, max(0, 21 - width), 0, max(0, 21 - height))) for z in (x, y)]
    own, cross = NeighborhoodSelfAttention(16, 4), NeighborhoodCrossAttention(16, 8)
    for table in (own.bias, cross.bias):
        table.normal_()
    expected = own.proj(by_hand(own, *own.qkv(extended[0]).chunk(3, -1)))[:, :height, :width]
    torch.testing.assert_close(own(x), expected, atol=1e-5, rtol=1e-4)
    expected = cross.proj(by_hand(cross, cross.q(extended[0]), *cross.kv(extended[1]).chunk(2, -1)))[:, :height, :width]
    torch.testing.assert_close(cross(x, y), expected, atol=1e-5, rtol=1e-4)


def test_modules_learn_all_their_parameters():
    x = torch.randn(1, 21, 22, 8)
    for module, images in ((NeighborhoodSelfAttention(8, 2), (x,)), (NeighborhoodCrossAttention(8, 4), (x, x.flip(1)))):
        module(*images).square().sum().backward()
        assert all(p.grad.abs().max() > 0 for p in module.parameters())


# ----------------------------------------------------------------------------------------------------------- bad input

def bad(**changes):
    (query, key, value), bias = draw(1, 2, 9, 9, 3, 3, dtype=torch.float32)
    arguments = dict(query=query, key=key, value=value, kernel_size=3, dilation=1, bias=bias) | changes
    return neighborhood_attention_2d(**arguments)


@pytest.mark.parametrize("changes, said", [
    ({"kernel_size": 4}, "kernel_size is 4; it must be odd"), ({"kernel_size": 0}, "kernel_size is 0"),
    ({"kernel_size": 3.0}, "kernel_size is 3.0"), ({"kernel_size": True}, "kernel_size is True"),
    ({"dilation": 0}, "dilation is 0"), ({"dilation": 4}, "9x9 .* 3 \\* 4 = 12"),
    ({"backend": "fast"}, "backend is 'fast'; it must be one of auto, torch"), ({"query": [1]}, "query is a list"),
    ({"key": torch.rand(1, 2, 9, 8, 3)}, "key has the shape"), ({"value": torch.rand(1, 2, 9, 9, 3).double()}, "value has the dtype"),
    ({"query": torch.rand(2, 9, 9, 3)}, "query has the shape"), ({"query": torch.zeros(1, 2, 9, 9, 3, dtype=torch.int)}, "floating"),
    ({"query": torch.rand(0, 2, 9, 9, 3)}, "not empty"),
    ({"bias": torch.rand(2, 3, 3)}, "bias is .*\\(2, 3, 3\\)"), ({"bias": 1.0}, "bias is float"), ({"scale": math.nan}, "scale is nan"),
    ({"scale": "1"}, "scale is '1'"), ({"scale": math.inf}, "scale is inf")])
def test_bad_input_is_named(changes, said):
    with pytest.raises(GirlibError, match=said):
        bad(**changes)


def test_channels_that_heads_cannot_share_are_named():
    for make in (NeighborhoodSelfAttention, NeighborhoodCrossAttention):
        with pytest.raises(GirlibError, match="10 channels can't be shared by 4 heads"):
            make(10, 4)
