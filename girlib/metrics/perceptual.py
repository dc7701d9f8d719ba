"""Differences as eyes see them: CIE colour differences, and LPIPS."""

import math
import warnings
from functools import cache
from pathlib import Path
from typing import Literal

import torch

from girlib.errors import GirlibError
from girlib.metrics.definition import metric

BACKBONES = {"alex": "alexnet-owt-*.pth", "vgg": "vgg16-*.pth", "squeeze": "squeezenet1_1-*.pth"}
WEIGHTS = "the package lpips and torchvision's weights of its backbone: pip install lpips && " \
          "python -c \"import lpips; lpips.LPIPS(net='alex')\""


@metric("Delta E*", direction="lower", range=(0, math.inf), needs="scikit-image: pip install scikit-image",
        reference="CIE 1976, 1994, 2000, as in scikit-image; SFIGF's Table 4 does not say which, and its numbers do not decide it")
def delta_e(restored, reference, data_range=None, formula: Literal["cie76", "cie94", "ciede2000"] = "cie76"):
    """Colour difference in CIELAB by the formula of 1976, 1994 or 2000, mean over pixels; images are sRGB, white is D65."""
    _need_colour("delta_e", restored)
    try:
        from skimage import color
    except ImportError:
        raise GirlibError("delta_e: scikit-image is not installed; run `pip install scikit-image`.") from None
    lab = [color.rgb2lab((x / data_range).permute(1, 2, 0).cpu().numpy()) for x in (reference, restored)]
    difference = {"cie76": color.deltaE_cie76, "cie94": color.deltaE_ciede94, "ciede2000": color.deltaE_ciede2000}[formula]
    return difference(*lab).mean()


@metric("LPIPS", direction="lower", range=(0, math.inf), needs=WEIGHTS,
        reference="Zhang et al., CVPR 2018, version 0.1; no paper here says which backbone")
def lpips(restored, reference, data_range=None, network: Literal["alex", "vgg", "squeeze"] = "alex"):
    """Distance of the features of a network that has learnt to name objects; the networks' values differ by up to a factor of 2."""
    _need_colour("lpips", restored)
    model = _lpips(network)
    with torch.no_grad():
        return model(*((2 * x / data_range - 1).float().cpu()[None] for x in (restored, reference))).item()


@cache
def _lpips(network):
    """The network, where its weights lie already; nothing is downloaded here."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    try:
        from lpips import LPIPS
    except ImportError:
        LPIPS = None
    if LPIPS is None or not any(folder.glob(BACKBONES[network])):
        raise GirlibError(f"lpips: not run: needs {WEIGHTS.replace('alex', network)}.")
    with warnings.catch_warnings(action="ignore"):                         # of torchvision, about the way lpips asks it
        return LPIPS(net=network, verbose=False).eval()


def _need_colour(where, image):
    if len(image) != 3:
        raise GirlibError(f"{where}: the images have {len(image)} channels; give red, green and blue.")
