"""Wrong edits of the chapter "HDR deghosting": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "39_hdr.ipynb"

EDITS = [
    ("under and over exchanged", "return [sensors.linearised(photo, time) for photo, time\n            in zip((under, sample.target, over)",
     "return [sensors.linearised(photo, time) for photo, time\n            in zip((over, sample.target, under)"),
    ("photograph taken for light", "return lights(sample)[1]", "return sample.target"),
    ("the witness asked where it is clipped as well", "(close | (sample.target == 1)).all(1", "close.all(1"),
    ("a photograph believed that claims half the light", "def ask_first(sample, tolerance=0.1)", "def ask_first(sample, tolerance=0.6)"),
    ("nobody asked", "weights[k] = weights[k] * (close", "weights[k] = weights[k] * (True | close"),
    ("slope of the tone curve without its denominator", "slope = lambda x: 5000 / (1 + 5000 * x)", "slope = lambda x: 5000 / (1 + 0 * x)"),
    ("columns of the table in another order", 'COLUMNS = ["PSNR_mu", "PSNR_L", "SSIM_mu", "SSIM_L"]', 'COLUMNS = ["PSNR_L", "PSNR_mu", "SSIM_L", "SSIM_mu"]'),
    ("another share of the middle photograph clipped", "torch.quantile(views[motion][1], 1 - clipped)", "torch.quantile(views[motion][1], clipped)"),
    ("light of the first moment for the reference", '{**photos, "reference": light[1]}', '{**photos, "reference": light[0]}'),
    ("only the reference divided by its largest value", "metric((q / r.max()).clamp(0, 1), r / r.max(), **given)", "metric(q, r / r.max(), **given)"),
    ("the paper's exchange of the two gains", 'gain == {"PSNR_mu": 0.26, "PSNR_L": 0.07,', 'gain == {"PSNR_mu": 0.07, "PSNR_L": 0.26,'),
    ("ten per cent predicted with the wrong constant", "math.log10(math.log(5001) / math.log(1.1))", "math.log10(1 / math.log(1.1))"),
    ("errors pooled as PSNR are", "pooled = -10 * math.log10(sum(errors) / len(errors))", "pooled = sum(-10 * math.log10(e) for e in errors) / len(errors)"),
    ("what is not clipped taken for what is", "burnt = (clip_street.target == 1).all(1, keepdim=True)", "burnt = (clip_street.target < 1).all(1, keepdim=True)"),
    ("the network asked where the middle exposure is right", "clipped = (sample.target == 1).all(1, keepdim=True)\n    return torch.where(clipped, predict",
     "clipped = (sample.target < 1).all(1, keepdim=True)\n    return torch.where(clipped, predict"),
    ("the easy and the hard streets exchanged", "easy, hard = KINDS\n", "hard, easy = KINDS\n"),
    ("streets ordered with the share that is not clipped", "gain = 1 / (TIMES[1] * torch.quantile(color[1], 1 - clipped).item())\n    light = [(gain * image)",
     "gain = 1 / (TIMES[1] * torch.quantile(color[1], clipped).item())\n    light = [(gain * image)"),
    ("exposure times told with the middle one wrong too", '"exposure_times": (2.0, 4.0, 8.0)})', '"exposure_times": (2.0, 5.0, 8.0)})'),
    ("clamped from above instead of from below", "torch.maximum(restored_here, bound)", "torch.minimum(restored_here, bound)"),
]  # fmt: skip
