"""How good GDD and what it is compared with are after so many steps, on one procedural scene: the curves of its Fig. 4.

    python benchmarks/gdd_steps.py [--steps 1000] [--size 64] [--width 16] [--seed 0] [--keep]
    GIRLIB_DATA=... python benchmarks/gdd_steps.py --scene [--steps 201] [--seed 0] [--keep]

DD, DIP(Z), DIP(G) and GDD minimise the same loss; the reference is used to look, never to fit. A record a form and step, in
`_build/records/gdd_steps.jsonl`, with --keep in `results/records/gdd_steps.jsonl`.

--scene: GDD alone, as released, on 96 x 96 pixels of the scene that its authors released (rows 32 to 127, columns 64 to 159), whose
values at some steps are known from the authors' own program; in gdd_scene.jsonl beside, and printed beside what is known.
"""

import argparse
import time
from dataclasses import replace

from girlib.datasets import open_dataset
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


# of the released program on the crop: {updates: (PSNR, SAM, ERGAS)} of two seeds, which is how far two runs may lie apart
KNOWN = {10: ((19.62, 21.82, 15.21), (20.67, 21.11, 13.27)), 50: ((26.72, 8.30, 6.52), (26.63, 8.56, 6.61)),
         100: ((28.73, 6.98, 5.13), (28.72, 6.98, 5.15)), 200: ((31.19, 5.79, 3.88), (31.08, 5.49, 3.92))}


def released_scene():
    """The crop as a sample: what was recorded stays as it is."""
    (capture,) = open_dataset("pan_im4", split="reduced")
    cut = {"pan": 4, "reference": 4, "low": 1}                              # pixels for one of the sensor
    images = {name: capture.images[name][..., 8 * k:32 * k, 16 * k:40 * k] for name, k in cut.items()}
    return get_task("pansharpening").observe(replace(capture, name="rows 32-127, columns 64-159", images=images), **SENSOR)


def on_released_scene(steps, seed):
    """Records of GDD, prints them beside the known values."""
    sample, network, records, begun = released_scene(), create_model("gdd", "pansharpening"), [], time.perf_counter()

    def progress(step, loss, X):                                            # X comes from `step` updates
        if step in KNOWN or step == steps - 1:
            values = [measure(name, restored=X, reference=sample.reference, **given) for name, given in SCORES]
            records.extend(Record(
                method="gdd", task="pansharpening", dataset="pan_im4", scale=None, metric=name, value=value, unit=METRICS[name].unit,
                direction=METRICS[name].direction, images={sample.meta["name"]: value},
                protocol={"name": "gdd_scene", "source": "GDD, released program, on a crop of its scene", "sensor": SENSOR,
                          "metric": given},
                options={"steps": step + 1}, seed=seed, seconds=time.perf_counter() - begun, **provenance())
                for (name, given), value in zip(SCORES, values, strict=True))
            known = "  ".join(" / ".join(f"{x:.2f}" for x in run) for run in KNOWN.get(step, ()))
            print(f"seed {seed}, {step} updates: {' / '.join(f'{x:.2f}' for x in values)}  known: {known or 'nothing'}", flush=True)

    network.optimise(sample, steps, seed, progress)
    return records


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("steps", 1000), ("size", 64), ("width", 16), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--keep", action="store_true", help="append to results/records")
    parser.add_argument("--scene", action="store_true", help="GDD on a crop of its authors' scene, at the steps whose values are known")
    options = parser.parse_args()
    if options.scene:
        append(on_released_scene(options.steps, options.seed), records_folder(options.keep) / "gdd_scene.jsonl")
        return
    for form in FORMS:
        records = curve(form, options.steps, options.size, options.width, options.seed)
        append(records, records_folder(options.keep) / "gdd_steps.jsonl")
        last = {record.metric: record.value for record in records[-3:]}
        print(f"{form:<13} {records[-1].seconds:6.0f} s  " + "  ".join(f"{name} {value:.2f}" for name, value in last.items()), flush=True)


if __name__ == "__main__":
    main()
