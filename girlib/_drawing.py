"""From arrays to pictures: 8-bit pixels on a stated scale, colour bars, WebP and PNG files.

Reads as   plane (H, W) or (H, W, 3) -> limits shared by all images of a kind -> RGB bytes (H, W, 3) -> file
Differs    nothing is smoothed or resized here: what `girlib.viz` embeds decodes to exactly these bytes
"""

import base64
import io
import textwrap
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from girlib.errors import GirlibError

MAPS = {"photo": "gray", "depth": "viridis", "error": "magma", "signed": "RdBu_r"}
MISSING = 128  # grey of a pixel without a value; the colour maps of depth, error and signed never show it


@dataclass(frozen=True)
class Bar:
    """What the two ends of a colour map mean; `below` and `above` tell that values beyond them were clipped."""

    kind: str
    low: float
    high: float
    below: bool = False
    above: bool = False

    @property
    def ends(self):
        return ("≤ " if self.below else "") + number(self.low), ("≥ " if self.above else "") + number(self.high)

    @property
    def strip(self):
        return colours(np.linspace(self.low, self.high, 256)[None], self)  # (1, 256, 3)


def number(value):
    return f"{value:.3g}".replace("-", "−")


def plane(where, title, image):
    """An array or tensor of shape (H, W), (C, H, W) or (1, C, H, W) as float64 (H, W) or (H, W, 3)."""
    if hasattr(image, "detach"):
        image = image.detach().cpu().double()
    image = np.asarray(image)
    shape = "x".join(map(str, image.shape)) or "a single number"
    squeezed = image[0] if image.ndim == 4 and len(image) == 1 else image
    squeezed = squeezed[None] if squeezed.ndim == 2 else squeezed
    if squeezed.ndim != 3 or len(squeezed) not in (1, 3) or not squeezed.size:
        raise GirlibError(
            f"{where}: {title} has the shape {shape}, but an image is (H, W), (C, H, W) or (1, C, H, W) with C = 1 or 3; "
            "pick one image and its channels first."
        )
    if image.dtype.kind not in "fiub":
        raise GirlibError(f"{where}: {title} holds {image.dtype}, but an image holds real numbers; convert it first.")
    squeezed = squeezed.astype(np.float64)
    return squeezed[0] if len(squeezed) == 1 else np.moveaxis(squeezed, 0, -1)


def check_kind(where, title, kind, image):
    """One plane suits its kind, or a sentence says why not."""
    if kind not in MAPS:
        raise GirlibError(f"{where}: kind {kind!r} of {title} is unknown; choose one of {', '.join(MAPS)}.")
    if kind != "photo" and image.ndim == 3:
        raise GirlibError(f"{where}: {title} has 3 channels, but kind {kind!r} draws one number a pixel; give one channel.")
    if kind == "error" and np.nanmin(np.where(np.isfinite(image), image, np.nan), initial=0) < 0:
        raise GirlibError(f"{where}: {title} has negative errors; take abs() of it, or draw it with kind 'signed'.")
    if kind == "photo" and np.nanmax(np.where(np.isfinite(image), image, np.nan), initial=0) >= 32:
        raise GirlibError(
            f"{where}: {title} reaches {number(np.nanmax(image))}, but a photo lies in [0, 1]; divide by its largest value (255?)."
        )


def bars_of(where, planes, kinds, limits):
    """One Bar for each kind among `kinds`: shared over all planes of that kind unless `limits` says otherwise.

    limits is None, a pair (low, high), or a dict kind -> pair.
    """
    drawn = sorted(set(kinds))
    if limits is not None and not isinstance(limits, dict):
        target = [kind for kind in drawn if kind != "photo"] or drawn
        if len(target) > 1:
            raise GirlibError(f"{where}: one pair of limits for the kinds {' and '.join(target)}; give a dict, {{'error': (0, 0.2)}}.")
        limits = {target[0]: limits}
    bars = {}
    for kind in drawn:
        values = np.concatenate([p[np.isfinite(p)] for p, k in zip(planes, kinds, strict=True) if k == kind])
        least, most = (values.min(), values.max()) if len(values) else (0.0, 0.0)
        size = max(abs(least), abs(most))
        low, high = {"photo": (0, 1), "depth": (least, most), "error": (0, most), "signed": (-size, size)}[kind]
        if limits and kind in limits:
            low, high = map(float, limits[kind])
            if not low < high:
                raise GirlibError(f"{where}: limits ({low:g}, {high:g}) of {kind}; the first must be smaller than the second.")
        high = high if high > low else low + 1  # a constant image: any scale will do, 0 / 0 will not
        bars[kind] = Bar(kind, float(low), float(high), bool(least < low), bool(most > high))
    return bars


def colours(image, bar):
    """Plane -> RGB bytes (H, W, 3)."""
    import matplotlib

    finite = np.isfinite(image)
    share = np.clip((np.where(finite, image, bar.low) - bar.low) / (bar.high - bar.low), 0, 1)
    if bar.kind == "photo":
        rgb = np.rint(share * 255).astype(np.uint8)
        rgb = rgb if rgb.ndim == 3 else np.repeat(rgb[..., None], 3, axis=-1)
    else:
        rgb = matplotlib.colormaps[MAPS[bar.kind]](share, bytes=True)[..., :3].copy()
    rgb[~(finite if finite.ndim == 2 else finite.all(-1))] = MISSING
    return rgb


def missing(planes):
    """What the caption adds when pixels have no value; `planes` maps a title to its plane."""
    counts = {t: int((~np.isfinite(p if p.ndim == 2 else p.sum(-1))).sum()) for t, p in planes.items()}
    told = [f"{count} in {title}" if title else str(count) for title, count in counts.items() if count]
    return f" Grey: pixels without a finite value ({', '.join(told)})." if told else ""


def rasterise(figure, tight=False):
    """A matplotlib figure as RGB bytes on white, 144 dots an inch."""
    from PIL import Image

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=144, facecolor="white", bbox_inches="tight" if tight else None)
    return np.asarray(Image.open(file).convert("RGB"))


def encode(rgb, format):
    """RGB bytes (H, W, 3) as a lossless file: "WEBP" or "PNG"."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(file, format, **({"lossless": True} if format == "WEBP" else {"optimize": True}))
    return file.getvalue()


def data_uri(rgb):
    return "data:image/webp;base64," + base64.b64encode(encode(rgb, "WEBP")).decode()


def framed(rgb, square):
    """A copy with a frame around (top, left, size), for the still."""
    from PIL import Image, ImageDraw

    image, (y, x, s) = Image.fromarray(rgb), square
    pen = ImageDraw.Draw(image)
    pen.rectangle((x - 2, y - 2, x + s + 1, y + s + 1), outline="black")
    pen.rectangle((x - 1, y - 1, x + s, y + s), outline="white")
    return np.asarray(image)


def mosaic(pictures, across):
    """Pictures of one size, `across` in a row, white lines between them."""
    cells = np.stack([np.pad(rgb, ((0, 1), (0, 1), (0, 0)), constant_values=255) for rgb in pictures])
    n, h, w, _ = cells.shape
    return cells.reshape(n // across, across, h, w, 3).swapaxes(1, 2).reshape(n // across * h, across * w, 3)


@lru_cache(1)
def font(size=13):
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)


def sheet(tiles, columns, bars=(), widest=1200):
    """The still: titled pictures in a grid with their colour bars, as RGB bytes.

    tiles are (title, RGB bytes); small ones are enlarged by a whole number, a sheet over `widest` is reduced.
    """
    from PIL import Image, ImageDraw

    tiles, gap, line = list(tiles), 12, 18
    enlarged = []
    for title, rgb in tiles:
        z = max(1, 256 // rgb.shape[1])
        enlarged.append((title, Image.fromarray(rgb.repeat(z, 0).repeat(z, 1))))
    shrink = min(1, (widest / columns - gap) / max(image.width for _, image in enlarged))
    if shrink < 1:
        enlarged = [(t, im.resize([max(1, round(n * shrink)) for n in im.size], Image.Resampling.BOX)) for t, im in enlarged]
    cell = max(image.width for _, image in enlarged)
    titles = [textwrap.wrap(title, max(8, cell // 8)) for title, _ in enlarged]
    rows = [range(i, min(i + columns, len(tiles))) for i in range(0, len(tiles), columns)]
    heads = [line * max(len(titles[k]) for k in row) for row in rows]
    heights = [head + max(enlarged[k][1].height for k in row) + gap for head, row in zip(heads, rows, strict=True)]
    page = Image.new("RGB", (columns * (cell + gap) + gap, sum(heights) + gap + len(bars) * (line + gap)), "white")
    pen = ImageDraw.Draw(page)
    y = gap
    for row, head, height in zip(rows, heads, heights, strict=True):
        for column, k in enumerate(row):
            x = gap + column * (cell + gap)
            pen.multiline_text((x, y), "\n".join(titles[k]), "black", font(), spacing=3)
            page.paste(enlarged[k][1], (x, y + head))
        y += height
    for bar in bars:
        text = f"{bar.kind}  {bar.ends[0]} "
        start = gap + round(pen.textlength(text, font())) + 4
        pen.text((gap, y), text, "black", font())
        page.paste(Image.fromarray(bar.strip).resize((100, 14)), (start, y))
        pen.text((start + 106, y), bar.ends[1], "black", font())
        y += line + gap
    return np.asarray(page)
