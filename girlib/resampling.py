"""Smaller and larger images, in every way that a published protocol makes them.

"Bicubic by 4" has many meanings. They differ in the kernel (a = -1/2 or -3/4), in whether the kernel is widened when an image is
reduced (antialiasing), in what stands beyond the border, and in where the pixels of one grid lie on the other. Each choice moves the
error of a plain enlargement by more than many published improvements do.

Every way here is one matrix for the rows and one for the columns: reduced = rows @ image @ columns^T. The matrices are built and
applied in float64, and the result of each has the dtype of the image.
"""

import math
import numbers

import torch

from girlib.errors import GirlibError

DOWNSAMPLING = {  # low pixel k holds the fine pixels s k ... s k + s - 1 and lies at their centre, s k + (s - 1) / 2, unless said
    "bicubic": "Pillow on floats: a = -1/2, widened, cut off and normalised at borders (SFIGF, DCTNet, DKN, MGDN); torch with antialias",
    "bicubic-8bit": "Pillow on 8-bit images, 0 to 255: as `bicubic`, rounded after the columns and after the rows",
    "bicubic-matlab": "MATLAB's imresize: a = -1/2, widened, mirrored borders (GDD's pan-sharpening)",
    "bicubic-opencv": "OpenCV's INTER_CUBIC: a = -3/4, not widened, so it aliases; borders repeated; torch without antialias",
    "area": "OpenCV's INTER_AREA: at whole scales the mean of each block, the same as `average`",
    "average": "the mean of each block of s x s pixels (hyperspectral: GDD, MHF-net)",
    "nearest-topleft": "one pixel of each block, its first: [0::s]; OpenCV's INTER_NEAREST",
    "nearest-center": "one pixel of each block, the middle one: [s // 2::s]; Pillow's NEAREST; also the grid of Wald's protocol",
    "nearest-bottomright": "one pixel of each block, its last: [s - 1::s] (DAGF, DKN)",
}
UPSAMPLING = {
    "bicubic": "Pillow on floats: a = -1/2, cut off and normalised at borders (SFIGF, DCTNet, DKN, DAGF)",
    "bicubic-8bit": "Pillow on 8-bit images, 0 to 255: as `bicubic`, rounded after the columns and after the rows",
    "bicubic-torch": "torch's interpolate: a = -3/4, borders repeated (MGDN's test)",
    "bicubic-matlab": "MATLAB's imresize: a = -1/2, mirrored borders (GDD)",
    "bicubic-opencv": "OpenCV's INTER_CUBIC: the same numbers as `bicubic-torch`",
    "bicubic-wald": "a = -1/2, for low pixels that lie at s k + s / 2, the grid of Wald's protocol; borders repeated",
    "bilinear": "triangle kernel; Pillow, torch and OpenCV agree",
    "nearest": "the low pixel that holds the fine one; Pillow's NEAREST, torch's nearest-exact",
    "lanczos": "Pillow's LANCZOS: a windowed sinc of three lobes, cut off and normalised at borders",
    "exp": "EXP of the pan-sharpening toolboxes: doublings with 23 taps, low pixels at s k + s / 2, circular borders (PanCollection)",
}
# half of the 23 taps, by distance from the centre
EXP_TAPS = (0.5, 0.305334091185, 0, -0.072698593239, 0, 0.021809577942, 0, -0.005192756653, 0, 0.000807762146, 0, -0.000060081482)


def downsample(image, scale, how="bicubic"):
    """An image (N, C, H, W), H and W multiples of the scale, made `scale` times smaller; `how`: a key of DOWNSAMPLING."""
    check_image("downsample", image)
    scale = check_whole("downsample", "scale", scale)
    _check_how("downsample", image, how, DOWNSAMPLING)
    check_multiple("downsample", image, scale)
    return _resample(image, [n // scale for n in image.shape[-2:]], how)


def upsample(image, size, how="bicubic"):
    """An image (N, C, h, w) enlarged to the size (H, W); `how`: a key of UPSAMPLING."""
    check_image("upsample", image)
    _check_how("upsample", image, how, UPSAMPLING)
    if not isinstance(size, (tuple, list, torch.Size)) or len(size) != 2:
        raise GirlibError(f"upsample: size is {size!r}; it must be two whole numbers (height, width).")
    size = [check_whole("upsample", name, n) for name, n in zip(("height", "width"), size, strict=True)]
    h, w = image.shape[-2:]
    if size[0] < h or size[1] < w:
        raise GirlibError(f"upsample: size is {size[0]}x{size[1]}, but the image is {h}x{w}; give a size that is not smaller "
                          "(downsample reduces an image).")
    if how == "exp" and (size[0] * w != size[1] * h or size[0] % h or (size[0] // h) & (size[0] // h - 1)):
        raise GirlibError(f"upsample: exp doubles the image, but {h}x{w} to {size[0]}x{size[1]} is not the same power of two in both "
                          "directions; give such a size or another `how`.")
    return _resample(image, size, how)


def crop_to_multiple(image, multiple):
    """The image (..., H, W) without the last rows and columns that keep H and W from being multiples: the published protocols' cut."""
    multiple = check_whole("crop_to_multiple", "multiple", multiple)
    height, width = (n // multiple * multiple for n in image.shape[-2:])
    if not height or not width:
        raise GirlibError(f"crop_to_multiple: the image is {image.shape[-2]}x{image.shape[-1]}, but multiple is {multiple}; "
                          "give a larger image or a smaller multiple.")
    return image[..., :height, :width]


def _resample(image, size, how):
    """Columns first, as Pillow and OpenCV do (Pillow 13 reduces some upright images rows first, and 8-bit ones then differ).

    Kernels that reduce and kernels that enlarge are the same; only the size decides.
    """
    (H, W), (h, w) = size, image.shape[-2:]
    rows, columns = MATRICES[how](h, H).to(image.device), MATRICES[how](w, W).T.to(image.device)
    if how == "bicubic-8bit":
        return _in_8_bits(_fixed(rows) @ _in_8_bits(image.double() @ _fixed(columns))).to(image.dtype)
    half = (image.double() @ columns).to(image.dtype)
    return (rows @ half.double()).to(image.dtype)


def _fixed(weights):
    """Pillow's weights for 8-bit images: multiples of 2^-22."""
    return (weights * 2**22).round() / 2**22


def _in_8_bits(image):
    return (image + 0.5).floor().clamp(0, 255)


# ------------------------------------------------------------------------------- one matrix (m, n): n pixels become m

def cubic(a):
    """Keys' cubic kernel: 1 at 0; 0 at 1, at 2 and beyond."""
    def kernel(t):
        t = t.abs()
        inner, outer = ((a + 2) * t - (a + 3)) * t * t + 1, (((t - 5) * t + 8) * t - 4) * a
        return torch.where(t < 1, inner, torch.where(t < 2, outer, 0))
    return kernel


def triangle(t):
    return (1 - t.abs()).clamp(min=0)


def lanczos(t):
    return torch.where(t.abs() < 3, torch.sinc(t) * torch.sinc(t / 3), 0)


def kernel_matrix(n, m, kernel, reach, border, widen=True, late=0.0):
    """Row i holds the kernel around the place of new pixel i among the n old ones; each row sums to 1.

    widen: when reducing, the kernel grows with the step. late: by how many new pixels the old grid lies later than centre on centre.
    border: what the kernel meets beyond the image: "cut" (nothing), "repeat" (the edge pixel) or "mirror".
    """
    step = n / m
    width = max(step, 1) if widen else 1
    centre = (torch.arange(m, dtype=torch.float64) + 0.5 - late) * step - 0.5
    taps = math.ceil(reach * width) + 1
    pixel = centre.floor().long()[:, None] + torch.arange(-taps, taps + 1)                      # (m, 2 taps + 1)
    weight = kernel((pixel - centre[:, None]) / width)
    if border == "cut":
        weight = torch.where((pixel >= 0) & (pixel < n), weight, 0)
    weight = weight / weight.sum(dim=1, keepdim=True)
    pixel = _mirrored(pixel, n) if border == "mirror" else pixel.clamp(0, n - 1)
    return weight.new_zeros(m, n).scatter_add_(1, pixel, weight)


def _mirrored(pixel, n):
    """Indices folded back into 0 ... n - 1, the edge pixel twice."""
    pixel = pixel % (2 * n)
    return torch.where(pixel < n, pixel, 2 * n - 1 - pixel)


def pick_matrix(n, m, offset):
    """Row i picks old pixel floor(i n / m) + offset; offset=None picks the one at the middle of new pixel i."""
    i = torch.arange(m)
    pixel = (2 * i + 1) * n // (2 * m) if offset is None else i * n // m + offset
    return torch.eye(n, dtype=torch.float64)[pixel]


def mean_matrix(n, m):
    return torch.eye(m, dtype=torch.float64).repeat_interleave(n // m, dim=1) / (n // m)


def exp_matrix(n, m):
    """Doublings: zeros between the pixels, which first stand at odd and then at even places, and 23 taps over them."""
    matrix, start = torch.eye(n, dtype=torch.float64), 1
    while len(matrix) < m:
        sparse = matrix.new_zeros(2 * len(matrix), n)
        sparse[start::2] = matrix
        matrix = 2 * EXP_TAPS[0] * sparse + sum(2 * tap * (sparse.roll(d, 0) + sparse.roll(-d, 0))
                                                for d, tap in enumerate(EXP_TAPS) if d and tap)
        start = 0
    return matrix


def _kernel(kernel, reach, border, **options):
    return lambda n, m: kernel_matrix(n, m, kernel, reach, border, **options)


def _pick(offset):
    return lambda n, m: pick_matrix(n, m, offset(n // m) if offset else None)


MATRICES = {
    "bicubic": _kernel(cubic(-0.5), 2, "cut"),
    "bicubic-8bit": _kernel(cubic(-0.5), 2, "cut"),
    "bicubic-matlab": _kernel(cubic(-0.5), 2, "mirror"),
    "bicubic-opencv": _kernel(cubic(-0.75), 2, "repeat", widen=False),
    "bicubic-torch": _kernel(cubic(-0.75), 2, "repeat", widen=False),
    "bicubic-wald": _kernel(cubic(-0.5), 2, "repeat", late=0.5),
    "bilinear": _kernel(triangle, 1, "cut"),
    "lanczos": _kernel(lanczos, 3, "cut"),
    "nearest": _pick(None),
    "nearest-center": _pick(None),
    "nearest-topleft": _pick(lambda s: 0),
    "nearest-bottomright": _pick(lambda s: s - 1),
    "area": mean_matrix,
    "average": mean_matrix,
    "exp": exp_matrix,
}


# ------------------------------------------------------------------------------------------------ what users may give

def check_image(where, image, name="image", channels=None):
    """A floating tensor (N, C, H, W) with pixels in it, all finite; `channels`: how many, where only that many make sense."""
    if not isinstance(image, torch.Tensor):
        raise GirlibError(f"{where}: {name} is of type {type(image).__name__}; give a tensor (N, C, H, W) (torch.from_numpy makes one "
                          "of an array).")
    if image.dim() != 4:
        raise GirlibError(f"{where}: {name} has the shape {tuple(image.shape)}; give a tensor (N, C, H, W).")
    if not image.is_floating_point():
        raise GirlibError(f"{where}: {name} is {image.dtype}; give floating numbers (image.float() makes them).")
    if image.numel() == 0:
        raise GirlibError(f"{where}: {name} is empty, {tuple(image.shape)}; give at least one pixel.")
    if channels is not None and image.shape[1] != channels:
        raise GirlibError(f"{where}: {name} has {image.shape[1]} channels; it must have {channels}.")
    if not (finite := torch.isfinite(image)).all():
        at = tuple((~finite).nonzero()[0].tolist())
        raise GirlibError(f"{where}: {name} is {image[at].item()} at {at}, the first of {int((~finite).sum())} values that are not "
                          "finite; fill them first.")


def check_whole(where, name, value, least=1):
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
        raise GirlibError(f"{where}: {name} is {value!r}; it must be a whole number >= {least}.")
    return int(value)


def check_multiple(where, image, multiple):
    height, width = image.shape[-2:]
    if height % multiple or width % multiple:
        raise GirlibError(f"{where}: the image is {height}x{width}, but both sides must be multiples of {multiple}; cut it first "
                          f"(crop_to_multiple(image, {multiple})).")


def _check_how(where, image, how, known):
    if not isinstance(how, str) or how not in known:
        raise GirlibError(f"{where}: how is {how!r}; choose one of {', '.join(known)}.")
    if how == "bicubic-8bit" and not ((image >= 0) & (image <= 255) & (image == image.round())).all():
        raise GirlibError(f"{where}: bicubic-8bit works on whole numbers in 0 to 255, but the image holds others between "
                          f"{image.min().item():.6g} and {image.max().item():.6g}; scale and round it, or use bicubic.")
