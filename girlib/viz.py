"""Figures of the book and the pieces in it that move without a kernel and without script.

    figure   a matplotlib figure with caption and alt text        compare  before and after, a slider between them
    show     images in a row at one zoom                          explore  a picture for each value of one or two parameters
    zoom     the same window of several images, with error maps   probe    the weights around the pixel under the cursor
    live_curve   loss and metric of a training that runs

Reads as   check -> 8-bit pictures on a stated scale (`_drawing`) -> HTML whose state lives in CSS (`_markup`, `viz.css`)
Images     arrays or tensors (H, W), (C, H, W) or (1, C, H, W), C = 1 or 3
Kinds      photo (clipped to [0, 1])   depth   error (from 0)   signed (symmetric); one scale for all images of a kind
Words      caption says what to see, alt describes the picture to a blind reader; titles and both are plain text
"""

import hashlib
import os
from collections import Counter
from itertools import product
from numbers import Integral, Real

import numpy as np

from girlib import _drawing as draw
from girlib import _markup as html
from girlib.errors import GirlibError

MOST_FRAMES, MOST_POINTS = 36, 256
_seen = Counter()  # how often a probe was made: two equal ones on a page must not share their radio buttons


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
    body = html.row([html.img(rgb, alt, drawn=True)], html.width_of(rgb, drawn=True), 1)
    return html.piece("fg", body, rgb, caption, alt, named=False)


def show(images, *, kind="photo", caption, alt, limits=None, inset=None, columns=None):
    """Images side by side at one zoom, each under its title: images is a dict title -> image.

    kind is one word or a dict title -> kind; limits (low, high) or a dict kind -> (low, high) overrides the scale.
    inset=(top, left, size) enlarges that square below each image.
    """
    where = "viz.show"
    _words(where, caption, alt)
    planes = _planes(where, images)
    pictures, scales = _draw(where, planes, kind, limits)
    columns = columns or html.columns_of(len(pictures))
    still, crops = pictures.items(), {}
    if inset is not None:
        H, W = _same_size(where, planes)
        y, x, s = inset
        if not (0 <= y and 0 <= x and 0 < s and y + s <= H and x + s <= W):
            raise GirlibError(f"{where}: inset {tuple(inset)} leaves the image of {H}x{W}; give (top, left, size) in pixels.")
        place = f"--W:{W};--H:{H};--s:{s};--r:{s};--x:{x};--y:{y}"
        crops = {title: rgb[y : y + s, x : x + s] for title, rgb in pictures.items()}
        still = [(title, draw.framed(rgb, inset)) for title, rgb in pictures.items()] + [(f"{t}, enlarged", c) for t, c in crops.items()]
    tiles = []
    for title, rgb in pictures.items():
        body = html.img(rgb, title)
        if title in crops:
            body = f'<div class="ov" style="{place}">{body}<span class="mk"></span></div>'
            body += f'<div class="more">{html.img(crops[title], title + ", enlarged")}</div>'
        tiles.append(html.tile(title, body))
    body = html.row(tiles, max(map(html.width_of, pictures.values())), columns) + html.bars(scales)
    return html.piece("sh", body, draw.sheet(still, columns, scales), caption + draw.missing(planes), alt)


def compare(before, after, *, labels, kind="photo", caption, alt):
    """Two images of one size on top of each other; a slider moves the border between them. labels = (before, after)."""
    where = "viz.compare"
    _words(where, caption, alt)
    if isinstance(labels, str) or len(labels) != 2 or labels[0] == labels[1]:
        raise GirlibError(f"{where}: labels={labels!r}; give two different names, (before, after).")
    planes = _planes(where, dict(zip(labels, [before, after], strict=True)))
    _same_size(where, planes)
    pictures, scales = _draw(where, planes, kind, None)
    (left, top), (right, under) = pictures.items()
    width = html.width_of(top)
    body = (
        f'<div class="ends"><span>{html.escape(left)}</span><span>{html.escape(right)}</span></div>'
        f'<div class="st drag" {html.DRAG}><div class="over">{html.img(top, left)}</div><div>{html.img(under, right)}</div>'
        f'<div class="edge"></div></div>{html.controls(html.slider("u", f"border between {left} and {right}, per cent", 100, 50))}'
    )
    still = draw.sheet(pictures.items(), 2, scales)
    return html.piece("ba", body + html.bars(scales), still, caption + draw.missing(planes), alt, f"--u:50;--hu:100;--rw:{width}")


def explore(render, *, caption, alt, kind="photo", limits=None, start=None, **parameters):
    """A picture for each value of one or two parameters, chosen by sliders: explore(f, radius=[1, 2, 4], eps=[1e-4, 1e-2], ...).

    render(radius=..., eps=...) returns an image, a dict title -> image, or a matplotlib Figure. start names the values shown
    first (else the middle ones). In a live notebook an ipywidgets twin below moves through the values in between.
    """
    where = "viz.explore"
    _words(where, caption, alt)
    lists = {name: list(values) for name, values in parameters.items()}
    if len(lists) not in (1, 2) or not all(lists.values()):
        raise GirlibError(f"{where}: got {lists or 'no parameters'}; give one or two parameters, each with a list of values.")
    choices = [dict(zip(lists, values, strict=True)) for values in product(*lists.values())]
    if len(choices) > MOST_FRAMES:
        raise GirlibError(f"{where}: {len(choices)} frames, expected at most {MOST_FRAMES}; leave out some values.")
    start = {name: values[len(values) // 2] for name, values in lists.items()} | (start or {})
    if start not in choices:
        raise GirlibError(f"{where}: start={start} is not among the values of {lists}; choose one of them.")

    frames, scales, notes, drawn = _frames(where, [render(**choice) for choice in choices], kind, limits)
    labels = [", ".join(f"{name} = {_value(value)}" for name, value in choice.items()) for choice in choices]
    *_, last = lists.values()
    per_row = len(last) if len(lists) == 2 else html.columns_of(len(choices))
    tiles, still = [], []
    for title, pictures in frames.items():
        if len(frames) > 1 and all(np.array_equal(rgb, pictures[0]) for rgb in pictures):
            tiles.append(html.tile(title, html.img(pictures[0], title)))  # the same in every frame: embedded once
            continue
        named = [f"{title}, {label}" if title else label for label in labels]
        shots = [html.img(rgb, name, drawn) for rgb, name in zip(pictures, named, strict=True)]
        tiles.append(html.tile(title, html.stack(shots, labels, title or alt), "many", per_row))
        still += zip(named, pictures, strict=True)
    still = still or [(title, pictures[0]) for title, pictures in frames.items()]

    index = [values.index(start[name]) for name, values in lists.items()]
    sliders = [html.choice("uv"[k], name, [_value(value) for value in values], index[k]) for k, (name, values) in enumerate(lists.items())]
    width, columns = max(html.width_of(pictures[0], drawn) for pictures in frames.values()), html.columns_of(len(tiles))
    state = f"--rw:{html.row_width(width, columns)};--m:{len(last) if len(lists) == 2 else 1};--v:0"
    state += "".join(f";--{'uv'[k]}:{index[k]};--h{'uv'[k]}:{len(values) - 1}" for k, values in enumerate(lists.values()))
    body = html.row(tiles, width, columns) + html.controls(*sliders) + html.bars(scales)
    piece = html.piece("ex", body, draw.sheet(still, per_row, scales), caption + notes, alt, state, named=len(frames) > 1)
    if not _kernel_runs():
        return piece
    fixed = {scale.kind: (scale.low, scale.high) for scale in scales}
    return html.LivePiece(piece, _twin(lambda values: _live(where, render(**values), kind, fixed), lists, start))


def zoom(images, *, reference=None, window=48, kind="photo", caption, alt):
    """The same window of all images, enlarged; two sliders (or a press on the small whole image) move it in all of them.

    reference, an image or the title of one, adds the absolute error of every other image (mean over the channels). The first
    place shown is the one with the largest error, without a reference the one with the largest contrast.
    """
    where = "viz.zoom"
    _words(where, caption, alt)
    if reference is not None and not isinstance(reference, str):
        images, reference = dict(images) | {"reference": reference}, "reference"
    planes = _planes(where, images)
    H, W = _same_size(where, planes)
    if reference is not None and reference not in planes:
        raise GirlibError(f"{where}: reference {reference!r} is not among {', '.join(planes)}; give its title, or the image itself.")
    if not 1 <= window <= min(H, W):
        raise GirlibError(f"{where}: window={window} in images of {H}x{W}; give a size from 1 to {min(H, W)}.")
    pictures, scales = _draw(where, planes, kind, None)
    whole = reference or next(iter(planes))
    maps, weight = {}, _contrast(_per_pixel(planes[whole]))
    if reference is not None and len(planes) > 1:
        errors = {title: _per_pixel(np.abs(p - planes[reference])) for title, p in planes.items() if title != reference}
        maps, error_scales = _draw(where, errors, "error", None)
        scales, weight = scales + error_scales, sum(errors.values())
    y, x = _heaviest(weight, window)

    overview = f'<div class="ov drag" {html.DRAG}>{html.img(pictures[whole], whole + ", whole")}<span class="mk"></span></div>'
    tiles = [html.tile("where", overview)]
    for title, rgb in pictures.items():
        error = f'<div class="t">error</div>{html.window(maps[title], "error of " + title)}' if title in maps else ""
        tiles.append(html.tile(title, html.window(rgb, title) + error))
    width, columns = html.width_of(pictures[whole][:window, :window]), html.columns_of(len(tiles))
    state = f"--u:{x};--v:{y};--hu:{W - window};--hv:{H - window};--W:{W};--H:{H};--s:{window};--r:{window}"
    sliders = html.controls(
        html.position("u", "left edge", W - window, x, span=window), html.position("v", "top edge", H - window, y, span=window)
    )
    cut = (slice(y, y + window), slice(x, x + window))
    still = [("where", draw.framed(pictures[whole], (y, x, window)))] + [(title, rgb[cut]) for title, rgb in pictures.items()]
    still += [(f"error of {title}", rgb[cut]) for title, rgb in maps.items()]
    body = html.row(tiles, width, columns) + sliders + html.bars(scales)
    state += f";--rw:{html.row_width(width, columns)}"
    return html.piece("zm", body, draw.sheet(still, columns, scales), caption + draw.missing(planes), alt, state)


def probe(image, kernel, *, points, caption, alt, kind="photo"):
    """The weights with which a filter reads the neighbourhood of the pixel under the cursor, or of the one chosen by key or tap.

    kernel(y, x) returns the signed weights (h, w), both odd, around that pixel. points is a list of (y, x, "name"), or a step
    between the pixels of a grid. Each kernel has its own scale: white 0, red positive, blue negative; its largest weight is told.
    """
    where = "viz.probe"
    _words(where, caption, alt)
    planes = _planes(where, {"image": image})
    pictures, scales = _draw(where, planes, kind, None)
    rgb = pictures["image"]
    H, W = rgb.shape[:2]
    step = int(points) if isinstance(points, Integral) else None
    points = _points(where, points, H, W)
    kernels = [draw.plane(where, f"the kernel at {name}", kernel(y, x)) for y, x, name in points]
    h, w = kernels[0].shape[:2]
    if {k.shape for k in kernels} != {(h, w)} or h % 2 == 0 or w % 2 == 0:
        shapes = ", ".join(sorted({"x".join(map(str, k.shape)) for k in kernels}))
        raise GirlibError(f"{where}: kernels of {shapes}; expected one odd height and width for all, the pixel in the centre.")
    drawn = [draw.colours(k, draw.bars_of(where, [k], ["signed"], None)["signed"]) for k in kernels]
    largest = [np.max(np.abs(k), initial=0, where=np.isfinite(k)) for k in kernels]
    labels = [f"{name}: largest weight {draw.number(top)}" for (_, _, name), top in zip(points, largest, strict=True)]
    across = len(range(step // 2, W, step)) if step else min(len(points), 4)
    first = len(points) // across // 2 * across + across // 2 if step else 0

    digest = hashlib.sha256(b"".join([rgb.tobytes(), *(d.tobytes() for d in drawn), caption.encode()])).hexdigest()[:12]
    _seen[digest] += 1
    group = f"gir-{digest}-{_seen[digest]}"
    marks, chosen, hovered = [], "", ""
    for k, (y, x, _) in enumerate(points):
        top, left = (y - step // 2, x - step // 2) if step else (y + 0.5, x + 0.5)
        box = f"--l:{100 * left / W:.4g}%;--t:{100 * top / H:.4g}%;--cw:{100 * (step or 0) / W:.4g}%;--ch:{100 * (step or 0) / H:.4g}%"
        button = f'<input type="radio" name="{group}" aria-label="{html.escape(labels[k])}" {html.QUIET}{" checked" if k == first else ""}>'
        number = "" if step else f'<span aria-hidden="true">{k + 1}</span>'
        marks.append(f'<label class="pt {"square" if step else "disc"}" style="{box}">{button}{number}</label>')
        state = f"{{--i:{k};--x:{x - w // 2};--y:{y - h // 2}}}"
        chosen += f".{group}:has(.pt:nth-of-type({k + 1})>input:checked){state}"
        hovered += f".{group}:has(.pt:nth-of-type({k + 1}):hover>input){state}"  # later and equally specific: the cursor wins
    keys = f'{html.KEYS} data-n="{across}"' if step else ""
    picture = html.img(rgb, "the image to probe") + "".join(marks) + '<span class="mk"></span>'
    shots = [f'<div class="aim">{html.img(d, "weights at " + label)}</div>' for d, label in zip(drawn, labels, strict=True)]
    tiles = [
        html.tile("image", f'<div class="ov" role="radiogroup" aria-label="pixel" {keys}>{picture}</div>'),
        html.tile("around the pixel", html.window(rgb, "the image around the pixel", "aim"), "cut"),
        html.tile("its weights", html.stack(shots, labels, "weights around the pixel"), "many even" if step else "many", across),
    ]
    scale = html.bar("weight", "−largest", "largest", draw.Bar("signed", -1, 1).strip)
    body = html.row(tiles, max(html.width_of(rgb), html.width_of(drawn[0])), 3) + html.bars(scales, scale)
    still = [("one kernel a pixel", draw.mosaic(drawn, across))] if step else list(zip(labels, drawn, strict=True))
    still = draw.sheet([("image", rgb), *still], min(4, 1 + len(still)), scales)
    return html.piece(f"pb {group}", body, still, caption + draw.missing(planes), alt, f"--W:{W};--H:{H};--s:{w};--r:{h}", chosen + hovered)


def live_curve(*, caption, alt):
    """Loss and validation metric of a training, to be given as train(..., watch=curve): it is called with each line of the history.

    Where a kernel runs the curve grows while the network learns; as the last expression of a cell it is a figure like any other.
    """
    _words("viz.live_curve", caption, alt)
    return _Curve(caption, alt)


class _Curve:
    def __init__(self, caption, alt):
        self.words, self.lines, self.shown = {"caption": caption, "alt": alt}, [], None

    def __call__(self, line):
        if not isinstance(line, dict) or not {"step", "loss"} <= set(line):
            raise GirlibError(f"viz.live_curve: got {line!r}; expected a line of the history with step and loss, as train gives it.")
        if self.lines and line["step"] <= self.lines[-1]["step"]:
            self.lines = []  # another training begins
        self.lines.append(line)
        if _kernel_runs():
            from IPython.display import display

            if self.shown:
                self.shown.update(self.piece())
            else:
                self.shown = display(self.piece(), display_id=True)

    def piece(self):
        import matplotlib.pyplot as plt

        names = ["loss", *dict.fromkeys(name for line in self.lines for name in line if name not in ("step", "loss", "rate", "seconds"))]
        fig, panels = plt.subplots(1, len(names), figsize=(3.4 * max(len(names), 2), 2.6), layout="constrained", squeeze=False)
        for k, (name, axes) in enumerate(zip(names, panels[0], strict=True)):
            points = [(line["step"], line[name]) for line in self.lines if line.get(name) is not None]
            axes.plot(*zip(*points, strict=True) if points else ((), ()), "o-", color=f"C{k}", markersize=3)
            axes.set(title="loss, training" if name == "loss" else f"{name}, validation", xlabel="step")
            if name == "loss" and points and min(value for _, value in points) > 0:
                axes.set_yscale("log")
        return figure(fig, **self.words)

    def _repr_mimebundle_(self, include=None, exclude=None):
        if self.shown:
            from IPython.display import HTML

            self.shown.update(HTML(""))  # the growing curve makes place for the whole one
            self.shown = None
        return self.piece()._repr_mimebundle_(include, exclude)


# Checks


def _words(where, caption, alt):
    for name, text, what in [
        ("caption", caption, "what to see in the picture"),
        ("alt", alt, "what the picture shows, for a reader who can't see it"),
    ]:
        if not isinstance(text, str) or not text.strip():
            raise GirlibError(f"{where}: {name} is {text!r}, expected a sentence; say {what}.")


def _planes(where, images):
    if not isinstance(images, dict) or not images:
        raise GirlibError(f"{where}: images is {type(images).__name__}, expected a dict title -> image with at least one entry.")
    return {str(title): draw.plane(where, repr(title), image) for title, image in images.items()}


def _same_size(where, planes):
    """-> (H, W) of all planes."""
    sizes = {title: p.shape[:2] for title, p in planes.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{title} is {h}x{w}" for title, (h, w) in sizes.items())
        raise GirlibError(f"{where}: {told}; all need the same height and width (resize them first).")
    return next(iter(sizes.values()))


def _kinds(where, titles, kind):
    """title -> kind; a title that a dict leaves out is a photo."""
    if isinstance(kind, dict) and not set(kind) <= set(titles):
        raise GirlibError(f"{where}: kind names {', '.join(map(repr, kind))}, but the titles are {', '.join(map(repr, titles))}.")
    return {title: kind.get(title, "photo") if isinstance(kind, dict) else kind for title in titles}


def _points(where, points, H, W):
    """-> [(y, x, name)], from such a list or from the step of a grid, row by row."""
    if isinstance(points, Integral):
        if not 1 <= points <= min(H, W):
            raise GirlibError(f"{where}: a step of {points} in an image of {H}x{W}; give one from 1 to {min(H, W)}.")
        ys, xs = range(points // 2, H, points), range(points // 2, W, points)
        found = [(y, x, f"row {y}, column {x}") for y in ys for x in xs]
    else:
        found = [(int(y), int(x), f"{k}. {name}") for k, (y, x, name) in enumerate(points, 1)]
    if not 1 <= len(found) <= MOST_POINTS:
        raise GirlibError(f"{where}: {len(found)} points, expected 1 to {MOST_POINTS}; take a larger step or a shorter list.")
    for y, x, name in found:
        if not (0 <= y < H and 0 <= x < W):
            raise GirlibError(f"{where}: the point {name} at ({y}, {x}) lies outside the image of {H}x{W}; points are (y, x, name).")
    return found


# Pictures


def _draw(where, planes, kind, limits):
    """planes: title -> plane. Returns title -> RGB bytes, and the scales that need a colour bar."""
    kinds = _kinds(where, list(planes), kind)
    for title, image in planes.items():
        draw.check_kind(where, repr(title), kinds[title], image)
    scales = draw.bars_of(where, list(planes.values()), list(kinds.values()), limits)
    pictures = {title: draw.colours(image, scales[kinds[title]]) for title, image in planes.items()}
    return pictures, [scale for scale in scales.values() if scale.kind != "photo"]


def _frames(where, results, kind, limits):
    """What render returned, one result a frame -> title -> list of RGB bytes, scales, words for the caption, drawn by matplotlib?"""
    if hasattr(results[0], "savefig"):
        pictures = [_close(result) for result in results]
        if len({rgb.shape for rgb in pictures}) > 1:
            raise GirlibError(f"{where}: render returns figures of different sizes; give all the same figsize.")
        return {"": pictures}, [], "", True
    results = [result if isinstance(result, dict) else {"": result} for result in results]
    titles = list(results[0])
    if any(list(result) != titles for result in results):
        raise GirlibError(f"{where}: render returns other titles for some values; expected {', '.join(map(repr, titles))} every time.")
    frames = {title: [draw.plane(where, repr(title), result[title]) for result in results] for title in titles}
    every, kinds = {}, {}
    for title, of_title in _kinds(where, titles, kind).items():
        named = {f"{title} frame {k}": p for k, p in enumerate(frames[title])}
        _same_size(where, named)
        every, kinds = every | named, kinds | dict.fromkeys(named, of_title)
    pictures, scales = _draw(where, every, kinds, limits)
    notes = draw.missing({title: np.stack([_per_pixel(p) for p in planes]) for title, planes in frames.items()})
    return {str(title): [pictures[f"{title} frame {k}"] for k in range(len(results))] for title in titles}, scales, notes, False


def _per_pixel(image):
    return image.mean(-1) if image.ndim == 3 else image


def _contrast(image):
    padded = np.pad(image, ((0, 1), (0, 1)), mode="edge")
    return np.abs(np.diff(padded, axis=0)[:, :-1]) + np.abs(np.diff(padded, axis=1)[:-1])


def _heaviest(weight, window):
    """(top, left) of the window with the largest sum of `weight` (H, W)."""
    total = np.pad(np.where(np.isfinite(weight), weight, 0).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    sums = total[window:, window:] - total[:-window, window:] - total[window:, :-window] + total[:-window, :-window]
    return tuple(int(i) for i in np.unravel_index(sums.argmax(), sums.shape))


def _close(fig, tight=False):
    import matplotlib.pyplot as plt

    rgb = draw.rasterise(fig, tight)
    plt.close(fig)
    return rgb


def _value(value):
    return f"{value:g}" if isinstance(value, Real) and not isinstance(value, bool) else str(value)


# The live twin


def _kernel_runs():
    """Can widgets answer? Never while the book is made: they would show nothing there."""
    if os.environ.get("GIRLIB_BOOK"):
        return False
    try:
        import ipywidgets  # noqa: F401
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None


def _live(where, result, kind, limits):
    frames, scales, notes, drawn = _frames(where, [result], kind, limits)
    tiles = [html.tile(title, html.img(picture, title or "the values chosen", drawn)) for title, (picture,) in frames.items()]
    width = max(html.width_of(picture, drawn) for (picture,) in frames.values())
    row = html.row(tiles, width, html.columns_of(len(tiles))) + html.bars(scales) + html.escape(notes)
    return f'<style>{html.rules()}</style><div class="gir">{row}</div>'


def _twin(html_of, lists, start):
    """Sliders over the whole range of each parameter, and the picture they ask for."""
    import ipywidgets as widgets

    def control(name, values):
        if any(isinstance(value, bool) or not isinstance(value, Real) for value in values):
            return widgets.Dropdown(description=name, options=values, value=start[name])
        low, high = min(values), max(values)
        if all(isinstance(value, Integral) for value in values):
            return widgets.IntSlider(description=name, min=int(low), max=int(high), value=int(start[name]))
        if low > 0 and high / low >= 50:
            return widgets.FloatLogSlider(description=name, min=np.log10(low), max=np.log10(high), value=start[name], readout_format=".2g")
        return widgets.FloatSlider(description=name, min=low, max=high, step=(high - low) / 100, value=start[name], readout_format=".3g")

    boxes, picture = {name: control(name, values) for name, values in lists.items()}, widgets.HTML()

    def move(_=None):
        picture.value = html_of({name: box.value for name, box in boxes.items()})

    for box in boxes.values():
        box.observe(move, "value")
    move()
    return widgets.VBox([widgets.HTML("Live: any value in between"), *boxes.values(), picture])
