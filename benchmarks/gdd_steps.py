"""How good GDD and what it is compared with are after so many steps, on one procedural scene: the curves of its Fig. 4.

    python benchmarks/gdd_steps.py [--steps 1000] [--size 64] [--width 16] [--seed 0] [--keep]

DD, DIP(Z), DIP(G) and GDD minimise the same loss; the reference is used to look, never to fit. A record a form and step, in
`_build/records/gdd_steps.jsonl`, with --keep in `results/records/gdd_steps.jsonl`.
"""

import argparse
import time

from girlib.metrics import METRICS, measure
from girlib.networks import create_model
from girlib.results import Record, append, provenance, records_folder
from girlib.tasks import get_task

FORMS = "deep_decoder", "dip_noise", "dip_guide", "gdd"
SENSOR = {"reduce": "bicubic-matlab", "enlarge": "bicubic-matlab"}        # as the paper's own scenes were made
SCORES = ("psnr", {"data_range": 1.0}), ("sam", {}), ("ergas", {"ratio": 4.0})


def due(steps):
    """1, 2, 5, 10, 20, 50, then each fiftieth step, counted from 1."""
    return sorted({1, 2, 5, 10, 20, *range(50, steps + 1, 50), steps})


def curve(form, steps, size, width, seed):
    """Records of one form."""
    sample = get_task("pansharpening").sample(seed, size, **SENSOR)
    network, begun, records = create_model("gdd", "pansharpening", form=form, width=width), time.perf_counter(), []

    def progress(step, loss, X):
        if step + 1 in due(steps):
            for name, given in SCORES:
                value = measure(name, restored=X, reference=sample.reference, **given)
                records.append(Record(
                    method="gdd", task="pansharpening", dataset="procedural", scale=None, metric=name, value=value,
                    unit=METRICS[name].unit, direction=METRICS[name].direction, images={f"scene {seed}": value},
                    protocol={"name": "gdd_steps", "source": "GDD, Fig. 4, on a procedural scene", "sensor": SENSOR, "metric": given,
                              "size": size}, options={"form": form, "width": width, "steps": step + 1}, seed=seed,
                    seconds=time.perf_counter() - begun, **provenance()))

    network.optimise(sample, steps, seed, progress)
    return records


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("steps", 1000), ("size", 64), ("width", 16), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--keep", action="store_true", help="append to results/records")
    options = parser.parse_args()
    for form in FORMS:
        records = curve(form, options.steps, options.size, options.width, options.seed)
        append(records, records_folder(options.keep) / "gdd_steps.jsonl")
        last = {record.metric: record.value for record in records[-3:]}
        print(f"{form:<13} {records[-1].seconds:6.0f} s  " + "  ".join(f"{name} {value:.2f}" for name, value in last.items()), flush=True)


if __name__ == "__main__":
    main()
