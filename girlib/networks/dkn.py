"""DKN: gives each output pixel its own nine places to look at, and its own nine weights, predicted from target and guide.

Paper      Kim, Ponce and Ham, "Deformable Kernel Networks for Joint Image Filtering", IJCV 2021, Sections 3.1-3.2
Symbols    P target (N, C, H, W), enlarged     I guide (N, G, H, W)     k^2 = 9 taps: weight (N, 9, H, W), offset (N, 18, H, W)
Reads as   for each image: seven layers -> weights and offsets; product of both images' -> sample P there -> P + weighted sum
           The network sees a quarter of the resolution: it runs on 16 shifted copies, whose results are interleaved
Differs    (as released) the taps' grid is transposed, tap (a, b) looks at column a and row b of its places; its first tap sits
           at the patch's centre, the rest to the right and below; places are scaled by 14/15 (torch 1.0's rule for grids,
           `align_corners=False` gives today's). Trained weights need all three. The released code needs sizes that
           4 divides; here the border is repeated up to the next one and cut off again
Weights    none here. Depth is scaled by minimum and maximum of the reference, the guide is in [0, 1]
"""

import torch
import torch.nn.functional as F
from torch import nn

from girlib.layers import check_images, unit_range

TASKS = {"depth": dict(channels=1, guide_channels=3), "pansharpening": dict(channels=8, guide_channels=1)}
RELEASED = {}
NAMES = {"ImageKernel": "guide_kernel", "DepthKernel": "target_kernel"}
STEP = 4                                                                     # the kernel networks see a quarter of each side


class KernelNetwork(nn.Module):
    """Weights in (0, 1) and offsets for one of 4 x 4 pixels, from one image; 51 x 51 pixels around it are seen."""

    def __init__(self, channels, taps):
        super().__init__()
        self.conv1, self.conv1_bn = nn.Conv2d(channels, 32, 7), nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 32, 2, stride=2)
        self.conv3, self.conv3_bn = nn.Conv2d(32, 64, 5), nn.BatchNorm2d(64)
        self.conv4 = nn.Conv2d(64, 64, 2, stride=2)
        self.conv5, self.conv5_bn = nn.Conv2d(64, 128, 5), nn.BatchNorm2d(128)
        self.conv6 = nn.Conv2d(128, 128, 3)
        self.conv7 = nn.Conv2d(128, 128, 3)
        self.conv_weight = nn.Conv2d(128, taps, 1)
        self.conv_offset = nn.Conv2d(128, 2 * taps, 1)

    def forward(self, x):
        x = F.relu(self.conv1_bn(self.conv1(x)))
        x = F.relu(self.conv2(x))
        x = F.relu(self.conv3_bn(self.conv3(x)))
        x = F.relu(self.conv4(x))
        x = F.relu(self.conv5_bn(self.conv5(x)))
        x = F.relu(self.conv7(F.relu(self.conv6(x))))
        return torch.sigmoid(self.conv_weight(x)), self.conv_offset(x)


class Network(nn.Module):
    def __init__(self, channels=1, guide_channels=3, kernel_size=3, filter_size=15, residual=True, align_corners=True):
        super().__init__()
        self.channels, self.guide_channels = channels, guide_channels
        self.kernel_size, self.filter_size, self.residual, self.align_corners = kernel_size, filter_size, residual, align_corners
        self.guide_kernel = KernelNetwork(guide_channels, kernel_size ** 2)
        self.target_kernel = KernelNetwork(channels, kernel_size ** 2)

    def kernels(self, P, I):
        """Weights and offsets at full resolution: one run for each of the 4 x 4 places in a block, then interleaved."""
        shifts = [(25 - j, 22 + j, 25 - i, 22 + i) for i in range(STEP) for j in range(STEP)]
        runs = [combine(self.target_kernel(F.pad(P, shift)), self.guide_kernel(F.pad(I, shift))) for shift in shifts]
        return (F.pixel_shuffle(torch.stack(maps, dim=2).flatten(1, 2), STEP) for maps in zip(*runs, strict=True))

    def forward(self, target, guide, return_intermediates=False):
        check_images("dkn", target=(target, self.channels), guide=(guide, self.guide_channels))
        height, width = target.shape[-2:]
        P, I = fill_blocks(target), fill_blocks(guide)
        weight, offset = self.kernels(P, I)
        weight = normalise(weight, self.residual)
        restored = filter_at(P, weight, offset, self.filter_size, self.align_corners) + (P if self.residual else 0)
        restored, weight, offset = (x[..., :height, :width] for x in (restored, weight, offset))
        return (restored, {"weight": weight, "offset": offset}) if return_intermediates else restored

    def prepare(self, sample):
        lowest, span = unit_range(sample)
        return (sample.target - lowest) / span, sample.guide

    def finish(self, output, sample):
        lowest, span = unit_range(sample)
        return output * span + lowest


def combine(from_target, from_guide):
    """Product of the two images' weights, and of their offsets."""
    return from_target[0] * from_guide[0], from_target[1] * from_guide[1]


def normalise(weight, residual):
    """Weights that sum to 0, for what is added to the target, or to 1."""
    return weight - weight.mean(dim=1, keepdim=True) if residual else weight / weight.sum(dim=1, keepdim=True)


def fill_blocks(x):
    """Repeats the last row and column until 4 divides height and width."""
    height, width = x.shape[-2:]
    return F.pad(x, (0, -width % STEP, 0, -height % STEP), mode="replicate")


def filter_at(P, weight, offset, filter_size, align_corners):
    """Weighted sum of P (N, C, H, W) at k^2 places around each pixel, read bilinearly in a patch with zeros around it.

    weight (N, k^2, H, W); offset (N, 2 k^2, H, W), of each tap first along the columns, then along the rows.
    """
    N, C, H, W = P.shape
    k, centre = round(weight.shape[1] ** 0.5), filter_size // 2
    scale, shift = ((filter_size - 1) / filter_size, 0) if align_corners else (1, -0.5)
    rows = torch.arange(H, device=P.device).view(H, 1)
    columns = torch.arange(W, device=P.device)
    pixels, total = P.flatten(2), 0
    for tap in range(k * k):
        x = (centre + tap // k + offset[:, 2 * tap]) * scale + shift         # (N, H, W), in pixels of the patch
        y = (centre + tap % k + offset[:, 2 * tap + 1]) * scale + shift
        left, top = x.floor(), y.floor()
        for px, part_x in ((left, left + 1 - x), (left + 1, x - left)):
            for py, part_y in ((top, top + 1 - y), (top + 1, y - top)):
                column, row = columns + px.long() - centre, rows + py.long() - centre
                seen = ((px >= 0) & (px < filter_size) & (py >= 0) & (py < filter_size)
                        & (column >= 0) & (column < W) & (row >= 0) & (row < H))
                place = (row.clamp(0, H - 1) * W + column.clamp(0, W - 1)).view(N, 1, H * W).expand(N, C, H * W)
                share = weight[:, tap] * part_x * part_y * seen              # (N, H, W)
                total = total + share[:, None] * pixels.gather(2, place).view(N, C, H, W)
    return total
