"""python -m girlib.metrics [--real] [--keep]: every metric beside the values of GIRLIB_REFERENCE.

--real: on the images of GIRLIB_DATA too; --keep: write what was found to results/records/calibration.jsonl.
"""

import argparse
import os
import sys

from girlib.errors import GirlibError
from girlib.metrics.calibrate import calibration, lytro, pan_real, write_record
from girlib.results import records_folder


def main():
    parser = argparse.ArgumentParser(prog="python -m girlib.metrics", description=__doc__.splitlines()[0])
    parser.add_argument("--real", action="store_true", help="also real scenes, some minutes")
    parser.add_argument("--keep", action="store_true", help="write what was found to results/records")
    options = parser.parse_args()
    golden = os.path.join(_folder("GIRLIB_REFERENCE"), "golden")
    rows = calibration(golden)
    if options.real:
        data = _folder("GIRLIB_DATA")
        rows += pan_real(golden, data) + lytro(golden, data)
    print(f"{'metric':<12} {'variant':<60} {'expected':>16} {'ours':>16} {'difference':>11} {'tolerance':>10}")
    for row in rows:
        print(f"{row.metric:<12} {row.variant[:60]:<60} {row.expected:16.10f} {row.ours:16.10f} {row.difference:11.1e} "
              f"{row.tolerance:10.0e}" + ("" if row.good else f"  NOT within, {row.inputs}"))
    far = sum(not row.good for row in rows)
    print(f"{len(rows) - far} of {len(rows)} values within their tolerance")
    if options.keep:
        write_record(rows, path := records_folder(keep=True) / "calibration.jsonl")
        print(f"kept in {path}")
    return far > 0


def _folder(name):
    folder = os.environ.get(name)
    if not folder:
        raise GirlibError(f"metrics: {name} is not set; set it to the folder of {'references' if 'REF' in name else 'datasets'}.")
    return folder


if __name__ == "__main__":
    try:
        sys.exit(main())
    except GirlibError as error:
        sys.exit(str(error))
