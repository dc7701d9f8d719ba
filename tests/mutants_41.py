"""Wrong edits of the chapter "Low-light raw with a mono camera": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "41_lowlight_mono.ipynb"

EDITS = [
    ("target taken for clipped",
     'assert torch.equal(dark.target, darkest.images["raw"] * darkest.meta["ratio"])',
     'assert torch.equal(dark.target, (darkest.images["raw"] * darkest.meta["ratio"]).clamp(max=1))'),
    ("brightest room first",
     'key=lambda capture: -capture.meta["ratio"]', 'key=lambda capture: capture.meta["ratio"]'),
    ("a step of the sensor before the amplification",
     'step = darkest.meta["ratio"] / 255 ', "step = 1 / 255 "),
    ("light compared after both responses are made to sum to one",
     "return RESPONSES[name] / RESPONSES[name].amax(1, keepdim=True)", "return RESPONSES[name]"),
    ("unaligned pair called aligned",
     '"aligned": False}', '"aligned": True}'),
    ("the mono picture believed to be an input",
     "assert len(network.prepare(little)) == 1 ", "assert len(network.prepare(little)) == 2 "),
    ("the loss thought not to see the mono picture",
     "assert losses[0] != losses[1] ", "assert losses[0] == losses[1] "),
    ("the target's own brightness given as recorded",
     '"own brightness": scored(gf, own_brightness),', '"own brightness": scored(gf),'),
    ("filter on the bright end taken for none",
     '{"no filter": scored(simple),', '{"no filter": scored(gf, own_brightness),'),
    ("shift the other way round counted as none",
     "- pixels).clamp(min=0)", "- 0 * pixels).clamp(min=0)"),
    ("a step added to the amplified raw",
     "(capture.images[\"raw\"] + steps / 255).clamp(min=0) * capture.meta[\"ratio\"]",
     "(capture.images[\"raw\"] * capture.meta[\"ratio\"] + steps / 255).clamp(min=0)"),
    ("range of the floats left at one",
     "**UNIFORM, data_range=2.0", "**UNIFORM, data_range=1.0"),
    ("mirrored mosaic read in the old pattern twice",
     'sensors.develop(mirrored, "GRBG")', 'sensors.develop(mirrored, "RGGB")'),
    ("mirror between two columns",
     "(n - 2 - torch.arange(n)).abs()", "(n - 1 - torch.arange(n)).abs()"),
    ("lead of the table counted from the second row",
     "gap = best - second\nmix", "gap = second - best\nmix"),
]  # fmt: skip
