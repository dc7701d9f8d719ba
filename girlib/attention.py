"""Neighbourhood attention: every pixel attends to the k x k pixels around it, of its own image or of another one.

Papers     Hassani et al., "Neighborhood Attention Transformer", CVPR 2023; Hassani and Shi, "Dilated Neighborhood Attention
           Transformer", 2022; within SFIGF's GICA block, Eqs. (7)-(9) and (16)-(17)
Symbols    query, key, value (N, heads, H, W, d)     k kernel size, odd     r = k // 2     D dilation     bias (heads, 2k-1, 2k-1)
Reads as   reference: the definition, with every neighbour copied -> shifted sums, chunk by chunk -> compiled -> natten -> modules
Border     a window never leaves the image and always holds k x k pixels: at the border it is pushed inwards, not cut off. With
           dilation, a pixel sees only pixels whose row and column leave the same remainder modulo D, and is pushed among those
Bias       one number a head for each offset between key and query, counted in steps of D: row first, from -(k-1) to k-1
"""

import functools
import importlib
import math
import numbers
import warnings
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd.function import once_differentiable

from girlib.errors import GirlibError


def neighborhood_attention_2d(query, key, value, kernel_size, dilation=1, bias=None, scale=None, backend="auto"):
    """Softmax(scale * query . key + bias) value over the k x k neighbours of each pixel; like query, (N, heads, H, W, d).

    `scale` is d ** -0.5 unless given. Backends, all with gradients for query, key, value and bias:
    "torch" (what "auto" takes) adds up shifted images, a few rows at a time: deterministic, on any device, and no more
    memory than a few copies of the input. float16 and bfloat16 are computed in float32.
    "compiled" lets torch.compile fuse the inner sums; the first call for each shape takes a minute or so.
    "natten" runs the fused kernels of an installed natten on a GPU; where they don't fit it says why, once, and takes "torch".
    "reference" is the definition in float64; it copies every key and value k x k times.
    """
    _check(query, key, value, kernel_size, dilation, bias, scale, backend)
    scale = query.shape[-1] ** -0.5 if scale is None else float(scale)
    return BACKENDS[backend](query, key, value, kernel_size, dilation, bias, scale)


# ------------------------------------------------------------------------------------------------- the definition

def _reference(query, key, value, k, D, bias, scale):
    q, keys, v = query.double(), key.double(), value.double()
    (rows, row_offset), (columns, column_offset) = (_neighbours(n, k, D, query.device) for n in query.shape[2:4])
    at = rows[:, None, :, None], columns[None, :, None, :]                            # (H, W, k, k)
    logits = scale * torch.einsum("nhyxd,nhyxabd->nhyxab", q, keys[:, :, at[0], at[1]])
    if bias is not None:
        logits = logits + bias.double()[:, row_offset[:, None, :, None], column_offset[None, :, None, :]]
    weights = logits.flatten(-2).softmax(-1).view_as(logits)
    return torch.einsum("nhyxab,nhyxabd->nhyxd", weights, v[:, :, at[0], at[1]]).to(query.dtype)


def _neighbours(n, k, D, device):
    """Along one axis of n pixels: the k positions that each pixel sees, and their places in the bias table; both (n, k)."""
    i, a = torch.arange(n, device=device)[:, None], torch.arange(k, device=device)
    group, place = i % D, i // D                                      # the pixel is number `place` of its group
    members = (n - group + D - 1) // D
    start = (place - k // 2).clamp(min=0).minimum(members - k)
    return (start + a) * D + group, start + a - place + k - 1


# --------------------------------------------------------------------------- shifted sums, a few rows at a time

class Zone(NamedTuple):
    """A stretch of `blocks` times `length` positions: query start + g * length + p sees keys key + a * D + p, a < k.

    In the table its bias stands at offset - g + a. One axis has three: pixels whose window is pushed inwards from the
    left, those in between, and those pushed from the right. Near a border all blocks see the very same keys.
    """

    start: int
    blocks: int
    length: int
    key: int
    offset: int

    def queries(self, x, dim):
        """The zone's part of x, with `dim` split into blocks and length."""
        return x.narrow(dim, self.start, self.blocks * self.length).unflatten(dim, (self.blocks, self.length))


def _zones(n, k, D):
    r = k // 2
    edge = D * r
    zones = Zone(0, r, D, 0, k - 1), Zone(edge, 1, n - 2 * edge, 0, r), Zone(n - edge, r, D, n - k * D, r - 1)
    return [zone for zone in zones if zone.blocks]


NUMBERS_AT_ONCE = {"cpu": 2 ** 17}                # of q in a chunk, which should stay within the cache; more on other devices


class _Geometry:
    """Where the keys of a chunk of query rows lie. Images are (M, d, H, W) with M = N * heads."""

    def __init__(self, q, k, D):
        self.k, self.D = k, D
        self.rows, self.columns = (_zones(n, k, D) for n in q.shape[-2:])
        numbers = NUMBERS_AT_ONCE.get(q.device.type, 2 ** 24)
        self.rows_at_once = max(1, numbers // (q.shape[0] * q.shape[1] * q.shape[3]))

    def chunks(self):
        for zone in self.rows:
            step = max(1, self.rows_at_once // zone.blocks)
            for p in range(0, zone.length, step):
                yield zone, p, min(step, zone.length - p)

    def is_usual(self, chunk):
        """One of the many of the same shape; the border's rows and the remainder are not."""
        return chunk[0].blocks == 1 and chunk[2] == min(self.rows_at_once, chunk[0].length)

    def queries(self, x, zone, p, rows):
        return zone.queries(x, dim=2).narrow(3, p, rows)                                # (M, d, blocks, rows, W)

    def keys(self, x, zone, p, rows):
        return x.narrow(2, zone.key + p, (self.k - 1) * self.D + rows)                  # (M, d, rows with halo, W)

    def shifted(self, x, b):
        """Key number b of every column, (M, d, 1, rows with halo, W)."""
        parts = [x.narrow(-1, zone.key + b * self.D, zone.length) for zone in self.columns for _ in range(zone.blocks)]
        return torch.cat(parts, dim=-1).unsqueeze(2)

    def add_shifted(self, x, b, gradient):
        """The adjoint of `shifted`: adds each column of the gradient where it came from."""
        for zone in self.columns:
            part = zone.queries(gradient.squeeze(2), dim=-1).sum(-2) if zone.blocks > 1 else (
                gradient.squeeze(2).narrow(-1, zone.start, zone.length))
            x.narrow(-1, zone.key + b * self.D, zone.length).add_(part)

    def bias_columns(self, device):
        """Place in the bias table's columns for each key number and column, (k, W)."""
        first = torch.cat([torch.arange(zone.offset, zone.offset - zone.blocks, -1, device=device).repeat_interleave(zone.length)
                           for zone in self.columns])
        return first + torch.arange(self.k, device=device)[:, None]

    def bias_rows(self, zone, device):
        """Place in the bias table's rows for each key number and block, (k, blocks)."""
        return (zone.offset - torch.arange(zone.blocks, device=device)) + torch.arange(self.k, device=device)[:, None]


class _ShiftedSums(torch.autograd.Function):
    """Attention of images q, k, v (M, d, H, W) as sums over the k x k shifts; q is scaled already, bias (M, 2k-1, 2k-1).

    A plane is one number for each query and head of a chunk. All logits of a chunk are kept, as k x k planes, for their
    maximum; the backward pass needs one plane at a time, for the logarithm of their sum of exponentials is remembered.
    """

    @staticmethod
    def forward(ctx, q, k, v, bias, kernel_size, dilation, compiled):
        where = _Geometry(q, kernel_size, dilation)
        output, log_sum = torch.empty_like(q), q.new_empty(q.shape[0], 1, *q.shape[2:])
        for chunk in where.chunks():
            attend = _compiled_chunk if compiled and where.is_usual(chunk) else _chunk
            Q, K, V = where.queries(q, *chunk).contiguous(), where.keys(k, *chunk), where.keys(v, *chunk)
            O, lse = attend(where, Q, K, V, _bias_planes(where, bias, chunk[0]))
            where.queries(output, *chunk).copy_(O)
            where.queries(log_sum, *chunk).copy_(lse[:, None])
        ctx.save_for_backward(q, k, v, bias, output, log_sum)
        ctx.options = kernel_size, dilation, compiled
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        q, k, v, bias, output, log_sum = ctx.saved_tensors
        kernel_size, dilation, compiled = ctx.options
        where = _Geometry(q, kernel_size, dilation)
        dq, dk, dv = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        dbias = None if bias is None else torch.zeros_like(bias)
        for chunk in where.chunks():
            attend = _compiled_chunk_backward if compiled and where.is_usual(chunk) else _chunk_backward
            Q, G, lse = (where.queries(x, *chunk).contiguous() for x in (q, gradient, log_sum))
            delta = (G * where.queries(output, *chunk)).sum(1)                         # (M, blocks, rows, W), as lse
            K, V, dK, dV = (where.keys(x, *chunk) for x in (k, v, dk, dv))
            dQ, slopes = attend(where, Q, G, lse.squeeze(1), delta, K, V, dK, dV, _bias_planes(where, bias, chunk[0]))
            where.queries(dq, *chunk).copy_(dQ)
            if bias is not None:
                dbias += _fold_bias(where, slopes, chunk[0])
        return dq, dk, dv, dbias, None, None, None


def _chunk(where, Q, K, V, table):
    """Output and log-sum of one chunk: queries (M, d, blocks, rows, W), keys and values (M, d, rows with halo, W)."""
    rows, product, total, O = Q.shape[3], torch.empty_like(Q), 0, torch.zeros_like(Q)
    logits = Q.new_empty(where.k, where.k, Q.shape[0], *Q.shape[2:])
    largest = torch.full_like(logits[0, 0], -torch.inf)
    for b in range(where.k):
        K_b = where.shifted(K, b)
        for a in range(where.k):
            plane = _logits(Q, K_b.narrow(3, a * where.D, rows), table, a, b, product, out=logits[a, b])
            torch.maximum(largest, plane, out=largest)
    for b in range(where.k):
        V_b = where.shifted(V, b)
        for a in range(where.k):
            weight = logits[a, b].sub_(largest).exp_()
            total += weight
            O.addcmul_(weight[:, None], V_b.narrow(3, a * where.D, rows))
    return O.div_(total[:, None]), total.log_().add_(largest)


def _chunk_backward(where, Q, G, lse, delta, K, V, dK, dV, table):
    """Adds to dK and dV; returns dQ and the logits' gradient summed over rows, (k, k, M, blocks, W)."""
    rows, product, dQ, plane, slope = Q.shape[3], torch.empty_like(Q), torch.zeros_like(Q), torch.empty_like(lse), torch.empty_like(lse)
    slopes = Q.new_empty(where.k, where.k, Q.shape[0], Q.shape[2], Q.shape[4])
    for b in range(where.k):
        K_b, V_b = where.shifted(K, b), where.shifted(V, b)
        dK_b, dV_b = torch.zeros_like(K_b), torch.zeros_like(V_b)
        for a in range(where.k):
            K_ab, V_ab, dK_ab, dV_ab = (x.narrow(3, a * where.D, rows) for x in (K_b, V_b, dK_b, dV_b))
            weight = _logits(Q, K_ab, table, a, b, product, out=plane).sub_(lse).exp_()
            _add_product(dV_ab, weight, G)
            torch.sum(torch.mul(G, V_ab, out=product), dim=1, out=slope)
            slope.sub_(delta).mul_(weight)                                             # d loss / d logit
            dQ.addcmul_(slope[:, None], K_ab)
            _add_product(dK_ab, slope, Q)
            if table is not None:
                torch.sum(slope, dim=2, out=slopes[a, b])
        where.add_shifted(dK, b, dK_b)
        where.add_shifted(dV, b, dV_b)
    return dQ, slopes


def _logits(Q, K, table, a, b, product, out):
    torch.sum(torch.mul(Q, K, out=product), dim=1, out=out)
    return out if table is None else out.add_(table[a, b])


def _add_product(total, weight, x):
    """total += weight * x; where several blocks see the same keys, over all of them."""
    if x.shape[2] == 1:
        total.addcmul_(weight[:, None], x)
    else:
        total += (weight[:, None] * x).sum(2, keepdim=True)


def _bias_planes(where, bias, zone):
    """The bias of every key number of every query of a row zone, the same in all rows of a block: (k, k, M, blocks, 1, W)."""
    if bias is None:
        return None
    rows, columns = where.bias_rows(zone, bias.device), where.bias_columns(bias.device)
    planes = bias[:, rows[:, None, :, None], columns[None, :, None, :]]                 # (M, k, k, blocks, W)
    return planes.permute(1, 2, 0, 3, 4).unsqueeze(4).contiguous()


def _fold_bias(where, planes, zone):
    """The adjoint of `_bias_planes`, planes (k, k, M, blocks, W), as two products with zeros and ones (no race on a GPU)."""
    rows, columns = where.bias_rows(zone, planes.device), where.bias_columns(planes.device)
    pick_row, pick_column = (F.one_hot(x, 2 * where.k - 1).to(planes.dtype) for x in (rows, columns))
    return torch.einsum("abmgx,agi,bxj->mij", planes, pick_row, pick_column)


def _torch(query, key, value, k, D, bias, scale, compiled=False):
    N, heads, H, W, d = query.shape
    working = torch.float32 if query.dtype in (torch.float16, torch.bfloat16) else query.dtype
    q, keys, v = (x.to(working).movedim(-1, 2).reshape(N * heads, d, H, W).contiguous() for x in (query, key, value))
    if bias is not None:
        bias = bias.to(working).repeat(N, 1, 1)                                         # (M, 2k-1, 2k-1)
    output = _ShiftedSums.apply(q * scale, keys, v, bias, k, D, compiled)
    return output.view(N, heads, d, H, W).movedim(2, -1).to(query.dtype)


# ------------------------------------------------------------------------------ the same sums, fused by torch.compile

def _compiled_chunk(where, Q, K, V, table):
    K, V = (torch.stack([where.shifted(x, b).squeeze(2) for b in range(where.k)]) for x in (K, V))
    return _compile(_window_sums, Q.shape, Q.dtype, Q.device)(Q.squeeze(2), K, V, _squeeze(table), where.k, where.D)


def _compiled_chunk_backward(where, Q, G, lse, delta, K, V, dK, dV, table):
    K, V = (torch.stack([where.shifted(x, b).squeeze(2) for b in range(where.k)]) for x in (K, V))
    adjoint = _compile(_window_sums_backward, Q.shape, Q.dtype, Q.device)
    dQ, dK_all, dV_all, slopes = adjoint(*(x.squeeze(-3) for x in (Q, G, lse, delta)), K, V, _squeeze(table), where.k, where.D)
    for b in range(where.k):
        where.add_shifted(dK, b, dK_all[b].unsqueeze(2))
        where.add_shifted(dV, b, dV_all[b].unsqueeze(2))
    return dQ.unsqueeze(2), slopes.unsqueeze(3)


def _squeeze(table):
    return None if table is None else table.squeeze(3)


def _windows(x, k, D):
    """Shifted images (k, M, d, rows with halo, W) as (row of the window, column of the window, M, d, rows, W), without a copy."""
    b, M, d, y, column = x.stride()
    return x.as_strided((k, k, *x.shape[1:3], x.shape[3] - (k - 1) * D, x.shape[4]), (D * y, b, M, d, y, column))


def _window_logits(Q, K, table, k, D):
    logits = (Q * _windows(K, k, D)).sum(3)                                             # (k, k, M, rows, W)
    return logits if table is None else logits + table


def _window_sums(Q, K, V, table, k, D):
    """The definition, word for word: only a compiler that fuses product and sum spares the copies."""
    logits = _window_logits(Q, K, table, k, D)
    largest = logits.amax((0, 1))
    weights = (logits - largest).exp()
    total = weights.sum((0, 1))
    O = (weights[:, :, :, None] * _windows(V, k, D)).sum((0, 1)) / total[:, None]
    return O.unsqueeze(2), (total.log() + largest).unsqueeze(1)


def _window_sums_backward(Q, G, lse, delta, K, V, table, k, D):
    weights = (_window_logits(Q, K, table, k, D) - lse).exp()
    slope = weights * ((G * _windows(V, k, D)).sum(3) - delta)
    dQ = (slope[:, :, :, None] * _windows(K, k, D)).sum((0, 1))

    def spread(planes, x):                              # each row of the window adds to the rows that it saw
        return sum(F.pad(planes[a, :, :, None] * x, (0, 0, a * D, (k - 1 - a) * D)) for a in range(k))

    return dQ, spread(slope, Q), spread(weights, G), slope.sum(3)


@functools.cache
def _compile(function, shape, dtype, device):
    """Compiled anew for each shape, as a function of its own, because dynamo keeps only a few versions of one."""
    own = type(function)(function.__code__.replace(co_name=f"{function.__name__}_{'_'.join(map(str, shape))}"), function.__globals__)
    return torch.compile(own, dynamic=False, fullgraph=True)


# ------------------------------------------------------------------------------------- the fused kernels of natten

def _natten(query, key, value, k, D, bias, scale):
    """natten has no bias: it becomes part of the product, with one more feature for each remainder modulo 2k-1.

    Offsets of key and query lie between -(k-1) and k-1, so their remainders differ. A key carries a one at the remainder
    of its own place (row and column, in steps of D), a query the whole table turned by its own place.
    """
    if reason := _why_not_natten(query, k):
        _warn_once(f'neighborhood_attention_2d: backend="natten" is not used, "torch" is: {reason}.')
        return _torch(query, key, value, k, D, bias, scale)
    d = query.shape[-1]
    query = query * scale
    if bias is not None:
        (y, x), period = (torch.arange(n, device=query.device) // D % (2 * k - 1) for n in query.shape[2:4]), 2 * k - 1
        places = torch.arange(period, device=query.device)
        turned_rows, turned_columns = ((places - place[:, None] + k - 1) % period for place in (y, x))          # (H, period)
        table = bias.to(query.dtype)[:, turned_rows[:, None, :, None], turned_columns[None, :, None, :]].flatten(3)
        ones = (F.one_hot(y, period)[:, None, :, None] * F.one_hot(x, period)[None, :, None, :]).flatten(2).to(key.dtype)
        query = torch.cat([query, table.expand(len(query), -1, -1, -1, -1)], dim=-1)
        key = torch.cat([key, ones.expand(*key.shape[:2], -1, -1, -1)], dim=-1)
    query, key, value = (F.pad(x, (0, -x.shape[-1] % 8)).permute(0, 2, 3, 1, 4).contiguous() for x in (query, key, value))
    output = importlib.import_module("natten").na2d(query, key, value, kernel_size=k, dilation=D, scale=1.0)
    return output[..., :d].permute(0, 3, 1, 2, 4)


def _why_not_natten(query, k):
    try:
        natten = importlib.import_module("natten")
    except (ImportError, OSError, RuntimeError) as error:             # absent, or built for another torch
        return f"natten can't be imported ({error})"
    if query.device.type != "cuda":
        return f"its kernels need a GPU and the images are on the {query.device.type}"
    if not getattr(natten, "HAS_LIBNATTEN", False):
        return "it was installed without its compiled kernels"
    if query.dtype == torch.float64:
        return "its kernels have no float64"
    return "its windows are larger than one pixel" if k == 1 else None


@functools.cache
def _warn_once(message):
    warnings.warn(message, stacklevel=4)


BACKENDS = {"auto": _torch, "torch": _torch, "compiled": functools.partial(_torch, compiled=True), "natten": _natten,
            "reference": _reference}


# ------------------------------------------------------------------------------------------- modules of the networks

class NeighborhoodSelfAttention(nn.Module):
    """Query, key and value from one image; x (N, H, W, inputs) -> (N, H, W, channels), Eq. (9) with y = x.

    An image smaller than a window, kernel_size * dilation, is extended by zeros at the right and at the bottom, as the
    released networks do: before the projection, so that what was added has a key and a value (the projection's bias).
    """

    def __init__(self, channels, heads, kernel_size=7, dilation=3, inputs=None):
        super().__init__()
        _check_heads("NeighborhoodSelfAttention", channels, heads)
        self.heads, self.kernel_size, self.dilation = heads, kernel_size, dilation
        self.backend = "auto"
        self.qkv = nn.Linear(inputs or channels, 3 * channels)
        self.bias = _bias_table(heads, kernel_size)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x):
        return self.proj(_attend(self, self.qkv, x))


class NeighborhoodCrossAttention(nn.Module):
    """The query from x, key and value from y; both (N, H, W, channels), Eqs. (7)-(9). Small images as in self-attention."""

    def __init__(self, channels, heads, kernel_size=7, dilation=3):
        super().__init__()
        _check_heads("NeighborhoodCrossAttention", channels, heads)
        self.heads, self.kernel_size, self.dilation = heads, kernel_size, dilation
        self.backend = "auto"
        self.q = nn.Linear(channels, channels)
        self.kv = nn.Linear(channels, 2 * channels)
        self.bias = _bias_table(heads, kernel_size)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x, y):
        return self.proj(_attend(self, lambda x, y: torch.cat([self.q(x), self.kv(y)], dim=-1), x, y))


def _bias_table(heads, kernel_size):
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(heads, 2 * kernel_size - 1, 2 * kernel_size - 1), std=0.02))


def _attend(module, project, *images):
    """Extends images (N, H, W, C) to a window's size, projects them to query, key and value, attends, and crops."""
    height, width = images[0].shape[1:3]
    window = module.kernel_size * module.dilation
    missing = max(0, window - height), max(0, window - width)
    if any(missing):
        images = [F.pad(x, (0, 0, 0, missing[1], 0, missing[0])) for x in images]
    q, k, v = project(*images).unflatten(-1, (3, module.heads, -1)).permute(3, 0, 4, 1, 2, 5)  # each (N, heads, H, W, d)
    output = neighborhood_attention_2d(q, k, v, module.kernel_size, module.dilation, module.bias, backend=module.backend)
    return output.permute(0, 2, 3, 1, 4).flatten(3)[:, :height, :width]                  # (N, H, W, heads * d)


# ------------------------------------------------------------------------------------------ what is asked of the user

def _check(query, key, value, kernel_size, dilation, bias, scale, backend):
    where = "neighborhood_attention_2d"
    if backend not in BACKENDS:
        raise GirlibError(f"{where}: backend is {backend!r}; it must be one of {', '.join(BACKENDS)}.")
    for name, x in (("query", query), ("key", key), ("value", value)):
        if not isinstance(x, torch.Tensor):
            raise GirlibError(f"{where}: {name} is a {type(x).__name__}; it must be a tensor (N, heads, H, W, d).")
        if x.dim() != 5 or x.numel() == 0:
            raise GirlibError(f"{where}: {name} has the shape {tuple(x.shape)}; it must be (N, heads, H, W, d) and not empty "
                              "(x[:, None] adds a single head).")
        if not x.is_floating_point():
            raise GirlibError(f"{where}: {name} is {x.dtype}; it must be floating ({name}.float() makes it so).")
        for what, mine, first in (("shape", tuple(x.shape), tuple(query.shape)), ("dtype", x.dtype, query.dtype),
                                  ("device", x.device, query.device)):
            if mine != first:
                raise GirlibError(f"{where}: {name} has the {what} {mine} but query has {first}; query, key and value need "
                                  f"the same {what}.")
    for name, n in (("kernel_size", kernel_size), ("dilation", dilation)):
        if not isinstance(n, int) or isinstance(n, bool) or n < 1:
            raise GirlibError(f"{where}: {name} is {n!r}; it must be a whole number >= 1.")
    if kernel_size % 2 == 0:
        raise GirlibError(f"{where}: kernel_size is {kernel_size}; it must be odd, so that a window has a centre (use "
                          f"{kernel_size - 1} or {kernel_size + 1}).")
    H, W = query.shape[2:4]
    if kernel_size * dilation > min(H, W):
        raise GirlibError(f"{where}: the image is {H}x{W} but kernel_size * dilation is {kernel_size} * {dilation} = "
                          f"{kernel_size * dilation}; a window must fit into the image (lower one of them, or pad the image).")
    table = (query.shape[1], 2 * kernel_size - 1, 2 * kernel_size - 1)
    if bias is not None and (not isinstance(bias, torch.Tensor) or tuple(bias.shape) != table or not bias.is_floating_point()
                             or bias.device != query.device):
        given = f"{bias.dtype} {tuple(bias.shape)} on {bias.device}" if isinstance(bias, torch.Tensor) else type(bias).__name__
        raise GirlibError(f"{where}: bias is {given}; it must be floating, (heads, 2k-1, 2k-1) = {table}, on {query.device}.")
    if scale is not None and (not isinstance(scale, numbers.Real) or isinstance(scale, bool) or not math.isfinite(scale)):
        raise GirlibError(f"{where}: scale is {scale!r}; it must be a finite number, or None for d ** -0.5.")


def _check_heads(where, channels, heads):
    if channels % heads:
        raise GirlibError(f"{where}: {channels} channels can't be shared by {heads} heads; channels must be a multiple of "
                          f"{heads}.")
