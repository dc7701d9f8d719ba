"""Wrong edits of the chapter "The tables and figures of MGDN": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "64_tables_of_mgdn.ipynb"

EDITS = [
    ("second places taken for first ones", 'def first_in(name, method="MGDN", rank=1):', 'def first_in(name, method="MGDN", rank=2):'),
    ("every score read as higher is better", 'sign = {"higher": 1, "lower": -1}[cell.direction]', "sign = 1"),
    ("averages of Table 2 without the numbers of pairs", "total = sum(n * two[", "total = sum(16.5 * two["),
    ("a misprint taken for rounding", "if abs(gap) > 0.0015}", "if abs(gap) > 0.1}"),
    ("PSNR of the benchmark with its square", "255**2 * pixels / error**0.5", "255**2 * pixels / error"),
    ("the worst row taken for the best", "best = {column: max(two[method, column] for method in methods)",
     "best = {column: min(two[method, column] for method in methods)"),
    ("mutual information not divided by an entropy", "values.append(shared(x, y) / min(shared(x, x), shared(y, y)))",
     "values.append(shared(x, y))"),
    ("both images sharp on the white fields", "(1 - white) * sharp + white * blurred]", "white * sharp + (1 - white) * blurred]"),
    ("focus not exchanged", "(seen_by(model, *sources), seen_by(model, *sources[::-1]))", "(seen_by(model, *sources), seen_by(model, *sources))"),
    ("gains of Table 3 as the text has them", 'said = {"PSNR_L": 0.26, "PSNR_mu": 0.07}', 'said = {"PSNR_mu": 0.26, "PSNR_L": 0.07}'),
    ("the curve of the mu-law forgotten", 'measure("psnr", restored=merged.clamp(0, 1), curve=curve, **truth)',
     'measure("psnr", restored=merged.clamp(0, 1), **truth)'),
    ("what a part costs with the wrong sign", 'five["MGDN", column] - five[row, column]', 'five[row, column] - five["MGDN", column]'),
    ("the cheapest part taken for the dearest", "costs_most = {max(without,", "costs_most = {min(without,"),
    ("the lead over the worst rival", "min(here(row, scale) for row in rivals)", "max(here(row, scale) for row in rivals)"),
    ("both enlargements by one program", 'torchs = bicubic_of("input", "mgdn", scale)', 'torchs = bicubic_of("bicubic", "sfigf", scale)'),
    ("PFF counted as an end of the network", '"PFF" if ".pff." in name', '"PFF" if ".ppf." in name'),
    ("pixels repeated along one side only", "x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)", "x.repeat_interleave(2, dim=2)"),
]
