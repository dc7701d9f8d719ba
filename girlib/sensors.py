"""What a camera, a depth sensor or a satellite makes of a scene: the degraded images that every task starts from.

Plain functions on tensors (N, C, H, W), for procedural scenes and photographs alike. "Linear" images are proportional to light, 1 where
the sensor saturates. What is random takes a torch.Generator: the same generator, the same image. Reducing and enlarging is a subject
of its own (girlib.resampling); its functions are found here too.
"""

import math
import numbers

import torch
import torch.nn.functional as F

from girlib.errors import GirlibError
from girlib.filters import box_mean
from girlib.resampling import (  # noqa: F401 - a sensor reduces; whoever looks for that looks here
    DOWNSAMPLING,
    UPSAMPLING,
    check_image,
    check_multiple,
    check_whole,
    crop_to_multiple,
    downsample,
    kernel_matrix,
    upsample,
)

# ------------------------------------------------------------------------------------------------------------- noise

def gaussian_noise(image, variance, generator):
    """White noise. DAGF's noisy depth (Table III): variance 25 on a low-resolution map in 0 ... 255."""
    check_image("gaussian_noise", image)
    _check_number("gaussian_noise", "variance", variance, 0)
    return image + variance ** 0.5 * _normal("gaussian_noise", image, generator)


def relative_noise(image, strength, generator, inverse=False):
    """Noise of standard deviation strength * image, or strength / (image + 1e-5) if `inverse`.

    SFIGF's released noisy depth: 0.04 on NYU and Lu (there after enlarging); on Middlebury the inverse, 0.04 on maps in [0, 1], which
    explodes where a map is 0.
    """
    check_image("relative_noise", image)
    _check_number("relative_noise", "strength", strength, 0)
    deviation = strength / (image + 1e-5) if inverse else strength * image
    return image + deviation * _normal("relative_noise", image, generator)


def photon_noise(image, gain, read, generator):
    """Poisson-Gaussian noise: variance gain * image + read^2. gain: image value of one electron; read: in the image's unit too."""
    where = "photon_noise"
    _check_light(where, image)
    _check_number(where, "gain", gain, 0, strict=True)
    _check_number(where, "read", read, 0)
    _check_generator(where, generator)
    electrons = torch.poisson((image / gain).to(generator.device), generator=generator).to(image.device)
    return gain * electrons + read * _normal(where, image, generator)


def gaussian_blur(image, sigma):
    """Blur of `sigma` pixels, cut off at 4 sigma; the edge pixel is repeated."""
    check_image("gaussian_blur", image)
    _check_number("gaussian_blur", "sigma", sigma, 0, strict=True)
    rows, columns = (kernel_matrix(n, n, lambda t: torch.exp(-t.square() / (2 * sigma ** 2)), 4 * sigma, "repeat").to(image.device)
                     for n in image.shape[-2:])
    return (rows @ image.double() @ columns.T).to(image.dtype)


# ------------------------------------------------------------------------------------------------------------- depth

def tof_noise(depth, scale, generator, bias=0.02, drift=0.015, noise=0.0025, shift=2.0, smear=0.6, jump=0.15, lost=0.3):
    """What a time-of-flight sensor with `scale` times fewer pixels gives: depth low (0 where lost), and where it is valid (bool).

    Lengths in the depth's unit, the defaults for metres. They follow a comparison of real low-resolution ToF maps of indoor scenes with
    their reference: a bias, low-frequency noise (`drift`) six times stronger than the white `noise`, a picture that is registered
    `shift` low rows too low, and pixels that see both sides of an edge and report something between. Holes were filled there, so theirs
    is our choice: a pixel that sees a step of more than `jump` is lost with probability `lost`.
    """
    where = "tof_noise"
    check_image(where, depth, "depth", channels=1)
    scale = check_whole(where, "scale", scale)
    check_multiple(where, depth, scale)
    for name, value in (("bias", bias), ("shift", shift)):
        _check_number(where, name, value, -math.inf)
    for name, value in (("drift", drift), ("noise", noise), ("smear", smear), ("jump", jump), ("lost", lost)):
        _check_number(where, name, value, 0)
    _check_generator(where, generator)
    height = depth.shape[-2]
    rows = (torch.arange(height, device=depth.device) - round(shift * scale)).clamp(0, height - 1)
    seen = depth[..., rows, :]
    low = downsample(gaussian_blur(seen, smear * scale) if smear else seen, scale, "average")
    step = F.max_pool2d(seen, scale) + F.max_pool2d(-seen, scale)
    valid = (step <= jump) | (_uniform(low, generator) >= lost)
    low = low + bias + drift * _smooth_noise(where, low, 16, generator) + noise * _normal(where, low, generator)
    return torch.where(valid, low, 0), valid


def _smooth_noise(where, image, spacing, generator):
    """Noise of variance 1 in every pixel that varies over `spacing` pixels: interpolated from a coarse grid."""
    def matrix(n):
        weights = kernel_matrix(n // spacing + 2, n, lambda t: torch.exp(-2 * t.square()), 2, "repeat").to(image)
        return weights / weights.norm(dim=1, keepdim=True)
    rows, columns = (matrix(n) for n in image.shape[-2:])
    coarse = image.new_zeros(*image.shape[:2], rows.shape[1], columns.shape[1])
    return rows @ _normal(where, coarse, generator) @ columns.T


# ---------------------------------------------------------------------------------------- satellites: Wald's protocol

SENSORS = {       # contrast that the optics leave at the low grid's highest frequency: of each multispectral band, of the panchromatic one
    "worldview3": ((0.325, 0.355, 0.360, 0.350, 0.365, 0.360, 0.335, 0.315), 0.14),
    "worldview2": ((0.35,) * 7 + (0.27,), 0.11),
    "quickbird": ((0.34, 0.32, 0.30, 0.22), 0.15),
    "ikonos": ((0.26, 0.28, 0.29, 0.28), 0.17),
    "geoeye1": ((0.23,) * 4, 0.16),
    "unknown": (None, 0.15),                                                 # 0.3 in every band, however many
}


def mtf_kernel(gain, ratio=4):
    """A blur of 41 x 41 pixels that leaves the share `gain` of the contrast at the highest frequency of a grid `ratio` times coarser.

    As the pan-sharpening toolboxes build it: a Gaussian in frequency, its inverse Fourier transform, a round Kaiser window (beta 0.5),
    not normalised. They put the gain at frequency 20 / ratio of 41 steps, a little below the coarse grid's highest, 20.5 / ratio. There
    it is gain^1.05.
    """
    _check_number("mtf_kernel", "gain", gain, 0, 1, strict=True)
    axis = torch.arange(-20, 21, dtype=torch.float64)
    square = axis[:, None] ** 2 + axis ** 2
    variance = (20 / ratio) ** 2 / (-2 * math.log(gain))                     # of the Gaussian, in squared frequency steps
    kernel = torch.fft.fftshift(torch.fft.ifft2(torch.fft.ifftshift(torch.exp(-square / (2 * variance)))).real)
    window = torch.kaiser_window(41, periodic=False, beta=0.5, dtype=torch.float64)
    place = 20 + square.sqrt()                                               # where on the window, from its centre outwards
    left = place.floor().long().clamp(max=39)
    return torch.where(place <= 40, kernel * torch.lerp(window[left], window[left + 1], place - left), 0)


def mtf_blur(image, gains, ratio=4):
    """Each channel blurred by mtf_kernel with its own gain (one number serves all); the edge pixel is repeated."""
    check_image("mtf_blur", image)
    ratio = check_whole("mtf_blur", "ratio", ratio)
    channels = image.shape[1]
    gains = gains if isinstance(gains, (tuple, list)) else (gains,) * channels
    if len(gains) != channels:
        raise GirlibError(f"mtf_blur: the image has {channels} channels, but gains has {len(gains)} numbers; give one for each.")
    kernels = torch.stack([mtf_kernel(gain, ratio) for gain in gains]).to(image.device)                         # (C, 41, 41)
    padded = F.pad(image.double(), (20,) * 4, mode="replicate")
    size = padded.shape[-2:]
    blurred = torch.fft.irfft2(torch.fft.rfft2(padded) * torch.fft.rfft2(kernels, size), size)   # large kernels are quicker so
    return blurred[..., 40:, 40:].to(image.dtype)                            # what is left out ran around the image


def wald(image, sensor="worldview3", ratio=4):
    """The image as the sensor would give it at `ratio` times lower resolution: blurred by its optics, pixel k taken at ratio k + ratio/2.

    One channel is the panchromatic band. With both reduced, the original bands are the reference (Wald's protocol).
    """
    check_image("wald", image)
    ratio = check_whole("wald", "ratio", ratio)
    if not isinstance(sensor, str) or sensor not in SENSORS:
        raise GirlibError(f"wald: sensor is {sensor!r}; choose one of {', '.join(SENSORS)}.")
    check_multiple("wald", image, ratio)
    channels, (gains, pan_gain) = image.shape[1], SENSORS[sensor]
    gains = pan_gain if channels == 1 else gains or 0.3
    if isinstance(gains, tuple) and len(gains) != channels:
        raise GirlibError(f"wald: the image has {channels} channels, but {sensor} has {len(gains)} bands (and 1 panchromatic); "
                          "choose its bands, or another sensor.")
    return mtf_blur(image, gains, ratio)[..., ratio // 2::ratio, ratio // 2::ratio]


def mix(bands, response):
    """What a camera sees of a spectrum: bands (N, B, H, W) and its response (C, B) make (N, C, H, W)."""
    check_image("mix", bands, "bands")
    if not isinstance(response, torch.Tensor) or response.dim() != 2 or response.shape[1] != bands.shape[1]:
        shape = tuple(response.shape) if isinstance(response, torch.Tensor) else type(response).__name__
        raise GirlibError(f"mix: response is {shape}, but the image has {bands.shape[1]} bands; give a tensor (channels, bands).")
    return torch.einsum("cb,nbhw->nchw", response.to(bands), bands)


# --------------------------------------------------------------------------------------------------------------- lens

def thin_lens(color, depth, focus, aperture, focal=None):
    """A photograph focused at the depth `focus`: what is nearer or farther is blurred; `color` is in focus everywhere (and linear).

    A point at depth d becomes a disc of radius aperture * focal * |1/d - 1/focus| pixels. aperture: radius of the lens in the depth's
    unit; focal: focal length in pixels, unless given the image's width. The scene is cut into layers of like radius, painted from back
    to front. So a blurred near thing covers the far, and a far blur stops at a sharp near edge. A layer goes on a little behind what
    hides it, in its mean colour nearby: that is where a lens looks around an edge. Where edge and ground are both blurred, the
    ground is taken as seen through the whole lens.
    """
    where = "thin_lens"
    check_image(where, color, "color")
    check_image(where, depth, "depth", channels=1)
    if (len(color), *color.shape[2:]) != (len(depth), *depth.shape[2:]):
        raise GirlibError(f"thin_lens: color is {tuple(color.shape)}, but depth is {tuple(depth.shape)}; both need the same number, height "
                          "and width.")
    if not (depth > 0).all():
        raise GirlibError(f"thin_lens: depth goes down to {depth.min().item():.4g}; it must be > 0 everywhere (fill the holes first).")
    _check_number(where, "focus", focus, 0, strict=True)
    _check_number(where, "aperture", aperture, 0)
    focal = color.shape[-1] if focal is None else focal
    _check_number(where, "focal", focal, 0, strict=True)
    radius = aperture * focal * (1 / depth - 1 / focus)                      # grows towards the camera, 0 in focus
    reach, limit = radius.abs().max().item(), max(color.shape[-2:])
    if reach > limit:
        raise GirlibError(f"thin_lens: the blur reaches {reach:.4g} pixels, but the image has {limit}; give a smaller aperture.")
    return torch.cat([_layered(c[None], r[None], reach) for c, r in zip(color, radius, strict=True)])


def _layered(color, radius, reach):
    """One image; layers of half a pixel of radius, but 48 at most."""
    thickness = max(0.5, (radius.max() - radius.min()).item() / 48)
    layer = (radius / thickness).round()
    result = torch.zeros_like(color)
    for k in layer.unique():                                                 # from back to front
        visible, source = layer == k, (layer >= k) & (layer <= k + 2)        # the next layers hold the same surface, if it is slanted
        blur = radius[visible].mean().abs().item()
        behind = int(reach + blur) + 1
        near = box_mean(source.to(color), behind)
        known = near > 0.5 / (2 * behind + 1) ** 2
        continued = box_mean(source * color, behind) / torch.where(known, near, 1)
        opaque = (visible | (known & (layer > k))).to(color)                 # the layer and what it goes on behind
        if k == layer.min():
            opaque = torch.ones_like(opaque)
        paint = torch.where(source, color, continued)
        alpha = _disc_blur(opaque, blur)
        result = result * (1 - alpha) + _disc_blur(opaque * paint, blur)
    return result


def _disc_blur(image, radius):
    """Mean over a disc; the weight of a pixel is the share of it that the disc covers. The edge pixel is repeated."""
    half = int(radius + 0.5)
    if half == 0:
        return image
    fine = (torch.arange(-16 * half - 8, 16 * half + 8, dtype=image.dtype, device=image.device) + 0.5) / 16
    inside = (fine[:, None] ** 2 + fine ** 2 <= radius ** 2).to(image.dtype)
    kernel = F.avg_pool2d(inside[None, None], 16)
    padded = F.pad(image, (half,) * 4, mode="replicate").transpose(0, 1)     # channels as a batch: one kernel for all
    return F.conv2d(padded, kernel / kernel.sum()).transpose(0, 1)


# ---------------------------------------------------------------------------------------------------------------- raw

PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")                                  # of the first two rows


def bayer_mosaic(rgb, pattern="RGGB"):
    """Each pixel keeps the one colour that its filter lets through: (N, 3, H, W) -> (N, 1, H, W)."""
    check_image("bayer_mosaic", rgb, "rgb", channels=3)
    return rgb.gather(1, _filters("bayer_mosaic", rgb, pattern).expand(len(rgb), 1, -1, -1))


def pack(mosaic):
    """A mosaic (N, 1, H, W) as four images of half the size: its places (0, 0), (0, 1), (1, 1), (1, 0); R, G, B, G of RGGB."""
    check_image("pack", mosaic, "mosaic", channels=1)
    check_multiple("pack", mosaic, 2)
    return torch.cat([mosaic[..., y::2, x::2] for y, x in PLACES], dim=1)


def unpack(packed):
    """The mosaic again: (N, 4, h, w) -> (N, 1, 2 h, 2 w)."""
    check_image("unpack", packed, "packed", channels=4)
    mosaic = packed.new_empty(len(packed), 1, 2 * packed.shape[-2], 2 * packed.shape[-1])
    for plane, (y, x) in enumerate(PLACES):
        mosaic[:, 0, y::2, x::2] = packed[:, plane]
    return mosaic


PLACES = ((0, 0), (0, 1), (1, 1), (1, 0))                                    # the order of SID's loader, which is not pixel_unshuffle's


def raw_counts(mosaic, ratio, generator, gain=3.0, read=6.0, black=512, white=16383):
    """The sensor's numbers after an exposure `ratio` times shorter than the linear mosaic's own, whole and in 0 ... white.

    gain: counts of one electron; read: counts; both our choice, for a sensitive setting of a 14-bit camera. The variance of a count
    is gain * (mean - black) + read^2 + 1/12, the last from rounding. black and white are those of SID's Sony files.
    """
    check_image("raw_counts", mosaic, "mosaic", channels=1)
    _check_number("raw_counts", "ratio", ratio, 0, strict=True)
    _check_levels("raw_counts", black, white)
    counts = black + photon_noise(mosaic / ratio * (white - black), gain, read, generator)
    return counts.round().clamp(0, white)


def amplify(counts, ratio=1, black=512, white=16383, clip=True):
    """Counts as a network gets them: the black level off, white at 1, multiplied by the exposure ratio, and clipped at 1 unless
    clip=False (mono raw: MCR's 8-bit files, black 0, white 255)."""
    check_image("amplify", counts, "counts")
    _check_number("amplify", "ratio", ratio, 0, strict=True)
    _check_levels("amplify", black, white)
    amplified = (counts - black).clamp(min=0) / (white - black) * ratio
    return amplified.clamp(max=1) if clip else amplified


def develop(mosaic, pattern="RGGB", balance=(1.0, 1.0, 1.0), curve="srgb"):
    """sRGB of a linear mosaic in [0, 1]: white balance, each colour interpolated linearly from the nearest pixels that have it, curve.

    curve: "srgb", or "bt709", which is what raw converters write unless asked for another.
    """
    if curve not in CURVES:
        raise GirlibError(f"develop: curve is {curve!r}; choose one of {', '.join(CURVES)}.")
    check_image("develop", mosaic, "mosaic", channels=1)
    if min(mosaic.shape[-2:]) < 2:
        raise GirlibError(f"develop: the mosaic is {mosaic.shape[-2]}x{mosaic.shape[-1]}; it needs at least 2x2 pixels for three colours.")
    if not isinstance(balance, (tuple, list)) or len(balance) != 3:
        raise GirlibError(f"develop: balance is {balance!r}; give three numbers, of red, green and blue.")
    for factor in balance:
        _check_number("develop", "a factor of balance", factor, 0, strict=True)
    colours = torch.arange(3, device=mosaic.device).view(1, 3, 1, 1)
    known = (_filters("develop", mosaic, pattern) == colours).to(mosaic)                                  # (1, 3, H, W)
    tent = mosaic.new_tensor([1, 2, 1])
    kernel = (tent[:, None] * tent).expand(3, 1, 3, 3)
    total, weight = (F.conv2d(x, kernel, padding=1, groups=3) for x in (known * mosaic, known))
    linear_rgb = torch.where(known.bool(), mosaic, total / weight) * mosaic.new_tensor(balance).view(1, 3, 1, 1)
    return CURVES[curve](linear_rgb.clamp(0, 1))


def low_light(rgb, ratio, generator, pattern="RGGB", **camera):
    """One scene in the dark: the short exposure's raw, the long one's, and the sRGB reference, from linear RGB.

    Raw are mosaics (N, 1, H, W) in [0, 1], the short one amplified. `camera`: what raw_counts takes. Guides: `red_flash_guide`, or a
    monochrome camera's picture, which is `mix` with its response.
    """
    check_image("low_light", rgb, "rgb", channels=3)
    mosaic, levels = bayer_mosaic(rgb, pattern), {name: camera[name] for name in ("black", "white") if name in camera}
    short, long = (amplify(raw_counts(mosaic, r, generator, **camera), r, **levels) for r in (ratio, 1))
    return short, long, develop(long, pattern)


def red_flash_guide(reference):
    """SFIGF's guide for red flash: the red of the sRGB reference, packed as the raw is, (N, 4, H/2, W/2)."""
    check_image("red_flash_guide", reference, "reference", channels=3)
    return pack(reference[:, :1])


def _filters(where, image, pattern):
    """Which colour (0, 1, 2) each pixel sees, (1, 1, H, W)."""
    if pattern not in PATTERNS:
        raise GirlibError(f"{where}: pattern is {pattern!r}; choose one of {', '.join(PATTERNS)}.")
    height, width = image.shape[-2:]
    cell = torch.tensor(["RGB".index(colour) for colour in pattern], device=image.device).view(2, 2)
    rows, columns = (torch.arange(n, device=image.device) % 2 for n in (height, width))
    return cell[rows[:, None], columns][None, None]


# -------------------------------------------------------------------------------------------------------- photographs

def srgb(image):
    """Linear values in [0, 1] as sRGB stores them."""
    check_image("srgb", image)
    return torch.where(image <= 0.0031308, 12.92 * image, 1.055 * image.clamp(min=0.0031308) ** (1 / 2.4) - 0.055)


def bt709(image):
    """Linear values in [0, 1] as BT.709 stores them."""
    check_image("bt709", image)
    return torch.where(image < 0.018, 4.5 * image, 1.099 * image.clamp(min=0.018) ** 0.45 - 0.099)


CURVES = {"srgb": srgb, "bt709": bt709}


def linear(image):
    """sRGB values in [0, 1] as light."""
    check_image("linear", image)
    return torch.where(image <= 0.04045, image / 12.92, ((image.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)


def noisy_photo(image, ratio, generator, gain=2e-3, read=2e-3):
    """sRGB of linear light seen for a `ratio` times too short time and amplified: the noisy colour beside a flash or infrared guide."""
    _check_number("noisy_photo", "ratio", ratio, 0, strict=True)
    _check_light("noisy_photo", image)
    return srgb((photon_noise(image / ratio, gain, read, generator) * ratio).clamp(0, 1))


def expose(image, time, gamma=2.2, bits=8):
    """A photograph of linear light after an exposure time: clipped, gamma curve, rounded to bits.

    A bracket is one call for each time: 1/4 and 4 for fusion; 1, 4 and 16 for HDR, in units of the shortest. Where things move, each
    call gets the scene at its own moment.
    """
    _check_light("expose", image)
    _check_number("expose", "time", time, 0, strict=True)
    _check_number("expose", "gamma", gamma, 0, strict=True)
    levels = 2 ** check_whole("expose", "bits", bits) - 1
    return ((image * time).clamp(max=1) ** (1 / gamma) * levels).round() / levels


def linearised(photo, time, gamma=2.2):
    """Light again, where nothing was clipped: photo^gamma / time, H_i of the HDR networks (the times in units of the shortest)."""
    _check_light("linearised", photo)
    _check_number("linearised", "time", time, 0, strict=True)
    return photo ** gamma / time


def hdr_input(photo, time, gamma=2.2):
    """The six channels that an HDR network takes of each exposure: the photograph and its linearisation (our reading of MGDN)."""
    check_image("hdr_input", photo, "photo", channels=3)
    return torch.cat([photo, linearised(photo, time, gamma)], dim=1)


# ----------------------------------------------------------------------------------------------------------- saliency

def saliency_map(labels, chosen=None):
    """A map that is 1 on the chosen objects and 0 elsewhere, from labels (N, 1, H, W) of whole numbers; float32.

    chosen: one label or several; unless given, in each image the one that fills most of its middle among those that touch less than
    a quarter of its frame (all zero where every label touches more).
    """
    whole = isinstance(labels, torch.Tensor) and not labels.is_floating_point() and not labels.is_complex()
    if not whole or labels.dim() != 4 or labels.shape[1] != 1 or labels.numel() == 0:
        given = f"{tuple(labels.shape)} of {labels.dtype}" if isinstance(labels, torch.Tensor) else type(labels).__name__
        raise GirlibError(f"saliency_map: labels are {given}; give a tensor (N, 1, H, W) of whole numbers or booleans.")
    if chosen is not None:
        return torch.isin(labels.long(), torch.as_tensor(chosen, device=labels.device).long()).float()
    return torch.stack([_most_central(image) for image in labels])


def _most_central(labels):
    rows, columns = (torch.exp(-8 * torch.linspace(-1, 1, n, device=labels.device) ** 2) for n in labels.shape[-2:])
    middle = rows[:, None] * columns
    frame = torch.cat([labels[0, 0], labels[0, -1], labels[0, :, 0], labels[0, :, -1]])
    inner = [label for label in labels.unique() if (frame == label).float().mean() < 0.25]
    best = max(inner, key=lambda label: middle[labels[0] == label].sum().item(), default=None)
    return torch.zeros_like(labels, dtype=torch.float32) if best is None else (labels == best).float()


# ------------------------------------------------------------------------------------------------ what users may give

def _normal(where, image, generator):
    _check_generator(where, generator)
    return torch.randn(image.shape, generator=generator, dtype=image.dtype, device=generator.device).to(image.device)


def _uniform(image, generator):
    return torch.rand(image.shape, generator=generator, dtype=image.dtype, device=generator.device).to(image.device)


def _check_generator(where, generator):
    if not isinstance(generator, torch.Generator):
        raise GirlibError(f"{where}: generator is of type {type(generator).__name__}; give a torch.Generator "
                          "(torch.Generator().manual_seed(0)).")


def _check_number(where, name, value, least, most=math.inf, strict=False):
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not (real and (value > least if strict else value >= least) and value < most):
        limits = [f"{sign} {bound}" for sign, bound in ((">" if strict else ">=", least), ("<", most)) if math.isfinite(bound)]
        raise GirlibError(f"{where}: {name} is {value!r}; it must be a finite number {' and '.join(limits)}".rstrip() + ".")


def _check_light(where, image):
    check_image(where, image)
    if (image < 0).any():
        raise GirlibError(f"{where}: the image goes down to {image.min().item():.4g}; light can't be negative (clamp it at 0).")


def _check_levels(where, black, white):
    _check_number(where, "black", black, 0)
    _check_number(where, "white", white, black, strict=True)
