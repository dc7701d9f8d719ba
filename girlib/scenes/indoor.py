"""Rooms and tables: floor, walls, furniture, what stands on it, hangs from the ceiling or leans against the wall."""

import math

from . import materials as m
from .shapes import View
from .stage import Setting


def indoor(stage):
    """Fills the stage and says how it is seen and lit."""
    return table_top(stage) if stage.dice.chance(0.45) else room(stage)


def room(stage):
    dice = stage.dice
    width, depth, height = dice.uniform(3.4, 5.5), dice.uniform(2.9, 5.8), dice.uniform(2.4, 3.0)
    wall = stage.plain(dice.choice(("plaster", "white", None)), scale=0.5, contrast=0.07)
    stage.backdrop = wall
    floor = dice.choice((
        stage.pattern("wood", "dark wood", (m.GRAIN, m.TILES), (0.15, 0.5), contrast=0.1, gloss=0.08),
        stage.pattern("concrete", "slate", (m.CHECKS, m.TILES), (0.3, 0.6), contrast=0.08),
        stage.pattern(None, None, (m.PRINT, m.STRIPES), (0.1, 0.4), contrast=0.15)))  # fmt: skip
    shell(stage, width, depth, height, floor, wall)
    back = depth - 0.02

    for _ in range(dice.whole(1, 4)):  # pictures: print without depth
        size = dice.uniform(0.3, 1.0)
        at = (dice.uniform(-width / 2.4, width / 2.4), dice.uniform(1.2, 2.0), back)
        if dice.chance(0.35):
            side = dice.choice((-1, 1))
            at = (side * (width / 2 - 0.02), at[1], dice.uniform(0.5 * depth, 0.9 * depth))
            picture(stage, at, size, math.pi / 2)
        else:
            picture(stage, at, size, 0.0)
    if dice.chance(0.6):
        curtain(stage, dice.uniform(-width / 2.2, width / 4), back - 0.12, dice.uniform(0.5, 1.3), dice.uniform(1.6, 2.3))

    against = [table, shelf, shelf, shelf, cabinet, sofa, cabinet, bed, pile, heap]
    taken = []
    for _ in range(dice.whole(12, 18)):
        make = dice.choice(against)
        x = dice.uniform(-width / 2 + 0.5, width / 2 - 0.5)
        if dice.chance(0.6):
            at, yaw = (x, 0.0, depth - 0.4), math.pi
        else:
            side = dice.choice((-1, 1))
            at, yaw = (side * (width / 2 - 0.4), 0.0, dice.uniform(0.45, 0.9) * depth), -side * math.pi / 2
        if free(taken, at, 0.7):
            make(stage, at, yaw)
    for _ in range(dice.whole(2, 5)):  # in front of them
        make = dice.choice((table, chair, chair, plant, lamp, pile, pile, heap, sofa))
        at = (dice.uniform(-0.45, 0.45) * width, 0.0, depth - dice.uniform(0.7, 1.1))
        if free(taken, at, 0.6):
            make(stage, at, dice.uniform(0, 6.28))
    for _ in range(dice.whole(2, 8)):  # on the floor
        small(stage, (dice.uniform(-0.45, 0.45) * width, 0.0, depth - dice.uniform(0.2, 1.4)), dice.uniform(1.0, 2.5))
    relief(stage, width, depth, dice.uniform(0.2, 1.2))
    if dice.chance(0.4):
        hanging(stage, (dice.uniform(-0.35, 0.35) * width, height, depth - dice.uniform(0.3, 1.0)))
    for _ in range(dice.whole(0, 3)):
        leaning(stage, dice.uniform(-width / 2.2, width / 2.2), back - 0.03, dice.uniform(1.0, 1.9))
    panel(stage, (dice.uniform(-0.3, 0.3) * width, 0.0, depth - dice.uniform(0.3, 1.0)), dice.uniform(0.4, 0.9))
    if dice.chance(0.12):  # something near, cut by the frame
        chair(stage, (dice.choice((-1, 1)) * dice.uniform(0.35, 0.6), 0.0, dice.uniform(0.9, 1.2)), dice.uniform(0, 6.28))

    yaw, pitch = dice.uniform(-0.4, 0.4), dice.uniform(-0.6, -0.2)
    camera = looking((-0.6 * yaw * width, dice.uniform(1.4, 1.9), 0.15), yaw, pitch)
    return Setting(camera, 0.56, light_from(dice), "lamp", "room", dice.uniform(0.15, 0.4), 2.5, dice.uniform(0.7, 1.3))


def table_top(stage):
    """A close view of many small things: as in a laboratory's stereo pictures."""
    dice = stage.dice
    depth = dice.uniform(1.7, 2.4)
    wall = stage.pattern(dice.choice(("plaster", "white", None)), None, scale=(0.08, 0.3), contrast=0.1)
    stage.backdrop = wall
    top = stage.pattern(dice.choice(("wood", None)), dice.choice(("dark wood", None)),
                        (m.GRAIN, m.TILES, m.CHECKS, m.PRINT), (0.08, 0.3), contrast=0.12, gloss=0.1)  # fmt: skip
    shell(stage, 5.0, depth, 3.5, top, wall)
    taken = []
    for _ in range(dice.whole(1, 4)):
        share = dice.uniform(0.55, 0.95)
        heap(stage, (dice.uniform(-0.5, 0.5) * share * depth, 0.0, share * depth), 0.0, dice.uniform(0.12, 0.3))
    relief(stage, 2.4, depth, 0.0, 0.5)
    for _ in range(dice.whole(3, 7)):  # pedestals with things on them, low in front and high behind
        share = dice.uniform(0.6, 0.97)
        z, size, height = share * depth, dice.uniform(0.2, 0.5), dice.uniform(0.05, 0.5) * share**3
        at = (dice.uniform(-0.5, 0.5) * z, 0.0, z)
        stage.thing("furniture", at, dice.uniform(0, 3)).box((0, height / 2, 0), (size, height, size), paper(stage))
        for _ in range(dice.whole(1, 3)):
            small(stage, (at[0] + dice.uniform(-0.4, 0.4) * size, height, z + dice.uniform(-0.4, 0.4) * size), dice.uniform(0.7, 1.6))
    for _ in range(dice.whole(20, 36)):
        z = depth * math.sqrt(dice.uniform(0.3, 0.95))
        at = (dice.uniform(-0.5, 0.5) * z, 0.0, z)
        if free(taken, at, 0.09):
            small(stage, at, dice.uniform(0.7, 1.9))
    for _ in range(dice.whole(1, 4)):
        leaning(stage, dice.uniform(-0.5, 0.5) * depth, depth - 0.05, dice.uniform(0.4, 0.9))
    for _ in range(dice.whole(0, 3)):
        z = dice.uniform(0.85, 0.97) * depth
        hanging(stage, (dice.uniform(-0.4, 0.4) * z, 1.3, z), 0.35)
    picture(stage, (dice.uniform(-0.5, 0.5), dice.uniform(0.3, 0.8), depth - 0.01), dice.uniform(0.3, 0.6), 0.0)
    panel(stage, (dice.uniform(-0.4, 0.4), 0.0, dice.uniform(0.6, 0.85) * depth), dice.uniform(0.2, 0.4))
    if dice.chance(0.6):  # a folded cloth as the background, often of the whole picture
        left = dice.uniform(-1.3, 0.3)
        curtain(stage, left, depth - 0.04, dice.uniform(0.5, 2.6), 1.6)
    camera = looking((0.0, dice.uniform(0.7, 1.3), 0.0), dice.uniform(-0.1, 0.1), dice.uniform(-0.6, -0.35))
    return Setting(camera, 0.48, light_from(dice), "lamp", "room", dice.uniform(0.15, 0.4), 1.2, dice.uniform(0.7, 1.3))


def looking(origin, yaw, pitch):
    return View(origin, (math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)))


def light_from(dice):
    """A direction towards the light, above and on the camera's side."""
    return dice.choice((-1, 1)) * dice.uniform(0.2, 0.8), dice.uniform(0.6, 1.2), -dice.uniform(0.1, 0.9)


def free(taken, at, distance):
    if any(math.hypot(at[0] - x, at[2] - z) < distance for x, z in taken):
        return False
    taken.append((at[0], at[2]))
    return True


def shell(stage, width, depth, height, floor, wall):
    """Floor, three walls and ceiling; they cast no shadow, for the light comes from outside."""
    thick = 0.2
    stage.thing("ground", casts=False).box((0, -thick / 2, depth / 2), (width + 1, thick, depth + 4), floor)
    stage.thing("wall", casts=False).box((0, height / 2, depth + thick / 2), (width + 1, height, thick), wall)
    for side in (-1, 1):
        stage.thing("wall", casts=False).box((side * (width + thick) / 2, height / 2, depth / 2 - 1), (thick, height, depth + 3), wall)
    lid = stage.plain("white", contrast=0.03)
    stage.thing("ceiling", casts=False).box((0, height + thick / 2, depth / 2), (width + 1, thick, depth + 4), lid)


def paper(stage):
    second, gloss = stage.dice.choice((None, "ink", "white")), stage.dice.uniform(0, 0.15)
    return stage.disguise(stage.pattern(None, second, scale=(0.03, 0.12), contrast=0.06, gloss=gloss))


def relief(stage, width, depth, low, scale=1.0):
    """Shallow boxes on the wall at the back: cupboards, pilasters, a radiator, the frame of a door. The hidden ones cast no shadow."""
    dice = stage.dice
    for _ in range(dice.whole(7, 14)):
        size = tuple(scale * dice.uniform(*limits) for limits in ((0.15, 0.8), (0.2, 1.2), (0.05, 0.3)))
        at = (dice.uniform(-0.48, 0.48) * width, low + scale * dice.uniform(0, 1.6), depth - size[2] / 2)
        seen = paper(stage)
        stage.thing("furniture", at, casts=seen is not stage.backdrop).box((0, 0, 0), size, seen)


def heap(stage, at, yaw, size=0.4):
    """Cushions, stones or cloth of one kind: a heap of turned ellipsoids."""
    dice, paint = stage.dice, paper(stage)
    thing = stage.thing("object", at)
    for _ in range(dice.whole(12, 30)):
        out, angle = size * math.sqrt(dice.uniform()), dice.uniform(0, 6.28)
        centre = (1.3 * out * math.cos(angle), dice.uniform(0, 1.1) * (size - 0.7 * out), out * math.sin(angle))
        radii = tuple(size * dice.uniform(0.15, 0.5) for _ in range(3))
        thing.at(centre, angle, dice.uniform(-1, 1), dice.uniform(-1, 1)).ball((0, 0, 0), radii, paint)


def picture(stage, at, size, yaw):
    frame = stage.thing("wall", at, yaw)
    wide = size * stage.dice.uniform(0.6, 1.4)
    frame.box((0, 0, 0), (wide + 0.04, size + 0.04, 0.02), stage.plain(stage.dice.choice(("dark wood", "white", None))))
    sheet = stage.pattern(None, stage.dice.choice(("ink", None)), (m.PRINT, m.PRINT, m.SPOTS, m.CHECKS), (0.05, 0.3), contrast=0.3)
    frame.box((0, 0, 0), (wide, size, 0.024), sheet)


def panel(stage, at, size):
    """A thin upright panel on the floor; hidden it is parallel to the wall and casts no shadow."""
    dice = stage.dice
    if dice.chance(0.4):
        seen = stage.disguise(stage.plain(scale=0.5))
        hidden = seen is stage.backdrop
        stand = stage.thing("furniture", at, 0.0 if hidden else dice.uniform(-0.2, 0.2), casts=not hidden)
        stand.box((0, size / 2, 0), (size, size, 0.02), seen)


def curtain(stage, left, z, width, height):
    """Folds: upright cylinders side by side."""
    dice, cloth = stage.dice, stage.pattern(scale=(0.05, 0.2), contrast=0.1)
    thing, x = stage.thing("furniture"), left
    low = 0.0 if z < 2.4 else dice.uniform(0.05, 0.5)
    while x < left + width:
        radius = dice.uniform(0.03, 0.08)
        thing.body(2, (x + radius, low + height / 2, z), (radius, height / 2, 0.6 * radius), cloth)
        x += 1.8 * radius


def table(stage, at, yaw):
    dice, wood = stage.dice, stage.pattern("wood", "dark wood", (m.GRAIN,), (0.1, 0.3), contrast=0.08, gloss=0.12)
    wide, deep, high = dice.uniform(0.7, 1.4), dice.uniform(0.5, 0.8), dice.uniform(0.5, 0.78)
    thing = stage.thing("furniture", at, yaw)
    thing.box((0, high - 0.02, 0), (wide, 0.04, deep), wood)
    for x in (-0.46, 0.46):
        for z in (-0.44, 0.44):
            thing.rod((x * wide, 0, z * deep), (x * wide, high - 0.04, z * deep), 0.025, wood)
    for _ in range(dice.whole(2, 6)):
        small(stage, thing.point((dice.uniform(-0.4, 0.4) * wide, high, dice.uniform(-0.35, 0.35) * deep)), dice.uniform(0.8, 2.2))


def chair(stage, at, yaw):
    dice, paint = stage.dice, stage.plain(stage.dice.choice(("wood", "dark wood", None)), scale=0.1, contrast=0.12)
    seat = paint if dice.chance(0.5) else stage.pattern(scale=(0.05, 0.15))
    thing = stage.thing("furniture", at, yaw)
    thing.box((0, 0.45, 0), (0.42, 0.05, 0.42), seat)
    for x in (-0.19, 0.19):
        thing.rod((x, 0, -0.19), (x, 0.45, -0.19), 0.018, paint)
        thing.rod((x, 0, 0.19), (x, 0.92, 0.22), 0.018, paint)
    if dice.chance(0.5):
        for y in (0.62, 0.75, 0.88):
            thing.box((0, y, 0.205), (0.38, 0.05, 0.02), paint)
    else:
        thing.box((0, 0.72, 0.21), (0.40, 0.36, 0.03), seat)


def shelf(stage, at, yaw):
    """Boards with books: many small depth edges and many colour edges."""
    dice, wood = stage.dice, stage.plain(stage.dice.choice(("wood", "white", "dark wood")), contrast=0.06)
    wide, high = dice.uniform(0.7, 1.2), dice.uniform(1.2, 2.0)
    thing = stage.thing("furniture", at, yaw)
    thing.box((0, high / 2, -0.17), (wide, high, 0.02), wood)
    for x in (-wide / 2, wide / 2):
        thing.box((x, high / 2, 0), (0.03, high, 0.34), wood)
    y = 0.05
    while y < high:
        thing.box((0, y, 0), (wide, 0.03, 0.34), wood)
        x, space = -wide / 2 + 0.03, dice.uniform(0.28, 0.38)
        while x < wide / 2 - 0.1 and y + space < high:
            thick = dice.uniform(0.03, 0.10)
            if dice.chance(0.7):
                tall, deep = dice.uniform(0.55, 0.9) * space, dice.uniform(0.15, 0.28)
                stage.thing("object", thing.point((x + thick / 2, y + 0.015 + tall / 2, 0.15 - deep / 2)), yaw).box(
                    (0, 0, 0), (0.94 * thick, tall, deep), paper(stage))
            x += thick
        y += space


def cabinet(stage, at, yaw):
    dice = stage.dice
    paint = stage.disguise(stage.pattern(dice.choice(("wood", "white", None)), None, (m.GRAIN, m.STRIPES), (0.1, 0.4)))
    wide, high, deep = dice.uniform(0.5, 1.1), dice.uniform(0.5, 1.5), dice.uniform(0.35, 0.55)
    thing = stage.thing("furniture", at, yaw)
    thing.box((0, high / 2, 0), (wide, high, deep), paint)
    doors = dice.whole(2, 3)
    for i in range(doors):
        x = ((i + 0.5) / doors - 0.5) * wide
        thing.box((x, high / 2, deep / 2), (wide / doors - 0.02, high - 0.06, 0.03), paint)
        thing.ball((x + 0.05, 0.6 * high, deep / 2 + 0.03), 0.018, stage.plain("metal", gloss=0.4))
    for _ in range(dice.whole(1, 3)):
        small(stage, thing.point((dice.uniform(-0.4, 0.4) * wide, high, dice.uniform(-0.3, 0.3) * deep)), dice.uniform(1, 1.8))


def sofa(stage, at, yaw):
    dice, cloth = stage.dice, stage.disguise(stage.pattern(scale=(0.06, 0.25), contrast=0.15))
    wide = dice.uniform(1.2, 1.9)
    thing = stage.thing("furniture", at, yaw)
    thing.box((0, 0.2, 0), (wide, 0.4, 0.8), cloth)
    thing.at((0, 0.6, -0.32), tilt=-0.15).box((0, 0, 0), (wide, 0.55, 0.2), cloth)
    for x in (-wide / 2, wide / 2):
        thing.box((x, 0.3, 0), (0.2, 0.6, 0.8), cloth)
    for _ in range(dice.whole(1, 3)):
        cushion = stage.thing("object", thing.point((dice.uniform(-0.4, 0.4) * wide, 0.55, -0.1)), yaw + dice.uniform(-0.3, 0.3), -0.5)
        cushion.ball((0, 0, 0), (0.22, 0.2, 0.09), stage.pattern(scale=(0.04, 0.1)))


def bed(stage, at, yaw):
    cloth = stage.pattern(scale=(0.08, 0.3), contrast=0.2)
    thing = stage.thing("furniture", at, yaw)
    thing.box((0, 0.22, 0.6), (1.3, 0.44, 1.9), cloth)
    thing.box((0, 0.5, -0.36), (1.35, 1.0, 0.05), stage.plain("wood"))
    for x in (-0.32, 0.32):
        thing.ball((x, 0.5, -0.1), (0.28, 0.1, 0.2), stage.plain("white", contrast=0.05))


def lamp(stage, at, yaw):
    high = stage.dice.uniform(1.2, 1.7)
    thing, metal = stage.thing("furniture", at), stage.plain("metal", gloss=0.3)
    thing.cone((0, 0, 0), 0.03, 0.14, metal)
    thing.cone((0, 0, 0), high, 0.012, metal)
    thing.cone((0, high - 0.1, 0), 0.28, 0.2, stage.plain(), 0.11)


def plant(stage, at, yaw):
    dice = stage.dice
    pot = stage.thing("object", at)
    pot.cone((0, 0, 0), 0.26, 0.11, stage.plain("brick"), 0.15)
    thing, green = stage.thing("plant", at, yaw), stage.plain("leaf", scale=0.03, contrast=0.35)
    for i in range(dice.whole(7, 14)):
        angle, out, up = 2.4 * i, dice.uniform(0.1, 0.4), dice.uniform(0.4, 1.1)
        tip = (out * math.cos(angle), up, out * math.sin(angle))
        thing.rod((0, 0.2, 0), tip, 0.006, green)
        thing.at(tip, angle, dice.uniform(-0.6, 0.6), dice.uniform(-0.6, 0.6)).ball((0, 0, 0), (0.12, 0.012, 0.06), green)


def pile(stage, at, yaw):
    dice, y = stage.dice, 0.0
    for _ in range(dice.whole(2, 4)):
        size = (dice.uniform(0.25, 0.5), dice.uniform(0.12, 0.35), dice.uniform(0.25, 0.5))
        stage.thing("object", (at[0], y, at[2]), yaw + dice.uniform(-0.4, 0.4)).box((0, size[1] / 2, 0), size, paper(stage))
        y += size[1]
    small(stage, (at[0], y, at[2]), 1.5)


def hanging(stage, at, scale=1.0):
    """A lamp or a ball on a thin cord; it swings."""
    dice, down = stage.dice, stage.dice.uniform(0.5, 1.1) * scale
    thing = stage.thing("object", at, velocity=(dice.uniform(-0.5, 0.5), 0.0, 0.0))
    thing.cone((0, -down, 0), down, 0.006 * scale + 0.002, stage.plain("soot"))
    if dice.chance(0.6):
        thing.cone((0, -down - 0.2 * scale, 0), 0.2 * scale, 0.2 * scale, stage.plain(gloss=0.1), 0.05 * scale)
    else:
        thing.ball((0, -down, 0), dice.uniform(0.08, 0.16) * scale, stage.pattern(scale=(0.03, 0.08), gloss=0.2))


def leaning(stage, x, wall, length):
    """A board or a stick whose upper end touches the wall."""
    dice, out = stage.dice, stage.dice.uniform(0.15, 0.4) * length
    high = math.sqrt(length * length - out * out)
    thing = stage.thing("object")
    if dice.chance(0.5):
        thing.rod((x, 0, wall - out), (x + dice.uniform(-0.3, 0.3), high, wall), 0.012 * (1 + length), stage.plain("wood", contrast=0.15))
    else:
        board = thing.at((x, high / 2, wall - out / 2 - 0.03), tilt=math.asin(out / length))
        board.box((0, 0, 0), (dice.uniform(0.15, 0.4) * length, length, 0.02), paper(stage))


def small(stage, at, scale):
    """Something for a table: a box, a ball, a bottle, a cup, a book, a vase with stalks."""
    dice = stage.dice
    velocity = (dice.uniform(-0.3, 0.3) if dice.chance(0.15) else 0.0, 0.0, 0.0)
    thing = stage.thing("object", at, dice.uniform(0, 6.28), velocity=velocity)
    kind, s = dice.whole(0, 6), 0.1 * scale
    paint = paper(stage)
    if kind == 0:
        size = tuple(dice.uniform(0.5, 1.8) * s for _ in range(3))
        thing.box((0, size[1] / 2, 0), size, paint)
    elif kind == 1:
        radius = dice.uniform(0.4, 0.9) * s
        thing.ball((0, radius, 0), radius, paint)
    elif kind == 2:  # bottle
        r, h = dice.uniform(0.3, 0.5) * s, dice.uniform(1.2, 2.2) * s
        thing.cone((0, 0, 0), h, r, paint)
        thing.cone((0, h, 0), 0.4 * s, r, paint, 0.35 * r)
        thing.cone((0, h + 0.4 * s, 0), 0.5 * s, 0.35 * r, paint)
    elif kind == 3:
        thing.cone((0, 0, 0), dice.uniform(0.7, 1.3) * s, 0.35 * s, paint, 0.5 * s)
    elif kind == 4:
        y = 0.0
        for _ in range(dice.whole(1, 5)):
            thick = dice.uniform(0.15, 0.4) * s
            book = thing.at((0, y + thick / 2, 0), dice.uniform(-0.4, 0.4))
            book.box((0, 0, 0), (2.2 * s, thick, 1.5 * s), paper(stage))
            y += thick
    elif kind == 5:
        radii, y = [dice.uniform(0.2, 0.7) * s for _ in range(5)], 0.0
        for one, two in zip(radii[:-1], radii[1:], strict=True):
            thing.cone((0, y, 0), 0.6 * s, one, paint, two)
            y += 0.6 * s
        for _ in range(dice.choice((0, 0, dice.whole(1, 5)))):
            tip = (dice.uniform(-1.3, 1.3) * s, y + dice.uniform(1, 3) * s, dice.uniform(-1.3, 1.3) * s)
            thing.rod((0, y - 0.2 * s, 0), tip, 0.03 * s, stage.plain("leaf"))
            thing.ball(tip, dice.uniform(0.1, 0.25) * s, stage.plain())
    else:
        thing.cone((0, 0, 0), 2.4 * s, 0.6 * s, paint, 0.02 * s)
