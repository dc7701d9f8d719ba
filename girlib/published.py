"""The numbers that the four papers print, and what each of them means here: task, dataset, scale, protocol, metric, method.

All of it is data, in `results/published` of a checkout:
    sfigf.csv, dagf.csv, mgdn.csv, gdd.csv      every number of the 20 tables, as printed
    titles.csv, notes.csv                       what a table shows; what is odd about a cell
    labels.csv                                  what the name of a row or a column stands for; table "*": in any of them, label "": in
                                                all cells of the table
    fitted.csv                                  settings of rows whose paper prints none, found by a search over the row itself
    baselines.csv                               what a method without training scores, computed apart from this package
"""

import csv
import re
from dataclasses import dataclass
from functools import cache

from girlib.errors import GirlibError
from girlib.notebook import parse_parameters
from girlib.results import results_folder

FOLDER = results_folder() / "published"
FOOTING = re.compile(r"^(.*) (\((?:nearest|bicubic)\))$")               # DAGF's Table I holds two tables: "DKN (nearest)"


@dataclass(frozen=True)
class Number:
    """One cell of a printed table."""

    text: str
    unit: str
    direction: str                      # "lower" | "higher"; "none" for numbers of channels

    @property
    def value(self):
        return float(self.text) if self.direction != "none" else None


@dataclass(frozen=True)
class Meaning:
    """What would have to be evaluated to measure a cell. `waits`: why it can't be."""

    task: str
    datasets: tuple[str, ...]
    pooled: bool                        # of several datasets the mean over all images, else the mean of the datasets' means
    images: int | None                  # how many the paper scored
    scale: int | None
    protocol: str
    metric: str
    metric_options: dict
    method: str
    options: dict
    released: bool                      # whether the released weights are of this kind: made for noise, for nearest-neighbour sampling
    waits: str


@dataclass(frozen=True)
class Reference:
    """What a baseline scores on some images (none named: on all), and how far from it is still the same."""

    method: str
    images: tuple[str, ...]
    value: float
    band: float
    source: str


@dataclass(frozen=True)
class Setting:
    """What came closest to a row in a search: options of its method, and the protocol if it is not the row's own."""

    options: dict
    protocol: str
    source: str


@cache
def _read(name):
    try:
        with open(FOLDER / f"{name}.csv", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except OSError:
        raise GirlibError(f"table: there is no file {str(FOLDER / name)}.csv, which belongs to girlib; install it again.") from None


def titles():
    """{name: title} of the 20 tables, in the order of the papers."""
    return {row["table"]: row["title"] for row in _read("titles")}


@cache
def numbers(name):
    """{(row, column): Number} of a table, in the order of the print."""
    if name not in titles():
        raise GirlibError(f"table: there is no table {name!r}; there are {', '.join(titles())}.")
    paper, _, table = name.partition(":")
    rows = [row for row in _read(paper) if row["table"] == table]
    return {(row["row"], row["column"]): Number(row["value"], row["unit"], row["direction"]) for row in rows}


def notes(name):
    """[(row, column, note)] of what is odd in a table; an empty row or column stands for all of them."""
    return [(row["row"], row["column"], row["note"]) for row in _read("notes") if f"{row['paper']}:{row['table']}" == name]


def meaning(name, row, column):
    """What a cell stands for: the table's own words, then those of the names of its row and column."""
    known = _labels()
    said = [(name, "")]
    for label in (row, column):
        base, footing = found.groups() if (found := FOOTING.match(label)) else (label, "")
        said += [("*", base), (name, footing), (name, label)]
    entries = [known[key] for key in dict.fromkeys(said) if key in known]
    last = {field: value for entry in entries for field, value in entry.items() if value}
    options = {key: value for entry in entries for key, value in _options(entry["options"]).items()}
    metric, *given = last.get("metric", "").split(" ")
    datasets = last.get("dataset", "")
    return Meaning(last.get("task", ""), tuple(re.split("[+&]", datasets)), "&" not in datasets, _whole(last.get("images")),
                   _whole(last.get("scale")), last.get("protocol", ""), metric, parse_parameters(given), last.get("method", ""),
                   options, last.get("released") != "no", last.get("waits", ""))


@cache
def _labels():
    return {(row["table"], row["label"]): row for row in _read("labels")}


def _options(text):
    return parse_parameters(text.split("; ")) if text else {}


def _whole(text):
    return int(text) if text else None


def reference(task, dataset, scale, protocol, metric):
    """The baseline that stands for a way of measuring, or None where no value of one is known."""
    asked = (task, dataset, str(scale or ""), protocol, metric)
    for row in _read("baselines"):
        if (row["task"], row["dataset"], row["scale"], row["protocol"], row["metric"]) == asked:
            return Reference(row["method"], tuple(row["images"].split()), float(row["reference"]), float(row["band"]), row["source"])
    return None


def fitted(name, row):
    """The setting that a search found for a row, or None."""
    for entry in _read("fitted"):
        if (entry["table"], entry["row"]) == (name, row):
            return Setting(_options(entry["options"]), entry["protocol"], entry["source"])
    return None


def methods_are_columns(name):
    """Whether the table is turned: a column a method, a row a metric."""
    columns = {column for _, column in numbers(name)}
    return any(entry["method"] for (table, label), entry in _labels().items() if table in ("*", name) and label in columns)
