"""PanNet: pan-sharpening that learns details only, since it sees nothing but high-pass images.

Paper      Yang et al., "PanNet: A Deep Network Architecture for Pan-Sharpening", 2017, as released in DLPan-Toolbox
Symbols    low (N, C, h, w) multispectral     guide (N, 1, H, W) panchromatic, H = 4 h     lms (N, C, H, W) low, enlarged by 4
Reads as   high-pass of low and guide -> details (N, C, H, W) -> lms + details
Differs    (as released) low is made high-pass at its own size and then enlarged by a learned transposed convolution. Sizes that 4
           doesn't divide are padded and cut here. SFIGF's Table 2 has a "PANNet" that is another network
Weights    WorldView-3, 8 bands. The released file lists the residual blocks twice. Values are counts / 2047, in [0, 1]
"""

import torch
import torch.nn.functional as F
from torch import nn

from girlib.errors import GirlibError
from girlib.layers import check_images, mirror_pad

SCALE = 4
TASKS = {"pansharpening": {"channels": 8}}
RELEASED = {("pansharpening", None): "pannet/WV3/pannet.pth"}
IGNORED = ("backbone.*",)                                                    # the residual blocks again
NAMES = {"deconv": "enlarge", "conv1": "first", "conv3": "last",
         **{f"res{n + 1}.conv2{i}": f"blocks.{n}.conv.{2 * i}" for n in range(4) for i in range(2)}}
# the interpolator with 23 taps: distance -> half the weight; the centre weighs 1, even distances nothing
TAPS = {1: 0.305334091185, 3: -0.072698593239, 5: 0.021809577942, 7: -0.005192756653, 9: 0.000807762146, 11: -0.000060081482}


def high_pass(image):
    """The image minus its mean over 5 x 5 pixels; mirrored border."""
    return image - F.avg_pool2d(mirror_pad(image, 2), 5, stride=1)


def enlarge_23_taps(low):
    """An image (N, C, h, w) enlarged by 4: two doublings by a polynomial interpolator of 23 taps; circular border."""
    for start in (1, 0):                                                      # where the samples stand: at odd, then at even positions
        n, c, h, w = low.shape
        image = low.new_zeros(n, c, 2 * h, 2 * w)
        image[..., start::2, start::2] = low
        for dim in (-2, -1):
            image = image + sum(2 * tap * (image.roll(k, dim) + image.roll(-k, dim)) for k, tap in TAPS.items())
        low = image
    return low


class ResidualBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x):
        return x + self.conv(x)                                               # no ReLU after the sum


class Network(nn.Module):
    def __init__(self, channels=8, width=32):
        super().__init__()
        self.channels = channels
        self.enlarge = nn.ConvTranspose2d(channels, channels, 2 * SCALE, stride=SCALE, padding=SCALE // 2)
        self.first = nn.Conv2d(channels + 1, width, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(width) for _ in range(4))
        self.last = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, low, guide, lms, return_intermediates=False):
        check_images("pannet", low=(low, self.channels))
        check_images("pannet", lms=(lms, self.channels), guide=(guide, 1))
        low = fit(low, guide)
        details, inside = self.details(high_pass(low), high_pass(guide))
        restored = lms + details
        return (restored, {"details": details, **inside}) if return_intermediates else restored

    def details(self, low, guide):
        """What is added to lms, from the two high-pass images."""
        enlarged = self.enlarge(low)[..., :guide.shape[-2], :guide.shape[-1]]
        x = features = F.relu(self.first(torch.cat([enlarged, guide], dim=1)))
        for block in self.blocks:
            x = block(x)
        return self.last(x), {"low_details": low, "guide_details": guide, "enlarged": enlarged, "first": features, "features": x}

    def prepare(self, sample):
        if sample.low is None:
            raise GirlibError("pannet: the sample holds no low-resolution image; give Sample(low=...), a quarter of the guide's size.")
        low = fit(sample.low, sample.guide)
        height, width = sample.guide.shape[-2:]
        return low, sample.guide, enlarge_23_taps(low)[..., :height, :width]

    def finish(self, output, sample):
        return output


def fit(low, guide):
    """low, continued at the bottom and right where 4 times its size falls short of the guide by less than 4 pixels."""
    missing = [-(-n // SCALE) - m for n, m in zip(guide.shape[-2:], low.shape[-2:], strict=True)]
    if not all(n in (0, 1) for n in missing):
        raise GirlibError(f"pannet: low is {low.shape[-2]}x{low.shape[-1]}, but guide is {guide.shape[-2]}x{guide.shape[-1]}; "
                          f"the guide must be {SCALE} times as large.")
    return F.pad(low, (0, missing[1], 0, missing[0]), mode="replicate")
