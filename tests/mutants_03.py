"""Wrong edits of the chapter "Scenes and sensors": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "03_scenes_and_sensors.ipynb"

EDITS = [
    ("the first pixel kept where the last one is meant",
     '"last": "nearest-bottomright"}', '"last": "nearest-topleft"}'),
    ("displacement with the wrong sign",
     "return (ramp - back)[..., 96:160]", "return (back - ramp)[..., 96:160]"),
    ("sensor's noise in millimetres taken for metres",
     "noise=0.0025, shift=2.0, smear=0.6)", "noise=2.5, shift=2.0, smear=0.6)"),
    ("errors of the sensor one by one, but with the defaults of the others",
     "tof(**NONE | {name: size})", "tof(**{name: size})"),
    ("gain put at a limit twice too high",
     "limit = 7 ", "limit = 15 "),
    ("Wald's grid enlarged about the centres of its blocks",
     '"EXP": "exp"}', '"EXP": "bicubic"}'),
    ("layers painted with the planes exchanged",
     "torch.where(torch.arange(96) < 48, 1.0, 3.0)", "torch.where(torch.arange(96) < 48, 3.0, 1.0)"),
    ("disc of the lens with its diameter for its radius",
     "rho = 0.1 * 96 * (1 / 1 - 1 / 3)", "rho = 0.2 * 96 * (1 / 1 - 1 / 3)"),
    ("black level left in the mean-variance line",
     "line = 3.0 * (means - 512)", "line = 3.0 * means"),
    ("read noise not squared",
     "+ 6.0**2 + 1 / 12", "+ 6.0 + 1 / 12"),
    ("red flash guide taken from the green",
     "red_guide), reference[:, :1]", "red_guide), reference[:, 1:2]"),
    ("exposures made linear without their times",
     "sensors.linearised(shot, time)", "sensors.linearised(shot, 1)"),
    ("nothing moves between the exposures",
     "exposures(lively, (0.0, 0.4, 0.8))", "exposures(lively, (0.4, 0.4, 0.4))"),
    ("short and long exposure exchanged",
     '"under": 2.0**-stops, "over": 2.0**stops', '"under": 2.0**stops, "over": 2.0**-stops'),
    ("the shift of the last pixel put right to the wrong side",
     "(scale - 1, 0, scale - 1, 0), mode=\"replicate\")[..., :2 * H, :2 * W]",
     "(0, scale - 1, 0, scale - 1), mode=\"replicate\")[..., scale - 1:, scale - 1:]"),
]  # fmt: skip
