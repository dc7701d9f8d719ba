"""CU-Net: splits target and guide into what they have in common and what only one of them shows, by learned sparse codes.

Paper      Deng and Dragotti, "Deep Convolutional Neural Network for Multi-Modal Image Restoration and Fusion", TPAMI 2021, Section 3
Symbols    P target (N, C, H, W), enlarged     I guide (N, G, H, W)     u, v codes of what only P, only I shows;
           z code of what both show, each (N, 64, H, W)
Reads as   u = code(P), v = code(I) -> what they leave unexplained: P - R_u(u), I - R_v(v) -> z = code(both rests)
           restoration: Q = D_u(u) + D_z(z); fusion also + D_v(v)
Differs    (as released) no biases; thresholds are free numbers, two of the released depth network are below zero, where
           S(x, t) = sign(x) max(|x| - t, 0) adds to the magnitude; the published results were made with means subtracted,
           the released code subtracts none
Weights    the authors': depth x4, multi-focus. Values in [0, 1]; the depth guide is MATLAB's luma (16/255 to 235/255)
"""

import torch
from torch import nn

from girlib.layers import check_images, unit_range

TASKS = {
    "depth": dict(channels=1, guide_channels=1, fusion=False),
    "flash": dict(channels=3, guide_channels=3, fusion=False),
    "multifocus": dict(channels=3, guide_channels=3, fusion=True),
    "multiexposure": dict(channels=3, guide_channels=3, fusion=True),
    "pansharpening": dict(channels=8, guide_channels=1, fusion=True),      # as SFIGF's authors had it
}
RELEASED = {("depth", 4): "cunet/depth_ks9.pth", ("multifocus", None): "cunet/multi_focus.pth",
            ("multiexposure", None): "cunet/multi_exposure.pth"}
NAMES = {"net_u": "code_u", "net_v": "code_v", "net_z": "code_z", "conv_u": "explain_u", "conv_v": "explain_v",
         "decoder.conv_1": "decode_u", "decoder.conv_2": "decode_z", "decoder.conv_3": "decode_v"}


def soft_threshold(x, t):
    return torch.sign(x) * torch.clamp(x.abs() - t, min=0)


class Code(nn.Module):
    """Sparse code of an image: unrolled shrinkage, each step with its own convolutions and threshold."""

    def __init__(self, channels, width, kernel_size, steps):
        super().__init__()
        self.steps = steps
        self.layer_in = conv(channels, width, kernel_size)
        self.lam_in = nn.Parameter(torch.tensor([0.01]))
        for i in range(steps):
            self.add_module(f"down_conv_{i}", conv(width, channels, kernel_size))
            self.add_module(f"up_conv_{i}", conv(channels, width, kernel_size))
            self.register_parameter(f"lam_{i}", nn.Parameter(torch.tensor([0.01])))

    def forward(self, image):
        start = self.layer_in(image)                                         # (N, width, H, W)
        code = soft_threshold(start, self.lam_in)
        for i in range(self.steps):
            down, up, t = (getattr(self, f"{name}_{i}") for name in ("down_conv", "up_conv", "lam"))
            code = soft_threshold(start + code - up(down(code)), t)
        return code


def conv(inputs, outputs, kernel_size):
    return nn.Conv2d(inputs, outputs, kernel_size, padding=kernel_size // 2, bias=False)


class Network(nn.Module):
    def __init__(self, channels=1, guide_channels=1, fusion=False, width=64, kernel_size=9, steps=4):
        super().__init__()
        self.channels, self.guide_channels, self.fusion = channels, guide_channels, fusion
        self.code_u = Code(channels, width, kernel_size, steps)
        self.code_v = Code(guide_channels, width, kernel_size, steps)
        self.code_z = Code(channels + guide_channels, width, kernel_size, steps)
        self.explain_u = conv(width, channels, kernel_size)
        self.explain_v = conv(width, guide_channels, kernel_size)
        self.decode_u = conv(width, channels, kernel_size)
        self.decode_z = conv(width, channels, kernel_size)
        if fusion:
            self.decode_v = conv(width, channels, kernel_size)

    def forward(self, target, guide, return_intermediates=False):
        check_images("cunet", target=(target, self.channels), guide=(guide, self.guide_channels))
        u, v = self.code_u(target), self.code_v(guide)
        explained_u, explained_v = self.explain_u(u), self.explain_v(v)
        z = self.code_z(torch.cat([target - explained_u, guide - explained_v], dim=1))
        restored = self.decode_u(u) + self.decode_z(z)
        if self.fusion:
            restored = restored + self.decode_v(v)
        if not return_intermediates:
            return restored
        return restored, {"u": u, "v": v, "z": z, "explained_u": explained_u, "explained_v": explained_v}

    def prepare(self, sample):
        lowest, span = unit_range(sample)
        guide = studio_luma(sample.guide) if self.guide_channels == 1 and sample.guide.shape[1] == 3 else sample.guide
        return (sample.target - lowest) / span, guide

    def finish(self, output, sample):
        lowest, span = unit_range(sample)
        return (output.clamp(0, 1) if self.fusion else output) * span + lowest


def studio_luma(image):
    """Luma between 16/255 and 235/255 of an RGB image, as MATLAB's rgb2ycbcr has it."""
    weights = image.new_tensor((65.481, 128.553, 24.966)).view(1, 3, 1, 1)
    return (16 + (image * weights).sum(dim=1, keepdim=True)) / 255
