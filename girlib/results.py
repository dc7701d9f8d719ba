"""Records: every number that was measured, with all that is needed to measure it again.

A record is one line of JSON. Lines are only ever added, each in one piece; a line that a kill left torn is cut off by the
next writer. Records of this machine go to `_build/records` (or the current folder's), those that are kept to `results/records`.
"""

import json
import math
import os
import subprocess
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path

from girlib.errors import GirlibError

PACKAGE = Path(__file__).resolve().parent
OTHERS = ("calibration.jsonl",)                             # beside records: how far metrics are from values computed elsewhere


@dataclass(frozen=True)
class Record:
    """One metric of one method on one task and dataset: the mean, and the value of every image.

    trained   of weights that were trained here: recipe (all its settings), data, seed, budget (in words, the same words for all that
              share it: "3 CPU-minutes"), hours (of the training), and what else is known. Tables show such records apart from those
              of released weights, one section a budget
    """

    method: str
    task: str
    dataset: str
    scale: int | None
    metric: str
    value: float | None                     # mean over the images that could be scored; None: there was none
    unit: str | None
    direction: str                          # "lower" | "higher" is better
    images: dict[str, float]                # name -> value
    protocol: dict                          # name, source, and every option of sensor and metric
    options: dict = field(default_factory=dict)         # of the method
    weights: str | None = None              # sha256 of what was loaded
    data: str | None = None                 # sha256 over what was scored
    failed: dict[str, str] = field(default_factory=dict)    # name -> why an image could not be scored
    trained: dict = field(default_factory=dict)         # how weights came about that are not their authors'; empty: released, or none
    tile: int | None = None                 # pixels of the tiles that images were worked on in; None: as a whole
    profile: str | None = None
    seed: int = 0
    device: str = "cpu"
    versions: dict[str, str] = field(default_factory=dict)
    commit: str | None = None
    date: str | None = None
    seconds: float = 0.0

    def result(self):
        """The record without what differs from run to run: time and date."""
        return replace(self, date=None, seconds=0.0)


def provenance():
    """Versions, commit and date of a record that is made now."""
    import numpy
    import torch

    import girlib
    versions = {"girlib": girlib.__version__, "torch": torch.__version__, "numpy": numpy.__version__}
    return {"versions": versions, "commit": _commit(), "date": datetime.now(timezone.utc).isoformat(timespec="seconds")}


@lru_cache(maxsize=1)
def _commit():
    """Commit of the checkout, with a plus sign where files other than results differ from it; None in an installed package."""
    home = PACKAGE.parent
    if not (home / ".git").exists():
        return None
    try:
        git = lambda *words: subprocess.run(["git", "-C", str(home), *words], capture_output=True, text=True, check=True).stdout.strip()
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)results")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def in_checkout():
    """Whether the package lies in a checkout of its repository, and not where pip put it."""
    return (PACKAGE.parent / "pyproject.toml").is_file()


def results_folder():
    """What the repository keeps, `results/` of a checkout; an installed package holds a copy, so that chapters run without one."""
    return PACKAGE.parent / "results" if in_checkout() else PACKAGE / "kept_results"


def records_folder(keep=False):
    """Where records lie: kept ones in `results/records`, others in `_build/records` (of the current folder without a checkout)."""
    return results_folder() / "records" if keep else (PACKAGE.parent if in_checkout() else Path.cwd()) / "_build/records"


def append(records, path):
    """Adds records to a file of JSON lines: all of them or, if the machine dies on the way, whole lines only."""
    import fcntl

    text = "".join(as_line(record) + "\n" for record in records).encode()
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)                # two writers take turns
            end = _end_of_last_whole_line(file)
            file.truncate(end)
            file.write(text)
            try:
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.truncate(path, end)                      # a full disk leaves nothing behind
                raise
    except OSError as error:
        raise GirlibError(f"records: {str(path)!r} cannot be written ({error.strerror}); free space or choose another folder.") from None


def as_line(record):
    """A record as one line of JSON."""
    return json.dumps(_plain(asdict(record)), sort_keys=True, allow_nan=False)


def _plain(value):
    """JSON knows no infinity (the PSNR of an image without error): it is written as text."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _end_of_last_whole_line(file):
    end = file.seek(0, os.SEEK_END)
    while end:
        size = min(end, 65536)
        file.seek(end - size)
        newline = file.read(size).rfind(b"\n")
        if newline >= 0:
            return end - size + newline + 1
        end -= size
    return 0


def read(path):
    """All records of a file, or of all `.jsonl` files of a folder in the order of their names; a torn last line is left out."""
    path = Path(path)
    if path.is_dir():
        return [record for file in sorted(path.glob("*.jsonl")) if file.name not in OTHERS for record in read(file)]
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise GirlibError(f"records: {str(path)!r} cannot be read ({error.strerror}).") from None
    records, known = [], {entry.name for entry in fields(Record)}
    for number, line in enumerate(lines, 1):
        try:
            given = json.loads(line)
            given["images"] = {name: float(value) for name, value in given["images"].items()}
            given["value"] = None if given["value"] is None else float(given["value"])
            records.append(Record(**{name: value for name, value in given.items() if name in known}))
        except (ValueError, TypeError, AttributeError, KeyError):
            raise GirlibError(f"records: line {number} of {str(path)!r} is no record; remove the line, or the file.") from None
    return records
