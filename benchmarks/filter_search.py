"""Looks for the parameters of the guided filter (GF) and of joint bilateral upsampling (JBU) in the papers' depth tables.

    GIRLIB_DATA=... OMP_NUM_THREADS=1 python benchmarks/filter_search.py [--minutes 20] [--report]

No paper prints them. So every setting of a grid is scored on Middlebury, Lu and NYU at x4, x8, x16, on inputs made in three ways
at once: `sfigf` (bicubic, 6 pixels cut), `dagf-nearest-uncut` (the last pixel of each block, nothing cut), and `centre` (the middle
pixel, nothing cut), which no paper states. A coarse grid comes first, then a finer one around the setting that comes closest to each
published row. The guide is grey (luma 0.299, 0.587, 0.114) or in colour, in [0, 1]; radii of GF count pixels, those of JBU and
its sigma_space pixels of the sensor.

Rows are added to results/searches/filters.csv as they are found, each with commit, hash of the data, date and seconds of CPU time;
what stands there is not computed again. At the end, or with --report at once: the best setting for each way, the setting that comes
closest to the published row, and how close. --minutes is CPU time of one core, earlier runs included; what it left out is said.
"""

import argparse
import csv
import time
from functools import lru_cache, partial
from pathlib import Path

import torch

from girlib import filters
from girlib.datasets import open_dataset
from girlib.evaluation import evaluate
from girlib.metrics import measure
from girlib.published import numbers
from girlib.results import provenance
from girlib.tasks import get_task

FILE = Path(__file__).resolve().parents[1] / "results/searches/filters.csv"
TASK, SCALES, DATASETS = get_task("depth"), (4, 8, 16), ("middlebury", "lu", "nyu")
WAYS = {"sfigf": ("bicubic", 6), "dagf-nearest-uncut": ("nearest-bottomright", 0), "centre": ("nearest-center", 0)}
COLUMNS = ["method", "guide", "radius", "eps", "sigma_space", "sigma_range", "dataset", "scale", "images", *WAYS, "data", "commit", "date",
           "seconds"]
KEY = COLUMNS[:9]
LUMA = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
RADII, EPS = (1, 2, 4, 8, 16, 32), tuple(10.0**k for k in range(-6, 1))
RANGES = (0.01, 0.03, 0.1, 0.3, 1.0)
PRINTED = {"Middlebury": "middlebury", "Lu": "lu"}                      # NYU: 449 images there, 8 here, so not compared
ROWS = [("sfigf:1", "GF", "gf"), ("dagf:1", "GF", "gf"), ("dagf:1", "JBU", "jbu")]


# ------------------------------------------------------------------------------------------------------------ one setting

def guided_filters(targets, low, guide, radius, settings):
    """The guided filter with one radius and every eps: the windows' means are taken once."""
    centre = targets.mean((2, 3), keepdim=True)
    I = guide - guide.mean((2, 3), keepdim=True)
    P, planes, mean = targets - centre, I.split(1, dim=1), partial(filters.box_mean, radius=radius)
    moments = (mean(P), [mean(i) for i in planes], [mean(i * P) for i in planes],
               [[mean(i * j) for j in planes[:g + 1]] for g, i in enumerate(planes)])
    for setting in settings:
        a, b = filters._lines(*moments, float(setting["eps"]))
        yield sum((mean(slope) * i for slope, i in zip(a, planes, strict=True)), mean(b)) + centre


def bilaterals(targets, low, guide, radius, settings):
    for setting in settings:
        yield filters.joint_bilateral_upsample(low, guide, radius, float(setting["sigma_space"]), float(setting["sigma_range"]))


RUN = {"gf": guided_filters, "jbu": bilaterals}


@lru_cache(maxsize=len(DATASETS))
def inputs(dataset, scale):
    """[(targets (1, 3, H, W), low (1, 3, h, w), guide, reference)], the three ways of making the input as channels."""
    found = []
    for capture in captures(dataset):
        samples = [TASK.observe(capture, scale=scale, downsampling=how) for how, _ in WAYS.values()]
        found.append((torch.cat([s.target for s in samples], 1), torch.cat([s.low for s in samples], 1), samples[0].guide,
                      samples[0].reference))
    return found


@lru_cache
def captures(dataset):
    return list(open_dataset(dataset, split="test"))


def errors(restored, reference):
    """RMSE of each way."""
    H, W = reference.shape[-2:]
    return [(q - reference[0, 0])[cut:H - cut, cut:W - cut].double().square().mean().sqrt().item()
            for q, (_, cut) in zip(restored[0], WAYS.values(), strict=True)]


def score(method, guide, radius, settings, dataset, scale, every):
    """[mean RMSE of each way], one a setting, over every so-manieth image."""
    chosen = inputs(dataset, scale)[::every]
    sums = [[0.0] * len(WAYS) for _ in settings]
    for targets, low, color, reference in chosen:
        image = color if guide == "colour" else (color * LUMA).sum(1, keepdim=True)
        for total, restored in zip(sums, RUN[method](targets, low, image, radius, settings), strict=True):
            total[:] = [t + e for t, e in zip(total, errors(restored, reference), strict=True)]
    return [[total / len(chosen) for total in way] for way in sums]


def check():
    """What was made faster here equals the package, and the inputs are those of the baseline."""
    targets, low, guide, reference = inputs("lu", 16)[0]
    quick, = guided_filters(targets, low, guide, 4, [{"eps": 1e-3}])
    slow = filters.guided_filter(targets, guide, 4, 1e-3)
    assert (quick - slow).abs().max() < 1e-2, "of 255 grey levels"
    for value, target, (_, cut) in zip(errors(targets, reference), targets[0], WAYS.values(), strict=True):
        assert abs(value - measure("rmse", restored=target[None, None], reference=reference, border=cut)) < 1e-6


# ------------------------------------------------------------------------------------------------------------ the grid

def gf(radii, epsilons, guide):
    return [("gf", guide, radius, [{"eps": f"{eps:.6g}"} for eps in epsilons]) for radius in radii]


def coarse(row):
    """Whether a row is of the coarse grid, about which the finer ones lie."""
    tied = float(row["sigma_space"] or 0) == int(row["radius"]) / 2
    return (tied and float(row["sigma_range"]) in RANGES) if row["method"] == "jbu" else (int(row["radius"]) in RADII
                                                                                         and row["eps"] in [f"{eps:.6g}" for eps in EPS])


def around(near, guide):
    """A finer grid about a setting of GF."""
    radii = sorted({max(1, round(near["radius"] * k)) for k in (0.75, 1, 1.5)})
    return gf(radii, [near["eps"] * 10**k for k in (-0.5, -0.25, 0, 0.25, 0.5)], guide)


def jbu(radii, settings, guide):
    """The settings are sigma_space as a share of the radius, and sigma_range."""
    return [("jbu", guide, radius, [{"sigma_space": f"{radius * space:g}", "sigma_range": f"{r:.6g}"} for space, r in settings])
            for radius in radii]


def plan(rows):
    """Jobs (method, guide, radius, settings, dataset, scale, every so-manieth image), the most telling first."""
    both = lambda jobs, datasets=DATASETS[:2], every=1: [(*job, d, s, every) for s in SCALES for d in datasets for job in jobs]
    yield from both(gf(RADII, EPS, "grey"))
    yield from both(jbu((1, 2), [(0.5, r) for r in RANGES], "grey"), every=3)
    yield from both(gf(RADII[:-1], EPS[1:-1], "colour"), every=3)
    for table, row, method in ROWS:
        first = [found for found in rows() if coarse(found)]
        _, way, guide, near = nearest(first, table, row, method, whole=False)
        if method == "gf":
            yield from both(around(near, guide))
            other = "grey" if guide == "colour" else "colour"
            yield from both(around(closest(first, table, row, method, way, other, whole=False)["setting"], other))
        else:
            settings = [(space, near["sigma_range"] * k) for space in (0.5, 1) for k in (0.5, 0.7, 1, 1.4)]
            yield from both(jbu([near["radius"]], settings, guide))
    for table, row, method in ROWS:                                         # and NYU, as far as it is here
        guide, near = nearest(rows(), table, row, method)[2:]
        one = gf([near["radius"]], [near["eps"]], guide) if method == "gf" else jbu(
            [near["radius"]], [(near["sigma_space"] / near["radius"], near["sigma_range"])], guide)
        yield from both(one, ("nyu",))


def search(minutes):
    """Works the plan off until it is done or the time is used up; returns the jobs that were left out."""
    check()
    spent, begun, left = sum(float(row["seconds"]) for row in read()), time.process_time(), []
    known = {tuple(row[name] for name in KEY) for row in read()}
    hashes = {name: evaluate("bicubic", "depth", name, scale=4)[0].data for name in DATASETS}
    for job in plan(read):
        fresh = [setting for setting in job[3] if _key(job, setting) not in known]
        if fresh and spent + time.process_time() - begun > 60 * minutes:
            left.append(job)
        elif fresh:
            found = _rows((*job[:3], fresh, *job[4:]), hashes)
            add(found)
            known |= {tuple(row[name] for name in KEY) for row in found}
            method, guide, radius, _, dataset, scale, _ = job
            took = (spent + time.process_time() - begun) / 60
            print(f"{took:5.1f} of {minutes:g} min  {method} {guide} radius {radius} {dataset} x{scale}", flush=True)
    return left


def _key(job, setting):
    method, guide, radius, _, dataset, scale, every = job
    entry = {"method": method, "guide": guide, "radius": radius, "dataset": dataset, "scale": scale,
             "images": -(-len(captures(dataset)) // every), **setting}
    return tuple(str(entry.get(name, "")) for name in KEY)


def _rows(job, hashes):
    """What a group of settings scores, as rows of the file."""
    start, now = time.process_time(), provenance()
    scores = score(*job)
    each = (time.process_time() - start) / len(scores)
    rest = {"data": hashes[job[4]][:12], "commit": now["commit"], "date": now["date"], "seconds": f"{each:.2f}"}
    return [dict(zip(KEY, _key(job, setting), strict=True)) | {way: f"{v:.4f}" for way, v in zip(WAYS, values, strict=True)} | rest
            for setting, values in zip(job[3], scores, strict=True)]


def add(rows):
    FILE.parent.mkdir(parents=True, exist_ok=True)
    new = not FILE.exists()
    with open(FILE, "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(rows)


def read():
    """The rows so far; a last line that a kill left torn is cut off."""
    if not FILE.exists():
        return []
    whole = FILE.read_bytes()
    if not whole.endswith(b"\n"):
        FILE.write_bytes(whole[:whole.rfind(b"\n") + 1])
    with open(FILE, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ------------------------------------------------------------------------------------------------------------ what it says

def by_setting(rows, method, way, guide, whole=True):
    """{(radius, eps, sigma_space, sigma_range): {(dataset, scale): RMSE}} of the settings that have all six cells."""
    found, full = {}, {"middlebury": "30", "lu": "6"}
    for row in rows:
        if (row["method"], row["guide"]) == (method, guide) and row["dataset"] in full:
            if not whole or row["images"] == full[row["dataset"]]:
                cells = found.setdefault(tuple(row[name] for name in KEY[2:6]), {})
                cells.setdefault((row["dataset"], int(row["scale"])), float(row[way]))
    return {setting: cells for setting, cells in found.items() if len(cells) == 6}


def published(table, row):
    printed = numbers(table)
    return {(dataset, s): printed[row, f"{name} {s}x"].value for name, dataset in PRINTED.items() for s in SCALES}


def named(setting):
    radius, *others = setting
    return {"radius": int(radius), **{name: float(value) for name, value in zip(KEY[3:6], others, strict=True) if value}}


def closest(rows, table, row, method, way, guide, whole=True):
    """The one setting whose largest relative difference from the row's six cells is smallest."""
    wanted = published(table, row)
    settings = by_setting(rows, method, way, guide, whole)
    if not settings:
        return None
    gap = lambda cells: max(abs(cells[cell] / value - 1) for cell, value in wanted.items())
    setting = min(settings, key=lambda s: gap(settings[s]))
    return {"setting": named(setting), "gap": gap(settings[setting]), "cells": settings[setting]}


def nearest(rows, table, row, method, whole=True):
    """(gap, way, guide, setting) of the closest setting of all ways and both guides."""
    found = [(closest(rows, table, row, method, way, guide, whole), way, guide) for way in WAYS for guide in ("grey", "colour")]
    gap, way, guide, one = min((one["gap"], way, guide, one) for one, way, guide in found if one)
    return gap, way, guide, one["setting"]


def report(rows):
    show = lambda cells: "  ".join(f"{d} x{s} {cells[d, s]:.2f}" for d in PRINTED.values() for s in SCALES)
    for method in RUN:
        for way in WAYS:
            for guide in ("grey", "colour"):
                if settings := by_setting(rows, method, way, guide):
                    best = min(settings, key=lambda s: sum(settings[s].values()))
                    print(f"best {method}, {guide} guide, {way}: {named(best)}\n    {show(settings[best])}")
    for table, row, method in ROWS:
        print(f"\n{table} {row} as printed\n    {show(published(table, row))}")
        for way in WAYS:
            for guide in ("grey", "colour"):
                if found := closest(rows, table, row, method, way, guide):
                    print(f"closest, {guide} guide, {way}: {found['setting']}, within {found['gap']:.1%}\n    {show(found['cells'])}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--report", action="store_true", help="say what the rows so far tell, compute nothing")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    omitted = [] if asked.report else search(asked.minutes)
    report(read())
    if omitted:
        print(f"\nleft out for lack of time: {len(omitted)} groups, the first: {omitted[0][:3]} on {omitted[0][4]} x{omitted[0][5]}")
