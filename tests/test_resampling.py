"""Every way of resampling equals the program that it is named after, on odd sizes too, and real data give the tabulated errors."""

import math
import os

import cv2
import depth_variants
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from girlib import losses
from girlib.errors import GirlibError
from girlib.networks import pannet
from girlib.resampling import DOWNSAMPLING, UPSAMPLING, crop_to_multiple, downsample, upsample

SIZES = [((37, 53), (111, 159)), ((31, 20), (100, 77)), ((7, 5), (14, 11)), ((3, 2), (12, 8)), ((1, 1), (4, 3)), ((9, 9), (9, 9))]
PILLOW = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR, "lanczos": Image.Resampling.LANCZOS,
          "nearest": Image.Resampling.NEAREST, "nearest-center": Image.Resampling.NEAREST}


def random(*shape, seed=0, dtype=torch.float32):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def needs_data():
    if "GIRLIB_DATA" not in os.environ:
        pytest.skip("GIRLIB_DATA is not set, so real depth maps can't be read.")


def pillow(image, size, how):
    return torch.from_numpy(np.array(Image.fromarray(image.numpy()).resize(size[::-1], PILLOW[how])))


def imresize(image, size):
    """MATLAB's imresize(image, size, "bicubic"), pixel by pixel in its own one-based coordinates; image (H, W) float64."""
    def kernel(x):
        x = abs(x)
        if x <= 1:
            return 1.5 * x**3 - 2.5 * x**2 + 1
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0

    def along_rows(image, m):
        n = len(image)
        scale = m / n
        width = 4 / scale if scale < 1 else 4
        result = np.zeros((m, image.shape[1]))
        mirror = list(range(n)) + list(range(n - 1, -1, -1))
        for x in range(1, m + 1):
            u = x / scale + 0.5 * (1 - 1 / scale)
            left = math.floor(u - width / 2)
            places = range(left, left + math.ceil(width) + 2)
            weights = [scale * kernel(scale * (u - p)) if scale < 1 else kernel(u - p) for p in places]
            for place, weight in zip(places, weights, strict=True):
                result[x - 1] += weight / sum(weights) * image[mirror[(place - 1) % (2 * n)]]
        return result
    return along_rows(along_rows(image, size[0]).T, size[1]).T


# ------------------------------------------------------------------------------------ equal to the programs they name

@pytest.mark.parametrize("how, small, large", [(how, *sizes) for how in ("bicubic", "bilinear", "lanczos") for sizes in SIZES]
                         + [("nearest", *SIZES[0]), ("nearest", (7, 5), (50, 24))])      # no pixel's centre on an edge: a tie
def test_enlarging_equals_pillow(how, small, large):
    image = 255 * random(*small)
    assert (upsample(image[None, None], large, how)[0, 0] - pillow(image, large, how)).abs().max() < 4e-5  # 255 in float32: 1.5e-5


@pytest.mark.parametrize("how", ["bicubic", "nearest-center"])
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 7, 16])
def test_reducing_equals_pillow(how, scale):
    image = 255 * random(5 * scale, 3 * scale)
    assert (downsample(image[None, None], scale, how)[0, 0] - pillow(image, (5, 3), how)).abs().max() < 4e-5


@pytest.mark.parametrize("seed", range(4))
def test_8_bit_images_equal_pillows_to_the_bit(seed):
    image = torch.randint(0, 256, (60, 84), generator=torch.Generator().manual_seed(seed))
    whole = Image.fromarray(image.numpy().astype(np.uint8))
    for scale in (2, 4, 12):
        low = np.array(whole.resize((84 // scale, 60 // scale), Image.Resampling.BICUBIC))
        assert torch.equal(downsample(image[None, None].float(), scale, "bicubic-8bit")[0, 0], torch.from_numpy(low).float())
    for size in ((61, 200), (60, 84), (180, 252)):
        large = np.array(whole.resize(size[::-1], Image.Resampling.BICUBIC))
        assert torch.equal(upsample(image[None, None].double(), size, "bicubic-8bit")[0, 0], torch.from_numpy(large).double())


@pytest.mark.parametrize("seed", range(8))
def test_8_bit_ties_are_decided_by_pillows_weights(seed):
    """With few grey levels exact weights often give a half; weights in multiples of 2^-22 then decide."""
    image = torch.randint(0, 3, (35, 35), generator=torch.Generator().manual_seed(seed))
    large = np.array(Image.fromarray(image.numpy().astype(np.uint8)).resize((105, 105), Image.Resampling.BICUBIC))
    assert torch.equal(upsample(image[None, None].double(), (105, 105), "bicubic-8bit")[0, 0], torch.from_numpy(large).double())


def test_floats_equal_pillows_to_the_bit_but_for_rare_sums():
    """Pillow keeps what comes between columns and rows in float32; another order of summation moves one in some thousand."""
    image = 255 * random(120, 160)
    pairs = [(downsample(image[None, None], 4)[0, 0], pillow(image, (30, 40), "bicubic")),
             (upsample(image[None, None], (480, 640))[0, 0], pillow(image, (480, 640), "bicubic"))]
    assert all((ours != theirs).float().mean() < 2e-3 for ours, theirs in pairs)


@pytest.mark.parametrize("small, large", SIZES)
def test_enlarging_equals_torch_and_opencv(small, large):
    image = random(1, 3, *small)
    for how, mode in (("bicubic-torch", "bicubic"), ("bilinear", "bilinear")):
        theirs = F.interpolate(image.double(), large, mode=mode, align_corners=False)
        assert (upsample(image.double(), large, how) - theirs).abs().max() < 1e-13
    assert torch.equal(upsample(image, large, "nearest"), F.interpolate(image, large, mode="nearest-exact"))
    theirs = cv2.resize(image[0, 0].numpy(), large[::-1], interpolation=cv2.INTER_CUBIC)
    assert (upsample(image, large, "bicubic-opencv")[0, 0] - torch.from_numpy(theirs)).abs().max() < 5e-6   # weights in float32


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_reducing_equals_torch_and_opencv(scale):
    image = random(1, 2, 7 * scale, 5 * scale)
    size = [7, 5]
    theirs = F.interpolate(image.double(), size, mode="bicubic", antialias=True)
    assert (downsample(image.double(), scale) - theirs).abs().max() < 1e-13
    theirs = F.interpolate(image.double(), size, mode="bicubic")
    assert (downsample(image.double(), scale, "bicubic-opencv") - theirs).abs().max() < 1e-13
    for how, flag in (("bicubic-opencv", cv2.INTER_CUBIC), ("area", cv2.INTER_AREA), ("nearest-topleft", cv2.INTER_NEAREST)):
        theirs = cv2.resize(image[0, 0].numpy(), (5, 7), interpolation=flag)
        assert (downsample(image, scale, how)[0, 0] - torch.from_numpy(theirs)).abs().max() < 5e-6, how


@pytest.mark.parametrize("small, large", SIZES[1:])
def test_enlarging_equals_matlabs_formula(small, large):
    image = random(1, 1, *small, dtype=torch.float64)
    theirs = torch.from_numpy(imresize(image[0, 0].numpy(), large))
    assert (upsample(image, large, "bicubic-matlab")[0, 0] - theirs).abs().max() < 1e-13


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 16])
def test_reducing_equals_matlabs_formula(scale):
    image = random(1, 1, 3 * scale, 2 * scale, dtype=torch.float64)
    theirs = torch.from_numpy(imresize(image[0, 0].numpy(), (3, 2)))
    assert (downsample(image, scale, "bicubic-matlab")[0, 0] - theirs).abs().max() < 1e-13


def test_exp_equals_convolution_with_23_taps():
    """Zeros between the pixels, then np.convolve over five periods: the middle one is the circular result."""
    half = [0.5, 0.305334091185, 0, -0.072698593239, 0, 0.021809577942, 0, -0.005192756653, 0, 0.000807762146, 0, -0.000060081482]
    kernel = 2 * np.array(half[:0:-1] + half)
    image = expected = random(6, 5, dtype=torch.float64).numpy()
    for start in (1, 0):
        sparse = np.zeros([2 * n for n in expected.shape])
        sparse[start::2, start::2] = expected
        for axis in (0, 1):
            n = sparse.shape[axis]
            sparse = np.apply_along_axis(lambda x, n=n: np.convolve(np.tile(x, 5), kernel, "same")[2 * n:3 * n], axis, sparse)
        expected = sparse
    enlarged = upsample(torch.from_numpy(image)[None, None], (24, 20), "exp")
    assert np.abs(enlarged[0, 0].numpy() - expected).max() < 1e-13
    assert np.abs(enlarged[0, 0, 2::4, 2::4].numpy() - image).max() < 1e-13          # low pixel k lies at 4 k + 2


def test_networks_and_losses_resample_alike():
    image = random(2, 3, 12, 9, dtype=torch.float64)
    assert (pannet.enlarge_23_taps(image) - upsample(image, (48, 36), "exp")).abs().max() < 1e-13
    image = random(1, 2, 40, 48, dtype=torch.float64)
    ours, theirs = downsample(image, 4, "bicubic-matlab"), losses.bicubic(image, 4, (10, 12))
    assert (ours - theirs)[..., 2:-2, 2:-2].abs().max() < 1e-13                       # the two differ in their borders only
    assert torch.allclose(downsample(image, 8, "average"), losses.block_mean(image, 8, (5, 6)), atol=1e-14)


# --------------------------------------------------------------------------------------------------- what each one means

@pytest.mark.parametrize("scale", [2, 3, 4])
def test_nearest_takes_the_pixel_that_its_name_says(scale):
    image = random(1, 1, 4 * scale, 3 * scale)
    for how, start in (("topleft", 0), ("center", scale // 2), ("bottomright", scale - 1)):
        assert torch.equal(downsample(image, scale, f"nearest-{how}"), image[..., start::scale, start::scale])


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.sampled_from(sorted(DOWNSAMPLING)), st.integers(1, 6), st.integers(1, 9), st.integers(1, 9), st.sampled_from(sorted(UPSAMPLING)))
def test_a_constant_stays_a_constant_and_no_dtype_changes(down, scale, h, w, up):
    for dtype in (torch.float32, torch.float64):
        image = torch.full((2, 1, h * scale, w * scale), 7, dtype=dtype)
        low = downsample(image, scale, down).round(decimals=4)                           # 8 bits take whole numbers only
        assert low.shape == (2, 1, h, w) and low.dtype == dtype and (low - 7).abs().max() < 1e-6
        factor = 4 if up == "exp" else scale
        large = upsample(low, (h * factor, w * factor), up)
        assert large.dtype == dtype and (large - 7).abs().max() < 1e-5               # the 23 taps sum to 1 up to 7e-7


@pytest.mark.parametrize("how", [how for how in UPSAMPLING if how != "nearest"])
def test_a_ramp_tells_where_the_low_pixels_lie(how):
    """Reduced by the mean, a ramp is a ramp at the blocks' centres; enlarged it is the ramp again, or later by half a fine pixel."""
    ramp = torch.arange(128, dtype=torch.float64).expand(1, 1, 8, 128)
    low = downsample(ramp + 0.5, 4, "average")                                        # whole numbers, for 8 bits
    error = (upsample(low, ramp.shape[-2:], how) - ramp - 0.5)[..., 48:-48].mean()
    rounded = 0.5 if how == "bicubic-8bit" else 0                                     # every result ends in a half
    assert abs(error + (0.5 if how in ("bicubic-wald", "exp") else 0) - rounded) < 1e-4


def test_only_a_kernel_that_is_not_widened_lets_fine_stripes_through():
    """Stripes of period 3, reduced by 8: a widened cubic kernel returns their mean."""
    stripes = torch.tensor([0.0, 0.0, 1.0]).repeat(64).expand(1, 1, 64, 192)
    left = {how: downsample(stripes, 8, how)[..., 2:-2].sub(1 / 3).abs().max().item() for how in DOWNSAMPLING}
    assert left["bicubic"] < 0.002 and left["bicubic-matlab"] < 0.002
    assert 0.02 < left["average"] < 0.1                                               # a block holds two or three bright pixels
    assert left["bicubic-opencv"] > 0.25 and all(left[how] > 0.3 for how in left if how.startswith("nearest"))


def test_cropping_keeps_the_top_left():
    image = random(1, 1, 11, 9)
    assert torch.equal(crop_to_multiple(image, 4), image[..., :8, :8])


# -------------------------------------------------------------------------------------------------------- real depth maps

@pytest.mark.parametrize("dataset, scale", [("Lu", 8), ("NYU8", 16)])
def test_all_variants_give_the_tabulated_errors(dataset, scale):
    needs_data()
    differences = depth_variants.largest_difference(dataset, scale)
    assert len(differences) == (16 if dataset == "NYU8" else 19)
    assert max(differences.values()) < 2e-6                                           # the table has six digits


def test_middleburys_images_give_the_tabulated_errors():
    needs_data()
    maps = depth_variants.depth_maps("Middlebury")
    assert len(maps) == 30
    errors = np.array([depth_variants.errors("A", depth, 4) for depth in maps])
    assert np.abs(errors.mean(axis=0) - (2.280985, 2.296468)).max() < 2e-6


# -------------------------------------------------------------------------------------------------------------- bad input

@pytest.mark.parametrize("call, says", [
    (lambda x: downsample(x, 0), "scale is 0; it must be a whole number >= 1"),
    (lambda x: downsample(x, True), "scale is True"),
    (lambda x: downsample(x, 2.5), "scale is 2.5"),
    (lambda x: downsample(x, 5), r"the image is 8x12, but both sides must be multiples of 5; .*crop_to_multiple\(image, 5\)"),
    (lambda x: downsample(x, 4, "cubic"), "how is 'cubic'; choose one of bicubic, bicubic-8bit, .*nearest-bottomright"),
    (lambda x: downsample(x, 4, None), "how is None"),
    (lambda x: downsample(x, 4, "bicubic-8bit"), "whole numbers in 0 to 255"),
    (lambda x: downsample(x.int(), 4), "image is torch.int32; give floating numbers"),
    (lambda x: downsample(x.numpy(), 4), "image is of type ndarray"),
    (lambda x: downsample(x[0], 4), r"image has the shape \(1, 8, 12\)"),
    (lambda x: downsample(x[..., :0], 4), "image is empty"),
    (lambda x: downsample(torch.where(x > 0.5, torch.nan, x), 4), "image is nan at .* not finite"),
    (lambda x: upsample(x, 4), "size is 4; it must be two whole numbers"),
    (lambda x: upsample(x, (16, 0)), "width is 0"),
    (lambda x: upsample(x, (16, 8)), "size is 16x8, but the image is 8x12"),
    (lambda x: upsample(x, (16, 24), "lanczos3"), "how is 'lanczos3'; choose one of .*exp"),
    (lambda x: upsample(x, (24, 36), "exp"), "8x12 to 24x36 is not the same power of two"),
    (lambda x: upsample(x, (16, 48), "exp"), "8x12 to 16x48"),
    (lambda x: crop_to_multiple(x, 9), "the image is 8x12, but multiple is 9"),
])
def test_bad_input_is_one_sentence(call, says):
    with pytest.raises(GirlibError, match=says) as error:
        call(random(1, 1, 8, 12))
    assert ". " not in str(error.value) and str(error.value).endswith(".")
