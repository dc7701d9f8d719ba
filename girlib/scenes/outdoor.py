"""Streets and gardens: ground, facades, trees, fences, posts and cars under the sun."""

import math

from . import materials as m
from .indoor import looking
from .stage import Setting


def outdoor(stage):
    """Fills the stage and says how it is seen and lit."""
    dice = stage.dice
    far = dice.uniform(18, 32)
    sky = stage.thing("sky", casts=False)
    sky.box((0, 30, 1.6 * far), (400, 120, 1.0), stage.plain("white", scale=30.0, contrast=0.05))
    ground = stage.thing("ground", casts=False)
    lawn = stage.plain(dice.choice(("grass", "dry grass", "sand", "soil")), scale=0.8, contrast=0.4)
    ground.box((0, -0.5, 30), (200, 1.0, 200), lawn)
    stage.backdrop = stage.plain(dice.choice(("plaster", "concrete")), scale=1.5, contrast=0.1)  # of hidden walls and things
    street = dice.uniform(-3, 3)
    stage.thing("road", casts=False).box((street, -0.49, 30), (dice.uniform(2.5, 6), 1.0, 200),
                                         stage.pattern("asphalt", "concrete", (m.TILES, m.CHECKS), (0.5, 1.0), contrast=0.15))  # fmt: skip
    x = -1.2 * far
    while x < 1.2 * far:
        wide = dice.uniform(6, 12)
        house(stage, (x + wide / 2, 0.0, far + dice.uniform(-2, 3)), 0.0, wide, dice.uniform(5, 12))
        x += wide + dice.choice((0.0, 0.0, dice.uniform(0.5, 3)))
    for side in (-1, 1):
        if dice.chance(0.6):
            z = dice.uniform(5, 10)
            while z < far - 3:
                wide = dice.uniform(5, 9)
                house(stage, (side * (dice.uniform(7.5, 9.5)), 0.0, z + wide / 2), -side * math.pi / 2, wide, dice.uniform(4, 9))
                z += wide + dice.choice((0.0, dice.uniform(1, 4)))
    for _ in range(dice.whole(2, 6)):
        z = dice.uniform(6, 0.9 * far)
        tree(stage, (dice.uniform(-0.6, 0.6) * z, 0.0, z), dice.uniform(2.5, 6))
    for _ in range(dice.whole(2, 6)):
        z = dice.uniform(4, 0.8 * far)
        bush(stage, (dice.uniform(-0.6, 0.6) * z, 0.0, z), dice.uniform(0.4, 1.0))
    for _ in range(dice.whole(1, 3)):
        z = dice.uniform(5, 0.7 * far)
        car(stage, (street + dice.uniform(-2, 2), 0.0, z), dice.choice((0.0, math.pi / 2, dice.uniform(0, 6.28))))
    if dice.chance(0.7):
        fence(stage, dice.choice((-1, 1)) * dice.uniform(1.5, 4), dice.uniform(4, 8), dice.uniform(-0.5, 0.5))
    for _ in range(dice.whole(1, 4)):
        z = dice.uniform(4, 0.8 * far)
        post(stage, (dice.uniform(-0.5, 0.5) * z, 0.0, z))
    for _ in range(dice.whole(0, 3)):
        z = dice.uniform(3.5, 10)
        stage.thing("object", (dice.uniform(-0.5, 0.5) * z, 0.0, z), dice.uniform(0, 3)).box(
            (0, 0.4, 0), (dice.uniform(0.5, 1.5), dice.uniform(0.6, 1.2), dice.uniform(0.4, 1)),
            stage.disguise(stage.pattern(scale=(0.1, 0.4))))  # fmt: skip
    camera = looking((0.0, dice.uniform(1.4, 2.4), 0.0), dice.uniform(-0.3, 0.3), dice.uniform(-0.12, 0.02))
    sun = (dice.choice((-1, 1)) * dice.uniform(0.3, 1.2), dice.uniform(0.5, 1.4), -dice.uniform(0.1, 1.0))
    return Setting(camera, 0.56, sun, "sun", "sky", 0.28, 8.0, 1.7)


def house(stage, at, yaw, wide, high):
    """A facade with windows, a door, sills and sometimes balconies; `yaw` 0 looks towards smaller z."""
    dice, deep = stage.dice, 6.0
    wall = dice.choice(("brick", "plaster", "concrete", None))
    thing = stage.thing("building", at, yaw)
    bricks = stage.pattern(wall, "concrete" if wall == "brick" else None, (m.TILES,), (0.25, 0.6), contrast=0.12)
    front = bricks if wall == "brick" else stage.disguise(stage.plain(wall, scale=1.5, contrast=0.1))
    thing.box((0, high / 2, deep / 2), (wide, high, deep), front)
    frame, glass = stage.plain("white"), stage.plain("glass", gloss=0.5)
    columns, rows = max(1, int(wide / dice.uniform(2.2, 3))), max(1, int(high / 3))
    balcony = dice.chance(0.25)
    deepness = dice.uniform(0.05, 0.2)
    for i in range(columns):
        for j in range(rows):
            x, y = ((i + 0.5) / columns - 0.5) * wide, 1.6 + 3 * j
            if j == 0 and i == columns // 2:
                thing.box((x, 1.05, -0.05), (1.0, 2.1, 0.1), stage.plain(None))
                continue
            thing.box((x, y, 0), (1.15, 1.5, deepness), frame)
            thing.box((x, y, 0), (0.95, 1.3, deepness + 0.03), glass)
            if balcony and j:
                thing.box((x, y - 0.9, -0.5), (1.8, 0.12, 1.0), stage.plain("concrete"))
                thing.box((x, y - 0.45, -1.0), (1.8, 0.9, 0.05), frame)
    if dice.chance(0.6):
        stage.thing("roof", thing.point((0, high, deep / 2)), yaw).roof(
            (0, 0, 0), (wide + 0.6, dice.uniform(1.5, 3), deep + 0.8),
            stage.pattern(dice.choice(("tile", "slate")), "dark soil", (m.TILES,), (0.3, 0.5), contrast=0.15))


def tree(stage, at, high):
    dice = stage.dice
    crown = 0.3 * high
    stage.thing("plant", at).cone((0, 0, 0), 0.75 * high, 0.04 * high, stage.plain("bark", scale=0.1, contrast=0.4), 0.02 * high)
    thing, green = stage.thing("plant", at), stage.plain(dice.choice(("leaf", "leaf", "grass")), scale=0.12, contrast=0.6)
    for i in range(dice.whole(14, 28)):
        angle, out, up = 2.4 * i, crown * math.sqrt(dice.uniform()), dice.uniform(-1, 1)
        out *= math.sqrt(1 - up * up)
        r = crown * dice.uniform(0.2, 0.5)
        thing.ball((out * math.cos(angle), 0.68 * high + 0.9 * crown * up, out * math.sin(angle)), (r, 0.7 * r, r), green)


def bush(stage, at, size):
    dice, green = stage.dice, stage.plain(stage.dice.choice(("leaf", "grass")), scale=0.08, contrast=0.6)
    thing = stage.thing("plant", at)
    for _ in range(dice.whole(4, 9)):
        r = size * dice.uniform(0.3, 0.6)
        thing.ball((dice.uniform(-1, 1) * size, dice.uniform(0.2, 0.7) * size, dice.uniform(-0.6, 0.6) * size), (r, 0.8 * r, r), green)


def car(stage, at, yaw):
    dice = stage.dice
    speed = dice.uniform(1, 4) if dice.chance(0.6) else 0.0
    thing = stage.thing("vehicle", at, yaw, velocity=(speed * math.sin(yaw), 0.0, speed * math.cos(yaw)))
    body, glass, tyre = stage.disguise(stage.plain(gloss=0.4)), stage.plain("glass", gloss=0.5), stage.plain("soot")
    thing.box((0, 0.55, 0), (1.7, 0.6, 4.1), body)
    thing.box((0, 1.05, -0.2), (1.5, 0.5, 2.2), glass)
    thing.box((0, 1.33, -0.2), (1.4, 0.06, 1.9), body)
    for x in (-0.85, 0.85):
        for z in (-1.3, 1.3):
            thing.at((x, 0.32, z), roll=math.pi / 2).cone((0, -0.1, 0), 0.2, 0.32, tyre)


def fence(stage, x, z, slope):
    dice, wood = stage.dice, stage.disguise(stage.plain(stage.dice.choice(("wood", "white", "metal")), contrast=0.15))
    thing = stage.thing("object", (x, 0, z), slope)
    gap, high = dice.uniform(0.16, 0.4), dice.uniform(0.8, 1.3)
    count = dice.whole(8, 18)
    for i in range(count):
        thing.box((gap * i, high / 2, 0), (0.08, high, 0.03), wood)
    for y in (0.3, 0.8):
        thing.box((gap * (count - 1) / 2, y * high, 0.03), (gap * count, 0.08, 0.03), wood)


def post(stage, at):
    dice, high = stage.dice, stage.dice.uniform(2, 5)
    thing, metal = stage.thing("object", at, dice.uniform(-0.5, 0.5)), stage.plain(dice.choice(("metal", "dark wood", None)))
    thing.cone((0, 0, 0), high, 0.05, metal)
    if dice.chance(0.5):
        thing.box((0, high - 0.3, -0.07), (0.7, 0.7, 0.02), stage.pattern(patterns=(m.PRINT, m.STRIPES), scale=(0.1, 0.4)))
    else:
        thing.rod((0, high, 0), (0.9, high + 0.1, 0), 0.035, metal)
        thing.cone((0.9, high - 0.15, 0), 0.25, 0.16, stage.plain("white"), 0.06)
