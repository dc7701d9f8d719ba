"""Where a scene is put together: random numbers, places, and the things that stand there, made of boxes, balls, cones and roofs."""

import math
from dataclasses import dataclass

import torch

from . import materials as m
from .shapes import BALL, BOX, CONE, ROOF, Body, View

CLASSES = ("ground", "wall", "ceiling", "furniture", "object", "plant", "building", "roof", "road", "field", "water", "vehicle", "sky")


class Dice:
    """Random numbers of one seed: always from a generator on the CPU, so that a scene doesn't depend on the device."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)
        self.left = []

    def block(self, count):
        return torch.rand(count, generator=self.generator).tolist()

    def uniform(self, low=0.0, high=1.0):
        if not self.left:
            self.left = self.block(1024)
        return low + (high - low) * self.left.pop()

    def whole(self, low, high):
        """A whole number from low to high, both included."""
        return low + min(int(self.uniform() * (high - low + 1)), high - low)

    def chance(self, share):
        return self.uniform() < share

    def choice(self, things):
        return things[self.whole(0, len(things) - 1)]


@dataclass(frozen=True)
class Paint:
    """Two materials (rows of the stage's spectra) and how they mix on a surface; `scale` in metres."""

    first: int
    second: int
    pattern: int = m.PLAIN
    scale: float = 0.3
    aspect: float = 1.0
    contrast: float = 0.1  # of the roughness that every surface has
    gloss: float = 0.0
    seed: float = 0.0


class Stage:
    """The bodies of one scene and the spectra of their paints; `texture` and `hidden` are the controls of make_scene."""

    def __init__(self, dice, texture, hidden):
        self.dice, self.texture, self.hidden = dice, texture, hidden
        self.bodies, self.things = [], 0
        self.colors = m.paints(dice, 16)
        self.spectra = torch.cat([m.FIXED, self.colors])
        self.backdrop = None  # the paint that hidden things wear

    def material(self, name=None):
        """The number of a material, by its name, or of one of the scene's own colours."""
        return m.NAMES.index(name) if name else len(m.NAMES) + self.dice.whole(0, len(self.colors) - 1)

    def plain(self, name=None, **options):
        first = self.material(name)
        return Paint(first, first, seed=self.dice.uniform(), **options)

    def pattern(self, first=None, second=None, patterns=(m.STRIPES, m.CHECKS, m.PRINT, m.SPOTS, m.TILES), scale=(0.04, 0.2), **options):
        """A paint with a pattern, or (more often the less `texture` is asked for) a plain one."""
        if not self.dice.chance(self.texture):
            return self.plain(first, scale=scale[1], **options)
        return Paint(self.material(first), self.material(second), self.dice.choice(patterns), self.dice.uniform(*scale),
                     self.dice.choice((0.5, 1.0, 1.0, 2.0)), seed=self.dice.uniform(), **options)  # fmt: skip

    def disguise(self, paint):
        """The paint, or with the chance `hidden` that of the backdrop: a depth edge that nothing shows."""
        return self.backdrop if self.dice.chance(self.hidden) else paint

    def thing(self, label, at=(0.0, 0.0, 0.0), yaw=0.0, tilt=0.0, roll=0.0, velocity=(0.0, 0.0, 0.0), casts=True):
        """A place at which the bodies of one new object will stand."""
        self.things += 1
        return Place(self, self.things, CLASSES.index(label), at, turning(yaw, tilt, roll), velocity, casts)


@dataclass(frozen=True)
class Setting:
    """How a stage is seen and lit."""

    camera: View
    half: float  # of the longer side of the picture: a tangent, or metres where the view is parallel
    towards: tuple  # the sun or lamp
    lamp: str  # its spectrum, and that of the light that comes from everywhere
    around: str
    sky: float  # share of the latter
    focus: float  # metres from the camera at which a flash gives as much light as the day
    exposure: float = 1.0
    haze: float = 0.0  # by day, what the air sends to the camera at 550 nm; it falls with the fourth power of the wavelength


@dataclass(frozen=True)
class Place:
    """A point and three axes in which bodies of one object are placed."""

    stage: Stage
    id: int
    label: int
    origin: tuple
    turn: tuple
    velocity: tuple
    casts: bool

    def point(self, local):
        return tuple(o + sum(a * x for a, x in zip(row, local, strict=True)) for o, row in zip(self.origin, self.turn, strict=True))

    def at(self, offset, yaw=0.0, tilt=0.0, roll=0.0):
        return Place(self.stage, self.id, self.label, self.point(offset), times(self.turn, turning(yaw, tilt, roll)), self.velocity,
                     self.casts)  # fmt: skip

    def body(self, kind, centre, half, paint, taper=1.0, turn=None):
        self.stage.bodies.append(Body(kind, self.point(centre), half, times(self.turn, turn) if turn else self.turn, taper, self.casts,
                                      paint, self.id, self.label, self.velocity))  # fmt: skip

    def box(self, centre, size, paint):
        self.body(BOX, centre, tuple(s / 2 for s in size), paint)

    def ball(self, centre, radii, paint):
        self.body(BALL, centre, radii if isinstance(radii, tuple) else (radii,) * 3, paint)

    def cone(self, foot, height, radius, paint, top=None):
        """A truncated cone that stands on `foot`; without `top` a cylinder."""
        (x, y, z), top = foot, radius if top is None else top
        wide, turn = max(radius, top), None if top <= radius else turning(tilt=math.pi)  # the wider end is at y = -1
        self.body(CONE, (x, y + height / 2, z), (wide, height / 2, wide), paint, min(radius, top) / wide, turn)

    def roof(self, foot, size, paint):
        """A gable roof whose ridge runs along x; `size` is length, height and width."""
        (x, y, z), (length, height, width) = foot, size
        self.body(ROOF, (x, y + height / 2, z), (length / 2, height / 2, width / 2), paint)

    def rod(self, start, end, radius, paint, top=None):
        """A thin truncated cone between two points."""
        way = [e - s for s, e in zip(start, end, strict=True)]
        length = math.sqrt(sum(w * w for w in way))
        x, y, z = (w / length for w in way)
        side = math.hypot(x, z)
        right = (z / side, 0.0, -x / side) if side > 1e-6 else (1.0, 0.0, 0.0)
        back = (right[1] * z - right[2] * y, right[2] * x - right[0] * z, right[0] * y - right[1] * x)
        turn = tuple(zip(right, (x, y, z), tuple(-b for b in back), strict=True))
        middle = tuple((s + e) / 2 for s, e in zip(start, end, strict=True))
        self.body(CONE, middle, (radius, length / 2, radius), paint, 1.0 if top is None else top / radius, turn)


def turning(yaw=0.0, tilt=0.0, roll=0.0):
    """Rotation about the vertical, then (inside) about x, then about z, as three rows."""
    c, s = math.cos(yaw), math.sin(yaw)
    result = ((c, 0.0, s), (0.0, 1.0, 0.0), (-s, 0.0, c))
    if tilt:
        c, s = math.cos(tilt), math.sin(tilt)
        result = times(result, ((1.0, 0.0, 0.0), (0.0, c, -s), (0.0, s, c)))
    if roll:
        c, s = math.cos(roll), math.sin(roll)
        result = times(result, ((c, -s, 0.0), (s, c, 0.0), (0.0, 0.0, 1.0)))
    return result


def times(one, two):
    return tuple(tuple(sum(row[k] * two[k][j] for k in range(3)) for j in range(3)) for row in one)
