"""Wrong edits of the chapter "The tables and figures of DAGF": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "63_tables_of_dagf.ipynb"

EDITS = [
    ("both halves of Table I thrown together", "group = depth[depth.index.str.contains(kind)]", "group = depth"),
    ("gain over the mean instead of the second best", "(others[at].min() - own[at]).mean()", "(others[at].mean() - own[at]).mean()"),
    ("centre of each cell taken for its last pixel", '"last": "nearest-bottomright"', '"last": "nearest-center"'),
    ("first pixel of each cell in Exercise 3",
     'sample(scene, size, scale, downsampling="nearest-bottomright")', 'sample(scene, size, scale, downsampling="nearest-topleft")'),
    ("shifted the wrong way", ".roll((8, 8), (2, 3))", ".roll((-8, -8), (2, 3))"),
    ("noise with the wrong sign", "cost = noisy - bicubic", "cost = bicubic - noisy"),
    ("noisy rows beside the upper half of Table I", 'bicubic = depth[depth.index.str.contains("bicubic")]',
     'bicubic = depth[depth.index.str.contains("nearest")]'),
    ("one pass of the filter instead of four", 'repeated(filters["GF"])', 'repeated(filters["GF"], 1)'),
    ("least probable class of each pixel", "refine(view).argmax(1", "refine(view).argmin(1"),
    ("worst cell of the grid taken for the best", "best = min((grid[m][k], k, m)", "best = max((grid[m][k], k, m)"),
    ("levels and kernel size exchanged", "kernel_size=int(k[0]), levels=int(m[-1])", "kernel_size=2 * int(m[-1]) - 1, levels=(int(k[0]) + 1) // 2"),
    ("the average counted by images", "models[sets].mean(axis=1)", "(models[sets] * [30, 6, 449, 1064]).sum(axis=1) / 1549"),
    ("steps of the ablation with the wrong sign", 'steps = -models["Average"].diff()', 'steps = models["Average"].diff()'),
    ("Fig. 15 from the lower half of Table I", '{"last pixel": depth.loc["DAGF (nearest)"]', '{"last pixel": depth.loc["DAGF (bicubic)"]'),
    ("a figure neither drawn nor said to wait", 'gallery.waits("14")', 'gallery["14"]'),
]
