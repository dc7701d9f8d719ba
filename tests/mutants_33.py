"""Wrong edits of the chapter "Depth super-resolution": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "33_depth.ipynb"

EDITS = [
    ("change of the filter against the target, not the truth",
     "one.target - one.reference, gf(one) - one.reference", "one.target - one.reference, gf(one) - one.target"),
    ("edges of the depth taken for those of the photograph",
     "near(jumps(sample.guide, 0.08))", "near(jumps(sample.reference, 10))"),
    ("bicubic under the name of the filter",
     "restored = gf(sample)", "restored = sample.target"),
    ("middle pixel where the last is meant",
     '"last pixel": {"downsampling": "nearest-bottomright"}', '"last pixel": {"downsampling": "nearest-center"}'),
    ("one radius for all",
     'find_method("gf", "depth", radius=r, eps=1e-4)\n            for r in (2, 4, 6)',
     'find_method("gf", "depth", radius=2, eps=1e-4)\n            for r in (2, 4, 6)'),
    ("nothing cut at the border",
     "rmse(method(one), one.reference, border=6) for one in made", "rmse(method(one), one.reference) for one in made"),
    ("other scenes than those of the loop",
     "limit=len(scenes), size=128, seed=run.seed,", "limit=len(scenes), size=128, seed=run.seed + 1,"),
    ("bicubic scored under the name of nearest",
     '"nearest": ("nearest", {})', '"nearest": ("bicubic", {})'),
    ("sixteen levels for eight bits",
     "* 255).round() / 255", "* 15).round() / 15"),
    ("pooled squares without their root",
     "mean([e**2 for e in errors]) ** 0.5 if pool", "mean([e**2 for e in errors]) if pool"),
    ("neighbours in the order of the print",
     "values = sorted(cell.value for (row, c), cell in numbers(name).items()\n                        if c == column and row not in without)",
     "values = list(cell.value for (row, c), cell in numbers(name).items()\n                        if c == column and row not in without)"),
    ("offset not put back",
     "back = lambda x: x * span + low", "back = lambda x: x * span"),
    ("both searches without noise",
     "best(), best(grey_noise=100.0)", "best(), best()"),
]  # fmt: skip
