"""What a metric is: a function of a few images, and everything about it that a table or a protocol must know, as data."""

import difflib
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from numbers import Real
from typing import Literal, get_args

import numpy as np
import torch

from girlib.errors import GirlibError

IMAGES = "restored", "reference", "target", "guide", "low"
Values = Literal["raw", "clip", "round", "truncate"]
GREY = 0.298936021293775, 0.587043074451121, 0.114020904255103       # of MATLAB; 0.2989, 0.587, 0.114 round some pixels elsewhere
METRICS = {}


@dataclass(frozen=True)
class Metric:
    """One metric. `measure(name, ...)` and the function of that name do the same.

    title       as it stands above a column
    unit        "1" where there is none
    direction   "lower" or "higher", whichever is better
    range       the smallest and the largest possible value
    reads       which of restored, reference, target, guide, low it looks at; fusion takes target and guide as the two sources
    options     name -> default; where papers and code differ, an option names the difference
    choices     name -> what an option with a fixed set of answers may be
    reference   whose definition it is
    needs       what has to be there besides torch and numpy, and the command that brings it
    units       option -> its values -> the unit, where an option decides it
    pool        of a metric that counts over a whole set: (what is counted of one image, the value of the sum of the counts)
    """

    name: str
    title: str
    unit: str
    direction: str
    range: tuple[float, float]
    reads: tuple[str, ...]
    options: dict
    choices: dict
    reference: str
    needs: str
    function: Callable
    units: dict
    pool: tuple[Callable, Callable] | None = None

    def unit_with(self, options, images="1"):
        """The unit of a value that was measured with these options on images of that unit."""
        unit = self.unit
        if unit.startswith("that of the images"):
            factor = options.get("factor", 1)
            return {("1", 255): "grey", ("m", 100): "cm"}.get((images, factor), images if factor == 1 else f"{images} / {factor:g}")
        return next((units[options[name]] for name, units in self.units.items() if name in options), unit)


def metric(title, *, direction, range, reference, unit="1", units=None, levels=None, pool=None, needs=""):
    """Register a function of images (C, H, W) in float64 as a metric; what is added to it is the same for all metrics.

    Images may be tensors or arrays, (C, H, W) or (N, C, H, W); of N images the mean of their values is taken, as all four papers
    do, or, of a metric with a `pool`, the value of the sum of their counts. Options that every metric of whole images has:

    border       pixels cut off on every side first; a pair for top and left, bottom and right
    data_range   L, the largest value an image can have: 1 for floats, 255 for uint8, to be said otherwise
    values       "raw", or "clip"ped to [0, L], or brought to 8 bits by "round" (half up, as in MATLAB; half to even takes 0.06 bit
                 of the entropy of the average of two photographs) or "truncate" (a cast in C or numpy)

    With `levels` the function receives one channel of whole numbers 0 ... 255, and there is one more option:

    color        "channels": the mean of the channels' values; "grey": MATLAB's rgb2gray of red, green, blue, rounded
    """
    def register(function):
        parameters = inspect.signature(function).parameters
        reads = tuple(name for name in parameters if name in IMAGES)
        options = {name: p.default for name, p in parameters.items() if name not in (*IMAGES, "valid")}
        choices = {name: get_args(p.annotation) for name, p in parameters.items() if get_args(p.annotation)}
        if "low" not in reads and not pool:
            options |= {"border": 0, "data_range": None, "values": "round" if levels else "raw"}
            choices["values"] = ("round", "truncate") if levels else get_args(Values)
        if levels:
            options["color"], choices["color"] = levels, ("channels", "grey")
        name = function.__name__

        @wraps(function)
        def value(*images, **given):
            if len(images) > len(reads):
                raise GirlibError(f"{name}: got {len(images)} images; it reads {_list(reads)}, and options are given by name.")
            given = dict(zip(reads, images, strict=False)) | given
            return _value(METRICS[name], levels, given)

        METRICS[name] = Metric(name, title, unit, direction, range, reads, options, choices, reference, needs, value, units or {}, pool)
        value.definition = function
        return value
    return register


def measure(name, **given):
    """The value of a metric, given by name: measure("psnr", restored=Q, reference=R, border=6).

    Images that the metric does not read are ignored, so that a whole sample can be handed over; `valid` is not.
    """
    if name not in METRICS:
        near = difflib.get_close_matches(str(name), METRICS, 1)
        raise GirlibError(f"measure: there is no metric {name!r}; " + (f"did you mean {near[0]!r}?" if near else
                          f"there are {', '.join(list_metrics())}."))
    entry = METRICS[name]
    return entry.function(**{key: x for key, x in given.items() if key not in IMAGES or key in entry.reads})


def list_metrics():
    """The names of all metrics."""
    return sorted(METRICS)


# ------------------------------------------------------------------------------------------------ from what was given

def _value(entry, levels, given):
    name = entry.name
    valid = given.pop("valid", None)
    images = {key: given.pop(key) for key in entry.reads if given.get(key) is not None}
    if missing := [key for key in entry.reads if key not in images]:
        raise GirlibError(f"{name}: reads {_list(entry.reads)}; give {_list(missing)} too.")
    options = entry.options | _checked(entry, {key: x for key, x in given.items() if key not in entry.reads})

    read = {key: _tensor(name, key, image) for key, image in images.items()}           # (N, C, H, W) and the kind of number
    tensors = {key: x for key, (x, _) in read.items()}
    first = tensors["restored"]
    for key, x in tensors.items():
        same = x.shape[0] == first.shape[0] if "low" in entry.reads else x.shape == first.shape
        if not same:
            raise GirlibError(f"{name}: restored has shape {tuple(first.shape)} but {key} has {tuple(x.shape)}; "
                              f"both need the same{' number of images' if 'low' in entry.reads else ' shape'}.")
    if valid is not None:
        valid = _mask(name, valid, first)
        if "valid" not in inspect.signature(entry.function.definition).parameters:
            if not valid.all():
                raise GirlibError(f"{name}: valid leaves out {(~valid).sum().item()} pixels, but the metric is defined on whole "
                                  "images only; fill them, cut the image, or measure rmse or psnr.")
            valid = None
    for key, x in tensors.items():
        bad = ~x.isfinite() if valid is None else ~x.isfinite() & valid
        if bad.any():
            raise GirlibError(f"{name}: {key} has {bad.sum().item()} values that are not finite numbers; find out where they come from, "
                              "and leave such pixels out by valid=, where the metric reads it.")

    if "border" in options:
        border = options.pop("border")
        tensors = {key: _cut(name, x, border) for key, x in tensors.items()}
        valid = None if valid is None else _cut(name, valid, border)
        values, L = options.pop("values"), options.pop("data_range")
        if levels or values != "raw" or "data_range" in inspect.signature(entry.function.definition).parameters:
            L = _data_range(name, read) if L is None else L
            tensors = {key: to_values(x, L, values) for key, x in tensors.items()}
        if levels:
            color = options.pop("color")
            tensors = {key: _levels(name, x * (255 / L), color) for key, x in tensors.items()}
        if "data_range" in inspect.signature(entry.function.definition).parameters:
            options["data_range"] = L
    if entry.pool:
        return float(entry.function.definition(**tensors, **options))
    results = []
    for n in range(tensors["restored"].shape[0]):
        if valid is not None:
            options["valid"] = valid[n]
        results.append(float(entry.function.definition(**{key: x[n] for key, x in tensors.items()}, **options)))
    return sum(results) / len(results)


def to_values(x, L, values):
    """An image as it is, clipped, or through 8 bits and back."""
    if values == "raw":
        return x
    x = x.clamp(0, L)
    if values == "clip":
        return x
    x = (x * (255 / L)).float()                                     # as float, 3/255 times 255 is 3, and a mean of two levels a half
    return (x + 0.5 * (values == "round")).floor().double() * (L / 255)


def _levels(where, x, color):
    """Each channel as an image of its own (N C, 1, H, W), or the grey image (N, 1, H, W); whole numbers."""
    if color == "channels" or x.shape[1] == 1:
        return x.round().reshape(-1, 1, *x.shape[-2:])
    if x.shape[1] != 3:
        raise GirlibError(f"{where}: color='grey' needs 1 or 3 channels, but the images have {x.shape[1]}; say color='channels'.")
    return (x.round() * x.new_tensor(GREY).view(3, 1, 1)).sum(dim=1, keepdim=True).add(0.5).floor()


def _tensor(where, name, image):
    """(N, C, H, W) in float64, and which kind of number it was."""
    if not isinstance(image, torch.Tensor):
        try:
            image = np.asarray(image)
        except ValueError:
            raise GirlibError(f"{where}: {name} is no regular array of numbers; give a tensor or an array (C, H, W).") from None
        if image.dtype.kind not in "biuf":
            raise GirlibError(f"{where}: {name} holds {image.dtype}; give real numbers (C, H, W).")
        kind = {"b": "float", "f": "float"}.get(image.dtype.kind, "uint8" if image.dtype == np.uint8 else "integer")
        image = torch.from_numpy(image.astype(np.float64))
    else:
        if image.is_complex():
            raise GirlibError(f"{where}: {name} holds complex numbers; give real ones.")
        real = image.is_floating_point() or image.dtype == torch.bool
        kind = "float" if real else "uint8" if image.dtype == torch.uint8 else "integer"
        image = image.detach()
        image = (image.cpu() if image.device.type == "mps" else image).double()        # Apple's GPUs have no float64
    if image.ndim not in (3, 4) or 0 in image.shape:
        raise GirlibError(f"{where}: {name} has shape {tuple(image.shape)}; give (C, H, W) or (N, C, H, W) with at least one pixel.")
    return image.reshape(-1, *image.shape[-3:]), kind


def _mask(where, valid, image):
    """(N, 1, H, W) bool, for an image (N, C, H, W)."""
    valid = valid.detach() if isinstance(valid, torch.Tensor) else torch.from_numpy(np.array(valid))
    expected = (image.shape[0], 1, *image.shape[-2:])
    if valid.dtype != torch.bool or (tuple(valid.shape) != expected and (1, *valid.shape) != expected):
        raise GirlibError(f"{where}: valid has shape {tuple(valid.shape)} and holds {valid.dtype}; give bool of shape {expected}.")
    if not valid.any():
        raise GirlibError(f"{where}: valid leaves out every pixel; there is nothing to measure.")
    return valid.reshape(expected).to(image.device)


def _cut(where, x, border):
    before, after = border if isinstance(border, tuple) else (border, border)
    height, width = x.shape[-2:]
    if before + after >= min(height, width):
        raise GirlibError(f"{where}: border={border} leaves nothing of {height}x{width} pixels; give a smaller one.")
    return x[..., before:height - after, before:width - after]


def _data_range(where, read):
    """L by the kind of number, where that leaves no doubt."""
    kinds = {kind for _, kind in read.values()}
    if kinds == {"uint8"}:
        return 255.0
    if kinds != {"float"}:
        raise GirlibError(f"{where}: the images hold {_list(sorted(kinds))} numbers, which do not tell the largest possible value; "
                          "give data_range=, e.g. 255 or 2047.")
    largest = max(x.max().item() for x, _ in read.values())
    if largest > 1.5:                                                      # a restored image may well overshoot 1 a little
        raise GirlibError(f"{where}: the images reach {largest:g}, beyond the 1 that is taken for floats; give data_range=, e.g. 255.")
    return 1.0


def _checked(entry, given):
    for name, value in given.items():
        where = f"{entry.name}: {name}={value!r}"
        default = entry.options.get(name)
        if name not in entry.options:
            raise GirlibError(f"{entry.name}: there is no option {name!r}; there are {_list(sorted(entry.options)) or 'none'}.")
        if name in entry.choices:
            if value not in entry.choices[name]:
                raise GirlibError(f"{where} is not known; give {', '.join(map(repr, entry.choices[name]))}.")
        elif name == "border":
            if not all(_whole(x) and x >= 0 for x in (value if isinstance(value, tuple) and len(value) == 2 else (value,))):
                raise GirlibError(f"{where} should be a whole number of pixels from 0 up, or a pair of such numbers.")
        elif isinstance(default, bool):
            if not isinstance(value, bool):
                raise GirlibError(f"{where} should be True or False.")
        elif isinstance(default, int):
            if not _whole(value) or value < 1:
                raise GirlibError(f"{where} should be a whole number from 1 up.")
        elif not (name == "data_range" and value is None):
            lowest = 0 if default == 0 else math.ulp(0)
            if isinstance(value, bool) or not isinstance(value, Real) or not lowest <= value < math.inf:
                raise GirlibError(f"{where} should be a finite number above 0.")
    return given


def _whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _list(names):
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
