"""Wrong edits of the chapter "Restore your own pair": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "71_restore_your_own_pair.ipynb"

EDITS = [
    ("the example's guide is its target", '("target", "guide", "reference"))', '("target", "target", "reference"))'),
    ("compared with nothing restored", 'fine = read("fine.png")', 'fine = restore(target, guide, method="bicubic")'),
    ("the plain filter taken for the default", 'errors["default"] = rmse(fine)', 'errors["default"] = errors["gf"]'),
    ("centimetres", "metres = restore(target / 1000, guide)", "metres = restore(target / 100, guide)"),
    ("given back from the wrong image", 'lost("gf"), lost("gf-back")', 'lost("gf"), lost("gf")'),
    ("noise of another strength", "noisy = said + 20 *", "noisy = said + 60 *"),
    ("the range of another image", "fine.max() <= target.max()", "beyond.max() <= target.max()"),
    ("holes filled where they were to stay", "kept, filled = restore(tof, guide), restore", "kept, filled = restore(tof, guide, fill=True), restore"),
    ("zero no longer a hole", "restore(tof, guide, fill=True)\nhole", "restore(tof, guide, fill=True, nodata=False)\nhole"),
    ("holes at the wrong scale", "hole = np.kron(tof == 0, np.ones((4, 4)))", "hole = np.kron(tof[::2, ::2] == 0, np.ones((8, 8)))"),
    ("nothing taken for a measurement", "restore(tof, guide, nodata=False, fill=True)     #", "restore(tof, guide, fill=True)     #"),
    ("shifted the other way", "shifted = np.roll(flash, (8, 12), (0, 1))", "shifted = np.roll(flash, (-8, -12), (0, 1))"),
    ("not shifted", "restore(dark, shifted, task=\"flash\")", "restore(dark, flash, task=\"flash\")"),
    ("blended no more", "for feather in (0, 28))", "for feather in (0, 0))"),
    ("a method that pools nothing", "part + 0.5 * part.mean()", "part + 0.5 * part"),
    ("tiles of another method", 'method="gf-back", tile=tile)', 'method="gf-back", radius=2 + tile // 64, tile=tile)'),
    ("pixels of another size", '(33550, "d", 3, (20.0, 20.0, 0.0), True)', '(33550, "d", 3, (30.0, 30.0, 0.0), True)'),
    ("no description", 'description="height in m")', 'description="height")'),
    ("the right way round", "restore(guide, target)      ", "restore(target, guide)      "),
    ("no hole torn", "torn[20:30, 30:40] = np.nan", "torn[20:30, 30:40] += 0"),
]
