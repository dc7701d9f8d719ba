"""Neighbourhood attention at SFIGF's shapes: time, peak memory and error of each backend beside gather and unfold.

    python benchmarks/attention.py [--shapes 8x4x256 4x8x256 ...] [--repeats 5] [--threads 1] [--compiled] [--device cpu]

A shape is heads x head width x side of the image; kernel 7, dilation 3, with bias. All methods run in turn, one call each a
round, so that whatever else the machine does falls on all of them; the median of the rounds counts. "time" is what the
process itself used on a CPU and the clock's on a GPU. Memory is what a call holds at its worst above what was held before, in
a process of its own.
"""

import argparse
import functools
import multiprocessing
import statistics
import time
import warnings

import torch
import torch.nn.functional as F

from girlib.attention import neighborhood_attention_2d

KERNEL, DILATION = 7, 3
SHAPES = ["8x4x256", "4x8x256", "8x8x128", "8x16x64", "8x32x32"]           # cross, self; cross attention of the coarser scales


def places(n):
    """Keys and places in the bias table for each pixel of one axis, (n, k); as in the book's chapter."""
    i, a = torch.arange(n)[:, None], torch.arange(KERNEL)
    group, place = i % DILATION, i // DILATION
    start = (place - KERNEL // 2).clamp(min=0).minimum((n - group + DILATION - 1) // DILATION - KERNEL)
    return (start + a) * DILATION + group, start + a - place + KERNEL - 1


def attend(query, keys, values, bias):
    """keys, values (N, heads, H, W, k k, d)."""
    (_, rows), (_, columns) = (places(n) for n in query.shape[2:4])
    logits = (keys @ query[..., None]).squeeze(-1) * query.shape[-1] ** -0.5
    logits = logits + bias[:, rows[:, None, :, None], columns[None, :, None, :]].flatten(-2)
    return (logits.softmax(-1)[..., None, :] @ values).squeeze(-2)


def gather(query, key, value, bias):
    """Copies every neighbour by an index."""
    (rows, _), (columns, _) = (places(n) for n in query.shape[2:4])
    at = rows[:, None, :, None], columns[None, :, None, :]
    return attend(query, *(x[:, :, at[0], at[1]].flatten(4, 5) for x in (key, value)), bias)


def unfold(query, key, value, bias):
    """Copies every window by F.unfold, then takes each pixel's window, pushed inwards at the border."""
    N, heads, H, W, d = query.shape
    reach = DILATION * (KERNEL // 2)
    (rows, _), (columns, _) = (places(n) for n in (H, W))
    y, x = rows[:, KERNEL // 2] - reach, columns[:, KERNEL // 2] - reach

    def windows(image):
        image = image.movedim(-1, 2).reshape(N * heads, d, H, W)
        windows = F.unfold(image, KERNEL, DILATION).view(N, heads, d, KERNEL ** 2, H - 2 * reach, W - 2 * reach)
        return windows[..., y[:, None], x].permute(0, 1, 4, 5, 3, 2)

    return attend(query, windows(key), windows(value), bias)


def make(shape, device):
    heads, d, side = (int(n) for n in shape.split("x"))
    torch.manual_seed(0)
    images = [torch.randn(1, heads, side, side, d, device=device) for _ in range(3)]
    table = torch.randn(heads, 2 * KERNEL - 1, 2 * KERNEL - 1, device=device)
    return [x.requires_grad_() for x in (*images, table)], torch.randn(1, heads, side, side, d, device=device)


def methods(compiled, device):
    backends = ["torch"] + ["compiled"] * compiled + ["natten"] * (device != "cpu")
    ours = {name: functools.partial(ours_as, name) for name in backends}
    return ours | ({"gather": gather, "unfold": unfold} if device == "cpu" else {})


def ours_as(backend, query, key, value, bias):
    return neighborhood_attention_2d(query, key, value, KERNEL, DILATION, bias, backend=backend)


def forward(method, inputs, direction):
    with torch.no_grad():
        return method(*inputs)


def forward_backward(method, inputs, direction):
    return torch.autograd.grad(method(*inputs), inputs, direction)


def clock(device):
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def peak(shape, name, call, device, threads):
    """Megabytes that a call takes above what the process held before it; measured in a fresh process."""
    torch.set_num_threads(threads)
    inputs, direction = make(shape, device)
    method = methods(name == "compiled", device)[name]
    if name != "compiled":
        forward_backward(method, *make("1x1x24", device))                   # so that libraries are loaded
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call(method, inputs, direction)
        return (torch.cuda.max_memory_allocated() - before) / 2 ** 20
    before = resident("VmRSS")
    call(method, inputs, direction)
    return resident("VmHWM") - before


def resident(entry):
    """Megabytes of memory as Linux counts them; getrusage would count what the parent process once held, too."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(entry)) / 2 ** 10


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", default=SHAPES)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compiled", action="store_true", help="also torch.compile, which takes minutes at first")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore", DeprecationWarning)
    print(f"torch {torch.__version__}, {options.device}, {options.threads} thread(s), float32, kernel {KERNEL}, dilation {DILATION}, bias; "
          f"median of {options.repeats} interleaved rounds")
    print("| shape | method | forward ms | times gather | forward+backward ms | times gather | peak MB | peak MB f+b | error |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for shape in options.shapes:
        report(shape, options)


def report(shape, options):
    inputs, direction = make(shape, options.device)
    exact = neighborhood_attention_2d(*(x.double() for x in inputs[:3]), KERNEL, DILATION, inputs[3].double(), backend="reference")
    chosen = methods(options.compiled, options.device)
    calls = forward, forward_backward
    errors = {name: (forward(method, inputs, direction) - exact).abs().max().item() for name, method in chosen.items()}      # warms up
    times = {(name, call): [] for name in chosen for call in calls}
    for method in chosen.values():
        forward_backward(method, inputs, direction)
    for _ in range(options.repeats):
        for name, method in chosen.items():
            for call in calls:
                start = clock(options.device)
                call(method, inputs, direction)
                times[name, call].append(clock(options.device) - start)
    median = {key: statistics.median(values) for key, values in times.items()}
    for name in chosen:
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as fresh:
            held = [fresh.apply(peak, (shape, name, call, options.device, options.threads)) for call in calls]
        cells = []
        for call in calls:
            speed = f"{median['gather', call] / median[name, call]:.1f}" if "gather" in chosen else "-"
            cells += [f"{1000 * median[name, call]:.1f}", speed]
        print(f"| {shape} | {name} | {' | '.join(cells)} | {' | '.join(f'{x:.0f}' for x in held)} | {errors[name]:.1e} |", flush=True)


if __name__ == "__main__":
    main()
