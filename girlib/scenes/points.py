"""Surface points that rays have hit: which way they face, what they are made of, how much light reaches them."""

from functools import cached_property

import torch

from . import materials as m
from .shapes import View, cast, unit

LIGHTS = ("day", "ambient", "flash", "red flash")
LIFT = {"indoor": 2e-3, "outdoor": 1e-2, "overhead": 2e-2}  # metres by which something must be nearer to the light to cast a shadow


class Points:
    """Flat tensors of one length, a ray each; light and material are found when they are asked for."""

    def __init__(self, scene, u, v, distance, which, octaves=3):
        self.scene, self.distance, self.which, self.octaves = scene, distance, which, octaves
        self.where = scene.camera.points(u, v, distance)
        self.back = scene.camera.backward(u, v)
        self.local, normal, self.face = scene.solids.surface(self.where, which)
        facing = dot(normal, self.back)
        self.normal = tuple(torch.where(facing < 0, -n, n) for n in normal)

    def lamp(self, view, towards, fade):
        """Diffuse and glossy light from the direction `towards`, both zero in shadow, and where it arrives at all."""
        slant = dot(self.normal, towards).clamp_min(0)
        free = torch.zeros_like(slant, dtype=torch.bool)
        at = (slant > 0).nonzero()[:, 0]
        if len(at):
            u, v, depth = view.project(*(p.index_select(0, at) for p in self.where))
            nearly = depth - LIFT[self.scene.kind]
            free.index_copy_(0, at, cast(self.scene.solids, view, u, v, nearly) >= nearly)
        shine = dot(self.normal, unit([b + t for b, t in zip(self.back, towards, strict=True)])).clamp_min(0)
        for _ in range(5):
            shine = shine * shine
        fade = fade * free
        return slant * fade, shine * self.scene.paint[3].index_select(0, self.which) * fade, free

    @cached_property
    def sun(self):
        towards = self.scene.setting.towards
        view = View((0.0, 0.0, 0.0), tuple(-t for t in towards), up=(0.0, 0.0, 1.0), parallel=True)
        return self.lamp(view, [-x for x in view.forward.tolist()], 1.0)

    @cached_property
    def flash(self):
        """A flash a hand's breadth above and beside the lens, weaker with the square of the distance."""
        camera, focus = self.scene.camera, self.scene.setting.focus
        if camera.parallel:  # as far away as the camera
            return self.lamp(camera, self.back, 1.0)
        origin = camera.origin + 0.03 * focus * camera.right + 0.04 * focus * camera.up
        way = [o - p for o, p in zip(origin.tolist(), self.where, strict=True)]
        view = View(tuple(origin.tolist()), tuple(camera.forward.tolist()))
        return self.lamp(view, unit(way), focus * focus / dot(way, way))

    @cached_property
    def sky(self):
        """Light from everywhere, most of it from above."""
        return 0.6 + 0.4 * self.normal[1]

    @cached_property
    def material(self):
        """Numbers of the first and second material, share of the second, brightness."""
        scene, which = self.scene, self.which
        scale, aspect, contrast, _, seed = (row.index_select(0, which) for row in scene.paint)
        first, second, pattern = (row.index_select(0, which) for row in scene.number[:3])
        half = [row.index_select(0, which) for row in scene.solids.columns[12:15]]
        u, v = m.coordinates(scene.solids.kinds.index_select(0, which), self.face, self.local, half)
        footprint = torch.full_like(u, scene.pixel) if scene.camera.parallel else scene.pixel * self.distance
        return first, second, *m.texture(scene.table, pattern, u, v, scale, aspect, seed, contrast, footprint, self.octaves)

    def mix(self, response, light):
        """Light times reflectance, summed over the wavelengths of each row of the response (C, 61): a list of C channels."""
        setting, spectra = self.scene.setting, self.scene.spectra
        power = {name: spectrum.to(spectra) for name, spectrum in m.LIGHTS.items()}
        if light == "day":
            terms = [((1 - setting.sky) * power[setting.lamp], *self.sun[:2]), (setting.sky * power[setting.around], self.sky, None)]
            white = terms[0][0] + terms[1][0]
        elif light == "ambient":
            terms, white = [(power[setting.around], self.sky, None)], power[setting.around]
        elif light == "flash":
            terms, white = [(power["flash"], *self.flash[:2])], power["flash"]
        else:
            terms, white = [(m.RED_POWER * power["red flash"], *self.flash[:2])], power["flash"]
        white = total(response * white).clamp_min(1e-12)[:, None] / setting.exposure
        tables = []  # for each light what every material sends back to each channel (C, M), and a mirror (C)
        for spectrum, diffuse, glossy in terms:
            filtered = response * spectrum / white
            tables.append((total(spectra * filtered[:, None]), total(filtered), diffuse, glossy))
        haze = setting.haze if light == "day" else 0.0
        air = haze * total(response * m.HAZE.to(response)) / total(response).clamp_min(1e-12)
        first, second, share, gain = self.material
        channels = []
        for c in range(len(response)):
            one = two = shine = 0.0
            for seen, mirrored, diffuse, glossy in tables:
                one = one + diffuse * seen[c].index_select(0, first)
                two = two + diffuse * seen[c].index_select(0, second)
                if glossy is not None:
                    shine = shine + glossy * mirrored[c]
            channels.append(gain * (one + share * (two - one)) + shine + air[c])
        return channels


def dot(one, two):
    return one[0] * two[0] + one[1] * two[1] + one[2] * two[2]


def total(x):
    """Sum over the wavelengths, always in the same order."""
    result = x[..., 0]
    for i in range(1, x.shape[-1]):
        result = result + x[..., i]
    return result
