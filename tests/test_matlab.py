"""MATLAB files: equal to scipy's reading where they are whole, one kind of error where they are not."""

import io

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from girlib.matlab import Other, read_matlab5

NUMBERS = {f"{kind}_{n}": (np.arange(np.prod(shape)).reshape(shape) * 3 - 4).astype(kind)
           for kind in ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8") for n, shape in enumerate([(1, 1), (3, 5), (2, 3, 4), (0, 0)])}


def cell(*items):
    array = np.empty((1, len(items)), dtype=object)
    array[0, :] = items
    return array


def written(content, **options):
    stream = io.BytesIO()
    savemat(stream, content, **options)
    return stream.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
def test_numbers_are_what_scipy_reads(compressed):
    data = written(NUMBERS, do_compression=compressed)
    ours, theirs = read_matlab5(data), loadmat(io.BytesIO(data))
    for name in NUMBERS:
        assert ours[name].dtype == theirs[name].dtype and np.array_equal(ours[name], theirs[name]), name


def test_cells_and_structs_hold_what_was_put_in():
    kernel = np.random.default_rng(0).random((3, 3, 2, 4), np.float32)
    data = written({"net": {"layers": cell({"weights": cell(kernel, kernel[0, 0, 0]), "stride": [2.0]}, {"type": "relu", "none": []})}},
                   do_compression=True)
    (net,) = read_matlab5(data)["net"]
    (first,), (last,) = net["layers"]
    assert np.array_equal(first["weights"][0], kernel) and np.array_equal(first["weights"][1], kernel[:1, 0, 0])
    assert first["stride"] == 2 and last["type"] == Other("char") and last["none"].size == 0


def test_only_what_is_asked_for_is_looked_at():
    assert list(read_matlab5(written({"a": np.eye(2), "b": "text"}), ["a"])) == ["a"]
    assert read_matlab5(written({"a": np.eye(2) * 1j}))["a"] == Other("complex")


@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_bytes_raise_one_kind_of_error_or_none(compressed):
    content = {"net": {"layers": cell({"weights": cell(np.ones((2, 2)), np.ones(2))})}, "x": np.arange(6.0)}
    whole = written(content, do_compression=compressed)
    random, refused = np.random.default_rng(1), 0
    for _ in range(400):
        data = bytearray(whole[:random.integers(len(whole))] if random.random() < 0.3 else whole)
        for _ in range(random.integers(4) if len(data) > 130 else 0):
            data[random.integers(len(data))] = random.integers(256)
        try:
            read_matlab5(bytes(data))
        except ValueError:
            refused += 1
    assert refused > 100


def test_an_array_that_claims_too_much_is_refused():
    with pytest.raises(ValueError, match="5x5 values"):
        read_matlab5(written({"a": np.eye(5)}), most=24)
    with pytest.raises(ValueError, match="bytes"):
        read_matlab5(written({"a": np.zeros((100, 100))}, do_compression=True), most=24)
