"""The pages that are made of data: protocol cards and the change log of results. A fault planted in what makes them is noticed."""

import csv
import re
import types
from pathlib import Path

import pytest
import reference_pages

from girlib.metrics import METRICS
from girlib.published import FOLDER, meaning, numbers, titles
from girlib.results import Record
from girlib.tasks import TASKS, get_task

SOURCE = Path(reference_pages.__file__)


def broken(old, new):
    """The module with one text replaced."""
    text = SOURCE.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    module = types.ModuleType("broken")
    exec(compile(text.replace(old, new), str(SOURCE), "exec"), module.__dict__)
    return module


# ------------------------------------------------------------------------------------------------------------ cards

@pytest.fixture(scope="module")
def known():
    """What is expensive to gather, once."""
    return reference_pages._printed(), reference_pages._gates()


def written(module, known):
    module._printed, module._gates = (lambda: known[0]), (lambda: known[1])
    return module.cards()


def blocks(page):
    """{(task, dataset, protocol): {left column: right column}} of a page of cards."""
    found = {}
    for section in re.split(r"^## ", page, flags=re.M)[1:]:
        task = re.search(r"Task: `(\w+)`", section)[1]
        for text in re.split(r"^### ", section, flags=re.M)[1:]:
            rows = [line[2:-2].split(" | ", 1) for line in text.splitlines() if line.startswith("| ") and line != "| | |"]
            dataset, protocol = re.match(r"`(\w+)`", rows[0][1])[1], None
            for left, right in rows[1:]:
                if named := re.match(r"\*\*protocol `(.*)`\*\*", left):
                    protocol = named[1]
                block = found.setdefault((task, dataset, protocol), {})
                block[left] = block[left] + "; " + right if left in block else right
    return found


def faults_of_cards(page):
    """What a page of cards leaves out or says wrongly, read from tasks and tables without the generator."""
    found, faults = blocks(page), []
    for name in TASKS:
        task = get_task(name)
        for dataset in ["procedural", *task.datasets]:
            for protocol in task.protocols:
                if dataset not in protocol.datasets:
                    continue
                place = name, dataset, protocol.name
                block = found.get(place, {})
                text = " ".join(block.values())
                wanted = [protocol.source, f"girlib evaluate METHOD {name} --dataset {dataset}", f"--protocol {protocol.name}`"]
                wanted += [METRICS[metric].reference for metric, _ in protocol.metrics]
                wanted += [f"{key}={value}" for _, given in protocol.metrics for key, value in given.items()]
                faults += [f"{place}: no {words!r}" for words in wanted if words not in text]
                sensor = block.get("sensor", "")
                faults += [f"{place}: sensor without {key}" for key, value in protocol.sensor.items() if f"{key}={value}" not in sensor]
                cut = {given.get("border", 0) for _, given in protocol.metrics}
                if ("none" in block.get("crop", "")) != (0 in cut):
                    faults.append(f"{place}: crop")
                faults += [f"{place}: {border} pixels" for border in cut - {0} if isinstance(border, int)
                           and f"{border} pixels on every side" not in block.get("crop", "")]
    return faults + faults_of_tables(found) + faults_of_gates(found)


def faults_of_tables(found):
    faults = []
    for name in titles():
        for place in numbers(name):
            said = meaning(name, *place)
            for dataset in said.datasets:
                block = found.get((said.task, dataset, said.protocol))
                if block is not None and f"`{name}`" not in block["tables"]:
                    faults.append(f"{said.task}, {dataset}, {said.protocol}: not of {name}")
                if block is not None and said.images and len(said.datasets) == 1 and f"{said.images}" not in block["split, images"]:
                    faults.append(f"{said.task}, {dataset}, {said.protocol}: not {said.images} images")
    return sorted(set(faults))


def faults_of_gates(found):
    faults = []
    with open(FOLDER / "baselines.csv", newline="") as file:
        for row in csv.DictReader(file):
            block = found.get((row["task"], row["dataset"], row["protocol"]))
            words = f"`{row['method']}`", f"{float(row['reference'])} within {float(row['band']):g}"
            if block is not None and not all(word in block["baseline gate"] for word in words):
                faults.append(f"{row['task']}, {row['dataset']}, {row['protocol']}: no gate {words}")
    gate = found["depth", "middlebury", "sfigf"]["baseline gate"]
    return faults + ([] if gate.count("measured equal") == 3 and "NOT EQUAL" not in gate else ["bicubic on Middlebury is equal"])


def test_every_protocol_of_every_task_and_dataset_has_its_card(known):
    page = written(reference_pages, known)
    assert faults_of_cards(page) == []
    assert len(re.findall("^### ", page, re.M)) == sum(1 + len(get_task(name).datasets) for name in TASKS)
    assert f" {sum(protocol is not None for *_, protocol in blocks(page))} ways to score." in page


@pytest.mark.parametrize("old, new", [
    ('return ["procedural", *task.datasets]', "return [*task.datasets]"),
    ("    for protocol in protocols:\n", "    for protocol in protocols[:1]:\n"),
    ("options = {**known, **protocol.sensor}", "options = {**protocol.sensor, **known}"),
    ('options = f" `{_options(given)}`." if given else ""', 'options = ""'),
    ('given.get("border", 0)', "0"),
    ('" scored by the papers" if images', '" scored by the papers" if not images'),
    ('", ".join(f"`{name}`" for name in tables) or "none"', '"none"'),
    ('"measured equal" if state.open', '"measured equal" if not state.open'),
    ("within {known.band:g}", "within {known.value:g}"),
    ("for scale in task.scales for line", "for scale in task.scales[:1] for line"),
    (" --protocol {protocol.name}`", "`"),
    ("After: {entry.reference}.", ""),
])
def test_a_fault_in_the_cards_is_noticed(known, old, new):
    assert faults_of_cards(written(broken(old, new), known))


def test_a_metric_is_explained_in_one_line_and_a_cell_holds_no_bar(known):
    page = written(reference_pages, known)
    for line in page.splitlines():
        if line.startswith("| "):
            assert len(re.split(r"(?<!\\)\|", line)) == 4, line


# -------------------------------------------------------------------------------------------------------------- log

def record(value, date, **changes):
    given = dict(method="gf", task="depth", dataset="lu", scale=4, metric="rmse", value=value, unit="grey", direction="lower",
                 images={"1": value, "2": value}, protocol={"name": "sfigf", "source": "", "sensor": {}, "metric": {"border": 6}},
                 options={"radius": 4}, commit="abc", date=date)
    return Record(**{**given, **changes})


OLD, NEW = "2026-01-01T10:00:00+00:00", "2026-02-03T11:00:00+00:00"
RECORDS = [
    record(5.125, NEW, scale=8), record(3.25, OLD), record(3.5, NEW, commit="def"),                        # the second is superseded
    record(2.75, NEW, protocol={"name": "sfigf", "source": "", "sensor": {}, "metric": {"border": 0}}),     # another protocol,
    record(1.875, NEW, options={"radius": 8}), record(1.625, NEW, weights="0123456789"),                    # options, weights:
    record(9.5, OLD, options={"radius": 16}), record(0.5, NEW, method="jbu", failed={"3": "torn"}),         # nothing is superseded
]


def faults_of_log(page):
    lines = [line for line in page.splitlines() if re.match(r"\| \d", line)]
    faults = [f"{r.value:g} is missing" for r in RECORDS if not any(re.search(rf"(?<![\d.]){r.value:g}\b", line) for line in lines)]
    told = re.findall(r"([\d.]+) \(superseded on ([\d-]+) at `(\w+)`: ([\d.]+)\)", page)
    if told != [("3.25", NEW[:10], "def", "3.5")]:
        faults.append(f"superseded: {told}")
    if not re.search(r"\| 10:00 `abc` \| gf \(radius=4\); depth, lu; protocol sfigf \| \*\*rmse\*\* 4x 3.25 ", page):
        faults.append("the old value is not in its place")
    if re.findall(r"^## (.*)", page, re.M) != ["3 February 2026", "1 January 2026"]:
        faults.append("days")
    if f"{len(RECORDS)} records" not in page or "[1 failed]" not in page or "weights 01234567" not in page:
        faults.append("counts, failures or weights")
    return faults


def test_log_holds_every_value_newest_first_and_the_old_one_beside_the_new():
    assert faults_of_log(reference_pages.change_log(RECORDS)) == []
    assert faults_of_log(reference_pages.change_log(RECORDS[::-1])) == []


@pytest.mark.parametrize("old, new", [
    ("key=newest, reverse=True", "key=newest"),
    ("    if successor is not None:\n        new =", "    if False:\n        new ="),
    ('value = "nothing" if record.value is None else f"{record.value:.6g}"',
     'value = f"{(successor or record).value:.6g}"'),
    ("record.metric, repr(sorted(record.options.items())), record.weights,", "record.metric, record.weights,"),
    ("repr(sorted(record.options.items())), record.weights,", "repr(sorted(record.options.items())),"),
    ("record.profile, record.seed, repr(sorted(record.protocol.items())))", "record.profile, record.seed)"),
    ("record.dataset, record.scale, record.metric, repr(", "record.dataset, record.metric, repr("),
    ('key=lambda i: (records[i].date or "", i)', "key=lambda i: -i"),
    ("            found[last[key]] = place\n", "            found[place] = last[key]\n"),
    ('failed = f" [{len(record.failed)} failed]" if record.failed else ""', 'failed = ""'),
    ("for i in order])\n    entries", "for i in order[1:]])\n    entries"),
])
def test_a_fault_in_the_log_is_noticed(old, new):
    module = broken(old, new)
    try:
        assert faults_of_log(module.change_log(RECORDS)) + faults_of_log(module.change_log(RECORDS[::-1]))
    except (IndexError, KeyError):
        pass                                                # stopped: noticed as well


def test_many_values_of_one_go_stand_in_one_line_with_their_ends():
    many = [record(10.0 - i, OLD, options={"radius": 4, "steps": i + 1}) for i in range(8)]
    page = reference_pages.change_log(many)
    assert "gf (radius=4)" in page and "4x steps=1 10 ... 4x steps=8 3 (8 values)" in page and len(re.findall(r"^\| \d", page, re.M)) == 1


def test_records_that_are_kept_are_all_in_the_log():
    records, others = reference_pages.kept()
    assert records and f"{len(records)} records." in reference_pages.change_log(records, others)
    assert reference_pages.change_log([]).endswith("Nothing has been kept yet.\n")
