"""Weights that were trained on procedural scenes alone, on real images, beside bicubic, a guided filter and released weights.

    GIRLIB_DATA=FOLDER python benchmarks/procedural.py [--task depth] [--limit N] [--keep] [--runs FOLDER ...]

A line a row: the score, and for depth the gap to the aim in per cent: SFIGF's printed 1.01, 1.74 and 3.38 on Middlebury, DCTNet's released
weights on NYU. `girlib evaluate` does the work; with --keep its records are added to results/records. --runs scores the checkpoints of
trainings instead (folders of `girlib train` with copies w000.pt, w001.pt, ...) on a few images of Middlebury and prints them as CSV, as
they stand in results/searches/training.csv.
"""

import argparse
import csv
import json
import sys
from pathlib import Path

import torch

from girlib import create_model, evaluate
from girlib.errors import GirlibError
from girlib.recipes import Recipe
from girlib.results import append, records_folder
from girlib.weights import list_weights

AIM = {("middlebury", 4): 1.01, ("middlebury", 8): 1.74, ("middlebury", 16): 3.38}      # SFIGF, Table 1
PLAIN = {"depth": ("bicubic", "gf"), "pansharpening": ("exp",), "multifocus": ("average",)}
RELEASED = {"depth": ("dctnet",), "pansharpening": ("pannet", "sfigf"), "multifocus": ("sfigf",)}
DATASETS = {"depth": ("middlebury", "lu", "nyu"), "pansharpening": ("worldview3",), "multifocus": ("lytro",)}
SOME = ("01", "08", "15", "22")                     # of Middlebury, for curves
COLUMNS = "run", "network", "trained for", "scenes", "cpu seconds", "scale", "images", "bicubic", "rmse"


def rows(task):
    """(method, weights) of every row of a task's table."""
    return [*((name, None) for name in PLAIN[task]), *((one.network, "girlib") for one in list_weights(task=task)),
            *((name, "official") for name in RELEASED[task])]


def show(task, limit, keep):
    for dataset in DATASETS[task]:
        for scale in (4, 8, 16) if task == "depth" else (None,):
            found = {}
            for method, weights in rows(task):
                try:
                    records = evaluate(method, task, dataset, scale=scale, weights=weights, limit=limit,
                                       protocol="all" if dataset == "lytro" else ["sfigf", "dctnet"] if dataset == "middlebury" else None)
                except GirlibError as error:
                    print(f"left out: {error}")
                    continue
                if keep:
                    append(records, records_folder(True) / f"{task}.jsonl")
                found[method, weights] = records
            aim = AIM.get((dataset, scale)) or next((of[0].value for (_, weights), of in found.items() if weights == "official"), None)
            for (method, weights), records in found.items():
                scores = "  ".join(f"{r.protocol['name']} {r.metric} {r.value:.4f}" for r in records)
                gap = f"  {100 * (records[0].value / aim - 1):+.0f} % of {aim:.2f}" if task == "depth" and aim else ""
                at, count = f"x{scale}" if scale else "", len(records[0].images)
                print(f"{dataset:10} {at:4} {method:8} {weights or '':8} {count:2}  {scores}{gap}", flush=True)


def curves(folders):
    """Scores of copies that a training left behind, at all scales that it was for."""
    from girlib.datasets import open_dataset

    data = open_dataset("middlebury", split="test")
    chosen = [data[data.names.index(name)] for name in SOME]
    lines = csv.writer(sys.stdout)
    lines.writerow(COLUMNS)
    for folder in map(Path, folders):
        made = Recipe(**json.loads((folder / "recipe.json").read_text()))
        network = create_model(made.network, made.task, **made.options)
        scales = made.scenes.get("scales") or [made.scale]
        spent = {line["n"]: line["cpu"] for line in map(json.loads, (folder / "cpu.jsonl").read_text().splitlines())}
        plain = {scale: score("bicubic", chosen, scale) for scale in scales}
        for copy in sorted(folder.glob("w*.pt")):
            network.load_state_dict({name: x.float() for name, x in torch.load(copy, weights_only=True).items()})
            for scale in scales:
                told = {name: value for name, value in made.scenes.items() if name not in ("scales", "size", "patches", "pool")}
                lines.writerow([folder.name, made.network, " ".join(map(str, scales)), json.dumps(told), round(spent[int(copy.stem[1:])]),
                                scale, len(chosen), round(plain[scale], 4), round(score(network, chosen, scale), 4)])
                sys.stdout.flush()


def score(method, captures, scale):
    from girlib.methods import find_method
    from girlib.metrics import measure
    from girlib.tasks import get_task

    restore, values = find_method(method, "depth", scale=scale), []
    for capture in captures:
        sample = get_task("depth").observe(capture, scale=scale)
        values.append(measure("rmse", restored=restore(sample), reference=sample.reference, border=6))
    return sum(values) / len(values)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=list(PLAIN), default="depth")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--runs", nargs="*")
    given = parser.parse_args()
    torch.set_num_threads(1)
    curves(given.runs) if given.runs else show(given.task, given.limit, given.keep)
