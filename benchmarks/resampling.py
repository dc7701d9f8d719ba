"""The tabulated errors of 19 ways of reducing and enlarging real depth maps, computed again: the largest difference of each.

    GIRLIB_DATA=FOLDER python benchmarks/resampling.py

The table (baselines.csv below GIRLIB_DATA) was made with Pillow, OpenCV and torch; it has six digits, so 5e-7 is rounding.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from depth_variants import VARIANTS, largest_difference  # noqa: E402 - they belong to the tests


def main():
    cases = [(dataset, scale) for dataset in ("Middlebury", "Lu", "NYU8") for scale in (4, 8, 16)]
    results = {case: largest_difference(*case) for case in cases}
    print("variant", *(f"{dataset + f' x{scale}':>14}" for dataset, scale in cases))
    for variant in VARIANTS:
        cells = [results[case].get(variant) for case in cases]
        print(f"{variant:<7}", *(f"{'-':>14}" if cell is None else f"{cell:14.1e}" for cell in cells))
    print(f"largest: {max(max(result.values()) for result in results.values()):.1e}")


if __name__ == "__main__":
    main()
