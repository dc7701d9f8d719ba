"""GDD: fuses two images of one scene without training data: an untrained network, steered by the guide, is fitted to this one pair.

Paper      Uezato et al., "Guided Deep Decoder: Unsupervised Image Pair Fusion", 2020, Sections 3 and 4, Figs. 2 and 3
Symbols    X restored (N, C, H, W)     Y what was measured, coarse or noisy     G guide (N, c, H, W)     Z noise (N, C, ~H/32, ~W/32)
           Gamma_k, Xi_k encoder and decoder features of the guide, k = 1 coarse ... 5 fine     S, R, D operators of the losses
Reads as   guide -> U-net -> Gamma, Xi;  noise -> FRU -> five times (URU by Gamma_k, convolution, FRU by Xi_k) -> X;  Eqs. (6)-(8)
Differs    paper: Eq. (5) is a product with Xi itself, the losses are sums, Eq. (7) has a diagonal D and the l1 norm.
           released: one block serves all scales; FRU also convolves, normalises and activates; the losses are means, D is a full
           matrix and the norm is squared. here: `style="released" | "paper"` chooses the loss (means in both: mu isn't printed); the
           network is the released one. Guides below 33 pixels are mirrored up to 33 and the result is cut. Normalisation is over one
           image, always. Dropped: modules that are never called (82,240 parameters for pan-sharpening, 19,584 for denoising)
Weights    none to download but those of single images; `predict` fits the network anew
"""

from collections import deque, namedtuple

import torch
import torch.nn.functional as F
from torch import nn

from girlib.errors import GirlibError
from girlib.layers import check_images, mirror_pad
from girlib.losses import denoising_loss, hyperspectral_loss, pansharpening_loss
from girlib.networks.weights import rename_prefixes

TASKS = {
    "hyperspectral": dict(objective="hyperspectral", channels=31, guide_channels=3, width=64),
    "pansharpening": dict(objective="pansharpening", channels=8, guide_channels=1, width=64),
    "flash": dict(objective="denoising", channels=3, guide_channels=3, width=32),
}
RELEASED = {("flash", None): "gdd/flash_noflash.safetensors"}
IGNORED = ("net_input", "*.running_mean", "*.running_var", "*.num_batches_tracked")
NAMES = {
    "guide_enc.0.1": "first.0", "guide_enc.1": "first.1", "enc0.0.1": "first.0", "enc0.1": "first.1",
    "enc.0.1": "encode.0", "enc.1": "encode.1", "enc.3.1": "encode.3", "enc.4": "encode.4",
    "lat.0.1": "lateral.0", "lat.1": "lateral.1", "dc1.1.1": "deepest.0", "dc1.2": "deepest.1",
    "dc_up_conv.1.1": "decode.0.0", "dc_up_conv.2": "decode.0.1", "URU.weight_map.0.1": "uru.0.gate.conv",          # shared by all scales
    **{f"dc_up_conv{k}.1.1": f"decode.{k - 2}.0" for k in range(2, 6)}, **{f"dc_up_conv{k}.2": f"decode.{k - 2}.1" for k in range(2, 6)},
    **{f"URU{k}.weight_map.0.1": f"uru.{k - 1}.gate.conv" for k in range(1, 6)},
    "enc_ew0.0": "embed.0", "enc_ew0.1": "embed.1", "dc_conv.0.1": "refine.0", "dc_conv.1": "refine.1",
    "FRU.gen_se_weights1.0.1": "fru.gate.conv", "FRU.conv_1.1": "fru.conv", "FRU.norm_1": "fru.norm",
    "output.0.1": "output", "vector": "D",
}
NEVER_CALLED = ("URU.", "dc_up_conv.", "weight_map.")                         # where each scale has its own

# as released: scale of Y, weight of its term, noise added in each step, steps, and how far the loss may jump up
Recipe = namedtuple("Recipe", "shared scale mu jitter steps tolerance")
RECIPES = {
    "hyperspectral": Recipe(shared=True, scale=32, mu=0.1, jitter=0.03, steps=20001, tolerance=1e-5),
    "pansharpening": Recipe(shared=False, scale=4, mu=10, jitter=0.01, steps=8001, tolerance=0.1),
    "denoising": Recipe(shared=False, scale=1, mu=1, jitter=0.01, steps=1001, tolerance=0.01),
}
SETTLED = 1000                                                                # steps before a jump of the loss counts as one
FORMS = ("gdd", "dip_guide", "dip_noise", "deep_decoder")


def rename(state):
    """Names of the released file -> ours, without what it never calls."""
    never_called = NEVER_CALLED if any(name.startswith("URU1.") for name in state) else ()
    return rename_prefixes({name: value for name, value in state.items() if not name.startswith(never_called)}, NAMES)


# ------------------------------------------------------------------------------------------------------------- blocks

def conv3x3(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, padding_mode="reflect")


def block(conv):
    """Convolution, channel-wise normalisation (over one image, in use as in fitting), leaky ReLU."""
    return nn.Sequential(conv, normalise(conv.out_channels), nn.LeakyReLU(0.2))


def normalise(width, affine=True):
    """Each channel of one image by its own mean and spread: instance normalisation, whose own module copies its parameters each time."""
    return nn.GroupNorm(width, width, affine=affine)


def enlarge(x, size):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class Gate(nn.Module):
    """Conditional weights from features of the guide: a number in (0, 1) for each channel and pixel."""

    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 1)

    def forward(self, features):
        return torch.sigmoid(F.leaky_relu(self.conv(features), 0.2))


class URU(nn.Module):
    """Upsampling refinement unit, Eq. (4): enlarge, normalise, and weight by the guide's details."""

    def __init__(self, width, guided):
        super().__init__()
        self.gate = Gate(width) if guided else None
        self.norm = normalise(width, affine=False)

    def forward(self, y, Gamma, size):
        y = self.norm(enlarge(y, size))
        return y * self.gate(Gamma) if self.gate else y


class FRU(nn.Module):
    """Feature refinement unit, Eq. (5): weight by what the guide shows at this scale."""

    def __init__(self, width, guided):
        super().__init__()
        self.gate = Gate(width) if guided else None
        self.conv = nn.Conv2d(width, width, 1)
        self.norm = normalise(width)

    def forward(self, y, Xi):
        y = self.norm(self.conv(y))
        return F.leaky_relu(y * self.gate(Xi) if self.gate else y, 0.2)


# ------------------------------------------------------------------------------------------------------------ network

class Network(nn.Module):
    """form: "gdd"; "dip_guide" and "dip_noise", the U-net alone, fed by guide or noise; "deep_decoder", without guide (Section 4).

    objective says which loss is minimised; scale and mu are the released ones of the objective where they are None.
    """

    def __init__(self, objective, channels, guide_channels, width=64, form="gdd", style="released", scale=None, mu=None):
        super().__init__()
        _check_choice("objective", objective, RECIPES)
        _check_choice("form", form, FORMS)
        _check_choice("style", style, ("released", "paper"))
        self.objective, self.form, self.style, self.recipe = objective, form, style, RECIPES[objective]
        self.channels, self.guide_channels = channels, guide_channels
        self.scale, self.mu = scale or self.recipe.scale, self.recipe.mu if mu is None else mu
        guided, apart = form == "gdd", 1 if self.recipe.shared else 5
        if form != "deep_decoder":
            self.first = block(conv3x3(channels if form == "dip_noise" else guide_channels, width))
            self.encode = nn.Sequential(*block(conv3x3(width, width, stride=2)), *block(conv3x3(width, width)))     # for all scales
            self.lateral = block(nn.Conv2d(width, width, 1))
            self.deepest = block(conv3x3(width, width))
            self.decode = nn.ModuleList(block(conv3x3(2 * width, width)) for _ in range(max(apart - 1, 1)))
        if form in ("gdd", "deep_decoder"):
            self.embed = block(nn.Conv2d(channels, width, 1))
            self.uru = nn.ModuleList(URU(width, guided) for _ in range(apart if guided else 1))
            self.refine = block(conv3x3(width, width))
            self.fru = FRU(width, guided)
        self.output = nn.Conv2d(width, channels, 1)
        if not self.recipe.shared:                                           # the denoising loss doesn't read it
            self.D = nn.Parameter(torch.empty(channels, channels) if style == "released" else torch.empty(channels))
        self.unused = ("D",) if objective == "denoising" else ()
        self.reset_parameters()

    def reset_parameters(self):
        """Everything random again; D weights each band by a normal number, whatever its sign."""
        for module in self.modules():
            if module is not self and hasattr(module, "reset_parameters"):
                module.reset_parameters()
        if not self.recipe.shared:
            weights = torch.randn(self.channels)
            self.D.data.copy_(weights.diag() if self.style == "released" else weights)

    def forward(self, noise, guide, return_intermediates=False):
        check_images("gdd", guide=(guide, self.guide_channels))
        if noise.shape != self.noise_shape(guide):
            raise GirlibError(f"gdd: noise has the shape {tuple(noise.shape)}, but this guide needs {self.noise_shape(guide)}; "
                              "make it with draw_noise(guide).")
        height, width = guide.shape[-2:]
        guide = mirror_pad(guide, (0, max(33 - width, 0), 0, max(33 - height, 0)))       # the coarsest of six scales needs two pixels
        sizes = [tuple(-(-n >> k) for n in guide.shape[-2:]) for k in range(6)]          # 0 fine ... 5 coarse
        inside = {}
        if self.form != "deep_decoder":
            inside |= self.unet(noise if self.form == "dip_noise" else guide, sizes)
        if self.form in ("gdd", "deep_decoder"):
            inside |= self.deep_decoder(noise, sizes, inside.get("Gamma", [None] * 6), inside.get("Xi", [None] * 5))
        X = self.output(inside["y"][-1] if "y" in inside else inside["Xi"][-1])[..., :height, :width]
        if self.objective == "pansharpening":
            inside["pan"] = torch.einsum("nbhw,bc->nchw", X, self.D if self.D.dim() == 2 else self.D.diag())
        return (X, inside) if return_intermediates else X

    def unet(self, image, sizes):
        """Features of an image: Gamma of the encoder, fine to coarse, Xi of the decoder, coarse to fine (Fig. 2)."""
        Gamma = [self.first(image)]
        for _ in range(5):
            Gamma.append(self.encode(Gamma[-1]))
        Xi = [self.deepest(enlarge(Gamma[5], sizes[4]))]
        for k in range(4):
            both = torch.cat([self.lateral(Gamma[4 - k]), Xi[-1]], dim=1)
            Xi.append(self.decode[k % len(self.decode)](enlarge(both, sizes[3 - k])))
        return {"Gamma": Gamma[::-1], "Xi": Xi}

    def deep_decoder(self, noise, sizes, Gamma, Xi):
        """The image's features grow out of noise; the coarsest FRU sees the encoder, having no Xi yet."""
        y = [self.fru(self.embed(noise), Gamma[0])]
        refined = []
        for k in range(5):
            refined.append(self.uru[k % len(self.uru)](y[-1], Gamma[k + 1], sizes[4 - k]))
            y.append(self.fru(self.refine(refined[-1]), Xi[k]))
        return {"uru": refined, "y": y}

    # ------------------------------------------------------------------------------------------------------ the fitting

    def noise_shape(self, guide):
        shrink = 1 if self.form == "dip_noise" else 32
        return (guide.shape[0], self.channels, *(-(-max(n, 33) // shrink) for n in guide.shape[-2:]))

    def draw_noise(self, guide):
        """Z: uniform in [0, 0.1), drawn once."""
        return 0.1 * torch.rand(self.noise_shape(guide)).to(guide)

    def jitter(self, noise):
        """Each step sees another noise: a normal number is added, a tenth to a third of its own spread."""
        return noise + self.recipe.jitter * torch.randn_like(noise)

    def loss(self, X, sample, inside):
        """The objective's Eq. (6), (7) or (8) for one restored image."""
        if self.objective == "denoising":
            return denoising_loss(X, sample.target)
        if self.objective == "pansharpening":
            return pansharpening_loss(X, inside["pan"], sample.low, sample.guide, self.scale, self.mu, self.style)
        return hyperspectral_loss(X, sample.low, sample.guide, sample.meta["response"].to(X), self.scale, self.mu)

    def optimise(self, sample, steps=None, seed=0, progress=None):
        """Fits the network to one sample by Adam; returns X of the last step and everything else, `noise` and `losses` too.

        seed: parameters and noise are drawn anew from it; None goes on from the present parameters. progress(step, loss, X)
        is called before each update. Where the loss jumps up after 1000 steps, the parameters of ten steps ago come back, and
        the next 150 good steps aren't counted (as released: Adam's own state stays).
        """
        self._check(sample)
        steps = self.recipe.steps if steps is None else steps
        if steps < 1:
            raise GirlibError(f"gdd: steps is {steps}; give at least 1, or None for the {self.recipe.steps} of the released program.")
        device = sample.guide.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.enable_grad():
            if seed is not None:
                torch.manual_seed(seed)
            noise = self.draw_noise(sample.guide)
            if seed is not None:
                self.reset_parameters()
            adam = torch.optim.Adam(self.parameters(), lr=0.01, fused=True)       # one call for all parameters, not one each
            losses, earlier, uncounted = [], deque(maxlen=10), 0
            for step in range(steps):
                jittered = self.jitter(noise)
                X, inside = self(jittered, sample.guide, return_intermediates=True)
                loss = self.loss(X, sample, inside)
                if progress:
                    progress(step, loss.item(), X.detach())
                if step == steps - 1:                                        # the last image belongs to these parameters
                    break
                adam.zero_grad()
                loss.backward()
                if len(losses) > SETTLED and loss.item() - sum(losses[-40:-20]) / 20 > self.recipe.tolerance:
                    for parameter, old in zip(self.parameters(), earlier[0], strict=True):
                        parameter.data.copy_(old)
                    uncounted = 150
                elif uncounted:
                    uncounted -= 1
                else:
                    losses.append(loss.item())
                    if len(losses) > SETTLED - 10:                           # nobody asks for them before
                        earlier.append([parameter.detach().clone() for parameter in self.parameters()])
                adam.step()
        inside = {name: [x.detach() for x in value] if isinstance(value, list) else value.detach() for name, value in inside.items()}
        return X.detach(), {**inside, "noise": jittered, "losses": [*losses, loss.item()]}

    def predict(self, sample, steps=None, seed=0, progress=None):
        """The way from a sample to its restored image: here it *is* the fitting (see optimise)."""
        return self.finish(self.optimise(sample, steps, seed, progress)[0], sample)

    def prepare(self, sample):
        self._check(sample)
        return self.draw_noise(sample.guide), sample.guide

    def finish(self, output, sample):
        return output                                                        # values below 0 and above 1 occur

    def _check(self, sample):
        check_images("gdd", guide=(sample.guide, self.guide_channels))
        if self.objective == "denoising":
            return check_images("gdd", target=(sample.target, self.channels), guide=(sample.guide, self.guide_channels))
        if sample.low is None:
            raise GirlibError("gdd: the sample holds no low-resolution image; give Sample(low=...).")
        check_images("gdd", low=(sample.low, self.channels))
        for low, n in zip(sample.low.shape[-2:], sample.guide.shape[-2:], strict=True):
            if low not in (n // self.scale, -(-n // self.scale)):
                raise GirlibError(f"gdd: low is {tuple(sample.low.shape[-2:])}, but guide is {tuple(sample.guide.shape[-2:])}; the guide "
                                  f"must be {self.scale} times as large (scale=).")
        response = sample.meta.get("response")
        if self.objective == "hyperspectral" and (response is None or response.shape != (self.guide_channels, self.channels)):
            raise GirlibError("gdd: the sample's meta must hold `response`, how the channels of the guide see the bands, as a tensor "
                              f"({self.guide_channels}, {self.channels}).")


def _check_choice(name, value, known):
    if value not in known:
        raise GirlibError(f"gdd: {name} is {value!r}; choose one of {', '.join(known)}.")
