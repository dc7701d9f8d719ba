"""Arrays of numbers in MATLAB files, and nothing else that such a file may hold.

Version 5 is read by girlib.matlab, not by scipy, whose reader crashes on damaged files. Version 7.3 is HDF5 with the axes reversed.
"""

from pathlib import Path

import numpy as np

from girlib.datasets.files import MAX_VALUES, check_size, decoding, h5_array, open_h5, refuse
from girlib.matlab import read_matlab5


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
        found = read_matlab5(Path(path).read_bytes(), names, MAX_VALUES)
        for name, array in found.items():
            if not isinstance(array, np.ndarray):
                what = ("struct" if array and isinstance(array[0], dict) else "cell") if isinstance(array, list) else array.kind
                refuse(path, f"holds {name!r} as {what}", "numbers")
        return found
