"""The tables of the papers, printed beside what was measured here: `table("sfigf:1")`, `girlib table sfigf:1`.

A cell has a measured value, or it says what it waits for: data, weights, a run, a network that isn't built here. A measured
value is compared only where all images of the paper were scored; a part of them is shown as a part. And a network's value
appears only after the baseline (bicubic, the average of the sources) gives what it is known to give under the same protocol:
before that, the difference between two networks may be one between two evaluations.
"""

import math
from dataclasses import dataclass, field, replace
from functools import cache

from girlib import published, tables_ours
from girlib.errors import GirlibError
from girlib.results import Record, read, records_folder
from girlib.tasks import TASKS, get_task

# (unit of the record, unit of the print) -> what to multiply by
UNITS = {("degrees", "radians"): math.pi / 180, ("radians", "degrees"): 180 / math.pi, ("1", "percent"): 100.0,
         ("nat", "1"): 1.0}


@dataclass(frozen=True)
class Cell:
    """One printed number, and what is known about it here."""

    row: str
    column: str
    published: str
    unit: str
    direction: str
    measured: float | None = None
    images: int | None = None           # that were scored, and how many the paper scored
    of: int | None = None
    provenance: str = ""
    waits: str = ""

    @property
    def whole(self):
        return self.measured is not None and self.images == self.of

    @property
    def part(self):
        return self.measured is not None and not self.whole

    @property
    def difference(self):
        """Measured minus published; None where nothing, or only a part of the images, was measured."""
        return self.measured - float(self.published) if self.whole else None


@dataclass(frozen=True)
class Gate:
    """A baseline that has to come out right before a network is compared."""

    dataset: str
    scale: int | None
    protocol: str
    metric: str
    reference: published.Reference
    measured: float | None
    command: str

    @property
    def open(self):
        return self.measured is not None and abs(self.measured - self.reference.value) <= self.reference.band

    @property
    def place(self):
        return self.dataset + (f" {self.scale}x" if self.scale else "")

    def __str__(self):
        known = self.reference
        found = "not measured" if self.measured is None else f"{self.measured:.6f} measured, {'equal' if self.open else 'NOT EQUAL'}"
        return f"{known.method}, {self.place}, {self.metric} under {self.protocol}: {known.value} expected within {known.band}, {found}"


@dataclass(frozen=True)
class Fitted:
    """A row's cell under the setting that a search over this very table found to come closest: a fit, and no reproduction."""

    measured: float
    images: int
    of: int
    said: str                           # setting, protocol, and what chose it

    @property
    def part(self):
        return self.images != self.of


@dataclass(frozen=True, repr=False)
class Table:
    """A table of a paper. str() prints it; markdown(), html(), csv(), json() and frame() write it."""

    name: str
    title: str
    cells: dict[tuple[str, str], Cell]
    gates: tuple[Gate, ...]
    ungated: tuple[str, ...]            # ways of measuring for which no value of a baseline is known
    notes: tuple[tuple[str, str, str], ...]
    turned: bool                        # methods are columns
    fitted: dict[tuple[str, str], Fitted] = field(default_factory=dict)
    trained: tuple[tables_ours.Section, ...] = ()
    rows: tuple[str, ...] = field(init=False)
    columns: tuple[str, ...] = field(init=False)

    def __post_init__(self):
        for place, name in enumerate(("rows", "columns")):
            object.__setattr__(self, name, tuple(dict.fromkeys(key[place] for key in self.cells)))

    def orders(self):
        """[tables_ours.Order]: methods of each column as printed and as measured, with the correlation of the two orders."""
        return tables_ours.orders(self)

    def ranks(self):
        """{(row, column): 1 or 2} of the best and the second best printed numbers, methods of one footing against each other."""
        groups = {}
        for (row, column), cell in self.cells.items():
            if cell.direction == "none":
                continue
            found = published.FOOTING.match(row)
            groups.setdefault((row, "") if self.turned else (column, found and found[2]), []).append(cell)
        ranks = {}
        footings = any(footing for _, footing in groups)
        for (_, footing), cells in groups.items():
            best = sorted({float(cell.published) for cell in cells}, reverse=cells[0].direction == "higher")
            if len(cells) > 1 and (footing or not footings):
                ranks |= {(c.row, c.column): best.index(float(c.published)) + 1 for c in cells if float(c.published) in best[:2]}
        return ranks

    def __str__(self):
        from girlib.tables_text import text
        return text(self)

    __repr__ = __str__

    def markdown(self):
        from girlib.tables_text import markdown
        return markdown(self)

    def html(self):
        from girlib.tables_text import html
        return html(self)

    _repr_html_ = html

    def csv(self):
        from girlib.tables_text import as_csv
        return as_csv(self)

    def json(self):
        from girlib.tables_text import as_json
        return as_json(self)

    def frame(self):
        """A pandas frame, a line a cell."""
        try:
            import pandas
        except ImportError:
            raise GirlibError("table: a frame needs pandas: pip install pandas") from None
        from girlib.tables_text import entries
        return pandas.DataFrame(entries(self))


def table(name, records=None):
    """A table of a paper, beside the records that are given (default: those kept in the repository and those of this machine)."""
    printed = published.numbers(str(name))
    records = all_records(trained=True) if records is None else records
    if not isinstance(records, (list, tuple)) or not all(isinstance(record, Record) for record in records):
        raise GirlibError("table: records holds something else; expected a list of records, as evaluate gives and results.read reads them.")
    cells, gates, ungated = {}, {}, {}
    meanings = {key: published.meaning(name, *key) for key in printed}
    for (row, column), number in printed.items():
        cell = Cell(row, column, number.text, number.unit, number.direction)
        cells[row, column] = _fill(cell, meanings[row, column], records, gates, ungated)
    fitted = {key: found for key, cell in cells.items() if (found := _fitted(name, cell, meanings[key], records))}
    return Table(name, published.titles()[name], cells, tuple(gates.values()), tuple(ungated), tuple(published.notes(name)),
                 published.methods_are_columns(name), fitted, tables_ours.sections(cells, meanings, records, _factor))


def list_tables(records=None):
    """[dict] of all tables: name, title, rows, columns, published, measured (whole, or on a part of the images), waiting."""
    records = all_records() if records is None else records
    found = []
    for name in published.titles():
        one = table(name, records)
        cells = one.cells.values()
        found.append({"name": name, "title": one.title, "rows": len(one.rows), "columns": len(one.columns), "published": len(cells),
                      "measured": sum(cell.whole for cell in cells),
                      "part": sum(cell.part for cell in cells),
                      "waiting": sum(cell.measured is None and bool(cell.waits) for cell in cells)})
    return found


def orders_markdown(tables):
    """Whether the order of methods that these tables print is the order in which they were measured here, as text for the book."""
    from girlib.tables_text import orders_markdown
    return orders_markdown(tables)


def all_records(trained=False):
    """Those kept in `results/records`, then those of this machine; `trained`: with those of weights that are not their authors'."""
    files = [records_folder(keep) / f"{task}.jsonl" for keep in (True, False) for task in TASKS]
    return [record for file in files if file.is_file() for record in read(file) if trained or not record.trained]


# ------------------------------------------------------------------------------------------------------------ one cell

def _fill(cell, meaning, records, gates, ungated):
    waits = meaning.waits or _impossible(meaning)
    if waits:
        return replace(cell, waits=waits)
    found = [_find(meaning, dataset, records) for dataset in meaning.datasets]
    shut = []
    for dataset in meaning.datasets:
        key, gate = _gate(meaning, dataset, records)
        if gate is None:
            ungated[key] = True
        else:
            gates[key] = gate
            shut += [] if gate.open else [gate]
    if not all(found):
        return replace(cell, waits="; ".join(filter(None, dict.fromkeys(_missing(meaning, dataset) for dataset, record
                                                                         in zip(meaning.datasets, found, strict=True) if not record))))
    if _is_network(meaning.method) and shut:
        state = "is not equal to its reference" if shut[0].measured is not None else "is not measured yet"
        return replace(cell, waits=f"its baseline: {shut[0].reference.method} {state}, see below")
    factor = _factor(found[0], cell.unit)
    if factor is None:
        return replace(cell, waits=f"a measurement in {cell.unit}; there is one in {found[0].unit}")
    values = [value for record in found for value in record.images.values()] if meaning.pooled else [record.value for record in found]
    scored = sum(len(record.images) for record in found)
    return replace(cell, measured=factor * sum(values) / len(values), images=scored, of=meaning.images or scored,
                   provenance=_provenance(found[0]))


def _fitted(name, cell, meaning, records):
    """The cell under the setting that was found by a search, where there is one for its row, and a record of it."""
    found = published.fitted(name, cell.row)
    if not found:
        return None
    meaning = replace(meaning, options=found.options, protocol=found.protocol or meaning.protocol)
    filled = _fill(replace(cell, waits=""), meaning, records, {}, {})
    if filled.measured is None:
        return None
    setting = ", ".join(f"{option}={value}" for option, value in found.options.items())
    return Fitted(filled.measured, filled.images, filled.of, f"{setting}; protocol {meaning.protocol}; {found.source}")


def _impossible(meaning):
    """Why no run could fill the cell, or an empty text."""
    try:
        task = get_task(meaning.task)
        for dataset in meaning.datasets:
            if dataset not in task.datasets:
                return f"the dataset {dataset} in the task {task.name}"
            task.protocol(dataset, meaning.protocol)
    except ImportError:
        return f"the task {meaning.task}"
    except GirlibError as error:
        return f"a protocol ({str(error).rstrip('.')})"
    if _is_network(meaning.method) and meaning.task not in _network(meaning.method).TASKS:
        return "not built here for this task"
    return ""


def _find(meaning, dataset, records):
    """The record of the method as the paper scores it; of several the one with the most images, then the newest."""
    from girlib.metrics import METRICS
    task = get_task(meaning.task)
    protocol = task.protocol(dataset, meaning.protocol)
    defaults = METRICS[meaning.metric].options
    fitting = [r for r in records if
               (r.method, r.task, r.dataset, r.scale, r.protocol.get("name"), r.metric)
               == (meaning.method, task.name, dataset, meaning.scale, protocol.name, meaning.metric)
               and r.value is not None and r.options == meaning.options and r.protocol.get("sensor") == protocol.sensor
               and r.protocol.get("split") == protocol.split
               and all({**defaults, **r.protocol.get("metric", {})}[name] == value for name, value in meaning.metric_options.items())
               and (r.weights or not _needs_weights(meaning.method)) and not r.trained and not r.profile]
    return max(fitting, key=lambda r: (len(r.images), r.date or ""), default=None)


def _gate(meaning, dataset, records):
    """(how it is measured, the baseline that stands for it or None)."""
    known = published.reference(meaning.task, dataset, meaning.scale, meaning.protocol, meaning.metric)
    key = f"{dataset}{f' {meaning.scale}x' if meaning.scale else ''}, {meaning.metric} under {meaning.protocol}"
    if known is None:
        return key, None
    baseline = replace(meaning, method=known.method, options={})
    record = _find(baseline, dataset, records)
    names = [] if record is None else known.images or list(record.images)
    values = [record.images[name] for name in names if name in record.images]
    mean = sum(values) / len(values) if values and len(values) == len(names) else None
    return key, Gate(dataset, meaning.scale, meaning.protocol, meaning.metric, known, mean, _command(baseline, dataset))


# ----------------------------------------------------------------------------------------------- what a measurement needs

def _missing(meaning, dataset):
    """What has to be there before the cell can be measured, each with its command; a run if nothing is missing."""
    from girlib.metrics import METRICS
    task = get_task(meaning.task)
    split = task.protocol(dataset, meaning.protocol).split or task.datasets[dataset]
    missing = [] if _is_here(dataset, split) else [_how_had(dataset)]
    at = f" --scale {meaning.scale}" if meaning.scale else ""
    weights = ""
    if _is_network(meaning.method) and _needs_weights(meaning.method):
        released = _network(meaning.method).RELEASED if meaning.released and not meaning.options else {}
        if not {(meaning.task, meaning.scale), (meaning.task, None)} & released.keys():
            setting = " with " + ", ".join(f"{name}={value}" for name, value in meaning.options.items()) if meaning.options else ""
            missing.append(f"weights{setting}, which were not released: girlib train {meaning.method} {meaning.task}{at}")
        else:
            weights = " --weights official"
            if not _released_here(meaning):
                missing.append(f"the released weights: girlib fetch weights/{_home(meaning)}")
    if meaning.metric == "lpips" and not _have("lpips"):
        missing.append(METRICS["lpips"].needs or "the package lpips: pip install lpips")
    return "; ".join(missing) or f"a run: {_command(meaning, dataset)}{weights}"


def _how_had(dataset):
    from girlib.registry import registry
    how = registry()[dataset].how if dataset in registry() else "download"
    return f"the dataset: girlib fetch {dataset}" if how == "download" else f"the dataset, had by {how}: girlib fetch {dataset} says how"


def _command(meaning, dataset):
    at = f" --scale {meaning.scale}" if meaning.scale else ""
    options = "".join(f" -o {name}={value}" for name, value in meaning.options.items())
    return f"girlib evaluate {meaning.method} {meaning.task} --dataset {dataset}{at} --protocol {meaning.protocol}{options}"


@cache
def _network(method):
    from importlib import import_module
    return import_module(f"girlib.networks.{method}")


def _is_network(method):
    from girlib.networks import NETWORKS
    return method in NETWORKS


def _needs_weights(method):
    """GDD and its kin have none: they are optimised for each image."""
    return _is_network(method) and not hasattr(_network(method).Network, "predict")


def _file(meaning):
    released = _network(meaning.method).RELEASED
    file = released.get((meaning.task, meaning.scale)) or released[meaning.task, None]
    return file[0] if isinstance(file, tuple) else file


def _home(meaning):
    """The folder of a network's released weights, by which they are fetched."""
    file = _file(meaning)
    return meaning.method if callable(file) else file.split("/")[0]


def _released_here(meaning):
    from girlib.notebook import find_data
    folder, file = find_data(), _file(meaning)
    return folder is not None and (callable(file) or (folder / "weights" / file).is_file())


@cache
def _is_here(dataset, split):
    from girlib.datasets import open_dataset
    try:
        return len(open_dataset(dataset, split=split)) > 0
    except GirlibError:
        return False


def _have(package):
    from importlib.util import find_spec
    return find_spec(package) is not None


# ---------------------------------------------------------------------------------------------------------------- a record

def _factor(record, unit):
    return 1.0 if record.unit == unit or unit == "mixed" else UNITS.get((record.unit, unit))


def _provenance(record):
    weights = f", weights {record.weights[:12]}" if record.weights else ""
    trained = f", trained here ({record.profile})" if record.profile else ""
    options = "".join(f", {name}={value}" for name, value in record.options.items())
    versions = f"girlib {record.versions.get('girlib', '?')}" + (f" at {record.commit}" if record.commit else "")
    return f"{record.method}{options}{weights}{trained}; protocol {record.protocol['name']}; {record.device}; {versions}"
