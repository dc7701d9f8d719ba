"""Slow and obvious forms of what the package computes: float64, loops, one textbook definition each.

Written from the papers without a look at the package, so that no mistake is made twice.
"""

import numpy as np


def windows(height, width, radius):
    """Each pixel (y, x) with the slices of the square around it, cut off at the border."""
    for y in range(height):
        for x in range(width):
            yield y, x, (slice(max(y - radius, 0), y + radius + 1), slice(max(x - radius, 0), x + radius + 1))


def box_mean(image, radius):
    """Mean over each window of an image (C, H, W)."""
    image = np.asarray(image, np.float64)
    result = np.empty_like(image)
    for y, x, window in windows(*image.shape[1:], radius):
        result[:, y, x] = image[(slice(None), *window)].mean(axis=(1, 2))
    return result


def guided_coefficients(target, guide, radius, eps, weight=None):
    """A (C, G, H, W) and B (C, H, W) of He, Sun and Tang, 2013, by one least-squares solution in each window.

    Minimises sum_i w_i [(a . I_i + b - P_i)^2 + eps |a|^2] over the window's pixels of positive weight: a row
    sqrt(w_i) [I_i, 1] for each pixel and a row sqrt(eps sum_i w_i) e_g for each guide channel. Each pixel then takes the
    mean of a and b over the windows that hold it and that could be solved.
    """
    target, guide = np.asarray(target, np.float64), np.asarray(guide, np.float64)
    (C, H, W), G = target.shape, len(guide)
    weight = np.ones((H, W)) if weight is None else np.asarray(weight, np.float64)
    A, B, solved = np.zeros((C, G, H, W)), np.zeros((C, H, W)), np.zeros((H, W))
    for _, _, window in windows(H, W, radius):
        w = weight[window].ravel()
        valid = w > 0
        if not valid.any():
            continue
        I = guide[(slice(None), *window)].reshape(G, -1)[:, valid].T                          # (pixels, G)
        P = target[(slice(None), *window)].reshape(C, -1)[:, valid].T                         # (pixels, C)
        w = w[valid, None]
        rows = np.block([[np.sqrt(w) * I, np.sqrt(w)], [np.sqrt(eps * w.sum()) * np.eye(G), np.zeros((G, 1))]])
        a_b = np.linalg.lstsq(rows, np.concatenate([np.sqrt(w) * P, np.zeros((G, C))]), rcond=None)[0]
        A[(..., *window)] += a_b[:G].T[:, :, None, None]
        B[(slice(None), *window)] += a_b[G][:, None, None]
        solved[window] += 1
    solved[solved == 0] = np.nan
    return A / solved, B / solved


def guided_filter(target, guide, radius, eps, weight=None):
    A, B = guided_coefficients(target, guide, radius, eps, weight)
    return np.einsum("cghw,ghw->chw", A, np.asarray(guide, np.float64)) + B


def joint_bilateral_filter(target, guide, radius, sigma_space, sigma_range):
    """Each pixel the mean of its window, weighted by nearness and by likeness in the guide."""
    target, guide = np.asarray(target, np.float64), np.asarray(guide, np.float64)
    result, (H, W) = np.empty_like(target), target.shape[1:]
    for y in range(H):
        for x in range(W):
            total, weights = 0, 0
            for v in range(max(y - radius, 0), min(y + radius, H - 1) + 1):
                for u in range(max(x - radius, 0), min(x + radius, W - 1) + 1):
                    near = np.exp(-((v - y) ** 2 + (u - x) ** 2) / (2 * sigma_space**2))
                    alike = np.exp(-((guide[:, v, u] - guide[:, y, x]) ** 2).sum() / (2 * sigma_range**2))
                    total, weights = total + near * alike * target[:, v, u], weights + near * alike
            result[:, y, x] = total / weights
    return result


def joint_bilateral_upsample(low, guide, radius, sigma_space, sigma_range):
    """Kopf et al., 2007, Eq. (3): distances in low pixels, the guide read bilinearly where a low pixel's centre lies."""
    low, guide = np.asarray(low, np.float64), np.asarray(guide, np.float64)
    (C, h, w), (H, W) = low.shape, guide.shape[1:]

    def guide_at(v, u):
        """The guide at the centre of low pixel (v, u); pixel centres are at halves, so 0.5 / h is 0.5 / h of the height."""
        y, x = np.clip((v + 0.5) * H / h - 0.5, 0, H - 1), np.clip((u + 0.5) * W / w - 0.5, 0, W - 1)
        top, left = int(y), int(x)
        down, right, s, t = min(top + 1, H - 1), min(left + 1, W - 1), y - top, x - left
        return ((1 - s) * ((1 - t) * guide[:, top, left] + t * guide[:, top, right])
                + s * ((1 - t) * guide[:, down, left] + t * guide[:, down, right]))

    result = np.empty((C, H, W))
    for y in range(H):
        for x in range(W):
            at_y, at_x = (y + 0.5) * h / H - 0.5, (x + 0.5) * w / W - 0.5
            near_y, near_x = (int(np.clip(np.floor(at + 0.5), 0, n - 1)) for at, n in ((at_y, h), (at_x, w)))
            total, weights = 0, 0
            for v in range(max(near_y - radius, 0), min(near_y + radius, h - 1) + 1):
                for u in range(max(near_x - radius, 0), min(near_x + radius, w - 1) + 1):
                    near = np.exp(-((v - at_y) ** 2 + (u - at_x) ** 2) / (2 * sigma_space**2))
                    alike = np.exp(-((guide_at(v, u) - guide[:, y, x]) ** 2).sum() / (2 * sigma_range**2))
                    total, weights = total + near * alike * low[:, v, u], weights + near * alike
            result[:, y, x] = total / weights
    return result
