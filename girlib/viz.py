"""Figures of the book and the pieces in it that move without a kernel and without script.

    figure   a matplotlib figure with caption and alt text        compare  before and after, a slider between them
    show     images in a row at one zoom                          explore  a picture for each value of one or two parameters
    zoom     the same window of several images, with error maps   probe    the weights around the pixel under the cursor

Reads as   check -> 8-bit pictures on a stated scale (`_drawing`) -> HTML whose state lives in CSS (`viz.css`) -> Piece
Images     arrays or tensors (H, W), (C, H, W) or (1, C, H, W), C = 1 or 3
Kinds      photo (clipped to [0, 1])   depth   error (from 0)   signed (symmetric); one scale for all images of a kind
"""

import base64
import hashlib
import json
import os
from collections import Counter
from functools import lru_cache
from html import escape
from importlib.resources import files
from itertools import product
from numbers import Integral, Real

import numpy as np

from girlib import _drawing as draw
from girlib.errors import GirlibError

MOST_FRAMES, MOST_POINTS = 36, 256
GAP = 12  # between pictures of a row, as in viz.css
QUIET = 'data-lm-suppress-shortcuts="true"'  # else JupyterLab takes the arrow keys for itself
_seen = Counter()


class Piece:
    """What a cell ends with: HTML for pages and notebooks, a PNG still for everything else, the alt text where neither shows."""

    def __init__(self, html, still, alt):
        self.html, self.png, self.alt = html, draw.encode(still, "PNG"), alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html, "image/png": base64.b64encode(self.png).decode(), "text/plain": self.alt}

    def __repr__(self):
        return self.alt


class LivePiece(Piece):
    """A piece with an ipywidgets twin below it."""

    def __init__(self, piece, twin):
        self.html, self.png, self.alt, self.twin = piece.html, piece.png, piece.alt, twin

    def _ipython_display_(self):
        from IPython.display import display

        display(self._repr_mimebundle_(), raw=True)
        display(self.twin)


def style():
    """matplotlib as the book draws: white paper, colours that colour-blind readers can tell apart, no needless lines."""
    import matplotlib

    okabe_ito = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
    matplotlib.rcParams.update({
        "figure.facecolor": "white", "savefig.facecolor": "white", "axes.facecolor": "white", "figure.figsize": (6.4, 3.2),
        "axes.prop_cycle": matplotlib.cycler(color=okabe_ito), "axes.spines.top": False, "axes.spines.right": False,
        "axes.titlesize": 10, "axes.labelsize": 10, "xtick.labelsize": 9, "ytick.labelsize": 9, "legend.fontsize": 9,
        "legend.frameon": False, "font.size": 10, "image.cmap": draw.MAPS["depth"], "image.interpolation": "nearest",
    })  # fmt: skip


def figure(fig, *, caption, alt):
    """A matplotlib figure with its caption; closes it."""
    _words("viz.figure", caption, alt)
    if not hasattr(fig, "savefig"):
        raise GirlibError(f"viz.figure: got {type(fig).__name__}, expected a matplotlib Figure; images go to viz.show.")
    rgb = _close(fig, tight=True)
    return _piece("fg", f'<div style="max-width:{_width(rgb, drawn=True)}px">{_img(rgb, alt, drawn=True)}</div>', rgb, caption, alt, named=False)


def show(images, *, kind="photo", caption, alt, limits=None, inset=None, columns=None):
    """Images side by side at one zoom, each under its title.

    kind is one word or a dict title -> kind; limits (low, high) or a dict kind -> (low, high) overrides the scale.
    inset=(top, left, size) enlarges that square below each image.
    """
    _words("viz.show", caption, alt)
    planes = _planes("viz.show", images)
    pictures, bars = _draw("viz.show", planes, kind, limits)
    columns = columns or _columns(len(pictures))
    if inset is None:
        still = draw.sheet(list(pictures.items()), columns, bars)
    else:
        _same_size("viz.show with an inset", planes)
        y, x, s = inset
        H, W = next(iter(planes.values())).shape[:2]
        if not (0 <= y and 0 <= x and 0 < s and y + s <= H and x + s <= W):
            raise GirlibError(f"viz.show: inset {tuple(inset)} leaves the image of {H}x{W}; it is (top, left, size) in pixels.")
        crops = {title: rgb[y : y + s, x : x + s] for title, rgb in pictures.items()}
        still = draw.sheet([(t, _framed(rgb, inset)) for t, rgb in pictures.items()] + [("", c) for c in crops.values()], len(crops), bars)
    width = max(map(_width, pictures.values()))
    tiles = []
    for title, rgb in pictures.items():
        body = _img(rgb, title)
        if inset is not None:
            place = f"--W:{W};--H:{H};--s:{s};--r:{s};--x:{x};--y:{y}"
            body = f'<div class="ov" style="{place}">{body}<span class="mk"></span></div>'
            body += f'<div style="margin-top:4px">{_img(crops[title], "enlarged: " + title)}</div>'
        tiles.append(_tile(title, body))
    return _piece("sh", _row(tiles, width, columns) + _bars(bars), still, caption + draw.missing(planes), alt)


def compare(before, after, *, labels, kind="photo", caption, alt):
    """Two images of one size on top of each other; a slider moves the border between them. labels = (before, after)."""
    _words("viz.compare", caption, alt)
    if len(set(labels)) != 2 or isinstance(labels, str):
        raise GirlibError(f"viz.compare: labels={labels!r}; give two different names, (before, after).")
    planes = _planes("viz.compare", dict(zip(labels, [before, after])))
    _same_size("viz.compare", planes)
    pictures, bars = _draw("viz.compare", planes, kind, None)
    (left, top), (right, under) = pictures.items()
    width = _width(top)
    body = (
        f'<div class="ends" style="max-width:{width}px"><span>{escape(left)}</span><span>{escape(right)}</span></div>'
        f'<div class="st drag" {_DRAG}><div class="over">{_img(top, left)}</div><div>{_img(under, right)}</div></div>'
        + _range("u", f"share of {left} that covers {right}, per cent", 100, 50)
        + _bars(bars)
    )
    still = draw.sheet(list(pictures.items()), 2, bars)
    return _piece("ba", body, still, caption + draw.missing(planes), alt, style=f"--u:50;--hu:100;--rw:{width}")


def explore(render, *, caption, alt, kind="photo", limits=None, start=None, **parameters):
    """A picture for each value of one or two parameters, chosen by sliders: explore(f, radius=[1, 2, 4], eps=[1e-4, 1e-2], ...).

    render(radius=..., eps=...) returns an image, a dict title -> image, or a matplotlib Figure. start names the values shown
    first (else the middle ones). In a live notebook an ipywidgets twin below moves through the values in between.
    """
    where = "viz.explore"
    _words(where, caption, alt)
    lists = {name: list(values) for name, values in parameters.items()}
    count = int(np.prod([len(values) for values in lists.values()]))
    if len(lists) not in (1, 2) or not count:
        raise GirlibError(f"{where}: {len(lists)} parameters ({', '.join(lists) or 'none'}); give one or two, each a list of values.")
    if count > MOST_FRAMES:
        raise GirlibError(f"{where}: {count} frames, at most {MOST_FRAMES}; leave out some values.")
    start = {name: values[len(values) // 2] for name, values in lists.items()} | (start or {})
    if set(start) != set(lists) or any(value not in lists[name] for name, value in start.items()):
        raise GirlibError(f"{where}: start={start} is not among the values; the parameters are {lists}.")
    at = [values.index(start[name]) for name, values in lists.items()] + [0]

    choices = [dict(zip(lists, values)) for values in product(*lists.values())]
    frames, bars, notes, drawn = _frames(where, [render(**choice) for choice in choices], kind, limits)
    names = [", ".join(f"{name} = {_value(value)}" for name, value in choice.items()) for choice in choices]
    per_row = len(list(lists.values())[1]) if len(lists) == 2 else _columns(count)
    tiles, stills = [], []
    for title, pictures in frames.items():
        if all(np.array_equal(rgb, pictures[0]) for rgb in pictures) and len(frames) > 1:
            tiles.append(_tile(title, _img(pictures[0], title, drawn)))  # the same in every frame: embedded once
            continue
        stack = "".join(_frame(k, _img(rgb, f"{title} {name}".strip(), drawn), name) for k, (rgb, name) in enumerate(zip(pictures, names)))
        tiles.append(_tile(title, f'<div class="fr" role="img" aria-label="{escape(title or alt)}">{stack}</div>', f"many\" style=\"--pc:{per_row}"))
        stills += [(f"{title}: {name}" if title else name, rgb) for rgb, name in zip(pictures, names)]
    width = max(_width(pictures[0], drawn) for pictures in frames.values())
    columns = _columns(len(tiles))
    sliders = "".join(
        _range(letter, name, len(values) - 1, index, [_value(v) for v in values])
        for letter, index, (name, values) in zip("uv", at, lists.items())
    )
    highest = [len(values) - 1 for values in lists.values()] + [0]
    state = f"--u:{at[0]};--v:{at[1]};--hu:{highest[0]};--hv:{highest[1]};--m:{highest[1] + 1};--rw:{_row_width(width, columns)}"
    body = _row(tiles, width, columns) + sliders + _bars(bars)
    piece = _piece("ex", body, draw.sheet(stills or list((t, p[0]) for t, p in frames.items()), per_row, bars), caption + notes, alt, style=state, named=len(frames) > 1)
    if not _kernel_runs():
        return piece
    scales = {bar.kind: (bar.low, bar.high) for bar in bars}
    return LivePiece(piece, _twin(lambda values: _live_row(where, render(**values), kind, scales), lists, start))


def zoom(images, *, reference=None, window=48, kind="photo", caption, alt):
    """The same window of all images, enlarged; two sliders (or a click on the small whole image) move it in all of them.

    reference, an image or the title of one, adds the absolute error of every other image (mean over the channels). The first
    place shown is the one with the largest error, without a reference the one with the largest contrast.
    """
    where = "viz.zoom"
    _words(where, caption, alt)
    images = dict(images)
    if reference is not None and not isinstance(reference, str):
        images["reference"], reference = reference, "reference"
    planes = _planes(where, images)
    _same_size(where, planes)
    if reference is not None and reference not in planes:
        raise GirlibError(f"{where}: reference {reference!r} is not among {', '.join(planes)}; give its title, or the image itself.")
    H, W = next(iter(planes.values())).shape[:2]
    if not 1 <= window <= min(H, W):
        raise GirlibError(f"{where}: window={window} in images of {H}x{W}; give a size from 1 to {min(H, W)}.")
    pictures, bars = _draw(where, planes, kind, None)
    errors, first = {}, next(iter(planes.values()))
    if reference is not None:
        errors = {t: _per_pixel(np.abs(p - planes[reference])) for t, p in planes.items() if t != reference}
        maps, error_bars = _draw(where, errors, "error", None)
        bars += error_bars
    y, x = _busiest(sum(errors.values()) if errors else _contrast(_per_pixel(first)), window)

    def window_of(rgb, name):
        return f'<div class="win">{_img(rgb, name, crisp=True)}</div>'

    overview = reference or next(iter(planes))
    tiles = [_tile("where", f'<div class="ov drag" {_DRAG}>{_img(pictures[overview], overview + ", whole")}<span class="mk"></span></div>')]
    for title, rgb in pictures.items():
        error = f'<div class="t">error</div>{window_of(maps[title], "error of " + title)}' if title in errors else ""
        tiles.append(_tile(title, window_of(rgb, title) + error))
    columns = _columns(len(tiles))
    shown_at = max(1, 320 // window) * window
    width = _row_width(shown_at, columns)
    state = f"--u:{x};--v:{y};--hu:{W - window};--hv:{H - window};--rw:{width};--W:{W};--H:{H};--s:{window};--r:{window}"
    sliders = _range("u", "left edge", W - window, x, span=window) + _range("v", "top edge", H - window, y, span=window)
    cut = (slice(y, y + window), slice(x, x + window))
    stills = [(overview, _framed(pictures[overview], (y, x, window)))] + [(t, rgb[cut]) for t, rgb in pictures.items()]
    stills += [(f"error of {t}", maps[t][cut]) for t in errors]
    return _piece("zm", _row(tiles, shown_at, columns) + sliders + _bars(bars), draw.sheet(stills, columns, bars), caption + draw.missing(planes), alt, style=state)


def probe(image, kernel, *, points, caption, alt, kind="photo"):
    """The weights with which a filter reads the neighbourhood of the pixel under the cursor, or of the one chosen by key or tap.

    kernel(y, x) returns the signed weights (h, w), both odd, around that pixel. points is a list of (y, x, "name"), or a step
    between pixels of a grid. Each kernel is drawn on its own scale: white 0, red positive, blue negative; its largest weight is told.
    """
    where = "viz.probe"
    _words(where, caption, alt)
    planes = _planes(where, {"image": image})
    pictures, bars = _draw(where, planes, kind, None)
    rgb = pictures["image"]
    H, W = rgb.shape[:2]
    points, across, chosen = _points(where, points, H, W)
    kernels = [draw.plane(where, f"the kernel at {name}", kernel(y, x)) for y, x, name in points]
    h, w = kernels[0].shape[:2]
    if any(k.shape != (h, w) for k in kernels) or h % 2 == 0 or w % 2 == 0:
        shapes = sorted({"x".join(map(str, k.shape)) for k in kernels})
        raise GirlibError(f"{where}: kernels of {', '.join(shapes)}; expected one odd height and one odd width for all, the pixel in the centre.")
    drawn, labels = [], []
    for (y, x, name), weights in zip(points, kernels):
        bar = draw.bars_of(where, [weights], ["signed"], None)["signed"]
        drawn.append(draw.colours(weights, bar))
        labels.append(f"{name}: largest weight {draw.number(np.nanmax(np.abs(weights)))}")

    group = hashlib.sha256(b"".join([rgb.tobytes(), *(d.tobytes() for d in drawn), caption.encode()])).hexdigest()[:12]
    _seen[group] += 1
    group = f"gir-{group}-{_seen[group]}"
    marks, rules = [], []
    for k, (y, x, name) in enumerate(points):
        if across:
            step = across[1]
            box = f"left:{100 * (x - step // 2) / W:.4g}%;top:{100 * (y - step // 2) / H:.4g}%;width:{100 * step / W:.4g}%;height:{100 * step / H:.4g}%"
        else:
            box = f"left:{100 * (x + 0.5) / W:.4g}%;top:{100 * (y + 0.5) / H:.4g}%"
        checked = " checked" if k == chosen else ""
        marks.append(
            f'<label class="pt{"" if across else " disc"}" style="{box}"><input type="radio" name="{group}" aria-label="{escape(name)}" {QUIET}{checked}>'
            f'{"" if across else f"<span aria-hidden=true>{k + 1}</span>"}</label>'
        )
        state = f"{{--i:{k};--x:{x - w // 2};--y:{y - h // 2}}}"
        rules.append((f".{group}:has(.pt:nth-of-type({k + 1})>input:checked){state}", f".{group}:has(.pt:nth-of-type({k + 1}):hover>input){state}"))
    css = "".join(rule[0] for rule in rules) + "".join(rule[1] for rule in rules)  # the pixel under the cursor wins over the chosen one
    keys = f'onkeydown="{_KEYS}" data-n="{across[0]}"' if across else ""
    stack = "".join(_frame(k, _img(d, f"weights at {name}"), label) for k, (d, label, (_, _, name)) in enumerate(zip(drawn, labels, points)))
    per_row = min(len(points), across[0] if across else 4)
    tiles = [
        _tile("image", f'<div class="ov" role="radiogroup" aria-label="pixel" {keys}>{_img(rgb, "the image to probe")}{"".join(marks)}<span class="mk"></span></div>'),
        _tile("around the pixel", f'<div class="win">{_img(rgb, "the image around the pixel", crisp=True)}</div>', "cut"),
        _tile("its weights", f'<div class="fr">{stack}</div>', f"many\" style=\"--pc:{per_row}"),
    ]
    width = max(_width(rgb), _width(drawn[0]))
    state = f"--W:{W};--H:{H};--s:{w};--r:{h}"
    kernel_bar = _bar("weight", "−largest", "largest", draw.Bar("signed", -1, 1).strip)
    still = draw.sheet([("image", rgb), *zip(labels, drawn)], min(4, len(points) + 1), bars)
    body = _row(tiles, width, 3) + _bars(bars) + kernel_bar
    return _piece(f"pb {group}", body, still, caption + draw.missing(planes), alt, style=state, css=css)


# Checks

def _words(where, caption, alt):
    for name, text in [("caption", caption), ("alt", alt)]:
        if not isinstance(text, str) or not text.strip():
            what = "what to see in the picture" if name == "caption" else "what is in it, for a reader who can't see it"
            raise GirlibError(f"{where}: {name} is {text!r}; say in a sentence {what}.")


def _planes(where, images):
    if not isinstance(images, dict) or not images:
        raise GirlibError(f"{where}: images is {type(images).__name__}, expected a dict title -> image with at least one entry.")
    return {str(title): draw.plane(where, repr(title), image) for title, image in images.items()}


def _same_size(where, planes):
    sizes = {title: "x".join(map(str, p.shape[:2])) for title, p in planes.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{title} is {size}" for title, size in sizes.items())
        raise GirlibError(f"{where}: {told}; all need the same height and width (resize them first).")


def _points(where, points, H, W):
    """-> [(y, x, name)], (points in a row, step) of a grid or None, index of the first one shown."""
    if isinstance(points, Integral):
        step = int(points)
        if not 1 <= step <= min(H, W):
            raise GirlibError(f"{where}: a step of {step} in an image of {H}x{W}; give one from 1 to {min(H, W)}.")
        ys, xs = range(step // 2, H, step), range(step // 2, W, step)
        found, across, chosen = [(y, x, f"row {y}, column {x}") for y in ys for x in xs], (len(xs), step), len(ys) // 2 * len(xs) + len(xs) // 2
    else:
        found, across, chosen = [(int(y), int(x), str(name)) for y, x, name in points], None, 0
    if not 1 <= len(found) <= MOST_POINTS:
        raise GirlibError(f"{where}: {len(found)} points; give 1 to {MOST_POINTS} (a larger step, a shorter list).")
    for y, x, name in found:
        if not (0 <= y < H and 0 <= x < W):
            raise GirlibError(f"{where}: the point {name} at ({y}, {x}) lies outside the image of {H}x{W}; points are (y, x, name).")
    return found, across, chosen


# Pictures

def _draw(where, planes, kind, limits):
    """planes: title -> plane. Returns title -> RGB bytes, and the bars of the kinds that need one."""
    kinds = {title: kind.get(title, "photo") if isinstance(kind, dict) else kind for title in planes}
    for title, image in planes.items():
        draw.check_kind(where, repr(title), kinds[title], image)
    bars = draw.bars_of(where, list(planes.values()), list(kinds.values()), limits)
    pictures = {title: draw.colours(image, bars[kinds[title]]) for title, image in planes.items()}
    return pictures, [bar for bar in bars.values() if bar.kind != "photo"]


def _frames(where, results, kind, limits):
    """What render returned, one entry a frame -> title -> list of RGB bytes, bars, words for the caption, drawn by matplotlib?"""
    if hasattr(results[0], "savefig"):
        pictures = [_close(result) for result in results]
        if len({rgb.shape for rgb in pictures}) > 1:
            raise GirlibError(f"{where}: render returns figures of different sizes; give all the same figsize.")
        return {"": pictures}, [], "", True
    results = [result if isinstance(result, dict) else {"": result} for result in results]
    titles = list(results[0])
    if any(list(result) != titles for result in results):
        raise GirlibError(f"{where}: render returns different titles for different values; it must return {', '.join(map(repr, titles))} always.")
    planes = {(title, k): draw.plane(where, repr(title), image) for k, result in enumerate(results) for title, image in result.items()}
    for title in titles:
        _same_size(where, {f"{title} frame {k + 1}".strip(): planes[title, k] for k in range(len(results))})
    kinds = {key: kind.get(key[0], "photo") if isinstance(kind, dict) else kind for key in planes}
    pictures, bars = _draw(where, planes, kinds, limits)
    notes = draw.missing({title: np.stack([_per_pixel(planes[title, k]) for k in range(len(results))]) for title in titles})
    return {str(title): [pictures[title, k] for k in range(len(results))] for title in titles}, bars, notes, False


def _per_pixel(image):
    return image.mean(-1) if image.ndim == 3 else image


def _contrast(image):
    dy, dx = np.gradient(image) if min(image.shape) > 1 else (image * 0, image * 0)
    return np.hypot(dy, dx)


def _busiest(weight, window):
    """(top, left) of the window with the largest sum of `weight` (H, W)."""
    total = np.pad(np.nan_to_num(weight, posinf=0, neginf=0).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    sums = total[window:, window:] - total[:-window, window:] - total[window:, :-window] + total[:-window, :-window]
    return tuple(int(i) for i in np.unravel_index(sums.argmax(), sums.shape))


def _framed(rgb, square):
    """A copy with a white-on-black frame around (top, left, size), for the still."""
    from PIL import Image, ImageDraw

    image, (y, x, s) = Image.fromarray(rgb), square
    pen = ImageDraw.Draw(image)
    pen.rectangle((x - 2, y - 2, x + s + 1, y + s + 1), outline="black")
    pen.rectangle((x - 1, y - 1, x + s, y + s), outline="white")
    return np.asarray(image)


def _close(fig, tight=False):
    import matplotlib.pyplot as plt

    rgb = draw.rasterise(fig, tight)
    plt.close(fig)
    return rgb


# HTML

# A press or a drag on the picture moves the sliders (their thumb to the pointer, a window's centre to it).
_DRAG = (
    'onpointerdown="this.onpointermove(event)" onpointermove="if(event.buttons){const b=this.getBoundingClientRect(),f=this.closest(\'figure\');'
    "for(const [q,d] of [['.u',(event.clientX-b.left)/b.width],['.v',(event.clientY-b.top)/b.height]]){const r=f.querySelector(q);"
    'if(r){const s=+r.dataset.span;r.value=d*(+r.max+s)-s/2;r.oninput()}}}"'
)
_KEYS = (
    "const d={ArrowUp:-1,ArrowDown:1}[event.key]*this.dataset.n,a=[...this.querySelectorAll('input')],t=a[a.indexOf(event.target)+d];"
    "if(d){event.preventDefault();if(t){t.checked=true;t.focus()}}"
)


def _piece(name, body, still, caption, alt, style="", css="", named=True):
    """The figure with its rules; `named` puts the alt text on the figure (else a picture in it carries it)."""
    label = f' aria-label="{escape(alt)}"' if named else ""
    html = f'<style>{_css()}{css}</style><figure class="gir {name}" style="{style}"{label} {QUIET}>{body}<figcaption>{escape(caption)}</figcaption></figure>'
    return Piece(html, still, alt)


@lru_cache(1)
def _css():
    import re

    text = files("girlib").joinpath("viz.css").read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.S)).strip()


def _columns(count):
    rows = -(-count // 4)
    return -(-count // rows)


def _width(rgb, drawn=False):
    """Pixels on the page: an image enlarged by a whole number, a drawing at 96 dots an inch."""
    return round(rgb.shape[1] / 1.5) if drawn else rgb.shape[1] * max(1, 320 // rgb.shape[1])


def _row_width(width, columns):
    return width * columns + GAP * (columns - 1)


def _img(rgb, alt, drawn=False, crisp=False):
    width = _width(rgb, drawn)
    crisp = ' class="px"' if crisp or width > rgb.shape[1] else ""
    return f'<img{crisp} src="{draw.data_uri(rgb)}" alt="{escape(alt)}" width="{width}" height="{round(width * rgb.shape[0] / rgb.shape[1])}">'


def _tile(title, body, more=""):
    head = f'<div class="t">{escape(title)}</div>' if title else ""
    return f'<div class="tile {more}">{head}{body}</div>'


def _frame(k, body, label):
    return f'<div class="shot" style="--k:{k}">{body}<div class="lb">{escape(label)}</div></div>'


def _row(tiles, width, columns):
    return f'<div class="row" style="--n:{columns};--rw:{_row_width(width, columns)}">{"".join(tiles)}</div>'


def _bar(kind, low, high, strip):
    return f'<div class="bar"><span>{kind} {low}</span><img src="{draw.data_uri(strip)}" alt="colour scale" width="120" height="12"><span>{high}</span></div>'


def _bars(bars):
    return "".join(_bar(bar.kind, *bar.ends, bar.strip) for bar in bars)


def _range(letter, name, highest, value, values=None, span=0):
    """A slider that moves --u or --v, with its name before it and the value behind it."""
    told = f' data-v="{escape(json.dumps(values, ensure_ascii=False))}" onfocus="this.oninput()"' if values else ""
    speak = "if(this.dataset.v)this.setAttribute('aria-valuetext',JSON.parse(this.dataset.v)[this.value]);"
    if values:
        shown = "".join(f'<span style="--k:{k}">{escape(v)}</span>' for k, v in enumerate(values))
        shown = f'<span class="fr" style="--i:round(var(--{letter}))" aria-hidden="true">{shown}</span>'
    else:
        shown = f'<span class="at" style="--at:var(--{letter})" aria-hidden="true"></span>'
    return (
        f'<div class="ctl"><span aria-hidden="true">{escape(name)}</span><input type="range" class="{letter}" min="0" max="{highest}" step="1" value="{value}" '
        f'aria-label="{escape(name)}" data-span="{span}" {QUIET}{told} '
        f"oninput=\"{speak}this.closest('figure').style.setProperty('--{letter}',this.value)\">{shown}</div>"
    )


def _value(value):
    return f"{value:g}" if isinstance(value, Real) and not isinstance(value, bool) else str(value)


# The live twin

def _kernel_runs():
    if os.environ.get("GIRLIB_BOOK"):
        return False
    try:
        import ipywidgets  # noqa: F401
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None


def _live_row(where, result, kind, limits):
    frames, bars, notes, drawn = _frames(where, [result], kind, limits)
    width, columns = max(_width(p[0], drawn) for p in frames.values()), _columns(len(frames))
    tiles = [_tile(title, _img(pictures[0], title or "this state", drawn)) for title, pictures in frames.items()]
    return f'<div class="gir">{_row(tiles, width, columns)}{_bars(bars)}{escape(notes)}</div>'


def _twin(html_of, lists, start):
    """Sliders over the whole range of each parameter, and the picture they ask for."""
    import ipywidgets as widgets

    def slider(name, values):
        if any(isinstance(v, bool) or not isinstance(v, Real) for v in values):
            return widgets.Dropdown(description=name, options=values, value=start[name])
        low, high = min(values), max(values)
        if all(isinstance(v, Integral) for v in values):
            return widgets.IntSlider(description=name, min=int(low), max=int(high), value=int(start[name]))
        if low > 0 and high / low >= 50:
            return widgets.FloatLogSlider(description=name, min=np.log10(low), max=np.log10(high), value=start[name], readout_format=".2g")
        return widgets.FloatSlider(description=name, min=low, max=high, step=(high - low) / 100, value=start[name], readout_format=".3g")

    sliders = {name: slider(name, values) for name, values in lists.items()}
    picture = widgets.HTML()

    def move(_=None):
        picture.value = html_of({name: s.value for name, s in sliders.items()})

    for s in sliders.values():
        s.observe(move, "value")
    move()
    return widgets.VBox([widgets.HTML("Live: any value in between"), *sliders.values(), picture])
