"""Wrong edits of the chapter "Texture removal": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "43_texture.ipynb"

EDITS = [
    ("the wave's amplitude taken for its variance",
     "expected = 0.3**2 / 2 / (0.3**2 / 2 + 0.02)", "expected = 0.3 / (0.3 + 0.02)"),
    ("height of the step without the step",
     "mean(120, 126) - mean(114, 120)", "mean(100, 120) - mean(94, 114)"),
    ("every pass of rolling guidance starts from its own result",
     "guide = joint_bilateral_filter(image, guide, radius,", "image = guide = joint_bilateral_filter(image, guide, radius,"),
    ("rolling guidance that is guided by the photograph at once",
     "guide, radius = torch.zeros_like(image), int(2 * sigma_space)", "guide, radius = image, int(2 * sigma_space)"),
    ("absolute values on both sides of the ratio",
     "signed = sum(gaussian_blur(d, sigma).abs() for", "signed = sum(gaussian_blur(d.abs(), sigma) for"),
    ("system without the pixel itself",
     "system = diags(1 - links.sum(axis=1).A1) + links", "system = diags(2 - links.sum(axis=1).A1) + links"),
    ("gradients kept where they are small",
     ".sum(dim=1, keepdim=True) >= lam / beta", ".sum(dim=1, keepdim=True) < lam / beta"),
    ("gradients of L0 put back with the wrong sign",
     "back = sum((d * keep).roll(1, dim) - d * keep for", "back = sum(d * keep - (d * keep).roll(1, dim) for"),
    ("result is the target of the next pass, but not its guide",
     "by_hand = guided_filter(by_hand, by_hand, 4, 0.01)", "by_hand = guided_filter(by_hand, view.guide, 4, 0.01)"),
    ("doing nothing scored against itself",
     "nothing = psnr(view.target.clamp(0, 1), view.reference,", "nothing = psnr(view.target.clamp(0, 1), 0.99 * view.target,"),
    ("surfaces and edges exchanged",
     "rms(restored, sample, surfaces) / rms(sample.target, sample, surfaces)",
     "rms(restored, sample, surfaces) / rms(sample.target, sample, ~surfaces)"),
    ("error near edges measured on surfaces",
     "return rms(restored, sample, structure(sample))\n", "return rms(restored, sample, ~structure(sample))\n"),
    ("linear light of what is linear already",
     '"in linear light": mean_psnr(linear)', '"in linear light": mean_psnr()'),
    ("amplitude of equal survival without its root",
     "A = h / 2**0.5", "A = h / 2"),
    ("thin line twenty pixels wide",
     "(x < 62)", "(x < 80)"),
    ("strong and weak wave exchanged",
     "for a in (0.3, 0.03))", "for a in (0.03, 0.3))"),
]  # fmt: skip
