"""Wrong edits of the chapter "Training a network": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "31_training_a_network.ipynb"

EDITS = [
    ("scored on a room that was trained on",
     "kept = [task.scene(VALIDATION_SEED + k, 96)", "kept = [task.scene(FIRST_SCENE + k, 96)"),
    ("reference not stretched", "sample = in_unit_range(sample.to(run.device))", "sample = sample.to(run.device)"),
    ("gradient climbed instead of descended", "before.backward()   ", "(-before).backward()"),
    ("frozen network learns all the same", "        if learns:\n            adam.step()", "        adam.step()"),
    ("one order for all passes", "generator=random_generator(made.seed, -1 - turn)", "generator=random_generator(made.seed, turn)"),
    ("random numbers by the room, not by the position",
     "random_generator(made.seed, position))", "random_generator(made.seed, place))"),
    ("error over the border, too", "(predict(network.train(), sample) - sample.reference)[..., 6:-6, 6:-6]",
     "(predict(network.train(), sample) - sample.reference)"),
    ("first weights left to chance", "def loop(made, batches=None, clear=True, view=look, mode=True, watch=lambda line: None):\n"
     "    torch.manual_seed(made.seed)\n", "def loop(made, batches=None, clear=True, view=look, mode=True, watch=lambda line: None):\n"),
    ("rate that never falls", "        schedule.step()\n        seen.append", "        seen.append"),
    ("resumed without resume", "train(made, folder, resume=True, **same_data)", "train(replace(made, seed=1), **same_data)"),
    ("gradient zeroed after all", "loop(short, batches, clear=False)", "loop(short, batches)"),
    ("swapped fault that swaps nothing", "loop(short, batches, view=swapped)", "loop(short, batches)"),
]  # fmt: skip
