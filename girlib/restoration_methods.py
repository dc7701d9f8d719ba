"""Which method restores a pair, and how it is let work on an image of any size.

Choice     weights of our own where there are some for task, scale and channels; else a classical method, which needs none
Tiles      each method with the margin that one pixel of its result sees, so that tiles and the whole image are equal. A network that
           pools over the whole image can't be cut so: its tiles are blended, and the line that says what was done says so
"""

import inspect
from dataclasses import replace
from importlib import import_module

import torch

from girlib.backprojection import give_back
from girlib.errors import GirlibError
from girlib.methods import CLASSICAL, find_method
from girlib.metrics import METRICS
from girlib.networks import NETWORKS, load_model
from girlib.samples import Sample
from girlib.tiles import in_tiles, network_in_tiles
from girlib.weights import list_weights

# Of bicubic's error in depth gf-back leaves 0.7 to 0.97 on computed scenes; weights are taken that leave less than this share of it.
CLASSICAL_SHARE = 0.8
# Channels of target and guide in the scenes on which our weights were trained.
TRAINED = {"depth": (1, 3), "saliency": (1, 3), "pansharpening": (8, 1), "hyperspectral": (31, 3), "flash": (3, 3),
           "multifocus": (3, 3), "multiexposure": (3, 3)}


def choose(method, weights, task, scale, channels, classical):
    """(method, weights) as they are asked for, or what suits; everything about them that can be wrong without reading a file."""
    if method is None and weights not in (None, "girlib"):
        raise GirlibError(f"restore: weights={str(weights)!r} was given without the network they belong to; name it (method).")
    if method is None:
        network = ours(task, scale, *channels, asked=weights is not None)
        if network is None and weights == "girlib":
            raise GirlibError(f"restore: no weights of girlib suit {task} at scale {scale} with {channels[0]} and {channels[1]} channels; "
                              f"leave them out, and {classical} restores, which needs none.")
        return (network, "girlib") if network else (classical, None)
    if not isinstance(method, str):
        if weights is not None or not callable(method):
            raise GirlibError(f"restore: method is {type(method).__name__} and weights {weights!r}; give a name and weights, or a network "
                              "that has its weights, or a function.")
        return method, None
    if method not in CLASSICAL and method not in NETWORKS:
        raise GirlibError(f"restore: there is no method {method!r}; there are {', '.join([*CLASSICAL, *NETWORKS])}.")
    if method in CLASSICAL and weights is not None:
        raise GirlibError(f"restore: {method} has no weights, but weights={str(weights)!r} was given; leave it out, or name the network "
                          "they belong to (method).")
    if method in NETWORKS and weights is None and not hasattr(network_class(method), "predict"):
        raise GirlibError(f"restore: {method} is a network and needs weights; give weights=\"official\" or the path of a file, or use a "
                          "classical method such as gf.")
    return method, weights


def ours(task, scale, channels, guide_channels, asked=False):
    """The network whose weights come with girlib for a task, scale and number of channels, of several the best scored; or None.

    Unless they are asked for, only weights that scored better than what restores without them.
    """
    if not (suits(channels, TRAINED[task][0]) and suits(guide_channels, TRAINED[task][1])):
        return None
    found = []
    for one in list_weights(task=task):
        for score in one.header["scores"]:
            sign = 1 if METRICS[score["metric"]].direction == "higher" else -1
            share = CLASSICAL_SHARE if score["metric"] == "rmse" else 1
            better = sign * (score["value"] - share * score["baseline value"]) > 0
            if scale in one.scales and score["scale"] == scale and (asked or better):
                found.append((sign * score["value"], one.network))
    return max(found)[1] if found else None


def suits(given, taken):
    """Whether an image of so many channels can be handed to a network: a single one is repeated."""
    return given == taken or (given, taken) == (1, 3)


def apply(sample, method, task, scale, weights, tile, whole_scale, device, progress, options):
    """(restored in the sample's unit, what was done in words)."""
    if isinstance(method, torch.nn.Module) or method in NETWORKS:
        return with_network(sample, method, task, scale, weights, tile, whole_scale, device, progress, options)
    work = find_method(method, task, None, scale, device, **options)
    if not isinstance(method, str):
        return work(sample), getattr(method, "__name__", type(method).__name__)
    known = {name: options.get(name, default) for name, default in defaults(CLASSICAL[method]).items()}
    if "radius" in known and known["radius"] is None:
        known["radius"] = max(1, round(sample.guide.shape[-1] / sample.low.shape[-1] / 2)) if sample.low is not None else 1
    for name, value in known.items():
        if not isinstance(value, (bool, int, float)):
            raise GirlibError(f"restore: {method} was given {name}={value!r}; expected a number.")
    words = ", ".join(f"{name} {value:g}" for name, value in known.items() if value is not False)
    words = f"{method} ({words})" if words else method
    margin = {"gf": lambda: 2 * known["radius"], "gf-back": lambda: 2 * known["radius"], "jbf": lambda: known["radius"],
              "jbu": lambda: (known["radius"] + 2) * (whole_scale or 0)}.get(method)
    if not tile or margin is None or (method == "jbu" and whole_scale is None):
        return work(sample), words
    if method == "gf-back" and sample.low is not None:              # its second half measures the noise of the whole image
        filtered, _ = apply(sample, "gf", task, scale, None, tile, whole_scale, device, progress,
                            {"radius": known["radius"], "eps": known["eps"]})
        filtered = torch.where(filtered.isfinite(), filtered, sample.target)
        return give_back(filtered, sample.low, sample.valid, known["times"]), words

    def part(target, guide, low, valid):
        return work(Sample(target, guide, None, low, valid, sample.unit, sample.meta))

    low = sample.low if method == "jbu" else None
    return in_tiles(part, (sample.target, sample.guide, low, sample.valid), tile, margin(), whole_scale or 1, progress=progress), words


def with_network(sample, method, task, scale, weights, tile, whole_scale, device, progress, options):
    """As apply, for a network by name or as it is."""
    if isinstance(method, torch.nn.Module):
        name, model = type(method).__module__.rpartition(".")[2], method
        if options and not hasattr(method, "predict"):
            raise GirlibError(f"restore: {next(iter(options))} was given, but a network that is made already takes no options; leave "
                              "it out.")
    else:
        name, model = method, None
    sample = Sample(*(image.float() for image in (sample.target, sample.guide)), None,
                    None if sample.low is None or whole_scale is None else sample.low.float(), sample.valid, sample.unit, sample.meta)
    if getattr(model or network_class(name), "predict", None):      # it optimises for this image, as a whole
        return find_method(method, task, weights, scale, device, **options)(sample), name
    model = (model or load_model(name, task, weights, scale, **options)).to(device)
    single = sample.target.shape[1] == 1
    if weights == "girlib":
        wanted = TRAINED[task]
        target, guide, low = (image.expand(-1, count, -1, -1) if image is not None and image.shape[1] == 1 and count == 3 else image
                              for image, count in zip((sample.target, sample.guide, sample.low), (*wanted, wanted[0]), strict=True))
        sample = replace(sample, target=target, guide=guide, low=low)
    restored, how = network_in_tiles(model, sample.to(device), tile, whole_scale, progress)
    told = ", which looks at the whole image, in tiles that are blended" if how == "blended" else ""
    told = ("weights of girlib" if weights == "girlib" else str(weights or "as given")) + told
    return restored.mean(dim=1, keepdim=True) if single else restored, f"{name} ({told})"


def network_class(name):
    return import_module(f"girlib.networks.{NETWORKS[name]}").Network


def defaults(function):
    return {name: entry.default for name, entry in inspect.signature(function).parameters.items() if entry.default is not entry.empty}
