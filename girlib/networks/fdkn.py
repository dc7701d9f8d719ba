"""FDKN: the fast DKN. It packs blocks of 4 x 4 pixels into channels, and one run gives the kernels of all pixels of a block.

Paper      Kim, Ponce and Ham, "Deformable Kernel Networks for Joint Image Filtering", IJCV 2021, Section 3.3
Symbols    as in dkn.py
Reads as   guide to grey -> both packed by 4 -> six layers each -> product of weights and of offsets -> unpacked -> as DKN
Differs    as in dkn.py. The grey of the released code takes its channels in the order blue, green, red, and so does forward;
           `prepare` turns a sample's RGB around
Weights    the authors' x8 (bicubic, NYU v2, 9 taps in 15 x 15 pixels, residual)
"""

import torch
import torch.nn.functional as F
from torch import nn

from girlib.layers import check_images, luma, unit_range
from girlib.networks.dkn import STEP, combine, fill_blocks, filter_at, normalise

TASKS = {"depth": dict(channels=1), "saliency": dict(channels=1), "texture": dict(channels=3, residual=False)}
RELEASED = {("depth", 8): "dkn/FDKN_8x"}
NAMES = {"ImageKernel": "guide_kernel", "DepthKernel": "target_kernel"}


def conv3x3(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class KernelNetwork(nn.Module):
    """Weights in (0, 1) and offsets for all 4 x 4 pixels of a block, from one packed image."""

    def __init__(self, channels, taps):
        super().__init__()
        self.conv1, self.conv1_bn = conv3x3(channels, 32), nn.BatchNorm2d(32)
        self.conv2 = conv3x3(32, 32)
        self.conv3, self.conv3_bn = conv3x3(32, 64), nn.BatchNorm2d(64)
        self.conv4 = conv3x3(64, 64)
        self.conv5, self.conv5_bn = conv3x3(64, 128), nn.BatchNorm2d(128)
        self.conv6 = conv3x3(128, 128)
        self.conv_weight = nn.Conv2d(128, taps * STEP ** 2, 1)
        self.conv_offset = nn.Conv2d(128, 2 * taps * STEP ** 2, 1)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1_bn(self.conv1(x)))))
        x = F.relu(self.conv4(F.relu(self.conv3_bn(self.conv3(x)))))
        x = F.relu(self.conv6(F.relu(self.conv5_bn(self.conv5(x)))))
        return torch.sigmoid(self.conv_weight(x)), self.conv_offset(x)


class Network(nn.Module):
    def __init__(self, channels=1, kernel_size=3, filter_size=15, residual=True, align_corners=True):
        super().__init__()
        self.channels, self.filter_size, self.residual, self.align_corners = channels, filter_size, residual, align_corners
        self.guide_kernel = KernelNetwork(STEP ** 2, kernel_size ** 2)
        self.target_kernel = KernelNetwork(channels * STEP ** 2, kernel_size ** 2)

    def forward(self, target, guide, return_intermediates=False):
        check_images("fdkn", target=(target, self.channels), guide=(guide, 1 if guide.shape[1] == 1 else 3))
        height, width = target.shape[-2:]
        P, I = fill_blocks(target), luma(fill_blocks(guide).flip(1))         # blue, green, red -> grey
        packed = {"packed_target": F.pixel_unshuffle(P, STEP), "packed_guide": F.pixel_unshuffle(I, STEP)}
        maps = combine(self.target_kernel(packed["packed_target"]), self.guide_kernel(packed["packed_guide"]))
        weight, offset = (F.pixel_shuffle(x, STEP) for x in maps)            # (N, 9, H, W), (N, 18, H, W)
        weight = normalise(weight, self.residual)
        restored = filter_at(P, weight, offset, self.filter_size, self.align_corners) + (P if self.residual else 0)
        restored, weight, offset = (x[..., :height, :width] for x in (restored, weight, offset))
        return (restored, {"weight": weight, "offset": offset, **packed}) if return_intermediates else restored

    def prepare(self, sample):
        lowest, span = unit_range(sample)
        return (sample.target - lowest) / span, sample.guide.flip(1)         # RGB -> blue, green, red

    def finish(self, output, sample):
        lowest, span = unit_range(sample)
        return output * span + lowest
