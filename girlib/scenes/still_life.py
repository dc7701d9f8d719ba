"""A small table in front of a wall, computed: colour, depth, spectrum and flash of one and the same scene.

Two kinds of body suffice, boxes and bodies turned on a lathe; every ray meets them in closed form, so depth and edges are exact.
Hard cases are built in on purpose: print without depth, a panel of the wall's colour, thin stalks, shadows of lamp and flash.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn.functional import normalize

from ..errors import GirlibError

SPECTRA = {  # reflectance in eight bands, centred at 430, 480, 530, 580, 630, 680, 760 and 860 nm
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
    "ink":     (0.06, 0.06, 0.06, 0.06, 0.07, 0.12, 0.58, 0.80),  # a dye: black to the eye, nearly gone in infrared
}  # fmt: skip
LAMP = torch.tensor([0.50, 0.58, 0.66, 0.74, 0.81, 0.86, 0.90, 0.92])  # warm
AMBIENT = torch.tensor([0.54, 0.53, 0.51, 0.49, 0.47, 0.46, 0.42, 0.38])  # cool
FLASH = 1.6 * torch.tensor([0.95, 0.97, 0.98, 1.00, 1.00, 0.99, 0.95, 0.90])
MIX = torch.tensor([[0.0, 0.0, 0.0, 0.2, 0.6, 0.2, 0.0, 0.0],  # red, green, blue of the eight bands
                    [0.0, 0.1, 0.6, 0.3, 0.0, 0.0, 0.0, 0.0],
                    [0.6, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]])  # fmt: skip
MIX = MIX / (MIX @ (0.6 * LAMP + 0.85 * AMBIENT))[:, None]  # white balance: grey stays grey under lamp and ambient light
TO_LAMP = normalize(torch.tensor([-0.50, 0.70, -0.55]), dim=0)  # so far away that its rays are parallel
CAMERA, PITCH, HALF_WIDTH = torch.tensor([0.0, 0.52, 0.0]), math.radians(-10.5), 0.42  # metres, radians, tangent
BULB = CAMERA + torch.tensor([0.13, 0.09, 0.0])  # the flash, above and to the right of the lens
WALL, FAR = 2.8, 1e6  # metres; FAR: nothing was hit


@dataclass
class StillLife:
    """One scene, four ways: what a method is given and what it should find come from the same geometry and light."""

    color: torch.Tensor  # (1, 3, H, W) in [0, 1], linear: a fixed mix of the visible bands
    depth: torch.Tensor  # (1, 1, H, W) metres along the optical axis, of the ray through the pixel's centre
    bands: torch.Tensor  # (1, 8, H, W) in [0, 1]: reflectance times light
    flash: torch.Tensor  # (1, 3, H, W) in [0, 1]: lit by a flash beside the lens and a little ambient light


class Box:
    """A cuboid, turned by `yaw` about the vertical through its centre."""

    def __init__(self, centre, size, paint, yaw=0.0):
        self.centre, self.half, self.paint, self.gloss = torch.tensor(centre), torch.tensor(size) / 2, paint, 0.0
        c, s = math.cos(yaw), math.sin(yaw)
        self.turn = torch.tensor([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]])

    def hit(self, origin, ray):
        origin, ray = (origin - self.centre) @ self.turn, ray @ self.turn  # into the box's own axes
        one, two = (-self.half - origin) / ray, (self.half - origin) / ray
        enter, leave = torch.minimum(one, two).amax(-1), torch.maximum(one, two).amin(-1)
        return torch.where((enter < leave) & (enter > 1e-4), enter, FAR)

    def normal(self, point):
        local = (point - self.centre) @ self.turn
        axis = (local.abs() - self.half).argmax(-1, keepdim=True)  # on which pair of faces
        return torch.zeros_like(local).scatter(-1, axis, local.gather(-1, axis).sign()) @ self.turn.T


class Lathe:
    """A body of revolution whose squared radius is piecewise quadratic in the height, so that every piece is a quadric.

    A piece (low, high, c0, c1, c2) says: radius^2 = c0 + c1 s + c2 s^2, s = y - low. `lean` shears the axis: (dx/dy, dz/dy).
    """

    def __init__(self, base, pieces, paint, lean=(0.0, 0.0), gloss=0.0):
        self.base, self.pieces, self.paint, self.gloss = torch.tensor(base), pieces, paint, gloss
        self.lean = torch.tensor([lean[0], 0.0, lean[1]])

    def hit(self, origin, ray):
        origin, best = origin - self.base, torch.full(ray.shape[:-1], FAR)
        ox, oy, oz = (origin - origin[..., 1:2] * self.lean).unbind(-1)  # upright again
        dx, dy, dz = (ray - ray[..., 1:2] * self.lean).unbind(-1)
        for low, high, c0, c1, c2 in self.pieces:
            s = oy - low
            a = dx**2 + dz**2 - c2 * dy**2  # a t^2 + 2 b t + c = 0
            b = ox * dx + oz * dz - (c1 / 2 + c2 * s) * dy
            c = ox**2 + oz**2 - c0 - (c1 + c2 * s) * s
            root = (b**2 - a * c).sqrt()  # nan where the ray misses: no comparison holds
            for t in ((-b - root) / a, (-b + root) / a):
                y = oy + t * dy
                best = torch.where((t > 1e-4) & (y >= low) & (y <= high) & (t < best), t, best)
        return best

    def normal(self, point):
        x, y, z = (point - self.base - (point - self.base)[..., 1:2] * self.lean).unbind(-1)
        slope = sum(((y >= low) & (y < high)) * (c1 / 2 + c2 * (y - low)) for low, high, _, c1, c2 in self.pieces)
        return normalize(torch.stack([x, -slope - x * self.lean[0] - z * self.lean[2], z], -1), dim=-1)


def ball(centre, radius, paint):
    return Lathe(centre, [(-radius, radius, 0.0, 2 * radius, -1.0)], paint, gloss=0.25)


def vase(base, height, radii, paint):
    """The squared radii are the control points of a quadratic spline: a smooth body whatever the numbers."""
    h, c = height / (len(radii) - 2), [r**2 for r in radii]
    pieces = [(i * h, (i + 1) * h, (p + q) / 2, (q - p) / h, (p - 2 * q + r) / (2 * h * h))
              for i, (p, q, r) in enumerate(zip(c[:-2], c[1:-1], c[2:], strict=True))]  # fmt: skip
    return Lathe(base, pieces, paint, gloss=0.45)


def blend(weight, first, second):
    return torch.lerp(torch.tensor(SPECTRA[first]), torch.tensor(SPECTRA[second]), weight.unsqueeze(-1))


def plain(name):
    return lambda p: blend(torch.zeros(p.shape[:-1]), name, name)


def arrange(seed):
    """The bodies of one scene, each with its paint (point -> reflectance); a seed moves and turns them a little."""
    random = torch.Generator().manual_seed(seed)

    def near(value, spread=0.03):
        return value + spread * (2 * torch.rand((), generator=random).item() - 1)

    waves, phases = 26 * torch.randn(24, 2, generator=random), 6.3 * torch.rand(24, generator=random)
    poster_x, poster_y, x, z = near(0.62), near(0.74), near(-0.16), near(1.38)  # and the vase

    def plaster(p):  # rough: random plane waves
        return torch.tensor(SPECTRA["plaster"]) * (1 + 0.12 * (p[..., :2] @ waves.T + phases).sin().mean(-1, keepdim=True))

    def wall(p):
        u, v = p[..., 0] - poster_x, p[..., 1] - poster_y
        print_ = torch.where(v > -0.10, (u**2 + v**2).sqrt() * 22, (u + v) * 16).remainder(2) < 1  # rings, stripes below
        inked, sheet = (u.abs() < 0.29) & (v.abs() < 0.23) & print_, (u.abs() < 0.32) & (v.abs() < 0.26)
        return torch.where(sheet.unsqueeze(-1), blend(inked.float(), "paper", "ink"), plaster(p))

    def planks(p):
        u, w = p[..., 0], p[..., 2]
        bend = 0.02 * (3 * w + phases[0]).sin() + 0.01 * (11 * w + phases[1]).sin()
        grain = ((u + bend) * 95 + 2 * (9 * u + phases[2]).sin()).sin()
        return blend((0.3 + 0.2 * grain + 0.5 * ((u * 5).remainder(1) < 0.03)).clamp(0, 1), "wood", "grain")

    def glazed(p):
        return blend((((p[..., 1] - 0.25).abs() < 0.022) | ((p[..., 1] - 0.19).abs() < 0.006)).float(), "glaze", "cream")

    bodies = [
        Box((0.0, 1.0, WALL + 0.5), (8.0, 6.0, 1.0), wall),
        Box((0.0, -0.04, 1.12), (3.6, 0.08, 1.96), planks),
        Box((near(-0.62), 0.35, 2.02), (0.44, 0.70, 0.0002), plaster),  # the panel of the wall's colour
        vase((x, 0.0, z), 0.42, (0.03, 0.07, 0.105, 0.135, 0.135, 0.085, 0.036, 0.034, 0.075), glazed),
        Box((near(0.43), 0.11, near(1.70)), (0.30, 0.22, 0.26), plain("slate"), near(0.5, 0.3)),
        Box((near(0.44, 0.01), 0.285, near(1.71, 0.01)), (0.17, 0.13, 0.17), plain("brick"), near(-0.2, 0.4)),
        Box((near(0.09), 0.02, near(1.04)), (0.24, 0.04, 0.16), plain("brick"), near(0.35, 0.3)),
        ball((near(0.40), 0.075, near(1.20)), 0.075, plain("ochre")),
        ball((near(-0.37), 0.055, near(1.05)), 0.055, plain("sky")),
        ball((near(0.18), 0.045, near(1.36, 0.02)), 0.045, plain("cream")),
    ]
    for lean_x, lean_z, top in ((-0.30, 0.10, 0.40), (0.02, -0.12, 0.50), (0.33, 0.12, 0.42), (0.16, 0.20, 0.30)):
        lean_x, top = near(lean_x, 0.05), near(top)
        bodies.append(Lathe((x, 0.30, z), [(0.0, top, 0.0045**2, 0.0, 0.0)], plain("leaf"), (lean_x, lean_z)))
        bodies.append(ball((x + lean_x * top, 0.30 + top, z + lean_z * top), 0.022, plain("berry")))
    return bodies


def trace(bodies, origin, ray):
    """Distance along the ray to the first body, and which one it is."""
    return torch.stack([body.hit(origin, ray) for body in bodies]).min(0)


def rays(size, dx, dy):
    """One ray a pixel, at an offset from its centre; the depth grows by one for each unit of it."""
    steps = 2 * (torch.arange(size) + 0.5) / size - 1
    v, u = torch.meshgrid(HALF_WIDTH * (-steps - 2 * dy / size), HALF_WIDTH * (steps + 2 * dx / size), indexing="ij")
    c, s = math.cos(PITCH), math.sin(PITCH)
    return torch.stack([u, v * c + s, c - v * s], -1)


def light(bodies, point, normal, ray, gloss, towards, reach=FAR):
    """Diffuse and glossy light from the direction `towards` (unit vectors), zero in shadow."""
    free = trace(bodies, point + 2e-3 * normal, towards)[0] >= reach - 5e-3
    half = normalize(towards - ray, dim=-1)
    diffuse, glossy = (normal * towards).sum(-1).clamp_min(0), (normal * half).sum(-1).clamp_min(0) ** 60
    return (free * diffuse).unsqueeze(-1), (free * gloss * glossy).unsqueeze(-1)


def still_life(size=256, seed=0) -> StillLife:
    """A vase among boxes and balls on a table, `size` pixels high and wide; one seed is one scene at every size."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 64:
        raise GirlibError(f"still_life: size is {size!r}, expected a whole number of pixels; give 64 or more")
    bodies = arrange(seed)
    bands, flash = torch.zeros(size, size, 8), torch.zeros(size, size, 8)
    for dx, dy in ((1, 3), (3, -1), (-1, -3), (-3, 1)):  # four rays in each pixel, in eighths of it
        ray = normalize(rays(size, dx / 8, dy / 8), dim=-1)
        far, which = trace(bodies, CAMERA, ray)
        point = CAMERA + far.unsqueeze(-1) * ray
        normal, paint, gloss = torch.zeros_like(ray), torch.zeros_like(bands), torch.zeros(size, size)
        for i, body in enumerate(bodies):
            here = which == i
            normal[here], paint[here], gloss[here] = body.normal(point[here]), body.paint(point[here]), body.gloss
        normal = torch.where((normal * ray).sum(-1, keepdim=True) > 0, -normal, normal)  # the inside of the vase
        lamp = normalize(TO_LAMP + 0.006 * torch.tensor([dx, dy, -dx]), dim=0)  # a lamp with an extent
        diffuse, glossy = light(bodies, point, normal, ray, gloss, lamp.expand_as(ray))
        ambient = (0.75 + 0.25 * normal[..., 1:2]) * AMBIENT
        bands += (paint * (diffuse * LAMP + ambient) + glossy * LAMP) / 4
        reach = (BULB - point).norm(dim=-1, keepdim=True)
        diffuse, glossy = light(bodies, point, normal, ray, gloss, (BULB - point) / reach, reach.squeeze(-1))
        flash += (paint * (diffuse * FLASH / reach**2 + 0.2 * ambient) + glossy * FLASH / reach**2) / 4
    bands, flash = (x.permute(2, 0, 1)[None].clamp(0, 1) for x in (bands, flash))
    color, flash = ((MIX @ x.flatten(2)).unflatten(2, (size, size)).clamp(0, 1) for x in (bands, flash))
    depth, _ = trace(bodies, CAMERA, rays(size, 0, 0))
    return StillLife(color=color, depth=depth[None, None], bands=bands, flash=flash)
