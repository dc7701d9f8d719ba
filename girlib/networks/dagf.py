"""DAGF: filters the target's features with kernels read from both images, and learns at each pixel whose kernel to believe.

Paper      Zhong et al., "Deep Attentional Guided Image Filtering", 2023, Section III
Symbols    I_t target (N, C, H, W), already enlarged     I_g guide (N, G, H, W)     lr the target before it was enlarged
           F_t, F_g features     W_t, W_g, W kernels of k x k taps     A attention map     level 0 is the coarsest of m
Reads as   two pyramids of features -> kernels W_t, W_g and the map A -> W -> filter coarse to fine -> residual of every level + I_t
Differs    style="released" (default)                                       style="paper"
           A weighs the target's kernel and is not bounded                  A in (0, 1) weighs the guide's (Eq. 14)
           kernels: softmax before they are combined, then tanh(W) / c,      as the convolutions give them
             divided by their sum of |taps| where that is above 1
           lr by nearest neighbour to half the kernels' size, two residual   I_t by bicubic to the kernels' size, the filter, then
             blocks, then the filter, which enlarges by two                    three residual blocks (Eqs. 15-17)
           one more convolution after the sum of Eq. (20), a PReLU on the    as printed: outputs have the size of their level
             residual, all outputs of full size (Eq. 21)
           1x1 convolutions in heads, pyramids and kernels                   3x3 throughout
           The sum of a kernel is free: a fresh released network passes 0.22 of a constant (k = 3), I_t brings the rest. The paper leaves
           open what bounds A (here a sigmoid), what joins the coarser features to the own ones (a convolution after the filter) and
           what normalises the UNet (as released). The released code takes heights and widths that 2^(m+1) divides; here the last row
           and column are repeated up to there, and the result is cropped.
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

    def __init__(self, channels, n, levels, size):
        super().__init__()
        self.head = nn.Sequential(conv(channels, n, act=False), conv(n, n, size))
        self.down = nn.ModuleList(nn.Sequential(conv(n, n), nn.PixelUnshuffle(2), conv(4 * n, n, size)) for _ in range(levels - 1))

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

    def __init__(self, n, kernel_size, fusion, style):
        super().__init__()
        taps, size = kernel_size**2, 3 if style == "paper" else 1
        self.fusion, self.style = fusion, style
        if fusion != "guide":
            self.target_kernel = nn.Sequential(conv(n, n, size), conv(n, taps, size, act=False))
        if fusion != "target":
            self.guide_kernel = nn.Sequential(conv(n, n, size), conv(n, taps, size, act=False))
        if fusion == "attention":
            last = conv(n, 1, norm=True, act=style == "released")
            self.attention = nn.Sequential(conv(2 * n, n, norm=True), UNet(n), last)
        if style == "released":
            self.c = nn.Parameter(torch.tensor([0.5 * taps]))

    def forward(self, F_t, F_g):
        found, paper = {}, self.style == "paper"
        if self.fusion != "guide":
            W = self.target_kernel(F_t)                                # (N, k^2, h, w), Eq. (11)
            found["W_t"] = W = W if paper else W.softmax(dim=1)
        if self.fusion != "target":
            W = self.guide_kernel(F_g)                                 # Eq. (12)
            found["W_g"] = W = W if paper else W.softmax(dim=1)
        if self.fusion == "multiply":
            W = found["W_t"] * found["W_g"]
        if self.fusion == "add":
            W = found["W_t"] + found["W_g"]
        if self.fusion == "attention":
            A = self.attention(torch.cat([F_t, F_g], dim=1))           # (N, 1, h, w), Eq. (13)
            found["A"] = A = A.sigmoid() if paper else A
            believed, other = ("W_g", "W_t") if paper else ("W_t", "W_g")
            W = A * found[believed] + (1 - A) * found[other]           # Eq. (14)
        if not paper:
            W = torch.tanh(W) / (self.c + 1e-8)
            W = W / (W.abs().sum(dim=1, keepdim=True) + 1e-4).clamp(min=1)
        return found | {"W": W}


class Level(nn.Module):
    """One level of the multi-scale guided filtering, Eqs. (15)-(20), up to the residual of Eq. (21)."""

    def __init__(self, n, channels, kernel_size, residual_blocks, fusion, style, coarsest):
        super().__init__()
        self.style = style
        self.kernels = AttentionalKernels(n, kernel_size, fusion, style)
        self.features = conv(channels, n)
        self.merge = nn.Conv2d(n if coarsest else 2 * n, n, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(n) for _ in range(residual_blocks)))
        self.own = conv(n, n)
        if not coarsest:
            self.sum = conv(n, n) if style == "released" else nn.Identity()
            self.lam = nn.Parameter(torch.zeros(1))                    # lambda of Eq. (20)
        self.residual = conv(n, channels, act=style == "released")

    def forward(self, I_t, F_t, F_g, coarser):
        found = {"I_t": I_t, "F_t": F_t, "F_g": F_g, **self.kernels(F_t, F_g)}
        x = self.features(I_t)                                         # (N, n, h/2, w/2); paper: (N, n, h, w)
        if coarser is not None:
            x = torch.cat([x, enlarge(coarser["F"], x)], dim=1)
        if self.style == "released":
            found["F"] = dynamic_filter(self.blocks(self.merge(x)), found["W"])          # (N, n, h, w)
        else:
            found["F"] = self.blocks(self.merge(dynamic_filter(x, found["W"])))          # Eqs. (16)-(18)
        F_hat = self.own(found["F"])                                   # Eq. (19)
        if coarser is not None:
            F_hat = self.sum(self.lam * enlarge(coarser["F_hat"], F_hat) + F_hat)        # Eq. (20)
        return found | {"F_hat": F_hat, "residual": self.residual(F_hat)}                # (N, n, h, w), (N, C, h, w)


def enlarge(features, like):
    """By nearest neighbour to the size of the other; nothing to do where they are alike."""
    return features if features.shape[2:] == like.shape[2:] else F.interpolate(features, like.shape[2:])


class Network(nn.Module):
    def __init__(self, width=32, levels=3, kernel_size=3, residual_blocks=None, channels=1, guide_channels=3, fusion="attention",
                 style="released"):
        """residual_blocks on each level: 2 by default, 3 in the paper's style."""
        super().__init__()
        if width < 2 or width % 2:
            raise GirlibError(f"dagf: width is {width}; its UNet halves it, give an even number from 2 up.")
        if levels < 1 or kernel_size < 1 or kernel_size % 2 == 0:
            raise GirlibError(f"dagf: levels is {levels} and kernel_size {kernel_size}; give at least one level and an odd kernel size.")
        if fusion not in FUSIONS:
            raise GirlibError(f"dagf: fusion is {fusion!r}; choose one of {', '.join(FUSIONS)}.")
        if style not in ("released", "paper"):
            raise GirlibError(f"dagf: style is {style!r}; choose 'released' or 'paper'.")
        self.channels, self.guide_channels, self.fusion, self.style = channels, guide_channels, fusion, style
        size = 3 if style == "paper" else 1
        if residual_blocks is None:
            residual_blocks = 3 if style == "paper" else 2
        if fusion != "guide":
            self.target_features = Pyramid(channels, width, levels, size)
        if fusion != "target":
            self.guide_features = Pyramid(guide_channels, width, levels, size)
        self.levels = nn.ModuleList(Level(width, channels, kernel_size, residual_blocks, fusion, style, i == 0) for i in range(levels))

    def forward(self, target, guide, lr=None, return_intermediates=False):
        """Target and guide of full size, the guide in [0, 1]; lr is the target before it was enlarged (none: the target itself).

        The intermediates are lists, coarse to fine; `outputs` holds the restored image of each level, Eq. (21).
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
            scale = 2 ** (m - 1 - i)
            if self.style == "released":
                own = nearest(lr, (height, width), I_t.shape[2:], 2 * scale)                # half the size of the level's kernels
            else:
                own = resize(I_t, [n // scale for n in I_t.shape[2:]], "bicubic")           # Eq. (15)
            found.append(level(own, targets[i], guides[i], found[-1] if found else None))
            residual = found[-1]["residual"]
            if self.style == "released":
                output = (resize(residual, I_t.shape[2:], "bilinear") + I_t)[..., :height, :width]
            else:
                output = (residual + own)[..., :-(-height // scale), :-(-width // scale)]
            found[-1]["outputs"] = output                                                   # Eq. (21)
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


def resize(image, size, mode):
    return F.interpolate(image, size, mode=mode, align_corners=False)


def limits(sample):
    return (0, 1) if sample.unit == "1" else value_range(sample)
