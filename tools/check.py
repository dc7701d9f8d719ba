"""`make test`: every check, the quick ones first; ends with "all checks passed" or with the first step that failed."""

import os
import subprocess
import sys
import time

from execute import ROOT, cores

STEPS = (
    ("stored form of notebooks, address in one place", ["tools/notebooks.py", "--check"]),
    ("style", ["-m", "ruff", "check", "--quiet", "."]),
    ("spelling", ["-m", "codespell_lib", "book", "notebooks", "girlib", "tools", "data/README.md",
                  "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]),
    ("tests", ["-m", "pytest", "-n", str(cores()), "--dist", "loadgroup", "--durations", "5"]),
)


def main():
    began = time.time()
    # One test process a core: threads of their own would only wait for each other.
    own = {**os.environ, "OMP_NUM_THREADS": "1"}
    for name, command in STEPS:
        start = time.time()
        print(f"-- {name}", flush=True)
        if subprocess.run([sys.executable, *command], cwd=ROOT, env=own).returncode:
            sys.exit(f"\nfailed: {name} (again on its own: .venv/bin/python {' '.join(command)})")
        print(f"   {time.time() - start:.0f} s", flush=True)
    print(f"\nall checks passed in {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
