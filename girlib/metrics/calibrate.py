"""Ours beside values that were computed elsewhere: by released code in Octave, by public Python code, by libraries.

The folder of references (GIRLIB_REFERENCE) holds `golden/metrics`: small images, `values.json` with a value, a tolerance and an
origin for each metric in each variant, and two files of values on real images: `pan_real.json` and `lytro.json`. What was found is
kept in `results/records/calibration.jsonl`, a line a metric (`python -m girlib.metrics --keep`).
"""

import json
import math
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from girlib.errors import GirlibError
from girlib.metrics import lookalikes
from girlib.metrics.definition import measure
from girlib.resampling import upsample
from girlib.results import provenance


class Row(NamedTuple):
    metric: str
    variant: str
    inputs: str
    expected: float
    ours: float
    difference: float
    tolerance: float
    by: str = ""                        # who computed what is expected

    @property
    def good(self):
        return self.difference <= self.tolerance


def like(function, *reads):
    """A look-alike of another library, called like a metric."""
    return lambda **images: function(*(torch.from_numpy(np.asarray(images[key], float)) for key in reads)).mean().item()


def pooled_rmse(restored, reference, **options):
    """All images of the set as one large one: how libraries that pool the squared errors see it."""
    return measure("rmse", restored=np.concatenate(restored, axis=-1), reference=np.concatenate(reference, axis=-1), **options)


# metric of values.json -> what its variant begins with (a longer beginning comes first) -> the options that give it here;
# before them another name, or a function that is called like `measure`, where it is not the metric of that name
EXACT = {"zeros": "right angle", "unit": "radians"}
SKIMAGE = {"window": "uniform", "size": 7, "covariance": "sample"}
VARIANTS: dict[str, dict[str, dict | tuple[str | Callable, dict]]] = {
    "rmse": {"cm, 6 px": {"factor": 100, "border": 6}, "cm, global": (pooled_rmse, {"factor": 100}), "cm": {"factor": 100}, "m": {},
             "0-255, 6 px": {"border": 6}, "0-255": {}, "plain": {}},
    "psnr": {"grey": {}, "rgb, one": {}, "rgb, mean": {"over": "channels"}, "rgb, luma": {"over": "luma"}, "identical": {},
             "range 2047, one": {"data_range": 2047}, "range 2047, mean": {"data_range": 2047, "over": "channels"},
             "range 1, one": {}, "range 1, mean": {"over": "channels"}, "sfigf:2": {"values": "clip"}, "linear": {},
             "mu-law": {"curve": "mu-law"}},
    "ssim": {"wang with down": {"shrink": True}, "wang": {}, "skimage": SKIMAGE, "gaussian 11/1.5, zero": {"outside": "constant"},
             "gaussian 11/1.5, reflect": {"outside": "reflect"}, "same, torchmetrics": {"outside": "reflect"},
             "MATLAB built-in called": {"outside": "replicate", "data_range": 1}, "MATLAB": {"outside": "replicate"},
             "sewar": {"window": "uniform"}, "sfigf:2": {"values": "clip"}, "linear, skimage": SKIMAGE,
             "mu-law 5000, skimage": SKIMAGE | {"curve": "mu-law"}, "mu-law 5000, wang": {"curve": "mu-law"}},
    "q2n": {"toolbox": {}, "same without": {"cast": False}, "32x32 blocks, shift 16": {"shift": 16},
            "32x32, no cast": {"cast": False}, "Python port": {"deviation": "population"}},
    "q": {"toolbox": {}, "sliding 8x8": {"size": 8}, "img_qi": {"size": 8}, "8x8": {"size": 8}, "sfigf:2": {"size": 8, "flat": 1e-8},
          "torchmetrics": (like(lookalikes.torchmetrics_q, "restored", "reference"), {}),
          "sewar": (like(lookalikes.sewar_q, "restored", "reference"), {})},
    "sam": {"degrees": {}, "toolbox": {}, "radians, zero": {"unit": "radians"}, "radians, den": EXACT, "sfigf:2": EXACT,
            "zero pixels count": {"zeros": "no angle", "unit": "radians"}, "nan": {"zeros": "nan"}},
    "ergas": {"100/4": {}, "100 x 4": {"ratio": 0.25}, "100 (no": {"ratio": 1}, "sfigf:2": {}},
    "scc": {"toolbox": {}, "plain Pearson": {"filter": "none"}, "Laplacian": {"filter": "laplace"}, "sewar": {"filter": "local laplace"},
            "sfigf:2": {"filter": "none"}},
    "d_lambda": {"toolbox": {}, "QNR paper": {"style": "paper"}, "py_pan": {"style": "sliding"},
                 "torchmetrics": (like(lookalikes.torchmetrics_d_lambda, "restored", "low"), {})},
    "d_s": {"toolbox": {}, "QNR paper": {"style": "paper"},
            "torchmetrics 1.9.0: d_s(pan": (like(partial(lookalikes.torchmetrics_d_s, shrink="bicubic"), "restored", "low", "guide"), {}),
            "torchmetrics": (like(lookalikes.torchmetrics_d_s, "restored", "low", "guide"), {})},
    "qnr": {"toolbox": {}, "QNR paper": {"style": "paper"},
            "torchmetrics": (like(lookalikes.torchmetrics_qnr, "restored", "low", "guide"), {})},
    "ce": {"": {}}, "en": {"": {}}, "q_cb": {"": {}}, "q_abf": {"": {}}, "q_y": {"": {}}, "ssim_src": {"": {}}, "q_s": {"": {}},
    "q_mi": {"Hossny, without": {"stretch": False}, "": {}},
    "mi": {"mean": {"style": "mean", "bins": 20}, "": {}},
    "psnr_fusion": {"MEFB": {"style": "mefb"}, "proper": {}, "Linfeng": {"style": "doubled scale"}},
    "vif": {"VIFF": {}, "vifp(": {"style": "sum"}, "vifp, noise": ("vifp", {})},
    "q_w": {"": ("q_s", {"style": "W"})}, "q_g": {"": ("q_abf", {"style": "liu"})},
    "mef_ssim": {"3 scales": {}, "1 scale": {"scales": 1}},
    "delta_e": {"CIE76": {}, "CIE94": {"formula": "cie94"}, "CIEDE2000": {"formula": "ciede2000"}},
    "f_measure": {"adaptive": {}, "maximum": {"threshold": "maximum"}, "mean": {"threshold": "mean"}},
    "miou": {"4 classes": {"classes": 4}, "21": {}},
}


def calibration(golden):
    """Every value of `golden`/metrics/values.json beside ours: a list of rows."""
    folder = Path(golden) / "metrics"
    rows = []
    for entry in _read(folder / "values.json")["values"]:
        images = _inputs(folder, entry["inputs"])
        rows.append(_row(entry, _ours(entry["metric"], entry["variant"], images)))
    return rows


def _ours(metric, variant, images):
    options = next(options for start, options in VARIANTS[metric].items() if variant.startswith(start))
    how, options = options if isinstance(options, tuple) else (metric, options)
    if isinstance(how, str):
        return measure(how, **images, **options)
    return how(**images, **options)


def _row(entry, ours):
    expected = float(entry["value"])
    same = ours == expected or (math.isnan(ours) and math.isnan(expected))
    return Row(entry["metric"], entry["variant"], entry["inputs"], expected, ours, 0.0 if same else abs(ours - expected), entry["tol"],
               " and ".join(entry[key] for key in ("by", "second_by") if key in entry))


# ------------------------------------------------------------------------------------------------------------- records

def write_record(rows, path):
    """Rows as JSON lines, one a metric, in one piece; the file is made anew."""
    lines = []
    for metric in dict.fromkeys(row.metric for row in rows):
        values = [row._replace(**{name: str(x) for name, x in row._asdict().items() if isinstance(x, float) and not math.isfinite(x)})
                  for row in rows if row.metric == metric]
        lines.append(json.dumps({"metric": metric, "rows": [list(row[1:]) for row in values], **provenance()}, allow_nan=False))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text("\n".join(lines) + "\n")
    os.replace(draft, path)


def read_record(path):
    """(rows, when and with what they were made) of a record of `write_record`."""
    try:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        rows = [Row(line["metric"], variant, inputs, *map(float, numbers), by)
                for line in lines for variant, inputs, *numbers, by in line["rows"]]
        return rows, {name: lines[0][name] for name in ("versions", "commit", "date")}
    except OSError as error:
        raise GirlibError(f"calibration: {str(path)!r} can't be read ({error.strerror}); the record belongs to a checkout of girlib's "
                          "repository.") from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise GirlibError(f"calibration: {str(path)!r} is no record of a calibration; make it anew: python -m girlib.metrics --keep") \
            from None


def _read(path):
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise GirlibError(f"calibration: {path} can't be read ({error.strerror}); give the folder `golden` of the references "
                          "(GIRLIB_REFERENCE/golden).") from None
    except ValueError:
        raise GirlibError(f"calibration: {path} is no complete JSON file; fetch it again.") from None


# ---------------------------------------------------------------------------- what "inputs" of values.json says, as images

def _inputs(folder, text):
    file = text.split()[0].rstrip(":").removesuffix(".npz")
    with np.load(folder / f"{file}.npz", allow_pickle=False) as stored:
        images = {name: np.moveaxis(x, -1, 0) if x.ndim == 3 else x[None] for name, x in stored.items()}          # (C, H, W)
    if file == "fusion":
        return _sources(images, text)
    if text.startswith("degenerate.npz: const100") and "against" not in text:
        return {"restored": images["const100"]}
    if "sources const100" in text:
        return {"restored": images["texture"], "target": images["const100"], "guide": images["texture"]}
    if "three times" in text:
        return dict.fromkeys(("restored", "target", "guide"), images["texture"])
    if "doubled" in text:
        x, y = images["pred_m"].astype(float), images["gt_m"].astype(float)
        return {"restored": np.stack([x, y + 2 * (x - y)]), "reference": np.stack([y, y])}
    if file == "ms8":
        return _spectral(images, text)
    x, y = re.search(r"(\w+) against (\w+)", text).groups()
    return {"restored": images[x], "reference": images[x if y == "itself" else y]}


def _sources(images, text):
    if "_rgb" in text:
        names = "F_rgb", "A_rgb", "B_rgb"
    else:
        A, B, F = text.split(": ")[1].split(", ")
        names = F, A, B
    return dict(zip(("restored", "target", "guide"), (images[name] for name in names), strict=True))


def _spectral(images, text):
    x, y = images["fused"], images["gt"]
    if "fused_zero" in text:
        x, y = images["fused_zero"], images["gt_zero"]
    if "/2047" in text:
        x, y = x / 2047, y / 2047
    if "[:100,:120]" in text:
        x, y = x[:, :100, :120], y[:, :100, :120]
    if "[20:-21,20:-21]" in text:
        x, y = x[:, 20:-21, 20:-21], y[:, 20:-21, 20:-21]
    if "first 4" in text:
        x, y = x[:4], y[:4]
    if "[:64,:64,:3]" in text:
        x, y = x[:3, :64, :64], y[:3, :64, :64]
    if "23-tap" in text:
        x, y = _exp(images["lrms"], y.shape[-2:]), y.astype(float)
    if "itself" in text:
        x = y
    low = images["lrms"].repeat(2, axis=1).repeat(2, axis=2) if "x2" in text else images["lrms"]
    return {"restored": x, "reference": y, "low": low, "guide": images["pan"]}


def _exp(low, size):
    return upsample(torch.from_numpy(low.astype(float))[None], tuple(size), "exp")[0].numpy()


# ------------------------------------------------------------------------------------------------------- real images

PAN = {  # name in pan_real.json -> metric and options, of a scene on [0, 1], clipped
    "psnr": ("psnr", {}), "psnr_bandmean": ("psnr", {"over": "channels"}), "ssim_wang": ("ssim", {}), "sam_rad_eps": ("sam", EXACT),
    "sam_deg": ("sam", {}), "ergas": ("ergas", {}), "scc_pearson": ("scc", {"filter": "none"}), "scc_sobel": ("scc", {}),
    "scc_laplace": ("scc", {"filter": "laplace"}), "scc_local": ("scc", {"filter": "local laplace"}),
    "q8x8": ("q", {"size": 8, "flat": 1e-8}), "q32": ("q", {}), "q2n_dn": ("q2n", {}), "q2n_nocast": ("q2n", {"cast": False}),
    "q2n_unit_cast": ("q2n", {}),
}
SCENES = {  # file below GIRLIB_DATA -> names of the truth and of the low-resolution image in it
    "worldview3/WV3_test.mat": ("gt", "lrms"),
    "gdd/pan_im4.mat": ("I_MS_GT", "I_MS_input"),
}
GREY = {"color": "grey"}
LYTRO = {
    "q_abf grey": ("q_abf", GREY),
    "en mean of rgb": ("en", {}),
    "psnr_fusion MEFB, mean of rgb": ("psnr_fusion", {"style": "mefb"}),
    "psnr_fusion proper, grey": ("psnr_fusion", GREY),
    "ssim_src wang, grey, L=510": ("ssim_src", GREY | {"L": 510}),
    "ssim_src wang, mean of rgb, L=255": ("ssim_src", {}),
    "q_mi Hossny grey": ("q_mi", GREY),
    "mean MI grey, 32 bins over range, nats": ("mi", GREY | {"style": "mean", "bins": 32}),
    "ce grey": ("ce", GREY),
    "q_s Piella grey": ("q_s", GREY),
}


def pan_real(golden, data):
    """Interpolation of real 8-band scenes, reduced resolution: golden/metrics/pan_real.json beside ours."""
    from scipy.io import loadmat
    rows = []
    for title, expected in _read(Path(golden) / "metrics" / "pan_real.json")["values"].items():
        file, method = title.split(" | ")
        stored = loadmat(_present(Path(data) / file))
        truth, low = (np.moveaxis(stored[name], -1, 0).astype(float) for name in SCENES[file])
        how = "exp" if "EXP" in method else "bicubic-matlab"
        restored = upsample(torch.from_numpy(low)[None], truth.shape[-2:], how)[0].numpy()
        for name, value in expected.items():
            metric, options = PAN[name]
            scale = 2047 if name in ("q2n_dn", "q2n_nocast") else 1
            images = {"restored": scale * restored.clip(0, 1), "reference": scale * truth.clip(0, 1)}
            rows.append(_row({"metric": metric, "variant": name, "inputs": title, "value": value, "tol": 1e-9,
                              "by": "float64 reference"},
                             measure(metric, **images, **options)))
    return rows


def lytro(golden, data):
    """Twenty pairs of Lytro photographs, their average, one of them, and released results: golden/metrics/lytro.json beside ours."""
    from PIL import Image
    read = lambda path: np.moveaxis(np.asarray(Image.open(_present(path))), -1, 0)
    rows = []
    for method, lists in _read(Path(golden) / "metrics" / "lytro.json")["methods"].items():
        for n in range(1, 21):
            fused = Path(golden) / "lytro_fused" / method / f"lytro_{n:02}.png"
            if method not in ("avg", "A", "B") and not fused.is_file():
                continue                                                   # only some results are part of the references
            A, B = (read(Path(data) / "lytro" / side / f"lytro_{n:02}.jpg") for side in "AB")
            if method == "avg":
                F = ((A.astype(int) + B + 1) // 2).astype(np.uint8)
            else:
                F = {"A": A, "B": B}[method] if method in "AB" else read(fused)
            for name, values in lists.items():
                metric, options = LYTRO[name]
                rows.append(_row({"metric": metric, "variant": name, "inputs": f"{method}, pair {n}", "value": values[n - 1], "tol": 6e-9,
                                  "by": "float64 reference"},
                                 measure(metric, restored=F, target=A, guide=B, **options)))
    return rows


def _present(path):
    if not path.is_file():
        raise GirlibError(f"calibration: {path} is missing; give the folder of datasets (GIRLIB_DATA) that holds it.")
    return path
