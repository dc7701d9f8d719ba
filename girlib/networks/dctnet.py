"""DCTNet: depth super-resolution in which the guide's learned edges enter through a small problem that the DCT solves exactly.

Paper      Zhao et al., "Discrete Cosine Transform Network for Guided Depth Map Super-Resolution", CVPR 2022
Symbols    P target (N, 1, H, W), enlarged     I guide (N, 3, H, W)     F_P, F_I features (N, 64, H, W)
           w edge weight, like F_I     L Laplacian     K its eigenvalues (H, W)     lambda one number a channel
Reads as   features of both -> edge weight -> Z = argmin |Z - F_P|^2 + lambda |L Z - w * L F_I|^2 -> decoder
Differs    (all as released) L is the 3 x 3 Laplacian of all eight neighbours, divided by 16, while K belongs to the one of
           four neighbours: the released weights need this pair. The last layer is a ReLU. The released code needs 15 x 15
           pixels and holds 2,320 parameters that nothing reads (conv_dilation); here the edge weight pads what is smaller, and they
           are dropped. K is computed in float64 (released: float32; at most 6e-7 of the range)
Weights    the authors' x4, x8, x16, trained on NYU v2. The input is scaled by minimum and maximum of the *reference*, which a
           real sensor doesn't give: without a reference those of the low-resolution depth stand in
"""

import torch
import torch.nn.functional as F
from torch import nn

from girlib.layers import check_images, mirror_pad, value_range

TASKS = {"depth": {}}
RELEASED = {("depth", 4): "dctnet/DCTNet_4X.pth", ("depth", 8): "dctnet/DCTNet_8X.pth", ("depth", 16): "dctnet/DCTNet_16X.pth"}
IGNORED = ("WPNet.conv_dilation.*",)
NAMES = {                                                         # beginnings of released names -> ours
    "lambd": "log_lambda",
    "Encoder_coupled.init_deep.0": "first_target",
    "Encoder_coupled.init_rgb.0": "first_guide",
    "Encoder_coupled.coupled_feat_extractor": "coupled",
    "WPNet.conv1": "edge_weight.squeeze",
    "WPNet.conv2": "edge_weight.down",
    "WPNet.conv_max": "edge_weight.middle.0",
    "WPNet.conv3": "edge_weight.middle.2",
    "WPNet.conv3_": "edge_weight.middle.4",
    "WPNet.conv_f": "edge_weight.shortcut",
    "WPNet.conv4": "edge_weight.expand",
    "Decoder_depth.Decoder_Deep": "decoder",
}
GUIDE_MEAN, GUIDE_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)          # of ImageNet, RGB


def conv3x3(inputs, outputs, stride=1, padding=1):
    return nn.Conv2d(inputs, outputs, 3, stride, padding)


class CoupledLayer(nn.Module):
    """A residual block for each modality; half of each convolution's kernels are common to both."""

    def __init__(self, channels):
        super().__init__()
        half = channels // 2
        for i in (1, 2):
            for part in ("shared", "depth", "rgb"):
                kernel = torch.empty(half, channels, 3, 3)
                self.register_parameter(f"kernel_{part}_{i}", nn.Parameter(nn.init.kaiming_uniform_(kernel, a=5 ** 0.5)))
                self.register_parameter(f"bias_{part}_{i}", nn.Parameter(torch.zeros(half)))

    def conv(self, x, i, part):
        kernel, bias = (torch.cat([getattr(self, f"{what}_shared_{i}"), getattr(self, f"{what}_{part}_{i}")])
                        for what in ("kernel", "bias"))
        return F.conv2d(x, kernel, bias, padding=1)

    def residual(self, x, part):
        return F.relu(x + self.conv(F.relu(self.conv(x, 1, part)), 2, part))

    def forward(self, p, i):
        return self.residual(p, "depth"), self.residual(i, "rgb")


class EdgeWeight(nn.Module):
    """Which of the guide's edges belong to the depth: a number in (0, 1) for each channel and pixel, seen from far away."""

    def __init__(self, channels, inner=16):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, inner, 1)
        self.down = conv3x3(inner, inner, stride=2, padding=0)
        self.middle = nn.Sequential(conv3x3(inner, inner), nn.ReLU(), conv3x3(inner, inner), nn.ReLU(), conv3x3(inner, inner))
        self.shortcut = nn.Conv2d(inner, inner, 1)
        self.expand = nn.Conv2d(inner, channels, 1)

    def forward(self, features):
        height, width = features.shape[-2:]
        short = self.squeeze(mirror_pad(features, (0, max(15 - width, 0), 0, max(15 - height, 0))))       # below 15 nothing is left
        far = self.middle(F.max_pool2d(self.down(short), 7, stride=3))
        far = F.interpolate(far, size=short.shape[-2:], mode="bilinear", align_corners=False)
        return torch.sigmoid(self.expand(far + self.shortcut(short)))[..., :height, :width]


def laplacian(x):
    """Sum of the eight neighbours minus eight times the pixel, divided by 16; mirrored border."""
    kernel = torch.ones(x.shape[1], 1, 3, 3, dtype=x.dtype, device=x.device) / 16
    kernel[:, :, 1, 1] = -8 / 16
    return F.conv2d(mirror_pad(x, 1), kernel, groups=x.shape[1])


def dct_matrix(n, like):
    """The orthonormal DCT-II as a matrix C (n, n): C x transforms a column, C^T X brings it back."""
    k = torch.arange(n, dtype=torch.float64)
    C = torch.cos(torch.pi / n * k[:, None] * (k + 0.5)) * (2 / n) ** 0.5
    C[0] /= 2 ** 0.5
    return C.to(like)


def laplacian_eigenvalues(height, width, like):
    """K (H, W): what the Laplacian of four neighbours with a mirrored border does to each pattern of the DCT."""
    y, x = (torch.cos(torch.pi / n * torch.arange(n, dtype=torch.float64)) for n in (height, width))
    return (2 * (y[:, None] + x - 2)).to(like)


def solve(F_P, laplacian_I, w, lam):
    """The minimiser Z of |Z - F_P|^2 + lambda |L Z - w * L F_I|^2: (1 + lambda L^2) Z = F_P + lambda L(w * L F_I)."""
    C_H, C_W = (dct_matrix(n, F_P) for n in F_P.shape[-2:])
    K = laplacian_eigenvalues(*F_P.shape[-2:], F_P)
    right = F_P + lam * laplacian(w * laplacian_I)
    spectrum = C_H @ right @ C_W.T
    Z = C_H.T @ (spectrum / (1 + lam * K ** 2)) @ C_W                # L is diagonal here: one division a frequency
    return Z, {"right_hand_side": right, "spectrum": spectrum, "K": K}


class Network(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.first_target = conv3x3(1, width)
        self.first_guide = conv3x3(3, width)
        self.coupled = nn.ModuleList(CoupledLayer(width) for _ in range(4))
        self.edge_weight = EdgeWeight(width)
        self.log_lambda = nn.Parameter(torch.randn(1, width, 1, 1) * 0.3 + 0.1)
        self.decoder = nn.Sequential(conv3x3(width, width // 2), nn.ReLU(), conv3x3(width // 2, width // 4), nn.ReLU(),
                                     conv3x3(width // 4, 1), nn.ReLU())

    def forward(self, target, guide, return_intermediates=False):
        check_images("dctnet", target=(target, 1), guide=(guide, 3))
        F_P, F_I = F.relu(self.first_target(target)), F.relu(self.first_guide(guide))
        for layer in self.coupled:
            F_P, F_I = layer(F_P, F_I)
        w, lam, laplacian_I = self.edge_weight(F_I), self.log_lambda.exp(), laplacian(F_I)
        Z, inside = solve(F_P, laplacian_I, w, lam)
        restored = self.decoder(Z)
        if not return_intermediates:
            return restored
        return restored, {"F_P": F_P, "F_I": F_I, "w": w, "lambda": lam, "laplacian_I": laplacian_I, **inside, "Z": Z}

    def prepare(self, sample):
        mean, std = (sample.guide.new_tensor(x).view(1, 3, 1, 1) for x in (GUIDE_MEAN, GUIDE_STD))
        lowest, span = value_range(sample)
        return (sample.target - lowest) / span, (sample.guide - mean) / std

    def finish(self, output, sample):
        lowest, span = value_range(sample)
        return output.clamp(0, 1) * span + lowest
