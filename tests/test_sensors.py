"""Sensors against theory and against real files: blur, noise, lens, raw, exposures."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import loadmat

from girlib import sensors
from girlib.resampling import downsample, upsample
from girlib.scenes import still_life

GAINS = sorted({gain for bands, pan in sensors.SENSORS.values() for gain in (*(bands or (0.3,)), pan)})


def seed(number=0):
    return torch.Generator().manual_seed(number)


def random(*shape, dtype=torch.float64):
    return torch.rand(*shape, generator=seed(), dtype=dtype)


def data(*path):
    if "GIRLIB_DATA" not in os.environ:
        pytest.skip("GIRLIB_DATA is not set, so real images can't be read.")
    return Path(os.environ["GIRLIB_DATA"], *path)


def cube(path, key):
    """An array (H, W, C) of a MATLAB file as (1, C, H, W), float64."""
    return torch.from_numpy(np.ascontiguousarray(loadmat(data(*path))[key].astype(np.float64).transpose(2, 0, 1)))[None]


# ---------------------------------------------------------------------------------------- satellites: Wald's protocol

@pytest.mark.parametrize("path, sensor", [(("worldview3", "WV3_test.mat"), "worldview3"), (("pleiades", "Pleiades_test.mat"), "unknown")])
def test_walds_protocol_gives_the_low_bands_of_real_files(path, sensor):
    bands, low = cube(path, "gt"), cube(path, "lrms")
    assert (sensors.wald(bands, sensor) - low).abs().max() < 1e-12
    assert (sensors.wald(bands.float(), sensor) - low).abs().max() < 1e-6


def test_gdds_scene_was_reduced_as_matlab_does():
    path = ("gdd", "pan_im4.mat")
    assert (downsample(cube(path, "I_MS_GT"), 4, "bicubic-matlab") - cube(path, "I_MS_input")).abs().max() < 1e-6


def scores(restored, reference):
    """PSNR of the cube and of the mean band, SAM in degrees, ERGAS; arrays (bands, H, W)."""
    x, y = restored[0].numpy(), reference[0].numpy()
    mse = ((x - y) ** 2).mean(axis=(1, 2))
    cosine = (x * y).sum(0) / np.sqrt((x ** 2).sum(0) * (y ** 2).sum(0))
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean()
    return (-10 * np.log10(mse.mean()), (-10 * np.log10(mse)).mean(), angle, 25 * np.sqrt((mse / y.mean(axis=(1, 2)) ** 2).mean()))


WV3, WV2 = ("worldview3", "WV3_test.mat"), ("worldview2", "imgWV2.mat")
PLEIADES, GDD = ("pleiades", "Pleiades_test.mat"), ("gdd", "pan_im4.mat")


@pytest.mark.parametrize("path, how, expected", [
    (WV3, "exp", (27.028652, 28.203629, 6.197563, 8.490146)),
    (WV3, "bicubic", (26.785319, 27.956123, 6.209169, 8.731633)),
    (WV3, "bicubic-matlab", (26.785688, 27.956422, 6.208533, 8.731248)),
    (WV3, "bicubic-wald", (26.913555, 28.081602, 6.099564, 8.603496)),
    (WV3, "bicubic-torch", (26.889366, 28.061462, 6.131210, 8.627309)),
    (WV3, "bilinear", (26.426544, 27.598030, 6.530865, 9.101382)),
    (PLEIADES, "exp", (26.578475, 27.877026, 4.665937, 5.736003)),
    (PLEIADES, "bicubic", (26.168539, 27.492838, 4.828447, 6.001903)),
    (GDD, "exp", (26.975911, 27.241594, 4.465930, 7.637056)),
    (GDD, "bicubic", (27.446103, 27.705282, 4.057386, 7.244125)),
    (GDD, "bicubic-matlab", (27.447396, 27.706360, 4.057018, 7.243475)),
    (GDD, "bicubic-torch", (27.633204, 27.892002, 4.087015, 7.090570)),
])
def test_enlarged_bands_score_as_tabulated(path, how, expected):
    low, reference = (cube(path, key) for key in (("I_MS_input", "I_MS_GT") if path is GDD else ("lrms", "gt")))
    assert np.abs(np.subtract(scores(upsample(low, reference.shape[-2:], how), reference), expected)).max() < 2e-6


@pytest.mark.parametrize("reduce, how, expected", [
    (lambda bands: downsample(bands, 4, "bicubic-matlab"), "bicubic-matlab", (24.718480, 25.753591, 7.214773, 7.232671)),
    (lambda bands: downsample(bands, 4, "bicubic-matlab"), "exp", (24.570261, 25.623826, 7.390189, 7.345020)),
    (lambda bands: sensors.wald(bands, "worldview2"), "exp", (24.248089, 25.327643, 7.715399, 7.607753)),
])
def test_a_scene_reduced_here_scores_as_tabulated(reduce, how, expected):
    bands = cube(WV2, "I_MS") / 2047
    assert np.abs(np.subtract(scores(upsample(reduce(bands), (320, 320), how), bands), expected)).max() < 2e-6


def transmitted(kernel, frequency):
    """Contrast that a symmetric kernel leaves of a wave along one axis, in cycles a pixel."""
    place = np.arange(len(kernel)) - len(kernel) // 2
    return (kernel.numpy().sum(axis=0) * np.cos(2 * np.pi * frequency * place)).sum()


@pytest.mark.parametrize("gain", GAINS)
def test_the_blur_has_its_gain_where_the_toolboxes_put_it(gain):
    """At 5 of 41 steps the window alone disturbs; the coarse grid's highest frequency, 1/8, is 5.125 steps: gain^(1.025^2)."""
    kernel = sensors.mtf_kernel(gain)
    assert abs(transmitted(kernel, 5 / 41) - gain) < 5e-4
    assert abs(transmitted(kernel, 1 / 8) - gain ** 1.025 ** 2) < 5e-4
    assert 0.9975 < transmitted(kernel, 0) < 1                                         # not normalised, as released


@pytest.mark.parametrize("ratio", [2, 4])
def test_the_blurs_kernel_follows_the_recipe(ratio):
    """In numpy: sampled Gaussian, inverse transform as a sum, Kaiser window read at the radius."""
    step, gain = np.arange(-20, 21), 0.325
    alpha = np.sqrt((40 / (2 * ratio)) ** 2 / (-2 * np.log(gain)))
    wave = np.exp(2j * np.pi * np.outer(step, step) / 41) / 41
    kernel = (wave @ np.exp(-(step[:, None] ** 2 + step ** 2) / (2 * alpha ** 2)) @ wave).real
    t = np.linspace(-1, 1, 41)
    window = np.interp(np.hypot(t[:, None], t), t, np.kaiser(41, 0.5), right=0)
    assert np.abs(sensors.mtf_kernel(gain, ratio).numpy() - kernel * window).max() < 1e-15


def test_the_blur_is_a_correlation_with_repeated_borders():
    image, kernel = random(1, 2, 9, 7), sensors.mtf_kernel(0.3).numpy()
    blurred = sensors.mtf_blur(image, (0.14, 0.3))
    for y, x in ((0, 0), (4, 3), (8, 6)):
        rows, columns = (np.clip(np.arange(-20, 21) + at, 0, n - 1) for at, n in ((y, 9), (x, 7)))
        assert abs(blurred[0, 1, y, x].item() - (image[0, 1].numpy()[np.ix_(rows, columns)] * kernel).sum()) < 1e-13


def test_one_channel_is_the_panchromatic_band():
    pan = random(1, 1, 24, 16)
    assert torch.equal(sensors.wald(pan, "quickbird"), sensors.mtf_blur(pan, 0.15)[..., 2::4, 2::4])
    assert torch.equal(sensors.wald(pan, "unknown"), sensors.mtf_blur(pan, 0.15)[..., 2::4, 2::4])


def test_mixing_bands_is_a_matrix_a_pixel():
    bands, response = random(2, 5, 3, 4), random(3, 5)
    assert torch.allclose(sensors.mix(bands, response.float())[1, :, 2, 1], response.float().double() @ bands[1, :, 2, 1])


def test_averages_of_32_pixels_are_the_blocks_of_the_hyperspectral_protocol():
    with np.load(data("cave", "response.npz")) as file:
        block, response = torch.from_numpy(file["C_cvpr"]), torch.from_numpy(file["R"]).T                   # (32, 32), (3, 31)
    bands = random(1, 31, 64, 96)
    low = sensors.downsample(bands, 32, "average")
    assert torch.allclose(low[0, 5, 1, 2], (block * bands[0, 5, 32:, 64:]).sum())
    assert torch.allclose(sensors.mix(torch.full_like(bands, 0.4), response), torch.tensor(0.4, dtype=torch.float64))


# ------------------------------------------------------------------------------------------------------------- depth

def test_gaussian_noise_has_its_variance():
    noise = sensors.gaussian_noise(torch.zeros(1, 1, 400, 500), 25, seed())
    n = noise.numel()
    assert abs(noise.var().item() - 25) < 5 * 25 * math.sqrt(2 / n) and abs(noise.mean().item()) < 5 * 5 / math.sqrt(n)


def test_noisy_depth_of_dagf_has_the_tabulated_error():
    """Bicubic down, variance 25, bicubic up on Lu by 4: 4.77 in the mean of three draws."""
    errors = []
    for i, file in enumerate(sorted(data("lu", "Depth").glob("*.png"))):
        depth = torch.from_numpy(np.asarray(Image.open(file), np.float32))[None, None]
        noisy = sensors.gaussian_noise(downsample(depth, 4), 25, seed(i))
        errors.append((upsample(noisy, depth.shape[-2:]) - depth).square().mean().sqrt().item())
    assert abs(np.mean(errors) - 4.77) < 0.02                                           # two printed digits, another draw


def test_a_simulated_depth_sensors_map_was_enlarged_as_matlab_does():
    """Art at x16: the published target is the low map enlarged, in 16 bits; its error and the low map's noise are tabulated."""
    def grey(name):
        return torch.from_numpy(np.asarray(Image.open(data("art", name))).astype(np.float64))[None, None]
    low, target, truth = (grey(name) * unit for name, unit in (("target_lr_68x86.png", 255 / 65535), ("target.png", 255 / 65535),
                                                               ("ground_truth.png", 1)))
    enlarged = upsample(low, target.shape[-2:], "bicubic-matlab")
    assert (enlarged - target).abs().max() < 0.0021                                     # half a step of 16 bits: 255 / 65535 / 2
    assert abs((target - truth).square().mean().sqrt().item() - 9.599559) < 1e-6
    assert abs((low - downsample(truth, 16)).std().item() - 5.75) < 0.005


def test_relative_noise_follows_the_value():
    image = torch.tensor([0.1, 1.0, 4.0]).view(1, 3, 1, 1).expand(1, 3, 300, 300)
    for inverse, expected in ((False, (0.004, 0.04, 0.16)), (True, (0.4, 0.04, 0.01))):
        deviation = (sensors.relative_noise(image, 0.04, seed(), inverse) - image).std(dim=(2, 3))[0]
        assert torch.allclose(deviation, torch.tensor(expected), rtol=0.02)


def test_blur_is_a_normalised_gaussian():
    image = torch.zeros(1, 1, 41, 61, dtype=torch.float64)
    image[..., 20, 30] = 1
    blurred, t = sensors.gaussian_blur(image, 3.0)[0, 0], np.arange(-12, 13)
    exact = np.exp(-t ** 2 / 18) / np.exp(-t ** 2 / 18).sum()
    assert np.abs(blurred[8:33, 18:43].numpy() - np.outer(exact, exact)).max() < 1e-5   # cut off at 4 sigma or a little beyond


def test_a_time_of_flight_sensor_errs_as_measured_ones_do():
    """Real maps: bias 12 to 28 mm; in flat areas 12-17 mm of slow and 2-3 mm of white noise; displaced by two low rows."""
    depth = torch.full((1, 1, 1024, 1024), 1.5, dtype=torch.float64)
    low, valid = sensors.tof_noise(depth, 4, seed())
    error = (low - 1.5)[0, 0]
    white = error[:-1, :-1] - error[1:, :-1] - error[:-1, 1:] + error[1:, 1:]           # slow changes vanish, variances add
    assert valid.all() and 0.012 < error.mean() < 0.028
    assert 0.012 < error.std() < 0.017 and 0.002 < white.std() / 2 < 0.003

    rows, columns = torch.arange(512)[:, None], torch.arange(512)
    depth = 1.6 - 0.0008 * rows - 0.3 * (((rows // 130) + (columns // 130)) % 2)        # boxes in front of a wall and a floor
    depth = depth[None, None].double()
    low, valid = sensors.tof_noise(depth, 4, seed())
    clean = downsample(depth, 4, "average")

    def rms(rows):
        here = valid[..., 8:-8, 8:-8]
        return (low - clean.roll(rows, -2))[..., 8:-8, 8:-8][here].square().mean().sqrt().item()
    assert min(range(-4, 5), key=rms) == 2
    lost = ~valid[..., 8:-8, 8:-8]
    assert lost.any() and (low[..., 8:-8, 8:-8][lost] == 0).all()
    assert not sensors.tof_noise(depth, 4, seed(), lost=1)[1].all() and sensors.tof_noise(depth, 4, seed(), lost=0)[1].all()


def test_a_time_of_flight_edge_is_smeared_but_stays_between_its_sides():
    depth = torch.ones(1, 1, 64, 64, dtype=torch.float64)
    depth[..., 32:] = 2
    low, _ = sensors.tof_noise(depth, 4, seed(), bias=0, drift=0, noise=0, shift=0, lost=0)
    row = low[0, 0, 8]
    assert ((row > 1.02) & (row < 1.98)).sum() == 2 and (row.diff() >= -1e-12).all() and abs(row.mean() - 1.5) < 1e-3


# --------------------------------------------------------------------------------------------------------------- lens

def two_planes(height=36, width=48):
    """A near plane left of the middle, textured in red; behind it a ramp downwards in green and blue, known where it is hidden too."""
    near = torch.arange(width).expand(height, width) < width // 2
    ground = torch.zeros(3, height, width, dtype=torch.float64)
    ground[1:] = torch.linspace(0.2, 0.8, height, dtype=torch.float64)[:, None]
    front = torch.zeros(3, height, width, dtype=torch.float64)
    front[0] = 0.5 + 0.5 * random(height, width)
    return near, front, ground


def lens(near, front, ground, near_radius, far_radius, rays=2048):
    """Monte Carlo: each pixel the mean of rays through points of the lens; a ray meets the near plane first, or else the far one.

    Through the lens point u (unit disc), pixel x sees the place x + radius * u of a plane, in pinhole coordinates.
    """
    angle, distance = torch.quasirandom.SobolEngine(2, scramble=True, seed=0).draw(rays, dtype=torch.float64).T
    u = (distance.sqrt() * torch.stack([torch.cos(2 * math.pi * angle), torch.sin(2 * math.pi * angle)])).numpy()
    height, width = near.shape
    y, x = np.mgrid[:height, :width]
    total = np.zeros((3, height, width))
    near, front, ground = near.numpy(), front.numpy(), ground.numpy()
    for dx, dy in u.T:
        def look(image, radius, dx=dx, dy=dy):
            rows, columns = np.rint(y + radius * dy).astype(int), np.rint(x + radius * dx).astype(int)
            return image[..., rows.clip(0, height - 1), columns.clip(0, width - 1)]
        total += np.where(look(near, near_radius), look(front, near_radius), look(ground, far_radius))
    return torch.from_numpy(total / rays)


def photograph(focus, near_depth, far_depth, aperture, planes):
    near, front, ground = planes
    color, depth = torch.where(near, front, ground)[None], torch.where(near, near_depth, far_depth).double()[None, None]
    return sensors.thin_lens(color, depth, focus, aperture, focal=100)[0], color[0]


def test_a_near_blur_covers_the_far_edge():
    """Far plane in focus, the near one blurred by 4 pixels: aperture * focal * (1/1 - 1/2)."""
    planes = two_planes()
    result, _ = photograph(2.0, 1.0, 2.0, 0.08, planes)
    exact = lens(*planes, 4.0, 0.0)
    assert (result - exact)[:, 8:-8].abs().max() < 0.008                                # 2048 rays
    near = planes[0]
    red = result[0]
    assert near[:, 23].all() and not near[:, 24].any()
    assert (red[:, 24:27] > 0.05).all() and red[:, 29:].abs().max() < 1e-12             # outside the near plane, up to 4 pixels
    assert torch.allclose(result[1][:, 29:], planes[2][1][:, 29:])


def test_a_far_blur_never_bleeds_over_a_near_edge_in_focus():
    planes = two_planes()
    near = planes[0]
    result, color = photograph(1.0, 1.0, 2.0, 0.08, planes)
    assert (result - color)[:, near].abs().max() < 1e-12                                # the near plane is untouched
    assert result[0][~near].abs().max() < 1e-12                                         # and none of it got into the far one
    assert (result - lens(*planes, 0.0, -4.0))[:, 8:-8].abs().max() < 0.008


@pytest.mark.parametrize("focus, radii", [(4.0, (6.0, 2.0)), (1.25, (1.6, -2.4))])
def test_two_blurred_planes_agree_with_rays_through_a_lens(focus, radii):
    """Before a uniform ground the layers are exact; before a ramp they differ a little: the ground is seen through the whole lens."""
    near, front, ground = two_planes()
    uniform = torch.full_like(ground, 0.5)
    for background, bound in ((uniform, 0.005), (ground, 0.008)):
        result, _ = photograph(focus, 1.0, 2.0, 0.08, (near, front, background))
        assert (result - lens(near, front, background, *radii))[:, 8:-8].abs().max() < bound


def test_a_slanted_plane_shows_no_seams():
    """Its layers meet everywhere; a uniform colour stays, and a ramp along the layers too."""
    depth = torch.linspace(1, 3, 96, dtype=torch.float64).expand(1, 1, 64, 96)
    ramp = torch.linspace(0.1, 0.9, 64, dtype=torch.float64)[:, None].expand(1, 3, 64, 96)
    for focus in (1.0, 1.7, 3.0):
        result = sensors.thin_lens(ramp, depth, focus, 0.1)
        assert (result - ramp)[..., 10:-10, :].abs().max() < 2e-3
        assert (sensors.thin_lens(torch.ones_like(ramp), depth, focus, 0.1) - 1).abs().max() < 1e-12


def test_a_closed_aperture_leaves_the_picture():
    scene = still_life(64)
    assert torch.equal(sensors.thin_lens(scene.color, scene.depth, 1.5, 0), scene.color)


def test_the_focal_length_is_the_images_width_unless_given():
    color, depth = random(1, 3, 20, 30), 1 + random(1, 1, 20, 30)
    assert torch.equal(sensors.thin_lens(color, depth, 1.5, 0.1), sensors.thin_lens(color, depth, 1.5, 0.1, focal=30))
    assert not torch.equal(sensors.thin_lens(color, depth, 1.5, 0.1), sensors.thin_lens(color, depth, 1.5, 0.1, focal=20))


def test_a_point_becomes_a_disc_of_the_thin_lens_radius():
    color = torch.zeros(1, 1, 41, 41, dtype=torch.float64)
    color[..., 20, 20] = 1
    disc = sensors.thin_lens(color, torch.full_like(color, 2.0), 4.0, 0.3, focal=100)[0, 0]      # 0.3 * 100 / 4 = 7.5 pixels
    y, x = torch.meshgrid(*(torch.arange(-20.0, 21),) * 2, indexing="ij")
    assert torch.allclose(disc[torch.hypot(y, x) < 6.5], torch.tensor(1 / (math.pi * 7.5 ** 2), dtype=torch.float64), rtol=2e-3)
    assert disc[torch.hypot(y, x) > 8.5].abs().max() < 1e-15 and abs(disc.sum() - 1) < 1e-12


# ---------------------------------------------------------------------------------------------------------------- raw

def test_raw_variance_is_a_line_of_the_mean():
    """Slope: gain. Intercept: read^2 + 1/12. The bounds are four standard errors of a line fitted to so many pixels."""
    gain, read, n = 3.0, 6.0, 40_000
    levels = torch.linspace(0.001, 0.1, 12, dtype=torch.float64)
    mean, variance = [], []
    for i, level in enumerate(levels):
        counts = sensors.raw_counts(level.expand(1, 1, 200, 200), 1, seed(i), gain=gain, read=read)
        assert torch.equal(counts, counts.round())
        mean.append(counts.mean().item() - 512), variance.append(counts.var().item())
    deviation = math.sqrt(2 / n) * (gain * np.array(mean) + read ** 2)                  # of a variance of n Gaussian numbers
    (slope, intercept), covariance = np.polyfit(mean, variance, 1, w=1 / deviation, cov="unscaled")
    assert abs(slope - gain) < 4 * math.sqrt(covariance[0, 0]) < 0.06
    assert abs(intercept - read ** 2 - 1 / 12) < 4 * math.sqrt(covariance[1, 1]) < 4


def test_a_shorter_exposure_has_less_light_and_the_same_read_noise():
    mosaic = torch.full((1, 1, 300, 300), 0.8, dtype=torch.float64)
    counts = sensors.raw_counts(mosaic, 100, seed(), read=6.0)
    light = 0.008 * (16383 - 512)
    assert abs(counts.mean() - 512 - light) < 0.4 and abs(counts.var() - 3 * light - 36) < 12
    amplified = sensors.amplify(counts, 100)
    assert abs(amplified.mean() - 0.8) < 0.02 and amplified.max() <= 1 and amplified.min() >= 0


def test_amplifying_is_sids_packing_rule():
    counts = torch.tensor([500.0, 512, 1000, 16383]).view(1, 1, 2, 2)
    assert torch.allclose(sensors.amplify(counts, 10).flatten(), torch.tensor([0, 0, 488 * 10 / 15871, 1]))
    assert torch.allclose(sensors.amplify(counts, 10, clip=False).flatten(), torch.tensor([0, 0, 488 * 10 / 15871, 10]))


def test_real_raw_is_proportional_to_the_shutter():
    """Two exposures of one scene, 8 bits, where the short one is neither coarse nor clipped: their ratio is the shutters'."""
    short, long = (torch.from_numpy(np.asarray(Image.open(data("mcr", f"C00400_48mp_0x8_0x{shutter}.png")), np.float64))[None, None]
                   for shutter in ("007f", "01ff"))
    short, long = (sensors.amplify(counts, ratio, 0, 255, clip=False) for counts, ratio in ((short, 0x1ff / 0x7f), (long, 1)))
    here = (short > 20 / 255 * 0x1ff / 0x7f) & (short < 0.6)
    assert here.sum() > 10_000 and abs((long[here].mean() / short[here].mean()).item() - 1) < 0.02


@pytest.mark.parametrize("pattern", sensors.PATTERNS)
def test_a_mosaic_keeps_one_colour_a_pixel(pattern):
    rgb = random(2, 3, 5, 7)
    mosaic = sensors.bayer_mosaic(rgb, pattern)
    for y in range(5):
        for x in range(7):
            assert torch.equal(mosaic[:, 0, y, x], rgb[:, "RGB".index(pattern[2 * (y % 2) + x % 2]), y, x])


def test_packing_has_the_order_red_green_blue_green():
    mosaic = sensors.bayer_mosaic(torch.tensor([1.0, 2, 3]).view(1, 3, 1, 1).expand(1, 3, 6, 8) + 10 * torch.arange(8))
    packed = sensors.pack(mosaic)
    assert packed.shape == (1, 4, 3, 4) and packed[0, :, 0, 0].tolist() == [1, 12, 13, 2]   # tens: the column
    assert torch.equal(sensors.unpack(packed), mosaic)


@pytest.mark.parametrize("pattern", sensors.PATTERNS)
def test_developing_returns_what_the_mosaic_was_made_of(pattern):
    y, x = torch.meshgrid(torch.arange(9.0, dtype=torch.float64), torch.arange(11.0, dtype=torch.float64), indexing="ij")
    rgb = torch.stack([0.2 + 0.03 * x, 0.5 + 0.02 * y, 0.3 + 0.01 * (x + y)])[None]
    developed = sensors.linear(sensors.develop(sensors.bayer_mosaic(rgb, pattern), pattern))
    assert (developed - rgb)[..., 1:-1, 1:-1].abs().max() < 1e-12                       # planes are interpolated exactly
    flat = torch.tensor([0.1, 0.2, 0.4], dtype=torch.float64).view(1, 3, 1, 1).expand(1, 3, 5, 3)
    developed = sensors.develop(sensors.bayer_mosaic(flat, pattern), pattern, balance=(2.0, 1.0, 0.5))
    assert (sensors.linear(developed) - 0.2).abs().max() < 1e-12                        # at the borders too


def test_the_curve_of_video_is_that_of_the_standard():
    light = torch.tensor([0.0, 0.01, 0.018, 0.18, 0.5, 1.0], dtype=torch.float64).view(1, 1, 1, 6)
    stored = [4.5 * x if x < 0.018 else 1.099 * x**0.45 - 0.099 for x in light.flatten().tolist()]       # ITU-R BT.709, 1.2
    assert torch.allclose(sensors.bt709(light).flatten(), torch.tensor(stored, dtype=torch.float64), atol=1e-15)
    flat = torch.full((1, 1, 4, 4), 0.18)
    assert torch.allclose(sensors.develop(flat, curve="bt709"), sensors.bt709(flat).expand(-1, 3, -1, -1))


def test_low_light_pairs_belong_together():
    rgb = still_life(64).color
    short, long, reference = sensors.low_light(rgb, 100, seed())
    assert short.shape == long.shape == (1, 1, 64, 64) and reference.shape == rgb.shape
    assert (long - sensors.bayer_mosaic(rgb)).abs().mean() < 0.02 < (short - long).abs().mean()
    guide = sensors.red_flash_guide(reference)
    assert torch.equal(guide[0, 2], reference[0, 0, 1::2, 1::2])
    again = sensors.low_light(rgb, 100, seed())
    assert all(torch.equal(a, b) for a, b in zip((short, long, reference), again, strict=True))


# -------------------------------------------------------------------------------------------------------- photographs

def test_srgb_and_back():
    image = torch.linspace(0, 1, 1001, dtype=torch.float64).view(1, 1, 1, -1)
    assert (sensors.linear(sensors.srgb(image)) - image).abs().max() < 1e-7             # the standard's two pieces meet to 1e-7
    assert abs(sensors.srgb(image)[..., 500].item() - 0.7353569830524495) < 1e-12       # 1.055 * 0.5^(1/2.4) - 0.055


def test_exposures_are_clipped_and_linearised_again():
    light = random(1, 3, 20, 30)
    for time in (1, 4, 16):
        photo = sensors.expose(light, time, bits=16)
        assert torch.equal(photo == 1, light * time >= (1 - 0.5 / 65535) ** 2.2)
        assert (sensors.linearised(photo, time) - light.clamp(max=1 / time)).abs().max() < 2e-5
    assert (sensors.expose(light, 1) * 255 - (255 * light ** (1 / 2.2))).abs().max() <= 0.5 + 1e-9
    both = sensors.hdr_input(photo, 16)
    assert torch.equal(both[:, :3], photo) and torch.equal(both[:, 3:], photo ** 2.2 / 16)


def test_a_noisy_photo_is_noisier_the_shorter_it_is():
    light = torch.full((1, 3, 200, 200), 0.3, dtype=torch.float64)
    for ratio in (2, 8):
        deviation = sensors.linear(sensors.noisy_photo(light, ratio, seed(), gain=1e-3, read=1e-3)).std().item()
        assert abs(deviation / (ratio * math.sqrt(1e-3 * 0.3 / ratio + 1e-6)) - 1) < 0.02


# ----------------------------------------------------------------------------------------------------------- saliency

def test_saliency_takes_the_thing_in_the_middle():
    labels = torch.zeros(2, 1, 20, 30, dtype=torch.int64)
    labels[:, :, 6:14, 10:20], labels[:, :, 0:4, 0:5] = 3, 7
    expected = (labels == 3).float()
    assert torch.equal(sensors.saliency_map(labels), expected)
    assert torch.equal(sensors.saliency_map(labels, (3, 7)), (labels > 0).float())
    assert torch.equal(sensors.saliency_map(expected.bool(), True), expected)
    assert sensors.saliency_map(torch.ones(1, 1, 4, 4, dtype=torch.int64)).sum() == 0   # nothing stands out


# ------------------------------------------------------------------------------------------------ all of them together

RANDOM = {
    "gaussian_noise": lambda x, g: sensors.gaussian_noise(x, 0.01, g),
    "relative_noise": lambda x, g: sensors.relative_noise(x, 0.04, g),
    "photon_noise": lambda x, g: sensors.photon_noise(x, 0.01, 0.01, g),
    "raw_counts": lambda x, g: sensors.raw_counts(x, 30, g),
    "noisy_photo": lambda x, g: sensors.noisy_photo(x, 30, g),
    "tof_noise": lambda x, g: sensors.tof_noise(x, 3, g)[0],
}


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_generator_decides_and_the_dtype_stays(name, dtype):
    image = random(2, 1, 15, 9).to(dtype)
    before, sensor = image.clone(), RANDOM[name]
    first, again, other = sensor(image, seed(1)), sensor(image, seed(1)), sensor(image, seed(2))
    assert first.dtype == dtype and torch.equal(first, again) and not torch.equal(first, other) and torch.equal(image, before)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (37, 23)])
def test_any_size_goes(size):
    image, depth = random(1, 3, *size, dtype=torch.float32), 1 + random(1, 1, *size, dtype=torch.float32)
    for result in (sensors.mtf_blur(image, 0.3), sensors.gaussian_blur(image, 2), sensors.thin_lens(image, depth, 1.5, 0.1),
                   sensors.srgb(image), sensors.linear(image), sensors.expose(image, 2)):
        assert result.shape == image.shape and result.dtype == torch.float32 and torch.isfinite(result).all()


def test_real_pairs_go_through_the_lens_and_the_depth_sensor():
    color = np.asarray(Image.open(data("middlebury", "RGB", "Middlebury_02_output_color.png")), np.float32) / 255
    disparity = np.asarray(Image.open(data("middlebury", "Depth", "Middlebury_02_output_depth.png")), np.float32)
    color, depth = torch.from_numpy(color[::2, ::2]).permute(2, 0, 1)[None], torch.from_numpy(200 / disparity[::2, ::2])[None, None]
    near, far = (sensors.thin_lens(sensors.linear(color), depth, focus, 0.02) for focus in (depth.min().item(), depth.max().item()))
    sharpness = [image.diff(dim=-1).abs().mean().item() for image in (near, far, sensors.linear(color))]
    assert max(sharpness[:2]) < sharpness[2] and near.min() >= 0 and near.max() <= 1 + 1e-6
    low, valid = sensors.tof_noise(sensors.crop_to_multiple(depth, 8), 8, seed())
    assert low.shape == valid.shape and 0.5 < valid.float().mean() < 1
