"""How a table is written: for a terminal, as Markdown and HTML for the book, as CSV and JSON for programs."""

import csv
import html as markup
import io
import json
import re
import sys
import textwrap
from dataclasses import asdict
from os import environ

from girlib.tables_ours import LEAST

BEST = {1: ("\033[1m", "\033[0m"), 2: ("\033[4m", "\033[0m")}          # bold, underlined
LEGEND = "~ on a part of the images, so not compared"
VARIABLES = {                                                           # what commands differ by: (what stands before, the value)
    "M": r"(girlib (?:evaluate|train) )(\w+)", "W": r"(girlib fetch weights/)(\w+)", "D": r"(--dataset |girlib fetch )(\w+)(?!/)\b",
    "S": r"(--scale )(\d+)", "O": r"(weights with )(.*?)(?=, which)",
}


def entries(table):
    """[dict] of a table, one a cell."""
    return [{"table": table.name, "row": c.row, "column": c.column, "published": c.published, "unit": c.unit, "direction": c.direction,
             "measured": c.measured, "images": c.images, "of": c.of, "difference": c.difference, "provenance": c.provenance,
             "waits": c.waits} for c in table.cells.values()]


def as_json(table):
    return json.dumps({"table": table.name, "title": table.title, "cells": entries(table), "baselines": [str(gate) for gate in table.gates],
                       "without baseline": list(table.ungated), "notes": [list(note) for note in table.notes],
                       "set by search": [{"row": row, "column": column, **asdict(own)} for (row, column), own in table.fitted.items()],
                       "trained here": [{"section": section.title, "row": row, "column": column, **asdict(own)}
                                        for section in table.trained for (row, column), own in section.cells.items()],
                       "orders": [asdict(order) for order in table.orders()]}, indent=1)


def as_csv(table):
    out = io.StringIO()
    lines = entries(table)
    writer = csv.DictWriter(out, lines[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().rstrip("\n")


# ------------------------------------------------------------------------------------------------------------ what is said

def lines_of(table, row):
    """[(what it is, [a text a column])] of a row: as printed and, where any cell was measured, measured and the difference."""
    cells = [table.cells[row, column] for column in table.columns]
    lines = [(row, [cell.published for cell in cells])]
    if any(cell.measured is not None for cell in cells):
        lines.append(("  measured", [_like(cell.measured, cell, "") + "~" * cell.part for cell in cells]))
        if any(cell.whole for cell in cells):
            lines.append(("  difference", [_like(cell.difference, cell, "+") for cell in cells]))
    if any((row, column) in table.fitted for column in table.columns):
        found = [(table.fitted.get((row, cell.column)), cell) for cell in cells]
        lines.append(("  set by search", [_like(own.measured, cell, "") + "~" * own.part if own else "" for own, cell in found]))
    return lines


def _like(value, cell, sign):
    """A value with as many decimals as the printed one."""
    return "" if value is None else f"{value:{sign}.{len(cell.published.partition('.')[2])}f}"


def remarks(table):
    """[(heading, [(of what, text)])]: where measured values come from, what the others wait for, baselines, oddities of the print."""
    came, waits = [], []
    for cell in table.cells.values():
        method, other = (cell.column, cell.row) if table.turned else (cell.row, cell.column)
        if cell.measured is None:
            waits.append((method, other, cell.waits))
        else:
            came.append((method, other, cell.provenance + ("" if cell.whole else f"; {cell.images} of {cell.of} images")))
    every = table.rows if table.turned else table.columns
    searched = [(row, column, f"{own.said}: a fit to the print, no reproduction of it") for (row, column), own in table.fitted.items()]
    sections = [("Measured", _gather(came, every)), ("Set by search", _gather(searched, every)), ("Waits for", _gather(waits, every)),
                *_ours(table), ("Order of the methods", _orders(table)), ("Baselines", _baselines(table)),
                ("Notes", [(", ".join(filter(None, note[:2])) or "all", note[2]) for note in table.notes])]
    return [(heading, lines) for heading, lines in sections if lines]


def _ours(table):
    """[(heading, lines)] of what was trained here, a line a method, each value beside the printed one."""
    found = []
    for section in table.trained:
        lines, hours = {}, 0.0
        for (row, column), own in section.cells.items():
            method, of = (column, row) if table.turned else (row, column)
            printed = table.cells[row, column].published
            of = (re.search(r"\d+x$", of) or [of])[0] if section.procedural else of
            said = f"{of} {own}" if section.procedural else f"{of} {own} (printed {printed})"
            lines.setdefault(method, {})[said] = len(own.values)
            hours += own.hours or 0.0
        told = [(method, "; ".join(said) + (f"; seeds: {max(said.values())}" if max(said.values()) > 1 else ""))
                for method, said in lines.items()]
        found.append((section.title[0].upper() + section.title[1:] + (f" ({hours:.2g} hours in all)" if hours else ""), told))
    return found


def _orders(table):
    """Lines on how the printed order of methods agrees with the measured one; what is too short for an order is said once."""
    lines, orders = [], table.orders()
    for order in orders:
        if order.correlation is not None:
            said = f"rank correlation {order.correlation:.2f} over {len(order.printed)} methods"
            if order.swapped:
                said += f"; best first, printed {', '.join(order.printed)}; here {', '.join(order.measured)}"
            lines.append((f"{order.of}, {order.title}", said))
    for title in dict.fromkeys(order.title for order in orders):
        short = [len(order.printed) for order in orders if order.title == title and order.correlation is None]
        if short:
            which = "other columns" if any(line[0].endswith(title) for line in lines) else "columns"
            lines.append(("", f"{title}: {which.replace('columns', 'rows') if table.turned else which} have at most {max(short)} measured "
                              f"method{'s' * (max(short) > 1)}; an order needs {LEAST}"))
    return lines


def orders_markdown(tables):
    """Whether the order of methods that several tables print is the order in which they were measured here; what can't be said, too."""
    orders = [(table.name, order) for table in tables for order in table.orders()]
    enough = [(name, order) for name, order in orders if order.correlation is not None]
    out = []
    if enough:
        out = ["| table | of | measured here | methods | rank correlation | printed before, here behind |", "|---|---|---|--:|--:|---|"]
        for name, order in enough:
            swapped = "; ".join(f"{one} before {other}" for one, other in order.swapped[:4])
            more = f" and {len(order.swapped) - 4} pairs more" if len(order.swapped) > 4 else ""
            out.append(f"| {name} | {order.of} | {order.title} | {len(order.printed)} | {order.correlation:.2f} | {swapped}{more} |")
        out.append("")
    few = len(orders) - len(enough)
    if few:
        out.append(f"{'In ' + str(few) + ' more' if enough else 'All ' + str(few)} columns or rows with a measurement "
                   f"{'there are' if enough else 'have'} fewer than {LEAST} methods, too few for an order.")
    return "\n".join(out or ["No method of these tables is measured, so there is no order to compare."])


def _gather(said, every):
    """[(methods and what of them, text)]: what differs only by method, dataset and scale is said once, with letters for them."""
    of_method, lines = {}, {}
    for method, other, text in said:
        text, letters = _lettered(text)
        where, known = of_method.setdefault((text, method), ([], []))
        where.append(other)
        known += letters
    for (text, method), (where, letters) in of_method.items():
        methods, known = lines.setdefault((text, tuple(where)), ([], []))
        methods.append(method)
        known += letters
    return [(", ".join(methods) + _where(where, every), _spelled(text, letters)) for (text, where), (methods, letters) in lines.items()]


def _lettered(text):
    """The text with letters in the place of what commands differ by, and [(letter, value)]."""
    letters = []
    for letter, pattern in VARIABLES.items():
        letters += [(letter, value) for _, value in re.findall(pattern, text)]
        text = re.sub(pattern, rf"\1<{letter}>", text)
    return "; ".join(dict.fromkeys(text.split("; "))), letters


def _spelled(text, letters):
    """A letter that stands for one value becomes that value; the others are explained."""
    explained = []
    for letter in VARIABLES:
        values = list(dict.fromkeys(value for other, value in letters if other == letter))
        text = text.replace(f"<{letter}>", values[0] if len(values) == 1 else letter)
        explained += [f"{letter} = {' | '.join(values)}"] if len(values) > 1 else []
    return text + (f"  [{'; '.join(explained)}]" if explained else "")


def _where(where, every):
    """The columns in few words: none if it is all of them, the scales if it is all datasets, a dataset if it is all its scales."""
    if len(where) in (0, len(every)):
        return ""
    heads = _heads(every)
    rests = [rest for rest in dict.fromkeys(rest for _, rest in heads.values()) if any(heads[label][1] == rest for label in where)]
    if set(where) == {label for label in every if heads[label][1] in rests}:
        return f" ({', '.join(rests)})"
    named = [label if any(heads[other][0] == heads[label][0] and other not in where for other in every) else heads[label][0] or label
             for label in where]
    return f" ({', '.join(dict.fromkeys(named))})"


def _baselines(table):
    """[("", text)]: a line for each baseline and protocol, in which each dataset and scale has its measured and its expected value."""
    groups = {}
    for gate in table.gates:
        groups.setdefault((gate.reference.method, gate.metric, gate.protocol, gate.reference.source, gate.reference.band), []).append(gate)
    lines = []
    for (method, metric, protocol, source, band), gates in groups.items():
        states = [f"{gate.place} {gate.reference.value}" + (" not measured" if gate.measured is None else " equal" if gate.open
                  else f" NOT EQUAL, {gate.measured:.6f} measured") for gate in gates]
        allowed = f"{band:.6f}".rstrip("0")
        lines.append((method, f"{metric} under {protocol}, expected ({source}; {allowed} allowed) and measured: {', '.join(states)}"))
        letters = [_lettered(gate.command) for gate in gates if gate.measured is None]
        lines += [(method, "missing: " + _spelled(text, [pair for other, pairs in letters if other == text for pair in pairs]))
                  for text in dict.fromkeys(text for text, _ in letters)]
    if table.ungated:
        lines.append(("", "no value of a baseline is known, so networks are shown without one (it would have to be computed apart from "
                          f"this package, on images that were not at hand): {'; '.join(table.ungated)}"))
    return lines


def _heads(labels):
    """{label: (what it shares with its neighbours, the rest)}: "NYU V2 4x" is ("NYU V2", "4x")."""
    heads = {}
    for label in labels:
        scale = re.match(r"(.*) (\d+x)$", label)
        first, _, rest = label.partition(" ")
        shared = rest and len(first) > 2 and sum(other.startswith(f"{first} ") for other in labels) > 1
        heads[label] = scale.groups() if scale else (first, rest) if shared else ("", label)
    return heads


# ------------------------------------------------------------------------------------------------------------------ terminal

def text(table, width=110, marks=None):
    """For a terminal; `marks`: with bold and underlining (default: only if the output is one)."""
    marks = sys.stdout.isatty() and "NO_COLOR" not in environ if marks is None else marks
    heads, ranks = _heads(table.columns), table.ranks() if marks else {}
    blocks = {row: lines_of(table, row) for row in table.rows}
    label = max(len(name) for lines in blocks.values() for name, _ in lines)
    wide = [max(len(heads[column][1]), *(len(values[i]) for lines in blocks.values() for _, values in lines))
            for i, column in enumerate(table.columns)]
    spans = _spans([heads[column][0] for column in table.columns])
    for start, end, head in spans:
        wide[end - 1] += max(0, len(head) - sum(wide[start:end]) - 2 * (end - start - 1))
    out = [f"{table.name}  {table.title}", f"{_units(table)}{'; best bold, second underlined' * bool(ranks)}", ""]
    if any(head for *_, head in spans):
        out.append(" " * label + "".join(f"  {head:<{sum(wide[start:end]) + 2 * (end - start - 1)}}" for start, end, head in spans))
    out.append(" " * label + "".join(f"  {heads[column][1]:>{w}}" for column, w in zip(table.columns, wide, strict=True)))
    for row, lines in blocks.items():
        for number, (name, values) in enumerate(lines):
            shown = [_marked(f"{value:>{w}}", ranks.get((row, column)) if number == 0 else None)
                     for value, column, w in zip(values, table.columns, wide, strict=True)]
            out.append(f"{name:<{label}}  " + "  ".join(shown))
    if any(cell.part for cell in table.cells.values()):
        out.append(LEGEND)
    for heading, lines in remarks(table):
        out += ["", heading] + [_wrap(f"{of}: {said}" if of else said, width) for of, said in lines]
    return "\n".join(line.rstrip() for line in out)


def _marked(text, rank):
    before, after = BEST.get(rank, ("", ""))
    return text.replace(text.strip(), before + text.strip() + after) if rank else text


def _spans(heads):
    """[(from, to, head)] of neighbours that share a head."""
    spans = []
    for i, head in enumerate(heads):
        if spans and head and spans[-1][2] == head:
            spans[-1] = (spans[-1][0], i + 1, head)
        else:
            spans.append((i, i + 1, head))
    return spans


def _units(table):
    """Units and directions: one sentence if all cells agree, else by rows or columns."""
    kinds = {}
    for (row, column), cell in table.cells.items():
        kinds.setdefault((cell.unit, cell.direction), []).append(row if table.turned else column)
    every = table.rows if table.turned else table.columns
    name = lambda unit: {"1": "no unit", "grey": "grey levels", "mixed": "cm and grey levels"}.get(unit, unit)
    said = [name(unit) + ("" if direction == "none" else f", {direction} is better")
            + ("" if len(kinds) == 1 else _where(tuple(dict.fromkeys(where)), every)) for (unit, direction), where in kinds.items()]
    return "; ".join(said)


def _wrap(line, width):
    return textwrap.fill(line, width, initial_indent="  ", subsequent_indent="      ", break_long_words=False, break_on_hyphens=False)


def listing(tables):
    """For a terminal: what there is of all tables."""
    out = [f"{'table':<9} {'rows x columns':>14} {'published':>9} {'measured':>8} {'in part':>7} {'waiting':>7}  shows"]
    out += [f"{t['name']:<9} {t['rows']:>3} x {t['columns']:<8} {t['published']:>9} {t['measured']:>8} {t['part']:>7} {t['waiting']:>7}  "
            f"{t['title']}" for t in tables]
    total = {key: sum(t[key] for t in tables) for key in ("published", "measured", "part", "waiting")}
    out.append(f"{len(tables)} tables: {total['published']} published numbers, {total['measured']} measured, {total['part']} on a part of "
               f"the images, {total['waiting']} waiting; `girlib table NAME` says for what")
    return "\n".join(out)


# ------------------------------------------------------------------------------------------------------------------ the book

def markdown(table):
    ranks = table.ranks()
    mark = {1: "**{}**", 2: "<u>{}</u>", None: "{}"}
    plain = lambda text: text.replace("|", "\\|").replace("~", "\\~")
    out = [f"**{table.name}** {table.title} ({_units(table)})", "", "| | " + " | ".join(map(plain, table.columns)) + " |",
           "|---|" + "--:|" * len(table.columns)]
    for row in table.rows:
        for number, (name, values) in enumerate(lines_of(table, row)):
            shown = [mark[ranks.get((row, column)) if number == 0 else None].format(plain(value))
                     for value, column in zip(values, table.columns, strict=True)]
            out.append(f"| {plain(name) if number == 0 else f'*{name.strip()}*'} | " + " | ".join(shown) + " |")
    for heading, lines in remarks(table):
        out += ["", f"**{heading}**", ""] + [f"- {plain(of)}: {plain(said)}" if of else f"- {plain(said)}" for of, said in lines]
    return "\n".join(out)


def html(table):
    ranks, heads, safe = table.ranks(), _heads(table.columns), markup.escape
    mark = {1: "<b>{}</b>", 2: "<u>{}</u>", None: "{}"}
    spans = _spans([heads[column][0] for column in table.columns])
    out = [f'<table class="girlib-table"><caption>{safe(table.name)} {safe(table.title)} ({safe(_units(table))})</caption><thead>']
    if any(head for *_, head in spans):
        out.append("<tr><th></th>" + "".join(f'<th colspan="{end - start}">{safe(head)}</th>' for start, end, head in spans) + "</tr>")
    out.append("<tr><th></th>" + "".join(f"<th>{safe(heads[column][1])}</th>" for column in table.columns) + "</tr></thead><tbody>")
    for row in table.rows:
        for number, (name, values) in enumerate(lines_of(table, row)):
            out.append(f"<tr><th>{safe(name.strip())}</th>" + "".join(
                f"<td>{mark[ranks.get((row, column)) if number == 0 else None].format(safe(value))}</td>"
                for value, column in zip(values, table.columns, strict=True)) + "</tr>")
    out.append("</tbody></table>")
    for heading, lines in remarks(table):
        items = (safe(f"{of}: {said}" if of else said) for of, said in lines)
        out.append(f"<p><b>{heading}</b></p><ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>")
    return "".join(out)
