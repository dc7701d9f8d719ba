"""SFIGF: restores an image P with the help of a guide I by fusing them twice, as features and as images.

Paper      Liu et al., "Guided Image Restoration via Simultaneous Feature and Image Guided Fusion", Section 4 and supplement
Symbols    P target (N, C, H, W)     I guide (N, G, H, W)     n base channels (`width`)     t scale, 1 is the finest
           p_t, i_t, ip_t features of P, of I, of both     q_t fused features     A_Im, B_Im like P
Reads as   CMFE: features of both -> FeGF: fused features q_Fe -> ImGF: Q_Im = A_Im * I + B_Im -> output
Differs    style="released" is the authors' code, style="paper" the paper's text:
           pooling         paper: average            released: maximum
           ip_t            one convolution, Eq. (15) three; mono raw: from ip_(t-1) alone
           b_t, Eq. (17)   SA(LN(Cat[p, i])) + p     whole transformer block on a convolution of Cat[i, p], then + p (without the
                                                     block's own last skip); mono raw: + the mean of the normalised p
           q_t, Eq. (16)   CA(p, i) + b              MLP(LN(CA(LN(p), LN(i)))) + b
           gates, Eq. (18) CPA at each scale         one number a channel, no sigmoid (mono raw: CPA; one scale: none)
           q_Fe            n channels, from g_1      2n (one scale: n), there is no g_1
           multi-focus     two networks, Eq. (25)    one encoder, two fusions; features swap roles, images don't
           red-flash raw   raw is P, red is I        raw is I, red is P
           depth guide     colour or grey            grey, weights of RGB on BGR, standardised with ImageNet's RGB constants
           pan guide       one channel               repeated to all bands
           Sizes that the released code refuses (not multiples of 4, below 16; mosaics: 16, 32) are mirrored to the next
           and cropped. Depth is scaled by the extremes of the reference where there is one, as released
Weights    the authors' multi-focus and pan-sharpening; conv_b of each GICA (and the one-scale nets' `sca`) is never used: dropped
"""

import re
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from girlib.attention import NeighborhoodCrossAttention, NeighborhoodSelfAttention
from girlib.errors import GirlibError
from girlib.layers import check_images, mirror_pad, unit_range
from girlib.networks.sfigf_blocks import (
    CPA,
    ChannelGate,
    ConvolutionFusion,
    DropPath,
    ImageConvolution,
    LinearFusion,
    MonoPredictor,
    NAFBlock,
    PlainCrossAttention,
    chain,
    conv3x3,
    depthwise,
    nchw,
    nhwc,
    pointwise,
)

TASKS = {
    "depth": dict(standardise=True),
    "pansharpening": dict(channels=8, levels=1),
    "multifocus": dict(channels=3, levels=1, form="two-way"),
    "lowlight_red": dict(channels=4, form="red raw"),
    "lowlight_mono": dict(channels=4, width=48, form="mono raw"),
}
RELEASED = {("multifocus", None): "sfigf/MFIF/best.pth", ("pansharpening", None): "sfigf/Pan/best.pth"}
IGNORED = ("guide?.conv_b.*",)
NAMES = (                                                   # released name -> ours, and what to add to its number (absent: 1)
    (r"smfe\.init_rgb\.", "cmfe.first_P."),
    (r"smfe\.init_mono\.", "cmfe.first_I."),
    (r"smfe\.init_rgb_mono\.", "cmfe.first_joint."),
    (r"smfe\.encoder\.naf_inp(\d?)\.", "cmfe.naf_P.{}.", -1),
    (r"smfe\.encoder\.naf_guide(\d?)\.", "cmfe.naf_I.{}.", -1),
    (r"smfe\.encoder\.downsample_i(\d)\.", "cmfe.down_P.{}.", -1),
    (r"smfe\.encoder\.downsample_g(\d)\.", "cmfe.down_I.{}.", -1),
    (r"smfe\.encoder\.downsample_ig(\d)\.", "cmfe.down_joint.{}.", -1),
    (r"smfe\.encoder\.igconv(\d)\.", "cmfe.down_joint.{}.", -2),
    (r"guide(\d)\.", "fegf.fuse.{}.", -1),
    (r"sca(\d?)\.1\.", "fegf.gates.{}.conv.", -1),
    (r"ca(\d?)\.", "fegf.gates.{}.", -1),
    (r"upsample(\d)\.", "fegf.up.{}.", -2),
    (r"guide_(a|b)(2?)\.", lambda m: f"imgf{m[2]}.infer_{m[1].upper()}."),
    (r"guide_res", "head"),
    (r"ca_out\.", "output.attention."),
    (r"out\.", "output.layers."),
    (r"dbf\.DBF_conv(\d)\.Conv(\d)\.", lambda m: f"mono.blocks.{int(m[1]) - 1}.{2 * int(m[2]) - 2}."),
    (r"dbf\.DBF_upv(\d)\.", "mono.up.{}.", -5),
    (r"dbf\.DBF_out\.", "mono.last."),
)
INSIDE = {                                                  # and further inside a block
    ".conv_du.": ".over_channels.", ".conv_spa.": ".over_pixels.", ".conv_a.": ".join.", ".norm_inp2.": ".norm_u.",
    ".norm_inp.": ".norm_x.", ".norm1.": ".norm_pi.", ".norm2.": ".norm_ca.", ".attn_inp.": ".self_attention.",
    ".attn.": ".cross_attention.", ".rpb": ".bias", ".mlp_inp.fc1.": ".mlp_b.0.", ".mlp_inp.fc2.": ".mlp_b.2.",
    ".mlp.fc1.": ".mlp_ca.0.", ".mlp.fc2.": ".mlp_ca.2.",
}


def rename(state):
    """Names of the released file -> ours."""
    two_way, one_scale = "guide_a2.0.weight" in state, not any(name.startswith("upsample") for name in state)

    def ours(name):
        if two_way and name.startswith("guide2."):                   # there the second way, elsewhere the second scale
            name = name.replace("guide2.", "fegf2.fuse.0.")
        for pattern, mine, *shift in NAMES:
            if match := re.match(pattern, name):
                mine = mine.format(int(match[1] or 1) + shift[0]) if shift else mine(match) if callable(mine) else mine
                name = mine + name[match.end():]
                break
        if name.startswith("cmfe."):
            return "body." + name.replace(".sca.1.", ".gate.conv.")
        for theirs, mine in INSIDE.items():
            name = name.replace(theirs, mine)
        return "body." + name
    return {ours(name): x for name, x in state.items() if not (one_scale and name.startswith("sca."))}


# ------------------------------------------------------------------- CMFE: cooperative multi-scale features, Section 4.2

class CMFE(nn.Module):
    """Features p_t and i_t at all scales, Eqs. (10)-(15), and what happened on the way.

    features="private" is Table 5 (a): neither image sees the other. "shared" is (b): one extractor of twice the width for
    both together, whose halves are p_t and i_t.
    """

    def __init__(self, channels, guide_channels, width, levels, style, features="cooperative", mono=False):
        super().__init__()
        self.features, self.mono = features, mono
        pool = partial(nn.AvgPool2d if style == "paper" else nn.MaxPool2d, 2)
        widths = [width * 2 ** t for t in range(levels)]

        def first(inputs, outputs=width):
            return nn.Sequential(conv3x3(inputs, outputs), nn.GELU())

        def naf(factor):                                              # at each scale, from `factor` times its width
            return nn.ModuleList(nn.Sequential(pointwise(factor * c, c), nn.GELU(), NAFBlock(c)) for c in widths)

        def down(layers):                                             # from each scale to the next
            return nn.ModuleList(nn.Sequential(*chain(*layers(c)), nn.GELU(), pool()) for c in widths[:-1])

        wider = lambda c: [pointwise(c, 2 * c)]
        if features == "shared":
            widths = [2 * c for c in widths]
            self.first_joint, self.naf_joint, self.down_joint = first(channels + guide_channels, 2 * width), naf(1), down(wider)
            return
        factor = 2 if features == "cooperative" else 1
        self.first_P, self.naf_P, self.down_P = first(channels), naf(factor), down(wider)
        self.first_I, self.naf_I, self.down_I = first(guide_channels), naf(factor), down(wider)
        if features == "cooperative":
            self.first_joint = first(channels + guide_channels)
            self.down_joint = down((lambda c: [pointwise(c, 2 * c), depthwise(2 * c)]) if mono else
                                   (lambda c: [conv3x3(2 * c, c), pointwise(c, 2 * c)]) if style == "paper" else
                                   (lambda c: [pointwise(2 * c, c), depthwise(c, "zeros"), pointwise(c, 2 * c)]))

    def forward(self, P, I):
        if self.features == "shared":
            return self._shared(torch.cat([P, I], dim=1))
        p, i = self.first_P(P), self.first_I(I)                                       # Eqs. (11), (10)
        inside, ps, is_ = {"p0": p, "i0": i}, [], []
        if self.features == "cooperative":
            inside["ip0"] = self.first_joint(torch.cat([P, I], dim=1))                # Eq. (12)
        for t in range(len(self.naf_P)):
            ip = [inside[f"ip{t}"]] if self.features == "cooperative" else []
            p = self.naf_P[t](torch.cat([p, *ip], dim=1)) + p                         # Eq. (14)
            i = self.naf_I[t](torch.cat([i, *ip], dim=1)) + i                         # Eq. (13)
            ps.append(p), is_.append(i)
            if t + 1 < len(self.naf_P):
                if ip:
                    inside[f"ip{t + 1}"] = self.down_joint[t](ip[0] if self.mono else torch.cat([p, i], dim=1))   # Eq. (15)
                p, i = self.down_P[t](p), self.down_I[t](i)
        return ps, is_, inside

    def _shared(self, images):
        s = self.first_joint(images)
        inside, ps, is_ = {"ip0": s}, [], []
        for t, naf in enumerate(self.naf_joint):
            s = naf(s) + s
            p, i = s.chunk(2, dim=1)
            ps.append(p), is_.append(i)
            if t < len(self.down_joint):
                s = self.down_joint[t](s)
        return ps, is_, inside


# ------------------------------------------------------------------------------ FeGF: fusion of features, Section 4.3

class GICA(nn.Module):
    """Cross-attention that follows the guided filter, q = CA(p, i) + b, Eqs. (16) and (17), as released."""

    def __init__(self, channels, self_heads=4, drop=0.0, rest="p"):
        super().__init__()
        self.rest, self.drop = rest, DropPath(drop)
        self.join = nn.Sequential(*chain(pointwise(2 * channels, channels), depthwise(channels)), nn.GELU())
        self.norm_x, self.norm_u, self.norm_pi, self.norm_ca = (nn.LayerNorm(channels) for _ in range(4))
        self.self_attention = NeighborhoodSelfAttention(channels, self_heads)
        self.cross_attention = NeighborhoodCrossAttention(channels, heads=8)
        self.mlp_b, self.mlp_ca = (chain(nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)) for _ in range(2))

    def forward(self, p, i):
        x = nhwc(self.join(torch.cat([i, p], dim=1)))
        sa = self.self_attention(self.norm_x(x))
        u = x + self.drop(sa)
        rest = p if self.rest == "p" else F.layer_norm(p, p.shape[1:]).mean(dim=(2, 3), keepdim=True)
        b = nchw(self.drop(self.mlp_b(self.norm_u(u)))) + rest                        # Eq. (17)
        ca = self.cross_attention(self.norm_pi(nhwc(p)), self.norm_pi(nhwc(i)))
        q = nchw(self.drop(self.mlp_ca(self.norm_ca(self.drop(ca))))) + b             # Eq. (16)
        return q, {"x": nchw(x), "sa": nchw(sa), "b": b, "ca": nchw(ca)}


class PrintedGICA(nn.Module):
    """Eqs. (16) and (17) word for word."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.LayerNorm(2 * channels)
        self.self_attention = NeighborhoodSelfAttention(channels, heads=4, inputs=2 * channels)
        self.cross_attention = NeighborhoodCrossAttention(channels, heads=8)

    def forward(self, p, i):
        b = nchw(self.self_attention(self.norm(nhwc(torch.cat([p, i], dim=1))))) + p  # Eq. (17)
        ca = nchw(self.cross_attention(nhwc(p), nhwc(i)))
        return ca + b, {"b": b, "ca": ca}                                             # Eq. (16)


class FeGF(nn.Module):
    """Fuses p_t and i_t at each scale into q_t and joins the scales from coarse to fine, Eq. (18)."""

    def __init__(self, width, levels, block, gate, style):
        super().__init__()
        widths = [width * 2 ** t for t in range(levels)]
        self.fuse = nn.ModuleList(block(c) for c in widths)
        # Cat[q_t, q~_(t+1)]: at the coarsest scale q~ is Cat[p, i]; the released one-scale networks leave it out
        self.alone = levels == 1 and style == "released"
        joined = [2 * c for c in widths[:-1]] + [widths[-1] if self.alone else 3 * widths[-1]]
        self.gates = nn.ModuleList(nn.Identity() if self.alone else gate(c) for c in joined)
        self.up = nn.ModuleList(nn.Sequential(pointwise(c, c_finer), nn.GELU(), nn.Upsample(scale_factor=2, mode="bilinear"),
                                              depthwise(c_finer), nn.GELU()) for c, c_finer in zip(joined[1:], widths[:-1], strict=True))
        self.last = nn.Sequential(pointwise(joined[0], width), nn.GELU()) if style == "paper" else nn.Identity()     # g_1
        self.outputs = width if style == "paper" else joined[0]

    def forward(self, p, i):
        coarser, inside = [] if self.alone else [p[-1], i[-1]], {}
        for t in range(len(p), 0, -1):
            q, parts = self.fuse[t - 1](p[t - 1], i[t - 1])
            gated = self.gates[t - 1](torch.cat([q, *coarser], dim=1))
            inside |= {f"{name}{t}": x for name, x in {**parts, "q": q, "gated": gated}.items()}
            if t > 1:
                finer = inside[f"q{t}_tilde"] = self.up[t - 2](gated)                 # g_t of Eq. (18)
                (h, w), (H, W) = finer.shape[-2:], p[t - 2].shape[-2:]
                coarser = [mirror_pad(finer, (0, W - w, 0, H - h))]
        return self.last(gated), inside


# ------------------------------------------------------------------------------ ImGF: fusion of images, Section 4.4

class ImGF(nn.Module):
    """The guided filter with learned coefficients, Eqs. (19)-(21). Where C and G differ, each channel has one slope a guide channel."""

    def __init__(self, channels, guide_channels, width, mono=False):
        super().__init__()
        self.channels = channels
        slopes = channels if guide_channels in (1, channels) else channels * guide_channels
        features = 2 * width + guide_channels
        self.infer_A = chain(depthwise(features), depthwise(features), pointwise(features, slopes))
        self.infer_B = chain(pointwise(slopes + channels + guide_channels, width), depthwise(width), pointwise(width, channels))
        if mono:
            self.infer_A.append(nn.GELU()), self.infer_B.append(nn.GELU())

    def forward(self, I, features, images):
        """features (p_1, i_1) and images (P, I) are what F_A and F_B see, in this order."""
        A = self.infer_A(torch.cat([*features, I], dim=1))                            # Eq. (20)
        B = self.infer_B(torch.cat([A, *images], dim=1))                              # Eq. (21)
        if A.shape[1] == self.channels:
            return A * I + B, {"A_Im": A, "B_Im": B}                                  # Eq. (19)
        A = A.unflatten(1, (self.channels, -1))                                       # (N, C, G, H, W)
        return (A * I[:, None]).sum(dim=2) + B, {"A_Im": A, "B_Im": B}


# ---------------------------------------------------------------------------------------------------------- networks

class Output(nn.Module):
    """CPA over Q_Im and q_Fe together, then convolutions, supplement Fig. 1 (f)."""

    def __init__(self, inputs, layers):
        super().__init__()
        self.attention, self.layers = CPA(inputs), layers

    def forward(self, *parts):
        attended = self.attention(torch.cat(parts, dim=1))
        return self.layers(attended), {"CPA": attended}


class OneWay(nn.Module):
    """SFIGF as in Fig. 2."""

    def __init__(self, channels, guide_channels, outputs, width, levels, style, features, fusion, image_fusion, mono=False):
        super().__init__()
        self.cmfe = CMFE(channels, guide_channels, width, levels, style, features, mono)
        self.fegf = FeGF(width, levels, _block(fusion, style, mono, drop=0.3 if mono else 0.0), _gate(fusion, style, mono), style)
        self.imgf = _image_fusion(image_fusion)(channels, guide_channels, width, mono)
        if mono:
            self.head = nn.Sequential(*chain(depthwise(self.fegf.outputs), pointwise(self.fegf.outputs, channels)), nn.GELU())
            self.output = Output(2 * channels, chain(pointwise(2 * channels, 32), depthwise(32), pointwise(32, outputs)))
        else:
            inputs = channels + self.fegf.outputs
            self.head = nn.Identity()
            self.output = Output(inputs, chain(conv3x3(inputs, inputs), pointwise(inputs, outputs)))

    def forward(self, P, I):
        p, i, inside = self.cmfe(P, I)
        q_Fe, in_fegf = self.fegf(p, i)
        Q_Im, in_imgf = self.imgf(I, (p[0], i[0]), (P, I))
        restored, in_output = self.output(Q_Im, self.head(q_Fe))
        inside |= {f"{name}{t}": x for name, maps in (("p", p), ("i", i)) for t, x in enumerate(maps, start=1)}
        return restored, {**inside, **in_fegf, "q_Fe": q_Fe, **in_imgf, "Q_Im": Q_Im, **in_output}


class TwoWay(nn.Module):
    """Two images that guide each other, as released: one encoder, then both ways; names end in the number of the way."""

    def __init__(self, channels, width, style, features, fusion, image_fusion):
        super().__init__()
        self.cmfe = CMFE(channels, channels, width, 1, style, features)
        for way in ("", "2"):
            setattr(self, f"fegf{way}", FeGF(width, 1, _block(fusion, style, drop=0.3), nn.Identity, style))
            setattr(self, f"imgf{way}", _image_fusion(image_fusion)(channels, channels, width))
            setattr(self, f"head{way}", nn.Sequential(*chain(depthwise(width), pointwise(width, channels)), nn.GELU()))
        self.output = Output(4 * channels, chain(depthwise(4 * channels), pointwise(4 * channels, channels)))

    def forward(self, a, b):
        (p,), (i,), inside = self.cmfe(a, b)
        parts = []
        for way, guide, fegf, imgf, head, roles in ((1, b, self.fegf, self.imgf, self.head, (i, p)),
                                                    (2, a, self.fegf2, self.imgf2, self.head2, (p, i))):
            Q_Im, in_imgf = imgf(guide, (p, i), (a, b))
            q, in_fegf = fegf(*([x] for x in roles))                  # features take the other role than the images
            q_Fe = head(q)
            parts += [Q_Im, q_Fe]
            inside |= {name.removesuffix("1") + str(way): x for name, x in (in_imgf | in_fegf | {"Q_Im": Q_Im, "q_Fe": q_Fe}).items()}
        restored, in_output = self.output(*parts)
        return restored, {**inside, "p1": p, "i1": i, **in_output}


class TwoNetworks(nn.Module):
    """Two images that guide each other, as printed: Q1 = SFIGF1(a, b), Q2 = SFIGF2(b, a), Eqs. (23)-(25)."""

    def __init__(self, channels, *options):
        super().__init__()
        self.first, self.second = (OneWay(channels, channels, channels, *options) for _ in range(2))
        self.output = conv3x3(2 * channels, channels)

    def forward(self, a, b):
        (Q1, inside1), (Q2, inside2) = self.first(a, b), self.second(b, a)
        inside = {f"{name}.{way}": x for way, maps in ((1, inside1), (2, inside2)) for name, x in maps.items()}
        return self.output(torch.cat([Q1, Q2], dim=1)), {**inside, "Q1": Q1, "Q2": Q2}


class MonoRaw(OneWay):
    """From a Bayer mosaic alone: the guide is the network's own prediction of the monochrome image."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.mono = MonoPredictor()

    def forward(self, mosaic):
        mono = self.mono(mosaic)
        restored, inside = super().forward(F.pixel_unshuffle(mosaic, 2), F.pixel_unshuffle(mono, 2))
        return restored, {**inside, "mono": mono}


def _block(fusion, style, mono=False, drop=0.0):
    gica = PrintedGICA if style == "paper" else partial(GICA, self_heads=8 if mono else 4, drop=drop, rest="mean" if mono else "p")
    return {"gica": gica, "cross-attention": PlainCrossAttention, "linear": LinearFusion, "convolution": ConvolutionFusion}[fusion]


def _gate(fusion, style, mono):
    return nn.Identity if fusion == "convolution" else CPA if style == "paper" or mono else ChannelGate


def _image_fusion(image_fusion):
    return {"guided": ImGF, "convolution": ImageConvolution}[image_fusion]


CHOICES = {"form": ("one-way", "two-way", "red raw", "mono raw"), "style": ("released", "paper"),
           "features": ("cooperative", "private", "shared"), "fusion": ("gica", "convolution", "linear", "cross-attention"),
           "image_fusion": ("guided", "convolution")}


def _check(width, levels, **options):
    for name, value in options.items():
        if value not in CHOICES[name]:
            raise GirlibError(f"sfigf: {name} is {value!r}; it must be one of {', '.join(CHOICES[name])}.")
    if width < 8 or width % 8:
        raise GirlibError(f"sfigf: width is {width}; it must be a multiple of 8, for 8 heads share the channels.")
    if levels < 1:
        raise GirlibError(f"sfigf: levels is {levels}; it must be at least 1 (the paper has 4, and 1 for pan-sharpening).")


class Network(nn.Module):
    """SFIGF for every task of the paper.

    form            "one-way"; "two-way": two images guide each other; "red raw": packed Bayer in (both 4 channels, half size),
                    sRGB out; "mono raw": a mosaic (N, 1, H, W) alone in, sRGB out
    guide_channels  as many as the target has, unless given; a guide of one channel is repeated, one of three made grey
    Table 5         features="private" (a), "shared" (b); fusion="convolution" (c), "linear" (d), "cross-attention" (e);
                    image_fusion="convolution" (f). Where the paper only names them, the form is our reading
    residual        ours, for short trainings: the output is added to the target (of two images, to their mean) and begins small,
                    gates begin open, and images in [0, 1] are stretched to [-2, 2]
    """

    def __init__(self, channels=1, guide_channels=None, width=32, levels=4, form="one-way", style="released",
                 features="cooperative", fusion="gica", image_fusion="guided", standardise=False, residual=False):
        super().__init__()
        self.channels, self.guide_channels = channels, guide_channels or channels
        self.form, self.style, self.standardise, self.levels = form, style, standardise, levels
        _check(width, levels, form=form, style=style, features=features, fusion=fusion, image_fusion=image_fusion)
        options = width, levels, style, features, fusion, image_fusion
        if form == "mono raw":
            self.body = MonoRaw(channels, channels, 12, *options, mono=style == "released")
        elif form == "two-way":
            self.body = TwoNetworks(channels, *options) if style == "paper" else TwoWay(channels, width, *options[2:])
        else:
            self.body = OneWay(channels, self.guide_channels, 12 if form == "red raw" else channels, *options)
        if style == "released" and form in ("two-way", "mono raw"):
            for module in self.modules():
                if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                    nn.init.normal_(module.weight, std=0.02), nn.init.normal_(module.bias, std=0.02)
        self.residual = residual
        if residual:
            if form not in ("one-way", "two-way") or style == "paper" and form == "two-way":
                raise GirlibError(f"sfigf: residual=True needs an output like its target, but the form is {form!r}; leave it out.")
            nn.init.normal_(self.body.output.layers[-1].weight, std=0.03), nn.init.zeros_(self.body.output.layers[-1].bias)
            for module in self.modules():
                if isinstance(module, ChannelGate):                 # else three in a row let a hundredth through
                    nn.init.ones_(module.conv.bias)

    def forward(self, target, guide=None, return_intermediates=False):
        if self.form == "mono raw":
            check_images("sfigf", target=(target, 1))
            images = [target]
        else:
            if guide is None:
                raise GirlibError("sfigf: only the target is given; this form needs a guide too (mono raw alone has none).")
            guide = self._adapted(guide)
            check_images("sfigf", target=(target, self.channels), guide=(guide, self.guide_channels))
            images = [guide, target] if self.form == "red raw" and self.style == "released" else [target, guide]
            if self.residual:
                images = [4 * target - 2, guide if self.standardise else 4 * guide - 2]
        restored, inside = self.body(*[self._extended(x) for x in images])
        height, width = target.shape[-2:]
        if self.form in ("red raw", "mono raw"):
            restored = F.pixel_shuffle(restored, 2)
        if self.form == "red raw":
            height, width = 2 * height, 2 * width
        if "mono" in inside:
            inside["mono"] = inside["mono"][..., :height, :width]
        restored = restored[..., :height, :width]
        if self.residual:
            restored = restored / 4 + (target if self.form == "one-way" else (target + guide) / 2)
        return (restored, inside) if return_intermediates else restored

    def _adapted(self, guide):
        if guide.shape[1] == 3 and self.guide_channels == 1:
            return (guide * guide.new_tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(dim=1, keepdim=True)
        return guide.expand(-1, self.guide_channels, -1, -1) if guide.shape[1] == 1 else guide

    def _extended(self, image):
        """Mirrored at the right and at the bottom to a size that all scales can halve (a mosaic keeps its pattern)."""
        step, least = (16, 32) if self.form == "mono raw" else (2 ** max(0, self.levels - 2), 2 ** self.levels)
        height, width = image.shape[-2:]
        missing = [max(least, -(-n // step) * step) - n for n in (height, width)]
        return mirror_pad(image, (0, missing[1], 0, missing[0])) if any(missing) else image

    def prepare(self, sample):
        target, guide = sample.target, sample.guide
        if self.standardise:
            lowest, span = unit_range(sample)
            target = (target - lowest) / span
            if self.style == "released" and guide.shape[1] == 3:                      # BGR, with the constants of RGB
                mean, std = (guide.new_tensor(x).view(3, 1, 1) for x in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
                guide = (guide.flip(1) - mean) / std
        return (target,) if self.form == "mono raw" else (target, guide)

    def finish(self, output, sample):
        if self.standardise:
            lowest, span = unit_range(sample)
            return output * span + lowest
        return output if self.form == "one-way" else output.clamp(0, 1)
