"""Wrong edits of the chapter "Hyperspectral super-resolution": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "36_hyperspectral.ipynb"

EDITS = [
    ("one pixel of each block for its mean",
     'assert torch.allclose(downsample(X, 32, "average"), Y)', 'assert torch.allclose(downsample(X, 32, "nearest-center"), Y)'),
    ("blocks counted along one side only",
     "X[0, 0].numel() == 1024 * Y[0, 0].numel()", "X[0, 0].numel() == 32 * Y[0, 0].numel()"),
    ("what the camera sees taken for what it does not",
     "unseen = V[3:] ", "unseen = V[:3] "),
    ("ripple not freed from what the camera sees",
     "ripple = (unseen.T @ (unseen @ wave.double())).float()", "ripple = wave.float()"),
    ("metamer with its light changed",
     "return X + strength * X.mean(1, keepdim=True) * ripple.view(1, 31, 1, 1)", "return X * (1 + strength * ripple.view(1, 31, 1, 1))"),
    ("ERGAS with the ratio the other way round",
     "light = {r: [100 / r * cell", "light = {r: [100 * r * cell"),
    ("fit from two colours and no constant",
     "return torch.cat([rows, torch.ones_like(rows[:, :1])], dim=1)", "return torch.cat([0 * rows[:, :1], rows], dim=1)[:, [0, 0, 1, 2]]"),
    ("what the bands know beyond the fit taken away",
     "fitted = line + rest", "fitted = line - rest"),
    ("map of colours applied to the enlarged photograph's blocks",
     "line = coloured(G, W) ", "line = coloured(mix(P, R), W) "),
    ("variance as a share of the first direction, not of all",
     "share = share / share[-1]", "share = share / share[0]"),
    ("sum over the bands for their mean",
     "= sum(each) / 31", "= sum(each)"),
    ("photograph left linear where a camera's curve is meant",
     "curved = srgb(G.clamp(0, 1))", "curved = G.clamp(0, 1)"),
    ("best of a column by its largest error",
     '(max if row == "SSIM" else min)(gdd1.columns', '(min if row == "SSIM" else max)(gdd1.columns'),
    ("smallest change with the response itself for its inverse",
     "pinv = torch.linalg.pinv(R.double()).float()", "pinv = R.T"),
]  # fmt: skip
