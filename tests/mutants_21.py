"""Wrong edits of the chapter "Building SFIGF": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "21_building_sfigf.ipynb"

EDITS = [
    ("layer norm over the image instead of the channels",
     "mean = x.mean(dim=1, keepdim=True)                      #", "mean = x.mean(dim=(2, 3), keepdim=True)                 #"),
    ("layer norm with the sample variance", "variance = x.var(dim=1, unbiased=False", "variance = x.var(dim=1, unbiased=True"),
    ("epsilon of the other layer norm", 'layer_norm(x, w, "norm1", 1e-6)', 'layer_norm(x, w, "norm1", 1e-5)'),
    ("gate adds", "return first * second ", "return first + second "),
    ("gate before the depthwise convolution instead of after",
     'u = simple_gate(conv(u, w, "conv2", "constant"))', 'u = conv(cat(simple_gate(u), simple_gate(u)), w, "conv2", "constant").chunk(2, 1)[0]'),
    ("sigmoid in the channel attention", "return x * conv(means, w, name)", "return x * conv(means, w, name).sigmoid()"),
    ("residual of the NAF block from its middle", 'y = x + w["beta"]', 'y = u + w["beta"]'),
    ("beta and gamma exchanged", 'y = x + w["beta"]', 'y = x + w["gamma"]'),
    ("mirrored border where the block has zeros", 'conv(u, w, "conv2", "constant")', 'conv(u, w, "conv2")'),
    ("skip of p taken from the joint features", 'w("NAF p", t)) + p)', 'w("NAF p", t)) + ip)'),
    ("average pooling in the released form", "levels=4, pool=F.max_pool2d)", "levels=4, pool=F.avg_pool2d)"),
    ("query and key swapped",
     'answer = attend(conv(extended(x), w, "q"), key, value, w, heads=8)', 'answer = attend(key, conv(extended(x), w, "q"), value, w, heads=8)'),
    ("key and value swapped", 'key, value = conv(extended(y), w, "kv")', 'value, key = conv(extended(y), w, "kv")'),
    ("scaled twice", 'query, key, value, 7, dilation=3', 'query / query.shape[-1]**0.5, key, value, 7, dilation=3'),
    ("no position bias", 'dilation=3, bias=w["bias"])', "dilation=3)"),
    ("softmax over other neighbours: dilation 1", "7, dilation=3", "7, dilation=1"),
    ("heads dealt out the other way", "x.unflatten(1, (heads, -1)).permute(0, 1, 3, 4, 2)", "x.unflatten(1, (-1, heads)).permute(0, 2, 3, 4, 1)"),
    ("four heads in cross-attention", 'key, value, w, heads=8)', 'key, value, w | {"bias": w["bias"][:4]}, heads=4)'),
    ("guide asks the target", 'return cross_attention(p, i, inside(w, "cross_attention."))', 'return cross_attention(i, p, inside(w, "cross_attention."))'),
    ("printed rest without p", 'inside(w, "self_attention.")) + p ', 'inside(w, "self_attention.")) '),
    ("rest from the guide", 'b = mlp(x + sa, w, "norm_u", "mlp_b") + p ', 'b = mlp(x + sa, w, "norm_u", "mlp_b") + i '),
    ("usual skip around the MLP", '"mlp_ca") + b}', '"mlp_ca") + ca + b}'),
    ("attention without its own skip", 'mlp(x + sa, w', 'mlp(sa, w'),
    ("features joined in the printed order", 'x = F.gelu(chain(cat(i, p), inside(w, "join.")', 'x = F.gelu(chain(cat(p, i), inside(w, "join.")'),
    ("softmax over channels instead of a factor for each",
     "torch.sigmoid(over_channels + over_pixels)", "torch.softmax(over_channels + over_pixels, dim=1)"),
    ("two sigmoids in CPA", "torch.sigmoid(over_channels + over_pixels)", "torch.sigmoid(over_channels) * torch.sigmoid(over_pixels)"),
    ("coarsest scale joined in another order", "coarser = cat(p[3], i[3])", "coarser = cat(i[3], p[3])"),
    ("missing row repeated instead of mirrored", 'size[0] - x.shape[2]), mode="reflect")', 'size[0] - x.shape[2]), mode="replicate")'),
    ("F_B without the slope's place", "B = chain(cat(A, *images), F_B", "B = chain(cat(*images, A), F_B"),
    ("slope on the target instead of the guide", "    return A * I + B                                        #", "    return A * images[0] + B                                #"),
    ("features and images in one role", '((b, "", (i, p)), (a, "2", (p, i)))', '((b, "", (p, i)), (a, "2", (i, p)))'),
    ("no attention before the output", 'attended = cpa(cat(Q_Im, q_Fe), w("CPA"))', "attended = cat(Q_Im, q_Fe)"),
]  # fmt: skip
