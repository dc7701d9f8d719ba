"""Kills a small training at random moments, goes on each time, and compares the weights with those of a run that was left alone.

    python benchmarks/training_kills.py [--kills 20]
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

SCRIPT = """
import sys
from girlib.recipes import recipe
from girlib.training import train
train(recipe("svlrm", "depth", 4, steps=int(sys.argv[2]), batch=1, patch=32, validate=20, images=1), sys.argv[1], resume=True, save_every=0)
"""


def start(folder, steps):
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder), str(steps)], env={**os.environ, "OMP_NUM_THREADS": "1"})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=200)
    given = parser.parse_args()
    random.seed(0)
    with tempfile.TemporaryDirectory() as home:
        left_alone, killed = Path(home) / "whole", Path(home) / "killed"
        assert start(left_alone, given.steps).wait() == 0
        kills = 0
        while kills < given.kills:
            checkpoint = killed / "last.pt"
            before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else None
            process = start(killed, given.steps)
            while process.poll() is None and (not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before):     # until it trains
                time.sleep(0.01)
            time.sleep(random.random())
            if process.poll() is not None:
                break                                                       # done before all kills were spent
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            print(f"kill {kills}: whole checkpoint of step {torch.load(checkpoint, weights_only=True)['step']}", flush=True)
        assert start(killed, given.steps).wait() == 0
        one, other = (torch.load(folder / "last.pt", weights_only=True)["network"] for folder in (left_alone, killed))
        same = all(torch.equal(value, other[name]) for name, value in one.items())
        print(f"{kills} kills; final weights {'bit-identical' if same else 'DIFFER'}")
        sys.exit(not same)


if __name__ == "__main__":
    main()
