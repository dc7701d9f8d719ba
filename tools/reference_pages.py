"""Two pages made of the package's own data: the protocol cards, and the change log of results.

    .venv/bin/python tools/reference_pages.py cards | log      prints a page as Markdown

A card stands for a task on a dataset; what it says comes from girlib.tasks, girlib.metrics, girlib.registry and
results/published. The log holds every record of results/records, newest first; a record that took the place of an older one
names the old value, and the old one stays in its place. tools/book.py lays both into the book.
"""

import inspect
import sys
from collections import Counter
from datetime import datetime

from girlib import published
from girlib.errors import GirlibError
from girlib.evaluation import PROCEDURAL_IMAGES
from girlib.metrics import METRICS
from girlib.registry import registry
from girlib.results import read, records_folder
from girlib.tables import table
from girlib.tasks import TASKS, get_task

# ------------------------------------------------------------------------------------------------------- protocol cards

CARDS = """# Protocol cards

A score belongs to a protocol: what the sensor did, which images were scored, what was cut, in which unit. This page holds a card for each
task and dataset, and on it each way in which a paper scores it. It is made from the package's own data, so it says what
`girlib evaluate` does.

A *baseline gate* is what a method without training has to score, computed apart from this package, before a network's value is shown
under the protocol. A line for each metric says what it computes, and the options that the protocol sets."""


def cards():
    """The page of all cards."""
    printed, gates = _printed(), _gates()
    tasks = [get_task(name) for name in TASKS]
    ways = sum(dataset in protocol.datasets for task in tasks for dataset in datasets_of(task) for protocol in task.protocols)
    lines = [CARDS, "", f"{len(tasks)} tasks, {sum(len(datasets_of(task)) for task in tasks)} cards, {ways} ways to score."]
    for task in tasks:
        lines += ["", f"## {task.title}", "", f"**Observed:** {task.observed}. **Wanted:** {task.wanted}. "
                  f"**Scales:** {', '.join(f'{scale}x' for scale in task.scales if scale) or 'none'}. Task: `{task.name}`."]
        for dataset in datasets_of(task):
            lines += ["", *card(task, dataset, printed, gates)]
    return "\n".join(lines) + "\n"


def datasets_of(task):
    """Procedural scenes first, then the task's datasets; those that no protocol uses come too."""
    return ["procedural", *task.datasets]


def card(task, dataset, printed, gates):
    """Lines of one card."""
    entry = registry().get(dataset)
    title = "procedural scenes" if dataset == "procedural" else entry.title if entry else dataset
    lines = [f"### {task.title}: {title}", "", "| | |", "|---|---|", f"| dataset | `{dataset}`{_where(dataset, entry)} |"]
    protocols = [protocol for protocol in task.protocols if dataset in protocol.datasets]
    if not protocols:
        return [*lines, "| protocol | none: no table scores it |"]
    for protocol in protocols:
        lines += _protocol(task, dataset, protocol, printed, gates)
    return lines


def _where(dataset, entry):
    if dataset == "procedural":
        return ", made from a seed: nothing to download"
    return f"; `girlib fetch {dataset}` ({entry.how}); {entry.licence}" if entry else ""


def _protocol(task, dataset, protocol, printed, gates):
    """The rows of a card that belong to one protocol."""
    uses = {place: use for place, use in printed.items() if place[:3] == (task.name, dataset, protocol.name)}
    tables = sorted({name for use in uses.values() for name in use["tables"]})
    images = sorted({n for use in uses.values() for n in use["images"] if n})
    count = ", ".join(map(str, images)) + " scored by the papers" if images else "all that are there"
    if dataset == "procedural":
        count = f"as many as asked for, {PROCEDURAL_IMAGES} if nothing is said"
    split = getattr(protocol, "split", None) or task.datasets.get(dataset, "seeds")
    rows = [(f"**protocol `{protocol.name}`**", protocol.source), ("tables", ", ".join(f"`{name}`" for name in tables) or "none"),
            ("split, images", f"{split}; {count}"), ("sensor", _sensor(task, protocol)), ("crop", _crop(protocol))]
    for metric, given in protocol.metrics:
        units = {unit for place, use in uses.items() if place[3] == metric for unit in use["units"]}
        rows.append((METRICS[metric].title, _metric(metric, given, units)))
    known = [line for metric in dict.fromkeys(name for name, _ in protocol.metrics)
             for scale in task.scales for line in _gate(task, dataset, scale, protocol, metric, gates)]
    rows.append(("baseline gate", "; ".join(known) or "no value of a baseline is known"))
    scale = f" --scale {task.scales[0]}" if task.scales[0] else ""
    rows.append(("command", f"`girlib evaluate METHOD {task.name} --dataset {dataset}{scale} --protocol {protocol.name}`"))
    return [f"| {_safe(what)} | {_safe(text)} |" for what, text in rows]


MEASURED_IN = {"noise": "variance, in the square of the depth's unit", "grey_noise": "variance, on a range of 0 to 255"}


def _sensor(task, protocol):
    """Every option of the sensor: the protocol's, else the task's own."""
    known = {name: p.default for name, p in inspect.signature(task.observe).parameters.items()
             if name not in ("capture", "scale", "seed") and p.default is not inspect.Parameter.empty}
    options = {**known, **protocol.sensor}
    first = inspect.getdoc(task.observe).splitlines()[0]
    units = "; ".join(f"{name}: {MEASURED_IN[name]}" for name in options if options[name] and name in MEASURED_IN)
    return first + (f" `{_options(options)}`" if options else "") + (f" ({units})" if units else "")


def _crop(protocol):
    borders = list(dict.fromkeys(given.get("border", 0) for _, given in protocol.metrics))
    said = {0: "none"}
    return "; ".join(said.get(border) or (f"{border[0]} pixels at the top and left, {border[1]} at the other sides"
                     if isinstance(border, tuple) else f"{border} pixels on every side") for border in borders)


def _metric(name, given, units):
    entry = METRICS[name]
    unit = " or ".join(sorted(units)) or entry.unit_with(given, "that of the images")
    unit = {"1": "none", "mixed": "that of each dataset"}.get(unit, unit)
    options = f" `{_options(given)}`." if given else ""
    needs = f" Needs: {entry.needs}." if entry.needs else ""
    return (f"{first_sentence(entry)}{options} Unit: {unit}; {entry.direction} is better. Reads {', '.join(entry.reads)}. "
            f"After: {entry.reference}.{needs}")


def first_sentence(entry):
    """What a metric computes, in the words of its definition."""
    words = " ".join((inspect.getdoc(entry.function.definition) or entry.reference).split("\n\n")[0].split())
    return words if words.endswith(".") else words + "."


def _gate(task, dataset, scale, protocol, metric, gates):
    known = published.reference(task.name, dataset, scale, protocol.name, metric)
    if known is None:
        return []
    at = f"{scale}x " if scale else ""
    state = gates.get((dataset, scale, protocol.name, metric))
    found = "no table asks for it" if state is None else "not measured" if state.measured is None else \
        "measured equal" if state.open else f"NOT EQUAL, {state.measured:.6f} measured"
    on = f" on {len(known.images)} images" if known.images else ""
    return [f"{at}{METRICS[metric].title} of `{known.method}`{on} {known.value} within {known.band:g}: {found}"]


def _printed():
    """(task, dataset, protocol, metric) -> tables, numbers of images and units of the published cells."""
    found = {}
    for name in published.titles():
        for (row, column), number in published.numbers(name).items():
            said = published.meaning(name, row, column)
            for dataset in said.datasets:
                use = found.setdefault((said.task, dataset, said.protocol, said.metric), {"tables": set(), "images": set(), "units": set()})
                use["tables"].add(name)
                if len(said.datasets) == 1:
                    use["images"].add(said.images)
                    use["units"].add(number.unit)
    return found


def _gates():
    """(dataset, scale, protocol, metric) -> Gate, of all tables and the kept records."""
    records, _ = kept()
    return {(gate.dataset, gate.scale, gate.protocol, gate.metric): gate
            for name in published.titles() for gate in table(name, [r for r in records if r.task in TASKS]).gates}


# --------------------------------------------------------------------------------------------------- change log of results

LOG = """# Change log of results

Every number that this project measured and kept, newest first, made from the records themselves (`results/records`). A line stands for
what was measured of one method in one go. Where a record takes the place of an older one of the same method, protocol and options, the
older one stays where it was and names the new value. A plus after a commit says that files had been changed since it."""
HEAD = "| time, commit | what | measured |"
SHOWN = 6                   # values in a line; of more, the first and the last are shown


def change_log(records, others=()):
    """The page of all records. others: names of files that hold something else."""
    if not records:
        return f"{LOG}\n\nNothing has been kept yet.\n"
    order = sorted(range(len(records)), key=lambda i: (records[i].date or "", i))
    after = successors([records[i] for i in order])
    entries = {}
    for place, i in enumerate(order):
        entries.setdefault(_line(records[i], after.get(place)), []).append(place)
    newest = lambda item: (records[order[item[1][-1]]].date or "", item[1][-1])
    lines, day = [LOG, "", f"{len(records)} records."], None
    for key, places in sorted(entries.items(), key=newest, reverse=True):
        own = [records[order[place]] for place in places]
        if key[0] != day:
            day = key[0]
            lines += ["", f"## {_spelled(day)}", "", HEAD, "|---|---|---|"]
        task, dataset, protocol, method, options = key[2:7]
        before = {place: new for place in places if (new := _superseded_by(place, after, records, order)) is not None}
        common = {name: own[0].options[name] for name in sorted(own[0].options)
                  if _number(own[0].options[name]) and all(record.options.get(name) == own[0].options[name] for record in own)}
        told = method + (f" ({_options({**dict(options), **common})})" if options or common else "")
        texts = (f"{(own[-1].date or '')[11:16]} `{key[1]}`", f"{told}; {task}, {dataset}; protocol {protocol}",
                 _values(own, before, places, common))
        lines.append("| " + " | ".join(map(_safe, texts)) + " |")
    if others:
        lines += ["", f"Beside them lie values of other kinds, which their own chapters read: {', '.join(f'`{name}`' for name in others)}."]
    return "\n".join(lines) + "\n"


def same_thing(record):
    """What two records must share so that the newer takes the older's place."""
    return (record.method, record.task, record.dataset, record.scale, record.metric, repr(sorted(record.options.items())), record.weights,
            record.profile, record.seed, repr(sorted(record.protocol.items())))


def successors(records):
    """{place of a record: place of the next one of the same thing}, of records in the order of their dates."""
    found, last = {}, {}
    for place, record in enumerate(records):
        key = same_thing(record)
        if key in last:
            found[last[key]] = place
        last[key] = place
    return found


def _superseded_by(place, after, records, order):
    return None if place not in after else records[order[after[place]]]


def _line(record, successor):
    """What stands in one line: one method in one go; what was superseded stands in another line than what holds."""
    words = tuple(sorted((name, value) for name, value in record.options.items() if not _number(value)))
    weights = (f", weights {record.weights[:8]}" if record.weights else "") + (" trained here" if record.trained else "")
    return ((record.date or "no date")[:10], record.commit or "none", record.task, record.dataset, record.protocol.get("name", ""),
            record.method + weights, words, successor is not None)


def _values(records, superseded, places, common):
    """The measured values of a line, metric by metric."""
    said = []
    for metric in dict.fromkeys((r.metric, repr(sorted(r.protocol.get("metric", {}).items()))) for r in records):
        own = [(r, place) for r, place in zip(records, places, strict=True)
               if (r.metric, repr(sorted(r.protocol.get("metric", {}).items()))) == metric]
        own.sort(key=lambda item: (item[0].scale or 0, [v for _, v in sorted(item[0].options.items()) if _number(v)]))
        whole = len(own) <= SHOWN or superseded
        shown = own if whole else [own[0], own[-1]]
        values = [_value(r, superseded.get(place), common) for r, place in shown]
        joined = ", ".join(values) if whole else f"{values[0]} ... {values[-1]} ({len(own)} values)"
        counts = Counter(len(r.images) for r, _ in own)
        images = " or ".join(f"{n}" for n in sorted(counts))
        unit = own[0][0].unit
        said.append(f"**{metric[0]}** {joined}{'' if unit in (None, '1') else ' ' + unit} ({images} image{'s' * (images != '1')})")
    return "; ".join(said)


def _value(record, successor, common):
    numbers = _options({name: value for name, value in sorted(record.options.items()) if _number(value) and name not in common})
    at = " ".join(filter(None, [f"{record.scale}x" if record.scale else "", numbers]))
    value = "nothing" if record.value is None else f"{record.value:.6g}"
    if successor is not None:
        new = "nothing" if successor.value is None else f"{successor.value:.6g}"
        value += f" (superseded on {successor.date[:10]} at `{successor.commit}`: {new})"
    failed = f" [{len(record.failed)} failed]" if record.failed else ""
    return f"{at} {value}{failed}".strip()


def kept():
    """(every record of results/records, names of the files there that hold something else)."""
    records, others = [], []
    for file in sorted(records_folder(keep=True).glob("*.jsonl")):
        try:
            records += read(file)
        except GirlibError:
            if file.stem in TASKS:
                raise
            others.append(file.name)
    return records, others


def _number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _options(given):
    return ", ".join(f"{name}={value}" for name, value in given.items())


def _spelled(day):
    try:
        date = datetime.fromisoformat(day)
    except ValueError:
        return day
    return f"{date.day} {date:%B %Y}"


def _safe(text):
    """Text inside a cell of a Markdown table."""
    return str(text).replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    if sys.argv[1:] not in (["cards"], ["log"]):
        sys.exit(__doc__)
    print(cards() if sys.argv[1] == "cards" else change_log(*kept()))
