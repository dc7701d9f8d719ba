"""Small blocks of SFIGF, and what stands in for its modules in the ablations of its Table 5."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from girlib.attention import NeighborhoodCrossAttention


def conv3x3(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")


def depthwise(channels, border="reflect"):
    return nn.Conv2d(channels, channels, 3, padding=1, groups=channels, padding_mode=border)


def pointwise(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 1)


def chain(*layers):
    """The layers with a GELU between each and the next."""
    return nn.Sequential(*[x for layer in layers for x in (layer, nn.GELU())][:-1])


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def nchw(x):
    return x.permute(0, 3, 1, 2)


class ChannelNorm(nn.LayerNorm):
    """Normalises each pixel over its channels, (N, C, H, W)."""

    def forward(self, x):
        return nchw(super().forward(nhwc(x)))


class ChannelGate(nn.Module):
    """Multiplies each channel by a number that all channels' means decide; no sigmoid."""

    def __init__(self, channels):
        super().__init__()
        self.conv = pointwise(channels, channels)

    def forward(self, x):
        return x * self.conv(x.mean(dim=(2, 3), keepdim=True))


class CPA(nn.Module):
    """Channel and pixel attention, supplement Fig. 1 (e): both are added up before the sigmoid."""

    def __init__(self, channels):
        super().__init__()
        inner = channels // 2
        self.over_channels = chain(pointwise(channels, inner), pointwise(inner, channels))
        self.over_pixels = chain(pointwise(channels, inner), depthwise(inner, "zeros"), pointwise(inner, channels))

    def forward(self, x):
        return x * torch.sigmoid(self.over_channels(x.mean(dim=(2, 3), keepdim=True)) + self.over_pixels(x))


class NAFBlock(nn.Module):
    """The block of Chen et al., "Simple Baselines for Image Restoration": a product of two halves is its only nonlinearity."""

    def __init__(self, channels):
        super().__init__()
        self.norm1, self.norm2 = ChannelNorm(channels, eps=1e-6), ChannelNorm(channels, eps=1e-6)
        self.conv1, self.conv2 = pointwise(channels, 2 * channels), depthwise(2 * channels, "zeros")
        self.conv3, self.conv4, self.conv5 = pointwise(channels, channels), pointwise(channels, 2 * channels), pointwise(channels, channels)
        self.gate = ChannelGate(channels)
        self.beta, self.gamma = (nn.Parameter(torch.zeros(1, channels, 1, 1)) for _ in range(2))

    def forward(self, x):
        left, right = self.conv2(self.conv1(self.norm1(x))).chunk(2, dim=1)
        y = x + self.beta * self.conv3(self.gate(left * right))
        left, right = self.conv4(self.norm2(y)).chunk(2, dim=1)
        return y + self.gamma * self.conv5(left * right)


class DropPath(nn.Module):
    """While training, leaves a whole branch out for some images and strengthens it for the others."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if not self.training or self.rate == 0:
            return x
        kept = torch.rand(len(x), *[1] * (x.dim() - 1), device=x.device) >= self.rate
        return x * kept / (1 - self.rate)


class MonoPredictor(nn.Module):
    """A U-Net that guesses from the mosaic what a monochrome camera would have seen."""

    def __init__(self, widths=(8, 16, 32, 64, 128)):
        super().__init__()
        pairs = [*pairwise((1, *widths)), *pairwise(widths[::-1])]                     # channels in and out, down and up again
        self.blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(b, b, 3, padding=1),
                                                  nn.LeakyReLU(0.2)) for a, b in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in pairs[len(widths):])
        self.last = nn.Conv2d(widths[0], 1, 3, padding=1)

    def forward(self, mosaic):
        x, skips = mosaic, []
        for block in self.blocks[:4]:
            skips.append(block(x))
            x = F.max_pool2d(skips[-1], 2)
        x = self.blocks[4](x)
        for up, block in zip(self.up, self.blocks[5:], strict=True):
            x = block(torch.cat([up(x), skips.pop()], dim=1))
        return F.leaky_relu(self.last(x), 0.2) + mosaic


# -------------------------------------------------------------- the ablations of Table 5, (c) to (f)

class PlainCrossAttention(nn.Module):
    """Table 5 (e): attention with the usual skip from p in the place of b; two in a row, so that the size stays similar."""

    def __init__(self, channels):
        super().__init__()
        self.norm_pi, self.norm_ca = (nn.ModuleList(nn.LayerNorm(channels) for _ in range(2)) for _ in range(2))
        self.cross_attention = nn.ModuleList(NeighborhoodCrossAttention(channels, heads=8) for _ in range(2))
        self.mlp = nn.ModuleList(chain(nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)) for _ in range(2))

    def forward(self, p, i):
        q, i = nhwc(p), nhwc(i)
        for norm_pi, attend, norm_ca, mlp in zip(self.norm_pi, self.cross_attention, self.norm_ca, self.mlp, strict=True):
            ca = attend(norm_pi(q), norm_pi(i))
            q = mlp(norm_ca(ca)) + q
        return nchw(q), {"ca": nchw(ca)}


class LinearFusion(nn.Module):
    """Table 5 (d): q = a * i + b with a and b from convolutions."""

    def __init__(self, channels):
        super().__init__()
        self.infer_a, self.infer_b = (chain(conv3x3(2 * channels, channels // 2), conv3x3(channels // 2, channels)) for _ in range(2))

    def forward(self, p, i):
        both = torch.cat([p, i], dim=1)
        a, b = self.infer_a(both), self.infer_b(both)
        return a * i + b, {"a": a, "b": b}


class ConvolutionFusion(nn.Module):
    """Table 5 (c): nothing but convolutions."""

    def __init__(self, channels):
        super().__init__()
        self.layers = chain(conv3x3(2 * channels, channels), conv3x3(channels, channels))

    def forward(self, p, i):
        return self.layers(torch.cat([p, i], dim=1)), {}


class ImageConvolution(nn.Module):
    """Table 5 (f): Q_Im = Conv(Cat(i_1, p_1, I, P)), Eq. (22) of the supplement."""

    def __init__(self, channels, guide_channels, width, mono=False):
        super().__init__()
        features = 2 * width + channels + guide_channels
        self.layers = chain(depthwise(features), depthwise(features), pointwise(features, channels))
        if mono:
            self.layers.append(nn.GELU())

    def forward(self, I, features, images):
        return self.layers(torch.cat([*features, *images], dim=1)), {}
