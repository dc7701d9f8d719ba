"""How long the networks of a task take for one image, and how much they compute: the horizontal axis of DAGF's Fig. 16.

    python benchmarks/runtime.py [dagf fgf ...] [--task depth] [--scale 16] [--size 480x640] [--repeats 3] [--threads 1]
                                 [--device cpu] [--keep]

Weights are random: they decide what a network finds, not how long it takes. All networks run in turn, one call each a round, so
that whatever else the machine does falls on all of them; the median of the rounds counts. "seconds" is what the process itself
used on a CPU and the clock's on a GPU; "flops" are those of convolutions and products of matrices, a multiply-add counted as two.
Of DAGF's outputs, coarse to fine, each has the time that passed when its level was done. One record a network and number, in
`_build/records/runtime.jsonl`, or with --keep in `results/records`.
"""

import argparse
import statistics
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from girlib import create_model, get_task, list_models, predict
from girlib.networks import summary
from girlib.notebook import find_device
from girlib.results import Record, append, provenance, records_folder

UNITS = {"seconds": "s", "flops": "1", "parameters": "1"}


def clock(device):
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize(device)
    return time.perf_counter()


def timed(network, sample, device):
    """Seconds of a call; of a network with levels also those until each of them was done."""
    reached = []
    levels = network.levels if isinstance(getattr(network, "levels", None), torch.nn.ModuleList) else []
    hooks = [level.register_forward_hook(lambda *_: reached.append(clock(device))) for level in levels]
    begun = clock(device)
    predict(network, sample)
    seconds = clock(device) - begun
    for hook in hooks:
        hook.remove()
    return [seconds, *(moment - begun for moment in reached)]


def flops(network, sample):
    with FlopCounterMode(display=False) as counter:
        predict(network, sample)
    return counter.get_total_flops()


def records(task, names, scale, size, repeats, device):
    sample = get_task(task).sample(seed=0, size=size, scale=scale).to(device)
    networks = {name: create_model(name, task).to(device).eval() for name in names}
    computed = {name: flops(network, sample) for name, network in networks.items()}             # warms up too
    rounds = [{name: timed(network, sample, device) for name, network in networks.items()} for _ in range(repeats)]
    metric = {"size": "x".join(map(str, size)), "threads": torch.get_num_threads() if device.type == "cpu" else None}
    same = dict(task=task, dataset="procedural", scale=scale, direction="lower", device=_machine(device), **provenance(),
                protocol={"name": "runtime", "source": "benchmarks/runtime.py", "sensor": {}, "metric": metric})
    found = []
    for name, network in networks.items():
        numbers = {"flops": computed[name], "parameters": summary(network).total}
        found += [Record(method=name, metric=key, value=value, unit=UNITS[key], images={sample.meta["name"]: value}, **same)
                  for key, value in numbers.items()]
        for place, seconds in enumerate(zip(*(one[name] for one in rounds), strict=True)):
            found.append(Record(method=name, metric="seconds", value=statistics.median(seconds), unit="s",
                                images={f"round {i}": value for i, value in enumerate(seconds)},
                                options={"output": place - 1} if place else {}, **same))
    return found


def _machine(device):
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help="names; all of the task if none is given")
    parser.add_argument("--task", default="depth")
    parser.add_argument("--scale", type=int, default=16)
    parser.add_argument("--size", default="480x640")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    names = given.networks or list_models(given.task)
    found = records(given.task, names, given.scale, tuple(map(int, given.size.split("x"))), given.repeats, find_device(given.device))
    append(found, records_folder(given.keep) / "runtime.jsonl")
    for record in found:
        print(f"{record.method:<8} {record.metric:<11} {record.value:>18,.3f} {record.options or ''}")


if __name__ == "__main__":
    main()
