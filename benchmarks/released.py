"""Runs released weights on real images and prints what we get beside what the authors' own code gave.

    GIRLIB_DATA=FOLDER python benchmarks/released.py [--only NAME ...] [--log FILE] [--threads N]

The reference values were measured once with the released code and the released weights, on the CPU in float32, on the same
files. A part whose images or weights are not below GIRLIB_DATA says so and is left out. The parts `lytro` and `gdd` are long:
what stands in the log already isn't computed again. Fused pairs to compare with are below GIRLIB_REFERENCE.
"""

import argparse
import os
import time
from functools import cache, lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from girlib.errors import GirlibError
from girlib.networks import create_model, load_model, predict
from girlib.samples import Sample

DATA = Path(os.environ.get("GIRLIB_DATA", ""))
FUSED = Path(os.environ.get("GIRLIB_REFERENCE", ""), "golden/lytro_fused")


def tensor(array):
    """(H, W) or (H, W, C) -> (1, C, H, W), float32."""
    return torch.from_numpy(np.array(array, dtype=np.float32)).view(*array.shape[:2], -1).permute(2, 0, 1)[None].contiguous()


def picture(path, mode="RGB"):
    return np.asarray(Image.open(DATA / path).convert(mode))


def bicubic(depth, scale):
    """Down and up again with Pillow's antialiased bicubic, on floats; also the low-resolution depth."""
    height, width = depth.shape
    low = Image.fromarray(depth.astype(np.float32)).resize((width // scale, height // scale), Image.Resampling.BICUBIC)
    return np.asarray(low.resize((width, height), Image.Resampling.BICUBIC)), np.asarray(low)


def rmse(a, b, border=0):
    cut = slice(border, -border or None)
    return (a - b)[..., cut, cut].double().square().mean().sqrt().item()


def middlebury(count, scale, mode="RGB"):
    """Pairs (depth (H, W) uint8, guide (H, W[, 3]) uint8), cut to multiples of the scale."""
    for n in range(1, count + 1):
        depth = picture(f"middlebury/Depth/Middlebury_{n:02}_output_depth.png", "L")
        guide = picture(f"middlebury/RGB/Middlebury_{n:02}_output_color.png", mode)
        height, width = (size // scale * scale for size in depth.shape)
        yield depth[:height, :width], guide[:height, :width]


def smooth_sample(depth, guide, scale, unit):
    target, low = bicubic(depth, scale)
    return Sample(tensor(target), tensor(guide) / 255, tensor(depth), tensor(low), unit=unit, meta={"scale": scale})


def picked_sample(depth, guide, scale):
    """The last pixel of each block is kept, and enlarged by OpenCV as if it were the middle one; 8 bits, / 255."""
    import cv2
    target = cv2.resize(np.ascontiguousarray(depth[scale - 1::scale, scale - 1::scale]), None, fx=scale, fy=scale,
                        interpolation=cv2.INTER_CUBIC)
    return Sample(tensor(target) / 255, tensor(guide) / 255, tensor(depth) / 255, meta={"scale": scale})


def quality(image, reference):
    """PSNR in dB (range 1, all bands together), mean spectral angle in degrees, ERGAS at ratio 4."""
    error, reference = (image - reference).double(), reference.double()
    cosine = torch.cosine_similarity(image.double(), reference, dim=1, eps=1e-30).clamp(-1, 1)
    bands = error.square().mean(dim=(0, 2, 3)).sqrt() / reference.mean(dim=(0, 2, 3))
    values = -10 * error.square().mean().log10(), cosine.acos().rad2deg().mean(), 25 * bands.square().mean().sqrt()
    return tuple(value.item() for value in values)


# The parts: each yields (what, ours, reference or None); both are a number or several, and ours may be a function that is
# called only if it has to be.

def dctnet():
    for scale, expected in ((4, 1.099370), (8, 2.049511), (16, 4.191955)):
        network = load_model("dctnet", "depth", "official", scale)
        errors = []
        for depth, guide in middlebury(30, scale):
            sample = smooth_sample(depth, guide, scale, "grey levels")
            errors.append(rmse(predict(network, sample), sample.reference))
        yield f"x{scale}, Middlebury (30), RMSE in grey levels", np.mean(errors), expected


def fdkn():
    import h5py
    with h5py.File(DATA / "nyu_v2/depth.h5") as file:
        depths, index = file["depth"][()] * 100, file["index"][()]
    expected = {1000: 2.273724, 1001: 3.839243, 1002: 2.241420, 1444: 4.665359, 1445: 4.618547, 1446: 4.387610, 1447: 6.580112,
                1448: 4.721665}
    for align_corners, mean in ((True, 4.165960), (False, 4.230108)):
        network, errors = load_model("fdkn", "depth", "official", 8, align_corners=align_corners), []
        for n, depth in zip(index, depths, strict=True):
            sample = smooth_sample(depth, picture(f"nyu_v2/RGB/{n}.jpg"), 8, "cm")
            errors.append(rmse(predict(network, sample), sample.reference, border=6))
            if align_corners:
                yield f"x8, NYU {n}, RMSE in cm", errors[-1], expected[int(n)]
        yield f"x8, NYU (8), RMSE in cm, align_corners={align_corners}", np.mean(errors), mean


def svlrm():
    import cv2
    for scale, expected in ((8, 3.51236), (16, 6.48492)):
        network, before, after = load_model("svlrm", "depth", "official", scale), [], []
        for depth, guide in middlebury(10, scale):
            sample = picked_sample(depth, cv2.cvtColor(guide, cv2.COLOR_RGB2GRAY), scale)
            before.append(255 * rmse(sample.target, sample.reference))
            after.append(255 * rmse(predict(network, sample), sample.reference))
        yield f"x{scale}, Middlebury (first 10), input, RMSE in grey levels", np.mean(before), {8: 8.22425, 16: 12.57907}[scale]
        yield f"x{scale}, Middlebury (first 10), RMSE in grey levels", np.mean(after), expected


def cunet():
    network, errors = load_model("cunet", "depth", "official", 4), []
    for depth, guide in middlebury(5, 4, "L"):
        sample = smooth_sample(depth, guide, 4, "grey levels")
        errors.append(rmse(predict(network, sample), sample.reference))
    for n, (error, expected) in enumerate(zip(errors, (2.15347, 2.93491, 1.36751, 1.18471, 1.25408), strict=True), 1):
        yield f"x4, Middlebury {n:02}, RMSE in grey levels", error, expected
    yield "x4, Middlebury (first 5), RMSE in grey levels", np.mean(errors), 1.77894

    network = load_model("cunet", "multifocus", "official")
    for n, expected in ((1, 129.5376), (2, 96.5093), (3, 99.6079)):
        fused = predict(network, lytro(n))
        yield f"Lytro {n:02}, mean of the 8-bit result", (fused * 255).round().mean().item(), expected


def lytro(n):
    return Sample(*(tensor(picture(f"lytro/{source}/lytro_{n:02}.jpg")) / 255 for source in "AB"))


def ifcnn():
    network = load_model("ifcnn", "multifocus", "official")
    for n, expected in enumerate((127.149, 95.032, 98.034, 119.526, 135.378), 1):
        yield f"MAX, Lytro {n:02}, mean of the 8-bit result", (predict(network, lytro(n)) * 255).floor().mean().item(), expected


QUALITY = "PSNR in dB, SAM in degrees, ERGAS"


def pannet():
    from scipy.io import loadmat
    scene = loadmat(DATA / "worldview3/WV3_test.mat")
    reference, low, pan = (tensor(scene[name]) for name in ("gt", "lrms", "pan"))
    network = load_model("pannet", "pansharpening", "official")
    restored = predict(network, Sample(low, pan, reference, low, unit="reflectance"))
    yield f"WorldView-3 scene, {QUALITY}", quality(restored, reference), (31.8365, 4.5554, 4.8221)
    yield f"WorldView-3 scene, clipped, {QUALITY}", quality(restored.clamp(0, 1), reference), (31.8428, 4.5448, 4.8189)


def djf():
    """The authors' own pair is not among the images, so there is no reference value; the input's error stands beside it."""
    for name in ("djf", "djfr"):
        network, before, after = load_model(name, "depth", "official", 8), [], []
        for depth, guide in middlebury(10, 8):
            sample = picked_sample(depth, guide, 8)
            before.append(255 * rmse(sample.target, sample.reference, border=6))
            after.append(255 * rmse(predict(network, sample), sample.reference, border=6))
        yield f"{name} x8, Middlebury (first 10), RMSE in grey levels (input {np.mean(before):.5f})", np.mean(after), None


def fgf():
    image = tensor(picture("lytro/A/lytro_01.jpg")) / 255
    variation = lambda x: 255 * sum(x.diff(dim=dim).abs().mean() for dim in (2, 3))
    expected = {"dgf_b": (0.499814, 6.345), "dgf": (0.496624, 6.231), "dgf_b_c": (0.497986, 6.304), "dgf_c": (0.504647, 6.244)}
    for form, (mean, total) in expected.items():
        restored = predict(load_model("fgf", "texture", "official", form=form), Sample(image, image))
        yield f"{form}, L0 smoothing, Lytro 01 A, mean", restored.mean().item(), mean
        yield f"{form}, L0 smoothing, Lytro 01 A, total variation in grey levels", variation(restored).item(), total


def lytro_pairs():
    """All 20 pairs by both main networks; six of them were fused by the authors' own programs too."""
    for name in ("sfigf", "mgdn"):
        network = load_model(name, "multifocus", "official")
        fused = lru_cache(maxsize=1)(lambda n, network=network: (255 * predict(network, lytro(n))).round())
        for n in range(1, 21):
            path = FUSED / name / f"lytro_{n:02}.png"
            stored = tensor(np.asarray(Image.open(path))) if path.is_file() else None
            yield (f"{name}, Lytro {n:02}, mean of the 8-bit result", partial(lambda fused, n: fused(n).mean().item(), fused, n),
                   None if stored is None else stored.mean().item())
            if stored is not None:
                yield (f"{name}, Lytro {n:02}, largest difference in grey levels",
                       partial(lambda fused, n, stored: (fused(n) - stored).abs().max().item(), fused, n, stored), 0)


GDD = {       # seed -> iteration -> PSNR, SAM, ERGAS of the released program (its random numbers come in another order than ours)
    0: {0: (9.04, 102.1, 51.3), 100: (28.73, 6.98, 5.13), 300: (32.43, 5.24, 3.37), 1000: (34.45, 4.25, 2.68)},
    1: {0: (9.78, 90.6, 46.5), 100: (28.72, 6.98, 5.15), 300: (32.32, 5.10, 3.40), 1000: (34.42, 4.27, 2.63)},
}


def gdd():
    """A crop of the authors' scene, fitted anew: 96 x 96 pixels, 1001 steps for each of five seeds.

    Runs compare only as a spread: drawn in the released order, seed 0 starts at the same 9.04 dB, but weights changed by a
    millionth are 0.2 dB apart after ten steps already.
    """
    from scipy.io import loadmat
    scene = loadmat(DATA / "gdd/pan_im4.mat")
    reference, pan, low = (tensor(scene[name][rows, columns]) for name, rows, columns in (
        ("I_MS_GT", slice(32, 128), slice(64, 160)), ("I_PAN_input", slice(32, 128), slice(64, 160)),
        ("I_MS_input", slice(8, 32), slice(16, 40))))

    @cache
    def fit(seed):
        seen = {}

        def progress(step, loss, X):
            if step in GDD[0]:
                seen[step] = quality(X, reference)
        create_model("gdd", "pansharpening").optimise(Sample(None, pan, low=low), steps=1001, seed=seed, progress=progress)
        return seen

    for seed in range(5):
        for step in GDD[0]:
            yield (f"crop of its scene, seed {seed}, step {step}, {QUALITY}", partial(lambda *at: fit(at[0])[at[1]], seed, step),
                   GDD.get(seed, {}).get(step))


PARTS = {"fdkn": fdkn, "svlrm": svlrm, "pannet": pannet, "djf": djf, "fgf": fgf, "ifcnn": ifcnn, "cunet": cunet, "dctnet": dctnet,
         "lytro": lytro_pairs, "gdd": gdd}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="NAME", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--log", type=Path, help="lines are added to this file; what it holds already is left out")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    done = options.log.read_text().splitlines() if options.log and options.log.exists() else []

    def say(line):
        print(line, flush=True)
        if options.log:
            with options.log.open("a") as file:
                file.write(line + "\n")

    print(f"{'method':8}{'what':72}{'ours':>32}{'reference':>32}{'difference':>32}{'s':>8}")
    for name in options.only:
        began = time.perf_counter()
        try:
            for what, ours, expected in PARTS[name]():
                start = f"{name:8}{what:72}"
                if not any(line.startswith(start) for line in done):
                    ours = np.atleast_1d(ours() if callable(ours) else ours)
                    beside = ("none", "") if expected is None else (text(expected), text(ours - expected))
                    say(f"{start}{text(ours):>32}{beside[0]:>32}{beside[1]:>32}{time.perf_counter() - began:8.1f}")
                began = time.perf_counter()
        except (GirlibError, FileNotFoundError, ImportError) as error:
            print(f"{name:8}left out: {error}", flush=True)


def text(values):
    return " ".join(f"{value:.6f}" for value in np.atleast_1d(values))


if __name__ == "__main__":
    main()
