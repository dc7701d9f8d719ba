"""Wrong edits of the chapter "Multi-focus fusion": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "37_multifocus.ipynb"

EDITS = [
    ("the blurred source taken for the sharper one",
     "(sharpness(sample.target) > sharpness(sample.guide))", "(sharpness(sample.target) < sharpness(sample.guide))"),
    ("weight fitted with the sources exchanged",
     "return weight * sample.target + (1 - weight) * sample.guide", "return weight * sample.guide + (1 - weight) * sample.target"),
    ("the worse source taken for the best choice",
     "return torch.where(near, sample.target, sample.guide)", "return torch.where(near, sample.guide, sample.target)"),
    ("a quarter of the sources' distance forgotten in Eq. (1)", "mse(F, M) + mse(A, B) / 4", "mse(F, M) + mse(A, B) / 2"),
    ("the PSNR of MGDN taken for a proper one", '"PSNR (MGDN)": ("psnr_fusion", dict(style="mefb"))', '"PSNR (MGDN)": ("psnr_fusion", {})'),
    ("bound of Eq. (2) with both norms in full", "255**2 * N / (norm / 2)", "255**2 * N / norm"),
    ("four copies side by side in one direction only", "image.repeat(1, 1, 2, 2)", "image.repeat(1, 1, 1, 2)"),
    ("mutual information taken for a score that notices fusion",
     'assert set(fusing) == {"Q_S, Piella", "Q_abf (MGDN)"}', 'assert set(fusing) == {"Q_S, Piella", "Q_MI (SFIGF)"}'),
    ("all 19 pairs of MFFW in the printed averages", "assert min(fits, key=fits.get) == 13", "assert min(fits, key=fits.get) == 19"),
    ("average over both sets unweighted",
     "(20 * print2[r, f\"Lytro {c}\"].value + pairs * print2[r, f\"MFFW {c}\"].value)\n            / (20 + pairs)",
     "(print2[r, f\"Lytro {c}\"].value + print2[r, f\"MFFW {c}\"].value)\n            / 2"),
    ("one misprint overlooked", 'assert set(misfit(13)) == {("PMGI", "PSNR"), ("SFMD", "PSNR")}', 'assert set(misfit(13)) == {("PMGI", "PSNR")}'),
    ("halves rounded up and to even exchanged", "for x in (half.round(), (half + 0.5).floor()))", "for x in ((half + 0.5).floor(), half.round()))"),
    ("the printed rows expected above the average", "assert measured.loc[\"average\", column] > printed[column].max()",
     "assert measured.loc[\"average\", column] < printed[column].max()"),
    ("the largest proper PSNR without the quarter", "highest = 10 * math.log10(4 /", "highest = 10 * math.log10(2 /"),
    ("the blurred source taken for what the loss wants", "return first * s.target + (1 - first) * s.guide", "return first * s.guide + (1 - first) * s.target"),
    ("training against the reference taken for training without", 'small = dict(loss="multifocus", steps=200', 'small = dict(loss="l1", steps=200'),
    ("a network that begins with both sources in full", "net.last.bias.copy_(torch.tensor([0.5, 0.5, 0.5, 0, 0, 0]))",
     "net.last.bias.copy_(torch.tensor([1.0, 1, 1, 0, 0, 0]))"),
    ("scored on other rooms than the average was", "pairs = [task.scene(k, size) for k in views]", "pairs = [task.scene(k + 1, size) for k in views]"),
    ("the filter's centre looked for one pixel beside", "assert (first_places - second_places).abs().max() < 0.1 < first_places[:, 3, 3].min()",
     "assert (first_places - second_places).abs().max() < 0.1 < first_places[:, 3, 4].min()"),
    ("a planted case without its noise", "def with_noise(s, level=0.06)", "def with_noise(s, level=0.0)"),
    ("blur added where it should be taken away", "1.8 * METHODS[\"average\"](s) - 0.8 * sensors", "0.2 * METHODS[\"average\"](s) + 0.8 * sensors"),
    ("the released form thought to pull by its gradients", "assert pull(\"released\")[0] > 0 and pull(\"released\")[1] == 0", "assert pull(\"released\")[0] > 0 and pull(\"released\")[1] > 0"),
]  # fmt: skip
