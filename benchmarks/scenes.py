"""Times procedural scenes: pairs of colour and depth a second for each kind, and where the time goes.

    python benchmarks/scenes.py [--size PIXELS] [--scenes N] [--processes N]

Each process computes on one thread; by default there are as many as cores. The rate by the clock suffers from whatever else runs;
the rate by processor time is that of a machine with nothing else to do. The steps are medians of processor time: `bodies + rays` puts the
scene together and finds what the camera sees, `light` casts the shadow, `texture` looks materials up, `edges` repeats the three for two
more rays in each pixel that shows an edge, `mix` makes colours of spectra.
"""

import argparse
import multiprocessing
import os
import statistics
import time

KINDS = ("indoor", "outdoor", "overhead")


def pair(kind, seed, size):
    from girlib.scenes import make_scene
    scene = make_scene(kind, seed, size)
    return scene.color, scene.depth


def many(arguments):
    """Pairs a second of one process, by the clock and by processor time."""
    import torch
    torch.set_num_threads(1)
    kind, seeds, size = arguments
    pair(kind, 0, size)                                                      # warm up
    start, used = time.perf_counter(), time.process_time()
    for seed in seeds:
        pair(kind, seed, size)
    return len(seeds) / (time.perf_counter() - start), len(seeds) / (time.process_time() - used)


def shares(kind, size, count):
    """Milliseconds of each step, median over seeds."""
    import torch

    from girlib.scenes import make_scene
    torch.set_num_threads(1)
    table = []
    for seed in range(1, count + 1):
        marks = [time.process_time()]
        mark = lambda marks=marks: marks.append(time.process_time())
        scene = make_scene(kind, seed, size); mark()
        _ = scene.points.sun; mark()
        _ = scene.points.material; mark()
        _ = scene.edges[1].sun, scene.edges[1].material; mark()
        _ = scene.color; mark()
        table.append([1000 * (b - a) for a, b in zip(marks[:-1], marks[1:], strict=True)])
    names = ("bodies + rays", "light", "texture", "edges", "mix")
    return {name: statistics.median(column) for name, column in zip(names, zip(*table, strict=True), strict=True)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--scenes", type=int, default=20, help="that each process makes (default: 20)")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    print(f"{options.size} x {options.size} pairs, {options.processes} processes of one thread, load {os.getloadavg()[0]:.1f}")
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for kind in KINDS:
            seeds = [range(1 + i * options.scenes, 1 + (i + 1) * options.scenes) for i in range(options.processes)]
            rates = pool.map(many, [(kind, s, options.size) for s in seeds], chunksize=1)
            clock, processor = (sum(column) for column in zip(*rates, strict=True))
            steps = "  ".join(f"{name} {value:.0f}" for name, value in shares(kind, options.size, 8).items())
            print(f"{kind:10}{clock:6.1f} pairs/s by the clock, {processor:.1f} by processor time;  ms: {steps}", flush=True)


if __name__ == "__main__":
    main()
