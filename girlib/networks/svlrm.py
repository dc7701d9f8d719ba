"""SVLRM: a plain network that looks at target and guide and predicts the guided filter's two coefficients at each pixel.

Paper      Pan et al., "Spatially Variant Linear Representation Models for Joint Filtering", CVPR 2019, Section 3
Symbols    P target (N, C, H, W), enlarged     I guide, grey or with C channels     alpha, beta (N, C, H, W) slope and intercept
Reads as   [P, I] -> twelve convolutions -> alpha, beta -> Q = alpha * I + beta. P isn't added: beta carries it
           coefficients="imgf" is row (h) of Table 5 in SFIGF's paper, never released: SFIGF's ImGF takes the last layer's
           place, so that alpha is inferred from features and guide, and beta from alpha, P and I (our reading)
Differs    the released weights (a public PyTorch version; the authors' own code is MATLAB) expect depth whose low resolution
           keeps the *last* pixel of each block and which is then enlarged as if it kept the middle: they undo this shift of
           (scale - 1) / 2 pixels, and do harm where there is none. LeakyReLU 0.1; a second version has ReLU (slope=0)
Weights    8-bit depth / 255, NYU v2. Colour guides become grey. Pan-sharpening and multi-focus are shaped as SFIGF's authors had them;
           three channels for flash pairs and texture are ours
"""

import torch
import torch.nn.functional as F
from torch import nn

from girlib.errors import GirlibError
from girlib.layers import check_images, luma, unit_range

TASKS = {"depth": dict(channels=1), "pansharpening": dict(channels=8), "multifocus": dict(channels=3), "flash": dict(channels=3),
         "texture": dict(channels=3)}
RELEASED = {("depth", 4): "svlrm/X4/model_192600_iter.pth", ("depth", 8): "svlrm/X8/model_177200_iter.pth",
            ("depth", 16): "svlrm/X16/model_192600_iter.pth"}
NAMES = {"first_layer": "first", "feature_block": "body", "final_layer": "last",                   # sunny2109/SVLRM
         "input": "first", "output": "last",                                                       # curlyqian/SVLRM, with slope=0
         **{f"medium_layer.{k}.conv": f"body.{2 * k}" for k in range(10)}}


class Network(nn.Module):
    def __init__(self, channels=1, width=64, depth=10, slope=0.1, coefficients="joint"):
        super().__init__()
        if coefficients not in ("joint", "imgf"):
            raise GirlibError(f"svlrm: coefficients is {coefficients!r}; it must be 'joint' or 'imgf'.")
        self.channels, self.slope, self.coefficients = channels, slope, coefficients
        self.first = nn.Conv2d(2 * channels, width, 3, padding=1)
        self.body = nn.Sequential(*(layer for _ in range(depth)
                                    for layer in (nn.Conv2d(width, width, 3, padding=1), nn.LeakyReLU(slope))))
        if coefficients == "imgf":
            from girlib.networks.sfigf import ImGF
            self.last = ImGF(channels, channels, width // 2)                 # it expects features of two images
        else:
            self.last = nn.Conv2d(width, 2 * channels, 3, padding=1)

    def forward(self, target, guide, return_intermediates=False):
        check_images("svlrm", target=(target, self.channels), guide=(guide, 1 if guide.shape[1] == 1 else self.channels))
        P, I = target, guide.expand_as(target)
        first = self.first(torch.cat([P, I], dim=1))
        features = self.body(F.leaky_relu(first, self.slope))                # (N, width, H, W)
        if self.coefficients == "imgf":
            restored, inferred = self.last(I, (features,), (P, I))
            alpha, beta = inferred["A_Im"], inferred["B_Im"]                 # Eqs. (20), (21) of SFIGF
        else:
            alpha, beta = self.last(features).chunk(2, dim=1)
            restored = alpha * I + beta
        if not return_intermediates:
            return restored
        return restored, {"alpha": alpha, "beta": beta, "first": first, "features": features}

    def prepare(self, sample):
        lowest, span = unit_range(sample)
        return (sample.target - lowest) / span, luma(sample.guide) if self.channels == 1 else sample.guide

    def finish(self, output, sample):
        lowest, span = unit_range(sample)
        return output.clamp(0, 1) * span + lowest
