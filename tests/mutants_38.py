"""Wrong edits of the chapter "Multi-exposure fusion": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "38_multiexposure.ipynb"

EDITS = [
    ("exposure times exchanged", "short, long = sample.meta", "long, short = sample.meta"),
    ("guide predicted without the gamma curve", "gain = (long / short) ** (1 / 2.2)", "gain = long / short"),
    ("rounding of the dark photograph forgotten", "step = gain * 0.5 / 255 + 0.5 / 255", "step = 0.5 / 255"),
    ("the burnt photograph believed where it is burnt",
     "torch.where(sample.guide < 1, bright, dark)", "torch.where(sample.guide < 1, dark, bright)"),
    ("the dark photograph's time given to the bright one",
     "in zip((sample.target, sample.guide), sample.meta[\"exposure_times\"]))\n    return sensors",
     "in zip((sample.guide, sample.target), sample.meta[\"exposure_times\"]))\n    return sensors"),
    ("CE taken for better when higher",
     'if metrics.METRICS[metric].direction == "lower"]\nplaces', 'if metrics.METRICS[metric].direction == "higher"]\nplaces'),
    ("ordinary SSIM in the place of MEF-SSIM", '"SSIM": ("mef_ssim", {}), "Q_cb"', '"SSIM": ("ssim_src", {}), "Q_cb"'),
    ("brightness of MEF-SSIM tested with clipped levels", "lifted = darker + 60 / 255", "lifted = (darker + 200 / 255).clamp(max=1)"),
    ("contrast changed instead of brightness", "lifted = darker + 60 / 255", "lifted = darker * 1.3"),
    ("CE expected to like the right exposure", 'assert max(along["CE"]) == along["CE"][times.index(1)]',
     'assert min(along["CE"]) == along["CE"][times.index(1)]'),
    ("histogram of the bright source in the scrambled picture", "scrambled = A.flatten(2)", "scrambled = B.flatten(2)"),
    ("detail without taking off what is smooth", "detail = B - sensors.gaussian_blur(B, 16.0)", "detail = sensors.gaussian_blur(B, 16.0) - 0.5"),
]  # fmt: skip
