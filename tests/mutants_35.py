"""Wrong edits of the chapter "Pan-sharpening": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "35_pansharpening.ipynb"

EDITS = [
    ("bands and their low pixels exchanged",
     "P, I, low, truth = sample.target, sample.guide, sample.low, sample.reference",
     "P, I, low, truth = sample.low, sample.guide, sample.target, sample.reference"),
    ("detail of the bands compared with the guide itself",
     "detail, guide_detail = (truth - smoothed(truth))[0], (I - smoothed(I))[0, 0]",
     "detail, guide_detail = smoothed(truth)[0] - P[0], (I - smoothed(I))[0, 0]"),
    ("EXP on the grid of bicubic and the other way round",
     'ENLARGE = {"EXP": "exp", "bicubic": "bicubic"}', 'ENLARGE = {"EXP": "bicubic", "bicubic": "exp"}'),
    ("detail of the guide with the wrong sign",
     '"added": P + (I - I_low)', '"added": P - (I - I_low)'),
    ("scaled by the blurred guide over the sharp one",
     '"scaled": P * (I / I_low)}', '"scaled": P * (I_low / I)}'),
    ("scaled band by band, so that spectra turn",
     '"scaled": P * (I / I_low)}', '"scaled": P * (I / I_low) ** torch.linspace(0.8, 1.2, 8).view(1, 8, 1, 1)}'),
    ("guide blurred away before its detail is taken",
     "I_low = smoothed(I)    ", "I_low = smoothed(smoothed(I)) * 0 + I    "),
    ("QNR as a sum",
     '(1 - trial["D_lambda"]) * (1 - trial["D_s"])', '1 - trial["D_lambda"] - trial["D_s"]'),
    ("the restored image put in the place of the low bands",
     "restored=restored, reference=truth, low=low, guide=I", "restored=smoothed(restored), reference=truth, low=low, guide=I"),
    ("ratio of the pixels the other way round in both",
     '"ratio 1/4 for 4": clip | {"ratio": 0.25}', '"ratio 1/4 for 4": clip | {"ratio": 16}'),
    ("decibels of the range with 10 for 20",
     "20 * math.log10(L) for L in bits.values()", "10 * math.log10(L) for L in bits.values()"),
    ("black pixels counted as half a right angle",
     "left_out + p * math.pi / 2))", "left_out + p * math.pi / 4))"),
    ("digital numbers of eight bits for a cast of eleven",
     "DN = 2047", "DN = 8"),
    ("gains fitted to the truth instead of what it lacks",
     "fine = ((truth - P) * d)", "fine = (truth * d)"),
]  # fmt: skip
