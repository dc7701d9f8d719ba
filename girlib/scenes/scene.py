"""From a seed to a picture: casts the rays, finds what they hit, lights it, and mixes spectra to colours when asked."""

from functools import cached_property

import torch

from ..errors import GirlibError
from . import materials as m
from .indoor import indoor
from .outdoor import outdoor
from .overhead import overhead
from .points import LIGHTS, Points
from .shapes import Solids, cast
from .stage import Dice, Stage

KINDS = {"indoor": indoor, "outdoor": outdoor, "overhead": overhead}
TILE = 8  # pixels: the rays of a tile form a packet
OFFSETS = ((0.36, 0.15), (-0.36, -0.15))  # in pixels: two more rays in a pixel that shows an edge


def make_scene(kind, seed=0, size=256, time=0.0, device="cpu", texture=0.6, hidden=0.6):
    """A scene by its kind ("indoor", "outdoor" or "overhead") and seed: geometry now, colours when they are asked for.

    size     pixels: one number, or (height, width), from 16 up; every size of a seed shows the same scene, the longer side the same extent
    time     moves what moves (a car, a swinging lamp, a rolling ball), in seconds
    texture  share of surfaces with a pattern: image edges without a depth edge
    hidden   share of things that wear the paint of what is behind them: depth edges without an image edge
    """
    height, width = check(kind, seed, size, time, texture, hidden)
    try:
        place = torch.device(device)
        torch.zeros(1, device=place).item()
    except (RuntimeError, AssertionError, TypeError, ValueError) as problem:
        raise GirlibError(f"make_scene: device {device!r} can't be used here ({str(problem).splitlines()[0]}); give \"cpu\"") from None
    stage = Stage(Dice(seed), texture, hidden)
    return Scene(kind, seed, stage, KINDS[kind](stage), (height, width), float(time), place)


def check(kind, seed, size, time, texture, hidden):
    whole = lambda x: isinstance(x, int) and not isinstance(x, bool)
    if not isinstance(kind, str) or kind not in KINDS:
        raise GirlibError(f"make_scene: kind is {kind!r}, expected one of {', '.join(KINDS)}; give one of these")
    if not whole(seed) or not 0 <= seed < 2**63:
        raise GirlibError(f"make_scene: seed is {seed!r}, expected a whole number from 0; give another")
    sides = (size, size) if whole(size) else size
    if not isinstance(sides, (tuple, list)) or len(sides) != 2 or not all(whole(s) and s >= 16 for s in sides):
        raise GirlibError(f"make_scene: size is {size!r}, expected pixels or (height, width); give whole numbers of 16 or more")
    for name, value, low, high in (("time", time, -1e6, 1e6), ("texture", texture, 0, 1), ("hidden", hidden, 0, 1)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise GirlibError(f"make_scene: {name} is {value!r}, expected a number from {low:g} to {high:g}; give one")
    return sides


class Scene:
    """What make_scene returns: images (1, C, H, W) of one view.

    depth   metres along the optical axis, of the ray through the pixel's centre
    normal  unit vectors in the camera's axes: right, up, towards the camera
    ids     the object that is seen, numbered from 1            labels  its class, an index into CLASSES
    color   linear red, green, blue in [0, 1] by daylight, white balanced
    """

    def __init__(self, kind, seed, stage, setting, size, time, device):
        self.kind, self.seed, self.size, self.setting, self.camera = kind, seed, size, setting, setting.camera
        self.spectra = stage.spectra.to(device)
        self.table = m.noise_table(device)
        self.solids = Solids(stage.bodies, time, device)
        bodies = self.solids.bodies
        looks = [(b.paint.scale, b.paint.aspect, b.paint.contrast, b.paint.gloss, b.paint.seed) for b in bodies]
        numbers = [(b.paint.first, b.paint.second, b.paint.pattern, b.id, b.label) for b in bodies]
        self.paint = torch.tensor(looks).T.contiguous().to(device)  # (5, B) each
        self.number = torch.tensor(numbers, dtype=torch.int32).T.contiguous().to(device)

        height, width = size
        down, across = -(-height // TILE) * TILE, -(-width // TILE) * TILE
        self.pixel = 2 * setting.half / max(size)  # its width at depth 1 (metres, where the view is parallel)
        v = -(torch.arange(down, device=device) - (height - 1) / 2) * self.pixel
        u = (torch.arange(across, device=device) - (width - 1) / 2) * self.pixel
        self.tiles = (down // TILE, across // TILE)
        self.v = v[:, None].expand(down, across).reshape(self.tiles[0], TILE, self.tiles[1], TILE).transpose(1, 2).reshape(-1)
        self.u = u[None, :].expand(down, across).reshape(self.tiles[0], TILE, self.tiles[1], TILE).transpose(1, 2).reshape(-1)
        self.distance, self.which = cast(self.solids, self.camera, self.u, self.v)

    def picture(self, *rows):
        """Flat tensors in the order of the tiles as one image (1, C, H, W)."""
        (down, across), (height, width) = self.tiles, self.size
        image = torch.stack(rows).view(-1, down, across, TILE, TILE).transpose(2, 3).reshape(1, -1, down * TILE, across * TILE)
        return image[..., :height, :width].contiguous()

    @cached_property
    def depth(self):
        return self.picture(self.distance)

    @cached_property
    def ids(self):
        return self.picture(self.number[3].index_select(0, self.which).long())

    @cached_property
    def labels(self):
        return self.picture(self.number[4].index_select(0, self.which).long())

    @cached_property
    def normal(self):
        n = self.points.normal
        axes = (self.camera.right.tolist(), self.camera.up.tolist(), (-self.camera.forward).tolist())
        return self.picture(*(a[0] * n[0] + a[1] * n[1] + a[2] * n[2] for a in axes))

    @cached_property
    def color(self):
        return self.image(m.RESPONSES["rgb"])

    @cached_property
    def points(self):
        return Points(self, self.u, self.v, self.distance, self.which)

    @cached_property
    def edges(self):
        """Numbers of the pixels that differ from a neighbour in body or shadow, and two more rays in each: (K), Points of 2 K rays."""
        mark = self.picture(2 * self.which.float() + self.points.sun[2])
        differ = torch.zeros_like(mark[0, 0], dtype=torch.bool)
        for one, two in ((mark[..., 1:], mark[..., :-1]), (mark[..., 1:, :], mark[..., :-1, :])):
            change = (one != two)[0, 0]
            if one.shape[-1] < mark.shape[-1]:
                differ[:, 1:] |= change; differ[:, :-1] |= change
            else:
                differ[1:] |= change; differ[:-1] |= change
        at = self.in_tiles(differ).nonzero()[:, 0]
        u = torch.stack([self.u[at] + self.pixel * dx for dx, _ in OFFSETS], 1).view(-1)
        v = torch.stack([self.v[at] + self.pixel * dy for _, dy in OFFSETS], 1).view(-1)
        return at, Points(self, u, v, *cast(self.solids, self.camera, u, v), octaves=1)  # fine texture is the middle ray's

    def in_tiles(self, image):
        (down, across), (height, width) = self.tiles, self.size
        whole = torch.nn.functional.pad(image, (0, across * TILE - width, 0, down * TILE - height))
        return whole.view(down, TILE, across, TILE).transpose(1, 2).reshape(-1)

    def image(self, response, light="day"):
        """What a camera with `response` (C, 61) records, linear, in [0, 1]: (1, C, H, W).

        light  "day" (sun or lamp, with its shadow, and sky), "ambient" (sky alone), "flash" (white, beside the lens), "red flash" (660 nm)
        White balanced: a grey surface is grey in every channel, and a white one that faces sun and sky gives `setting.exposure`. The flash
        is set to give that at `setting.focus` metres; the red one as much in the red channel. Images of several lights may be added up.
        By day the air adds its haze to overhead pictures.
        """
        if light not in LIGHTS:
            raise GirlibError(f"scene.image: light is {light!r}, expected one of {', '.join(LIGHTS)}; give one of these")
        if not isinstance(response, torch.Tensor) or response.ndim != 2 or response.shape[1] != 61 or not response.is_floating_point():
            shape = tuple(response.shape) if isinstance(response, torch.Tensor) else type(response).__name__
            raise GirlibError(f"scene.image: response is {shape}, expected a tensor (C, 61); give a weight for each wavelength")
        if not (len(response) and response.isfinite().all() and response.min() >= 0):
            raise GirlibError("scene.image: response is empty, negative or not finite, expected weights; give one row for each channel")
        at, fine = self.edges
        response = response.to(self.spectra)
        rows = self.points.mix(response, light)
        for coarse, refined in zip(rows, fine.mix(response, light), strict=True):
            one, two = refined.view(-1, 2).unbind(1)
            coarse.index_copy_(0, at, (coarse.index_select(0, at) + one + two) / 3)
        return self.picture(*rows).clamp_(0, 1)
