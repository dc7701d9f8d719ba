"""Wrong edits of the chapter "The tables and figures of GDD": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "65_tables_of_gdd.ipynb"

EDITS = [
    ("second places taken for first ones", 'def first_in(name, method="GDD", rank=1):', 'def first_in(name, method="GDD", rank=2):'),
    ("every score read as higher is better", 'sign = {"higher": 1, "lower": -1}[cell.direction]', "sign = 1"),
    ("ERGAS without its ratio", '"100 / 32": brightness(100 / 32)', '"100 / 32": brightness(100)'),
    ("RMSE and ERGAS exchanged", 'factor * one["RMSE", method] / one["ERGAS", method]', 'factor * one["ERGAS", method] / one["RMSE", method]'),
    ("guide and noise of DIP exchanged", '"DIP(Z)": "dip_noise", "DIP(G)": "dip_guide"', '"DIP(Z)": "dip_guide", "DIP(G)": "dip_noise"'),
    ("who is ahead turned round", "if step >= 50 and gdd[step] > dip[step]", "if step >= 50 and gdd[step] < dip[step]"),
    ("a larger angle taken for the better one", 'if angle[step] < plain["sam"]', 'if angle[step] > plain["sam"]'),
    ("QNR as a sum", '(1 - two["Real D_lambda", method]) * (1 -', '(1 - two["Real D_lambda", method]) + (1 -'),
    ("the smallest gap taken for the largest", "largest = max(gap, key=", "largest = min(gap, key="),
    ("methods with the larger angle", 'if plain["Synthetic SA"] > x]', 'if plain["Synthetic SA"] < x]'),
    ("gates of the next coarser scale", 'inside["Gamma"][k + 1]', 'inside["Gamma"][k]'),
    ("gates without the leaky rectifier", "torch.sigmoid(F.leaky_relu(x, 0.2))", "torch.sigmoid(x)"),
    ("the cut header read as it is meant", '["BDS", "MTF", "GLP", *columns[2:-1]]', '["BDSD", *columns[1:]]'),
    ("the second best of a row", "if ranks.get((row, column)) == 1]", "if ranks.get((row, column)) == 2]"),
]
