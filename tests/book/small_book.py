"""Where no book is built, the tests build one: a single chapter executed, the others only laid beside it so that links find them."""

import os
import shutil
import sys

import yaml
from in_text import CHAPTER, HTML, ROOT

sys.path.insert(0, str(ROOT / "tools"))
from execute import execute  # noqa: E402

import book  # noqa: E402


def main():
    book.stage(execute("quick", [CHAPTER]), "quick")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        if path.stem != CHAPTER:
            shutil.copy(path, book.STAGE / "notebooks")
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())
    (book.STAGE / "_toc.yml").write_text(yaml.safe_dump(book.only_present(toc)))
    os.replace(book.build(), HTML)


if __name__ == "__main__":
    main()
