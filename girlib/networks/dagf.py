"""DAGF: filters the target's features with kernels read from both images, and learns at each pixel whose kernel to believe.

Paper      Zhong et al., "Deep Attentional Guided Image Filtering", 2023, Section III
Symbols    I_t target (N, C, H, W), already enlarged     I_g guide (N, G, H, W)     lr the target before it was enlarged
           F_t, F_g features     W_t, W_g, W kernels of k x k taps     A attention map     level 0 is the coarsest of m
Reads as   two pyramids of features -> kernels W_t, W_g and the map A -> W -> filter coarse to fine -> residual of every level + I_t
Differs    This is the released code. Where the paper says otherwise (effects in the chapter "Building DAGF"):
           - A weighs the target's kernel, not the guide's (Eq. 14), and is bounded by nothing;
           - the kernels pass a softmax before they are combined, tanh(W) / c afterwards, and are divided by their sum of |taps| where that
             is above 1; their sum is free, so a fresh network passes 0.22 of a constant (k = 3), the rest comes from adding I_t;
           - two residual blocks before the filter instead of three after it, at half the kernels' size: the filter enlarges by two;
           - lr is resized by nearest neighbour (Eq. 15: bicubic), so that level 0 at x4 skips pixels;
           - the sum of Eq. (20) passes one more convolution, the residual a PReLU, and every output has full size (Eq. 21: its level's);
           - 1x1 convolutions in heads, pyramids and kernels.
           The released code takes heights and widths that 2^(m+1) divides; ours repeats the last row and column up to there and crops.
Weights    `rename()` translates released files; IGNORED names what they hold without using it (47,497 of 2,440,207 parameters by default)
"""

import re

import torch
import torch.nn.functional as F
from torch import nn

from girlib.errors import GirlibError
from girlib.layers import check_images, dynamic_filter, value_range

TASKS = {"depth": {}, "saliency": {}, "flash": {}, "texture": {}, "segmentation": {}}  # one network of one channel for all of them
RELEASED = {("depth", 4): "dagf/net_bicubic_x4.pth", ("depth", 8): "dagf/net_bicubic_x8.pth"}  # the link for x16 leads to another file

# The models of Table VII: what they combine, and what they are trained with. The paper gives models 1-4 as many
# parameters as model 7 by more layers; here residual_blocks=41 (1, 2) or 40 (3, 4) does that within 0.6 per cent.
TABLE_VII = {
    1: ({"fusion": "target"}, ("l1",)),
    2: ({"fusion": "guide"}, ("l1",)),
    3: ({"fusion": "multiply"}, ("l1",)),
    4: ({"fusion": "add"}, ("l1",)),
    5: ({"fusion": "attention"}, ("l1",)),
    6: ({"fusion": "attention"}, ("l1", "multi-stage")),
    7: ({"fusion": "attention"}, ("l1", "multi-stage", "boundary")),
}
NAMES = (                                                              # released -> ours
    (r"^head\.depth_head", "target_features.head"),
    (r"^head\.guide_head", "guide_features.head"),
    (r"^depth_pyramid\.(\d+)\.layers", r"target_features.down.\1"),
    (r"^guide_pyramid\.(\d+)\.layers", r"guide_features.down.\1"),
    (r"^init_conv\.(\d+)\.layer1\.0", r"levels.\1.features.conv"),
    (r"^init_conv\.(\d+)\.layer1\.1", r"levels.\1.features.act"),
    (r"^init_conv\.(\d+)\.layer2", r"levels.\1.merge"),
    (r"^up_sample\.(\d+)\.inputs_conv\.(\d+)\.layers\.", r"levels.\1.blocks.\2.body."),
    (r"^up_sample\.(\d+)\.inputs_conv", r"levels.\1.blocks"),
    (r"^up_sample\.(\d+)\.depth_kernel", r"levels.\1.kernels.target_kernel"),
    (r"^up_sample\.(\d+)\.guide_kernel", r"levels.\1.kernels.guide_kernel"),
    (r"^up_sample\.(\d+)\.weight_net", r"levels.\1.kernels.attention"),
    (r"^up_sample\.(\d+)\.aff_scale_const", r"levels.\1.kernels.c"),
    (r"^p_layers\.(\d+)\.layer1\.0", r"levels.\1.own.conv"),
    (r"^p_layers\.(\d+)\.layer1\.1", r"levels.\1.own.act"),
    (r"^p_layers\.(\d+)\.layer3\.0", r"levels.\1.sum.conv"),
    (r"^p_layers\.(\d+)\.layer3\.1", r"levels.\1.sum.act"),
    (r"^p_layers\.(\d+)\.res_scale\.scale", r"levels.\1.lam"),
    (r"^p_layers\.(\d+)\.layer2\.0", r"levels.\1.residual.conv"),
    (r"^p_layers\.(\d+)\.layer2\.1", r"levels.\1.residual.act"),
    (r"\.feature_transform\.", ".bottom."),
    (r"\.norm\.w_(0|1)$", r".norm.w\1"),
    (r"\.layers\.(weight|bias)$", r".conv.\1"),
)
IGNORED = ("tail_conv.*", "res_scale.*", "p_layers.0.layer3.*", "p_layers.0.res_scale.*", "init_conv.*.layers.*")
FUSIONS = ("attention", "target", "guide", "multiply", "add")
GREY = (0.2989, 0.5870, 0.1140)                                        # weights of R, G, B for a network with a grey guide


def rename(state):
    """Names of the released file -> ours."""
    def ours(name):
        for theirs, mine in NAMES:
            name = re.sub(theirs, mine, name)
        return name
    return {ours(name): value for name, value in state.items()}


def conv(inputs, outputs, size=3, norm=False, act=True):
    """Convolution with zero padding, adaptive norm if asked for, PReLU with one slope for all channels unless declined."""
    block = nn.Sequential()
    block.add_module("conv", nn.Conv2d(inputs, outputs, size, padding=size // 2))
    if norm:
        block.add_module("norm", AdaptiveNorm(outputs))
    if act:
        block.add_module("act", nn.PReLU())
    return block


class AdaptiveNorm(nn.Module):
    """w0 * x + w1 * BatchNorm(x): starts as the identity and learns how much normalising it wants."""

    def __init__(self, channels):
        super().__init__()
        self.w0 = nn.Parameter(torch.ones(1))
        self.w1 = nn.Parameter(torch.zeros(1))
        self.bn = nn.BatchNorm2d(channels, eps=1e-3, momentum=0.999)  # running statistics: almost those of the last batch

    def forward(self, x):
        return self.w0 * x + self.w1 * self.bn(x)


class ResidualBlock(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.body = nn.Sequential(conv(n, n), conv(n, n, act=False))
        self.act = nn.PReLU()

    def forward(self, x):
        return self.act(x + self.body(x))


class Pyramid(nn.Module):
    """The features of one image on m levels, Eqs. (9)-(10); Down moves every 2 x 2 block into channels."""

    def __init__(self, channels, n, levels):
        super().__init__()
        self.head = nn.Sequential(conv(channels, n, act=False), conv(n, n, 1))
        self.down = nn.ModuleList(nn.Sequential(conv(n, n), nn.PixelUnshuffle(2), conv(4 * n, n, 1)) for _ in range(levels - 1))

    def forward(self, image):
        features = [self.head(image)]                                  # (N, n, H, W)
        for down in self.down:
            features.append(down(features[-1]))                        # (N, n, h/2, w/2)
        return features[::-1]                                          # coarse to fine


class UNet(nn.Module):
    """The UNet of Eq. (13): two steps down and two up by pixel (un)shuffling; its skips are additions."""

    def __init__(self, n):
        super().__init__()
        self.encoder_1 = conv(n, n // 2, norm=True)
        self.encoder_2 = conv(2 * n, n, norm=True)
        self.bottom = nn.Sequential(conv(4 * n, 4 * n, norm=True), conv(4 * n, 4 * n, norm=True))
        self.decoder_1 = conv(4 * n, 8 * n, norm=True)
        self.decoder_2 = conv(2 * n, 4 * n, norm=True)

    def forward(self, x):
        e1 = F.pixel_unshuffle(self.encoder_1(x), 2)  # (N, 2n, h/2, w/2)
        e2 = F.pixel_unshuffle(self.encoder_2(e1), 2)  # (N, 4n, h/4, w/4)
        d1 = F.pixel_shuffle(self.decoder_1(self.bottom(e2) + e2), 2)  # (N, 2n, h/2, w/2)
        d2 = F.pixel_shuffle(self.decoder_2(d1 + e1), 2)  # (N, n, h, w)
        return d2 + x


class AttentionalKernels(nn.Module):
    """AKL, Eqs. (11)-(14): a kernel from each image, and a map that says at each pixel how much either counts."""

    def __init__(self, n, kernel_size, fusion):
        super().__init__()
        taps = kernel_size**2
        self.fusion = fusion
        if fusion != "guide":
            self.target_kernel = nn.Sequential(conv(n, n, 1), conv(n, taps, 1, act=False))
        if fusion != "target":
            self.guide_kernel = nn.Sequential(conv(n, n, 1), conv(n, taps, 1, act=False))
        if fusion == "attention":
            self.attention = nn.Sequential(conv(2 * n, n, norm=True), UNet(n), conv(n, 1, norm=True))
        self.c = nn.Parameter(torch.tensor([0.5 * taps]))

    def forward(self, F_t, F_g):
        found = {}
        if self.fusion != "guide":
            found["W_t"] = W = self.target_kernel(F_t).softmax(dim=1)  # (N, k^2, h, w), Eq. (11)
        if self.fusion != "target":
            found["W_g"] = W = self.guide_kernel(F_g).softmax(dim=1)  # Eq. (12)
        if self.fusion == "multiply":
            W = found["W_t"] * found["W_g"]
        if self.fusion == "add":
            W = found["W_t"] + found["W_g"]
        if self.fusion == "attention":
            found["A"] = A = self.attention(torch.cat([F_t, F_g], dim=1))  # (N, 1, h, w), Eq. (13)
            W = A * found["W_t"] + (1 - A) * found["W_g"]  # Eq. (14) with A and 1 - A exchanged
        W = torch.tanh(W) / (self.c + 1e-8)
        found["W"] = W / (W.abs().sum(dim=1, keepdim=True) + 1e-4).clamp(min=1)
        return found


class Level(nn.Module):
    """One level of the multi-scale guided filtering, Eqs. (16)-(20), up to the residual of Eq. (21)."""

    def __init__(self, n, channels, kernel_size, residual_blocks, fusion, coarsest):
        super().__init__()
        self.kernels = AttentionalKernels(n, kernel_size, fusion)
        self.features = conv(channels, n)
        self.merge = nn.Conv2d(n if coarsest else 2 * n, n, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(n) for _ in range(residual_blocks)))
        self.own = conv(n, n)
        if not coarsest:
            self.sum = conv(n, n)
            self.lam = nn.Parameter(torch.zeros(1))  # lambda of Eq. (20)
        self.residual = conv(n, channels)

    def forward(self, I_t, F_t, F_g, coarser):
        found = {"I_t": I_t, "F_t": F_t, "F_g": F_g, **self.kernels(F_t, F_g)}
        x = self.features(I_t)  # (N, n, h/2, w/2), half the size of the kernels
        if coarser is not None:
            x = torch.cat([x, coarser["F"]], dim=1)
        found["F"] = dynamic_filter(self.blocks(self.merge(x)), found["W"])  # (N, n, h, w), Eqs. (16)-(18)
        F_hat = self.own(found["F"])  # Eq. (19)
        if coarser is not None:
            F_hat = self.sum(self.lam * F.interpolate(coarser["F_hat"], scale_factor=2) + F_hat)  # Eq. (20)
        found["F_hat"] = F_hat
        found["residual"] = self.residual(F_hat)  # (N, C, h, w)
        return found


class Network(nn.Module):
    def __init__(self, width=32, levels=3, kernel_size=3, residual_blocks=2, channels=1, guide_channels=3, fusion="attention"):
        super().__init__()
        if width < 2 or width % 2:
            raise GirlibError(f"dagf: width is {width}; its UNet halves it, give an even number from 2 up.")
        if levels < 1 or kernel_size < 1 or kernel_size % 2 == 0:
            raise GirlibError(f"dagf: levels is {levels} and kernel_size {kernel_size}; give at least one level and an odd kernel size.")
        if fusion not in FUSIONS:
            raise GirlibError(f"dagf: fusion is {fusion!r}; choose one of {', '.join(FUSIONS)}.")
        self.channels, self.guide_channels, self.fusion = channels, guide_channels, fusion
        if fusion != "guide":
            self.target_features = Pyramid(channels, width, levels)
        if fusion != "target":
            self.guide_features = Pyramid(guide_channels, width, levels)
        self.levels = nn.ModuleList(Level(width, channels, kernel_size, residual_blocks, fusion, i == 0) for i in range(levels))

    def forward(self, target, guide, lr=None, return_intermediates=False):
        """Target and guide of full size, the guide in [0, 1]; lr is the target before it was enlarged (none: the target itself).

        The intermediates are lists, coarse to fine; `outputs` holds the restored image of each level, Eq. (21), all of full size.
        """
        check_images("dagf", target=(target, self.channels), guide=(guide, self.guide_channels))
        lr = target if lr is None else lr
        check_images("dagf", lr=(lr, self.channels))
        m, (height, width) = len(self.levels), target.shape[-2:]
        border = (0, -width % 2 ** (m + 1), 0, -height % 2 ** (m + 1))
        I_t, I_g = (F.pad(image, border, mode="replicate") for image in (target, guide))
        targets = [None] * m if self.fusion == "guide" else self.target_features(I_t)
        guides = [None] * m if self.fusion == "target" else self.guide_features(I_g)
        found = []
        for i, level in enumerate(self.levels):
            low = nearest(lr, (height, width), I_t.shape[2:], 2 ** (m - i))                # half the size of level i, Eq. (15)
            found.append(level(low, targets[i], guides[i], found[-1] if found else None))
            enlarged = F.interpolate(found[-1]["residual"], I_t.shape[2:], mode="bilinear", align_corners=False)
            found[-1]["outputs"] = (enlarged + I_t)[..., :height, :width]                   # Eq. (21)
        output = found[-1]["outputs"]
        if not return_intermediates:
            return output
        return output, {name: [level[name] for level in found] for name, value in found[0].items() if value is not None}

    def prepare(self, sample):
        """Target and lr to [0, 1] by the limits of the reference (unless the unit is 1), a network of one channel on each channel alone."""
        lowest, span = limits(sample)
        low = sample.target if sample.low is None else sample.low
        target, lr = ((image - lowest) / span for image in (sample.target, low))
        guide, times = sample.guide, 1
        if self.guide_channels == 3 and guide.shape[1] == 1:
            guide = guide.expand(-1, 3, -1, -1)
        if self.guide_channels == 1 and guide.shape[1] == 3:
            guide = (guide * guide.new_tensor(GREY).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
        if self.channels == 1:
            times = target.shape[1]
            target, lr = (image.flatten(0, 1)[:, None] for image in (target, lr))  # (N C, 1, H, W)
        return target, guide.repeat_interleave(times, dim=0), lr

    def finish(self, output, sample):
        lowest, span = limits(sample)
        return output.reshape(sample.target.shape) * span + lowest


def nearest(low, size, padded, step):
    """Every step-th row and column of `padded` pixels, read from `low`, which covers the first `size` of them and repeats its last."""
    rows, columns = ((torch.arange(0, p, step, device=low.device) * n // s).clamp(max=n - 1)
                     for p, n, s in zip(padded, low.shape[2:], size, strict=True))
    return low[:, :, rows[:, None], columns]


def limits(sample):
    return (0, 1) if sample.unit == "1" else value_range(sample)
