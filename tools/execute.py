"""Execute every chapter with papermill, several at a time, and leave alone what has not changed.

An executed chapter and the note beside it (NAME.json: what it was made from, how long it took) appear together at the
end, the note last. So a run that is killed anywhere is simply continued by the next one.
"""

import ctypes
import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
# A whole chapter that runs longer than this hangs: its processes are killed, and it is tried once more.
CHAPTER_SECONDS = {"quick": 400, "colab": 3 * 3600, "paper": 10 * 24 * 3600}
CPU_SECONDS_EACH, CPU_SECONDS_ALL = 90, 1150        # what a reader's `make book` may cost at the quick profile, on the machine
YARDSTICK = 0.10                                    # on which `yardstick` takes this long: a slower machine breaks no promise
ALLOWS_STDERR = "allow-stderr"


class Failure(Exception):
    """A chapter that did not run to its end as it should; the message names notebook and cell."""


def cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def fingerprint(path, parameters):
    """A hash of all that an executed chapter depends on: its source, the package, the locked versions, the parameters, the data."""
    content = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    package = sorted(file for ending in ("py", "css", "csv") for file in (ROOT / "girlib").rglob(f"*.{ending}"))
    results = sorted(file for file in (ROOT / "results").rglob("*.*") if file.suffix in (".csv", ".json", ".jsonl"))
    for source in (path, ROOT / "requirements.lock", *package, *results):
        content.update(source.name.encode() + b"\0" + source.read_bytes())
    for fact in (platform.python_version(), version("torch"), os.environ.get("GIRLIB_DATA", "")):
        content.update(fact.encode() + b"\0")
    return content.hexdigest()


def read_note(output):
    try:
        note = json.loads(output.with_suffix(".json").read_text())
    except (OSError, ValueError):
        return None
    return note if output.is_file() else None


def environment():
    """For the kernels: the book's own settings instead of the user's, and no threads beyond the one core a chapter has."""
    own = BUILD / "jupyter"
    return {**os.environ, "GIRLIB_BOOK": "1", "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"), "PYTHONHASHSEED": "0",
            "JUPYTER_PLATFORM_DIRS": "1", "JUPYTER_PREFER_ENV_PATH": "1", "IPYTHONDIR": str(own / "ipython"),
            "JUPYTER_CONFIG_DIR": str(own / "config"), "MPLCONFIGDIR": str(own / "matplotlib"), "MPLBACKEND": "agg"}


def die_with_parent():
    """In a new process: end when the build ends, even if that was killed (Linux; elsewhere the chapter runs to its end)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


class Chapter:
    """One notebook on its way through papermill, in a process group of its own that can be killed as a whole."""

    def __init__(self, path, output, parameters):
        self.path, self.output, self.parameters = path, output, parameters
        self.key = fingerprint(path, parameters)
        self.attempts = 0
        self.process = None
        note = read_note(output)
        self.last_seconds = note["seconds"] if note else None
        self.note = note if note and note["key"] == self.key else None

    def start(self):
        self.output.with_suffix(".json").unlink(missing_ok=True)
        self.log = self.output.with_suffix(".log")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        given = [part for name, value in self.parameters.items() for part in ("-p", f"{name}={value}")]
        command = [sys.executable, "-m", "girlib.cli", "notebook", str(self.path), "-o", str(self.output), *given]
        self.attempts += 1
        self.yardstick = yardstick()
        self.began = time.time()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                            env=environment(), start_new_session=True, preexec_fn=die_with_parent)

    def kill(self):
        if self.process and self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def finished(self):
        """False while it runs or is tried again; True when it is done; a Failure when it can't be."""
        pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
        seconds = time.time() - self.began
        if pid == 0:
            if seconds < CHAPTER_SECONDS[self.parameters["profile"]]:
                return False
            self.kill()
            return self._again(f"{self.path.name}: still running after {seconds:.0f} s, killed")
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode == 0:
            self._keep(seconds, usage.ru_utime + usage.ru_stime)
            return True
        said = self.log.read_text().strip().splitlines() or [f"{self.path.name}: ended with exit code {self.process.returncode}"]
        if self.process.returncode == 124:
            return self._again(said[-1])
        raise Failure(said[-1].removeprefix("girlib: "))

    def _again(self, reason):
        if self.attempts > 1:
            raise Failure(f"{reason} (twice)")
        print(f"  {reason}; trying once more", flush=True)
        self.start()
        return False

    def _keep(self, seconds, cpu_seconds):
        check_outputs(self.output)
        speed = min(1.0, 2 * YARDSTICK / (self.yardstick + yardstick()))        # a faster one counts as it is
        self.note = {"key": self.key, "notebook": self.path.name, "seconds": round(seconds, 1), "cpu_seconds": round(cpu_seconds, 1),
                     "speed": round(speed, 2),
                     "date": datetime.now(timezone.utc).isoformat(timespec="seconds"), "commit": commit(), "device": device(),
                     **self.parameters, "versions": versions()}
        part = self.output.with_suffix(".json.part")
        part.write_text(json.dumps(self.note, indent=1))
        os.replace(part, self.output.with_suffix(".json"))
        self.log.unlink()


def check_outputs(path):
    """Every code cell ran, and nothing was written to stderr unless the cell says so."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        if cell.source.strip() and cell.execution_count is None:
            raise Failure(f"{path.name}: cell {cell.id} was not executed")
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr" and ALLOWS_STDERR not in cell.metadata.get("tags", []):
                first = output.text.strip().splitlines()[0][:200]
                raise Failure(f"{path.name}: cell {cell.id} wrote to stderr: {first} (mend it, or tag the cell {ALLOWS_STDERR!r})")


def yardstick():
    """CPU-seconds of a fixed piece of work of the chapters' kind: how fast this machine is just now."""
    import torch

    torch.set_num_threads(1)
    image = torch.linspace(0, 1, 3 * 128 * 128).view(1, 3, 128, 128)
    kernel = torch.linspace(-1, 1, 81).view(3, 3, 3, 3).requires_grad_()
    began = time.process_time()
    for _ in range(100):
        seen = torch.nn.functional.conv2d(image, kernel, padding=1)
        (seen.sigmoid().cumsum(-1) * seen).mean().backward()
    return time.process_time() - began


def commit():
    """The commit that is checked out, with a plus where the working tree differs from it."""
    git = lambda *a: subprocess.run(["git", *a], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return (git("rev-parse", "--short", "HEAD") or "none") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def device():
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "CPU"


def versions():
    return {"python": platform.python_version(), **{name: version(name) for name in
            ("girlib", "torch", "numpy", "matplotlib", "papermill", "jupyter-book")}}


def execute(profile, names=None, workers=None):
    """Bring every chapter (or those in `names`) up to date; return their notes in reading order."""
    # Seed, device and data are what a reader gets who changes nothing.
    parameters = {"profile": profile}
    paths = [path for path in sorted((ROOT / "notebooks").glob("*.ipynb")) if not names or path.stem in names]
    chapters = [Chapter(path, BUILD / "executed" / profile / path.name, parameters) for path in paths]
    todo = sorted((c for c in chapters if c.note is None), key=lambda c: -(c.last_seconds or 1e9))     # the longest first
    fresh = len(chapters) - len(todo)
    print(f"chapters: {len(chapters)}, unchanged {fresh}, to execute {len(todo)} (profile {profile}, {device()})", flush=True)
    if profile == "quick":
        workers = workers or cores()
    run_all(todo, workers or 1)
    report(chapters, profile)
    return [chapter.note for chapter in chapters]


def run_all(todo, workers):
    running, failures, done, total = [], [], 0, len(todo)
    began = time.time()
    try:
        while todo or running:
            while todo and len(running) < workers:
                running.append(todo.pop(0))
                running[-1].start()
            for chapter in list(running):
                try:
                    over = chapter.finished()
                except Failure as failure:
                    failures.append(str(failure))
                    over = True
                if over:
                    running.remove(chapter)
                    done += 1
                    show_progress(chapter, done, total, began, failed=chapter.note is None)
            time.sleep(0.1)
    finally:
        for chapter in running:
            chapter.kill()
    if failures:
        raise Failure("\n".join(failures))


def show_progress(chapter, done, total, began, failed):
    left = (time.time() - began) / done * (total - done)
    what = "failed" if failed else f"{chapter.note['seconds']:6.1f} s"
    print(f"  [{done}/{total}] {chapter.path.stem:<34} {what}" + (f"   about {left:.0f} s left" if left else ""), flush=True)


def report(chapters, profile):
    """What each chapter cost; the promise is kept in CPU-seconds of the machine on which it was given."""
    notes = [chapter.note for chapter in chapters]
    cost = [note["cpu_seconds"] * note["speed"] for note in notes]
    print(f"  {'':<40} CPU-seconds   at the speed of the budget's machine")
    for note, seconds in zip(notes, cost, strict=True):
        print(f"  {note['notebook']:<40} {note['cpu_seconds']:11.1f}   {seconds:.1f}")
    print(f"  {'in all':<40} {sum(note['cpu_seconds'] for note in notes):11.1f}   {sum(cost):.1f}"
          + (f" of {CPU_SECONDS_ALL}" if profile == "quick" else ""))
    if profile == "quick":
        slow = [note["notebook"] for note, seconds in zip(notes, cost, strict=True) if seconds > CPU_SECONDS_EACH]
        if slow or sum(cost) > CPU_SECONDS_ALL:
            raise Failure(f"too slow for the quick profile: {', '.join(slow) or 'all chapters together'} "
                          f"(at most {CPU_SECONDS_EACH} CPU-seconds each, {CPU_SECONDS_ALL} in all)")
