"""Every loss once. A loss of a network is called loss(restored, sample, intermediates); one with parameters is a module."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Independent, Normal, kl_divergence


def l1_loss(restored, reference):
    """Mean absolute difference (DAGF Eq. 22, MGDN Eq. 5)."""
    return F.l1_loss(restored, reference)


def sobel(image):
    """Differences to the right and downwards by Sobel's operator, not normalised; outside the image is zero."""
    right = image.new_tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    channels = image.shape[1]
    return [F.conv2d(image, kernel.expand(channels, 1, 3, 3), padding=1, groups=channels) for kernel in (right, right.T)]


# ---------------------------------------------------------------------------------------------------------- DAGF

def boundary_aware_loss(restored, reference):
    """Absolute difference where the boundaries differ, DAGF Eqs. (24)-(25); the mask is not detached."""
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
    def whole(image, reference):
        return l1_loss(image, reference) + boundary * boundary_aware_loss(image, reference)
    early = multi_stage_loss(intermediates["outputs"], sample.reference, whole if style == "released" else l1_loss)
    return whole(restored, sample.reference) + stages * early


# ---------------------------------------------------------------------------------------------------------- MGDN

def mu_law(image, mu=5000):
    """The tone curve by which HDR images are compared: 0 to 0, 1 to 1, dark values spread."""
    return torch.log1p(mu * image) / torch.log1p(image.new_tensor(mu))


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
        information = sum(layer(intermediates[a][n], intermediates[b][n]) for n, layer in enumerate(self.information) for a, b in names)
        curve = mu_law if self.inputs == 3 else lambda image: image
        return l1_loss(curve(restored), curve(sample.reference)) + self.weight * information
