"""Low light with a monochrome camera: without colour filters three times more light reaches the sensor.

SFIGF's released network never reads the monochrome picture that was recorded: it predicts one from the raw and is guided by that. The
recorded one is in its loss only. The sample holds it as the guide all the same, for methods that do take it.
"""

from girlib.resampling import crop_to_multiple
from girlib.samples import Capture, Sample
from girlib.scenes import RESPONSES, make_scene
from girlib.sensors import amplify
from girlib.tasks import Protocol, Task
from girlib.tasks.lowlight_red import LPIPS, SCORES, photographed, raw_images

# Of MCR's indoor scenes; the longest makes the reference. MCR scores that one too, with ratio 1, where little is left to restore: our
# scenes leave it out, so means over them are not means over MCR
SHUTTERS = 127, 255, 511, 1023, 2047, 4095, 8191
LONGEST = 12287
CAMERA = {"black": 0, "white": 255, "gain": 0.02, "read": 0.5}       # 8 bits: rounding is most of the noise in the dark


def scene(seed, size=256):
    """A room as an 8-bit colour camera records it at one of seven shutters, by turns; and as one without filters at the longest."""
    room, ratio = make_scene("indoor", seed, size), LONGEST / SHUTTERS[seed % len(SHUTTERS)]
    pictures = photographed(room, seed, ratio, **CAMERA)
    pictures["mono"] = (room.image(RESPONSES["mono"]) * 255).round() / 255
    return Capture(f"indoor {seed}", pictures, "1", {"ratio": ratio, "pattern": "RGGB", "black": 0, "white": 255})


def observe(capture, scale=None, seed=0):
    """The mosaic, amplified and not clipped, is the target; the recorded mono is the guide; both have the full size, cut to even.

    The unaligned pictures of MCR's sample are refused: their cameras stand side by side.
    """
    raw, mono, reference = (crop_to_multiple(x, 2) for x in raw_images("lowlight_mono", capture, scale, raw=1, mono=1, reference=3))
    return Sample(amplify(raw, capture.meta["ratio"], 0, 1, clip=False), mono, reference, unit="1",
                  meta={**capture.meta, "name": capture.name})


TASK = Task(
    name="lowlight_mono", title="Low-light raw with a mono camera",
    observed="the raw of a photograph exposed up to 146 times too short, and a monochrome photograph that was not",
    wanted="the photograph of the long exposure, in colour",
    scene=scene, observe=observe, loss="mono raw", datasets={"mcr": "test"},
    protocols=(
        Protocol("sfigf", "SFIGF, Table 4, MCR, released test: 8 bits, truncated, scikit-image's default SSIM; which Delta E is not "
                 "stated: 1976", ("mcr", "procedural"), SCORES),
        Protocol("sfigf-lpips", "SFIGF, Table 4, MCR: LPIPS, whose backbone is not stated; AlexNet", ("mcr", "procedural"), LPIPS),
    ),
)
