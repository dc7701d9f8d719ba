"""Wrong edits of the chapter "The tables and figures of SFIGF": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "62_tables_of_sfigf.ipynb"

EDITS = [
    ("largest error ranked first", 'places = depth.rank(method="min")', 'places = depth.rank(method="min", ascending=False)'),
    ("three sets counted alike", "(of(head), n / sum(counts.values()))", "(of(head), 1 / len(counts))"),
    ("printed numbers known to ten times their last digit", "half = lambda number: 0.5 * 10.0", "half = lambda number: 10 * 10.0"),
    ("printed numbers taken as exact", "slack = half(of(\"Average\")) + sum(share * half(cell) for cell, share in parts)", "slack = 0"),
    ("slopes of the floor taken for jumps", "> 20  # cm", "> 1  # cm"),
    ("every column of Table 2 ranked by the largest", 'ranks[lower] = pan[lower].rank(method="min")', "ranks[lower] = ranks[lower]"),
    ("records of two networks exchanged", '"pannet": "PANNet", "sfigf": "SFIGF"}', '"pannet": "SFIGF", "sfigf": "PANNet"}'),
    ("gain over the mean instead of the second best", 'focus.loc["SFIGF"] - focus.drop("SFIGF").max()', 'focus.loc["SFIGF"] - focus.drop("SFIGF").mean()'),
    ("LPIPS taken for a score where more is better", 'focus["Real-MFF LPIPS"].idxmin()', 'focus["Real-MFF LPIPS"].idxmax()'),
    ("methods behind the average counted as ahead", "focus[column] > plain.value", "focus[column] < plain.value"),
    ("the sharp part of the first source taken for the blurred one",
     "blurred = error(sample.target, sample.reference) > error", "blurred = error(sample.target, sample.reference) < error"),
    ("every column of Table 4 by the largest", 'dark[c].idxmax() if better[c] == "higher" else dark[c].idxmin()', "dark[c].idxmax()"),
    ("loss of a variant with the wrong sign", "loss = (ablation - ablation.loc[own])", "loss = (ablation.loc[own] - ablation)"),
    ("channels of the first image only", "sum(x.shape[1] for x in images)", "images[0].shape[1]"),
    ("2n read as 2 + n", "int(digits) * n if digits", "int(digits) + n if digits"),
    ("a figure neither drawn nor said to wait", 'gallery.waits("S4")', 'gallery["S4"]'),
]
