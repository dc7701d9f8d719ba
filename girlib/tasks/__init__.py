"""The tasks of the book: what each observes and wants, on which data, and how the papers score it.

A task is one file that holds `scene` (a procedural capture from a seed), `observe` (capture -> sample: what the sensors make
of it) and TASK. The papers score one task in several ways; each way is a Protocol with the place where it is stated.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module

from girlib.errors import GirlibError
from girlib.resampling import check_image
from girlib.samples import Capture, Sample

TASKS = ("depth", "saliency", "pansharpening", "hyperspectral", "multifocus", "multiexposure", "hdr", "lowlight_red", "lowlight_mono",
         "flash", "texture", "segmentation")

# what papers measure with in more than one task
CLIPPED = {"values": "clip", "data_range": 1.0}
SKIMAGE = {"window": "uniform", "size": 7, "covariance": "sample"}          # scikit-image's default SSIM
PHOTO_SCORES = (("psnr", CLIPPED), ("ssim", CLIPPED))


@dataclass(frozen=True)
class Protocol:
    """One way to score a task: what the sensor does, and what is measured on the result."""

    name: str
    source: str                                         # where it is stated: paper and table, or released code
    datasets: tuple[str, ...]                           # on which it is used
    metrics: tuple[tuple[str, dict], ...]               # (name, options); the first one ranks methods
    sensor: dict = field(default_factory=dict)          # options of the task's observe
    split: str | None = None                            # of the dataset, where it is not the one that the task names

    def __str__(self):
        options = lambda given: ", ".join(f"{key}={value!r}" for key, value in given.items())
        measured = "; ".join(f"{name}({options(given)})" for name, given in self.metrics)
        split = f" ({self.split})" if self.split else ""
        return f"{self.name}: {self.source}; on {', '.join(self.datasets)}{split}; sensor {options(self.sensor) or 'as it is'}; {measured}"


@dataclass(frozen=True)
class Task:
    """What is observed, what is wanted, and how it is scored."""

    name: str
    title: str
    observed: str
    wanted: str
    scene: Callable[[int, object], Capture]             # (seed, size) -> capture, without any download
    observe: Callable[..., Sample]                      # (capture, scale=, seed=, sensor options) -> sample
    protocols: tuple[Protocol, ...]
    datasets: dict[str, str]                            # name -> the split that is scored
    scales: tuple[int | None, ...] = (None,)
    loss: str = "l1"
    show: str = "photo"                                 # how girlib.viz draws the restored image
    judged: Callable = lambda restored: restored        # what of the restored image is measured

    def sample(self, seed=0, size=256, scale=None, **sensor):
        """A procedural sample. The seed decides scene and noise; `sensor` are options of `observe`."""
        return self.observe(self.scene(seed, size), scale=self.scale(scale), seed=seed, **sensor)

    def scale(self, scale):
        """The scale that is asked for, or the task's first one."""
        if scale is None:
            return self.scales[0]
        if scale not in self.scales:
            known = ", ".join(str(own) for own in self.scales if own) or "no scale"
            raise GirlibError(f"{self.name}: scale is {scale!r}; expected {known}.")
        return scale

    def protocol(self, dataset, name=None):
        """The protocol of that name, or the first one that is used on the dataset."""
        for protocol in (here := self.protocols_for(dataset)):
            if name in (None, protocol.name):
                return protocol
        raise GirlibError(f"{self.name}: no protocol {name!r} for {dataset}; there is {', '.join(protocol.name for protocol in here)}.")

    def protocols_for(self, dataset):
        """All protocols that are used on a dataset."""
        here = [protocol for protocol in self.protocols if dataset in protocol.datasets]
        if not here:
            raise GirlibError(f"{self.name}: no protocol for the dataset {dataset!r}; there are some for "
                              f"{', '.join(dict.fromkeys(own for p in self.protocols for own in p.datasets))}.")
        return here

    def __str__(self):
        lines = [f"{self.title} ({self.name})", f"  observed  {self.observed}", f"  wanted    {self.wanted}",
                 f"  scales    {', '.join(str(scale) for scale in self.scales if scale) or 'none'}",
                 f"  datasets  {', '.join(['procedural', *self.datasets])}"]
        return "\n".join([*lines, *(f"  protocol  {protocol}" for protocol in self.protocols)])


def list_tasks():
    """Names of all tasks."""
    return list(TASKS)


def get_task(name):
    """A task by name."""
    if name not in TASKS:
        raise GirlibError(f"get_task: there is no task {name!r}; there are {', '.join(TASKS)}.")
    return import_module(f"girlib.tasks.{name}").TASK


# ------------------------------------------------------------------------------------------ what every `observe` asks first

def images(task, capture, **channels):
    """Images of a capture in float32, given as name=channels (None: any number): all there, finite and of one size."""
    if not isinstance(capture, Capture):
        raise GirlibError(f"{task}: got a {type(capture).__name__}; expected a Capture, which a dataset or a scene gives.")
    missing = [name for name in channels if name not in capture.images]
    if missing:
        raise GirlibError(f"{task}: the capture {capture.name!r} has no image {missing[0]!r}, only {', '.join(capture.images) or 'none'}; "
                          f"expected {', '.join(channels)}.")
    for name, count in channels.items():
        check_image(task, capture.images[name], name, count)
    sizes = {name: tuple(capture.images[name].shape[-2:]) for name in channels}
    if len(set(sizes.values())) > 1:
        given = ", ".join(f"{name} is {height}x{width}" for name, (height, width) in sizes.items())
        raise GirlibError(f"{task}: in the capture {capture.name!r} {given}; expected one size.")
    return [capture.images[name].float() for name in channels]


def known_reference(capture):
    """{"reference": 3} where the capture has one: for the tasks whose real captures have none."""
    return {"reference": 3} if "reference" in getattr(capture, "images", {}) else {}


def without_scale(task, scale):
    if scale is not None:
        raise GirlibError(f"{task}: scale is {scale!r}; what is restored has all pixels already, so leave it out.")


def pair(task, capture, scale):
    """Two photographs of one scene as a sample, with their reference where there is one."""
    without_scale(task, scale)
    first, second, *reference = images(task, capture, first=3, second=3, **known_reference(capture))
    return Sample(first, second, *reference, unit="1", meta={**capture.meta, "name": capture.name})
