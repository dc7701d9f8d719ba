"""Wrong edits of the chapter "What a loss sees": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "32_what_a_loss_sees.ipynb"

EDITS = [
    ("gradient instead of its negative", "return -torch.autograd.grad(loss(x, y), x)[0]", "return torch.autograd.grad(loss(x, y), x)[0]"),
    ("L2 under the name of L1", '{"L1": losses.l1_loss, "L2"', '{"L1": losses.mse_loss, "L2"'),
    ("gradient loss that sees values", "(x.diff(dim=d) - y.diff(dim=d)).abs().mean()", "(x - y).abs().mean()"),
    ("boundary-aware loss that is L1", '"boundary-aware": losses.boundary_aware_loss', '"boundary-aware": losses.l1_loss'),
    ("pixels that stay", "        loss(x, truth).backward()\n        adam.step()\n", "        loss(x, truth).backward()\n"),
    ("median for the mean", "mean, median = answers.mean(0), answers.median(0).values",
     "median, mean = answers.mean(0), answers.median(0).values"),
    ("stages left out", "alone, together = stages_pushed(0), stages_pushed(1)", "alone, together = stages_pushed(0), stages_pushed(0)"),
    ("printed form as released", 'printed = push(lambda x, y: unsupervised(x, style="paper"), start)',
     'printed = push(lambda x, y: unsupervised(x, style="paper", weights=(1, 0)), start)'),
    ("released with its content doubled", "without = push(lambda x, y: unsupervised(x, weights=(0.5, 0)), start)",
     "without = push(lambda x, y: unsupervised(x, weights=(1, 0)), start)"),
    ("one case for all combinations", "sure.repeat_interleave(4, 0), sure.repeat(4, 1)", "sure.repeat(4, 1), sure.repeat(4, 1)"),
    ("charbonnier with a tenth of eps", "losses.charbonnier_loss(x, y, eps=0.05)", "losses.charbonnier_loss(x, y, eps=0.005)"),
    ("mended with the released form", 'mended = push(lambda x, y: unsupervised(x, style="paper", weights=(0.5, 1.5)), start)',
     "mended = push(lambda x, y: unsupervised(x, weights=(0.5, 1.5)), start)"),
]  # fmt: skip
