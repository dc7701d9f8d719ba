"""The first call of every chapter, and the one way in which a chapter is executed.

A chapter begins with `run = notebook.begin(profile, seed, device, data_root)`: the four parameters are checked, the
random numbers seeded, the figure style set. `execute` runs a chapter with papermill: unknown parameters are an error,
the result appears only when it is whole, a failing cell is named.
"""

import ast
import os
import random
import sys
import tempfile
import uuid
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

from girlib.errors import GirlibError

PROFILES = ("quick", "colab", "paper")
CELL_SECONDS = {"quick": 120, "colab": 3600, "paper": None}     # a cell that runs longer hangs, or is too long for its profile


@dataclass(frozen=True)
class Run:
    """What a chapter needs to know about this execution of it."""

    profile: str
    seed: int
    device: object              # torch.device
    data_root: Path | None      # folder of the public datasets, or None where there is none

    def pick(self, quick, colab, paper):
        """The value for the current profile: the only way in which a laptop, a Colab GPU and the paper differ."""
        return {"quick": quick, "colab": colab, "paper": paper}[self.profile]


def begin(profile="quick", seed=0, device="auto", data_root=""):
    """Check a chapter's parameters, seed every generator, set the figure style; return what the chapter runs with."""
    import numpy
    import torch

    from girlib import viz

    given, known = _names_in_this_session()
    _refuse_unknown(given, known)
    if given:
        os.environ.setdefault("GIRLIB_BOOK", "1")       # papermill runs this, so nobody is there to move a live control
    if profile not in PROFILES:
        raise GirlibError(f"begin: profile is {profile!r}; expected one of {', '.join(PROFILES)}")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise GirlibError(f"begin: seed is {seed!r}; expected a whole number from 0 to {2**32 - 1}")
    run = Run(profile, seed, find_device(device), find_data(data_root))
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)
    viz.style()
    return run


def find_device(name):
    """`auto` takes a GPU where there is one; a device that is asked for and absent is an error, never a fallback."""
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        raise GirlibError(f"device is {name!r}; expected auto, cpu, cuda or cuda:N") from None
    if device.type not in ("cpu", "cuda"):
        raise GirlibError(f"device is {name!r}; expected auto, cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise GirlibError(f"device is {name!r} but torch {torch.__version__} sees {torch.cuda.device_count()} CUDA devices; "
                          "use device=cpu, or install a CUDA build of torch and a driver")
    return device


def find_data(data_root=""):
    """The folder of datasets: the argument, else GIRLIB_DATA, else `data/` of a checkout; None where there is none."""
    given = data_root or os.environ.get("GIRLIB_DATA", "")
    if given:
        folder = Path(given).expanduser()
        if not folder.is_dir():
            source = "data_root" if data_root else "GIRLIB_DATA"
            raise GirlibError(f"{source} is {given!r}, which is no folder; create it, or leave {source} empty")
        return folder
    beside = Path(__file__).resolve().parent.parent / "data"
    return beside if beside.is_dir() else None


def _names_in_this_session():
    """(given, known): what papermill injected into this kernel, and what the parameters cell before it defines.

    papermill itself only prints a line for an unknown parameter, so the chapter looks at what was typed into its kernel.
    """
    if "IPython" not in sys.modules:
        return [], []
    shell = sys.modules["IPython"].get_ipython()
    cells = shell.user_ns.get("In", []) if shell else []
    for before, cell in pairwise(cells):
        if cell.startswith("# Parameters"):
            return _assigned(cell), _assigned(before)
    return [], []


def _assigned(code):
    targets = [t for node in ast.parse(code).body if isinstance(node, ast.Assign) for t in node.targets]
    targets += [node.target for node in ast.parse(code).body if isinstance(node, ast.AnnAssign)]
    return [t.id for t in targets if isinstance(t, ast.Name)]


def _refuse_unknown(given, known):
    for name in given:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise GirlibError(f"unknown parameter {name!r}{hint}; this notebook knows {', '.join(known) or 'none'}")


def find_notebook(name):
    """A notebook by path, or by its name among the chapters of a checkout."""
    here = Path(name)
    if here.is_file():
        return here
    folders = [Path("notebooks"), Path(__file__).resolve().parent.parent / "notebooks"]
    for folder in folders:
        if (path := folder / f"{here.stem}.ipynb").is_file():
            return path
    known = sorted({p.stem for folder in folders for p in folder.glob("*.ipynb")})
    raise GirlibError(f"no notebook {name!r}; expected the path of an .ipynb file"
                      + (f" or one of {', '.join(known)}" if known else ""))


def parameters(path):
    """The parameters of a notebook: name -> papermill's description (default, help)."""
    from papermill import inspect_notebook

    return inspect_notebook(str(path))


def parse_parameters(pairs):
    """["profile=colab", "seed=1"] -> {"profile": "colab", "seed": 1}: a value that reads as Python is one, else it is text."""
    given = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name.isidentifier():
            raise GirlibError(f"parameter {pair!r}; expected NAME=VALUE, as in -p profile=colab")
        try:
            given[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            given[name] = text
    return given


def execute(path, output, given, *, cwd=None):
    """Run the notebook at `path` with the parameters `given` and write the executed copy to `output`.

    Nothing appears at `output` before every cell has run. When a cell fails, the copy up to that cell is kept beside it
    as `NAME.failed.ipynb`, and the error names notebook and cell.
    """
    try:
        import papermill
        from papermill.exceptions import PapermillExecutionError
    except ImportError:
        raise GirlibError("executing a notebook needs papermill and ipykernel: pip install papermill ipykernel") from None
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    path, output = Path(path), Path(output)
    _refuse_unknown(given, list(parameters(path)))
    profile = given.get("profile", "quick")
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_suffix(".failed.ipynb")
    options = {"kernel_manager_class": "girlib.notebook.IPCKernelManager"} if os.name == "posix" else {}
    try:
        papermill.execute_notebook(
            str(path), str(part), parameters=given, kernel_name="python3", progress_bar=False, log_output=False,
            cwd=str(cwd or path.parent), start_timeout=60, execution_timeout=CELL_SECONDS.get(profile), **options)
    except PapermillExecutionError as error:
        message = str(error.evalue).strip().splitlines() or [""]
        raise GirlibError(f"{path.name}: cell {_failing_cell(part)} failed with {error.ename}: {message[0]} "
                          f"(the run so far: {part})") from None
    except (CellTimeoutError, DeadKernelError) as error:
        line = str(error).strip().splitlines()[0]
        raise TimeoutError(f"{path.name}: {line} (the run so far: {part})") from None
    os.replace(part, output)
    return output


def _failing_cell(path):
    import nbformat

    for cell in nbformat.read(path, as_version=4).cells:
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            first = next((line for line in cell.source.splitlines() if line.strip()), "")
            return f"{cell.id} ({first.strip()[:60]!r})"
    return "unknown"


def __getattr__(name):
    # Made on demand: a chapter imports this file inside its own kernel, where jupyter_client has no business.
    # IPC sockets instead of TCP: kernels that start at once can't pick the same port. The name must be our own, because
    # jupyter_client's default is the same for all kernels started in one folder.
    if name == "IPCKernelManager":
        from jupyter_client import AsyncKernelManager
        from traitlets import Unicode

        sockets = Path(tempfile.gettempdir()) / f"girlib-{uuid.uuid4().hex[:12]}"
        return type(name, (AsyncKernelManager,), {"transport": Unicode("ipc"), "ip": Unicode(str(sockets))})
    raise AttributeError(name)
