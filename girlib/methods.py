"""Every method by name: the classical ones, each a function of a sample, and the networks, made ready to restore one.

Defaults of radius and eps are those of this book; the papers print none for their classical rows.
"""

import hashlib
import inspect
from dataclasses import replace
from functools import wraps
from importlib import import_module

import torch

from girlib.errors import GirlibError
from girlib.filters import guided_filter, joint_bilateral_filter, joint_bilateral_upsample
from girlib.layers import luma
from girlib.resampling import check_whole


def on_raw(method):
    """The method; where the sample is raw, it works on the four packed planes, and its result is developed to sRGB.

    White balance and curve are those that the reference was developed with, where the sample's meta says them.
    """
    @wraps(method)
    def restore(sample, **options):
        if "pattern" not in sample.meta:
            return method(sample, **options)
        from girlib.sensors import develop, pack, unpack
        target, guide = (pack(image) if image.shape[1] == 1 else image for image in (sample.target, _guide(sample)))
        restored = method(replace(sample, target=target, guide=guide), **options)
        camera = {name: sample.meta[name] for name in ("balance", "curve") if name in sample.meta}
        return develop(unpack(restored).clamp(0, 1), sample.meta["pattern"], **camera)
    return restore


@on_raw
def as_given(sample):
    """The target as the task's protocol enlarged it: what every method starts from."""
    return sample.target


def enlarged(how):
    """The sensor's image, enlarged without a look at the guide."""
    def enlarge(sample):
        from girlib.resampling import upsample
        return upsample(_low(sample, how), _size(sample), how)
    enlarge.__doc__ = f"The sensor's image, enlarged ({how})."
    return enlarge


@on_raw
def gf(sample, radius=4, eps=1e-3, grey=False):
    """Guided filter of the enlarged target; grey: a colour guide counts by its luminance alone."""
    weight = None if sample.valid is None else sample.valid.to(sample.target)
    return guided_filter(sample.target, _guide(sample, grey), radius, eps, weight=weight)


def gf_back(sample, radius=None, eps=1e-3, times=2):
    """Guided filter of the enlarged target, then back-projection, so that no more is lost than noise; radius: half the scale."""
    from girlib.backprojection import give_back
    low = _low(sample, "gf-back")
    radius = max(1, round(_size(sample)[1] / low.shape[-1] / 2)) if radius is None else radius
    restored = gf(sample, radius=radius, eps=eps)
    return give_back(restored.where(restored.isfinite(), sample.target), low, sample.valid, times)


@on_raw
def jbf(sample, radius=4, sigma_space=2.0, sigma_range=0.1):
    """Joint bilateral filter of the enlarged target."""
    return joint_bilateral_filter(sample.target, _guide(sample), radius, sigma_space, sigma_range)


def rolling(sample, radius=6, sigma_space=3.0, sigma_range=0.1, times=4):
    """Rolling guidance (Zhang et al., ECCV 2014): blurred once, then guided by its own last result; what is small stays away.

    The guide is not looked at: it is made for texture removal, where the target is its own.
    """
    check_whole("rolling", "times", times)
    guide = torch.zeros_like(sample.target[:, :1])                      # a flat guide leaves a Gaussian of sigma_space
    for _ in range(times):
        guide = joint_bilateral_filter(sample.target, guide, radius, sigma_space, sigma_range)
    return guide


def jbu(sample, radius=2, sigma_space=1.0, sigma_range=0.1, grey=False):
    """Joint bilateral upsampling of the sensor's image; radius and sigma_space in its pixels, grey as for gf."""
    return joint_bilateral_upsample(_low(sample, "jbu"), _guide(sample, grey), radius, sigma_space, sigma_range)


def average(sample):
    """The mean of target and guide(s): what every fusion has to beat."""
    images = [sample.target, *(sample.guide if isinstance(sample.guide, tuple) else (sample.guide,))]
    if any(image.shape != images[0].shape for image in images):
        raise GirlibError("average: target and guide differ in shape; it is made for fusion, where both are images of one kind.")
    return sum(images) / len(images)


def first(sample):
    """The target, unchanged: the first source of a fusion."""
    return sample.target


def second(sample):
    """The guide, unchanged: the second source of a fusion."""
    guide = _guide(sample)
    if guide.shape != sample.target.shape:
        raise GirlibError("second: target and guide differ in shape; it is made for fusion, where both are images of one kind.")
    return guide


def middle(sample):
    """The light of the middle exposure alone: no ghosts, and nothing where it is clipped."""
    from girlib.sensors import linearised
    _bracket("middle", sample)
    return linearised(sample.target, sample.meta["exposure_times"][1])


def merge(sample):
    """The light of three exposures as if nothing moved: their mean, each pixel by how well it is exposed; what deghosting has to beat.

    The weight is a triangle over [0, 1], but the shortest exposure is trusted in its highlights, the longest in its shadows.
    """
    from girlib.sensors import linearised

    under, over = _bracket("merge", sample)
    photos = under, sample.target, over
    weights = [1 - (2 * photo - 1).abs() + 1e-6 for photo in photos]
    weights[0] = weights[0].where(under < 0.5, 1)
    weights[2] = weights[2].where(over > 0.5, 1)
    light = (linearised(photo, time) for photo, time in zip(photos, sample.meta["exposure_times"], strict=True))
    return sum(weight * own for weight, own in zip(weights, light, strict=True)) / sum(weights)


def _bracket(name, sample):
    if not isinstance(sample.guide, tuple) or len(sample.guide) != 2 or "exposure_times" not in sample.meta:
        raise GirlibError(f"{name}: it takes three exposures, under and over as the guide, and their exposure_times in meta; it is made "
                          "for hdr.")
    return sample.guide


CLASSICAL = {
    "input": as_given, "nearest": enlarged("nearest"), "bilinear": enlarged("bilinear"), "bicubic": enlarged("bicubic"),
    "exp": enlarged("exp"), "gf": gf, "gf-back": gf_back, "jbf": jbf, "jbu": jbu, "average": average, "first": first, "second": second,
    "middle": middle, "merge": merge, "rolling": rolling,
}


def list_methods(task=None):
    """Names of the classical methods and of the networks (of those made for a task)."""
    from girlib.networks import list_models
    return [*CLASSICAL, *list_models(task)]


def find_method(method, task, weights=None, scale=None, device="cpu", **options):
    """A function of a sample that restores it; what is no name is taken as it is (a module by `predict`)."""
    from girlib.networks import NETWORKS, load_model, predict

    if isinstance(method, torch.nn.Module):
        return _of_network(method.to(device), predict, device, options, weights_hash(method))
    if callable(method):
        return lambda sample: method(sample.to(device), **options)
    if isinstance(method, str) and method in CLASSICAL:
        if weights is not None:
            raise GirlibError(f"{method} has no weights, but weights={weights!r} was given; leave it out.")
        known = list(inspect.signature(CLASSICAL[method]).parameters)[1:]
        unknown = [option for option in options if option not in known]
        if unknown:
            raise GirlibError(f"{method} has no option {unknown[0]!r}; it has {', '.join(known) or 'none'}.")
        return lambda sample: CLASSICAL[method](sample.to(device), **options)
    if not isinstance(method, str) or method not in NETWORKS:
        raise GirlibError(f"there is no method {method!r}; there are {', '.join([*CLASSICAL, *NETWORKS])}.")
    built, asked = _split(options, import_module(f"girlib.networks.{NETWORKS[method]}").Network)
    network = load_model(method, task, weights, scale, **built).to(device)
    return _of_network(network, predict, device, asked, weights_hash(network) if weights is not None else None)


def _split(options, Network):
    """Options of the constructor, and those of a network that optimises for each sample (its `predict`: steps, seed)."""
    asked = [] if not hasattr(Network, "predict") else list(inspect.signature(Network.predict).parameters)[2:]
    return ({name: value for name, value in options.items() if name not in asked},
            {name: value for name, value in options.items() if name in asked})


def _of_network(network, predict, device, options, digest):
    def restore(sample):
        return predict(network, sample.to(device), **options)
    restore.weights_hash = digest
    restore.network = None if hasattr(network, "predict") else network      # one that optimises sees the image as a whole
    return restore


def weights_hash(network):
    """sha256 over names and values of all parameters and buffers, whatever file they came from."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _size(sample):
    return _guide(sample).shape[-2:]


def _guide(sample, grey=False):
    if isinstance(sample.guide, tuple):
        raise GirlibError("this method takes one guide, but the sample has several; take one made for the task (list_methods).")
    if not isinstance(grey, bool):
        raise GirlibError(f"grey is {grey!r}; expected True or False.")
    if not grey:
        return sample.guide
    if sample.guide.shape[1] not in (1, 3):
        raise GirlibError(f"grey: the guide has {sample.guide.shape[1]} channels; the luminance is that of red, green and blue.")
    return luma(sample.guide)


def _low(sample, name):
    if sample.low is None:
        raise GirlibError(f"{name}: the sample has no low-resolution image to enlarge; this method is made for super-resolution.")
    return sample.low
