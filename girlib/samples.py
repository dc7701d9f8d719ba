"""What is recorded of a scene, what a task hands to a method, and how both are cut, turned and put into batches.

A Capture holds everything that was recorded of one scene. A task decides what of it is target, guide and reference, and
makes a Sample. Readers of datasets and procedural scenes both give captures, so that a task sees no difference.
"""

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace

import torch

from girlib.errors import GirlibError


@dataclass(frozen=True)
class Capture:
    """All images of one scene, by name: {"color": (1, 3, H, W), "depth": (1, 1, H, W), ...}.

    unit       of the image that is to be restored, e.g. "m", "grey" for 0..255 as stored, "1" for [0, 1]
    meta       what else is known: sensor, bits, exposure times, the Bayer pattern of raw images
    """

    name: str
    images: dict[str, torch.Tensor]
    unit: str = "1"
    meta: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """One pair (or triple) of images of one scene, each (N, C, H, W).

    target     the image to restore, at the guide's size (enlarged by the task's protocol where the sensor gave less)
    guide      the helping image; a tuple where there are several (HDR: target is the middle exposure, guide = (under, over))
    reference  the truth, where there is one
    low        what the sensor gave, before it was enlarged
    valid      (N, 1, H, W) bool, False where the target holds no measurement
    unit       of target and reference, e.g. "m", "cm", "1" for reflectance in [0, 1]
    meta       what else a method may need: scale, camera constants, exposure times, names
    """

    target: torch.Tensor
    guide: torch.Tensor | tuple[torch.Tensor, ...]
    reference: torch.Tensor | None = None
    low: torch.Tensor | None = None
    valid: torch.Tensor | None = None
    unit: str = "1"
    meta: dict = field(default_factory=dict)

    def to(self, device):
        """The same sample on another device."""
        return each_image(self, lambda image: image.to(device))


def names_of(where, captures):
    """The names of a dataset, or of captures in a list or anything else that has a length and gives them by number."""
    if isinstance(captures, (str, dict)) or not (hasattr(captures, "__len__") and hasattr(captures, "__getitem__")):
        raise GirlibError(f"{where}: the data are a {type(captures).__name__}; expected the name of a dataset, or a list of Capture.")
    names = list(captures.names) if hasattr(captures, "names") else [getattr(captures[i], "name", None) for i in range(len(captures))]
    twice = [name for name in names if name is None or names.count(name) > 1]
    if twice or not names:
        found = "no capture" if not names else "something else" if twice[0] is None else f"two captures named {twice[0]!r}"
        raise GirlibError(f"{where}: the data hold {found}; expected a list of Capture, each with a name of its own.")
    return names


def each_image(thing, change):
    """A capture or sample with every image replaced by change(image)."""
    if isinstance(thing, Capture):
        return replace(thing, images={name: change(image) for name, image in thing.images.items()})
    if not isinstance(thing, Sample):
        raise GirlibError(f"each_image: got a {type(thing).__name__}; expected a Capture or a Sample.")
    new = {}
    for entry in fields(thing):
        value = getattr(thing, entry.name)
        if isinstance(value, torch.Tensor):
            new[entry.name] = change(value)
        elif isinstance(value, tuple):
            new[entry.name] = tuple(change(image) for image in value)
    return replace(thing, **new)


def sizes(thing):
    """Height and width of every image of a capture or sample."""
    found = []
    each_image(thing, lambda image: found.append(tuple(image.shape[-2:])) or image)
    return found


def step(thing):
    """(H, W, step): the finest grid of a capture or sample, and the step in which it can be cut.

    A low-resolution image allows cuts only at whole pixels of its own; a Bayer pattern only at even ones.
    """
    found = sizes(thing)
    H, W = max(h for h, _ in found), max(w for _, w in found)
    ratios = [2] if "pattern" in thing.meta else [1]
    for h, w in found:
        if H % h or W % w or H // h != W // w:
            raise GirlibError(f"crop: an image of {h}x{w} lies on no whole grid of {H}x{W}; cut the recorded images to a multiple of "
                              "the scale first.")
        ratios.append(H // h)
    return H, W, math.lcm(*ratios)


def crop(thing, top, left, height, width):
    """The same window of every image; all four numbers are pixels of the finest image."""
    H, W, unit = step(thing)
    if min(top, left) < 0 or min(height, width) < 1 or top + height > H or left + width > W:
        raise GirlibError(f"crop: rows {top} to {top + height} and columns {left} to {left + width} do not lie inside {H}x{W}.")
    if any(number % unit for number in (top, left, height, width)):
        raise GirlibError(f"crop: top {top}, left {left}, height {height}, width {width} must be multiples of {unit}, the step in which "
                          "all images have whole pixels.")

    def window(image):
        k = H // image.shape[-2]
        return image[..., top // k:(top + height) // k, left // k:(left + width) // k]

    return each_image(thing, window)


def crop_to_multiple(thing, multiple):
    """Rows at the bottom and columns at the right are left out until both sizes divide by `multiple`."""
    H, W, unit = step(thing)
    unit = math.lcm(unit, multiple)
    if min(H, W) < unit:
        raise GirlibError(f"crop_to_multiple: images of {H}x{W} are smaller than {unit}; take larger ones or a smaller scale.")
    return crop(thing, 0, 0, H // unit * unit, W // unit * unit)


def random_crop(thing, size, generator, multiple=1):
    """A square window at a random place, `size` pixels of the finest image high and wide; size >= images: everything, cut to multiples."""
    H, W, unit = step(thing)
    unit = math.lcm(unit, multiple)
    height, width = (min(size, side) // unit * unit for side in (H, W))
    if min(height, width) < 1:
        raise GirlibError(f"random_crop: size {size} of images of {H}x{W} holds no whole step of {unit}; give a larger size.")
    top, left = (int(torch.randint((side - cut) // unit + 1, (), generator=generator)) * unit
                 for side, cut in ((H, height), (W, width)))
    return crop(thing, top, left, height, width)


def augment(capture, generator):
    """Mirrored left to right, top to bottom and along the diagonal, each with probability 1/2, all images alike.

    It turns captures, before the sensor: a sensor that samples beside the centre of its cells does so in the turned scene too.
    A Bayer mosaic is mirrored about a column (row) of pixels, so that red stays red; the last one then repeats its neighbour
    but one. Images that came with a low-resolution partner are only mirrored along the diagonal, which keeps its phase.
    """
    mirror_x, mirror_y, diagonal = (bool(torch.randint(2, (), generator=generator)) for _ in range(3))
    if len(set(sizes(capture))) > 1:
        mirror_x = mirror_y = False
    if capture.meta.get("pattern", "RGGB") not in ("RGGB", "BGGR"):
        diagonal = False                                            # the diagonal exchanges red and blue of the other two

    def turn(image):
        for dim, wanted in ((-1, mirror_x), (-2, mirror_y)):
            if wanted:
                image = _mirror_about_a_pixel(image, dim) if "pattern" in capture.meta else image.flip(dim)
        return image.transpose(-1, -2) if diagonal else image

    return each_image(capture, turn)


def _mirror_about_a_pixel(image, dim):
    """out[x] = in[n - 2 - x] for even n: x and its source are both even or both odd."""
    n = image.shape[dim]
    if n % 2:
        raise GirlibError(f"augment: a Bayer mosaic of {image.shape[-2]}x{image.shape[-1]} must have even height and width.")
    source = (n - 2 - torch.arange(n)).abs()                        # the last, -1, is reflected to 1
    return image.index_select(dim, source.to(image.device))


def collate(samples):
    """Several samples as one batch. Unit and shapes must agree; what the samples' meta do not share becomes a list."""
    samples = list(samples)
    if not samples:
        raise GirlibError("collate: got no sample; expected at least one.")
    first = samples[0]
    for other in samples[1:]:
        if other.unit != first.unit:
            raise GirlibError(f"collate: units {first.unit!r} and {other.unit!r} do not mix; batch samples of one kind.")

    def join(name, values):
        if all(value is None for value in values):
            return None
        if isinstance(values[0], tuple):
            return tuple(join(name, parts) for parts in zip(*values, strict=True))
        shapes = {tuple(value.shape[1:]) if value is not None else None for value in values}
        if len(shapes) > 1:
            given = " and ".join(sorted(map(str, shapes)))
            raise GirlibError(f"collate: {name} differs in shape, {given}; crop all samples alike.")
        return torch.cat(values)

    images = {entry.name: join(entry.name, [getattr(s, entry.name) for s in samples])
              for entry in fields(first) if entry.name not in ("unit", "meta")}
    keys = dict.fromkeys(key for s in samples for key in s.meta)
    meta = {}
    for key in keys:
        values = [s.meta.get(key) for s in samples]
        meta[key] = values[0] if all(_same(value, values[0]) for value in values) else values
    return Sample(**images, unit=first.unit, meta=meta)


def _same(a, b):
    if isinstance(a, torch.Tensor) or isinstance(b, torch.Tensor):
        return isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor) and a.shape == b.shape and bool((a == b).all())
    return a == b


def random_generator(seed, position):
    """The random numbers of one sample: they depend on the seed and on its position alone, not on who makes it."""
    return torch.Generator().manual_seed((seed * 1_000_003 + position) % 2**63)


def loader(make, batches, batch_size, seed=0, length=None, workers=0, start=0, process=0, processes=1) -> Iterator[Sample]:
    """`batches` batches of the samples make(index, generator); the same ones in the same order for any number of workers.

    With `length`, index runs through a new random order of range(length) in every pass; without, it counts on and on
    (procedural scenes). `start` is the number of batches to leave out, where an interrupted training goes on. Of several
    `processes` that train together each gets its own part of every batch.
    """
    for name, value, least in (("batches", batches, 0), ("batch_size", batch_size, 1), ("workers", workers, 0), ("start", start, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise GirlibError(f"loader: {name} is {value!r}; expected a whole number, {least} or more.")
    if length is not None and length < 1:
        raise GirlibError("loader: the dataset is empty; expected at least one image.")
    if batch_size % processes:
        raise GirlibError(f"loader: a batch of {batch_size} cannot be shared by {processes} processes; give a multiple.")
    share = batch_size // processes
    positions = [batch * batch_size + process * share + i for batch in range(start, batches) for i in range(share)]
    if workers == 0:                                                # no process, no copies
        one = _Positions(make, seed, length)
        for first in range(0, len(positions), share):
            yield collate(one[position] for position in positions[first:first + share])
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This DataLoader will create")        # more workers than cores: as the user asks
        made = iter(torch.utils.data.DataLoader(_Positions(make, seed, length), share, sampler=positions, num_workers=workers,
                                                collate_fn=collate, generator=random_generator(seed, 0)))
    yield from made


class _Positions(torch.utils.data.Dataset):
    """The endless sequence of samples, by position."""

    def __init__(self, make, seed, length):
        self.make, self.seed, self.length = make, seed, length
        self.epoch, self.order = None, None

    def __getitem__(self, position):
        index = position
        if self.length is not None:
            epoch, place = divmod(position, self.length)
            if epoch != self.epoch:
                self.epoch = epoch
                self.order = torch.randperm(self.length, generator=random_generator(self.seed, -1 - epoch)).tolist()
            index = self.order[place]
        return self.make(index, random_generator(self.seed, position))
