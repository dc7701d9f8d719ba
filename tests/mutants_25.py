"""Wrong edits of the chapter "One equation, ten networks": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "25_one_equation.ipynb"

EDITS = [
    ("guide's score without its variance", "(d.square().mean() + eps)", "1"),
    ("windows counted once instead of twice", "stamp((1 + score) / 81**2, ky, kx, P)", "stamp((1 + score) / 81, ky, kx, P)"),
    ("bilateral weights without the distance", "torch.softmax(-(distance + unlike).flatten() / 2", "torch.softmax(-unlike.flatten() / 2"),
    ("softmax over the wrong axis", "score.flatten(1).softmax(dim=1)", "score.flatten(1).softmax(dim=0)"),
    ("attention without dilation", "values, 7, dilation=3, bias=attention.bias)", "values, 7, dilation=1, bias=attention.bias)"),
    ("position bias shifted by one", "attention.bias[:, 3:10, 3:10]", "attention.bias[:, 4:11, 4:11]"),
    ("keys and values exchanged", "k, v = kv.permute(3, 0, 4, 1, 2, 5)", "v, k = kv.permute(3, 0, 4, 1, 2, 5)"),
    ("FDKN without its residual", "step = lambda V: P + filter_at(V, w, s, 15, True)", "step = lambda V: filter_at(V, w, s, 15, True)"),
    ("residual thawed: it is V, not P", "step = lambda V: P + filter_at(V, w, s, 15, True)", "step = lambda V: V + filter_at(V, w, s, 15, True)"),
    ("taps of DKN not transposed", "px = (7 + tap // 3 +", "px = (7 + tap % 3 +"),
    ("DAGF's kernels from the target alone", 'W, finest = inside["W"][-1]', 'W, finest = inside["W_t"][-1]'),
    ("zeros around MGDN's features", 'dynamic_filter(V, W, padding="replicate")', "dynamic_filter(V, W)"),
    ("slope and intercept of SVLRM exchanged", 'A, B = inside["alpha"], inside["beta"]', 'B, A = inside["alpha"], inside["beta"]'),
    ("ImGF on the target instead of the guide", 'return pointwise(A, luma(I), lambda V: A * V + B, inside["Q_Im"])',
     'return pointwise(A, P, lambda V: A * V + B, inside["Q_Im"])'),
    ("GDD's gate before its sigmoid", 'gate = unit.gate(inside["Gamma"][5])', 'gate = unit.gate.conv(inside["Gamma"][5])'),
    ("gate of another unit", "unit, grown = gdd.uru[4]", "unit, grown = gdd.uru[3]"),
    ("target and guide confused in what is read", '(("P", (P + nudge, I)), ("I", (P, I + nudge)))', '(("I", (P + nudge, I)), ("P", (P, I + nudge)))'),
    ("sharpening with the wrong sign", "return P + t * (P - box_mean(P, 4))", "return P - t * (P - box_mean(P, 4))"),
    ("edge further aside than the window reaches", "aside = D.roll(3, dims=3)", "aside = D.roll(4, dims=3)"),
]  # fmt: skip
