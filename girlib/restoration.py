"""Restores an image of your own with the help of a second one of the same scene: arrays here, files in girlib.restoration_files.

Reads as   target and guide -> planes in the units of the task -> holes found and filled for the time being -> target enlarged to the
           guide's size -> method, tile by tile -> values back into the target's range -> holes put back -> the kind that came in
Units      depth keeps the target's own numbers; every other task works on numbers from 0 to 1 and returns the target's
Holes      NaN, infinity, the file's nodata value, and 0 in depth that isn't negative. They never reach a neighbour
Range      depth and saliency stay between the target's smallest and largest measurement; other images in what their type can hold
"""

import math
import time
import warnings
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from girlib.alignment import find_shift
from girlib.errors import GirlibError
from girlib.resampling import check_whole, upsample
from girlib.restoration_methods import apply, choose
from girlib.samples import Sample
from girlib.tasks import TASKS


@dataclass(frozen=True)
class Pair:
    """What a task expects of its two images; channels () means any number."""

    target: tuple = ()
    guide: tuple = ()
    enlarges: bool = False
    bounded: bool = False                                           # by the target's own smallest and largest value
    method: str = "gf"                                              # without weights of our own; where it enlarges: gf-back


PAIRS = {
    "depth": Pair((1,), (1, 3), enlarges=True, bounded=True),
    "saliency": Pair((1,), (1, 3), enlarges=True, bounded=True),
    "pansharpening": Pair((), (1,), enlarges=True),
    "hyperspectral": Pair((), (), enlarges=True),
    "flash": Pair((1, 3), (1, 3)),
    "multifocus": Pair((1, 3), (1, 3), method="average"),
    "multiexposure": Pair((1, 3), (1, 3), method="average"),
}
TILE = 512

@dataclass(frozen=True)
class Restored:
    """Planes (N, C, H, W) in the target's numbers, holes filled or put back; what they were before; and what was done."""

    planes: torch.Tensor
    before: torch.Tensor
    enlarged: tuple[float, float]
    did: str
    warnings: list[str]


def restore(target, guide, task="depth", scale=None, method=None, weights=None, *, fill=False, nodata=None, tile=TILE, device="cpu",
            progress=None, **options):
    """The target, improved by the guide: an array, tensor or PIL image of the same kind, type and unit, of the guide's size.

    target, guide   numpy (H, W), (H, W, C) or (C, H, W); torch (H, W), (C, H, W) or (N, C, H, W); PIL. Both cover the same area
    task            depth, saliency, pansharpening, hyperspectral, flash, multifocus or multiexposure
    scale           how many times larger the guide is; without it, the sizes say so. Of a target that was enlarged before: how
                    many times, which chooses among released weights
    method          a name of `girlib.methods.list_methods()`, a network (Module) or a function of a Sample; default: the
                    network whose weights come with girlib, where there are some for task, scale and channels and they scored better
                    than the guided filter with back-projection (gf-back), which restores else; without enlarging: the guided filter,
                    for the last two tasks the average
    weights         of a network: the path of a file, "official" or "girlib"
    fill            fill holes, instead of leaving them as they were
    nodata          the value that stands for no measurement, beside NaN; default 0 in depth that isn't negative. False: none
    tile            larger images are worked on in tiles of so many pixels; 0: the whole image at once
    options         of the method, e.g. radius=8, eps=1e-4
    """
    target, guide = Image(target, "target"), Image(guide, "guide")
    done = run(target, guide, task, scale, method, weights, fill=fill, nodata=nodata, tile=tile, device=device, progress=progress,
               options=options)
    for text in done.warnings:
        warnings.warn(text, stacklevel=2)
    return target.like(done.planes)


def run(target, guide, task, scale=None, method=None, weights=None, *, fill=False, nodata=None, tile=TILE, device="cpu", progress=None,
        options=None):
    """Everything between two Images and a Restored."""
    from girlib.notebook import find_device

    start, options = time.perf_counter(), options or {}
    pair = check_task(task)
    tile, device = check_whole("restore", "tile", tile, 0), find_device(str(device))
    if 0 < tile < 64:
        raise GirlibError(f"restore: tile is {tile}; expected 64 pixels or more, or 0 for the whole image at once.")
    scale, enlarged = check_pair(target, guide, pair, task, scale)
    classical = "gf-back" if enlarged != (1, 1) else pair.method
    if method is None and weights is None and options:
        method = classical                                          # radius and eps are a filter's
    channels = target.planes.shape[1], guide.planes.shape[1]
    method, weights = choose(method, weights, task, scale if pair.enlarges else None, channels, classical)

    given, size = target.planes, guide.planes.shape[-2:]
    valid, nodata = measured(given, target, nodata, task)
    kept_range = given[valid.expand_as(given)].aminmax()
    notes, seen = [], guide.planes.to(given.dtype)
    seen_valid = seen.isfinite().all(dim=1, keepdim=True)
    if not seen_valid.all():
        notes.append(f"{int((~seen_valid).sum())} pixels of the guide that are not finite filled")
        seen = fill_holes(seen, seen_valid, "guide")
    low = fill_holes(given, valid, "target")
    divisor, seen = unit(low, seen, target, guide, pair)
    if divisor != 1:
        low = low / divisor
    full = low if low.shape[-2:] == size else upsample(low, size)
    all_valid = bool(valid.all())
    valid_full = None if all_valid else nearest(valid, size)

    told = []
    shift = find_shift(low, seen)
    if shift and max(map(abs, shift)) >= max(2, 1.5 * max(enlarged)):
        told.append(f"target and guide seem misaligned: the target lies about {abs(shift[0]):.0f} pixels "
                    f"{'below' if shift[0] > 0 else 'above'} and {abs(shift[1]):.0f} pixels {'right' if shift[1] > 0 else 'left'} of "
                    "the guide, in pixels of the guide; align them first if that is so.")

    sample = Sample(full, seen, None, low if pair.enlarges and enlarged != (1, 1) else None, valid_full,
                    "DN" if task == "depth" else "1", {"scale": scale})
    whole = len(set(enlarged)) == 1 and enlarged[0] == int(enlarged[0])
    restored, did = apply(sample, method, task, scale, weights, tile, int(enlarged[0]) if whole else None, device, progress, options)
    restored = restored.to(full.device)
    if restored.shape != full.shape:
        raise GirlibError(f"restore: the method gave {tuple(restored.shape)} for a target of {tuple(full.shape)}; take one for {task}.")
    restored = torch.where(restored.isnan(), full, restored)        # inside large holes, where no window has a measurement

    lowest, highest = limits(target, pair, *kept_range)
    restored, before = ((image * divisor).clamp(lowest, highest) for image in (restored, full))
    holes = 0 if all_valid else 1 - valid.double().mean().item()
    if not all_valid and not fill:
        old = nearest(given, size)
        restored = torch.where(valid_full, restored, old)
        before = torch.where(valid_full, before, torch.nan)
    h, w = given.shape[-2:]
    ratio = " x ".join(dict.fromkeys(f"{value:g}" for value in enlarged))
    parts = [f"{h}x{w} {target.dtype} {f'enlarged by {ratio} to {size[0]}x{size[1]}' if enlarged != (1, 1) else 'filtered'} by {did}",
             f"guide with {guide.planes.shape[1]} channel{'s' * (guide.planes.shape[1] > 1)}",
             f"values {'kept ' if pair.bounded else ''}in {lowest:g} to {highest:g}"]
    parts.append("no holes" if all_valid else f"{100 * holes:.2g} % holes {'filled' if fill else 'kept'}"
                 f" (not finite{'' if nodata is None else f', or {nodata:g}'})")
    return Restored(restored, before, enlarged, "; ".join([*parts, *notes, f"{time.perf_counter() - start:.1f} s"]), told)


# --------------------------------------------------------------------------------------------- holes, range and unit

def measured(planes, image, nodata, task):
    """(valid (N, 1, h, w), the value that marks holes or None)."""
    valid = planes.isfinite().all(dim=1, keepdim=True)
    if nodata is None:
        positive = task == "depth" and not (planes < 0).any() and bool((planes[valid.expand_as(planes)] > 0).any())
        nodata = 0.0 if positive else None
    elif nodata is False:
        nodata = None
    elif isinstance(nodata, bool) or not isinstance(nodata, (int, float)):
        raise GirlibError(f"restore: nodata is {nodata!r}; expected a number, or False for none.")
    if nodata is not None and math.isfinite(nodata):
        valid = valid & (planes != nodata).any(dim=1, keepdim=True)
    else:
        nodata = None
    if not valid.flatten(1).any(dim=1).all():
        raise GirlibError("restore: the target holds no measurement, only holes; expected at least one valid pixel.")
    return valid, nodata


def fill_holes(image, valid, name="image"):
    """Pull-push (Gortler et al., The Lumigraph, 1996): valid pixels are averaged to ever coarser grids, from which holes are read."""
    if valid.all():
        return image
    if not valid.flatten(1).any(dim=1).all():
        raise GirlibError(f"restore: the {name} holds no finite pixel; expected at least one.")
    count = F.avg_pool2d(valid.to(image.dtype), 2, ceil_mode=True)
    total = F.avg_pool2d(torch.where(valid, image, 0), 2, ceil_mode=True)
    coarse = fill_holes(total / count.where(count > 0, 1), count > 0, name)
    return torch.where(valid, image, F.interpolate(coarse, image.shape[-2:], mode="bilinear", align_corners=False))


def nearest(image, size):
    """The low pixel that holds the fine one; for NaN and bool too."""
    rows, columns = ((2 * torch.arange(n, device=image.device) + 1) * m // (2 * n) for n, m in zip(size, image.shape[-2:], strict=True))
    return image if tuple(size) == tuple(image.shape[-2:]) else image[..., rows[:, None], columns]


def unit(low, seen, target, guide, pair):
    """(what the target is divided by, the guide in [0, 1]); the guide is changed in place, for it may be large."""
    same = target.dtype == guide.dtype and not pair.bounded
    top_guide, top_target = top(seen, guide), top(low, target)
    lowest = seen.min().item() if guide.dtype.kind == "f" else 0.0
    if lowest >= 0 and top_guide == 1 or same:
        lowest = 0.0
    if same:
        top_guide = top_target = max(top_guide, top_target)         # two images of one kind keep their proportion
    return 1 if pair is PAIRS["depth"] else top_target, seen.sub_(lowest).div_(max(top_guide - lowest, 1e-12))


def top(planes, image):
    """The value that stands for 1: of integers the largest that their bits hold (12 of 16 bits are found out), of floats 1 or more."""
    highest = planes.max().item()
    if image.dtype == np.uint8:
        return 255
    if image.dtype.kind in "ui":
        return max(255, 2 ** int(max(highest, 1)).bit_length() - 1)
    return max(1.0, highest)


def limits(image, pair, lowest, highest):
    """Lowest and highest value of the result."""
    if pair.bounded:
        return lowest.item(), highest.item()
    if image.dtype.kind in "ui":
        return np.iinfo(image.dtype).min, np.iinfo(image.dtype).max
    low, high = (0.0 if lowest >= 0 else -math.inf), (1.0 if highest <= 1 and lowest >= 0 else math.inf)
    return low, high


# ------------------------------------------------------------------------------------------- what comes in and goes out

class Image:
    """An image of any kind as planes (N, C, H, W) of floats, and the way back."""

    def __init__(self, given, name):
        self.given, self.name = given, name
        kind = type(given).__module__.partition(".")[0]
        if isinstance(given, torch.Tensor):
            array = given.detach().cpu()
            array = (array.float() if array.dtype == torch.bfloat16 else array).numpy()
            self.layout = {2: "HW", 3: "CHW", 4: "NCHW"}.get(array.ndim)
        elif kind == "PIL":
            if name == "guide" and given.mode in ("P", "RGBA"):
                given = given.convert("RGB")
            if given.mode not in ("L", "RGB", "F") and not given.mode.startswith("I"):
                raise GirlibError(f"restore: the {name} is a PIL image of mode {given.mode}; expected L, RGB, I;16, I or F (convert it).")
            array, self.layout = np.asarray(given), "HWC" if given.mode == "RGB" else "HW"
        elif isinstance(given, np.ma.MaskedArray):
            raise GirlibError(f"restore: the {name} is a masked array; give array.filled(nan), in floating numbers.")
        elif isinstance(given, np.ndarray):
            array = given
            self.layout = {2: "HW", 3: "CHW" if given.ndim == 3 and given.shape[0] < given.shape[2] else "HWC"}.get(array.ndim)
        else:
            raise GirlibError(f"restore: the {name} is of type {type(given).__name__}; expected a numpy array, a tensor or a PIL image.")
        if self.layout is None:
            raise GirlibError(f"restore: the {name} has the shape {array.shape}; expected (H, W), (H, W, C) or (C, H, W).")
        if array.dtype.kind not in "fui" or array.dtype.itemsize > 8:
            raise GirlibError(f"restore: the {name} holds {array.dtype}; expected whole or floating numbers.")
        if not array.size:
            raise GirlibError(f"restore: the {name} is empty, {array.shape}; expected at least one pixel.")
        self.dtype = array.dtype.newbyteorder("=")
        if name == "guide" and self.layout == "HWC" and array.shape[2] == 4 and array.dtype == np.uint8:
            array = array[..., :3]                                  # a photograph with transparency
        exact = self.dtype == np.float64 or (self.dtype.kind in "ui" and self.dtype.itemsize > 2)
        planes = {"HW": lambda a: a[None, None], "HWC": lambda a: a.transpose(2, 0, 1)[None], "CHW": lambda a: a[None],
                  "NCHW": lambda a: a}[self.layout](array)
        self.planes = torch.from_numpy(np.array(planes, np.float64 if exact else np.float32, order="C"))

    def array(self, planes):
        """Planes as an array of the image's layout and type; whole numbers are rounded."""
        array = planes.cpu().numpy()
        array = {"HW": lambda a: a[0, 0], "HWC": lambda a: a[0].transpose(1, 2, 0), "CHW": lambda a: a[0],
                 "NCHW": lambda a: a}[self.layout](array)
        if self.dtype.kind in "ui":
            info = np.iinfo(self.dtype)
            array = np.rint(array).clip(info.min, info.max)
        return np.ascontiguousarray(array.astype(self.dtype))

    def like(self, planes):
        """Planes as the kind of image that came in."""
        array = self.array(planes)
        if isinstance(self.given, torch.Tensor):
            return torch.from_numpy(array).to(self.given)
        if isinstance(self.given, np.ndarray):
            return array.astype(self.given.dtype, copy=False)
        from PIL import Image as Pillow
        image = Pillow.fromarray(array)
        image.info.update(self.given.info)
        return image


def check_task(task):
    if task in PAIRS:
        return PAIRS[task]
    if task in TASKS:
        raise GirlibError(f"restore: the task {task!r} needs more than two images of one scene; restore does {', '.join(PAIRS)}.")
    raise GirlibError(f"restore: there is no task {task!r}; there are {', '.join(PAIRS)}.")


def check_pair(target, guide, pair, task, scale):
    """(scale, how many times the guide has more rows and columns)."""
    (N, C, h, w), (M, G, H, W) = target.planes.shape, guide.planes.shape
    if pair.target and C == 4 and target.layout == "HWC" and 3 in pair.target:
        raise GirlibError("restore: the target has 4 channels; expected 1 or 3, so drop the transparency first.")
    if pair.target and C not in pair.target:
        raise GirlibError(f"restore: the target has {C} channels, but {task} expects {' or '.join(map(str, pair.target))}; are target and "
                          "guide swapped?")
    if pair.guide and G not in pair.guide:
        raise GirlibError(f"restore: the guide has {G} channels, but {task} expects {' or '.join(map(str, pair.guide))}; are target and "
                          "guide swapped?")
    if N != M:
        raise GirlibError(f"restore: the target is a batch of {N}, the guide of {M}; pair every target with one guide.")
    if H < h or W < w:
        raise GirlibError(f"restore: the guide, {H}x{W}, is smaller than the target, {h}x{w}; are target and guide swapped?")
    if not pair.enlarges and (H, W) != (h, w):
        raise GirlibError(f"restore: the target is {h}x{w} and the guide {H}x{W}, but {task} expects one size.")
    if scale is not None:
        scale = check_whole("restore", "scale", scale)
        if not pair.enlarges and scale != 1:
            raise GirlibError(f"restore: scale is {scale}, but in {task} both images have all pixels; leave it out.")
        if (H, W) != (h, w) and (abs(H - scale * h) >= scale or abs(W - scale * w) >= scale):
            raise GirlibError(f"restore: scale is {scale}, but the target is {h}x{w} and the guide {H}x{W}, so about "
                              f"{H / h:.3g} x {W / w:.3g}; leave the scale out, or check the pair.")
    enlarged = (H / h, W / w)
    least, most = max((H - 1) / (h + 1), (W - 1) / (w + 1)), min((H + 1) / max(h - 1, 0.5), (W + 1) / max(w - 1, 0.5))
    if least > most:
        raise GirlibError(f"restore: the target, {h}x{w}, and the guide, {H}x{W}, have different proportions ({H / h:.3g} x {W / w:.3g}); "
                          "expected two images of the same area.")
    if scale is None and enlarged != (1, 1):
        scale = round(enlarged[0])
    return scale, enlarged
