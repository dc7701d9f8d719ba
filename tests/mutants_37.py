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
]  # fmt: skip
