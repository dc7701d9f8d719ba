"""Prints the statistics of our scenes' depth beside those of Middlebury and NYU, with distances.

    GIRLIB_DATA=... python benchmarks/depth_statistics.py [--scenes N]

Real images are shown as they are and at our size (depth: nearest pixel; grey: averages), because many statistics count pixels. Middlebury's
depth is a disparity of some 150 grey levels, so ours is brought to the same form for that comparison. The distance is the difference
of the means over the standard deviation among the real images; without data only our columns are printed.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import torch

from girlib.scenes import depth_statistics, make_scene

SIZE = 256
LUMINANCE = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)


def ours(kind, count, disparity=False):
    for seed in range(count):
        scene = make_scene(kind, seed, SIZE)
        grey = (scene.color.clamp_min(1e-6) ** (1 / 2.2) * LUMINANCE).sum(1)[0]
        depth = scene.depth[0, 0]
        if disparity:
            depth = 1 / depth
            depth = ((depth - depth.min()) / (depth.max() - depth.min()) * 154).round()
        yield depth, grey


def middlebury(root):
    from PIL import Image
    for i in range(1, 31):
        depth = Image.open(root / f"middlebury/Depth/Middlebury_{i:02d}_output_depth.png")
        color = Image.open(root / f"middlebury/RGB/Middlebury_{i:02d}_output_color.png")
        yield tensor(depth), tensor(color.convert("L")) / 255


def nyu(root):
    import h5py
    from PIL import Image
    with h5py.File(root / "nyu_v2/depth.h5") as file:
        for depth, index in zip(file["depth"][:], file["index"][:], strict=True):
            color = Image.open(root / f"nyu_v2/RGB/{index}.jpg")
            yield tensor(depth)[12:-12, 12:-12], tensor(color.convert("L"))[12:-12, 12:-12] / 255      # without the white frame


def tensor(image):
    return torch.from_numpy(np.array(image, dtype=np.float64))


def small(pairs):
    """The middle square at our size."""
    for depth, grey in pairs:
        side = min(depth.shape)
        top, left = (depth.shape[0] - side) // 2, (depth.shape[1] - side) // 2
        depth, grey = (x[top:top + side, left:left + side][None, None] for x in (depth, grey))
        yield (torch.nn.functional.interpolate(depth, SIZE, mode="nearest-exact")[0, 0],
               torch.nn.functional.interpolate(grey, SIZE, mode="bilinear", antialias=True)[0, 0])


def column(pairs):
    rows = [depth_statistics(*pair) for pair in pairs]
    return {name: (np.mean(values), np.std(values)) for name in rows[0] for values in [[row[name] for row in rows]]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=64, help="of each kind (default: 64)")
    count = parser.parse_args().scenes
    root = Path(os.environ["GIRLIB_DATA"]) if "GIRLIB_DATA" in os.environ else None
    columns = {"indoor": column(ours("indoor", count)), "outdoor": column(ours("outdoor", count)),
               "disparity": column(ours("indoor", count, disparity=True))}
    if root:
        columns |= {"NYU": column(nyu(root)), "NYU 256": column(small(nyu(root))),
                    "Middlebury": column(middlebury(root)), "Midd. 256": column(small(middlebury(root)))}
    print(f"{count} scenes of each kind at {SIZE} x {SIZE}; disparity: indoor scenes, one over the depth, in 155 levels")
    print(f"{'':32}" + "".join(f"{name:>12}" for name in columns) + (f"{'| indoor-NYU':>16}{'disp.-Midd.':>12}" if root else ""))
    gaps = []
    for name in columns["indoor"]:
        line = f"{name:32}" + "".join(f"{values[name][0]:12.4f}" for values in columns.values())
        if root:
            gaps.append([abs(columns[a][name][0] - columns[b][name][0]) / columns[b][name][1]
                         for a, b in (("indoor", "NYU 256"), ("disparity", "Midd. 256"))])
            line += f"{gaps[-1][0]:16.1f}{gaps[-1][1]:12.1f}"
        print(line)
    if root:
        print(f"{'median distance':32}{'':{12 * len(columns)}}{np.median(gaps, 0)[0]:16.1f}{np.median(gaps, 0)[1]:12.1f}")


if __name__ == "__main__":
    main()
