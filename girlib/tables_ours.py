"""Methods that were trained here, beside a table of a paper; and whether the order of its methods holds, theirs and ours.

Weights of one stated budget, the same for every method, are one section; those that ship with the package are another. None of
them ever stands in the row of released weights, for the papers trained longer and on other data.
"""

from dataclasses import dataclass
from itertools import combinations

from girlib import published

LEAST = 4                               # methods, below which an order says nothing
SHIPPED = "weights that ship with girlib"


@dataclass(frozen=True)
class Ours:
    """A cell as methods trained here fill it: a value a seed. Methods without training stand beside them."""

    values: tuple[float, ...]
    images: int
    hours: float | None                 # of training, over all seeds; None: a method without training

    @property
    def mean(self):
        return sum(self.values) / len(self.values)

    @property
    def spread(self):
        return (max(self.values) - min(self.values)) / 2

    def __str__(self):
        return f"{self.mean:.3g}" + (f" ± {self.spread:.2g}" if len(self.values) > 1 else "")


@dataclass(frozen=True)
class Section:
    """What was trained here under one budget, on the table's own data or on procedural scenes."""

    title: str
    procedural: bool
    cells: dict[tuple[str, str], Ours]


@dataclass(frozen=True)
class Order:
    """The methods of one printed column (or row, where methods are columns), as printed and as measured here, the best first."""

    title: str                          # released weights, or which ones of ours
    of: str
    printed: tuple[str, ...]
    measured: tuple[str, ...]
    correlation: float | None           # Spearman's; None: fewer methods than LEAST

    @property
    def swapped(self):
        """[(better as printed, better here)] of all pairs that stand the other way round."""
        place = {method: i for i, method in enumerate(self.measured)}
        return [(one, other) for one, other in combinations(self.printed, 2) if place[one] > place[other]]


def sections(cells, meanings, records, units):
    """Those of a table: cells {(row, column): printed Cell}, meanings by the same keys; units(record, printed unit) -> factor or None."""
    ours = [record for record in records if title_of(record)]
    asked = {key for meaning in meanings.values() for key in meaning.options}
    data = {title: {r.data for r in ours if title_of(r) == title} for title in dict.fromkeys(map(title_of, ours))}
    found = {}
    for key, meaning in meanings.items():
        if len(meaning.datasets) > 1 or not meaning.method:
            continue
        for procedural in (False, True):
            dataset = "procedural" if procedural else meaning.datasets[0]
            for title in data:
                mine = [r for r in ours if title_of(r) == title and _fits(r, meaning, dataset, asked)]
                beside = [] if mine else [r for r in records if not (r.trained or r.weights or r.options)
                                          and _fits(r, meaning, dataset, asked) and r.data and r.data in data[title]]
                factor = units((mine or beside)[0], cells[key].unit) if mine or beside else None
                if factor is not None:
                    found.setdefault((title, procedural), {})[key] = _cell(mine or beside[-1:], factor)
    return tuple(Section(title + (", on procedural scenes" if procedural else ""), procedural, own)
                 for (title, procedural), own in sorted(found.items(), key=lambda item: item[0])
                 if any(cell.hours is not None for cell in own.values()))


def title_of(record):
    """Under which heading a record of weights of ours stands; empty: under none."""
    if record.trained.get("budget"):
        return f"trained here, {record.trained['budget']} each"
    return SHIPPED if record.trained.get("weights") == "girlib" else ""


def _fits(record, meaning, dataset, asked):
    """Whether a record is of this cell, on this data; options that no row of the table differs by (a width) may be any."""
    return ((record.method, record.task, record.dataset, record.scale, record.metric, record.protocol.get("name"))
            == (meaning.method, meaning.task, dataset, meaning.scale, meaning.metric, meaning.protocol)
            and record.value is not None and {k: v for k, v in record.options.items() if k in asked} == meaning.options)


def _cell(records, factor):
    """The newest record of each seed."""
    newest = {record.trained.get("seed", 0): record for record in sorted(records, key=lambda r: r.date or "")}
    hours = [record.trained.get("hours", 0.0) for record in newest.values()]
    return Ours(tuple(factor * newest[seed].value for seed in sorted(newest)), len(next(iter(newest.values())).images),
                sum(hours) if any(record.trained for record in newest.values()) else None)


# ---------------------------------------------------------------------------------------------------------------- orders

def orders(table):
    """[Order] of a table: one for each of its columns (rows, where methods are columns) and for released weights and each section."""
    released = {}
    for key, cell in table.cells.items():
        if cell.measured is not None and cell.direction != "none":
            released.setdefault(cell.images, {})[key] = cell.measured
    groups = [("released weights and methods without training", values) for values in released.values()]
    groups += [(section.title, {key: cell.mean for key, cell in section.cells.items()}) for section in table.trained]
    found = []
    for title, values in groups:
        for of in table.rows if table.turned else table.columns:
            for footing in dict.fromkeys(_footing(row) for row, _ in table.cells):
                mine = {_method(table, key): (float(table.cells[key].published), value, table.cells[key].direction)
                        for key, value in values.items() if of == key[0 if table.turned else 1] and _footing(key[0]) == footing}
                if mine:
                    found.append(_order(title, of + footing, mine))
    return found


def _footing(row):
    found = published.FOOTING.match(row)
    return f" {found[2]}" if found else ""


def _method(table, key):
    return key[1] if table.turned else key[0]


def _order(title, of, found):
    sign = -1 if next(iter(found.values()))[2] == "higher" else 1
    by = lambda place: tuple(sorted(found, key=lambda method: sign * found[method][place]))
    enough = len(found) >= LEAST
    return Order(title, of, by(0), by(1), spearman(*zip(*((p, m) for p, m, _ in found.values()), strict=True)) if enough else None)


def spearman(one, other):
    """The correlation of two lists' ranks, ties at their mean; 0 where one list has a single value."""
    one, other = _ranks(one), _ranks(other)
    middle = (len(one) + 1) / 2
    product = lambda x, y: sum((a - middle) * (b - middle) for a, b in zip(x, y, strict=True))
    norm = (product(one, one) * product(other, other)) ** 0.5
    return product(one, other) / norm if norm else 0.0


def _ranks(values):
    return [sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2 for value in values]
