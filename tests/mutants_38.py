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
    ("trained without the masked MI, told otherwise", 'assert made.loss == "masked mi" and "ours" in made.source', 'assert made.loss == "l1" and "ours" in made.source'),
    ("CE thought to get better while the network learns", "assert CE[-1] > CE[0] + 0.2", "assert CE[-1] < CE[0] - 0.2"),
    ("the second distribution not turned round", "return normalised_information(vec(first, ()), vec(second, 1)).item()",
     "return normalised_information(vec(first, ()), vec(second, ())).item()"),
    ("the network thought to listen to the bright photograph", 'assert learnt["after", "target"] > 1 > 10 * abs(learnt["after", "guide"])',
     'assert learnt["after", "guide"] > 1 > 10 * abs(learnt["after", "target"])'),
    ("the same stops for both photographs", "(2.0 ** -stops, 2.0 ** stops)", "(2.0 ** stops, 2.0 ** stops)"),
    ("scored on other streets than the average was", "pairs = [task.scene(run.seed + k, size) for k in range(4)]", "pairs = [task.scene(run.seed + k + 1, size) for k in range(4)]"),
]  # fmt: skip
