"""The figures of the papers: drawn again as far as that is possible, or what each of them waits for, in its place.

`results/published/figures.csv` holds a row a figure:
    paper, figure   "sfigf", "6"; "S5" is Fig. 5 of the supplement
    shows           what the paper's figure shows, to follow "The paper shows"
    state           how much of it can be drawn once all that it needs is here: "reproduced", "part" or "waits"
    needs           the files that have to be here for that, below GIRLIB_DATA
    wants           what the rest waits for, and the command

A chapter opens the gallery of a paper, gives each figure its caption or lets it say what it waits for, and asserts at its end
that none is left.
"""

import csv
import html
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from girlib import published
from girlib.errors import GirlibError
from girlib.notebook import find_data
from girlib.tables import table

STATES = ("reproduced", "part", "waits")
BOX = "border:1px dashed currentColor;border-radius:4px;padding:.6em 1em;margin:1em 0;max-width:46em"


@dataclass(frozen=True)
class Figure:
    """One figure of a paper."""

    paper: str
    number: str
    shows: str
    drawable: str
    needs: tuple[str, ...]
    wants: str

    @property
    def title(self):
        many = "Figs." if "-" in self.number else "Fig."
        place = f"supplement, {many} {self.number.replace('S', '')}" if self.number.startswith("S") else f"{many} {self.number}"
        return f"{self.paper.upper()}, {place}"

    @property
    def missing(self):
        """The files that it needs and that are not here."""
        root = find_data()
        return [file for file in self.needs if root is None or not (root / file).is_file()]

    @property
    def state(self):
        return "waits" if self.missing else self.drawable

    @property
    def waits_for(self):
        """What is not drawn, and why; empty for a figure that is whole."""
        entries = dict.fromkeys("/".join(file.split("/")[:1 + file.startswith("weights/")]) for file in self.missing)
        return "; ".join([*(f"what `girlib fetch {entry}` brings" for entry in entries), *filter(None, [self.wants])])


class Waits:
    """What stands in the place of a picture."""

    def __init__(self, title, shows, waits_for):
        self.title, self.shows, self.waits_for = title, shows, waits_for

    def __repr__(self):
        return f"{self.title} shows {self.shows}. Not drawn here; it waits for: {self.waits_for}."

    def _repr_html_(self):
        title, shows, waits_for = map(html.escape, (self.title, self.shows, self.waits_for))
        return (f'<div class="girlib-waits" style="{BOX}"><b>{title}</b> shows {shows}.<br>'
                f'<b>Not drawn here; it waits for:</b> {waits_for}.</div>')


class Gallery:
    """All figures of one paper, in the order of the paper; it remembers which were shown."""

    def __init__(self, paper):
        self.figures = {figure.number: figure for figure in read(paper)}
        self.paper, self.shown = paper, {}

    def __getitem__(self, number):
        if number not in self.figures:
            raise GirlibError(f"figures: {self.paper} has no figure {number!r}; it has {', '.join(self.figures)}.")
        return self.figures[number]

    def caption(self, number, here, waits=None):
        """The caption of a figure that is drawn: what the paper shows, what this one shows, and what the rest waits for.

        waits   {method: what for}, as `compared` gives it
        """
        figure = self[number]
        self.shown[number] = "drawn"
        missing = "; ".join(filter(None, [listed(waits or {}), figure.waits_for]))
        rest = f" Not drawn: {missing}." if missing else ""
        return f"{figure.title}. The paper shows {figure.shows}. Here: {here}{rest}"

    def waits(self, number):
        """What stands in the place of a figure that is not drawn."""
        figure = self[number]
        self.shown[number] = "waits"
        return Waits(figure.title, figure.shows, figure.waits_for)

    def wrong(self):
        """{number: what is wrong}: figures that were neither drawn nor said to wait, or not as their state says."""
        said = {number: "waits" if figure.state == "waits" else "drawn" for number, figure in self.figures.items()}
        return {number: f"{state} is due, {self.shown.get(number, 'nothing')} was shown" for number, state in said.items()
                if self.shown.get(number) != state}

    def overview(self):
        """Every table and figure of the paper with its state."""
        return Overview(self.paper, [*_tables(self.paper), *self.figures.values()])


class Overview:
    """Tables and figures of a paper, each with its state."""

    def __init__(self, paper, entries):
        self.paper = paper
        self.rows = [entry if isinstance(entry, tuple) else (entry.title, entry.shows, entry.state, entry.waits_for) for entry in entries]

    def states(self):
        """{state: how many}."""
        return {state: sum(row[2] == state for row in self.rows) for state in STATES}

    def __str__(self):
        return "\n".join(f"{name:<26} {state:<11} {shows}" for name, shows, state, _ in self.rows)

    __repr__ = __str__

    def _repr_html_(self):
        lines = ["".join(f"<td>{html.escape(text)}</td>" for text in row) for row in self.rows]
        head = "".join(f"<th>{name}</th>" for name in ("", "shows", "state", "what the rest waits for"))
        return f'<table class="girlib-table"><thead><tr>{head}</tr></thead><tbody><tr>{"</tr><tr>".join(lines)}</tr></tbody></table>'


def read(paper):
    """[Figure] of a paper."""
    known = dict.fromkeys(row["paper"] for row in _rows())
    if paper not in known:
        raise GirlibError(f"figures: there is no paper {paper!r}; there are {', '.join(known)}.")
    return [Figure(paper, row["figure"], row["shows"], row["state"], tuple(row["needs"].split()), row["wants"])
            for row in _rows() if row["paper"] == paper]


def compared(name, column, rows):
    """The methods of a printed table that can restore a sample on this machine, as `name` and `column` score them.

    -> ({row: function of a sample}, {row: what it waits for}). Networks come with their released weights.
    """
    ready, waits = {}, {}
    for row in rows:
        asked = published.meaning(name, row, column)
        own = asked.released and not asked.options
        restore, missing = (None, asked.waits) if asked.waits else _method(asked.method, asked.task, asked.scale, own)
        (waits if missing else ready)[row] = missing or restore
    return ready, waits


def at_hand(task, methods, scale=None):
    """The same for methods that are in no table: {title: name of the method}."""
    found = {title: _method(method, task, scale, True) for title, method in methods.items()}
    return ({title: restore for title, (restore, missing) in found.items() if not missing},
            {title: missing for title, (_, missing) in found.items() if missing})


def _method(method, task, scale, released):
    """(function of a sample, ""), or (None, what it waits for). `released`: whether released weights are what is asked for."""
    from girlib.methods import CLASSICAL, find_method

    if method in CLASSICAL:
        return find_method(method, task, scale=scale), ""
    network = import_module(f"girlib.networks.{method}")
    file = network.RELEASED.get((task, scale)) or network.RELEASED.get((task, None))
    if task not in network.TASKS:
        return None, "not built here for this task"
    if file is None or not released:
        return None, f"weights, which were not released: girlib train {method} {task}" + (f" --scale {scale}" if scale else "")
    try:
        return find_method(method, task, "official", scale), ""
    except GirlibError:
        home = method if callable(file) else str(file[0] if isinstance(file, tuple) else file).split("/")[0]
        return None, f"the released weights: girlib fetch weights/{home}"


def listed(waits):
    """{who: what for} in one line, those that wait for the same together."""
    groups = {}
    for who, what in waits.items():
        groups.setdefault(what, []).append(who)
    return "; ".join(f"{', '.join(group)}: {what}" for what, group in groups.items())


def _tables(paper):
    """(name, title, state, what it waits for) of the paper's tables."""
    found = []
    for name, title in published.titles().items():
        if name.partition(":")[0] != paper:
            continue
        cells = table(name).cells.values()
        whole, part = sum(cell.whole for cell in cells), sum(cell.part for cell in cells)
        state = "reproduced" if whole == len(cells) else "part" if whole or part else "waits"
        rest = f"{whole} of {len(cells)} numbers measured" + (f", {part} on a part of the images" if part else "")
        rest += "; what each of the others waits for stands below the table" * (state != "reproduced")
        if all(cell.direction == "none" for cell in cells):
            state, rest = "part", "nothing to measure: the symbols are compared below with the network that is built here"
        found.append((f"{paper.upper()}, Table {name.partition(':')[2]}", title, state, rest))
    return found


@cache
def _rows():
    with open(published.FOLDER / "figures.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
