"""How far the guided filter is from least squares in every window: the largest error of each case, printed as a table.

    python benchmarks/filter_accuracy.py

The oracle (tests/oracles.py) solves one least-squares problem a window, in float64, borders included. float32 at
2048 x 2048 is compared with our float64, which the table above it has just compared with the oracle. OpenCV is compared
inside and at the border, where it reflects the image instead of cutting the window.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import oracles  # noqa: E402 - the oracle belongs to the tests

from girlib.filters import guided_filter  # noqa: E402

CASES = {       # name: target channels, guide channels, height, width, radius
    "grey guide": (1, 1, 24, 31, 3), "colour guide": (1, 3, 24, 31, 3), "five channels": (1, 5, 20, 23, 4),
    "three target channels": (3, 3, 24, 31, 3), "radius beyond the image": (1, 3, 9, 12, 20), "one row": (1, 1, 1, 31, 3),
}


def images(C, G, H, W, dtype=torch.float64):
    random = torch.Generator().manual_seed(0)
    return torch.rand(1, C, H, W, generator=random, dtype=dtype), torch.rand(1, G, H, W, generator=random, dtype=dtype)


def largest(difference):
    return float(difference.abs().max())


def main():
    print(f"{'float64 against least squares':<34} {'everywhere':>12} {'border 2r':>12}")
    for name, (C, G, H, W, radius) in CASES.items():
        P, I = images(C, G, H, W)
        exact = torch.as_tensor(oracles.guided_filter(P[0].numpy(), I[0].numpy(), radius, 1e-3))
        error = (guided_filter(P, I, radius, 1e-3)[0] - exact).abs()
        frame = error.clone()
        frame[:, 2 * radius:H - 2 * radius, 2 * radius:W - 2 * radius] = 0
        print(f"{name:<34} {largest(error):12.1e} {largest(frame):12.1e}")
    print(f"\n{'float32 against float64, 2048 x 2048':<34} {'everywhere':>12}")
    for name, G in (("grey guide", 1), ("colour guide", 3)):
        P, I = images(1, G, 2048, 2048)
        for radius in (4, 32):
            error = guided_filter(P.float(), I.float(), radius, 1e-3).double() - guided_filter(P, I, radius, 1e-3)
            print(f"{name + f', r = {radius}':<34} {largest(error):12.1e}")
    print(f"\n{'float32 against OpenCV, 480 x 640':<34} {'inside':>12} {'border 2r':>12}")
    for name, G in (("grey guide", 1), ("colour guide", 3)):
        P, I = images(1, G, 480, 640, torch.float32)
        for radius in (4, 8):
            theirs = cv2.ximgproc.guidedFilter(np.ascontiguousarray(I[0].permute(1, 2, 0).numpy()), P[0, 0].numpy(), radius, 1e-2)
            error = (guided_filter(P, I, radius, 1e-2)[0, 0] - torch.as_tensor(theirs)).abs()
            inner = error[2 * radius:-2 * radius, 2 * radius:-2 * radius]
            print(f"{name + f', r = {radius}':<34} {largest(inner):12.1e} {largest(error):12.1e}")


if __name__ == "__main__":
    main()
