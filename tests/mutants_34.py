"""Wrong edits of the chapter "Saliency super-resolution": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "34_saliency.ipynb"

EDITS = [
    ("error looked for outside the strip only a coarse pixel wide",
     "near = strip(reference, 12)", "near = strip(reference, 3)"),
    ("precision and recall exchanged",
     "return (1 + beta2) * precision * recall / (beta2 * precision + recall)\n\nadaptive",
     "return (1 + beta2) * precision * recall / (precision + beta2 * recall)\n\nadaptive"),
    ("adaptive threshold at the mean instead of twice the mean",
     "adaptive = min(2 * target.double()", "adaptive = min(1 * target.double()"),
    ("maps cut down, not rounded, to 8 bits",
     "stored = (saliency.clamp(0, 1) * 255).round() / 255       #", "stored = (saliency.clamp(0, 1) * 255).floor() / 255       #"),
    ("the method without a guide gets no threshold",
     'maps["bicubic, cut at ½"] = (target >= 0.5).float()', 'maps["bicubic, cut at ½"] = target'),
    ("what is marked in vain painted as missed",
     "((marked & salient, (1, 1, 1)), (marked & ~salient, (.9, .6, 0)),", "((marked & salient, (1, 1, 1)), (~marked & salient, (.9, .6, 0)),"),
    ("area of a disc taken for its radius",
     "r2 = area * size**2 / torch.pi", "r2 = (area * size) ** 2"),
    ("discs enlarged by nearest pixels",
     'enlarged = lambda mask: upsample(downsample(mask, 8, "bicubic"), mask.shape[-2:], "bicubic")',
     'enlarged = lambda mask: upsample(downsample(mask, 8, "bicubic"), mask.shape[-2:], "nearest")'),
    ("scenes of other seeds held against those of evaluate",
     "task.sample(run.seed + k, size)", "task.sample(run.seed + k + 1, size)"),
    ("the cut lets everything through that is not black",
     "return (sample.target >= 0.5).to(sample.target)", "return (sample.target > 0.02).to(sample.target)"),
    ("published rows in another order of methods",
     'assert printed["GF"] < printed["Bicubic"]', 'assert printed["GF"] > printed["Bicubic"]'),
    ("the other sensor's maps made with another kernel",
     'assert torch.allclose(remade("bicubic", "bicubic")[0]', 'assert torch.allclose(remade("bicubic", "bilinear")[0]'),
    ("Dice without the union",
     "F1 / (2 - F1) - h / union", "F1 / 2 - h / union"),
    ("everything marked, with recall for precision",
     "everything = 1.3 * a / (0.3 * a + 1)", "everything = 1.3 * a / (a + 0.3)"),
]  # fmt: skip
