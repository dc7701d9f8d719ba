"""MATLAB files of version 5: numbers, and the cells and structs that hold them; nothing else, and nothing is executed.

It is written here, and scipy's reader not used, because a damaged file makes that one crash the whole process. The format: a
header of 128 bytes, then elements. An element is a tag (type, bytes) and its data, up to 4 bytes of data inside the tag; type
14 is an array, itself made of elements (flags, dimensions, name, content), type 15 a compressed element.
"""

import struct
import zlib
from dataclasses import dataclass

import numpy as np

STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
OTHERS = {3: "object", 4: "char", 5: "sparse", 16: "function", 17: "opaque"}
COMPLEX, DEEPEST = 0x0800, 20


@dataclass(frozen=True)
class Other:
    """A value that is not read, and what it is."""

    kind: str


def read_matlab5(data, names=None, most=2**28):
    """{name: value} of the variables (of those in `names`) in the bytes of a file.

    An array of numbers comes as one in MATLAB's order (H, W, C); a cell array as a list, a struct array as a list of dicts, both
    column by column; everything else as Other. Bytes that are no such file, or claim more than `most` values, raise ValueError.
    """
    if data[:10] != b"MATLAB 5.0" or data[126:128] not in (b"IM", b"MI"):
        raise ValueError("no MATLAB file of version 5 to 7")
    order = "<" if data[126:128] == b"IM" else ">"
    found = {}
    try:
        for kind, element in _elements(data[128:], order):
            if kind == 15:
                kind, element = next(_elements(_inflated(element, order, most), order))
            name, value = _array(kind, element, order, names, most, 0)
            if names is None or name in names:
                found[name] = value
    except (struct.error, StopIteration, KeyError, zlib.error) as error:
        raise ValueError("an element is damaged") from error
    return found


def _array(kind, element, order, names, most, depth):
    """(name, value) of one array; the value is not looked at where `names` leaves it out."""
    if kind != 14:
        raise ValueError(f"an element of type {kind} where an array should stand")
    if depth > DEEPEST:
        raise ValueError("arrays inside arrays inside arrays")
    if not element:
        return "", np.empty((0, 0))                                         # an empty cell
    parts = _elements(element, order)
    flags = struct.unpack_from(order + "I", next(parts)[1])[0]
    what = flags & 255
    if what == 17:
        return next(parts)[1].decode("latin-1"), Other("opaque")
    part = next(parts)[1]
    dimensions = struct.unpack(order + f"{len(part) // 4}i", part)
    name = next(parts)[1].decode("latin-1")
    if names is not None and name not in names and depth == 0:
        return name, None
    count = 1
    for n in dimensions:
        count *= n
        if n < 0 or count > most:
            raise ValueError(f"an array of {'x'.join(map(str, dimensions))} values")
    inside = lambda: _array(*next(parts), order, None, most, depth + 1)[1]
    if what == 1:
        return name, [inside() for _ in range(count)]
    if what == 2:
        length = struct.unpack(order + "i", next(parts)[1])[0]
        text = next(parts)[1]
        if length < 1 or len(text) % length:
            raise ValueError("names of fields that do not fit their length")
        fields = [text[at:at + length].split(b"\0")[0].decode("latin-1") for at in range(0, len(text), length)]
        return name, [{field: inside() for field in fields} for _ in range(count)]
    if what not in CLASSES or flags & COMPLEX:
        return name, Other(OTHERS.get(what, "complex"))
    stored, values = next(parts)
    return name, np.frombuffer(values, order + STORED[stored]).astype(CLASSES[what]).reshape(dimensions, order="F")


def _elements(data, order):
    """(type, data) of the elements that follow each other; each begins at a multiple of 8 bytes, unless compressed."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from(order + "II", data, at)
        if kind >> 16:                                                      # a small element: its data is the tag's second half
            kind, size, start, end = kind & 0xffff, kind >> 16, at + 4, at + 8
        else:
            start = at + 8
            end = start + size + (-size % 8 if kind != 15 else 0)
        if start + size > min(end, len(data)):
            raise ValueError("an element is longer than the file")
        yield kind, data[start:start + size]
        at = end


def _inflated(element, order, most):
    """The compressed element, of no more bytes than its own tag says."""
    size = struct.unpack(order + "II", zlib.decompressobj().decompress(element, 8))[1]
    if size > 8 * most:
        raise ValueError(f"a compressed element of {size} bytes")
    stream = zlib.decompressobj()
    data = stream.decompress(element, size + 9)
    if len(data) != size + 8 or not stream.eof:
        raise ValueError("a compressed element is damaged")
    return data
