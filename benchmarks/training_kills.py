"""Kills a small training at random moments, goes on each time, and compares the weights with those of a run that was left alone.

    python benchmarks/training_kills.py [--kills 20]
"""

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import torch

from girlib.recipes import recipe
from girlib.training import train


def work(folder, steps):
    made = recipe("svlrm", "depth", 4, steps=steps, batch=1, patch=32, validate=50, images=1, options={"width": 16, "depth": 2})
    train(made, folder, resume=folder is not None, save_every=0)


def start(folder, steps):
    """A process of its own, forked so that it need not import torch again: a kill costs little, and many can be made."""
    process = multiprocessing.get_context("fork").Process(target=work, args=(folder, steps))
    process.start()
    return process


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=200)
    given = parser.parse_args()
    random.seed(0)
    torch.set_num_threads(1)
    work(None, 1)                                               # what torch imports late is imported here, before the forks
    with tempfile.TemporaryDirectory() as home:
        left_alone, killed = Path(home) / "whole", Path(home) / "killed"
        process = start(left_alone, given.steps)
        process.join()
        assert process.exitcode == 0
        kills = 0
        while kills < given.kills:
            checkpoint = killed / "last.pt"
            before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else None
            process = start(killed, given.steps)
            while process.is_alive() and (not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before):         # until it trains
                time.sleep(0.01)
            time.sleep(random.random())
            if not process.is_alive():
                break                                                       # done before all kills were spent
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            kills += 1
            print(f"kill {kills}: whole checkpoint of step {torch.load(checkpoint, weights_only=True)['step']}", flush=True)
        process = start(killed, given.steps)
        process.join()
        assert process.exitcode == 0
        one, other = (torch.load(folder / "last.pt", weights_only=True)["network"] for folder in (left_alone, killed))
        same = all(torch.equal(value, other[name]) for name, value in one.items())
        print(f"{kills} kills; final weights {'bit-identical' if same else 'DIFFER'}")
        sys.exit(not same)


if __name__ == "__main__":
    main()
