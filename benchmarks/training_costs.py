"""Times a step of each network on each task as the quick profile trains it, on one CPU core: what `girlib train` foretells is made of it.

    python benchmarks/training_costs.py [NETWORK:TASK[:SCALE] ...] [--keep]

CPU seconds of a process, so that other work on the machine counts little; the largest memory that the process ever held.
"""

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path

from girlib.networks import list_models
from girlib.results import provenance, results_folder
from girlib.tasks import list_tasks

ONE = """
import json, sys, torch
from dataclasses import asdict
from girlib.recipes import recipe
from girlib.training import measure
torch.set_num_threads(1)
network, task, scale = sys.argv[1:]
made = recipe(network, task, int(scale) if scale else None)
cost = measure(made, "cpu")
print(json.dumps({**{name: getattr(made, name) for name in ("network", "task", "scale", "options", "batch", "patch")},
                  "seconds": round(cost.seconds, 4), "memory": round(cost.memory, 2)}))
"""


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
    for pair in given.pairs or every:
        network, task, scale = (pair.split(":") + [""])[:3]
        found = subprocess.run([sys.executable, "-c", ONE, network, task, scale], stdout=subprocess.PIPE, text=True, check=True)
        line = json.dumps({**json.loads(found.stdout), "cpu": processor(), "threads": 1, **provenance()}, sort_keys=True)
        print(line, flush=True)
        if given.keep:
            with open(results_folder() / "training_costs.jsonl", "a") as file:
                file.write(line + "\n")


if __name__ == "__main__":
    main()
