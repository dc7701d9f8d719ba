"""Back-projection: a restored image, reduced again, must say what the sensor said, as far as the sensor is to be believed.

Paper      Irani and Peleg, "Improving resolution by image registration", 1991
Why        A filter that averages windows blurs what lies between two of its edges. Reduced to the sensor's pixels, its result shows
           where; what is missing there is enlarged and added
Noise      What is missing is partly the sensor's noise, which the filter had rightly taken away. So each pixel's difference counts by
           the share of its neighbourhood's variance that noise doesn't explain (Wiener's gain); the noise is measured in the image
Sensor     A pixel is taken for the mean of its area (bicubic, widened). A sensor that picks single pixels gains nothing
"""

import torch
import torch.nn.functional as F

from girlib.resampling import check_whole, upsample


def noise_level(low, known=None):
    """Standard deviation of the noise of each plane of (N, C, h, w), shape (N, C, 1, 1), read where all neighbours are `known`.

    Second differences along both axes leave of slopes and straight edges nothing, of noise 6 times its deviation; the median hardly
    sees what else remains (Immerkaer, 1996, with the median).
    """
    N, C, h, w = low.shape
    if min(h, w) < 3:
        return low.new_zeros(N, C, 1, 1)
    left = low.diff(n=2, dim=-1).diff(n=2, dim=-2).abs() / 6
    if known is not None:
        left = left.where(F.avg_pool2d(known.to(low.dtype), 3, 1) == 1, torch.nan)
    return left.flatten(2).nanmedian(dim=-1).values.nan_to_num(0)[..., None, None] / 0.6745


def give_back(restored, low, valid=None, times=2):
    """Adds to a restored image (N, C, H, W), in place, what the sensor's (N, C, h, w) says otherwise; nothing where it has holes.

    valid (N, 1, H, W) is False in holes.
    """
    check_whole("give_back", "times", times, 0)
    h, w = low.shape[-2:]
    known = None if valid is None else F.adaptive_avg_pool2d(valid.to(low.dtype), (h, w)) == 1
    noise = noise_level(low, known).square()
    for _ in range(times):
        for c in range(low.shape[1]):                               # one plane at a time, for the memory's sake
            plane = restored[:, c:c + 1]
            missing = low[:, c:c + 1] - F.interpolate(plane, (h, w), mode="bicubic", antialias=True)
            if known is not None:
                missing = missing.where(known, 0)
            variance = F.avg_pool2d(missing.square(), 3, 1, padding=1, count_include_pad=False)
            gain = (1 - noise[:, c:c + 1] / variance.clamp(min=torch.finfo(low.dtype).tiny)).clamp(min=0)
            plane += upsample(gain * missing, plane.shape[-2:])
    return restored
