"""Slow and obvious forms of the metrics: numpy, float64, one window or one pixel at a time, written from the definitions."""

import math
from collections import Counter
from itertools import combinations

import numpy as np


def gaussian_window(n, sigma):
    w = np.array([[math.exp(-((i - (n - 1) / 2)**2 + (j - (n - 1) / 2)**2) / (2 * sigma**2)) for j in range(n)] for i in range(n)])
    return w / w.sum()


def patches(image, n, step=1):
    """Every window of n x n inside an image (H, W), row by row."""
    H, W = image.shape
    return [image[i:i + n, j:j + n] for i in range(0, H - n + 1, step) for j in range(0, W - n + 1, step)]


def weighted(w, x, y):
    """Means, variances and covariance under weights of sum 1."""
    a, b = (w * x).sum(), (w * y).sum()
    return a, b, (w * (x - a)**2).sum(), (w * (y - b)**2).sum(), (w * (x - a) * (y - b)).sum()


# ------------------------------------------------------------------------------------------------------------ windows

def ssim(x, y, L=1.0, w=None, factor=1.0, constants=None):
    """Mean over windows of one channel; w: the window, factor: on variances."""
    w = gaussian_window(11, 1.5) if w is None else w
    C1, C2 = ((0.01 * L)**2, (0.03 * L)**2) if constants is None else constants
    values = []
    for p, r in zip(patches(x, len(w)), patches(y, len(w)), strict=True):
        a, b, aa, bb, ab = weighted(w, p, r)
        values.append((2 * a * b + C1) * (2 * factor * ab + C2) / ((a * a + b * b + C1) * (factor * (aa + bb) + C2)))
    return np.array(values)


def q(x, y, n, step=1):
    values = []
    for p, r in zip(patches(x, n, step), patches(y, n, step), strict=True):
        C = np.cov(p.ravel(), r.ravel())
        a, b = p.mean(), r.mean()
        values.append(4 * C[0, 1] * a * b / ((C[0, 0] + C[1, 1]) * (a * a + b * b)))
    return float(np.mean(values))


def same(image, kernel, mode="constant"):
    """Correlation of the same size; mode as in np.pad."""
    kernel = np.array(kernel, float)
    n = len(kernel)
    padded = np.pad(image, n // 2, mode=mode)
    return np.array([(kernel * p).sum() for p in patches(padded, n)]).reshape(image.shape)


# ------------------------------------------------------------------------------------------------------------ spectra

def sam(x, y):
    """Angles in radians of all pixels that have two spectra."""
    angles = []
    for u, v in zip(x.reshape(len(x), -1).T, y.reshape(len(y), -1).T, strict=True):
        if u.any() and v.any():
            angles.append(math.acos(min(1.0, u @ v / math.sqrt((u @ u) * (v @ v)))))
    return angles


def scc(x, y, kind):
    if kind == "sobel":
        X, Y = [], []
        for images, out in ((x, X), (y, Y)):
            for band in images:
                inner = band[1:-1, 1:-1]
                dx, dy = same(inner, [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]), same(inner, [[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
                out += np.sqrt(dx**2 + dy**2).ravel().tolist()
        X, Y = np.array(X), np.array(Y)
        return X @ Y / math.sqrt((X @ X) * (Y @ Y))
    values = []
    for a, b in zip(x, y, strict=True):
        if kind != "none":
            a, b = (same(band, [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], "symmetric") for band in (a, b))
        if kind == "local laplace":
            a, b = (2 * np.pad(band, ((4, 3), (4, 3))) for band in (a, b))
            values.append(np.mean([np.corrcoef(p.ravel(), r.ravel())[0, 1] for p, r in zip(patches(a, 8), patches(b, 8), strict=True)]))
        else:
            values.append(np.corrcoef(a.ravel(), b.ravel())[0, 1])
    return float(np.mean(values))


def conjugate(u):
    return [u[0], *(-v for v in u[1:])]


def product(u, v):
    """Of two hypercomplex numbers, given as lists."""
    if len(u) == 1:
        return [u[0] * v[0]]
    n = len(u) // 2
    a, b, c, d = u[:n], conjugate(u[n:]), v[:n], conjugate(v[n:])
    if n == 1:
        return [a[0] * c[0] - d[0] * b[0], a[0] * d[0] + c[0] * b[0]]
    first = [s - t for s, t in zip(product(a, c), product(d, conjugate(b)), strict=True)]
    return first + [s + t for s, t in zip(product(conjugate(a), d), product(c, b), strict=True)]


def q2n(reference, fused, block, ddof=1):
    bands = 1
    while bands < max(2, len(reference)):
        bands *= 2
    padded = [[*images, *np.zeros((bands - len(images), *images.shape[1:]))] for images in (reference, fused)]
    H, W = reference.shape[1:]
    padded = [[np.pad(band, ((0, -H % block), (0, -W % block)), mode="symmetric") for band in images] for images in padded]
    values = []
    for place in range(len(patches(padded[0][0], block, block))):
        A, B = [], []
        for x, y in zip(*padded, strict=True):
            x, y = patches(x, block, block)[place].ravel(), patches(y, block, block)[place].ravel()
            m, s = x.mean(), x.std(ddof=ddof) or 2.0**-52
            A.append((x - m) / s + 1), B.append((y - m) / s + 1 if m else y + 1)
        A, B = np.array(A).T, np.array(B).T                                        # (M, bands)
        B[:, 1:] *= -1
        M, a, b = block**2, A.mean(axis=0), B.mean(axis=0)
        k = M / (M - 1)
        products = np.mean([product(list(u), list(v)) for u, v in zip(A, B, strict=True)], axis=0)
        cross = k * (products - np.array(product(list(a), list(b))))
        spread = k * ((A**2).sum(axis=1).mean() + (B**2).sum(axis=1).mean()) - k * (a @ a + b @ b)
        values.append(np.linalg.norm(cross) * 2 / spread * 2 * math.sqrt((a @ a) * (b @ b)) / (a @ a + b @ b))
    return float(np.mean(values))


def d_lambda(fused, other, n, m):
    """Blocks of n for the fused image and of m for the other."""
    return float(np.mean([abs(q(fused[i], fused[j], n, n) - q(other[i], other[j], m, m)) for i, j in combinations(range(len(fused)), 2)]))


# ------------------------------------------------------------------------------------------------------------- fusion

def entropy(*images):
    """Of one image, or joint."""
    counts = Counter(zip(*(x.ravel().tolist() for x in images), strict=True))
    return -sum(c / images[0].size * math.log2(c / images[0].size) for c in counts.values())


def information(x, y):
    return entropy(x) + entropy(y) - entropy(x, y)


def binned(x, bins):
    edges = np.linspace(x.min(), x.max(), bins + 1)
    return np.clip(np.searchsorted(edges, x, side="right") - 1, 0, bins - 1)


def ce(fused, sources):
    total = 0
    for source in sources:
        p, r = Counter(source.ravel().tolist()), Counter(fused.ravel().tolist())
        total += sum(p[k] / source.size * math.log2(p[k] / r[k]) for k in p if k in r)
    return total / len(sources)


def edges(x, nothing=0):
    """Strength and orientation, pixel by pixel; `nothing` stands for a zero."""
    dx, dy = same(x, [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]), same(x, [[1, 2, 1], [0, 0, 0], [-1, -2, -1]])
    return [(math.hypot(a, b) or nothing, math.atan(b / (a or nothing)) if a or nothing else math.pi / 2)
            for a, b in zip(dx.ravel(), dy.ravel(), strict=True)]


def q_abf(F, A, B):
    above, below = 0, 0
    for source in (A, B):
        for (g, a), (g_f, a_f) in zip(edges(source), edges(F), strict=True):
            G = g if g == g_f else min(g, g_f) / max(g, g_f)
            alike = 1 - abs(a - a_f) / (math.pi / 2)
            above += g * 0.9994 / (1 + math.exp(-15 * (G - 0.5))) * 0.9879 / (1 + math.exp(-22 * (alike - 0.8)))
            below += g
    return above / below


def q_g(F, A, B):
    """The variant of Liu et al."""
    values = []
    for (g_a, a_a), (g_b, a_b), (g_f, a_f) in zip(*(edges(x, 1e-5) for x in (A, B, F)), strict=True):
        above = 0
        for g, a in ((g_a, a_a), (g_b, a_b)):
            alike = abs(abs(a - a_f) - math.pi / 2) * 2 / math.pi
            above += g / (1 + math.exp(-10 * (min(g, g_f) / max(g, g_f) - 0.5))) / (1 + math.exp(-20 * (alike - 0.75)))
        values.append(above / (g_a + g_b))
    return float(np.mean(values))


def piella(F, A, B, style):
    w = gaussian_window(11, 1.5)
    AF, BF = ssim(A, F, 255.0), ssim(B, F, 255.0)
    a, b = (np.array([weighted(w, p, p)[2] for p in patches(x, 11)]) for x in (A, B))
    Q = a / (a + b) * AF + b / (a + b) * BF
    return Q.mean() if style == "S" else (Q * np.maximum(a, b)).sum() / np.maximum(a, b).sum()


def yang(F, A, B):
    w, none = gaussian_window(7, 1.5), (2e-16, 2e-16)
    AB, AF, BF = (ssim(x, y, w=w, constants=none) for x, y in ((A, B), (A, F), (B, F)))
    a, b = (np.array([weighted(w, p, p)[2] for p in patches(x, 7)]) for x in (A, B))
    return float(np.mean([s / (s + t) * x + t / (s + t) * y if ab >= 0.75 else max(x, y)
                          for ab, x, y, s, t in zip(AB, AF, BF, a, b, strict=True)]))


def stretched(x):
    return np.floor((x / 255 - x.min() / 255) / (x.max() / 255 - x.min() / 255) * 255 + 0.5)


def q_cb(F, A, B):
    def contrast(x):
        H, W = x.shape
        line = lambda n: np.array([2 * k / n for k in range(-(n // 2), (n + 1) // 2)]) * n / 30
        r = np.sqrt(line(H)[:, None]**2 + line(W)**2)
        S = np.exp(-(r / 15.3870)**2) - 0.7622 * np.exp(-(r / 1.3456)**2)
        seen = np.fft.ifft2(np.fft.ifftshift(np.fft.fftshift(np.fft.fft2(stretched(x))) * S)).real
        t = np.arange(-15, 16)
        fine, coarse = (same(seen, np.exp(-(t[:, None]**2 + t**2) / (2 * s * s)) / (2 * math.pi * s * s)) for s in (2, 4))
        c = abs(fine / coarse - 1)
        return c**3 / (c**2 + 0.0001)
    f, a, b = contrast(F), contrast(A), contrast(B)
    kept = lambda s: np.where(s < f, s / f, f / s)
    return float(((a**2 * kept(a) + b**2 * kept(b)) / (a**2 + b**2)).mean())


def visual(x, y, noise):
    """For each scale, for each window: gain, information that arrives, information there is."""
    scales = []
    for N in (17, 9, 5, 3):
        w = gaussian_window(N, N / 5)
        if scales:
            size = [n - N + 1 for n in x.shape]
            x, y = (np.array([(w * p).sum() for p in patches(image, N)]).reshape(size)[::2, ::2] for image in (x, y))
        windows = []
        for p, r in zip(patches(x, N), patches(y, N), strict=True):
            _, _, xx, yy, xy = weighted(w, p, r)
            gain = xy / (xx + 1e-10)
            rest = max(yy - gain * xy, 1e-10) if gain >= 0 else yy
            gain = max(gain, 0)
            windows.append((gain, math.log10(1 + gain**2 * xx / (rest + noise)), math.log10(1 + xx / noise)))
        scales.append(windows)
    return scales


def vifp(y, x):
    windows = [w for scale in visual(x, y, 2) for w in scale]
    return sum(w[1] for w in windows) / sum(w[2] for w in windows)


def viff(F, A, B):
    total, noise = 0, 0.005 * 255**2
    for weight, a, b in zip((1, 0, 0.15, 1), visual(A, F, noise), visual(B, F, noise), strict=True):
        less = [u if u[0] < v[0] else v for u, v in zip(a, b, strict=True)]
        total += weight / 2.15 * sum(w[1] + 1e-7 for w in less) / sum(w[2] + 1e-7 for w in less)
    return total


def mef_ssim(F, A, B, scales):
    weights = np.array([0.0448, 0.2856, 0.3001][:scales] if scales > 1 else [1.0])
    value, images = 1, [A, B, F]
    for level, weight in enumerate(weights / weights.sum()):
        if level:                                                                  # of an odd number of rows the last stands twice
            images = [np.pad(x, ((0, x.shape[0] % 2), (0, x.shape[1] % 2)), mode="edge") for x in images]
            images = [(x[0::2, 0::2] + x[1::2, 0::2] + x[0::2, 1::2] + x[1::2, 1::2]) / 4 for x in images]
        value *= _mef_level(images[2], images[:2])**weight
    return value


def _mef_level(F, sources):
    w, C, eps, values = gaussian_window(11, 1.5), (0.03 * 255)**2, 2.0**-52, []
    for f, *xs in zip(patches(F, 11), *(patches(s, 11) for s in sources), strict=True):
        plain = [x - x.mean() for x in xs]
        norms = [np.linalg.norm(x) for x in plain]
        strength = [norm + 0.001 for norm in norms]
        R = min((np.linalg.norm(sum(plain)) + eps) / (sum(norms) + eps), 1 - eps)
        p = min(math.tan(math.pi / 2 * R), 10)
        share = np.array([(s / 11)**p + eps for s in strength])
        r = sum(k * x / s for k, x, s in zip(share / share.sum(), plain, strength, strict=True))
        r = r / np.linalg.norm(r) * max(strength)
        _, _, rr, ff, rf = weighted(w, r, f)
        values.append((2 * rf + C) / (rr + ff + C))
    return float(np.mean(values))


# ------------------------------------------------------------------------------------------------------------- colours

def lab(rgb):
    """CIELAB of one sRGB colour, D65, 2 degrees."""
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055)**2.4 for v in rgb)
    X = (0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.95047
    Y = 0.212671 * r + 0.715160 * g + 0.072169 * b
    Z = (0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.08883
    x, y, z = (v**(1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (X, Y, Z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def cie94(reference, other):
    (L1, a1, b1), (L2, a2, b2) = reference, other
    C1, C2 = math.hypot(a1, b1), math.hypot(a2, b2)
    dH2 = (a1 - a2)**2 + (b1 - b2)**2 - (C1 - C2)**2
    return math.sqrt((L1 - L2)**2 + ((C1 - C2) / (1 + 0.045 * C1))**2 + dH2 / (1 + 0.015 * C1)**2)


def ciede2000(reference, other):
    """Sharma, Wu and Dalal, 2005."""
    (L1, a1, b1), (L2, a2, b2) = reference, other
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    G = (1 - math.sqrt(mean**7 / (mean**7 + 25**7))) / 2
    (C1, h1), (C2, h2) = ((math.hypot((1 + G) * a, b), math.degrees(math.atan2(b, (1 + G) * a)) % 360) for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180
    dH = 2 * math.sqrt(C1 * C2) * math.sin(math.radians(turn / 2))
    H, L, c = (h1 + turn / 2) % 360, (L1 + L2) / 2, (C1 + C2) / 2
    cos = lambda degrees: math.cos(math.radians(degrees))
    T = 1 - 0.17 * cos(H - 30) + 0.24 * cos(2 * H) + 0.32 * cos(3 * H + 6) - 0.20 * cos(4 * H - 63)
    S_L, S_C, S_H = 1 + 0.015 * (L - 50)**2 / math.sqrt(20 + (L - 50)**2), 1 + 0.045 * c, 1 + 0.015 * c * T
    R = -math.sin(math.radians(60 * math.exp(-((H - 275) / 25)**2))) * 2 * math.sqrt(c**7 / (c**7 + 25**7))
    l, k, m = (L2 - L1) / S_L, (C2 - C1) / S_C, dH / S_H
    return math.sqrt(l * l + k * k + m * m + R * k * m)


# -------------------------------------------------------------------------------------------------------------- masks

def f_measure(marked, mask, beta2=0.3):
    hit = sum(1 for a, b in zip(marked.ravel(), mask.ravel(), strict=True) if a and b)
    if not hit:
        return 0
    P, R = hit / marked.sum(), hit / mask.sum()
    return (1 + beta2) * P * R / (beta2 * P + R)


def miou(called, was, classes, ignore):
    values = []
    for c in range(classes):
        a, b = (called == c) & (was != ignore), was == c
        if (a | b).any():
            values.append((a & b).sum() / (a | b).sum())
    return float(np.mean(values))
