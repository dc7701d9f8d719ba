"""A small table in front of a wall, computed: colour, depth, spectrum and flash of one and the same scene.

Every ray is intersected with every object in closed form (two kinds suffice: boxes, and bodies turned on a lathe), so that
depth and edges are exact. Colour is averaged over nine rays a pixel, as a lens does; depth is that of the pixel's centre.

Hard cases are built in on purpose: a poster whose print has no depth, a panel that has the wall's colour, thin stalks, shadows.
"""

import math
from dataclasses import dataclass

import torch

from .errors import GirlibError

# Reflectance in eight bands, centres in nanometres:
#             430   480   530   580   630   680   760   860
SPECTRA = {
    "plaster": (0.55, 0.60, 0.64, 0.66, 0.67, 0.68, 0.70, 0.72),
    "wood":    (0.15, 0.21, 0.30, 0.39, 0.46, 0.50, 0.57, 0.61),
    "grain":   (0.09, 0.12, 0.19, 0.26, 0.32, 0.36, 0.45, 0.52),
    "glaze":   (0.34, 0.42, 0.40, 0.22, 0.12, 0.10, 0.30, 0.48),
    "cream":   (0.58, 0.68, 0.76, 0.80, 0.82, 0.83, 0.84, 0.84),
    "leaf":    (0.05, 0.08, 0.20, 0.13, 0.07, 0.05, 0.55, 0.64),
    "berry":   (0.05, 0.05, 0.05, 0.10, 0.55, 0.70, 0.74, 0.76),
    "brick":   (0.10, 0.13, 0.17, 0.29, 0.47, 0.54, 0.60, 0.63),
    "slate":   (0.24, 0.25, 0.25, 0.24, 0.23, 0.23, 0.24, 0.26),
    "ochre":   (0.10, 0.16, 0.44, 0.66, 0.72, 0.74, 0.76, 0.77),
    "sky":     (0.50, 0.54, 0.46, 0.32, 0.25, 0.24, 0.40, 0.52),
    "paper":   (0.78, 0.82, 0.84, 0.85, 0.85, 0.86, 0.86, 0.86),
    "ink":     (0.06, 0.06, 0.06, 0.06, 0.07, 0.12, 0.58, 0.80),     # a dye: black to the eye, nearly gone in infrared
}  # fmt: skip
LAMP = torch.tensor([0.50, 0.58, 0.66, 0.74, 0.81, 0.86, 0.90, 0.92])        # warm
AMBIENT = torch.tensor([0.54, 0.53, 0.51, 0.49, 0.47, 0.46, 0.42, 0.38])     # cool
FLASH = torch.tensor([0.95, 0.97, 0.98, 1.00, 1.00, 0.99, 0.95, 0.90])
MIX = torch.tensor([[0.00, 0.00, 0.00, 0.20, 0.60, 0.20, 0.00, 0.00],        # red, green, blue of the eight bands
                    [0.00, 0.10, 0.60, 0.30, 0.00, 0.00, 0.00, 0.00],
                    [0.60, 0.40, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00]])       # fmt: skip
WHITE = MIX @ (0.6 * LAMP + 0.85 * AMBIENT)                                        # white balance: grey stays grey under lamp and ambient
TO_LAMP = torch.tensor([-0.50, 0.70, -0.55]) / math.sqrt(0.5**2 + 0.7**2 + 0.55**2)
CAMERA, PITCH, HALF_WIDTH = torch.tensor([0.0, 0.52, 0.0]), math.radians(-10.5), 0.42      # metres, radians, tangent
BULB = CAMERA + torch.tensor([0.13, 0.09, 0.0])                              # the flash sits above and to the right of the lens
WALL, FAR = 2.8, 1e6                                                         # metres; FAR: nothing was hit


@dataclass
class StillLife:
    """One scene, four ways: what a method is given and what it should have found come from the same geometry and light."""

    color: torch.Tensor  # (1, 3, H, W) in [0, 1], linear: a fixed mix of the visible bands
    depth: torch.Tensor  # (1, 1, H, W) metres along the optical axis
    bands: torch.Tensor  # (1, 8, H, W) in [0, 1]: reflectance times light, 430 nm to 860 nm
    flash: torch.Tensor  # (1, 3, H, W) in [0, 1]: the same scene lit by a flash beside the lens


class Box:
    """A cuboid, turned by `yaw` about the vertical through its centre."""

    def __init__(self, centre, size, paint, yaw=0.0, gloss=0.0):
        self.centre, self.half, self.paint, self.gloss = torch.tensor(centre), torch.tensor(size) / 2, paint, gloss
        c, s = math.cos(yaw), math.sin(yaw)
        self.turn = torch.tensor([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]])

    def hit(self, origin, ray):
        origin, ray = (origin - self.centre) @ self.turn, ray @ self.turn                # into the box's own axes
        one, two = (-self.half - origin) / ray, (self.half - origin) / ray
        enter, leave = torch.minimum(one, two).amax(-1), torch.maximum(one, two).amin(-1)
        return torch.where((enter < leave) & (enter > 1e-4), enter, FAR)

    def normal(self, point):
        local = (point - self.centre) @ self.turn / self.half
        axis = local.abs().argmax(-1, keepdim=True)
        return torch.zeros_like(local).scatter(-1, axis, local.gather(-1, axis).sign()) @ self.turn.T


class Lathe:
    """A body of revolution, squared radius piecewise quadratic in the height, so that every piece is a quadric.

    `pieces` are (low, high, c0, c1, c2): x^2 + z^2 = c0 + c1 y + c2 y^2 for low <= y <= high; `lean` shears the axis (dx/dy, dz/dy).
    """

    def __init__(self, base, pieces, paint, lean=(0.0, 0.0), gloss=0.0):
        self.base, self.pieces, self.paint, self.gloss = torch.tensor(base), pieces, paint, gloss
        self.lean = torch.tensor([lean[0], 0.0, lean[1]])

    def hit(self, origin, ray):
        origin, best = origin - self.base, torch.full(ray.shape[:-1], FAR)
        o, d = origin - origin[..., 1:2] * self.lean, ray - ray[..., 1:2] * self.lean    # upright again
        oy, dy = o[..., 1], d[..., 1]
        for low, high, c0, c1, c2 in self.pieces:
            a = d[..., 0] ** 2 + d[..., 2] ** 2 - c2 * dy**2
            b = o[..., 0] * d[..., 0] + o[..., 2] * d[..., 2] - (c2 * oy + c1 / 2) * dy
            c = o[..., 0] ** 2 + o[..., 2] ** 2 - c0 - (c1 + c2 * oy) * oy
            root = (b**2 - a * c).clamp_min(0).sqrt()
            for t in ((-b - root) / a, (-b + root) / a):
                y = oy + t * dy
                best = torch.where((b**2 > a * c) & (t > 1e-4) & (y >= low) & (y <= high) & (t < best), t, best)
        return best

    def normal(self, point):
        p = point - self.base
        y = p[..., 1:2]
        p = p - y * self.lean
        slope = sum(((y >= low) & (y < high)) * (c1 / 2 + c2 * y) for low, high, _, c1, c2 in self.pieces)
        x, z = p[..., :1], p[..., 2:]
        n = torch.cat([x, -slope - x * self.lean[0] - z * self.lean[2], z], -1)
        return torch.nn.functional.normalize(n, dim=-1)


def ball(centre, radius, paint):
    return Lathe(centre, [(-radius, radius, radius**2, 0.0, -1.0)], paint, gloss=0.25)


def vase(base, height, radii, paint):
    """The squared radii are the control points of a quadratic spline: a smooth body whatever the numbers."""
    c, h = [r**2 for r in radii], height / (len(radii) - 2)
    pieces = []
    for i, (p, q, r) in enumerate(zip(c, c[1:], c[2:], strict=False)):
        e0, e1, e2 = (p + q) / 2, (q - p) / h, (p - 2 * q + r) / (2 * h * h)             # in y - low
        low = i * h
        pieces.append((low, low + h, e0 - e1 * low + e2 * low**2, e1 - 2 * e2 * low, e2))
    return Lathe(base, pieces, paint, gloss=0.45)


def plain(name):
    return lambda p: torch.tensor(SPECTRA[name]).expand(*p.shape[:-1], 8)


def blend(weight, first, second):
    return torch.lerp(torch.tensor(SPECTRA[first]), torch.tensor(SPECTRA[second]), weight.unsqueeze(-1))


def arrange(seed):
    """The objects of one scene; every seed moves them a little and turns the boxes."""
    random = torch.Generator().manual_seed(seed)

    def near(value, spread=0.03):
        return value + spread * (2 * torch.rand((), generator=random).item() - 1)

    waves = torch.randn(24, 2, generator=random) * 26                                    # rough plaster: random plane waves
    phases = 6.3 * torch.rand(24, generator=random)
    poster_x, poster_y = near(0.62), near(0.74)

    def plaster(p):
        rough = (p[..., :2] @ waves.T + phases).sin().mean(-1, keepdim=True)
        return torch.tensor(SPECTRA["plaster"]) * (1 + 0.12 * rough)

    def wall(p):
        x, y = p[..., 0] - poster_x, p[..., 1] - poster_y
        rings = ((x**2 + y**2).sqrt() * 22).remainder(2) < 1
        stripes = ((x + y) * 16).remainder(2) < 1
        inked = torch.where(y > -0.10, rings, stripes) & (x.abs() < 0.29) & (y < 0.24) & (y > -0.22)
        sheet = ((x.abs() < 0.32) & (y < 0.27) & (y > -0.25)).unsqueeze(-1)
        return torch.where(sheet, blend(inked.float(), "paper", "ink"), plaster(p))

    def planks(p):
        x, z = p[..., 0], p[..., 2]
        bend = 0.02 * (3 * z + phases[0]).sin() + 0.01 * (11 * z + phases[1]).sin()
        grain = ((x + bend) * 95 + 2 * (9 * x + phases[2]).sin()).sin()
        return blend((0.3 + 0.2 * grain + 0.5 * ((x * 5).remainder(1) < 0.03)).clamp(0, 1), "wood", "grain")

    def glazed(p):
        return blend((((p[..., 1] - 0.25).abs() < 0.022) | ((p[..., 1] - 0.19).abs() < 0.006)).float(), "glaze", "cream")

    x, z = near(-0.16), near(1.38)
    radii = [0.03, 0.07, 0.105, 0.135, 0.135, 0.085, 0.036, 0.034, 0.075]
    things = [
        Box((0.0, 1.0, WALL + 0.5), (8.0, 6.0, 1.0), wall),
        Box((0.0, -0.04, 1.12), (3.6, 0.08, 1.96), planks),
        Box((near(-0.62), 0.35, 2.02), (0.44, 0.70, 0.004), plaster),                     # the panel that has the wall's colour
        vase((x, 0.0, z), 0.42, radii, glazed),
        Box((near(0.36), 0.11, near(1.70)), (0.30, 0.22, 0.26), plain("slate"), near(0.5, 0.3)),
        Box((near(0.37, 0.01), 0.285, near(1.71, 0.01)), (0.17, 0.13, 0.17), plain("brick"), near(-0.2, 0.4)),
        Box((near(0.09), 0.02, near(1.04)), (0.24, 0.04, 0.16), plain("brick"), near(0.35, 0.3)),
        ball((near(0.40), 0.075, near(1.20)), 0.075, plain("ochre")),
        ball((near(-0.37), 0.055, near(1.05)), 0.055, plain("sky")),
        ball((near(0.18), 0.045, near(1.36, 0.02)), 0.045, plain("cream")),
    ]
    for lean_x, lean_z, top in ((-0.30, 0.10, 0.70), (0.02, -0.12, 0.80), (0.33, 0.12, 0.72), (0.16, 0.20, 0.60)):
        lean_x, top = near(lean_x, 0.05), near(top)
        things.append(Lathe((x, 0.30, z), [(0.0, top - 0.30, 0.0045**2, 0.0, 0.0)], plain("leaf"), (lean_x, lean_z)))
        things.append(ball((x + lean_x * (top - 0.30), top, z + lean_z * (top - 0.30)), 0.022, plain("berry")))
    return things


def trace(things, origin, ray):
    """Distance along the ray to the first thing, and which one it is."""
    return torch.stack([thing.hit(origin, ray) for thing in things]).min(0)


def shade(things, point, normal, ray, gloss, towards, reach=FAR):
    """Light that arrives from the direction `towards` (unit vectors), zero in shadow: diffuse part, glossy part."""
    free = trace(things, point + 2e-3 * normal, towards)[0] >= reach - 5e-3
    mirror = torch.nn.functional.normalize(towards - ray, dim=-1)
    return (normal * towards).sum(-1).clamp_min(0) * free, gloss * (normal * mirror).sum(-1).clamp_min(0) ** 60 * free


def still_life(size=256, seed=0) -> StillLife:
    """A vase among boxes and balls on a table, `size` pixels high and wide; the same seed gives the same scene at any size."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 64:
        raise GirlibError(f"still_life: size is {size!r}; give a whole number of pixels, 64 or more")
    things = arrange(seed)
    bands, flash = torch.zeros(size, size, 8), torch.zeros(size, size, 8)
    steps = torch.arange(size) + 0.5
    for dx, dy in ((0.125, 0.375), (0.375, -0.125), (-0.125, -0.375), (-0.375, 0.125)):   # four rays in each pixel
        v, u = torch.meshgrid(1 - 2 * (steps + dy) / size, 2 * (steps + dx) / size - 1, indexing="ij")
        u, v = u * HALF_WIDTH, v * HALF_WIDTH
        c, s = math.cos(PITCH), math.sin(PITCH)
        along = torch.stack([u, v * c + s, c - v * s], -1)                               # depth grows by one for each unit of it
        ray = torch.nn.functional.normalize(along, dim=-1)
        far, which = trace(things, CAMERA, ray)
        if k == 4:
            depth = far / along.norm(dim=-1)
        point = CAMERA + far.unsqueeze(-1) * ray
        normal, paint, gloss = torch.zeros_like(ray), torch.zeros(size, size, 8), torch.zeros(size, size)
        for i, thing in enumerate(things):
            here = which == i
            normal[here], paint[here], gloss[here] = thing.normal(point[here]), thing.paint(point[here]), thing.gloss
        normal = torch.where((normal * ray).sum(-1, keepdim=True) > 0, -normal, normal)  # the inside of the vase
        lamp = torch.nn.functional.normalize(TO_LAMP + 0.05 * torch.tensor([dx, dy, -dx]), dim=0)      # a lamp with an extent
        lit, shine = shade(things, point, normal, ray, gloss, lamp.expand_as(ray))
        sky = 0.75 + 0.25 * normal[..., 1]
        bands += (paint * (lit.unsqueeze(-1) * LAMP + sky.unsqueeze(-1) * AMBIENT) + shine.unsqueeze(-1) * LAMP) / 9
        to_bulb = BULB - point
        reach = to_bulb.norm(dim=-1, keepdim=True)
        lit, shine = shade(things, point, normal, ray, gloss, to_bulb / reach, reach.squeeze(-1))
        power = ((1.6 / reach**2) * FLASH)
        flash += (paint * (lit.unsqueeze(-1) * power + 0.2 * AMBIENT) + shine.unsqueeze(-1) * power) / 9
    bands, flash = bands.permute(2, 0, 1)[None].clamp(0, 1), flash.permute(2, 0, 1)[None]
    rgb = [torch.einsum("cb,nbhw->nchw", MIX / WHITE.unsqueeze(1), x).clamp(0, 1) for x in (bands, flash)]
    return StillLife(color=rgb[0], depth=depth[None, None], bands=bands, flash=rgb[1])
