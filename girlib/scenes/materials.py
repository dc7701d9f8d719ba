"""What surfaces are made of: reflectance spectra, lights and spectral responses on one wavelength grid, and textures.

The spectra are drawn by hand after what is known of each material: the green peak, the red edge near 700 nm and the water dips of leaves,
water that ends in the infrared, soil and brick that rise, dyes that are black to the eye and pale beyond 750 nm.
"""

from functools import lru_cache

import torch

from .shapes import BOX, CONE

WAVELENGTHS = torch.arange(400.0, 1001.0, 10.0)  # nm; the first 31 are the bands of CAVE
KNOTS = (400, 450, 500, 550, 600, 650, 680, 700, 720, 750, 800, 900, 970, 1000)
SPECTRA = {
    "grass":    (.03, .04, .05, .11, .07, .05, .04, .10, .24, .42, .48, .50, .45, .48),
    "dry grass": (.07, .10, .14, .20, .25, .28, .30, .32, .34, .37, .40, .44, .43, .45),
    "crop":     (.03, .03, .05, .09, .05, .04, .03, .09, .28, .48, .54, .56, .50, .53),
    "leaf":     (.02, .03, .03, .07, .04, .03, .03, .07, .20, .36, .42, .44, .40, .43),
    "bark":     (.05, .06, .08, .10, .13, .16, .18, .19, .21, .24, .28, .33, .34, .35),
    "soil":     (.06, .08, .10, .13, .17, .20, .22, .23, .24, .26, .28, .32, .33, .34),
    "dark soil": (.03, .04, .05, .06, .08, .09, .10, .11, .11, .12, .14, .17, .18, .18),
    "sand":     (.16, .21, .27, .33, .39, .43, .45, .46, .47, .48, .50, .53, .53, .54),
    "water":    (.05, .06, .06, .05, .03, .02, .015, .013, .011, .008, .006, .004, .003, .003),
    "asphalt":  (.07, .08, .09, .10, .11, .11, .12, .12, .12, .12, .13, .14, .14, .14),
    "concrete": (.20, .24, .28, .31, .33, .34, .35, .35, .35, .36, .36, .37, .37, .38),
    "brick":    (.06, .08, .10, .15, .26, .32, .34, .35, .36, .37, .39, .43, .44, .45),
    "tile":     (.05, .06, .08, .13, .24, .30, .32, .34, .35, .36, .36, .38, .40, .41),
    "slate":    (.10, .11, .11, .11, .11, .11, .11, .11, .11, .12, .12, .13, .13, .13),
    "metal":    (.40, .43, .45, .46, .47, .48, .48, .48, .48, .48, .48, .49, .50, .50),
    "plaster":  (.52, .60, .64, .66, .67, .68, .68, .69, .69, .70, .71, .72, .71, .72),
    "white":    (.62, .78, .82, .83, .84, .84, .84, .84, .84, .84, .83, .82, .81, .81),
    "wood":     (.12, .17, .24, .32, .40, .45, .47, .49, .51, .54, .58, .62, .61, .62),
    "dark wood": (.04, .05, .07, .10, .14, .18, .20, .22, .24, .28, .34, .42, .43, .44),
    "ink":      (.04, .04, .04, .04, .04, .05, .06, .09, .16, .40, .62, .74, .76, .77),
    "soot":     (.03, .03, .03, .03, .03, .03, .03, .03, .03, .03, .03, .03, .03, .03),
    "glass":    (.09, .10, .10, .09, .08, .07, .06, .06, .05, .05, .05, .05, .05, .05),
}  # fmt: skip
LIGHTS = {  # relative power, drawn likewise
    "sun":     (.62, .80, .92, .98, 1.0, 1.0, .99, .97, .94, .92, .86, .72, .66, .64),
    "sky":     (1.0, .96, .82, .68, .57, .50, .46, .44, .42, .39, .34, .27, .24, .23),
    "lamp":    (.12, .26, .44, .62, .78, .90, .95, .97, .98, 1.0, 1.0, .98, .96, .95),
    "flash":   (.80, .96, 1.0, 1.0, .98, .96, .94, .92, .90, .86, .80, .74, .70, .68),
}  # fmt: skip
PLAIN, STRIPES, CHECKS, TILES, WINDOWS, PRINT, SPOTS, GRAIN = range(8)


def on_grid(values):
    """Values at the knots, linear between them: (61,)."""
    knots, values = torch.tensor(KNOTS, dtype=torch.float64), torch.tensor(values, dtype=torch.float64)
    x = WAVELENGTHS.double()
    i = torch.searchsorted(knots, x, right=True).clamp(1, len(KNOTS) - 1)
    share = (x - knots[i - 1]) / (knots[i] - knots[i - 1])
    return (values[i - 1] + share * (values[i] - values[i - 1])).float()


def bell(centre, width):
    """A response of full width `width` at half its height."""
    return torch.exp(-4 * torch.log(torch.tensor(2.0)) * ((WAVELENGTHS - centre) / width) ** 2)


def window(low, high, soft=12.0):
    """A response from `low` to `high` nm whose flanks are about `soft` nm wide."""
    return torch.sigmoid(4 * (WAVELENGTHS - low) / soft) * torch.sigmoid(4 * (high - WAVELENGTHS) / soft)


def rows(*responses):
    stack = torch.stack(responses)
    return stack / stack.sum(1, keepdim=True)


RESPONSES = {  # (C, 61), rows that sum to one
    "rgb": rows(bell(605, 75), bell(540, 85), bell(455, 65)),
    "nir": rows(bell(850, 80)),
    "worldview3": rows(window(400, 450), window(450, 510), window(510, 580), window(585, 625), window(630, 690), window(705, 745),
                       window(770, 895), window(860, 1000)),
    "fourband": rows(window(450, 520), window(520, 600), window(630, 690), window(760, 900)),  # blue, green, red, near infrared
    "pan": rows(window(450, 800, 30)),
    "mono": rows(window(400, 700, 60)),
    "visible31": torch.eye(61)[:31],
}  # fmt: skip
NAMES = list(SPECTRA)
FIXED = torch.stack([on_grid(values) for values in SPECTRA.values()])
LIGHTS = {name: on_grid(values) for name, values in LIGHTS.items()} | {"red flash": bell(660, 25)}
LIGHTS["room"] = 0.7 * LIGHTS["lamp"] + 0.3 * LIGHTS["sky"]  # what walls and ceiling send back
HAZE = (550 / WAVELENGTHS) ** 4
RED_POWER = ((RESPONSES["rgb"][0] * LIGHTS["flash"]).sum() / (RESPONSES["rgb"][0] * LIGHTS["red flash"]).sum()).item()  # as bright in red


def paints(dice, count):
    """Random smooth spectra of painted things: a floor, a step up or a hump in the visible, pale or dark in the infrared: (count, 61)."""
    result = []
    for _ in range(count):
        floor, height = dice.uniform(0.03, 0.25), dice.uniform(0.05, 0.6) * dice.uniform(0.4, 1)
        if dice.chance(0.55):
            hue = torch.sigmoid((WAVELENGTHS.double() - dice.uniform(480, 620)) / dice.uniform(12, 30))
        else:
            hue = bell(dice.uniform(430, 560), dice.uniform(80, 160)).double()
        hue = hue * dice.choice((1.0, 1.0, 0.15))  # a third is grey
        infrared = torch.sigmoid((WAVELENGTHS.double() - dice.uniform(690, 780)) / 20) * dice.uniform(0, 0.5)
        whole = (floor + height * hue) * dice.choice((0.3, 0.6, 1.0, 1.3))
        result.append((whole + (0.9 - whole) * infrared).clamp(0.01, 0.95).float())
    return torch.stack(result)


@lru_cache(None)
def noise_table(device):
    """Random numbers for the corners of all textures; a surface takes its own part of them."""
    return torch.rand(256 * 256, generator=torch.Generator().manual_seed(0)).to(device)


def value_noise(table, u, v):
    """Smooth random function of the plane with a cell of 1, between -1 and 1."""
    fu, fv = u.floor(), v.floor()
    x, y = u - fu, v - fv
    x, y = x * x * (3 - 2 * x), y * y * (3 - 2 * y)
    i, j = fu.int() & 255, (fv.int() & 255) << 8
    k, l = (i + 1) & 255, (j + 256) & 65535
    one, two, three, four = (table.index_select(0, corner) for corner in (i + j, k + j, i + l, k + l))
    top, bottom = one + x * (two - one), three + x * (four - three)
    return 2 * (top + y * (bottom - top)) - 1


def fractal(table, u, v, footprint, octaves):
    """Value noise of several sizes, each half as large and a little weaker; what is finer than two pixels fades out."""
    total = torch.zeros_like(u)
    for octave in range(octaves):
        size = 2.0**octave
        weight = 0.7**octave * (2 - 2 * size * footprint).clamp(0, 1)
        total += weight * value_noise(table, u * size + 17.3 * octave, v * size + 71.9 * octave)
    return total


def cell_hash(table, i, j):
    """A random number in [0, 1) for each cell of the plane."""
    return table.index_select(0, (i.int() * 7 & 255) + ((j.int() * 13 & 255) << 8))


def covered(x, width, foot):
    """Share of the stretch from x - foot/2 to x + foot/2 that lies on stripes [i, i + width) of a period of 1."""
    def below(x):
        whole = x.floor()
        return whole * width + (x - whole).clamp_max(width)

    return ((below(x + foot / 2) - below(x - foot / 2)) / foot).clamp(0, 1)


def coordinates(kind, face, local, half):
    """Two coordinates on the surface in metres: faces of a box, else around the axis (an angle made of quotients) and along it."""
    x, y, z = local
    hx, hy, hz = half
    u = torch.where(face == 0, z * hz, x * hx)
    v = torch.where(face == 1, z * hz, y * hy)
    around = x / (x.abs() + z.abs()).clamp_min(1e-6)
    around = torch.where(z < 0, 2 - around, around) * (1.57 * hx)
    curved = (kind != BOX) & (face != 1) & (kind <= CONE)
    return torch.where(curved, around, u), torch.where(curved, y * hy, v)


def texture(table, pattern, u, v, scale, aspect, seed, contrast, footprint, octaves):
    """Share of the second material and brightness at surface points (tensors of one length); `seed` in [0, 1) tells surfaces apart.

    Regular patterns are averaged over the footprint of a pixel, so that their edges need no further rays.
    """
    footprint = footprint / scale
    u, v = u / scale + 97 * seed, v / (scale * aspect) + 41 * seed
    share, gain = torch.zeros_like(u), torch.ones_like(u)
    for number in pattern.bincount().nonzero()[:, 0].tolist():
        if number == PLAIN:
            continue
        at = (pattern == number).nonzero()[:, 0]
        s, t, foot, chance, long = (x.index_select(0, at) for x in (u, v, footprint, seed, aspect))
        part, shade = PATTERNS[number](table, s, t, foot, foot / long, chance, octaves)
        share.index_copy_(0, at, part)
        gain.index_copy_(0, at, shade)
    return share, (gain * (1 + contrast * fractal(table, 4 * u, 4 * v, 4 * footprint, octaves))).clamp(0.05, 1.9)


def stripes(table, s, t, wide, high, seed, octaves):
    return covered(s, 0.35 + 0.3 * seed, wide), torch.ones_like(s)


def checks(table, s, t, wide, high, seed, octaves):
    one, two = covered(s / 2, 0.5, wide / 2), covered(t / 2, 0.5, high / 2)
    return one + two - 2 * one * two, torch.ones_like(s)


def tiles(table, s, t, wide, high, seed, octaves):
    """Every second row is shifted."""
    row = t.floor()
    s = s + (row / 2 - (row / 2).floor())
    one, two = covered(s, 0.06, wide), covered(t, 0.10, high)
    return one + two - one * two, 0.8 + 0.4 * cell_hash(table, s.floor(), row)


def windows(table, s, t, wide, high, seed, octaves):
    share = covered(s - 0.23, 0.54, wide) * covered(t - 0.18, 0.64, high)
    return share, 1 + share * (cell_hash(table, s.floor(), t.floor()) - 0.5)


def print_(table, s, t, wide, high, seed, octaves):
    """Large and small patches."""
    large = cell_hash(table, s.floor(), t.floor())
    small = cell_hash(table, (4 * s).floor() + 5, (6 * t).floor() + 3)
    return torch.where(large < 0.55, small > 0.5, large > 0.8).float(), torch.ones_like(s)


def spots(table, s, t, wide, high, seed, octaves):
    i, j = s.floor(), t.floor()
    x, y = s - i - 0.5, t - j - 0.5
    inside = 0.15 + 0.3 * cell_hash(table, i, j) - (x * x + y * y).sqrt()
    return (inside / wide + 0.5).clamp(0, 1), torch.ones_like(s)


def grain(table, s, t, wide, high, seed, octaves):
    return (0.5 + 0.9 * fractal(table, 9 * s, t, 9 * wide, octaves)).clamp(0, 1), torch.ones_like(s)


PATTERNS = {STRIPES: stripes, CHECKS: checks, TILES: tiles, WINDOWS: windows, PRINT: print_, SPOTS: spots, GRAIN: grain}
