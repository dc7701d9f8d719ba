"""What a sensor cannot use is told in one sentence: where, what was given, what was expected."""

import math

import pytest
import torch

from girlib import sensors
from girlib.errors import GirlibError


def seed():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("call, says", [
    (lambda x: sensors.gaussian_noise(x, -1, seed()), "variance is -1; it must be a finite number >= 0"),
    (lambda x: sensors.gaussian_noise(x, 25, 0), "generator is of type int; give a torch.Generator"),
    (lambda x: sensors.gaussian_noise(x.int(), 25, seed()), "image is torch.int32"),
    (lambda x: sensors.relative_noise(x, math.nan, seed()), "strength is nan"),
    (lambda x: sensors.photon_noise(-x, 1, 1, seed()), "light can't be negative"),
    (lambda x: sensors.photon_noise(x, 0, 1, seed()), "gain is 0; it must be a finite number > 0"),
    (lambda x: sensors.gaussian_blur(x, 0), "sigma is 0"),
    (lambda x: sensors.gaussian_blur(x.int(), 1), "image is torch.int32"),
    (lambda x: sensors.tof_noise(x, 4, seed()), "depth has 3 channels; it must have 1"),
    (lambda x: sensors.tof_noise(x[:, :1], 0, seed()), "scale is 0"),
    (lambda x: sensors.tof_noise(x[:, :1], 5, seed()), "multiples of 5"),
    (lambda x: sensors.tof_noise(x[:, :1], 4, seed(), shift=math.inf), "shift is inf; it must be a finite number"),
    (lambda x: sensors.tof_noise(x[:, :1], 4, seed(), noise=-1), "noise is -1"),
    (lambda x: sensors.wald(x, "landsat"), "sensor is 'landsat'; choose one of worldview3, .*unknown"),
    (lambda x: sensors.wald(x, "quickbird"), "the image has 3 channels, but quickbird has 4 bands"),
    (lambda x: sensors.wald(x, "unknown", 5), "multiples of 5"),
    (lambda x: sensors.wald(x, "unknown", 0), "ratio is 0"),
    (lambda x: sensors.mtf_blur(x, (0.3, 0.3)), "3 channels, but gains has 2 numbers"),
    (lambda x: sensors.mtf_blur(x, 1.0), "gain is 1.0; it must be a finite number > 0 and < 1"),
    (lambda x: sensors.mtf_blur(x, None), "gain is None"),
    (lambda x: sensors.mix(x, torch.ones(3, 31)), r"response is \(3, 31\), but the image has 3 bands"),
    (lambda x: sensors.mix(x, [1, 2, 3]), "response is list"),
    (lambda x: sensors.thin_lens(x, x, 1, 0.1), "depth has 3 channels"),
    (lambda x: sensors.thin_lens(x, x[:, :1, 1:], 1, 0.1), "both need the same number, height and width"),
    (lambda x: sensors.thin_lens(x, 0 * x[:, :1], 1, 0.1), "depth goes down to 0; it must be > 0"),
    (lambda x: sensors.thin_lens(x, x[:, :1] + 1, 0, 0.1), "focus is 0"),
    (lambda x: sensors.thin_lens(x, x[:, :1] + 1, 1, 1000), "give a smaller aperture"),
    (lambda x: sensors.bayer_mosaic(x, "RGBG"), "pattern is 'RGBG'; choose one of RGGB"),
    (lambda x: sensors.bayer_mosaic(x[:, :1]), "rgb has 1 channels; it must have 3"),
    (lambda x: sensors.pack(x[:, :1, 1:]), "multiples of 2"),
    (lambda x: sensors.unpack(x), "packed has 3 channels; it must have 4"),
    (lambda x: sensors.raw_counts(x[:, :1], 0, seed()), "ratio is 0"),
    (lambda x: sensors.raw_counts(x[:, :1], 1, seed(), black=600, white=512), "white is 512; it must be a finite number > 600"),
    (lambda x: sensors.develop(x[:, :1, :1]), "at least 2x2"),
    (lambda x: sensors.develop(x[:, :1], balance=2), "balance is 2; give three numbers"),
    (lambda x: sensors.develop(x[:, :1], ["R"]), "pattern is"),
    (lambda x: sensors.develop(x[:, :1], curve="gamma"), "curve is 'gamma'; choose one of srgb, bt709"),
    (lambda x: sensors.low_light(x, -5, seed()), "ratio is -5"),
    (lambda x: sensors.expose(x, 0), "time is 0"),
    (lambda x: sensors.expose(x, 1, bits=0), "bits is 0"),
    (lambda x: sensors.linearised(x - 1, 1), "light can't be negative"),
    (lambda x: sensors.srgb(x * math.nan), "image is nan at"),
    (lambda x: sensors.saliency_map(x), "labels are .*float64; give a tensor .* whole numbers"),
    (lambda x: sensors.saliency_map([1]), "labels are list"),
])
def test_bad_input_is_one_sentence(call, says):
    with pytest.raises(GirlibError, match=says) as error:
        call(torch.rand(1, 3, 8, 12, generator=seed(), dtype=torch.float64))
    assert ". " not in str(error.value) and str(error.value).endswith(".")
