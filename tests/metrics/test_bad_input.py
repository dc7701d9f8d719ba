"""What cannot be measured is said in one sentence; what can be said of strange images is the documented value."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from girlib import metrics
from girlib.errors import GirlibError
from girlib.metrics import METRICS, measure
from girlib.metrics.calibrate import calibration

X = np.random.default_rng(0).random((3, 45, 46))
HOLE = X.copy()
HOLE[0, 3, 4] = np.nan
VALID = np.ones((1, 45, 46), bool)
VALID[0, 3, 4] = False

BAD = [  # metric, what is given, what the sentence says
    ("ssin", {}, "there is no metric 'ssin'; did you mean 'ssim'"),
    (7, {}, "there is no metric 7; there are ce, d_lambda"),
    ("psnr", {"restored": X}, "psnr: reads restored and reference; give reference too"),
    ("q_mi", {"restored": X, "reference": X}, "q_mi: reads restored, target and guide; give target and guide too"),
    ("psnr", {"restored": X, "reference": X[:, :44]}, r"restored has shape \(1, 3, 45, 46\) but reference has \(1, 3, 44, 46\)"),
    ("psnr", {"restored": X, "reference": X[:1]}, "both need the same shape"),
    ("psnr", {"restored": X[0], "reference": X[0]}, r"restored has shape \(45, 46\); give \(C, H, W\) or \(N, C, H, W\)"),
    ("psnr", {"restored": X[:, :0], "reference": X[:, :0]}, "at least one pixel"),
    ("psnr", {"restored": "a.png", "reference": X}, "restored holds <U5; give real numbers"),
    ("psnr", {"restored": [[1.0], [1.0, 2.0]], "reference": X}, "restored is no regular array of numbers"),
    ("psnr", {"restored": X + 1j, "reference": X}, "restored holds complex128"),
    ("psnr", {"restored": torch.tensor(X) + 1j, "reference": X}, "restored holds complex numbers"),
    ("psnr", {"restored": HOLE, "reference": X}, "restored has 1 values that are not finite"),
    ("ssim", {"restored": X, "reference": X + np.inf}, "reference has 6210 values that are not finite"),
    ("psnr", {"restored": HOLE, "reference": HOLE, "valid": VALID[0]}, r"valid has shape \(45, 46\)"),
    ("psnr", {"restored": HOLE, "reference": HOLE, "valid": VALID.astype(int)}, r"valid .* holds torch.int64; give bool"),
    ("psnr", {"restored": X, "reference": X, "valid": VALID & False}, "valid leaves out every pixel"),
    ("ssim", {"restored": HOLE, "reference": HOLE, "valid": VALID}, "valid leaves out 1 pixels, but the metric is defined on whole images"),
    ("psnr", {"restored": 255 * X, "reference": 255 * X}, "the images reach 25.*, beyond the 1 that is taken for floats; give data_range"),
    ("psnr", {"restored": X.astype(int), "reference": X.astype(int)}, "the images hold integer numbers, .*give data_range"),
    ("psnr", {"restored": X.astype(np.uint8), "reference": X}, "the images hold float and uint8 numbers"),
    ("psnr", {"restored": X, "reference": X, "data_range": 0}, "data_range=0 should be a finite number above 0"),
    ("psnr", {"restored": X, "reference": X, "data_range": True}, "data_range=True should be a finite number"),
    ("psnr", {"restored": X, "reference": X, "data_range": math.nan}, "data_range=nan should be a finite number"),
    ("psnr", {"restored": X, "reference": X, "border": 23}, "border=23 leaves nothing of 45x46 pixels"),
    ("psnr", {"restored": X, "reference": X, "border": -1}, "border=-1 should be a whole number of pixels"),
    ("psnr", {"restored": X, "reference": X, "border": True}, "border=True should be a whole number"),
    ("psnr", {"restored": X, "reference": X, "border": (1, 2, 3)}, "or a pair of such numbers"),
    ("psnr", {"restored": X, "reference": X, "over": "bands"}, "over='bands' is not known; give 'image', 'channels', 'luma'"),
    ("psnr", {"restored": X[:2], "reference": X[:2], "over": "luma"}, "luma is that of red, green and blue"),
    ("psnr", {"restored": X, "reference": X, "windows": 3}, "there is no option 'windows'; there are border, curve"),
    ("miou", {"restored": X, "reference": X, "border": 3}, "there is no option 'border'"),
    ("ssim", {"restored": X, "reference": X, "size": 46}, "the images have 45x46 pixels but the window 46x46"),
    ("ssim", {"restored": X, "reference": X, "size": 7.0}, "size=7.0 should be a whole number from 1 up"),
    ("ssim", {"restored": X, "reference": X, "shrink": 1}, "shrink=1 should be True or False"),
    ("ssim", {"restored": X, "reference": X, "size": 8, "outside": "reflect"}, "size=8 .* odd"),
    ("ssim", {"restored": X, "reference": X, "size": 1, "covariance": "sample"}, "size=1 .* 2 or more"),
    ("delta_e", {"restored": X[:1], "reference": X[:1]}, "the images have 1 channels; give red, green and blue"),
    ("q_abf", {"restored": X[:2], "target": X[:2], "guide": X[:2], "color": "grey"}, "color='grey' needs 1 or 3 channels"),
    ("d_lambda", {"restored": X, "low": X[:, :11, :11]}, "2, 4 or 8 times as large"),
    ("d_lambda", {"restored": np.ones((1, 32, 32)), "low": np.ones((1, 8, 8))}, "restored has one band"),
    ("d_s", {"restored": np.ones((2, 32, 32)), "low": np.ones((2, 8, 8)), "guide": np.ones((2, 32, 32))}, "image is one channel"),
    ("d_lambda", {"restored": np.ones((2, 2, 32, 32)), "low": np.ones((2, 8, 8))}, "both need the same number of images"),
    ("qnr", {"restored": np.ones((2, 40, 40)), "low": np.ones((2, 10, 10)), "guide": np.ones((1, 40, 40))}, "multiples of 32"),
    ("miou", {"restored": X, "reference": X}, "labels are whole numbers"),
    ("miou", {"restored": np.full((1, 2, 2), 21), "reference": np.zeros((1, 2, 2), int)}, "restored has labels from 21 to 21"),
    ("vifp", {"restored": X[:, :40], "reference": X[:, :40]}, "pixels but the window 3x3"),
]


@pytest.mark.parametrize("name, given, sentence", BAD, ids=range(len(BAD)))
def test_one_sentence(name, given, sentence):
    with pytest.raises(GirlibError, match=sentence) as raised:
        measure(name, **given)
    text = str(raised.value)
    assert "\n" not in text and len(text) < 260 and text.endswith((".", "?"))


def test_a_function_takes_no_more_images_than_it_reads():
    with pytest.raises(GirlibError, match="rmse: got 3 images; it reads restored and reference, and options are given by name"):
        metrics.rmse(X, X, 6)


SMALL = {"rmse", "psnr", "sam", "ergas", "delta_e", "en", "ce", "mi", "q_mi", "psnr_fusion", "q_abf", "q_cb", "f_measure", "miou"}


@pytest.mark.parametrize("name", sorted(set(METRICS) - {"lpips", "d_lambda", "d_s", "qnr"}))
def test_one_pixel_has_a_value_or_a_sentence(name):
    x = np.ones((3, 1, 1))
    images = dict.fromkeys(("restored", "reference", "target", "guide"), x)
    if name in SMALL or name == "q2n":                                     # which mirrors the image up to a block
        value = measure(name, **images)
        assert isinstance(value, float)
    else:
        with pytest.raises(GirlibError, match="window"):
            measure(name, **images)


@pytest.mark.parametrize("name", sorted(set(METRICS) - {"lpips", "d_lambda", "d_s", "qnr", "miou", "f_measure"}))
@pytest.mark.parametrize("level", [0.0, 0.1, 1.0])
def test_flat_images_have_the_value_of_equal_images_or_the_documented_nan(name, level):
    """Where a metric looks beyond the border and finds zeros there, only black images are flat."""
    x = np.full((3, 45, 45), level)
    value = measure(name, **dict.fromkeys(("restored", "reference", "target", "guide"), x))
    nan = {"q_mi", "vifp"} | ({"sam", "scc", "q_abf", "q_cb"} if level == 0 else set())
    zero, endless = {"rmse", "sam", "ergas", "delta_e", "en", "ce", "mi"}, {"psnr", "psnr_fusion"}
    expected = math.nan if name in nan else 0 if name in zero else math.inf if name in endless else 0.975 if name == "q_abf" else 1
    assert value == pytest.approx(expected, abs=1e-3 if name == "q_abf" else 1e-6, nan_ok=True)


def test_whole_samples_may_be_handed_over():
    given = {"restored": X, "reference": X, "target": X[:1], "guide": (X, X), "low": None, "valid": VALID | True}
    assert measure("ssim", **given) == 1


def test_numbers_of_any_kind_and_order_are_read():
    big = X.astype(">f4")
    assert metrics.psnr(big, X.astype(np.float32)) == math.inf
    assert metrics.psnr((2047 * X).astype(np.uint16), (2047 * X).astype(np.int32), data_range=2047) == math.inf
    assert metrics.psnr(X.tolist(), X) == math.inf
    locked = X.copy()
    locked.flags.writeable = False
    assert metrics.rmse(locked, X) == 0


def test_missing_and_damaged_references_are_said_in_one_sentence(tmp_path):
    with pytest.raises(GirlibError, match="values.json can't be read"):
        calibration(tmp_path)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "values.json").write_text(json.dumps({"values": []})[:8])
    with pytest.raises(GirlibError, match="is no complete JSON file"):
        calibration(tmp_path)


def test_only_colour_differences_and_lpips_need_more_than_torch_and_numpy():
    code = """
import sys
for name in ("scipy", "skimage", "PIL", "pandas", "cv2", "h5py", "matplotlib"):
    sys.modules[name] = None
import numpy as np
from girlib.metrics import METRICS, measure
x = np.random.default_rng(0).random((3, 64, 64))
for name, entry in METRICS.items():
    low = {"low": x[:, :16, :16], "guide": x[:1]} if "low" in entry.reads else {"guide": x}
    label = (x * 20).round() if name == "miou" else x
    try:
        measure(name, restored=label, reference=label, target=x, **low)
        assert not entry.needs, name
    except ValueError as error:
        assert entry.needs and "pip install" in str(error), (name, error)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
