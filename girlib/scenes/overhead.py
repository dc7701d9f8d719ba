"""What a satellite sees: fields, roads, water, roofs, trees and cars, side by side rays from above."""

import math

from . import materials as m
from .shapes import View
from .stage import Place, Setting

REACH = 128.0  # metres from the middle of the picture to its side


def overhead(stage):
    """Fills the stage and says how it is seen and lit."""
    dice = stage.dice
    base = stage.plain(dice.choice(("grass", "dry grass", "soil", "dark soil", "asphalt")), scale=40.0, contrast=0.3)
    stage.backdrop = base
    stage.thing("field", casts=False).box((0, -5, 0), (1200, 10, 1200), base)
    angle = dice.uniform(0, 3.14)
    town = dice.uniform()
    fields(stage, angle, 0.8 if town < 0.5 else 0.35)
    if dice.chance(0.5):
        river(stage)
    roads = [(angle, dice.uniform(-60, 60)), (angle + math.pi / 2, dice.uniform(-60, 60))]
    if dice.chance(0.5):
        roads.append((angle, dice.uniform(-110, 110)))
    taken = []
    for i, (direction, offset) in enumerate(roads):
        road(stage, direction, offset, dice.uniform(5, 9), i)
        for side in (-1, 1):
            along = -180.0
            while along < 180:
                step = dice.uniform(16, 34)
                if dice.chance(0.4 + 0.6 * town):
                    away = offset + side * dice.uniform(14, 20)
                    at = place(direction, along, away)
                    if all(math.hypot(at[0] - x, at[2] - z) > 16 for x, z in taken):
                        taken.append((at[0], at[2]))
                        building(stage, at, -direction, dice.uniform(9, 15), dice.uniform(8, 11))
                along += step
    if town > 0.3:
        for _ in range(dice.whole(2, 6)):
            at = (dice.uniform(-110, 110), 0.0, dice.uniform(-110, 110))
            hall(stage, at, -angle)
    for _ in range(dice.whole(15, 60)):
        tree(stage, (dice.uniform(-150, 150), 0.0, dice.uniform(-150, 150)), dice.uniform(2, 5.5))
    for _ in range(dice.whole(0, 2)):  # a wood
        x, z = dice.uniform(-120, 120), dice.uniform(-120, 120)
        for _ in range(dice.whole(25, 60)):
            tree(stage, (x + 35 * (dice.uniform(-1, 1) + dice.uniform(-1, 1)) / 2, 0.0, z + 25 * dice.uniform(-1, 1)), dice.uniform(3, 6))
    lean = dice.uniform(0, 0.12)
    turn = dice.uniform(0, 6.28)
    tilt = (math.sin(lean) * math.cos(turn), -math.cos(lean), math.sin(lean) * math.sin(turn))
    camera = View(tuple(-600 * t for t in tilt), tilt, up=(0.0, 0.0, 1.0), parallel=True)
    bearing = dice.uniform(0, 6.28)
    sun = (math.cos(bearing), dice.uniform(0.8, 1.8), math.sin(bearing))
    return Setting(camera, REACH, sun, "sun", "sky", 0.2, 600.0, dice.uniform(0.9, 1.3), dice.uniform(0.008, 0.025))


def place(direction, along, away):
    c, s = math.cos(direction), math.sin(direction)
    return c * along - s * away, 0.0, s * along + c * away


def fields(stage, angle, share):
    """Strips of different crops, each a centimetre or two above the ground."""
    dice, away = stage.dice, -200.0
    while away < 200:
        wide, along = dice.uniform(25, 70), -200.0
        while along < 200:
            long = dice.uniform(40, 120)
            if dice.chance(share):
                name = dice.choice(("grass", "crop", "dry grass", "soil", "dark soil", "asphalt", "sand", "concrete"))
                paint = stage.pattern(name, dice.choice((name, "soil", "grass")), (m.STRIPES, m.GRAIN, m.GRAIN), (2, 7), contrast=0.2)
                thing = stage.thing("field", place(angle, along + long / 2, away + wide / 2), -angle, casts=False)
                thing.box((0, 0, 0), (long - 1.5, 0.03 + 0.2 * dice.uniform(), wide - 1.5), paint)
            along += long
        away += wide


def road(stage, direction, offset, wide, level):
    thing = stage.thing("road", place(direction, 0, offset), -direction, casts=False)
    paving = stage.plain(stage.dice.choice(("asphalt", "concrete")), scale=6.0, contrast=0.15)
    thing.box((0, 0.15 + 0.01 * level, 0), (900, 0.1, wide), paving)
    thing.box((0, 0.16 + 0.01 * level, 0), (900, 0.1, 0.35), stage.plain("white"))
    for _ in range(stage.dice.whole(1, 6)):
        side, along = stage.dice.choice((-1, 1)), stage.dice.uniform(-140, 140)
        velocity = place(direction, side * stage.dice.uniform(5, 14), 0)
        car = stage.thing("vehicle", place(direction, along, offset + side * wide / 4), -direction, velocity=velocity)
        paint = stage.plain(stage.dice.choice((None, "white", "soot")), gloss=0.3)
        car.box((0, 0.7, 0), (4.2, 1.0, 1.8), paint)
        car.box((0, 1.3, 0), (2.2, 0.6, 1.6), stage.plain("glass"))


def river(stage):
    """Overlapping flat discs along a curve."""
    dice, water = stage.dice, stage.plain("water", scale=12.0, contrast=0.25, gloss=0.1)
    direction, x, z = dice.uniform(0, 6.28), dice.uniform(-60, 60), dice.uniform(-60, 60)
    thing = stage.thing("water", casts=False)
    for sense in (-1, 1):
        bend, p, q = direction, x, z
        for _ in range(22):
            r = dice.uniform(8, 12)
            thing.body(2, (p, 0.08, q), (r, 0.14, r), water)
            p, q, bend = p + sense * 9 * math.cos(bend), q + sense * 9 * math.sin(bend), bend + dice.uniform(-0.25, 0.25)


def building(stage, at, yaw, wide, deep):
    dice, high = stage.dice, stage.dice.uniform(4, 9)
    thing = stage.thing("building", at, yaw + dice.choice((0, math.pi / 2)))
    thing.box((0, high / 2, 0), (wide, high, deep), stage.plain(dice.choice(("plaster", "brick", "concrete"))))
    cover = dice.choice(("tile", "tile", "slate", "metal", "white"))
    paint = stage.disguise(stage.pattern(cover, "dark soil", (m.STRIPES,), (0.8, 1.6), contrast=0.2))
    top = stage.thing("roof", thing.origin, yaw=0)
    roof = Place(stage, top.id, top.label, thing.origin, thing.turn, thing.velocity, True)
    roof.roof((0, high, 0), (wide + 1, dice.uniform(2, 4), deep + 1), paint)
    if dice.chance(0.6):
        roof.box((wide / 4, high + 2.5, deep / 6), (0.9, 3.0, 0.9), stage.plain("brick"))


def hall(stage, at, yaw):
    """A flat roof with machines on it."""
    dice, high = stage.dice, stage.dice.uniform(6, 14)
    wide, deep = dice.uniform(20, 45), dice.uniform(15, 30)
    thing = stage.thing("roof", at, yaw)
    cover = stage.disguise(stage.plain(dice.choice(("concrete", "metal", "white", "white")), scale=5.0, contrast=0.15))
    thing.box((0, high / 2, 0), (wide, high, deep), cover)
    for _ in range(dice.whole(2, 8)):
        thing.box((dice.uniform(-0.4, 0.4) * wide, high + 0.7, dice.uniform(-0.4, 0.4) * deep),
                  (dice.uniform(1, 5), 1.4, dice.uniform(1, 4)), stage.plain("metal"))  # fmt: skip


def tree(stage, at, size):
    dice, green = stage.dice, stage.plain(stage.dice.choice(("leaf", "leaf", "grass")), scale=1.2, contrast=0.5)
    thing = stage.thing("plant", at)
    for _ in range(dice.whole(1, 4)):
        r = size * dice.uniform(0.5, 0.9)
        thing.ball((dice.uniform(-0.5, 0.5) * size, 1.1 * size * dice.uniform(0.7, 1.2), dice.uniform(-0.5, 0.5) * size), (r, r, r), green)
