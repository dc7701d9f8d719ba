"""`make sync` and `make strip`: notebooks as they are stored, and the texts that are generated into them and into other files.

A stored notebook has no outputs, no execution counts and the same metadata as every other one. Its second cell (badge)
and its Colab cell are written here from _config.yml, so that the repository's address stands in one place.
"""

import re
import sys
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
GENERATED = ("badge", "colab")
COLAB = '''\
# Colab only: installs girlib and nothing else, so that Colab's own torch and numpy stay as they are.
import sys

if "google.colab" in sys.modules:
    %pip install -q --no-deps "girlib @ git+{url}@{branch}"'''


def repository():
    """(title, address, branch) from the one place that holds them."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    return config["title"], config["repository"]["url"].rstrip("/"), config["repository"]["branch"]


def colab_link(path):
    _, url, branch = repository()
    return f"https://colab.research.google.com/github/{url.removeprefix('https://github.com/')}/blob/{branch}/notebooks/{path.name}"


def generated_cells(path):
    """The badge and the guarded installation of one notebook."""
    _, url, branch = repository()
    badge = nbformat.v4.new_markdown_cell(
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab_link(path)})",
        id="badge", metadata={"tags": ["badge"]})
    install = nbformat.v4.new_code_cell(COLAB.format(url=url, branch=branch), id="colab", metadata={"tags": ["remove-cell", "colab"]})
    return badge, install


def normal_form(path):
    """The text that the notebook at `path` should have."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.get("id") not in GENERATED]
    badge, install = generated_cells(path)
    parameters = next((i for i, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])), None)
    if parameters is None or cells[0].cell_type != "markdown" or not cells[0].source.startswith("# "):
        raise SystemExit(f"{path.name}: expected a first cell with the title and a cell with the tag 'parameters'")
    cells[parameters:parameters] = [install]
    cells[1:1] = [badge]
    taken = {cell.get("id") for cell in cells}
    fresh = (name for n in range(1, 1000) if (name := f"c{n:02d}") not in taken)
    for cell in cells:
        if cell.id not in GENERATED and not re.fullmatch(r"c\d{2,3}", cell.id):
            cell["id"] = next(fresh)
        kept = {key: cell.metadata[key] for key in ("tags", "mystnb") if cell.metadata.get(key)}
        cell["metadata"] = nbformat.from_dict(kept)
        if cell.cell_type == "code":
            cell["outputs"], cell["execution_count"] = [], None
        cell["source"] = cell.source.rstrip()
    facts = notebook.metadata.get("girlib", {})
    clean = nbformat.v4.new_notebook(cells=cells, metadata={**KERNEL, "girlib": facts})
    nbformat.validate(clean)
    return nbformat.writes(clean, indent=1, ensure_ascii=False).rstrip() + "\n"


def texts_with_address():
    """Other files that name the repository: (path, the text it should have)."""
    title, url, _ = repository()
    for name, pattern, line in (
        ("pyproject.toml", r'^Repository = ".*"$', f'Repository = "{url}"'),
        ("CITATION.cff", r'^repository-code: .*$', f'repository-code: "{url}"'),
        ("CITATION.cff", r'^title: .*$', f'title: "girlib: {title[0].lower()}{title[1:]}"'),
        ("README.md", r"https://github\.com/[\w.-]+/girlib\b", url),
    ):
        path = ROOT / name
        text = path.read_text()
        if not re.search(pattern, text, re.M):
            raise SystemExit(f"{name}: no line like {pattern}; the repository's address can't be kept in step there")
        yield path, re.sub(pattern, line, text, flags=re.M)


def main(check):
    stale = []
    for make in (lambda: ((path, normal_form(path)) for path in sorted(NOTEBOOKS.glob("*.ipynb"))), texts_with_address):
        for path, text in make():
            if path.read_text() != text:
                stale.append(path.name)
                if not check:
                    path.write_text(text)
    if check and stale:
        sys.exit(f"not in their stored form: {', '.join(stale)}; mend them with: make sync")
    print(f"stored form: {'all in step' if not stale else 'mended ' + ', '.join(stale)}")


if __name__ == "__main__":
    main(check="--check" in sys.argv)
