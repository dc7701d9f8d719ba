"""From pictures to HTML: what the pieces of `girlib.viz` are made of. Their rules are in `viz.css`.

Reads as   picture -> tile (title above) -> row; frames -> stack of which one shows; slider or radio button -> CSS variable
Safety     every text of a caller passes `escape`; nothing here writes a caller's text into a rule or a handler
"""

import base64
import json
import re
from functools import lru_cache
from html import escape
from importlib.resources import files

from girlib import _drawing as draw

GAP = 12  # between pictures of a row, as in viz.css
QUIET = 'data-lm-suppress-shortcuts="true"'  # else JupyterLab takes the arrow keys for itself

# A press or a drag on the picture moves the sliders: the border goes to the pointer, a window puts its centre there.
DRAG = """onpointerdown="this.onpointermove(event)" onpointermove="if(event.buttons){
const b=this.getBoundingClientRect(),f=this.closest('figure');
for(const [q,d] of [['.u',(event.clientX-b.left)/b.width],['.v',(event.clientY-b.top)/b.height]]){
const r=f.querySelector(q);if(r){const s=+r.dataset.span;r.value=d*(+r.max+s)-s/2;r.oninput()}}}" """.replace("\n", "")

# Left and right are the browser's own; up and down move by a row of the grid.
KEYS = """onkeydown="const d={ArrowUp:-1,ArrowDown:1}[event.key]*this.dataset.n;
if(d){const a=[...this.querySelectorAll('input')],t=a[a.indexOf(event.target)+d];
event.preventDefault();if(t){t.checked=true;t.focus()}}" """.replace("\n", "")


class Piece:
    """What a cell ends with: HTML for pages and notebooks, a PNG still for everything else, the alt text where neither shows."""

    def __init__(self, html, png, alt):
        self.html, self.png, self.alt = html, png, alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html, "image/png": base64.b64encode(self.png).decode(), "text/plain": self.alt}

    def __repr__(self):
        return self.alt


class LivePiece(Piece):
    """A piece with an ipywidgets twin below it."""

    def __init__(self, piece, twin):
        super().__init__(piece.html, piece.png, piece.alt)
        self.twin = twin

    def _ipython_display_(self):
        from IPython.display import display

        display(self._repr_mimebundle_(), raw=True)
        display(self.twin)


def piece(name, body, still, caption, alt, style="", css="", named=True):
    """The figure with its rules; `named` puts the alt text on the figure (else a picture in it carries it)."""
    label = f' aria-label="{escape(alt)}"' if named else ""
    figure = f'<figure class="gir {name}" style="{style}"{label} {QUIET}>{body}<figcaption>{escape(caption)}</figcaption></figure>'
    return Piece(f"<style>{rules()}{css}</style>{figure}", draw.encode(still, "PNG"), alt)


@lru_cache(1)
def rules():
    text = files("girlib").joinpath("viz.css").read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.S)).strip()


def columns_of(count):
    """Four in a row at most, the rows as even as can be."""
    return -(-count // -(-count // 4))


def width_of(rgb, drawn=False):
    """Pixels on the page: an image enlarged by a whole number, a drawing at 96 dots an inch."""
    return round(rgb.shape[1] / 1.5) if drawn else rgb.shape[1] * max(1, 320 // rgb.shape[1])


def row_width(width, columns):
    return width * columns + GAP * (columns - 1)


def img(rgb, alt, drawn=False, crisp=False):
    width = width_of(rgb, drawn)
    height = round(width * rgb.shape[0] / rgb.shape[1])
    crisp = ' class="px"' if crisp or width > rgb.shape[1] else ""
    return f'<img{crisp} src="{draw.data_uri(rgb)}" alt="{escape(alt)}" width="{width}" height="{height}">'


def tile(title, body, more="", print_columns=1):
    head = f'<div class="t">{escape(title)}</div>' if title else ""
    return f'<div class="tile {more}" style="--pc:{print_columns}">{head}{body}</div>'


def row(tiles, width, columns):
    return f'<div class="tiles" style="--n:{columns};--rw:{row_width(width, columns)}">{"".join(tiles)}</div>'


def stack(frames, labels, alt):
    """Frames of which one shows; to a screen reader one picture, whose state the sliders or radio buttons speak."""
    shots = "".join(
        f'<div class="shot" style="--k:{k}" aria-hidden="true">{frame}<div class="lb">{escape(label)}</div></div>'
        for k, (frame, label) in enumerate(zip(frames, labels, strict=True))
    )
    return f'<div class="fr" role="img" aria-label="{escape(alt)}">{shots}</div>'


def window(rgb, alt, more=""):
    """The part of a picture that the state of the figure points at."""
    return f'<div class="win {more}">{img(rgb, alt, crisp=True)}</div>'


def bar(kind, low, high, strip):
    scale = f'<img src="{draw.data_uri(strip)}" alt="colour scale" width="120" height="12">'
    return f'<div class="bar"><span>{kind} {low}</span>{scale}<span>{high}</span></div>'


def bars(scales, more=""):
    drawn = "".join(bar(scale.kind, *scale.ends, scale.strip) for scale in scales) + more
    return f'<div class="bars">{drawn}</div>' if drawn else ""


def slider(letter, name, highest, value, span=0, spoken=None):
    """A range that moves --u or --v; `spoken` are the words for its positions, `span` the width of what it moves."""
    words = f'data-v="{escape(json.dumps(spoken, ensure_ascii=False))}" onfocus="this.oninput()"' if spoken else ""
    speak = "this.setAttribute('aria-valuetext',JSON.parse(this.dataset.v)[this.value]);" if spoken else ""
    return (
        f'<input type="range" class="{letter}" min="0" max="{highest}" step="1" value="{value}" aria-label="{escape(name)}" {QUIET} '
        f"{words} data-span=\"{span}\" oninput=\"{speak}this.closest('figure').style.setProperty('--{letter}',this.value)\">"
    )


def choice(letter, name, values, index):
    """A slider over a list of values, between its name and the value chosen."""
    shown = "".join(f'<span style="--k:{k}">{escape(value)}</span>' for k, value in enumerate(values))
    return (
        f'<span aria-hidden="true">{escape(name)}</span>{slider(letter, name, len(values) - 1, index, spoken=values)}'
        f'<span class="fr" style="--i:round(var(--{letter}))" aria-hidden="true">{shown}</span>'
    )


def position(letter, name, highest, value, span):
    """A slider over pixels, between its name and the number of the pixel."""
    return (
        f'<span aria-hidden="true">{escape(name)}</span>{slider(letter, name, highest, value, span)}'
        f'<span class="at" style="--at:var(--{letter})" aria-hidden="true"></span>'
    )


def controls(*ranges):
    return f'<div class="ctl">{"".join(ranges)}</div>'
