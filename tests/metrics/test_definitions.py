"""Every metric, and every variant of it, equals its definition, written out slowly in metrics_oracles.py."""

import math
from types import SimpleNamespace

import metrics_oracles as oracle
import numpy as np
import pytest
import torch

from girlib import metrics
from girlib.errors import GirlibError
from girlib.metrics import perceptual
from girlib.resampling import downsample, upsample

CLOSE = 1e-10          # both sides compute in float64, in another order


def pair(bands=3, height=19, width=22, seed=0):
    """A restored image and its reference on [0.1, 0.9]: smooth, with noise; different bands."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 10
    reference = np.stack([0.5 + 0.3 * np.sin(x * (b + 1) + y) * np.cos(y - b) for b in range(bands)])
    reference += rng.uniform(-0.1, 0.1, reference.shape)
    return reference + rng.uniform(-0.1, 0.1, reference.shape), reference


def triple(height=24, width=27, seed=0):
    """Two sources of different sharpness and a result between, one channel of levels 0 ... 255."""
    restored, reference = pair(1, height, width, seed)
    other = np.stack([oracle.same(reference[0], np.ones((3, 3)) / 9, "edge")])
    return [np.floor(255 * image).astype(np.uint8) for image in (restored, reference, other)]


def plain(images):
    return [image[0].astype(float) for image in images]


def close(actual, expected):
    assert actual == pytest.approx(expected, rel=CLOSE, abs=CLOSE)


# ----------------------------------------------------------------------------------------------------- pixels, windows

def test_rmse_and_psnr_count_every_channel_alike():
    x, y = pair()
    mse = sum((a - b)**2 for a, b in zip(x.ravel(), y.ravel(), strict=True)) / x.size
    close(metrics.rmse(x, y, factor=100), 100 * math.sqrt(mse))
    close(metrics.psnr(x, y), -10 * math.log10(mse))
    close(metrics.psnr(2047 * x, 2047 * y, data_range=2047), -10 * math.log10(mse))
    close(metrics.psnr(x, y, over="channels"), np.mean([-10 * math.log10(((a - b)**2).mean()) for a, b in zip(x, y, strict=True)]))
    luma = 0.256789 * (x - y)[0] + 0.504129 * (x - y)[1] + 0.097906 * (x - y)[2]
    close(metrics.psnr(x, y, over="luma"), -10 * math.log10((luma**2).mean()))


def test_hdr_images_are_compared_after_the_mu_law_and_clipped():
    x, y = pair()
    x[0, 0, :3] = -0.1, -1e-5, 1.2
    curve = lambda image: np.log(1 + 5000 * np.clip(image, 0, 1)) / math.log(5001)
    close(metrics.psnr(x, y, curve="mu-law"), -10 * math.log10(((curve(x) - curve(y))**2).mean()))
    close(metrics.ssim(x, y, curve="mu-law"), np.mean([oracle.ssim(a, b) for a, b in zip(curve(x), curve(y), strict=True)]))


def test_only_valid_pixels_count():
    x, y = pair(2)
    valid = np.random.default_rng(1).random((1, *x.shape[1:])) < 0.5
    mean = np.mean([(x[c, i, j] - y[c, i, j])**2 for c in range(2) for i, j in np.argwhere(valid[0])])
    x[:, ~valid[0]] = np.nan
    close(metrics.rmse(x, y, valid=valid), math.sqrt(mean))
    close(metrics.psnr(x, y, valid=torch.from_numpy(valid)), -10 * math.log10(mean))
    inner = (slice(None), slice(3, -4), slice(3, -4))
    close(metrics.rmse(x, y, valid=valid, border=(3, 4)), metrics.rmse(x[inner], y[inner], valid=valid[inner]))


def test_ssim_is_wangs():
    x, y = pair(2)
    close(metrics.ssim(x, y), np.mean([oracle.ssim(a, b) for a, b in zip(x, y, strict=True)]))
    close(metrics.ssim(255 * x, 255 * y, data_range=510), np.mean([oracle.ssim(a, b, L=2) for a, b in zip(x, y, strict=True)]))


def test_ssim_with_uniform_windows_is_scikit_images():
    x, y = pair(1)
    expected = oracle.ssim(x[0], y[0], w=np.full((7, 7), 1 / 49), factor=49 / 48).mean()
    close(metrics.ssim(x, y, window="uniform", size=7, covariance="sample"), expected)


@pytest.mark.parametrize("outside, mode", [("constant", "constant"), ("reflect", "reflect"), ("replicate", "edge")])
def test_ssim_of_all_pixels_fills_the_outside(outside, mode):
    x, y = pair(1)
    expected = oracle.ssim(np.pad(x[0], 5, mode=mode), np.pad(y[0], 5, mode=mode)).mean()
    close(metrics.ssim(x, y, outside=outside), expected)


def test_ssim_shrinks_large_images_by_the_mean_around_every_third_pixel():
    x, y = pair(1, 641, 643)
    def small(image):
        padded = np.pad(image[0], 1, mode="symmetric")
        return sum(padded[i:i + 641:3, j:j + 643:3] for i in range(3) for j in range(3))[None] / 9
    close(metrics.ssim(x, y, shrink=True), metrics.ssim(small(x), small(y)))
    x, y = pair(1, 400, 403)
    halved = lambda image: (np.pad(image, ((0, 0), (0, 1), (0, 1)), mode="symmetric"))
    quarter = lambda z: np.stack([sum(z[0, i:i + 400:2, j:j + 403:2] for i in range(2) for j in range(2)) / 4])
    close(metrics.ssim(x, y, shrink=True), metrics.ssim(quarter(halved(x)), quarter(halved(y))))


# -------------------------------------------------------------------------------------------------------------- spectra

def test_sam_is_the_mean_angle_and_black_pixels_are_a_choice():
    x, y = pair(5)
    close(metrics.sam(x, y), np.degrees(oracle.sam(x, y)).mean())
    x[:, 3, 4] = y[:, 5, 6:9] = 0
    angles, n = oracle.sam(x, y), x[0].size
    assert len(angles) == n - 4
    radians = {"unit": "radians"}
    close(metrics.sam(x, y, **radians), np.mean(angles))
    close(metrics.sam(x, y, zeros="no angle", **radians), sum(angles) / n)
    assert metrics.sam(x, y, zeros="right angle", **radians) == pytest.approx((sum(angles) + 4 * math.pi / 2) / n, abs=1e-9)   # + 2e-16
    assert math.isnan(metrics.sam(x, y, zeros="nan"))
    assert math.isnan(metrics.sam(0 * x, y))


def test_a_spectrum_that_points_the_other_way_is_far_off():
    y = np.ones((3, 2, 2))
    close(metrics.sam(-y, y), 180)
    close(metrics.sam(-y, y, zeros="right angle"), 90)                    # py_pansharpening clips the cosine to [0, 1]


def test_ergas_is_relative_to_the_references_mean():
    x, y = pair(4)
    shares = [((a - b)**2).mean() / b.mean()**2 for a, b in zip(x, y, strict=True)]
    close(metrics.ergas(x, y), 25 * math.sqrt(np.mean(shares)))
    close(metrics.ergas(x, y, ratio=32), 100 / 32 * math.sqrt(np.mean(shares)))
    y[1] = 0
    assert metrics.ergas(x, y) == math.inf
    x[1] = 0
    close(metrics.ergas(x, y), 25 * math.sqrt((sum(shares) - shares[1]) / 4))


@pytest.mark.parametrize("kind", ["sobel", "none", "laplace", "local laplace"])
def test_scc_is_the_correlation_that_its_filter_says(kind):
    x, y = pair(2, 16, 18)
    close(metrics.scc(x, y, filter=kind), oracle.scc(x, y, kind))


def test_q_is_wang_and_boviks():
    x, y = pair(2)
    for size in (8, 11):
        close(metrics.q(x, y, size=size), np.mean([oracle.q(a, b, size) for a, b in zip(x, y, strict=True)]))


def test_q_of_flat_windows_compares_the_means_alone_and_of_windows_without_mean_the_contrast():
    x, y = np.full((1, 8, 8), 0.3), np.full((1, 8, 8), 0.1)
    close(metrics.q(x, y, size=8), 2 * 0.3 * 0.1 / (0.3**2 + 0.1**2))
    assert metrics.q(0 * x, 0 * y, size=8) == 1
    wave = np.tile([[[1.0, -1.0]]], (1, 8, 4))
    close(metrics.q(wave, 0.5 * wave, size=8), 2 * 0.5 / (1 + 0.25))
    x, y = pair(1, 8, 8)
    a, b = x.mean(), y.mean()
    close(metrics.q(x, y, size=8, flat=0.1), 2 * a * b / (a * a + b * b))


@pytest.mark.parametrize("bands", [1, 2, 3, 4, 5, 8])
def test_q2n_is_garzelli_and_nencinis(bands):
    x, y = pair(bands, 16, 21)
    y[0, :8, :8] = 0                                                      # a block without mean
    dn = lambda image: np.floor(2047 * image.clip(0, 1) + 0.5)
    close(metrics.q2n(x, y, block=8, shift=8, cast=False), oracle.q2n(y, x, 8))
    close(metrics.q2n(2047 * x.clip(0, 1), 2047 * y.clip(0, 1), block=8, shift=8), oracle.q2n(dn(y), dn(x), 8))
    close(metrics.q2n(x, y, block=8, shift=8, cast=False, deviation="population"), oracle.q2n(y, x, 8, ddof=0))


def test_q2n_blocks_may_overlap():
    x, y = pair(2, 12, 12)
    mirrored = lambda image: np.pad(image, ((0, 0), (0, 4), (0, 4)), mode="symmetric")
    places = [(slice(None), slice(i, i + 8), slice(j, j + 8)) for i in (0, 4, 8) for j in (0, 4, 8)]
    close(metrics.q2n(x, y, block=8, shift=4, cast=False),
          np.mean([oracle.q2n(mirrored(y)[place], mirrored(x)[place], 8) for place in places]))


def test_without_a_reference_the_bands_are_compared_among_each_other_and_with_the_panchromatic_image():
    fused, _ = pair(3, 32, 64)
    low, _ = pair(3, 8, 16, seed=1)
    pan, _ = pair(1, 32, 64, seed=2)
    large = upsample(torch.from_numpy(low)[None], (32, 64), "exp")[0].numpy()
    small = downsample(torch.from_numpy(pan)[None], 4, "bicubic-matlab")
    pans = {"toolbox": upsample(small, (32, 64), "exp")[0, 0].numpy(), "paper": small[0, 0].numpy()}
    for style, other, m in (("toolbox", large, 32), ("paper", low, 8)):
        spectral = oracle.d_lambda(fused, other, 32, m)
        spatial = np.mean([abs(oracle.q(a, pan[0], 32, 32) - oracle.q(b, pans[style], m, m)) for a, b in zip(fused, other, strict=True)])
        close(metrics.d_lambda(fused, low, style=style), spectral)
        close(metrics.d_s(fused, low, pan, style=style), spatial)
        close(metrics.qnr(fused, low, pan, style=style), (1 - spectral) * (1 - spatial))
    low, _ = pair(3, 32, 33, seed=1)
    fused, _ = pair(3, 64, 66)
    with pytest.raises(GirlibError, match="multiples of 32"):
        metrics.d_lambda(fused, low)
    low, fused = low[..., :32], fused[..., :64]
    expected = np.mean([abs(oracle.q(fused[i], fused[j], 32) - oracle.q(low[i], low[j], 32)) for i, j in ((0, 1), (0, 2), (1, 2))])
    close(metrics.d_lambda(fused, low, style="sliding"), expected)


# --------------------------------------------------------------------------------------------------------------- fusion

def test_metrics_of_histograms():
    F, A, B = triple()
    f, a, b = plain((F, A, B))
    close(metrics.en(F), oracle.entropy(f))
    close(metrics.ce(F, A, B), oracle.ce(f, (a, b)))
    close(metrics.mi(F, A, B), oracle.information(a, f) + oracle.information(b, f))
    binned = [oracle.binned(x, 7) for x in (f, a, b)]
    expected = (oracle.information(binned[1], binned[0]) + oracle.information(binned[2], binned[0])) / 2 * math.log(2)
    close(metrics.mi(F, A, B, style="mean", bins=7), expected)
    hossny = lambda f, a, b: 2 * sum(oracle.information(x, f) / (oracle.entropy(x) + oracle.entropy(f)) for x in (a, b))
    close(metrics.q_mi(F, A, B, stretch=False), hossny(f, a, b))
    dull = [(image // 3 + 40).astype(np.uint8) for image in (F, A, B)]
    close(metrics.q_mi(*dull), hossny(*(np.floor((x - x.min()) / (x.max() - x.min()) * 255 + 0.5) for x in plain(dull))))


def test_differences_to_both_sources():
    F, A, B = triple()
    f, a, b = plain((F, A, B))
    mse = [((source - f)**2).mean() for source in (a, b)]
    proper = 10 * math.log10(255**2 / np.mean(mse))
    close(metrics.psnr_fusion(F, A, B), proper)
    close(metrics.psnr_fusion(F, A, B, style="doubled scale"), proper + 20 * math.log10(255))
    half_slope = 20 * math.log10(255) - 10 * math.log10(np.mean(np.sqrt(mse))) + 5 * math.log10(f.size)
    close(metrics.psnr_fusion(F, A, B, style="mefb"), half_slope)
    for L in (255, 510):
        close(metrics.ssim_src(F, A, B, L=L), np.mean([oracle.ssim(source, f, L=L).mean() for source in (a, b)]))


def test_similarity_to_the_source_with_more_contrast():
    F, A, B = triple()
    for style in "SW":
        close(metrics.q_s(F, A, B, style=style), oracle.piella(*plain((F, A, B)), style))
    close(metrics.q_y(F, A, B), oracle.yang(*plain((F, A, B))))


def test_edges_that_are_kept():
    F, A, B = triple(14, 15)
    F[0, 2:6, 2:6] = A[0, 2:6, 2:6] = 100                                 # flat, and equal, places
    close(metrics.q_abf(F, A, B), oracle.q_abf(*plain((F, A, B))))
    close(metrics.q_abf(F, A, B, style="liu"), oracle.q_g(*plain((F, A, B))))


def test_contrast_that_is_kept():
    F, A, B = triple(20, 23)
    close(metrics.q_cb(F, A, B), oracle.q_cb(*plain((F, A, B))))


def test_visual_information():
    F, A, B = triple(41, 44)
    f, a, b = plain((F, A, B))
    close(metrics.vifp(F, A), oracle.vifp(f, a))
    close(metrics.vif(F, A, B, style="sum"), oracle.vifp(f, a) + oracle.vifp(f, b))
    close(metrics.vif(F, A, B), oracle.viff(f, a, b))
    close(metrics.vifp(255 - F, A), oracle.vifp(255 - f, a))              # where the gain is negative nothing arrives


@pytest.mark.parametrize("scales", [1, 3])
def test_the_best_patch_of_two_exposures(scales):
    F, A, B = triple(44, 46)
    close(metrics.mef_ssim(F, A, B, scales=scales), oracle.mef_ssim(*plain((F, A, B)), scales))


def test_colour_images_give_the_mean_of_their_channels_or_matlabs_grey():
    images = [np.concatenate([triple(14, 15, seed)[k] for seed in range(3)]) for k in range(3)]
    close(metrics.q_abf(*images), np.mean([metrics.q_abf(*(image[c:c + 1] for image in images)) for c in range(3)]))
    matlab = np.linalg.inv([[1, 0.956, 0.621], [1, -0.272, -0.647], [1, -1.106, 1.703]])[0]      # luma of the inverse of YIQ, as rgb2gray
    grey = [np.floor(np.tensordot(matlab, image.astype(float), 1) + 0.5)[None].astype(np.uint8) for image in images]
    close(metrics.q_abf(*images, color="grey"), metrics.q_abf(*grey))
    assert metrics.METRICS["mef_ssim"].options["color"] == "grey"


# ------------------------------------------------------------------------------------------------- colours, features, masks

def test_colour_differences_are_those_of_the_cie():
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 3, 4, 5))
    labs = [(oracle.lab(q), oracle.lab(p)) for p, q in zip(x.reshape(3, -1).T, y.reshape(3, -1).T, strict=True)]
    close(metrics.delta_e(x, y), np.mean([math.dist(a, b) for a, b in labs]))
    close(metrics.delta_e(x, y, formula="cie94"), np.mean([oracle.cie94(a, b) for a, b in labs]))
    close(metrics.delta_e(255 * x, 255 * y, data_range=255, formula="ciede2000"), np.mean([oracle.ciede2000(a, b) for a, b in labs]))


def test_lpips_says_what_it_needs_and_downloads_nothing(monkeypatch, tmp_path):
    x = np.zeros((3, 8, 8))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(GirlibError, match=r"lpips: not run: needs .*pip install lpips && python -c .*net='vgg'"):
        metrics.lpips(x, x, network="vgg")
    assert "pip install lpips" in metrics.METRICS["lpips"].needs


def test_lpips_is_asked_for_images_between_minus_one_and_one(monkeypatch, tmp_path):
    class Model:
        def __init__(self, net, verbose):
            assert (net, verbose) == ("alex", False)

        def eval(self):
            return self

        def __call__(self, x, y):
            assert x.shape == (1, 3, 8, 8) and x.dtype == torch.float32 and {x.min().item(), x.max().item()} == {-1, 1}
            return (x - y).abs().max()

    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "alexnet-owt-00000000.pth").touch()
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setitem(__import__("sys").modules, "lpips", SimpleNamespace(LPIPS=Model))
    perceptual._lpips.cache_clear()
    x = np.zeros((3, 8, 8), np.uint8)
    x[:, :4] = 255
    assert metrics.lpips(x, x) == 0
    perceptual._lpips.cache_clear()


def test_f_measure_at_one_threshold_and_at_all():
    rng = np.random.default_rng(0)
    mask = np.zeros((1, 12, 13), bool)
    mask[:, 3:8, 4:10] = True
    saliency = np.clip(0.45 * mask + rng.uniform(0, 0.5, mask.shape), 0, 1)
    close(metrics.f_measure(saliency, mask), oracle.f_measure(saliency >= min(1, 2 * saliency.mean()), mask))
    levels = np.round(255 * saliency)
    values = [oracle.f_measure(levels >= k, mask) for k in range(256)]
    close(metrics.f_measure(saliency, mask, threshold="maximum"), max(values))
    close(metrics.f_measure(saliency, mask, threshold="mean"), np.mean(values))
    best = max(oracle.f_measure(levels >= k, mask, 1) for k in range(256))
    close(metrics.f_measure(levels, 255 * mask, data_range=255, threshold="maximum", beta2=1), best)
    assert metrics.f_measure(saliency * ~mask, mask) == 0
    assert metrics.f_measure(np.where(mask, 1.0, 0.9), mask) == 1         # twice the mean is more than all: the threshold is 1


def test_miou_counts_over_all_images_and_leaves_out_absent_classes():
    rng = np.random.default_rng(0)
    was = rng.integers(0, 4, (2, 1, 9, 10))
    called = np.where(rng.random(was.shape) < 0.7, was, 3 - was)
    was[0, 0, :2] = 255
    close(metrics.miou(called, was, classes=6), oracle.miou(called, was, 6, 255))
    parts = [metrics.confusion(torch.from_numpy(called[n]), torch.from_numpy(was[n])) for n in (0, 1)]
    close(metrics.mean_iou(parts[0] + parts[1]), metrics.miou(called, was))
    assert math.isnan(metrics.miou(called[:1, :, :2], was[:1, :, :2]))
