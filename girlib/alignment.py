"""Do two images of one scene lie on each other? An estimate by the phases of their edges; it only ever leads to a warning.

Reads as   strength of the edges in both images -> correlation of their phases (Kuglin and Hines, 1975) -> its highest peak
Limits     one shift for the whole image, and only where many edges agree: depth and colour share few
"""

import torch
import torch.nn.functional as F

LONGEST = 512                                                       # pixels; larger images are reduced first
CERTAIN = 6.5                                                       # standard deviations that a peak must rise above the rest


def find_shift(target, guide):
    """(rows, columns) by which the target's content lies lower and further right than the guide's, in guide pixels; None if unsure.

    target (N, C, h, w) and guide (N, G, H, W) cover the same area; the first of the batch is looked at.
    """
    H, W = guide.shape[-2:]
    k = min(1, LONGEST / max(target.shape[-2:]))
    size = [max(1, round(n * k)) for n in target.shape[-2:]]
    if min(size) < 32:
        return None
    P, I = (edges(F.interpolate(image[:1].float().mean(dim=1, keepdim=True), size, mode="area")[0, 0]) for image in (target, guide))
    cross = torch.fft.rfft2(P) * torch.fft.rfft2(I).conj()
    y, x = torch.fft.fftfreq(size[0])[:, None], torch.fft.rfftfreq(size[1])
    blur = torch.exp(-(y.square() + x.square()) * (2 * torch.pi * 1.5) ** 2 / 2)     # edges needn't agree to the pixel
    surface = torch.fft.irfft2(cross / cross.abs().clamp(min=1e-12).sqrt() * blur, s=size)
    surface = (surface - surface.mean()) / surface.std().clamp(min=1e-12)
    row, column = divmod(int(surface.argmax()), size[1])
    aligned = surface.roll((2, 2), (0, 1))[:5, :5].max()
    if surface[row, column] < max(CERTAIN, 1.5 * aligned):
        return None
    shift = [at - n if at > n // 2 else at for at, n in zip((row, column), size, strict=True)]
    return shift[0] * H / size[0], shift[1] * W / size[1]


def edges(image):
    """Length of the gradient, its root, without its mean, faded out towards the border."""
    dy, dx = (image.diff(dim=dim)[:-1 if dim else None, :-1 if not dim else None] for dim in (0, 1))
    strength = (dy[:, :image.shape[1] - 1].square() + dx[:image.shape[0] - 1].square()).sqrt().sqrt()
    strength = F.pad(strength - strength.mean(), (0, 1, 0, 1))
    window = torch.hann_window(image.shape[0])[:, None] * torch.hann_window(image.shape[1])
    return strength * window
