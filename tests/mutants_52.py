"""Wrong edits of the chapter "Train on your data": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "52_train_on_your_data.ipynb"

EDITS = [
    ("colour left in 0 to 255", '.permute(2, 0, 1)[None] / 255', '.permute(2, 0, 1)[None] / 1'),
    ("millimetres taken for metres", "[None, None] / 1000}", "[None, None]}"),
    ("fault of the unit forgotten in the folder", "factor=100 if place == 5 else 1000", "factor=1000"),
    ("unit mended the wrong way", 'capture.images["depth"] * 10', 'capture.images["depth"] / 10'),
    ("nothing slipped", 'slip=6 if (place, frame) == (6, "a") else 0', "slip=0"),
    ("depth moved with the slip instead of against it", ".roll(-shift, dims=-1)", ".roll(shift, dims=-1)"),
    ("a place in both parts", "kept = [c for c in captures if place(c) == 7]", "kept = [c for c in captures if place(c) >= 6]"),
    ("begins from nothing", "start=ours, watch=curve", "watch=curve"),
    ("nothing frozen", 'parameter.requires_grad_("guide" not in name)', "parameter.requires_grad_(True)"),
    ("pieces at any pixel", "((96 - small.patch) // small.scale + 1) ** 2 * 8", "((96 - small.patch) + 1) ** 2 * 8"),
    ("mended place scored twice", 'wrong = [read("place5a")]', "wrong = right"),
]  # fmt: skip
