"""Wrong edits of the chapter "Findings": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "67_findings.ipynb"

EDITS = [
    ("average and one source exchanged for SSIM", '("mgdn:2", "Lytro SSIM"): "average"', '("mgdn:2", "Lytro SSIM"): "first"'),
    ("best of the printed scores where lower is better", "best = max(cells, key=cells.get)", "best = max(cells, key=len); mine = 0"),
    ("the proper PSNR taken for the printed one", 'for style in ("proper", "mefb"))\nfour', 'for style in ("proper", "proper"))\nfour'),
    ("tiled in one direction only", "image.repeat(1, 1, 2, 2)", "image.repeat(1, 1, 2, 1)"),
    ("another table's similarity", '("mgdn:1", "SSIM", "IFCNN"), ("mgdn:2"', '("mgdn:1", "CE", "IFCNN"), ("mgdn:1"'),
    ("batch of the text for the script's", "batch = 4 ", "batch = 16 "),
    ("steps divided by images", 'checkpoint["steps"] / checkpoint["epoch"]', 'checkpoint["steps"] / 60'),
    ("both terms of the loss at once", "style=style, weights=(0, 1))", "style=style, weights=(1, 1))"),
    ("loss over the batch, not over twice the batch", "assert abs(ratio - 20)", "assert abs(ratio / 2 - 20)"),
    ("green for red", "given.reference[:, :1].unfold", "given.reference[:, 1:2].unfold"),
    ("roles as in the text", 'torch.equal(seen["first"], given.guide) and', 'torch.equal(seen["first"], given.target) and'),
    ("another raw beside another mono", "replace(mono, guide=torch.rand_like(mono.guide))", "replace(mono, target=torch.rand_like(mono.target))"),
    ("both columns from one protocol", 'for name in ("dagf-nearest-uncut", "dagf-bicubic"))', 'for name in ("dagf-nearest-uncut", "dagf-nearest-uncut"))'),
    ("moved the other way", "torch.roll(large, (3, 3), (2, 3))", "torch.roll(large, (-3, -3), (2, 3))"),
    ("average without the number of pairs", "(20 * lytro.value + 13 * mffw.value) / 33", "(lytro.value + mffw.value) / 2"),
    ("weights of NYU and Middlebury exchanged", "(30 * m + 449 * n + 6 * u)", "(449 * m + 30 * n + 6 * u)"),
    ("worst of the grid for its best", "sorted(grid, key=grid.get).index", "sorted(grid, key=grid.get, reverse=True).index"),
    ("half a Newton step", "best = F.detach() - slope / 4", "best = F.detach() - slope / 8"),
]  # fmt: skip
