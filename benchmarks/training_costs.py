"""Times a step of each network on each task as the quick profile trains it, on one CPU core: what `girlib train` foretells is made of it.

    python benchmarks/training_costs.py [NETWORK:TASK[:SCALE] ...] [--keep]

CPU seconds of a process, so that other work on the machine counts little; the largest memory that the process ever held.
"""

import argparse
import json
import multiprocessing
import platform
from pathlib import Path

import torch

from girlib.networks import list_models
from girlib.recipes import recipe
from girlib.results import provenance, results_folder
from girlib.tasks import list_tasks
from girlib.training import measure


def cost(network, task, scale):
    made = recipe(network, task, int(scale) if scale else None)
    found = measure(made, "cpu")
    told = {name: getattr(made, name) for name in ("network", "task", "scale", "options", "batch", "patch")}
    return {**told, "seconds": round(found.seconds, 4), "memory": round(found.memory, 2)}


def processor():
    """The CPU as the system names it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor() or "CPU")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="*", metavar="NETWORK:TASK[:SCALE]")
    parser.add_argument("--keep", action="store_true", help="add the lines to results/training_costs.jsonl")
    given = parser.parse_args()
    every = [f"{network}:{task}" for task in list_tasks() for network in list_models(task) if network != "gdd"]
    torch.set_num_threads(1)
    for pair in given.pairs or every:
        with multiprocessing.get_context("fork").Pool(1) as fresh:          # a process of its own, for the peak of its memory
            found = fresh.apply(cost, (pair.split(":") + [""])[:3])
        line = json.dumps({**found, "cpu": processor(), "threads": 1, **provenance()}, sort_keys=True)
        print(line, flush=True)
        if given.keep:
            with open(results_folder() / "training_costs.jsonl", "a") as file:
                file.write(line + "\n")


if __name__ == "__main__":
    main()
