"""Wrong edits of the chapter "Building GDD": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "24_building_gdd.ipynb"

EDITS = [
    ("normalisation over channels instead of pixels",
     "mean = x.mean(dim=(2, 3), keepdim=True)                 #", "mean = x.mean(dim=1, keepdim=True)                      #"),
    ("normalisation with the sample variance", "variance = x.var(dim=(2, 3), unbiased=False", "variance = x.var(dim=(2, 3), unbiased=True"),
    ("zeros beyond the border", 'x = F.pad(x, (margin,) * 4, mode="reflect")', "x = F.pad(x, (margin,) * 4)"),
    ("another slope of the leaky rectifier", "F.leaky_relu(x, 0.2)", "F.leaky_relu(x, 0.01)"),
    ("corners aligned in the enlargement", "align_corners=False", "align_corners=True"),
    ("gate before the normalisation instead of after",
     "return normalise(enlarge(y, size)) * gate(Gamma, inside(w, \"gate.\"))", 'return normalise(enlarge(y, size) * gate(Gamma, inside(w, "gate.")))'),
    ("gate adds in URU", "return normalise(enlarge(y, size)) * gate(", "return normalise(enlarge(y, size)) + gate("),
    ("gate added to its own features",
     "return torch.sigmoid(leaky(conv(features, inside(w, \"conv.\"))))", 'return features + torch.sigmoid(leaky(conv(features, inside(w, "conv."))))'),
    ("gate without its rectifier", "torch.sigmoid(leaky(conv(features,", "torch.sigmoid((conv(features,"),
    ("softmax over channels in the gate",
     "return torch.sigmoid(leaky(conv(features, inside(w, \"conv.\"))))", 'return torch.softmax(leaky(conv(features, inside(w, "conv."))), dim=1)'),
    ("URU weighed by the way up", "u.append(uru(y[-1], Gamma[k], s[k]", "u.append(uru(y[-1], Xi[k], s[k]"),
    ("FRU weighed by the way down", 'w("refine")), Xi[k], w("FRU"))', 'w("refine")), Gamma[k], w("FRU"))'),
    ("no refining convolution", 'y.append(fru(refine(u[-1], w("refine")), Xi[k]', "y.append(fru(u[-1], Xi[k]"),
    ("one URU for all scales", 's[k], w("URU", k))', 's[k], w("URU", 1))'),
    ("decoder blocks in the other order", 'w("decode", k - 1)))', 'w("decode", 6 - k)))'),
    ("skip and coarser features exchanged",
     "both = cat(block(Gamma[k - 1], w(\"lateral\")), Xi[-1])", 'both = cat(Xi[-1], block(Gamma[k - 1], w("lateral")))'),
    ("skip from the next scale", 'block(Gamma[k - 1], w("lateral"))', 'enlarge(block(Gamma[k - 2], w("lateral")), s[k - 1])'),
    ("both encoder layers by the first one's parameters", 'block(half, w("encode"), layers="34")', 'block(half, w("encode"))'),
    ("sizes rounded down", "tuple(-(-length // 2 ** (5 - k))", "tuple((length // 2 ** (5 - k))"),
    ("sigmoid at the output", "embed, refine, output = block, block, conv", "embed, refine, output = block, block, lambda y, w: conv(y, w).sigmoid()"),
    ("D transposed", 'torch.einsum("nbhw,bc->nchw", X, D) - G', 'torch.einsum("nbhw,cb->nchw", X, D) - G'),
    ("l1 norm in the released loss", "apart.diff(dim=2).square().sum()", "apart.diff(dim=2).abs().sum()"),
    ("mu on the wrong term", "return mu * mean_square(XS - Y) + slopes / apart.numel()", "return mean_square(XS - Y) + mu * slopes / apart.numel()"),
    ("mu on the wrong term of Eq. (6)", "return mu * mean_square(F.avg_pool2d(X, 32) - Y) + mean_square(RX - G)",
     "return mean_square(F.avg_pool2d(X, 32) - Y) + mu * mean_square(RX - G)"),
    ("noise without jitter", "jittered = Z + 0.01 * torch.randn_like(Z)", "jittered = Z + 0 * torch.randn_like(Z)"),
    ("gradients add up", "        adam.zero_grad()\n", ""),
    ("guide exchanged for noise in the comparison", '"DIP(Z)": "dip_noise", "DIP(G)": "dip_guide"', '"DIP(Z)": "dip_guide", "DIP(G)": "dip_noise"'),
]  # fmt: skip
