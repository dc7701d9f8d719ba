"""Wrong edits of the chapter "Flash and no-flash": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "42_flash.ipynb"

EDITS = [
    ("infrared for both guides",
     "samples = [task.observe(capture) for capture in captures]", 'samples = [task.observe(capture, guide="nir") for capture in captures]'),
    ("edges of the reference looked for in the target",
     "map(edges, (sample.reference, sample.guide))", "map(edges, (sample.target, sample.guide))"),
    ("weights from the noisy picture",
     "A, F = sample.target[window], sample.guide[window]", "A, F = sample.guide[window], sample.target[window]"),
    ("sigma of the range without its square",
     "/ (2 * sigma_range**2))", "/ (2 * sigma_range))"),
    ("window's middle one pixel off",
     "F[:, radius:radius + 1, radius:radius + 1]", "F[:, radius + 1:radius + 2, radius:radius + 1]"),
    ("the caption's epsilon taken for the program's",
     "as_meant, as_printed = found.loc[(8, 0.02)], found.loc[(8, 0.2)]", "as_printed, as_meant = found.loc[(8, 0.02)], found.loc[(8, 0.2)]"),
    ("every channel led by red",
     "zip(sample.target.split(1, 1), sample.guide.split(1, 1))", "zip(sample.target.split(1, 1), [sample.guide] * 3)"),
    ("detail divided out instead of multiplied in",
     "linear(restored.clamp(0, 1)) * factor", "linear(restored.clamp(0, 1)) * 1"),
    ("fit watched against the target twice",
     '"to the reference": psnr(X, small.reference, **CLIPPED)', '"to the reference": psnr(X, small.target, **CLIPPED)'),
    ("distance to the truth for the one to the target",
     "psnr(colour(s, r, eps), s.target, **CLIPPED) for s in two", "psnr(colour(s, r, eps), s.reference, **CLIPPED) for s in two"),
    ("guide moved by nothing",
     "s.guide.roll(n, -1)", "s.guide.roll(0, -1)"),
    ("a darker lamp for a brighter one",
     "srgb((linear(s.reference) * change).clamp(0, 1))", "srgb((linear(s.reference) / change).clamp(0, 1))"),
    ("error with the wrong sign",
     "too_dark = [(gf(s) - s.reference).mean().item()", "too_dark = [(s.reference - gf(s)).mean().item()"),
    ("SSIM of another protocol",
     "plain = over(ssim, {})", 'plain = over(ssim, {"window": "uniform"})'),
    ("guides together, but one of them twice",
     "torch.cat([s.guide, n.guide[:, :1]], 1)", "torch.cat([n.guide[:, :1], n.guide[:, :1]], 1)"),
]  # fmt: skip
