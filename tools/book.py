"""`make book`: execute the chapters, build the pages, and say which file to open.

Three steps, each in a file of its own: execute.py (papermill), this file (stage -> Jupyter Book -> finished HTML) and, with
PDF=1, pdf.py. Sphinx executes nothing. The built book replaces the old one only when it is whole.
"""

import argparse
import hashlib
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path

import nbformat
import yaml
from execute import BUILD, ROOT, Failure, commit, device, environment, execute, versions
from notebooks import colab_link, repository
from reference_pages import cards, change_log, kept
from slim import PAGE_BYTES, mathjax, slim, too_heavy

STAGE, WORK, HTML = BUILD / "stage", BUILD / "work", BUILD / "html"


def stage(notes, profile):
    """Lay out what Jupyter Book reads: the pages of book/, the executed chapters, MathJax, and the pages made of data."""
    shutil.rmtree(STAGE, ignore_errors=True)
    shutil.copytree(ROOT / "book", STAGE, ignore=shutil.ignore_patterns("_toc.yml"))
    shutil.copy(ROOT / "girlib" / "viz.css", STAGE / "assets" / "viz.css")
    wheel = Path(find_spec("sphinx-mathjax-offline").submodule_search_locations[0])
    mathjax(wheel / "static" / "mathjax", STAGE / "assets" / "mathjax")
    (STAGE / "notebooks").mkdir()
    for note in notes:
        notebook = nbformat.read(BUILD / "executed" / profile / note["notebook"], as_version=4)
        nbformat.write(as_page(notebook, note), STAGE / "notebooks" / note["notebook"])
    for name, text in (("status", status_page(notes, profile)), ("protocols", cards()), ("results", change_log(*kept()))):
        (STAGE / f"{name}.md").write_text(text)
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())
    (STAGE / "_toc.yml").write_text(yaml.safe_dump(only_present(toc)))


def as_page(notebook, note):
    """An executed chapter as the book shows it: no plumbing, and a line under the title that says when and how it ran."""
    notebook.metadata.pop("papermill", None)            # holds paths of this machine, and readers can download the page's notebook
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        tags = cell.metadata.setdefault("tags", [])
        if "injected-parameters" in tags:
            tags.append("remove-cell")
        if "solution" in tags:
            cell.metadata.setdefault("mystnb", {}).update(code_prompt_show="Show the solution", code_prompt_hide="Hide the solution")
        if cell.get("id") == "badge":
            cell["source"] = "{.gir-strip}\n" + strip(notebook, note)
    return notebook


def strip(notebook, note):
    ran = datetime.fromisoformat(note["date"])
    before = notebook.metadata.get("girlib", {}).get("before", [])
    parts = [f"**Last verified** {ran.day} {ran:%B %Y}, {note['profile']} profile on {note['device']}, {note['seconds']:.0f} s, "
             f"torch {note['versions']['torch']}",
             f"**{reading_minutes(notebook)} minutes** to read"]
    if before:
        parts.append("**Before this:** " + ", ".join(before))
    parts.append(f"[Open in Colab]({colab_link(Path(note['notebook']))})")
    return " · ".join(parts)


def reading_minutes(notebook):
    """Two hundred words of prose a minute, and three seconds a line of the code that is not folded."""
    folded = {"remove-cell", "hide-cell", "hide-input"}
    shown = [cell for cell in notebook.cells if not folded & set(cell.metadata.get("tags", []))]
    words = sum(len(cell.source.split()) for cell in shown if cell.cell_type == "markdown")
    lines = sum(len(cell.source.splitlines()) for cell in shown if cell.cell_type == "code")
    return math.ceil(words / 200 + lines / 20)


def status_page(notes, profile):
    """What ran, where, how long, with which versions: made by the build, never by hand."""
    today, seen = date.today(), versions()
    rows = [f"| [{note['notebook'].removesuffix('.ipynb')}](notebooks/{note['notebook']}) | {note['date'][:16].replace('T', ' ')} UTC "
            f"| {note['seconds']:.1f} | {note['cpu_seconds']:.1f} | {note['device']} | `{note['commit']}` |" for note in notes]
    return "\n".join([
        "# Status", "",
        f"This book was built on {today.day} {today:%B %Y} from commit `{commit()}` at the **{profile}** profile on {device()}. "
        f"All {len(notes)} chapters ran from the first cell to the last; had one failed, there would be no page.", "",
        "A plus after a commit says that files had been changed since it.", "",
        "| chapter | executed | seconds | CPU-seconds | device | commit |", "|---|---|---|---|---|---|", *rows,
        f"| **in all** | | **{sum(n['seconds'] for n in notes):.1f}** | **{sum(n['cpu_seconds'] for n in notes):.1f}** | | |", "",
        "| software | version |", "|---|---|", *(f"| {name} | {number} |" for name, number in seen.items()), ""])


def only_present(toc):
    """The table of contents without the chapters that were not executed in this build."""
    here = lambda entry: (STAGE / (entry["file"] + ".md")).is_file() or (STAGE / (entry["file"] + ".ipynb")).is_file()
    parts = [{**part, "chapters": [entry for entry in part["chapters"] if here(entry)]} for part in toc["parts"]]
    return {**toc, "parts": [part for part in parts if part["chapters"]]}


def build():
    """Jupyter Book on the stage, slimmed; any warning is an error."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    log = BUILD / "sphinx.log"
    command = [str(Path(sys.executable).parent / "jupyter-book"), "build", str(STAGE), "--config", str(ROOT / "_config.yml"),
               "--toc", str(STAGE / "_toc.yml"), "--path-output", str(WORK), "-W", "-n", "--keep-going"]
    with log.open("w") as out:
        code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment()).returncode
    if code:
        lines = log.read_text().splitlines()
        warnings = [line for line in lines if re.search(r"WARNING|ERROR|Error:", line)] or lines[-15:]
        raise Failure("Jupyter Book stopped:\n" + "\n".join(warnings) + f"\nThe whole log: {log}")
    html = WORK / "_build" / "html"
    slim(html)
    if heavy := too_heavy(html):
        raise Failure(f"at most {PAGE_BYTES / 1e6:.0f} MB a page, but: {', '.join(heavy)}")
    return html


def inputs(profile):
    """A hash of everything the pages are made from."""
    content = hashlib.sha256(commit().encode() + str(date.today()).encode())
    folders = [*(ROOT / name for name in ("book", "tools", "results", "girlib/tasks", "girlib/metrics")), BUILD / "executed" / profile]
    files = [ROOT / "_config.yml", ROOT / "girlib" / "viz.css", *(f for folder in folders for f in folder.rglob("*") if f.is_file())]
    for path in sorted(files):
        if path.suffix != ".pyc":
            content.update(str(path).encode() + b"\0" + path.read_bytes())
    return content.hexdigest()


def make(profile, names=None):
    """Execute and build; return the seconds of both."""
    began = time.time()
    notes = execute(profile, names)
    executed = time.time()
    stamp, wanted = HTML / "made_from.json", json.dumps([inputs(profile), names])
    if stamp.is_file() and stamp.read_text() == wanted:
        print("pages: up to date")
    else:
        print("pages: building ...", flush=True)
        stage(notes, profile)
        html = build()
        (html / "made_from.json").write_text(wanted)
        shutil.rmtree(HTML, ignore_errors=True)
        os.replace(html, HTML)
        shutil.rmtree(WORK)
    return executed - began, time.time() - executed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="quick", choices=["quick", "colab", "paper"], help="how much the chapters compute")
    parser.add_argument("--pdf", action="store_true", help="also the whole book as one PDF (needs Chromium)")
    arguments = parser.parse_args()
    try:
        executing, building = make(arguments.profile)
        if arguments.pdf:
            from pdf import print_book

            print(f"pdf: {print_book()}")
    except Failure as failure:
        sys.exit(f"\n{failure}\n\nThe book was not built.")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted; the next `make book` goes on from here")
    print(f"\n{repository()[0]}: executed in {executing:.0f} s, built in {building:.0f} s. Open:\n  {HTML / 'index.html'}")


if __name__ == "__main__":
    main()
