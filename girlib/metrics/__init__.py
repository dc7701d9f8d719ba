"""Every metric once, in float64, with its unit, its direction and its variants as data.

    measure("psnr", restored=Q, reference=R, border=6)        psnr(Q, R, border=6)        METRICS["psnr"].direction

A definition is the one that a paper used; where papers and code differ, an option names the difference. `python -m girlib.metrics`
compares all of them with values that were computed elsewhere.
"""

from girlib.metrics.definition import METRICS, Metric, list_metrics, measure
from girlib.metrics.fusion import mef_ssim, psnr_fusion, q_abf, q_cb, q_s, q_y, ssim_src, vif, vifp
from girlib.metrics.information import ce, en, mi, q_mi
from girlib.metrics.masks import confusion, f_measure, mean_iou, miou
from girlib.metrics.perceptual import delta_e, lpips
from girlib.metrics.pixel import psnr, rmse, ssim
from girlib.metrics.spectral import d_lambda, d_s, ergas, q, q2n, qnr, sam, scc

__all__ = [
    "METRICS", "Metric", "list_metrics", "measure",
    "psnr", "rmse", "ssim",
    "d_lambda", "d_s", "ergas", "q", "q2n", "qnr", "sam", "scc",
    "mef_ssim", "psnr_fusion", "q_abf", "q_cb", "q_s", "q_y", "ssim_src", "vif", "vifp",
    "ce", "en", "mi", "q_mi",
    "delta_e", "lpips",
    "confusion", "f_measure", "mean_iou", "miou",
]
