"""DJFR: the residual form of DJF, which predicts what has to be added to the target.

Paper      Li, Huang, Ahuja and Yang, "Joint Image Filtering with Deep Convolutional Networks", TPAMI 2019
Reads as   DJF, and its output + P
Differs    as in djf.py
Weights    the authors' (MatConvNet): depth x4, x8, x16, flash/no-flash; the last two with wider layers
"""

from girlib.networks.djf import NAMES, Network

__all__ = ["NAMES", "RELEASED", "TASKS", "Network"]

WIDE = dict(width=(128, 64), joint_width=(128, 64))
TASKS = {"depth": dict(residual=True), "flash": dict(residual=True, **WIDE)}
RELEASED = {("depth", 4): "djf/Upsampling_res_4x.mat", ("depth", 8): "djf/Upsampling_res_8x.safetensors",
            ("depth", 16): ("djf/Upsampling_res_16x.mat", WIDE), ("flash", None): "djf/NoiseReduction_res.mat"}
