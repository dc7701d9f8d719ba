"""Prints the statistics of our overhead scenes in eight bands beside those of three satellite images.

    GIRLIB_DATA=... python benchmarks/band_statistics.py [--scenes N]

Values are shares of the maximum. WorldView-3 and pan_im4 are references, WorldView-2 what its sensor gives; without data only our column
is printed.
"""

import argparse
import os

import numpy as np

from girlib.scenes import RESPONSES, make_scene
from girlib.scenes.statistics import spectrum_slope

SIZE = 256
BANDS = ("coastal", "blue", "green", "yellow", "red", "red edge", "NIR 1", "NIR 2")


def statistics(bands):
    """Of an image (8, H, W): {name: number}."""
    x = bands.flatten(1).double().numpy()
    mean, std = x.mean(1), x.std(1)
    skewness = ((x - mean[:, None]) ** 3).mean(1) / std**3
    alike = np.corrcoef(x)
    per_band = {f"{name}, {band}": value for name, values in (("mean", mean), ("std", std), ("skewness", skewness))
                for band, value in zip(BANDS, values, strict=True)}
    neighbours = {f"correlation, {one} - {two}": alike[i, i + 1] for i, (one, two) in enumerate(zip(BANDS[:-1], BANDS[1:], strict=True))}
    return per_band | neighbours | {
        "correlation, green - NIR 2": alike[2, 7], "1 % quantile": np.quantile(x, 0.01), "99 % quantile": np.quantile(x, 0.99),
        "share above 0.5": (x > 0.5).mean(), "spectrum slope": np.mean([spectrum_slope(band.double()) for band in bands])}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=24, help="default: 24")
    count = parser.parse_args().scenes
    rows = [statistics(make_scene("overhead", seed, SIZE).image(RESPONSES["worldview3"])[0]) for seed in range(count)]
    columns = {"ours": {name: np.mean([row[name] for row in rows]) for name in rows[0]}}
    if "GIRLIB_DATA" in os.environ:
        from girlib.datasets import open_dataset
        for name, split in (("worldview3", "reduced"), ("worldview2", "full"), ("pan_im4", "reduced")):
            images = open_dataset(name, split=split)[0].images
            columns[name] = statistics(images.get("reference", images["low"])[0])
    print(f"{count} overhead scenes at {SIZE} x {SIZE}")
    print(f"{'':32}" + "".join(f"{name:>12}" for name in columns))
    for name in rows[0]:
        print(f"{name:32}" + "".join(f"{values[name]:12.3f}" for values in columns.values()))


if __name__ == "__main__":
    main()
