"""FGF: a small network works on a small copy of the image; a guided filter inside the network lifts its result to full size.

Paper      Wu, Zheng, Zhang and Huang, "Fast End-to-End Trainable Guided Filter", CVPR 2018, Section 3
Symbols    x, y guide and target of a window     A, b slope and intercept, at low resolution (N, C, h, w), drawn at (N, C, H, W)
Reads as   low target -> network -> y; guide, mapped -> x; means and covariances at low resolution -> A, b -> Q = A * I + b
           form       filter                  guide of the filter     last
           "dgf_b"    box means, r 1, 1e-8    the image itself        clamped to [0, 1]
           "dgf"      box means, r 1, 1e-4    learned map of it       not clamped
           "dgf_b_c"  trained means, slope    the image itself        clamped
           "dgf_c"    trained means, slope    learned map of it       clamped
Differs    (as released) neither A nor b is averaged, unlike He and Sun's fast guided filter, and both are enlarged with the
           corners' centres aligned; a colour guide works channel by channel. With eps 1e-8 float32 is lost in rounding on flat
           areas (2e-3): compare in float64
Weights    the authors', for filters on photographs (here: L0 smoothing), where the guide is the image itself. Two images and other
           tasks are shaped as SFIGF's authors had them: a channel of the guide for each of the target's, both halved, no clamp
"""

import torch
import torch.nn.functional as F
from torch import nn

from girlib.errors import GirlibError
from girlib.filters import box_mean
from girlib.layers import check_images, luma, unit_range

TWO_IMAGES = dict(form="dgf_c", map_width=32, clamp=False)
TASKS = {"texture": dict(channels=3, form="dgf_c", self_guided=True), "depth": dict(channels=1, **TWO_IMAGES),
         "multifocus": dict(channels=3, **TWO_IMAGES), "pansharpening": dict(channels=8, hidden=64, **TWO_IMAGES)}
FORMS = {"dgf_b": "hr_net", "dgf": "hr_ad_net", "dgf_b_c": "conv_hr_net", "dgf_c": "conv_hr_ad_net"}
RELEASED = {("texture", None): lambda options: f"fgf/l0_smooth/{FORMS[options['form']]}_latest.pth"}
NAMES = {"lr": "low_network", "guided_map": "guided_map", "gf.box_filter": "filter.box", "gf.conv_a": "filter.slope"}
SMALL = 64                                                                   # shorter side of the small copy


class AdaptiveNorm(nn.Module):
    """Learns how much batch normalisation is good for."""

    def __init__(self, channels):
        super().__init__()
        self.w_0, self.w_1 = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))
        self.bn = nn.BatchNorm2d(channels, eps=0.001, momentum=0.999)

    def forward(self, x):
        return self.w_0 * x + self.w_1 * self.bn(x)


def low_network(channels, width=24):
    layers, inputs = [], channels
    for dilation in (1, 2, 4, 8, 16, 1):
        conv = nn.Conv2d(inputs, width, 3, padding=dilation, dilation=dilation, bias=False)
        nn.init.dirac_(conv.weight)                                          # begins as the identity
        layers += [conv, AdaptiveNorm(width), nn.LeakyReLU(0.2)]
        inputs = width
    last = nn.Conv2d(width, channels, 1)
    nn.init.xavier_uniform_(last.weight)
    return nn.Sequential(*layers, last)


class BoxFilter(nn.Module):
    """Slope and intercept by least squares over windows, Eqs. (3) and (4) of the guided filter."""

    def __init__(self, radius, eps):
        super().__init__()
        self.radius, self.eps = radius, eps

    def forward(self, x, y):
        mean_x, mean_y = (box_mean(image, self.radius) for image in (x, y))
        cov = box_mean(x * y, self.radius) - mean_x * mean_y
        var = box_mean(x * x, self.radius) - mean_x * mean_x
        A = cov / (var + self.eps)
        return A, mean_y - A * mean_x


class ConvFilter(nn.Module):
    """Slope and intercept with a trained window, and a small network in the place of the division."""

    def __init__(self, channels, hidden, radius):
        super().__init__()
        self.box = nn.Conv2d(channels, channels, 3, padding=radius, dilation=radius, groups=channels, bias=False)
        nn.init.ones_(self.box.weight)
        self.slope = nn.Sequential(nn.Conv2d(2 * channels, hidden, 1, bias=False), AdaptiveNorm(hidden), nn.ReLU(),
                                   nn.Conv2d(hidden, hidden, 1, bias=False), AdaptiveNorm(hidden), nn.ReLU(),
                                   nn.Conv2d(hidden, channels, 1, bias=False))

    def forward(self, x, y):
        count = self.box(torch.ones_like(x[:1]))                             # (1, C, h, w)
        mean_x, mean_y = self.box(x) / count, self.box(y) / count
        cov, var = self.box(x * y) / count - mean_x * mean_y, self.box(x * x) / count - mean_x * mean_x
        A = self.slope(torch.cat([cov, var], dim=1))
        return A, mean_y - A * mean_x


def lift(A, b, guide):
    """Draws lines fitted at low resolution on the full guide."""
    A, b = (F.interpolate(x, size=guide.shape[-2:], mode="bilinear", align_corners=True) for x in (A, b))
    return A * guide + b


class Network(nn.Module):
    def __init__(self, channels=3, form="dgf_c", radius=1, eps=None, map_width=None, hidden=32, clamp=None, self_guided=False):
        super().__init__()
        if form not in FORMS:
            raise GirlibError(f"fgf: form is {form!r}; it must be one of {', '.join(FORMS)}.")
        self.channels, self.self_guided, mapped = channels, self_guided, form in ("dgf", "dgf_c")
        self.clamp = form != "dgf" if clamp is None else clamp
        self.low_network = low_network(channels)
        if mapped:
            width = map_width or {"dgf": 15, "dgf_c": 16}[form]
            self.guided_map = nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), AdaptiveNorm(width), nn.LeakyReLU(0.2),
                                            nn.Conv2d(width, channels, 1))
        else:
            self.guided_map = nn.Identity()
        if form.endswith("_c"):
            self.filter = ConvFilter(channels, hidden, radius)
        else:
            self.filter = BoxFilter(radius, (1e-4 if mapped else 1e-8) if eps is None else eps)

    def forward(self, target, guide, guide_low=None, return_intermediates=False):
        """target (N, C, h, w) is a small copy; guide_low is the guide's, and the target itself where that is the guide."""
        guide_low = target if guide_low is None else guide_low
        check_images("fgf", target=(target, self.channels), guide_low=(guide_low, self.channels))
        check_images("fgf", guide=(guide, self.channels))
        y = self.low_network(target)
        map_low, map_full = self.guided_map(guide_low), self.guided_map(guide)
        A, b = self.filter(map_low, y)
        restored = lift(A, b, map_full)
        if self.clamp:
            restored = restored.clamp(0, 1)
        return (restored, {"A": A, "b": b, "low": y, "guided_map": map_full}) if return_intermediates else restored

    def prepare(self, sample):
        lowest, span = unit_range(sample)
        target, guide = (sample.target - lowest) / span, sample.guide
        if self.self_guided:
            return shrink(target), target
        guide = (luma(guide) if self.channels == 1 else guide).expand_as(target)
        return halve(target), guide, halve(guide)

    def finish(self, output, sample):
        lowest, span = unit_range(sample)
        return output * span + lowest


def shrink(image):
    """The shorter side becomes 64 pixels, each the nearest one."""
    height, width = image.shape[-2:]
    size = [SMALL * n // min(height, width) for n in (height, width)]
    return F.interpolate(image, size=size, mode="nearest-exact")


def halve(image):
    return F.interpolate(image, size=[(n + 1) // 2 for n in image.shape[-2:]], mode="bilinear", align_corners=False)
