"""Wrong edits of the chapter "One method, four papers": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "66_one_method_four_papers.ipynb"

EDITS = [
    ("DAGF's nearest-neighbour half for its bicubic one", 'numbers.footing == "bicubic"', 'numbers.footing == "nearest"'),
    ("DGF taken for a method of its own", '{"DGF": "FGF", "CUNet": "CU-Net", "PANNet": "PanNet"}', '{"CUNet": "CU-Net", "PANNet": "PanNet"}'),
    ("PANNet taken for a method of its own", '"CUNet": "CU-Net", "PANNet": "PanNet"}', '"CUNet": "CU-Net"}'),
    ("ratio with its sides exchanged", 'ratio = (shared["SFIGF"] / elsewhere)', 'ratio = (elsewhere / shared["SFIGF"])'),
    ("another paper's order under the headline", "paper: wide.loc[\"nyu\"][paper].xs(paper,", "paper: wide.loc[\"nyu\"][paper].xs(\"FGF\","),
    ("losers for winners", "best, second = column.value.nsmallest(2)", "second, best = column.value.nlargest(2)"),
    ("ablation compared with another scale", '"sfigf:1", "SFIGF", "NYU V2 16x"', '"sfigf:1", "SFIGF", "NYU V2 8x"'),
    ("grid cell with rows and columns confused", '("dagf:6", "3x3", "m = 3"', '("dagf:6", "5x5", "m = 3"'),
    ("average that forgets the number of images", "(column * images).sum(axis=1) / images.sum()", "column.mean(axis=1) * 0 + column.max(axis=1)"),
    ("images of NYU and Lu exchanged", '{"middlebury": 30, "nyu": 449, "lu": 6}', '{"middlebury": 30, "nyu": 6, "lu": 449}'),
    ("ties and inversions counted as agreement", "> 0) * 2 - 1 for i, j in pairs", "> -9) * 2 - 1 for i, j in pairs"),
]  # fmt: skip
