"""What a released checkpoint says about its own training: epochs, optimiser's steps, learning rate.

    GIRLIB_DATA=FOLDER python benchmarks/checkpoint.py [--keep]

SFIGF's multi-focus checkpoint holds Adam's counter beside the weights, so it tells how many batches an epoch had, and with the
batch of its script how many images it was trained on. --keep writes the line to results/checkpoint.json.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch

from girlib.errors import GirlibError
from girlib.notebook import find_data
from girlib.results import provenance

FILE = "weights/sfigf/MFIF/best.pth"
KEPT = Path(__file__).resolve().parents[1] / "results/checkpoint.json"


def read(path):
    """The checkpoint's own counters. NumPy's scalars and their types are all that is let in beside tensors: nothing is run."""
    kinds = [np.dtype, *(type(np.dtype(kind)) for kind in (np.float64, np.float32, np.int64))]
    scalar = [(np.float64(0).__reduce__()[0], "numpy.core.multiarray.scalar")]
    with torch.serialization.safe_globals([*kinds, *scalar]):
        content = torch.load(path, map_location="cpu", weights_only=True)
    adam = content["optimizer"]
    steps = {int(state["step"]) for state in adam["state"].values()}
    group, = adam["param_groups"]
    return {"epoch": int(content["epoch"]), "steps": max(steps), "rate": group["lr"], "first rate": group.get("initial_lr")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help=f"write the line to {KEPT.relative_to(KEPT.parents[1])}")
    keep = parser.parse_args().keep
    folder = find_data()
    path = folder and folder / FILE
    if not path or not path.is_file():
        raise GirlibError(f"checkpoint: {FILE} is not there; set GIRLIB_DATA, and get it with `girlib fetch weights/sfigf`.")
    found = {"file": FILE, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **read(path), **provenance()}
    print(json.dumps(found))
    if keep:
        KEPT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except GirlibError as error:
        sys.exit(f"girlib: {error}")
