"""`make lock`: resolve every dependency once, for Python 3.10 and later, into requirements.lock and environment.yml.

torch and the CUDA packages it brings stay out of the hashed lock: the CPU and the CUDA build of one torch version have
different hashes, and the machine decides which of them it can run.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import ROOT, TORCH, find_links

BROUGHT_BY_TORCH = re.compile(r"^(torch|triton|nvidia-|cuda-)")
CONDA_PYTHON = "3.11"
CONDA_HEAD = f"""\
# Written by `make lock`: the exact set that the book is built with. On Linux torch comes with CUDA from PyPI.
#   conda env create -f environment.yml && conda activate girlib && girlib doctor
# Fused attention on a CUDA GPU, if wanted: pip install natten -f https://whl.natten.org
name: girlib
channels: [conda-forge]
dependencies:
  - python={CONDA_PYTHON}
  - pip
  - pip:
      - {TORCH}
"""


def resolve(*options):
    """The resolved requirements as blocks, one a package."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.txt"
        subprocess.run([sys.executable, "-m", "uv", "pip", "compile", "--quiet", "pyproject.toml", "tools/pinned.in",
                        "--extra", "book", "--extra", "test", "--no-annotate", "--no-header", *find_links(), *options,
                        "--output-file", str(out)], cwd=ROOT, check=True)
        blocks = re.split(r"\n(?=\S)", out.read_text().strip())
    return [block for block in blocks if not BROUGHT_BY_TORCH.match(block)]


def main():
    lock = resolve("--universal", "--python-version", "3.10", "--generate-hashes")
    (ROOT / "requirements.lock").write_text("# Written by `make lock` from pyproject.toml and tools/pinned.in.\n"
                                            + "\n".join(lock) + "\n")
    exact = resolve("--python-version", CONDA_PYTHON, "--constraint", "requirements.lock")
    pins = [line.split(" ;")[0] for line in exact if not line.startswith(("uv==", "setuptools=="))]
    (ROOT / "environment.yml").write_text(CONDA_HEAD + "".join(f"      - {pin}\n" for pin in pins) + "      - --editable .\n")
    print(f"requirements.lock: {len(lock)} packages; environment.yml: {len(pins)} packages and {TORCH}")


if __name__ == "__main__":
    main()
