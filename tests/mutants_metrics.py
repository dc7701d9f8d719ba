"""Breaks every metric on purpose, one place at a time, and demands that tests/metrics/test_definitions.py notices.

    python tests/mutants_metrics.py [NAME ...]        of some metrics only
"""

import sys

from mutants_code import ROOT, run

TESTS = ["tests/metrics/test_definitions.py", "--deselect=tests/metrics/test_definitions.py::"
         "test_ssim_shrinks_large_images_by_the_mean_around_every_third_pixel"]       # slow, and about one option

EDITS = [  # metric, file, text that stands there once, what replaces it
    ("rmse", "pixel", "factor * math.sqrt(_mse", "math.sqrt(factor * _mse"),
    ("psnr", "pixel", "L**2 / mse", "L / mse"),
    ("psnr", "pixel", "0.256789, 0.504129", "0.504129, 0.256789"),
    ("psnr", "pixel", "(x / L).clamp(0, 1)", "x / L"),
    ("ssim", "pixel", "(0.03 * L)**2", "(0.02 * L)**2"),
    ("ssim", "pixel", "size**2 / (size**2 - 1)", "size / (size - 1)"),
    ("sam", "spectral", "(product / lengths).clamp(-1, 1)", "(product / lengths).clamp(0, 1)"),
    ("sam", "spectral", "angles = angles[lengths > 0]", "angles = angles.nan_to_num(0)"),
    ("ergas", "spectral", "reference.mean(dim=(1, 2))**2", "restored.mean(dim=(1, 2))**2"),
    ("scc", "spectral", "image[:, 1:-1, 1:-1]", "image"),
    ("scc", "spectral", 'correlate(image, laplace, "symmetric")', 'correlate(image, laplace, "reflect")'),
    ("scc", "spectral", "F.pad(image, (4, 3, 4, 3))", "F.pad(image, (3, 4, 3, 4))"),
    ("q", "spectral", "bright = 2 * m_x * m_y / means", "bright = m_x * m_y / means"),
    ("q", "spectral", "torch.where(no_contrast, 1, alike)", "alike"),
    ("q2n", "spectral", "b, d = _conjugate(b), _conjugate(d)", "d = _conjugate(d)"),
    ("q2n", "spectral", "torch.minimum(i, 2 * n - 1 - i)", "i.clamp(max=n - 1)"),
    ("q2n", "spectral", "correction=1 if deviation", "correction=0 if deviation"),
    ("q2n", "spectral", "torch.where(mean == 0, y - mean + 1, (y - mean) / spread + 1)", "(y - mean) / spread + 1"),
    ("d_lambda", "spectral", "(_enlarged(low, ratio), 32) if style", "(low, 32 // ratio) if style"),
    ("d_s", "spectral", '"bicubic-matlab"', '"bicubic"'),
    ("qnr", "spectral", "(1 - d_lambda.definition(restored, low, style)) *", "d_lambda.definition(restored, low, style) *"),
    ("en", "information", "-(p * p.log2()).sum()", "-(p * p.log()).sum()"),
    ("ce", "information", "(p[both] / q[both]).log2()", "(q[both] / p[both]).log2()"),
    ("mi", "information", "_entropy(_histogram(y)) - _entropy(joint)", "_entropy(_histogram(y)) + _entropy(joint)"),
    ("mi", "information", ".clamp(max=bins - 1)", ".clamp(max=bins)"),
    ("q_mi", "information", "(H(source) + H(F))", "(H(source) * H(F))"),
    ("q_mi", "information", "* 255 + 0.5).floor()", "* 255).floor()"),
    ("psnr_fusion", "fusion", "[math.sqrt(x) for x in squares]", "list(squares)"),
    ("ssim_src", "fusion", "ssim_map(guide, restored, L).mean()) / 2", "ssim_map(target, restored, L).mean()) / 2"),
    ("q_s", "fusion", "(1 - _between(a, b)) * ssim_map(guide", "_between(b, a) * ssim_map(target"),
    ("q_s", "fusion", "torch.maximum(a, b)\n", "a + b\n"),
    ("q_y", "fusion", "AB >= 0.75", "AB >= 0.25"),
    ("q_abf", "fusion", "torch.where(g == g_F, g, G)", "G"),
    ("q_abf", "fusion", "(1 - turn - 0.8)", "(turn - 0.8)"),
    ("q_abf", "fusion", "(turn - 1).abs()", "(1 - turn)"),
    ("q_cb", "fusion", "n * n / 30", "n / 30"),
    ("q_cb", "fusion", "(contrast**2 + 1e-4)", "(contrast**2 + 1e-3)"),
    ("vif", "fusion", "A[0] < B[0]", "A[0] > B[0]"),
    ("vif", "fusion", "0.005 * 255**2", "2"),
    ("vifp", "fusion", "flat_x | flat_y, 0).clamp(min=0)", "flat_x | flat_y, 0)"),
    ("vifp", "fusion", "[..., ::2, ::2]", "[..., 1::2, 1::2]"),
    ("mef_ssim", "fusion", ".clamp(max=10)", ".clamp(max=5)"),
    ("mef_ssim", "fusion", "strength.amax(dim=0)", "strength.amin(dim=0)"),
    ("delta_e", "perceptual", "for x in (reference, restored)]", "for x in (restored, reference)]"),
    ("lpips", "perceptual", "2 * x / data_range - 1", "x / data_range"),
    ("f_measure", "masks", "min(2 * saliency.mean(), 1)", "2 * saliency.mean()"),
    ("f_measure", "masks", "beta2 * mask.sum()", "beta2 ** 2 * mask.sum()"),
    ("miou", "masks", "[union > 0].mean()", ".nan_to_num(0).mean()"),
    ("miou", "masks", "classes * was + called", "classes * called + called"),
]


def main():
    only, missed = set(sys.argv[1:]), 0
    edits = [edit for edit in EDITS if not only or edit[0] in only]
    for name, file, old, new in edits:
        path = f"girlib/metrics/{file}.py"
        text = (ROOT / path).read_text()
        if text.count(old) != 1:
            outcome = None
            print(f"the text of {name}, {old!r}, stands {text.count(old)} times in {path}")
        else:
            outcome, _ = run(path, text.replace(old, new), TESTS, limit=200)
        missed += outcome is None
        print(f"{'ok' if outcome else 'NOT':<4}{name:<12} {old}  ->  {new}", flush=True)
    print(f"{len(edits) - missed} of {len(edits)} noticed")
    return missed > 0


if __name__ == "__main__":
    sys.exit(main())
