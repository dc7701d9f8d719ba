"""Pan-sharpening: a satellite sees many colours coarsely and one grey image sharply; wanted are all colours, sharp.

At full resolution nobody knows the truth. So methods are scored on reduced images, whose truth is what the satellite delivered
(Wald's protocol), and at full resolution by how the result agrees with what was recorded.
"""

from girlib.errors import GirlibError
from girlib.resampling import check_image, downsample, upsample
from girlib.samples import Capture, Sample, crop_to_multiple
from girlib.scenes import RESPONSES, make_scene
from girlib.sensors import SENSORS, wald
from girlib.tasks import CLIPPED, Protocol, Task, images

RATIO = 4
REDUCTIONS = "wald", "bicubic-matlab"


def scene(seed, size=256):
    """A town from above in the eight bands of WorldView-3, and its panchromatic image; the satellite's pixels are still to be made."""
    town = make_scene("overhead", seed, size)
    seen = {"reference": town.image(RESPONSES["worldview3"]), "pan": town.image(RESPONSES["pan"])}
    return Capture(f"overhead {seed}", seen, "1", {"sensor": "worldview3", "ratio": RATIO, "bits": None})


def observe(capture, scale=None, seed=0, enlarge="exp", reduce=None):
    """The low-resolution bands, enlarged, are the target; the panchromatic image is the guide. A recorded pair stays as it is.

    enlarge   "exp", "bicubic", "bicubic-wald", ...: how (a key of girlib.resampling.UPSAMPLING)
    reduce    "wald" (the sensor's optics) or "bicubic-matlab": what makes the low-resolution bands where none were recorded ("wald"
              unless given), and what reduces a scene as delivered, so that its bands become the reference; None leaves it at full
              resolution, without a reference
    """
    if scale not in (None, RATIO):
        raise GirlibError(f"pansharpening: scale is {scale!r}; satellites come with {RATIO}, so leave it out.")
    if reduce not in (None, *REDUCTIONS):
        raise GirlibError(f"pansharpening: reduce is {reduce!r}; expected {' or '.join(REDUCTIONS)}, or None.")
    pan, low, reference = _recorded(capture)
    sensor = capture.meta.get("sensor", "unknown")
    make = (lambda image: downsample(image, RATIO, reduce)) if reduce == "bicubic-matlab" else \
           (lambda image: wald(image, sensor if sensor in SENSORS else "unknown", RATIO))
    if low is None:
        low = make(reference)
    elif reference is None and reduce:
        whole = crop_to_multiple(Capture(capture.name, {"low": low, "pan": pan}), RATIO * RATIO).images
        reference, low, pan = whole["low"], make(whole["low"]), make(whole["pan"])
    meta = {**capture.meta, "sensor": sensor, "ratio": RATIO, "scale": RATIO, "resolution": "full" if reference is None else "reduced",
            "name": capture.name}
    return Sample(upsample(low, pan.shape[-2:], enlarge), pan, reference, low, unit="1", meta=meta)


def _recorded(capture):
    """pan, low and reference, of which low or reference may be None; the last rows and columns that fill no low pixel are cut."""
    (pan,) = images("pansharpening", capture, pan=1)
    given = {name: capture.images[name].float() for name in ("low", "reference") if name in capture.images}
    if not given:
        raise GirlibError(f"pansharpening: the capture {capture.name!r} has {', '.join(capture.images)}; expected low or reference beside "
                          "pan.")
    for name, image in given.items():
        check_image("pansharpening", image, name)
    if len({image.shape[1] for image in given.values()}) > 1:
        raise GirlibError(f"pansharpening: in the capture {capture.name!r} low has {given['low'].shape[1]} bands and reference "
                          f"{given['reference'].shape[1]}; expected the same number.")
    height, width = pan.shape[-2:]
    for name, expected in (("low", (height // RATIO, width // RATIO)), ("reference", (height, width))):
        if name in given and given[name].shape[-2:] != expected:
            raise GirlibError(f"pansharpening: in the capture {capture.name!r} {name} is {'x'.join(map(str, given[name].shape[-2:]))} and "
                              f"pan {height}x{width}; expected {name} of {expected[0]}x{expected[1]}.")
    fine = {name: image for name, image in (("pan", pan), ("reference", given.get("reference"))) if image is not None}
    fine = crop_to_multiple(Capture(capture.name, fine), RATIO).images
    return fine["pan"], given.get("low"), fine.get("reference")


Q8 = {"cast": False, **CLIPPED}                  # digital numbers are not negative; that they are whole moves Q8 by less than 1e-4
CUT = {"border": (20, 21)}                        # leaves rows and columns 21 ... end - 21, counted from 1
TASK = Task(
    name="pansharpening", title="Pan-sharpening",
    observed="a multispectral image with a sixteenth of the pixels, and a panchromatic image with all of them",
    wanted="every band at every pixel of the panchromatic image",
    scene=scene, observe=observe,
    datasets={"worldview3": "reduced", "worldview2": "full", "pleiades": "reduced", "pan_im4": "reduced", "wv3": "test"},
    protocols=(
        Protocol("sfigf", "SFIGF, Table 2: clipped to [0, 1], nothing cut; SAM in radians, a black pixel counts as a right angle; SCC is a "
                 "plain correlation; Q in windows of 8x8", ("worldview3", "wv3", "pleiades", "procedural"),
                 (("psnr", CLIPPED), ("ssim", CLIPPED), ("sam", {"unit": "radians", "zeros": "right angle", **CLIPPED}),
                  ("ergas", {"ratio": 4.0, **CLIPPED}), ("scc", {"filter": "none", **CLIPPED}),
                  ("q", {"size": 8, "flat": 1e-8, **CLIPPED}))),
        Protocol("gdd-full", "GDD, Table 2, real scenes: as delivered, without a reference; blocks of 32x32 as in Vivone's toolbox",
                 ("worldview2", "worldview3", "wv3"), (("qnr", {}), ("d_lambda", {}), ("d_s", {})), split="full"),
        Protocol("gdd", "GDD, Table 2, synthetic scenes: reduced by MATLAB's bicubic, as its scene was, and scored as by Vivone's "
                 "toolbox (Q8 of digital numbers, not rounded, SAM in degrees, SCC of Sobel's gradients)",
                 ("pan_im4", "worldview2", "procedural"),
                 (("q2n", Q8), ("sam", {}), ("ergas", {"ratio": 4.0}), ("scc", {})),
                 {"enlarge": "bicubic-matlab", "reduce": "bicubic-matlab"}),
        Protocol("toolbox", "Vivone et al., TGRS 2015, and DLPan: Wald's protocol; 20 pixels cut at the top and left, 21 at "
                 "the other sides",
                 ("worldview3", "worldview2", "wv3", "pleiades", "procedural"),
                 (("q2n", {**Q8, **CUT}), ("q", CUT), ("sam", CUT), ("ergas", {"ratio": 4.0, **CUT}), ("scc", CUT)),
                 {"reduce": "wald"}),
        Protocol("plain", "no table: for values of plain enlargement that are known elsewhere: PSNR over the cube and as mean over bands, "
                 "SAM in degrees, nothing clipped or cut", ("worldview3", "pleiades", "pan_im4", "worldview2", "procedural"),
                 (("psnr", {"data_range": 1.0}), ("psnr", {"data_range": 1.0, "over": "channels"}), ("sam", {}), ("ergas", {"ratio": 4.0})),
                 {"reduce": "wald"}),
    ),
)
