"""Wrong edits of the chapter "Low-light raw with a red flash": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "40_lowlight_red.ipynb"

EDITS = [
    ("packed as pixel_unshuffle does: second green before blue",
     "sample.target[:, 2], amplified[:, 0, 1::2, 1::2]", "sample.target[:, 2], amplified[:, 0, 1::2, 0::2]"),
    ("long exposure looked up where the short one is meant",
     '(("short", "raw"), ("long", "long_raw"))', '(("short", "long_raw"), ("long", "raw"))'),
    ("guides exchanged",
     '"recorded under a red flash": capture.images["red"]', '"recorded under a red flash": sample.reference[:, :1]'),
    ("the roles read in the wrong image",
     'images = {"raw": small.target, "red": small.guide}', 'images = {"raw": small.guide, "red": small.target}'),
    ("the guide's red put into the blue",
     "[sensors.unpack(sample.guide), restored[:, 1:]]", "[restored[:, :2], sensors.unpack(sample.guide)]"),
    ("a channel is taken for half of the error",
     "free = 10 * math.log10(3 / 2)", "free = 10 * math.log10(3 / 2) / 3"),
    ("shot noise without the ratio",
     "gain * span * brightness / ratio + read**2", "gain * span * brightness + read**2"),
    ("read noise not squared",
     "/ ratio + read**2 + 1 / 12)", "/ ratio + read + 1 / 12)"),
    ("black level left in the card",
     "(counts.double() - 512).std()", "(counts.double() - 512).abs().mean()"),
    ("BT.709 with the slope of sRGB's toe",
     "torch.where(light < 0.018, 4.5 * light, curved)", "torch.where(light < 0.018, 12.92 * light, curved.clamp(min=0.2326))"),
    ("the flash's guide searched with the reference's red",
     'task.observe(capture, guide="flash")', "task.observe(capture)"),
    ("the protocol's score without its filter's setting",
     '**METHODS["gf"])\n\ndef observed', ')\n\ndef observed'),
    ("counts added after the amplification",
     "+ counts).clamp(min=0) / span) * times", "+ counts / 100).clamp(min=0) / span) * times"),
    ("result curved like the reference",
     '"sRGB against a reference in BT.709": score(reference=other)', '"sRGB against a reference in BT.709": score(other, reference=other)'),
    ("slope of the curve without its exponent",
     "(one.reference + 0.055) * d / 2.4", "(one.reference + 0.055) * d"),
]  # fmt: skip
