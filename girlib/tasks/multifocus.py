"""Multi-focus fusion: a lens is sharp at one depth; two photographs, focused near and far, hold all that one cannot.

There is seldom a truth to compare with. The scores without one look at how much of both sources the result keeps, and most of
them are pleased with what is not fused at all: the plain average, or one source unchanged.
"""

import torch

from girlib.errors import GirlibError
from girlib.resampling import check_image
from girlib.samples import Capture, Sample
from girlib.scenes import make_scene
from girlib.sensors import srgb, thin_lens
from girlib.tasks import Protocol, Task

BLUR = 0.03                 # radius, as a share of the longer side, of what is nearest in the photograph focused far


def scene(seed, size=256):
    """A room through a lens, focused so that a quarter of it is nearer, and so that a quarter is farther; and all of it sharp."""
    room = make_scene("indoor", seed, size)
    near, far = torch.quantile(room.depth, torch.tensor([0.25, 0.75])).tolist()
    aperture = BLUR / (1 / room.depth.min().item() - 1 / far)
    first, second = (srgb(thin_lens(room.color, room.depth, focus, aperture, max(room.depth.shape[-2:])).clamp(0, 1))
                     for focus in (near, far))
    return Capture(f"indoor {seed}", {"first": first, "second": second, "reference": srgb(room.color)}, "1", {"focus": (near, far)})


def images(task, capture, **channels):
    """Images of a capture in float32, given as name=channels (None: any number): all there, finite and of one size."""
    if not isinstance(capture, Capture):
        raise GirlibError(f"{task}: got a {type(capture).__name__}; expected a Capture, which a dataset or a scene gives.")
    missing = [name for name in channels if name not in capture.images]
    if missing:
        raise GirlibError(f"{task}: the capture {capture.name!r} has no image {missing[0]!r}, only {', '.join(capture.images) or 'none'}; "
                          f"expected {', '.join(channels)}.")
    for name, count in channels.items():
        check_image(task, capture.images[name], name, count)
    sizes = {name: tuple(capture.images[name].shape[-2:]) for name in channels}
    if len(set(sizes.values())) > 1:
        given = ", ".join(f"{name} is {height}x{width}" for name, (height, width) in sizes.items())
        raise GirlibError(f"{task}: in the capture {capture.name!r} {given}; expected one size.")
    return [capture.images[name].float() for name in channels]


def pair(task, capture, scale):
    """Two photographs of one scene as a sample, with their reference where there is one."""
    if scale is not None:
        raise GirlibError(f"{task}: scale is {scale!r}; both photographs have all pixels, so leave it out.")
    known = ["reference"] if "reference" in getattr(capture, "images", {}) else []
    first, second, *reference = images(task, capture, **dict.fromkeys(["first", "second", *known], 3))
    return Sample(first, second, *reference, unit="1", meta={**capture.meta, "name": capture.name})


def observe(capture, scale=None, seed=0):
    """The sources as they are; the first is the target, the second the guide."""
    return pair("multifocus", capture, scale)


CLIPPED = {"values": "clip", "data_range": 1.0}
TASK = Task(
    name="multifocus", title="Multi-focus fusion",
    observed="two photographs of one scene, each sharp where the other is blurred",
    wanted="one photograph that is sharp everywhere",
    scene=scene, observe=observe, datasets={"real_mff": "test", "lytro": "test", "mffw": "test"},
    protocols=(
        Protocol("sfigf", "SFIGF, Table 3, Real-MFF: clipped to [0, 1]", ("real_mff", "procedural"),
                 (("psnr", CLIPPED), ("ssim", CLIPPED))),
        Protocol("sfigf-lpips", "SFIGF, Table 3, Real-MFF: LPIPS, whose backbone is not stated; AlexNet", ("real_mff", "procedural"),
                 (("lpips", CLIPPED),)),
        Protocol("sfigf-lytro", "SFIGF, Table 3, Lytro: its Q_MI and Q_S are not released; what comes nearest to the printed values: "
                 "mutual information of 32 bins in nats, and SSIM, both as means over the sources", ("lytro", "procedural"),
                 (("mi", {"style": "mean", "bins": 32, "color": "grey"}), ("ssim_src", {}))),
        Protocol("sfigf-lytro-standard", "SFIGF, Table 3, Lytro: Q_MI after Hossny and Q_S after Piella, as the symbols suggest",
                 ("lytro", "procedural"), (("q_mi", {"color": "grey"}), ("q_s", {"color": "grey"}))),
        Protocol("mgdn", "MGDN, Table 2: the definitions that come nearest to the printed values: PSNR as in MEFB, where a square is "
                 "missing, SSIM with twice the data range", ("lytro", "mffw", "procedural"),
                 (("q_abf", {"color": "grey"}), ("en", {}), ("psnr_fusion", {"style": "mefb"}),
                  ("ssim_src", {"L": 510.0, "color": "grey"}))),
        Protocol("mgdn-standard", "MGDN, Table 2: the same four columns by their standard definitions", ("lytro", "mffw", "procedural"),
                 (("q_abf", {"color": "grey"}), ("en", {"color": "grey"}), ("psnr_fusion", {"color": "grey"}),
                  ("ssim_src", {"color": "grey"}))),
    ),
)
