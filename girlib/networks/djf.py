"""DJF: three layers look at the guide, three at the target, and three more at one map of each.

Paper      Li, Huang, Ahuja and Yang, "Deep Joint Image Filtering", ECCV 2016, Section 3; DJFR, its residual form, is djfr.py
Symbols    P target (N, 1, H, W), enlarged     I guide (N, 3, H, W)
Reads as   stream of I, stream of P -> [map of I, map of P] -> three layers -> Q
Differs    (as released) the 1 x 1 layer of a stream has a border of 2, so that its map has the image's size. The released
           joint part has no border at all and loses 6 pixels on each side; here both maps are continued by their edge first,
           so that the output keeps the target's size and equals the released inside
Weights    the authors' (MatConvNet): depth x4, x8, x16, flash/no-flash, one colour at a time. They expect the shifted low
           resolution that svlrm.py describes
"""

import torch
import torch.nn.functional as F
from torch import nn

from girlib.layers import check_images, unit_range

TASKS = {"depth": dict(guide_channels=3, residual=False), "flash": dict(guide_channels=3, residual=False)}
RELEASED = {("depth", 4): "djf/Upsampling_4x.mat", ("depth", 8): "djf/Upsampling_8x.safetensors",
            ("depth", 16): "djf/Upsampling_16x.mat", ("flash", None): "djf/NoiseReduction.mat"}
NAMES = {f"{part}.{k}": f"{ours}.{2 * k}" for part, ours in (("guide", "guide_stream"), ("target", "target_stream"), ("joint", "joint"))
         for k in range(3)}
NAMES |= {f"weights.{k}": f"guide_stream.{2 * k}" for k in range(3)}         # a MatConvNet file numbers its layers through
NAMES |= {f"weights.{3 + k}": f"joint.{2 * k}" for k in range(3)}
NAMES |= {f"weights_depth.{k}": f"target_stream.{2 * k}" for k in range(3)}


def stream(channels, width):
    wide, narrow = width
    return nn.Sequential(nn.Conv2d(channels, wide, 9, padding=2), nn.ReLU(), nn.Conv2d(wide, narrow, 1, padding=2), nn.ReLU(),
                         nn.Conv2d(narrow, 1, 5, padding=2))


class Network(nn.Module):
    def __init__(self, guide_channels=3, width=(96, 48), joint_width=(64, 32), residual=False):
        super().__init__()
        self.guide_channels, self.residual = guide_channels, residual
        self.guide_stream = stream(guide_channels, width)
        self.target_stream = stream(1, width)
        wide, narrow = joint_width
        self.joint = nn.Sequential(nn.Conv2d(2, wide, 9), nn.ReLU(), nn.Conv2d(wide, narrow, 1), nn.ReLU(), nn.Conv2d(narrow, 1, 5))

    def forward(self, target, guide, return_intermediates=False):
        check_images("djf", target=(target, 1), guide=(guide, self.guide_channels))
        maps = torch.cat([self.guide_stream(guide), self.target_stream(target)], dim=1)       # (N, 2, H, W)
        restored = self.joint(F.pad(maps, (6, 6, 6, 6), mode="replicate"))
        if self.residual:
            restored = restored + target
        if not return_intermediates:
            return restored
        return restored, {"guide_map": maps[:, :1], "target_map": maps[:, 1:]}

    def prepare(self, sample):
        lowest, span = unit_range(sample)
        target = (sample.target - lowest) / span
        colors = target.shape[1]                                             # each becomes a target of its own
        return target.flatten(0, 1)[:, None], sample.guide.repeat_interleave(colors, dim=0)

    def finish(self, output, sample):
        lowest, span = unit_range(sample)
        return output.view_as(sample.target) * span + lowest
