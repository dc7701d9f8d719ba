"""`make env`: the local environment in .venv, made from nothing or left alone when it is up to date.

Runs on a bare Python 3.10 or later: standard library only. The stamp holds a hash of everything the environment depends
on and is written last, so a killed installation is never taken for a finished one.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "girlib-stamp"
LOCK = ROOT / "requirements.lock"
LOG = ROOT / "_build" / "install.log"
TORCH, UV = [line for line in (ROOT / "tools" / "pinned.in").read_text().splitlines() if "==" in line]


def wanted():
    """What the environment must have been made from: these files, this interpreter, this place."""
    content = hashlib.sha256()
    for path in (LOCK, ROOT / "tools" / "pinned.in", ROOT / "pyproject.toml", Path(__file__)):
        content.update(path.read_bytes())
    return f"{content.hexdigest()} {sys.version_info[0]}.{sys.version_info[1]} {ROOT}"


def find_links():
    """A folder of wheels that pip was told of (uv reads none of pip's settings)."""
    folder = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS")
    return ["--find-links", folder] if folder else []


def run(*command):
    """Run one installation step into the log; its last lines are shown if it fails."""
    with LOG.open("a") as log:
        log.write(f"$ {' '.join(map(str, command))}\n")
        log.flush()
        return subprocess.run([str(part) for part in command], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT).returncode == 0


def give_up(sentence):
    tail = "".join(LOG.read_text().splitlines(keepends=True)[-15:])
    sys.exit(f"{tail}\n{sentence}\nThe whole log: {LOG}")


def pip(*arguments):
    return run(PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", *arguments)


def uv(*arguments):
    return run(PYTHON, "-m", "uv", "pip", "install", "--quiet", "--python", PYTHON, *arguments)


def make_venv():
    # `stdlib venv` without ensurepip is how Debian ships Python when python3-venv is not installed.
    if not run(sys.executable, "-m", "venv", "--clear", VENV):
        give_up("Python can't create an environment here; on Debian and Ubuntu: sudo apt install python3-venv")


def install_uv():
    """uv from its block of the lock, checked by hash; False where pip has to do the work."""
    lines = LOCK.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(UV))
    end = next((i for i in range(start + 1, len(lines)) if not lines[i].startswith(" ")), len(lines))
    only = VENV / "uv.lock"
    only.write_text("\n".join(lines[start:end]) + "\n")
    return pip("--require-hashes", "--no-deps", "-r", only)


def install_locked(have_uv):
    # torch is not in the lock, so the packages that ask for it can only be installed without looking at dependencies;
    # the lock holds all of them anyway.
    arguments = ["--require-hashes", "--no-deps", "-r", LOCK]
    if not (have_uv and uv(*arguments)) and not pip(*arguments):
        give_up("The packages of requirements.lock could not be installed; is the network reachable?")


def install_torch(have_uv):
    links = find_links()
    local = bool(links) and any(Path(links[1]).glob(f"{TORCH.replace('==', '-')}*.whl"))
    attempts = [lambda: uv(*links, TORCH)] if have_uv and local else []
    if have_uv and not local:
        attempts.append(lambda: uv("--torch-backend=auto", TORCH))     # CUDA where there is a driver, else PyTorch's CPU index
    attempts.append(lambda: pip(TORCH))
    if not any(attempt() for attempt in attempts):
        give_up(f"{TORCH} could not be installed; is the network reachable?")
    say = "import torch; print(torch.__version__, 'with CUDA' if torch.version.cuda else 'for CPU')"
    return subprocess.run([PYTHON, "-c", say], capture_output=True, text=True, check=True).stdout.strip()


def install_girlib(have_uv):
    arguments = ["--no-deps", "--no-build-isolation", "--editable", ROOT]
    if not (have_uv and uv(*arguments)) and not pip(*arguments):
        give_up("girlib itself could not be installed")


def main():
    if sys.version_info < (3, 10):      # noqa: UP036 - whoever calls this has not installed anything yet
        sys.exit(f"girlib needs Python 3.10 or later; this is {sys.version.split()[0]} (choose one with: make PYTHON=python3.12 ...)")
    if STAMP.is_file() and STAMP.read_text() == wanted() and PYTHON.exists():
        print("environment: up to date (.venv)")
        return
    start = time.time()
    print("environment: installing into .venv (first time: one to a few minutes) ...", flush=True)
    LOG.parent.mkdir(exist_ok=True)
    LOG.write_text("")
    shutil.rmtree(VENV, ignore_errors=True)
    make_venv()
    have_uv = install_uv()
    install_locked(have_uv)
    torch = install_torch(have_uv)
    install_girlib(have_uv)
    STAMP.write_text(wanted())
    print(f"environment: ready in {time.time() - start:.0f} s (torch {torch})")


if __name__ == "__main__":
    main()
