"""Every loss once.

For the training loop a loss is a function (or, with parameters of its own, a module) `loss(restored, sample, intermediates)`:
dagf_loss, multifocus_loss, mono_raw_loss, cross_entropy_loss, MGDNLoss, and `supervised(l1_loss)` for a loss that reads the reference
alone. What they are made of takes tensors (N, C, H, W), the restored image first. GDD's loss is a method of its network, which knows
S, R and D.
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Independent, Normal, kl_divergence

from girlib.errors import GirlibError


def supervised(term):
    """The loss of the training loop that compares the restored image with the reference, e.g. supervised(l1_loss)."""
    def loss(restored, sample, intermediates=None):
        return term(restored, _reference(term.__name__, sample))
    return loss


def l1_loss(restored, reference):
    """Mean absolute difference (SFIGF for most tasks, DAGF Eq. 22, MGDN Eq. 5)."""
    _check("l1_loss", restored=restored, reference=reference)
    return F.l1_loss(restored, reference)


def mse_loss(restored, reference):
    """Mean squared difference (DKN, DJF, PanNet, ...)."""
    _check("mse_loss", restored=restored, reference=reference)
    return F.mse_loss(restored, reference)


def rmse_loss(restored, reference):
    """Root of the mean squared difference over the whole batch: a flat patch counts for little, unlike in the mean of roots."""
    _check("rmse_loss", restored=restored, reference=reference)
    return (F.mse_loss(restored, reference) + 1e-6).sqrt()


def charbonnier_loss(restored, reference, eps=1e-3):
    """Mean of sqrt(d^2 + eps^2): |d| made smooth at zero (an option of DAGF; SVLRM sums it, with eps 1e-6)."""
    _check("charbonnier_loss", restored=restored, reference=reference)
    return ((restored - reference).square() + eps ** 2).sqrt().mean()


def cross_entropy_loss(restored, sample, intermediates=None, sharpness=10, ignored=255):
    """Cross entropy of labels, the reference (N, 1, H, W), under the softmax of sharpness * restored (N, K, H, W).

    What a guided layer behind a segmenter is trained with. Its values are probabilities of which it made averages: neither positive
    nor of sum one, and small as logits, hence the factor. It moves no maximum. Pixels with the label `ignored` do not count.
    """
    labels = _reference("cross_entropy_loss", sample)
    if labels.dtype != torch.int64 or labels.shape != (len(restored), 1, *restored.shape[2:]):
        raise GirlibError(f"cross_entropy_loss: labels are {tuple(labels.shape)} of {labels.dtype}, but restored is "
                          f"{tuple(restored.shape)}; give one class a pixel, (N, 1, H, W) of torch.int64.")
    known = (labels != ignored).sum().clamp(min=1)
    return F.cross_entropy(sharpness * restored, labels[:, 0], ignore_index=ignored, reduction="sum") / known


def ssim(restored, reference):
    """Mean structural similarity of images in [0, 1]: Gaussian window of 11 pixels and sigma 1.5, over a border of zeros.

    As in the program that SFIGF was trained with; to judge images the border is cut off instead (girlib.metrics).
    """
    _check("ssim", restored=restored, reference=reference)
    window = torch.exp(-torch.arange(-5, 6, dtype=restored.dtype, device=restored.device) ** 2 / (2 * 1.5 ** 2))
    window = window / window.sum()
    x, y = restored, reference
    planes = torch.cat([x, y, x * x, y * y, x * y], dim=1)                                 # (N, 5C, H, W)
    for kernel, padding in ((window.view(1, 1, 11, 1), (5, 0)), (window.view(1, 1, 1, 11), (0, 5))):
        planes = F.conv2d(planes, kernel.expand(planes.shape[1], -1, -1, -1), padding=padding, groups=planes.shape[1])
    x, y, xx, yy, xy = planes.chunk(5, dim=1)
    C1, C2 = 0.01 ** 2, 0.03 ** 2
    alike = (2 * x * y + C1) * (2 * (xy - x * y) + C2)
    return (alike / ((x * x + y * y + C1) * (xx - x * x + yy - y * y + C2))).mean()


# --------------------------------------------------------------------------------------------------------- SFIGF

def pansharpening_mse_loss(restored, reference):
    """Mean squared difference over twice the batch: pan-sharpening as released (the paper says L1)."""
    return mse_loss(restored, reference) / (2 * len(restored))


def multifocus_loss(restored, sample, intermediates=None, style="released", weights=None):
    """Image and gradient of the source that is sharper at a pixel, SFIGF Eqs. (26)-(28); needs no reference.

    style="paper": Eq. (28), both terms with weight 1; "released": `weights` 0.5 and 1.5, and the gradient maps, absolute and stretched
    to [0, 1], are detached, so the second term has a value but trains nothing. Norms are means, over the channels too.
    """
    _check_style("multifocus_loss", style)
    a, b = sample.target, sample.guide
    _check("multifocus_loss", restored=restored, target=a, guide=b)
    s1 = sharper(a, b)
    s2 = 1 - s1

    def distance(maps):                                                                    # of one map of each of the three
        x, x1, x2 = maps
        return (s1 * (x - x1).square() + s2 * (x - x2).square()).mean()

    gradients = [_stretched_gradients(x.detach()) if style == "released" else _gradients(x) for x in (restored, a, b)]
    content, gradient = weights or ((0.5, 1.5) if style == "released" else (1, 1))
    return content * distance((restored, a, b)) + gradient * sum(map(distance, zip(*gradients, strict=True)))


def sharper(first, second):
    """s_1 of SFIGF Eqs. (26)-(27): 1 where `first` has the larger high frequencies, 0 elsewhere and where both are equal."""
    kernel = first.new_tensor([1, 2, 1])
    kernel = (kernel[:, None] * kernel / 16).expand(first.shape[1], 1, 3, 3)
    high = [(x - F.conv2d(x, kernel, padding=1, groups=x.shape[1])).abs() for x in (first, second)]
    return torch.sign(high[0] - torch.minimum(*high))


def _gradients(image):
    """Differences to the pixel on the left and above, 0 at the first ones."""
    return F.pad(image.diff(dim=3), (1, 0)), F.pad(image.diff(dim=2), (0, 0, 1, 0))


def _stretched_gradients(image):
    """As released: absolute, with the jumps to a border of zeros, each channel stretched over its whole batch, then cut."""
    for steps in (F.pad(image, (1, 1, 0, 1)).diff(dim=3), F.pad(image, (0, 1, 1, 1)).diff(dim=2)):      # (N, C, H + 1, W + 1)
        steps = steps.abs()
        lowest, highest = (find(dim=(0, 2, 3), keepdim=True) for find in (steps.amin, steps.amax))
        yield ((steps - lowest) / (highest - lowest + 1e-4))[..., :-1, :-1]


def mono_raw_loss(restored, sample, intermediates):
    """L1 of the predicted monochrome image (the guide is the recorded one) + L1 + 0.5 (1 - SSIM), SFIGF for mono raw as released."""
    reference, mono = _reference("mono_raw_loss", sample), _inside("mono_raw_loss", intermediates, "mono")
    return l1_loss(mono, sample.guide) + l1_loss(restored, reference) + 0.5 * (1 - ssim(restored, reference))


# ---------------------------------------------------------------------------------------------------------- DAGF

def sobel(image):
    """Differences to the right and downwards by Sobel's operator, not normalised; outside the image is zero."""
    right = image.new_tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    channels = image.shape[1]
    return [F.conv2d(image, kernel.expand(channels, 1, 3, 3), padding=1, groups=channels) for kernel in (right, right.T)]


def boundary_aware_loss(restored, reference):
    """Absolute difference where the boundaries differ, DAGF Eqs. (24)-(25); the mask is not detached."""
    _check("boundary_aware_loss", restored=restored, reference=reference)
    dx, dy = (a - b for a, b in zip(sobel(reference), sobel(restored), strict=True))
    return (dx * dy * (reference - restored)).abs().mean()


def multi_stage_loss(outputs, reference, error=l1_loss):
    """Mean error of all outputs but the last, each enlarged by bicubic interpolation where it is smaller, DAGF Eq. (23)."""
    size = reference.shape[2:]
    stages = [x if x.shape[2:] == size else F.interpolate(x, size, mode="bicubic", align_corners=False) for x in outputs[:-1]]
    return sum(error(stage, reference) for stage in stages) / max(len(stages), 1)


def dagf_loss(restored, sample, intermediates, boundary=10, stages=1, style="released"):
    """L1 + boundary * L_ba + stages * L_ms, DAGF Eq. (26); the paper prints 10 and 0.001 for `boundary`.

    style="released": L_ms measures each output by L1 + boundary * L_ba; "paper": by L1. The authors let `stages` fall from 1 as
    (E - e) / E in epoch e = 0 ... E - 1. Model 5 of Table VII: boundary=0, stages=0; model 6: boundary=0.
    """
    _check_style("dagf_loss", style)
    reference, outputs = _reference("dagf_loss", sample), _inside("dagf_loss", intermediates, "outputs")
    outputs = [x.reshape(*reference.shape[:2], *x.shape[2:]) for x in outputs]             # a network of one channel has (N C, 1, h, w)

    def whole(image, reference):
        return l1_loss(image, reference) + boundary * boundary_aware_loss(image, reference)
    return whole(restored, reference) + stages * multi_stage_loss(outputs, reference, whole if style == "released" else l1_loss)


# ---------------------------------------------------------------------------------------------------------- MGDN

def mu_law(image, mu=5000):
    """The tone curve by which HDR images are compared: 0 to 0, 1 to 1, dark values spread."""
    return torch.log1p(mu * image) / torch.log1p(image.new_tensor(mu))


def mu_law_l1_loss(restored, reference):
    """Mean absolute difference after the mu-law: MGDN Eq. (6) without its regulariser."""
    return l1_loss(mu_law(restored), mu_law(reference))


class MutualInformation(nn.Module):
    """The regulariser that MGDN's authors say theirs follows: how far the codes of two feature maps determine each other.

    (Mutual-information-driven pan-sharpening, Zhou et al., CVPR 2022.) Each map becomes a Gaussian of few numbers; cross entropy of
    two samples minus divergence of the two Gaussians, both ways. As there, the second half of a code is the logarithm of the variance
    where a sample is drawn, but that of the standard deviation in the divergence; and the cross entropies are summed over the batch.
    """

    def __init__(self, channels, size, latent=4):
        """size: height and width of the feature maps, a multiple of 4."""
        super().__init__()
        self.features = nn.ModuleList(nn.Sequential(nn.Conv2d(channels, channels, 4, 2, 1), nn.LeakyReLU(0.01),
                                                    nn.Conv2d(channels, channels, 4, 2, 1), nn.Flatten()) for _ in range(2))
        self.mean = nn.ModuleList(nn.Linear(channels * (size // 4) ** 2, latent) for _ in range(2))
        self.log = nn.ModuleList(nn.Linear(channels * (size // 4) ** 2, latent) for _ in range(2))

    def forward(self, first, second, noise=None):
        """noise: two tensors (N, latent) of standard normal numbers; drawn where not given."""
        samples, codes = [], []
        for i, features in enumerate((first, second)):
            x = self.features[i](features)
            mean, log = torch.tanh(self.mean[i](x)), torch.tanh(self.log[i](x))
            eps = torch.randn_like(mean) if noise is None else noise[i]
            samples.append(torch.sigmoid(mean + eps * torch.exp(log / 2)))                 # (N, latent)
            codes.append(Independent(Normal(mean, log.exp()), 1))
        a, b = samples
        cross = F.binary_cross_entropy(a, b.detach(), reduction="sum") + F.binary_cross_entropy(b, a.detach(), reduction="sum")
        return cross - kl_divergence(*codes).mean() - kl_divergence(*codes[::-1]).mean()


class MaskedMutualInformation(nn.Module):
    """MaskMI of MGDN, Eqs. (3)-(4): normalised mutual information of two feature maps outside the structure they share.

    It was never released, and this is a reading of the paper. What the text leaves open, and what is taken here: the mask network
    (three convolutions on the Sobel differences of both maps), the way to low-dimensional vectors (mean over a grid of 8 x 8, a linear
    layer, softmax: an entropy needs a distribution), the joint entropy (that of the mean over the batch of the outer products).
    """

    def __init__(self, channels, latent=4, hidden=8):
        super().__init__()
        self.to_one = nn.ModuleList(nn.Conv2d(channels, 1, 1) for _ in range(2))
        self.mask = nn.Sequential(nn.Conv2d(4, hidden, 3, padding=1), nn.LeakyReLU(0.1), nn.Conv2d(hidden, hidden, 3, padding=1),
                                  nn.LeakyReLU(0.1), nn.Conv2d(hidden, 1, 3, padding=1), nn.Sigmoid())
        self.to_vector = nn.ModuleList(nn.Sequential(nn.AdaptiveAvgPool2d(8), nn.Flatten(), nn.Linear(64, latent)) for _ in range(2))

    def forward(self, first, second):
        S = [to_one(C) for to_one, C in zip(self.to_one, (first, second), strict=True)]    # (N, 1, H, W)
        GM = self.mask(torch.cat([*sobel(S[0]), *sobel(S[1])], dim=1))                     # (N, 1, H, W) in (0, 1)
        T = [s * (1 - GM) for s in S]                                                      # Eq. (3)
        return normalised_information(*(to_vector(t).softmax(dim=1) for to_vector, t in zip(self.to_vector, T, strict=True)))


def normalised_information(first, second):
    """2 (1 - H12 / (H1 + H2)) of two distributions an image, (N, n) each, with H_i = entropy - KL(Vec_i || Vec_j): Eq. (4)."""
    joint = (first[:, :, None] * second[:, None, :]).mean(dim=0)                           # (n, n)
    p, q = joint.sum(dim=1), joint.sum(dim=0)
    H1, H2 = (-(a * a.log()).sum() - (a * (a / b).log()).sum() for a, b in ((p, q), (q, p)))
    return 2 * (1 + (joint * joint.log()).sum() / (H1 + H2))


class MGDNLoss(nn.Module):
    """L1 + weight * the sum of MaskMI over the layers, MGDN Eq. (5); with three inputs Eq. (6): L1 of mu-law values, the middle
    input with each other. The weight was never printed; the authors say about 1e-3, by task."""

    def __init__(self, channels, layers, inputs=2, weight=1e-3):
        super().__init__()
        self.inputs, self.weight = inputs, weight
        self.information = nn.ModuleList(MaskedMutualInformation(channels) for _ in range(layers))

    def forward(self, restored, sample, intermediates):
        names = [("C1", "C2")] if self.inputs == 2 else [("C2", "C1"), ("C2", "C3")]
        C = {name: _inside("MGDNLoss", intermediates, name) for pair in names for name in pair}
        information = sum(layer(C[a][n], C[b][n]) for n, layer in enumerate(self.information) for a, b in names)
        curve = mu_law if self.inputs == 3 else lambda image: image
        return l1_loss(curve(restored), curve(_reference("MGDNLoss", sample))) + self.weight * information


# ----------------------------------------------------------------------------------------------------------- GDD

def block_mean(X, scale, size):
    """S of GDD Eq. (6): means over blocks of scale x scale pixels; blocks that leave the image count if `size` has them."""
    return F.avg_pool2d(X, scale, ceil_mode=tuple(size) != tuple(n // scale for n in X.shape[-2:]))


def bicubic(X, scale, size):
    """S of GDD Eq. (7): antialiased bicubic reduction (a = -1/2) to a size; what lies outside repeats the edge pixel."""
    rows, columns = (_bicubic_matrix(low, n, scale, X) for low, n in zip(size, X.shape[-2:], strict=True))
    return rows @ X @ columns.T


def _bicubic_matrix(low, n, scale, like):
    """Row i (n) holds the weights of the pixels around the centre of low-resolution pixel i."""
    centre = (torch.arange(low, dtype=torch.float64) + 0.5) * scale - 0.5
    pixel = centre.floor()[:, None] + torch.arange(1 - 2 * scale, 2 * scale + 1)
    t = (centre[:, None] - pixel).abs() / scale
    weight = torch.where(t <= 1, 1.5 * t ** 3 - 2.5 * t ** 2 + 1, torch.where(t < 2, -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2, 0))
    weight = weight / weight.sum(dim=1, keepdim=True)
    return weight.new_zeros(low, n).scatter_add_(1, pixel.long().clamp(0, n - 1), weight).to(like)


def hyperspectral_loss(X, Y, G, R, scale=32, mu=0.1):
    """GDD Eq. (6): the block means of X are Y, and seen through the camera's response R (c, C) it is G."""
    spectral = (block_mean(X, scale, Y.shape[-2:]) - Y).square().mean()
    spatial = (torch.einsum("cb,nbhw->nchw", R, X) - G).square().mean()
    return mu * spectral + spatial


def pansharpening_loss(X, pan, Y, G, scale=4, mu=10, style="released"):
    """GDD Eq. (7): X reduced is Y, and D X (here `pan`) has the gradients of the panchromatic G in every band."""
    spectral = (bicubic(X, scale, Y.shape[-2:]) - Y).square().mean()
    difference = pan - G
    gradients = difference.diff(dim=-2), difference.diff(dim=-1)
    measure = torch.square if style == "released" else torch.abs
    return mu * spectral + sum(measure(g).sum() for g in gradients) / difference.numel()


def denoising_loss(X, Y):
    """GDD Eq. (8): X is Y; only the network stands between X and the noise of Y."""
    return (X - Y).square().mean()


# ----------------------------------------------------------------------------------------- what is asked of the user

def _check(where, **images):
    """All must be floats (N, C, H, W) of one shape."""
    first, reference = next(iter(images.items()))
    for name, image in images.items():
        if not torch.is_tensor(image) or image.dim() != 4 or not image.is_floating_point():
            given = f"{tuple(image.shape)} of {image.dtype}" if torch.is_tensor(image) else type(image).__name__
            raise GirlibError(f"{where}: {name} is {given}; give a tensor (N, C, H, W) of floats.")
        if image.shape != reference.shape:
            raise GirlibError(f"{where}: {name} is {tuple(image.shape)}, but {first} is {tuple(reference.shape)}; both need the same "
                              "shape (crop or convert one of them first).")


def _check_style(where, style):
    if style not in ("released", "paper"):
        raise GirlibError(f"{where}: style is {style!r}; choose released or paper.")


def _reference(where, sample):
    if sample.reference is None:
        raise GirlibError(f"{where}: the sample holds no reference; give Sample(reference=...), or a loss that needs none.")
    return sample.reference


def _inside(where, intermediates, name):
    if name not in (intermediates or {}):
        raise GirlibError(f"{where}: the intermediates hold no {name!r}; take them from network(..., return_intermediates=True).")
    return intermediates[name]
