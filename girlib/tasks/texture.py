"""Texture removal: the pattern of a carpet goes, the carpet stays. The photograph is its own guide.

DAGF and DKN take the network that they trained to denoise depth, and apply it four times in a row. DAGF (Fig. 9) shows pictures and
prints no number; what is scored here is scored on procedural scenes, which can be painted without their patterns.
"""

from dataclasses import replace

import torch

from girlib.errors import GirlibError
from girlib.samples import Capture, Sample
from girlib.scenes import make_scene
from girlib.scenes.materials import PLAIN
from girlib.sensors import srgb
from girlib.tasks import PHOTO_SCORES, Protocol, Task, images, known_reference, without_scale


def scene(seed, size=256):
    """A room full of patterns, and the same room where each surface has one colour."""
    room = make_scene("indoor", seed, size, texture=1.0)
    plain = painted_over(room, make_scene("indoor", seed, size, texture=1.0))
    return Capture(f"indoor {seed}", {"color": srgb(room.color), "reference": srgb(plain.color)})


def painted_over(room, copy):
    """The copy of a scene, with each surface in the mean colour of what is seen of it in the original; light and shadow stay."""
    first, second, share, gain = room.points.material                           # of each ray
    surfaces = room.paint.shape[1]
    rays = torch.bincount(room.which, minlength=surfaces).clamp(min=1)
    share, gain = (torch.bincount(room.which, x.double(), surfaces).div(rays).float()[:, None] for x in (share, gain))
    first, second = room.number[:2]
    copy.spectra = gain * torch.lerp(room.spectra[first], room.spectra[second], share)          # (surfaces, 61)
    copy.number[0] = copy.number[1] = torch.arange(surfaces)
    copy.number[2], copy.paint[2] = PLAIN, 0                                    # no pattern, no roughness
    return copy


def observe(capture, scale=None, seed=0):
    """The photograph is target and guide. Any capture with a photograph will do; most have no reference for this task."""
    without_scale("texture", scale)
    color, *reference = images("texture", capture, color=3, **known_reference(capture))
    return Sample(color, color, *reference, unit="1", meta={**capture.meta, "name": capture.name})


def repeated(restore, times=4):
    """A method applied to its own result, which is target and guide of the next pass: DKN and DAGF take four."""
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        raise GirlibError(f"texture: times is {times!r}; expected a whole number, 1 or more.")

    def again(sample):
        for _ in range(times):
            restored = restore(sample)
            sample = replace(sample, target=restored, guide=restored)
        return restored
    return again


TASK = Task(
    name="texture", title="Texture removal",
    observed="a photograph full of patterns, which is its own guide",
    wanted="its surfaces and their borders, without the patterns",
    scene=scene, observe=observe, datasets={},
    protocols=(Protocol("procedural", "ours, for DAGF, Fig. 9, is a picture without a number", ("procedural",), PHOTO_SCORES),),
)
