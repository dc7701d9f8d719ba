"""Wrong edits of the chapter "Metrics, calibrated": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "61_metrics_calibrated.ipynb"

EDITS = [
    ("decibels taken for tenths of a power",
     "return R + d * 10 ** (-psnr / 20)", "return R + d * 10 ** (-psnr / 10)"),
    ("distortion scaled by its mean instead of its root mean square",
     "/ d.square().mean().sqrt()         # Eq. (1), L = 1", "/ d.abs().mean()         # Eq. (1), L = 1"),
    ("shift without a shift: the blur twice",
     '"blur": box_mean(R, 2) - R,', '"blur": R - R.mean((2, 3), keepdim=True),'),
    ("window of SSIM that does not add up to one",
     "window = (g[:, None] * g / g.sum() ** 2)[None, None]", "window = (g[:, None] * g / g.sum())[None, None]"),
    ("constants of SSIM exchanged",
     "C1, C2 = (0.01 * L) ** 2, (0.03 * L) ** 2", "C1, C2 = (0.03 * L) ** 2, (0.01 * L) ** 2"),
    ("variances left out of the covariance's scale",
     "light, structure = m * m + n * n + C1, vq + vr + C2", "light, structure = m * m + n * n + C1, vq * vr + C2"),
    ("cosine of spectra without their lengths",
     "/ (x.norm(dim=0) * y.norm(dim=0))", "/ (x.norm(dim=0) * x.norm(dim=0))"),
    ("relative error by the restored bands",
     "/ y.mean((1, 2)) ** 2", "/ x.mean((1, 2)) ** 2"),
    ("entropy in nats",
     "* p[p > 0].log2()", "* p[p > 0].log()"),
    ("8 bits truncated instead of rounded",
     "levels = (255 * R.clamp(0, 1)).float().add(0.5).floor()", "levels = (255 * R.clamp(0, 1)).float().floor()"),
    ("a metric without its line",
     "f_measure=r", "rmse=r"),
    ("scikit-image without sample covariance",
     '"covariance": "sample", "data_range": 1}', '"covariance": "population", "data_range": 1}'),
    ("pooled error as a mean of squares without its root",
     "pooled = math.sqrt(sum(value**2 for value in each) / 2)", "pooled = math.sqrt(sum(each) / 2)"),
    ("direction of a metric forgotten",
     'ahead = {METRICS[m].title: 1 if METRICS[m].direction == "higher" else -1 for m in FUSION}',
     'ahead = {METRICS[m].title: 1 for m in FUSION}'),
    ("MEFB's PSNR with the full slope",
     "- 10 * math.log10((rmse_A + rmse_B) / 2)", "- 20 * math.log10((rmse_A + rmse_B) / 2)"),
]  # fmt: skip
