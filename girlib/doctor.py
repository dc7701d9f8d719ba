"""`girlib doctor`: what this machine has, what is missing, and the one command that mends each gap."""

import os
import platform
import shutil
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from girlib import __version__
from girlib.errors import GirlibError
from girlib.notebook import find_data
from girlib.registry import summary

NEEDED = ("torch", "numpy", "matplotlib", "pandas", "pillow", "safetensors", "typer")
FOR = {
    "run the chapters": (("papermill", "ipykernel"), 'pip install "girlib[book]"'),
    "move things live": (("ipywidgets", "jupyterlab"), 'pip install "girlib[book]"'),
    "build the book": (("jupyter-book", "sphinx-mathjax-offline"), "make env"),
    "run the checks": (("pytest", "hypothesis", "playwright"), "make env"),
    "fused attention on CUDA": (("natten",), "pip install natten -f https://whl.natten.org"),
    "camera raw files": (("rawpy",), 'pip install "girlib[raw]"'),
}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")


def installed(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def line(mark, what, fact, mend=""):
    print(f"  {mark}  {what:<26} {fact}" + (f"\n     {'':<26} mend: {mend}" if mend else ""))


def examine():
    """Print everything; True if all that girlib needs is there."""
    print(f"girlib {__version__}, Python {platform.python_version()} at {sys.executable}, {platform.platform()}\n")
    print("Needed")
    missing = [name for name in NEEDED if installed(name) is None]
    for name in NEEDED:
        line("!" if name in missing else "+", name, installed(name) or "missing", f"pip install {name}" if name in missing else "")
    print("\nOptional")
    for purpose, (names, mend) in FOR.items():
        absent = [name for name in names if installed(name) is None]
        have = ", ".join(f"{name} {installed(name)}" for name in names if name not in absent)
        line("-" if absent else "+", purpose, "missing: " + ", ".join(absent) if absent else have, mend if absent else "")
    browser = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    line("+" if browser else "-", "check pages, print the PDF", browser or "missing: Chromium",
         "" if browser else "sudo apt install chromium")
    print("\nMachine")
    if "torch" not in missing:
        show_torch(import_module("torch"))
    show_data()
    print("\nAll that girlib needs is here." if not missing else f"\nMissing: {', '.join(missing)}.")
    return not missing


def show_torch(torch):
    line("+", "CPU threads of torch", f"{torch.get_num_threads()} of {os.cpu_count()} cores")
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            facts = torch.cuda.get_device_properties(index)
            line("+", f"cuda:{index}", f"{facts.name}, {facts.total_memory / 2**30:.0f} GiB, CUDA {torch.version.cuda}")
    else:
        line("-", "CUDA", "no device; everything runs on the CPU" + ("" if torch.version.cuda else " (torch is a CPU build)"))


def show_data():
    try:
        folder = find_data()
        line("+" if folder else "-", "datasets", folder or "none; chapters use procedural scenes",
             "" if folder else "export GIRLIB_DATA=FOLDER where you keep datasets")
        if folder:
            line("+", "", summary().partition(": ")[2])
    except GirlibError as error:
        line("!", "datasets", error)
    reference = os.environ.get("GIRLIB_REFERENCE")
    line("+" if reference else "-", "reference vectors", reference or "GIRLIB_REFERENCE is not set; checks that need it are skipped")
