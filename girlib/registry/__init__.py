"""What can be had: every public dataset of the book and the released weights of every network, and how much of them is here.

datasets.csv   a row a dataset: title, folder, how it is had (download, form, agreement), bytes, licence, terms to accept, page,
               what to do where there is no download, and how many files it holds
files.csv      a row a file: address (a URL, or owner/name@commit:path of a public repository), bytes, hash (SHA-256, or md5:...
               where only that was published), for an archive what it unpacks to, and a file that serves instead
"""

import csv
import json
import os
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from urllib.parse import quote

from girlib.errors import GirlibError
from girlib.notebook import find_data

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class File:
    """One file to download. `holds`: the file is an archive, and these are the counts that it unpacks to."""

    file: str
    address: str
    bytes: int | None
    hash: str | None
    holds: tuple[tuple[str, int], ...]
    instead: str                # a file with the same values in another form, which serves as well

    @property
    def url(self):
        if "://" in self.address:
            return self.address
        repository, _, path = self.address.partition(":")
        return f"https://raw.githubusercontent.com/{repository.replace('@', '/')}/{quote(path)}"


@dataclass(frozen=True)
class Entry:
    """A dataset, or the released weights of one network. how: "download" | "form" | "agreement"."""

    name: str
    title: str
    folder: str
    how: str
    bytes: int | None
    licence: str
    terms: str                  # what has to be accepted before use, beyond the licence
    page: str
    steps: str                  # what to do where there is no download
    holds: tuple[tuple[str, int], ...]
    files: tuple[File, ...]

    @property
    def counts(self):
        """[(pattern below GIRLIB_DATA, how many files)] of everything that belongs to it and can be counted."""
        return [(f"{self.folder}/{pattern}", count) for pattern, count in self.holds] + [pair for f in self.files for pair in f.holds]


@cache
def registry():
    """All entries by name, in the order of the list."""
    files = {}
    for row in _read("files.csv"):
        size = int(row["bytes"]) if row["bytes"] else None
        files.setdefault(row["name"], []).append(
            File(row["file"], row["address"], size, row["hash"] or None, _counts(row["holds"]), row["instead"]))
    entries = {}
    for row in _read("datasets.csv"):
        own = tuple(files.get(row["name"], ()))
        total = sum(f.bytes for f in own) if own and all(f.bytes for f in own) else None
        row |= {"bytes": int(row["bytes"]) if row["bytes"] else total, "holds": _counts(row["holds"]), "files": own}
        entries[row["name"]] = Entry(**row)
    return entries


def _read(name):
    with open(FOLDER / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _counts(text):
    return tuple((pattern, int(count)) for pattern, _, count in (item.rpartition("=") for item in text.split()))


def find(name):
    """The entries of a name: itself, or all that lie below it, as below `weights`."""
    known = registry()
    below = [entry for other, entry in known.items() if other.startswith(f"{name}/")]
    if name not in known and not below:
        close = get_close_matches(name, known, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise GirlibError(f"fetch: there is no dataset {name!r}{hint}; `girlib data --list` shows the names.")
    return [known[name]] if name in known else below


def data_folder(root=""):
    folder = find_data(root)
    if folder is None:
        raise GirlibError("fetch: no folder of datasets is known; set GIRLIB_DATA to one, or give --root FOLDER.")
    return folder


# ------------------------------------------------------------------------------------------------------------- what is here

class State:
    """How much of an entry lies below `root`, by names, sizes and counts alone."""

    def __init__(self, entry, root):
        plain = [file for file in entry.files if not file.holds]
        parts = [(sum(is_here(file, root) for file in plain), len(plain))] if plain else []
        parts += [(min(how_many(root, pattern), count), count) for pattern, count in entry.counts]
        self.found, self.expected = (sum(side) for side in zip(*parts, strict=True)) if parts else (0, 0)
        if not parts:                                                   # nobody stated how many: any file at all
            self.found = how_many(root, f"{entry.folder}/**/*")
        self.complete = self.found > 0 and self.found >= self.expected

    def __str__(self):
        return f"{self.found} of {self.expected} files" if self.expected else f"{self.found} files"


def how_many(root, pattern):
    """Files and folders below `root` that a pattern fits."""
    return sum(1 for _ in root.glob(pattern))


def is_here(file, root):
    """Whether something stands at the file's place, or what the archive holds was unpacked; what it is worth, `fetch` looks at."""
    if file.holds:
        return all(how_many(root, pattern) >= count for pattern, count in file.holds)
    return os.path.lexists(root / file.file) or bool(file.instead) and (root / file.instead).is_file()


# ------------------------------------------------------------------------------------------------------------------- the list

def amount(count):
    """A number of bytes, for reading."""
    if count is None:
        return "?"
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000


def listing(root=""):
    """[dict] of all entries: name, title, found, expected, complete, bytes, licence, how, command, page."""
    folder = data_folder(root)
    rows = []
    for entry in registry().values():
        state = State(entry, folder)
        rows.append({"name": entry.name, "title": entry.title, "folder": str(folder / entry.folder), "found": state.found,
                     "expected": state.expected or None, "complete": state.complete, "bytes": entry.bytes, "licence": entry.licence,
                     "how": entry.how, "command": f"girlib fetch {entry.name}", "page": entry.page})
    return rows


def show(root="", details=False, as_json=False):
    """Prints the list of datasets, or the one line that sums it up."""
    rows = listing(root)
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    if details:
        print(f"  {'name':<16} {'here':<14} {'size':>7}  {'get it with':<34} terms\n")
        for row in rows:
            mark = "+" if row["complete"] else "~" if row["found"] else "-"
            here = f"{row['found']} of {row['expected'] or '?'}" if row["found"] else "-"
            way = row["command"] + (f" ({row['how']})" if row["how"] != "download" else "")
            print(f"{mark} {row['name']:<16} {here:<14} {amount(row['bytes']):>7}  {way:<34} {row['licence']}")
        print("\n+ complete, ~ in part, - not here. For a form or an agreement the command says what to do.")
    print(summary(root))


def summary(root=""):
    rows = listing(root)
    whole, part = sum(row["complete"] for row in rows), sum(bool(row["found"]) and not row["complete"] for row in rows)
    return f"{data_folder(root)}: {whole} of {len(rows)} datasets and sets of weights are complete, {part} in part; girlib data --list"
