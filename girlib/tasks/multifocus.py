"""Multi-focus fusion: a lens is sharp at one depth; two photographs, focused near and far, hold all that one cannot.

There is seldom a truth to compare with. The scores without one look at how much of both sources the result keeps, and most of
them are pleased with what is not fused at all: the plain average, or one source unchanged.
"""

import torch

from girlib.samples import Capture
from girlib.scenes import make_scene
from girlib.sensors import srgb, thin_lens
from girlib.tasks import CLIPPED, PHOTO_SCORES, Protocol, Task, pair

BLUR = 0.03                 # radius, as a share of the longer side, of what is nearest in the photograph focused far


def scene(seed, size=256):
    """A room through a lens, focused so that a quarter of it is nearer, and so that a quarter is farther; and all of it sharp."""
    room = make_scene("indoor", seed, size)
    near, far = torch.quantile(room.depth, torch.tensor([0.25, 0.75])).tolist()
    aperture = BLUR / (1 / room.depth.min().item() - 1 / far)
    first, second = (srgb(thin_lens(room.color, room.depth, focus, aperture, max(room.depth.shape[-2:])).clamp(0, 1))
                     for focus in (near, far))
    return Capture(f"indoor {seed}", {"first": first, "second": second, "reference": srgb(room.color)}, "1", {"focus": (near, far)})


def observe(capture, scale=None, seed=0):
    """The sources as they are; the first is the target, the second the guide."""
    return pair("multifocus", capture, scale)


TASK = Task(
    name="multifocus", title="Multi-focus fusion",
    observed="two photographs of one scene, each sharp where the other is blurred",
    wanted="one photograph that is sharp everywhere",
    scene=scene, observe=observe, datasets={"real_mff": "test", "lytro": "test", "mffw": "test"},
    protocols=(
        Protocol("sfigf", "SFIGF, Table 3, Real-MFF: clipped to [0, 1]", ("real_mff", "procedural"),
                 PHOTO_SCORES),
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
