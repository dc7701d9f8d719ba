"""IFCNN: fuses any number of images by the element-wise maximum (or sum, or mean) of their features.

Paper      Zhang et al., "IFCNN: A General Image Fusion Framework Based on Convolutional Neural Network", 2020
Symbols    sources, each (N, 3, H, W): target, guide and further ones have equal rights
Reads as   two convolutions for each source -> element-wise fusion -> two convolutions
Differs    (as released) no activation after the 7 x 7 layer; every convolution repeats the edge pixel. The released program cuts its
           output off to 8 bits (no rounding); here it stays float. The authors took the first layer from an ImageNet network and
           froze it; here it is a parameter like the others. Their multi-exposure program (luma only, then local contrast
           equalisation) is not part of the network; `fusion="mean"` is
Weights    the authors' MAX file; a file each for SUM and MEAN exists. BatchNorm statistics are used: call eval() first
"""

import torch
from torch import nn

from girlib.errors import GirlibError
from girlib.layers import check_images

TASKS = {"multifocus": {"fusion": "max"}}
RELEASED = {("multifocus", None): "ifcnn/IFCNN-MAX.pth"}
NAMES = {"conv1": "first", "conv2.conv": "second.0", "conv2.bn": "second.1",
         "conv3.conv": "third.0", "conv3.bn": "third.1", "conv4": "last"}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)                      # of ImageNet, RGB
FUSIONS = {"max": torch.amax, "sum": torch.sum, "mean": torch.mean}


def block(channels):
    conv = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="replicate", bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(channels), nn.ReLU())


class Network(nn.Module):
    def __init__(self, fusion="max", width=64):
        super().__init__()
        if fusion not in FUSIONS:
            raise GirlibError(f"ifcnn: fusion is {fusion!r}; choose one of {', '.join(FUSIONS)}.")
        self.fusion = fusion
        self.first = nn.Conv2d(3, width, 7, padding=3, padding_mode="replicate", bias=False)
        self.second = block(width)
        self.third = block(width)
        self.last = nn.Conv2d(width, 3, 1)

    def forward(self, target, guide, *more, return_intermediates=False):
        sources = target, guide, *more
        check_images("ifcnn", **{f"source {n}": (x, 3) for n, x in enumerate(sources, 1)})
        first = [self.first(x) for x in sources]
        features = [self.second(x) for x in first]
        fused = FUSIONS[self.fusion](torch.stack(features), dim=0)
        restored = self.last(self.third(fused))
        return (restored, {"first": first, "features": features, "fused": fused}) if return_intermediates else restored

    def prepare(self, sample):
        guides = sample.guide if isinstance(sample.guide, tuple) else (sample.guide,)
        mean, std = self._statistics(sample.target)
        return tuple((x - mean) / std for x in (sample.target, *guides))

    def finish(self, output, sample):
        return self.unscaled(output).clamp(0, 1)

    def unscaled(self, output):
        """What a loss compares with an image."""
        mean, std = self._statistics(output)
        return output * std + mean

    def _statistics(self, like):
        return (like.new_tensor(x).view(1, 3, 1, 1) for x in (MEAN, STD))
