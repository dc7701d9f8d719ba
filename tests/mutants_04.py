"""Wrong edits of the chapter "A first reproduction": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "04_first_reproduction.ipynb"

EDITS = [
    ("DAGF's GF read for its row Bicubic",
     'printed("dagf:1", "Bicubic")', 'printed("dagf:1", "GF")'),
    ("no root before the mean over images",
     "errors.append(squared.mean().sqrt().item())", "errors.append(squared.mean().item())"),
    ("nothing cut at the border",
     "inner = (..., slice(border, 128 - border), slice(border, 128 - border))", "inner = ..."),
    ("another filter by hand than by name",
     "by_name = find_method(\"gf\", \"depth\", radius=2, eps=1e-4)", "by_name = find_method(\"gf\", \"depth\", radius=2, eps=1e-3)"),
    ("target and guide exchanged",
     "gf = lambda radius, eps: lambda s: guided_filter(s.target, s.guide, radius, eps)",
     "gf = lambda radius, eps: lambda s: guided_filter(s.guide, s.target, radius, eps)"),
    ("the farthest way of scoring taken for the nearest",
     "winner = min(gap, key=gap.get)", "winner = max(gap, key=gap.get)"),
    ("middle pixel where the last is meant",
     '"the last pixel is kept": dict(downsampling="nearest-bottomright")', '"the last pixel is kept": dict(downsampling="nearest-center")'),
    ("roots pooled instead of squares",
     "squares = [rmse(s.target, s.reference, border=6) ** 2 for s in samples]",
     "squares = [rmse(s.target, s.reference, border=6) for s in samples]"),
    ("bicubic over the filter, not the filter over bicubic",
     "[total(gf(r, e)) / plain for e in EPS]", "[plain / total(gf(r, e)) for e in EPS]"),
    ("a setting judged by its luckiest number",
     "distances(row, way).max(axis=1)", "distances(row, way).min(axis=1)"),
    ("distance in grey levels, not relative",
     "/ pd.Series(ROWS[row]).rename_axis(CELL) - 1).abs()", "- pd.Series(ROWS[row]).rename_axis(CELL)).abs()"),
    ("gain on NYU over bicubic on another input",
     '("depth", "bicubic", "nyu") and r.protocol["name"] == "dagf-nearest-uncut"',
     '("depth", "bicubic", "nyu") and r.protocol["name"] == "sfigf"'),
    ("three datasets of equal weight",
     'sum(n * cells[f"{name} {s}x"] for name, n in sizes.items()) / 485', 'sum(cells[f"{name} {s}x"] for name, n in sizes.items()) / 3'),
    ("the blank guide shows the photograph",
     "torch.zeros_like(s.guide[:, :1])", "s.guide"),
]  # fmt: skip
