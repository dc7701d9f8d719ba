"""MGDN: fuses two or three images by filters that each image's features get from another's, layer after layer.

Paper      Guan et al., "Mutual-Guided Dynamic Network for Image Fusion", ACM MM 2023, Section 3
Symbols    F_i features of input i (N, c, H, W)     G_i what the other image says about them     KV_i a kernel of 7 x 7 at each pixel
           C_i filtered features     M merged features; all of them anew in each layer n
Reads as   features -> N layers of [MGDF: G_i -> KV_i -> C_i = F_i * KV_i; PFF: C_i -> M -> next F_i] -> merged + features of the main input
Differs    This is the released code. Where the paper says otherwise (effects in the chapter "Building MGDN"):
           - two inputs: KV_i comes from the query of F_i with key and value of the *other*, the reverse of Eq. (1); three: as Eq. (1)
             with the middle one as the other, which itself passes two plain convolutions instead of a filter;
           - no layer norm before the attention, no "+ F_i" after it, one attention module for both directions;
           - queries and keys are unit vectors, times a learned temperature for each head (Eq. 1: divided by alpha);
           - a 1x1 convolution follows the filter; the next layer sees M with C_i, where the text says with F_i;
           - local and global branch of PFF are added in every block.
           The released code takes sides above the padding to whole windows; ours mirrors on and so takes any.
Weights    `rename()` translates released files. What they hold without using it is dropped (3,780 of 182,755 parameters for multi-focus)
"""

import re

import torch
import torch.nn.functional as F
from torch import nn

from girlib.errors import GirlibError
from girlib.layers import check_images, dynamic_filter, mirror_pad, value_range

TASKS = {
    "multifocus": {"width": 30, "depths": (3, 3), "heads": (3, 3), "window_size": 4, "mlp_ratio": 2},
    "multiexposure": {"width": 60, "depths": (6, 6), "heads": (6, 6), "window_size": 8, "mlp_ratio": 2},
    "depth": {"width": 30, "depths": (3, 3, 3), "heads": (6, 6, 6), "window_size": 4, "mlp_ratio": 4,
              "channels": (3, 1), "main": 1, "output_channels": 1},
    "hdr": {"width": 60, "depths": (6, 6, 6), "heads": (6, 6, 6), "window_size": 8, "mlp_ratio": 4, "channels": (6, 6, 6), "main": 1},
}
RELEASED = {
    ("multifocus", None): "mgdn/62000_E.pth",                                  # E: the moving average of the weights, which the authors use
    ("multiexposure", None): "mgdn/5500_E.pth",
    ("depth", 4): "mgdn/GDSR_4x_1.496.pth",
    ("depth", 8): "mgdn/GDSR_8x_3.117.pth",
    ("depth", 16): ("mgdn/GDSR_16x_5.813.pth", {"width": 60}),
    ("hdr", None): "mgdn/MGDN_Deghosting.pth",
}
NAMES = (                                                                      # released -> ours
    (r"^inconv1\.", "shallow.0."),
    (r"^inconv2\.", "shallow.1."),
    (r"^conv1\.", "shallow.0."),                                               # HDR: one for all three inputs
    (r"\.MGF\.TCA\.q\.", ".mgdf.attention.query.0."),
    (r"\.MGF\.TCA\.q_dwconv\.", ".mgdf.attention.query.1."),
    (r"\.MGF\.TCA\.kv\.", ".mgdf.attention.key_value.0."),
    (r"\.MGF\.TCA\.kv_dwconv\.", ".mgdf.attention.key_value.1."),
    (r"\.MGF\.TCA\.project_out\.", ".mgdf.attention.project."),
    (r"\.MGF\.TCA\.", ".mgdf.attention."),
    (r"\.MGF\.kernel_predictor_(?:ref|under)\.", ".mgdf.filters.0.predictor."),
    (r"\.MGF\.kernel_predictor_(?:ext|over)\.", ".mgdf.filters.1.predictor."),
    (r"\.MGF\.conv_out_1\.", ".mgdf.filters.0.mix."),
    (r"\.MGF\.conv_out_2\.", ".mgdf.filters.1.mix."),
    (r"\.MGF\.conv_ref\.", ".mgdf.plain."),
    (r"\.adjust_channel\.", ".pff.merge."),
    (r"\.adjust_channel_01\.", ".pff.out.0."),
    (r"\.adjust_channel_02\.", ".pff.out.1."),
    (r"\.adjust_channel_03\.", ".pff.out.2."),
    (r"\.residual_group\.blocks\.", ".pff.blocks."),
    (r"\.attn\.relative_position_bias_table", ".attention.bias"),
    (r"\.attn\.", ".attention."),
    (r"\.mlp\.fc1\.", ".mlp.0."),
    (r"\.mlp\.fc2\.", ".mlp.2."),
    (r"\.lce\.conv\.", ".local.conv."),
    (r"\.lce\.fc\.", ".local.gate."),
    (r"\.dilated_conv\.", ".pff.dilated."),
    (r"^conv_after_body\.", "body."),
    (r"^conv_last\.", "last."),
)
IGNORED = ("patch_embed.*", "norm.*", "*.attn_mask", "*.relative_position_index")
HEADS = 6                                                                      # of the attention between inputs, in every variant
KERNEL_SIZE = 7
GUIDE_MEAN, GUIDE_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)           # of ImageNet, RGB


def rename(state):
    """Names of the released file -> ours; without the third way out of each layer where there are two inputs."""
    def ours(name):
        for theirs, mine in NAMES:
            name = re.sub(theirs, mine, name)
        return name
    unread = ".adjust_channel_03." if "inconv2.weight" in state else "\n"
    return {ours(name): value for name, value in state.items() if unread not in name}


def conv(inputs, outputs, size=3, slope=0.1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, padding=size // 2), nn.LeakyReLU(slope))


# ----------------------------------------------------------------------------------------- MGDF, Section 3.2

class MutualGuidedAttention(nn.Module):
    """MGCA, Eq. (1): attention between channels, the query from the guide, key and value from the operand."""

    def __init__(self, c):
        super().__init__()
        self.query = nn.Sequential(nn.Conv2d(c, c, 1), nn.Conv2d(c, c, 3, padding=1, groups=c))
        self.key_value = nn.Sequential(nn.Conv2d(c, 2 * c, 1), nn.Conv2d(2 * c, 2 * c, 3, padding=1, groups=2 * c))
        self.temperature = nn.Parameter(torch.ones(HEADS, 1, 1))
        self.project = nn.Conv2d(c, c, 1)

    def forward(self, guide, operand):
        Q, K, V = (x.unflatten(1, (HEADS, -1)).flatten(3)                      # (N, heads, c / heads, H W)
                   for x in (self.query(guide), *self.key_value(operand).chunk(2, dim=1)))
        logits = F.normalize(Q, dim=-1) @ F.normalize(K, dim=-1).mT * self.temperature         # (N, heads, c / heads, c / heads)
        return self.project((logits.softmax(dim=-1) @ V).reshape(operand.shape))


class Filter(nn.Module):
    """Predicts a kernel for each pixel and filters with it, Eq. (2)."""

    def __init__(self, c, filtering):
        super().__init__()
        self.static = filtering == "static"
        self.predictor = nn.Sequential(conv(c, c), conv(c, c), nn.Conv2d(c, KERNEL_SIZE**2, 1))
        self.mix = conv(c, c, 1)

    def forward(self, features, G):
        KV = self.predictor(G)                                                 # (N, 49, H, W)
        if self.static:
            KV = KV.mean(dim=(2, 3), keepdim=True).expand_as(KV)
        return self.mix(dynamic_filter(features, KV, padding="replicate")), KV


class MGDF(nn.Module):
    """Mutual-guided dynamic filter: C_i = F_i * KV_i, where KV_i is predicted with the help of another input."""

    def __init__(self, c, inputs, guidance, filtering):
        super().__init__()
        self.guidance = guidance
        self.attention = MutualGuidedAttention(c)
        self.filters = nn.ModuleList(Filter(c, filtering) for _ in range(2))
        if inputs == 3:
            self.plain = nn.Sequential(conv(c, c), conv(c, c))                 # the middle exposure guides and is not filtered

    def forward(self, features):
        first, last = features[0], features[-1]
        if len(features) == 2:
            pairs = [(first, last), (last, first)]                             # guide and operand of the attention
        else:
            pairs = [(features[1], first), (features[1], last)]
        if self.guidance == "self":
            pairs = [(first, first), (last, last)]
        G = [self.attention(*pair) for pair in pairs]
        (C_first, KV_first), (C_last, KV_last) = self.filters[0](first, G[0]), self.filters[1](last, G[1])
        n = len(features)
        found = {"G1": G[0], f"G{n}": G[1], "KV1": KV_first, f"KV{n}": KV_last}
        C = [C_first, C_last] if n == 2 else [C_first, self.plain(features[1]), C_last]
        return C, found


# ------------------------------------------------------------------------------------------ PFF, Section 3.3

class WindowAttention(nn.Module):
    """Attention among the pixels of each window, with a learned bias for each offset between two pixels."""

    def __init__(self, c, heads, window_size):
        super().__init__()
        self.heads, w = heads, window_size
        self.qkv = nn.Linear(c, 3 * c)
        self.proj = nn.Linear(c, c)
        self.bias = nn.Parameter(nn.init.trunc_normal_(torch.empty((2 * w - 1) ** 2, heads), std=0.02))
        y, x = torch.meshgrid(torch.arange(w), torch.arange(w), indexing="ij")
        dy, dx = (p.flatten()[:, None] - p.flatten() + w - 1 for p in (y, x))  # (w^2, w^2), from 0 to 2 w - 2
        self.register_buffer("offset", dy * (2 * w - 1) + dx, persistent=False)

    def forward(self, windows, mask):
        Q, K, V = self.qkv(windows).unflatten(-1, (3, self.heads, -1)).permute(3, 0, 1, 4, 2, 5)     # (N, windows, heads, w^2, d)
        bias = self.bias[self.offset].permute(2, 0, 1) + mask[:, None]         # (windows, heads, w^2, w^2)
        return self.proj(F.scaled_dot_product_attention(Q, K, V, bias).transpose(2, 3).flatten(3))


class LocalContext(nn.Module):
    """The local branch: convolutions through few channels, each output channel gated by its image's mean features."""

    def __init__(self, c):
        super().__init__()
        r = c // 8
        self.conv = nn.Sequential(nn.Conv2d(c, r, 1), nn.Conv2d(r, r, 3, padding=1), nn.Conv2d(r, c, 1), nn.LeakyReLU(0.2))
        self.gate = nn.Sequential(nn.Linear(c, r, bias=False), nn.ReLU(), nn.Linear(r, c, bias=False), nn.Sigmoid())

    def forward(self, x):
        x = self.conv(x)
        return x * self.gate(x.mean(dim=(2, 3)))[..., None, None]


class FusionBlock(nn.Module):
    """A shifted-window transformer block (global) with the local branch beside it; both read the normalised features."""

    def __init__(self, c, heads, window_size, shift, mlp_ratio, drop):
        super().__init__()
        self.window_size, self.shift, self.drop = window_size, shift, drop
        self.norm1 = nn.LayerNorm(c)
        self.attention = WindowAttention(c, heads, window_size)
        self.norm2 = nn.LayerNorm(c)
        hidden = int(c * mlp_ratio)
        self.mlp = nn.Sequential(nn.Linear(c, hidden), nn.GELU(), nn.Linear(hidden, c))
        self.local = LocalContext(c)

    def forward(self, x):
        u = self.norm1(x)                                                      # (N, H, W, c)
        x = x + self.sometimes(self.window_attention(u))
        x = x + self.sometimes(self.mlp(self.norm2(x)))
        return x + self.local(u.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)

    def window_attention(self, u):
        (_, H, W, _), s = u.shape, self.shift
        mask = self.mask(H, W, u)
        windows = self.attention(self.partition(u.roll((-s, -s), dims=(1, 2))), mask)
        rows = windows.unflatten(1, (H // self.window_size, -1)).unflatten(3, (self.window_size, -1))
        return rows.transpose(2, 3).flatten(3, 4).flatten(1, 2).roll((s, s), dims=(1, 2))

    def partition(self, image):
        """(N, H, W, c) -> (N, windows, w^2, c)"""
        w = self.window_size
        return image.unflatten(1, (-1, w)).unflatten(3, (-1, w)).transpose(2, 3).flatten(3, 4).flatten(1, 2)

    def mask(self, H, W, like):
        """-100 between pixels of a shifted window that come from opposite ends of the image: (windows, w^2, w^2)."""
        ends = [(torch.arange(n, device=like.device) >= n - self.shift).to(like.dtype) for n in (H, W)]
        regions = self.partition((2 * ends[0][:, None] + ends[1])[None, :, :, None])[0]        # (windows, w^2, 1)
        return -100 * (regions != regions.mT).to(like.dtype)

    def sometimes(self, branch):
        """Stochastic depth: in training, each image goes without this branch at times."""
        if not self.training or self.drop == 0:
            return branch
        kept = torch.rand(len(branch), 1, 1, 1, dtype=branch.dtype, device=branch.device) >= self.drop
        return branch * kept / (1 - self.drop)


class PFF(nn.Module):
    """Parallel feature fusion: merges all inputs to M, and hands M with each C_i to the next layer."""

    def __init__(self, c, inputs, heads, window_size, mlp_ratio, drops):
        super().__init__()
        self.merge = nn.Conv2d(inputs * c, c, 1)
        self.blocks = nn.Sequential(*(FusionBlock(c, heads, window_size, window_size // 2 * (i % 2), mlp_ratio, drop)
                                      for i, drop in enumerate(drops)))
        self.dilated = nn.Conv2d(c, c, 3, padding=2, dilation=2)
        self.out = nn.ModuleList(nn.Conv2d(2 * c, c, 1) for _ in range(inputs))

    def forward(self, C):
        M = self.merge(torch.cat(C, dim=1)).permute(0, 2, 3, 1)                # (N, H, W, c)
        M = self.dilated(self.blocks(M).permute(0, 3, 1, 2))
        return [out(torch.cat([M, own], dim=1)) for out, own in zip(self.out, C, strict=True)], M


# ------------------------------------------------------------------------------------------------ the network

class Layer(nn.Module):
    def __init__(self, c, inputs, guidance, filtering, **fusion):
        super().__init__()
        self.mgdf = MGDF(c, inputs, guidance, filtering)
        self.pff = PFF(c, inputs, **fusion)

    def forward(self, features):
        C, found = self.mgdf(features)
        following, M = self.pff(C)
        found |= {f"F{i}": x for i, x in enumerate(features, 1)} | {f"C{i}": x for i, x in enumerate(C, 1)} | {"M": M}
        return following, found


class Network(nn.Module):
    """channels: of each input; main: the one whose features are added to the merged ones (the target, the middle exposure).

    The ablations of Table 5: guidance="self" (without MGCA: each input guides itself), filtering="static" (without dynamic
    filter: one kernel for all pixels of an image); the third is training without the masked MI loss.
    """

    def __init__(self, width=30, depths=(3, 3), heads=(3, 3), window_size=4, mlp_ratio=2, channels=(3, 3), main=0, output_channels=3,
                 guidance="mutual", filtering="dynamic"):
        super().__init__()
        check_options(width, depths, heads, channels, guidance, filtering)
        self.channels, self.main, self.window_size, inputs = tuple(channels), main, window_size, len(channels)
        shared = inputs == 3
        self.shallow = nn.ModuleList(nn.Conv2d(n, width, 3, padding=1) for n in (channels[:1] if shared else channels))
        drops = torch.linspace(0, 0.1, sum(depths)).split(tuple(depths))
        self.layers = nn.ModuleList(Layer(width, inputs, guidance, filtering, heads=h, window_size=window_size, mlp_ratio=mlp_ratio,
                                          drops=drop.tolist()) for h, drop in zip(heads, drops, strict=True))
        self.body = conv(inputs * width, width, slope=0.2)
        self.last = nn.Sequential(nn.Conv2d(width, output_channels, 3, padding=1), nn.Sigmoid())
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, *images, return_intermediates=False):
        """(target, guide), or with three inputs (under, middle, over).

        The intermediates are lists over the layers; 1, 2, 3 count the inputs in the order of `channels`, in which a target with
        main=1 (depth) comes second.
        """
        names = ("under", "middle", "over") if len(self.channels) == 3 else ("target", "guide")
        if len(images) != len(names):
            raise GirlibError(f"mgdn: {len(images)} images were given, but this network takes {len(names)}: {', '.join(names)}.")
        if len(names) == 2 and self.main == 1:
            names, images = names[::-1], images[::-1]
        check_images("mgdn", **{name: (image, n) for name, image, n in zip(names, images, self.channels, strict=True)})
        height, width = images[0].shape[2:]
        border = (0, -width % self.window_size, 0, -height % self.window_size)
        shallow = [self.shallow[i % len(self.shallow)](mirror_pad(image, border)) for i, image in enumerate(images)]
        features, found = shallow, []
        for layer in self.layers:
            features, inside = layer(features)
            found.append(inside)
        merged = self.body(torch.cat(features, dim=1)) + shallow[self.main]
        output = self.last(merged)[..., :height, :width]
        return (output, {name: [inside[name] for inside in found] for name in found[0]}) if return_intermediates else output

    def prepare(self, sample):
        if len(self.channels) == 3:
            under, over = sample.guide
            return tuple(with_linear(image, i, sample.meta) for i, image in enumerate((under, sample.target, over)))
        if self.main == 1:                                                     # depth
            lowest, span = value_range(sample)
            mean, std = (sample.guide.new_tensor(x).view(1, 3, 1, 1) for x in (GUIDE_MEAN, GUIDE_STD))
            return (sample.target - lowest) / span, (sample.guide - mean) / std
        return mirror_to_eights(sample.target), mirror_to_eights(sample.guide)

    def finish(self, output, sample):
        if len(self.channels) == 3:
            return output
        if self.main == 1:
            lowest, span = value_range(sample)
            return output.clamp(0, 1) * span + lowest
        return output[..., :sample.target.shape[2], :sample.target.shape[3]].clamp(0, 1)


def mirror_to_eights(image):
    """Mirrors at the bottom and the right, edge pixel included, up to the *next* multiple of eight: what has one gets eight more."""
    for dim in (2, 3):
        n = image.shape[dim]
        image = torch.cat([image, image.flip(dim).narrow(dim, 0, 8 - n % 8)], dim=dim)
    return image


def with_linear(image, i, meta):
    """Adds the exposure made linear (gamma 2.2) and divided by its time, which the released data bring along, where it is missing."""
    return image if image.shape[1] == 6 else torch.cat([image, image**2.2 / meta["exposure_times"][i]], dim=1)


def check_options(width, depths, heads, channels, guidance, filtering):
    if width < 12 or width % HEADS or any(width % h for h in heads):
        raise GirlibError(f"mgdn: width is {width} with heads {tuple(heads)}; give a multiple of {HEADS} above {HEADS} and divisors of it.")
    if len(depths) != len(heads) or not depths:
        raise GirlibError(f"mgdn: depths has {len(depths)} layers and heads {len(heads)}; give one number for each layer in both.")
    if len(channels) not in (2, 3):
        raise GirlibError(f"mgdn: channels names {len(channels)} inputs; it takes two or three.")
    if guidance not in ("mutual", "self") or filtering not in ("dynamic", "static"):
        raise GirlibError(f"mgdn: guidance is {guidance!r} and filtering {filtering!r}; "
                          "choose 'mutual' or 'self', and 'dynamic' or 'static'.")
