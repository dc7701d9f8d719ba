"""Arrays of numbers in MATLAB files, and nothing else that such a file may hold.

Version 5 is read here, and not by scipy, because a damaged file makes scipy's reader crash the whole process. The format: a header of
128 bytes, then elements. An element is a tag (type, bytes) and its data, up to 4 bytes of data inside the tag; type 14 is an array, itself
made of elements (flags, dimensions, name, values), type 15 a compressed element. Version 7.3 is HDF5 with the axes reversed.
"""

import struct
import zlib
from pathlib import Path

import numpy as np

from girlib.datasets.files import check_size, decoding, h5_array, open_h5, refuse

STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
OTHERS = {1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse", 16: "function", 17: "opaque"}
COMPLEX = 0x0800


def read_mat(path, names):
    """{name: array} of those names that a MATLAB file has, version 5 to 7.3, axes in MATLAB's order (H, W, C)."""
    kind = "a MATLAB file (version 5 to 7.3) of numbers"
    with decoding(path, kind):
        with open(path, "rb") as file:
            start = file.read(10)
        if start == b"MATLAB 7.3":
            with open_h5(path) as file:
                arrays = {name: h5_array(path, file, name) for name in names if name in file}
                for array in arrays.values():
                    check_size(path, array.shape)
                return {name: array[()].T for name, array in arrays.items()}
        if start != b"MATLAB 5.0":
            refuse(path, "is no MATLAB file of version 5 to 7.3", kind)
        return _read_version_5(path, names)


def _read_version_5(path, names):
    data = Path(path).read_bytes()
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128]) or refuse(path, "does not tell its order of bytes", "IM or MI at byte 126")
    found = {}
    for kind, element in _elements(data[128:], order):
        if kind == 15:
            kind, element = next(_elements(_inflated(path, element, order), order))
        if kind != 14:
            raise ValueError(f"element of type {kind}")
        parts = _elements(element, order)
        flags = struct.unpack_from(order + "I", next(parts)[1])[0]
        what = flags & 255
        dimensions = () if what == 17 else struct.unpack(order + f"{len(part := next(parts)[1]) // 4}i", part)
        name = next(parts)[1].decode("latin-1")
        if name not in names:
            continue
        if what not in CLASSES or flags & COMPLEX:
            refuse(path, f"holds {name!r} as {OTHERS.get(what, 'complex numbers')}", "numbers")
        check_size(path, dimensions)
        stored, values = next(parts)
        array = np.frombuffer(values, order + STORED[stored]).astype(CLASSES[what])
        found[name] = array.reshape(dimensions, order="F")
    return found


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


def _inflated(path, element, order):
    """The compressed element, of no more bytes than its own tag says."""
    size = struct.unpack(order + "II", zlib.decompressobj().decompress(element, 8))[1]
    check_size(path, (size,))
    stream = zlib.decompressobj()
    data = stream.decompress(element, size + 9)
    if len(data) != size + 8 or not stream.eof:
        raise ValueError("a compressed element is damaged")
    return data
