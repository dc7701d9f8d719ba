"""Wrong edits of the chapter "What is guided image restoration": each must make one of its own assertions fail.

(name, old text, new text); every old text stands exactly once in the chapter's code cells.
"""

NOTEBOOK = "01_guided_restoration.ipynb"

EDITS = [
    ("guide and target of the flash pair swapped", '"flash": (dark, flash, color)', '"flash": (flash, dark, color)'),
    ("sensor noise in centimetres instead of metres", "error = 0.02 * torch.randn", "error = 2 * torch.randn"),
    ("one error in metres, the other in centimetres", ", 100 * rmse(restored, depth)", ", rmse(restored, depth)"),
    ("eps for a guide in 0 to 255", "filter(target, guide, radius=4, eps=1e-4)", "filter(target, guide, radius=4, eps=1e-4 * 255**2)"),
    ("guide mirrored along the channels", "color.flip(-1)", "color.flip(1)"),
    ("covariance without its means", "mean(x.double() * y) - mean(x) * mean(y)", "mean(x.double() * y)"),
    ("standard deviation compared with a variance", "depth_changes = (var_depth > 0.05**2)[0]", "depth_changes = (var_depth > 0.05)[0]"),
    ("places with and without depth changes exchanged", "in (depth_changes, ~depth_changes))", "in (~depth_changes, depth_changes))"),
    ("panchromatic image of the infrared bands", "pan = bands[:, :6]", "pan = bands[:, 6:]"),
    ("electrons taken for fractions of white", "dark = (counts / white)", "dark = (counts / 1000)"),
    ("near and far picture blurred in the same place", "(1 - front) * color + front * blurred(color)", "near"),
    ("gap closed with the wrong sign", "closed[name] = (given - got)", "closed[name] = (got - given)"),
    ("intercept subtracted", "* guide.unsqueeze(1)).sum(2) + B, A, B", "* guide.unsqueeze(1)).sum(2) - B, A, B"),
    ("wrong scale of the spectral sensor", "_where_coarse(low_bands, pan, 4)", "_where_coarse(low_bands[..., ::2, ::2], pan, 8)"),
    ("error against the wrong reference", "printed = fit(result - depth, grey)", "printed = fit(result - target, grey)"),
    ("guide not moved at all", "color.roll(pixels, dims=-1)", "color.roll(0 * pixels, dims=-1)"),
    ("blurred picture taken for the sharp one", "activity(far) > activity(near)", "activity(far) < activity(near)"),
    ("negative of the target instead of the guide", "filtered(spectral, 1 - pan)", "filtered(1 - spectral, pan)"),
]
