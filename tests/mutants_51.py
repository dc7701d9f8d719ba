"""Wrong edits of the chapter "Training without a dataset": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "51_training_without_a_dataset.ipynb"

EDITS = [
    ("a patch that follows from something else", "again = patch(5)", "again = patch(6)"),
    ("correct pixels counted as wrong", "share = (wrong > 0.01)", "share = (wrong <= 0.01)"),
    ("losses exchanged", 'assert gains["rmse_loss"] > gains["l1_loss"]', 'assert gains["rmse_loss"] < gains["l1_loss"]'),
    ("lower taken for better everywhere", 'assert better == (told["direction"] == "lower"), one.path.name', "assert better, one.path.name"),
    ("networks exchanged", "assert reached(\"fdkn\", 8) < reached(\"sfigf\", 8) < 1", "assert reached(\"sfigf\", 8) < reached(\"fdkn\", 8) < 1"),
    ("one subtracted twice", '/ aim[scale] - 1)', "/ aim[scale] - 2)"),
    ("the target in the place of what was restored", "gains = {name: 1 - error(image, sample) /", "gains = {name: 1 - error(sample.target, sample) /"),
    ("a guide that moves the depth", 'sample.guide.flip(-1),', "sample.guide * 1e9,"),
    ("each patch from a room of its own", "rooms = {number // stream.patches + k", "rooms = {number + k"),
]
