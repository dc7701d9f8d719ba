"""Times the guided filter beside OpenCV's and kornia's: one process, one round after the other, the same threads for all.

    python benchmarks/filters.py [--threads N] [--seconds S] [--keep]

Every round calls each library once, so that whatever else the machine does falls on all alike. Peak memory is that of a
process of its own: what one call adds to inputs and loaded libraries, its result included. A record for every cell of the
table goes to _build/records/filters.jsonl, with --keep to results/records/filters.jsonl.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = {"girlib": "torch", "opencv": "opencv-contrib-python-headless", "kornia": "kornia"}     # and what it rests on
SIZES, GUIDES, RADII = ((480, 640), (2048, 2048)), (1, 3), (4, 8, 32)
NO_REUSE = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}   # glibc: no plane lives in what loading has left over
EPS = 1e-2      # below that, OpenCV takes a colour window whose determinant is under 1e-6 for flat: another filter


def images(height, width, channels):
    """Target and guide (H, W), (H, W, G) in [0, 1], float32: shading, edges and noise, as a photograph has them."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width] / height
    guide = 0.3 + 0.3 * x[..., None] * y[..., None] + 0.3 * (np.sin(9 * x + 7 * y)[..., None] > random.random(channels))
    target = guide.mean(axis=2) + 0.1 * random.standard_normal((height, width))
    return target.astype(np.float32), (guide + 0.02 * random.standard_normal(guide.shape)).astype(np.float32)


def prepare(library, target, guide, radius, threads):
    """A function without arguments that filters once and returns the result (H, W) as an array."""
    if library == "opencv":
        import cv2
        cv2.setNumThreads(threads)
        guide = np.ascontiguousarray(guide.squeeze())
        return lambda: cv2.ximgproc.guidedFilter(guide, target, radius, EPS)

    import torch
    torch.set_num_threads(threads)
    P, I = torch.from_numpy(target)[None, None], torch.from_numpy(guide).permute(2, 0, 1)[None].contiguous()
    if library == "kornia":
        from kornia.filters import guided_blur
        return lambda: guided_blur(I, P, 2 * radius + 1, EPS)[0, 0].numpy()

    from girlib.filters import guided_filter
    return lambda: guided_filter(P, I, radius, EPS)[0, 0].numpy()


def measure_memory(library, height, width, channels, radius, threads):
    """Bytes that one call adds; to be run in a process of its own."""
    prepare(library, *images(40, 40, channels), 1, threads)()                     # loads the library and starts its threads
    call = prepare(library, *images(height, width, channels), radius, threads)
    Path("/proc/self/clear_refs").write_text("5")                                 # Linux: forget the peak of loading
    before = resident("VmRSS")
    call()
    return 1024 * (resident("VmHWM") - before)


def resident(field):
    """Kilobytes of this process in memory: VmRSS now, VmHWM at most since the peak was forgotten."""
    return int(re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())[1])


def measure_times(height, width, channels, radius, threads, seconds):
    """Milliseconds of every call by library: at least three rounds each, at most 25, and none begun after `seconds`."""
    target, guide = images(height, width, channels)
    calls = {library: prepare(library, target, guide, radius, threads) for library in LIBRARIES}
    inside = (slice(2 * radius, -2 * radius),) * 2                                # the others reflect at the border
    results = {library: call()[inside] for library, call in calls.items()}        # and warm up
    for library, result in results.items():
        difference = np.abs(result - results["girlib"]).max()
        if difference > 1e-3:
            raise SystemExit(f"{library} computes something else: {difference:.2g} away inside the border")

    times = {library: [] for library in LIBRARIES}
    while waiting := [name for name, t in times.items() if len(t) < 3 or (len(t) < 25 and sum(t) < 1000 * seconds)]:
        for library in waiting:
            start = time.perf_counter()
            calls[library]()
            times[library].append(1000 * (time.perf_counter() - start))
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for every library (default: all cores)")
    parser.add_argument("--seconds", type=float, default=3, help="after which a library begins no further round in a cell")
    parser.add_argument("--keep", action="store_true", help="append the records to results/records")
    parser.add_argument("--memory", nargs=5, metavar=("LIBRARY", "HEIGHT", "WIDTH", "CHANNELS", "RADIUS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        print(measure_memory(options.memory[0], *map(int, options.memory[1:]), options.threads))
        return

    path = ROOT / ("results" if options.keep else "_build") / "records" / "filters.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    common = {"benchmark": "filters", "eps": EPS, "threads": options.threads, "device": "cpu", "processor": processor(),
              "commit": commit, "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
              "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES.values()}}}

    print(f"guided filter, {options.threads} threads: median milliseconds [middle half of the rounds], speed (OpenCV's time over "
          "this time), peak memory in MB")
    print(f"{'image':<10}{'guide':<8}{'r':>3}" + "".join(f"{library:^36}" for library in LIBRARIES))
    for (height, width), channels, radius in ((s, g, r) for s in SIZES for g in GUIDES for r in RADII):
        times = measure_times(height, width, channels, radius, options.threads, options.seconds)
        line = f"{f'{width}x{height}':<10}{'grey' if channels == 1 else 'colour':<8}{radius:>3}"
        for library, t in times.items():
            arguments = [library, *map(str, (height, width, channels, radius))]
            peak = int(subprocess.run([sys.executable, __file__, "--threads", str(options.threads), "--memory", *arguments],
                                      env=NO_REUSE, capture_output=True, text=True, check=True).stdout)
            low, median, high = statistics.quantiles(t, n=4, method="inclusive")
            speed = statistics.median(times["opencv"]) / median
            line += f"{median:10.1f} [{low:.1f}, {high:.1f}]".ljust(24) + f"{speed:6.2f}{peak / 1e6:6.0f}"
            with path.open("a") as file:
                file.write(json.dumps({**common, "method": library, "height": height, "width": width, "guide_channels": channels,
                                       "radius": radius, "unit": "ms", "value": median, "quartiles": [low, high],
                                       "speed_over_opencv": speed, "peak_bytes": peak, "all": t}) + "\n")
        print(line, flush=True)
    print(f"records: {path.relative_to(ROOT)}")


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
