"""`.venv/bin/python tools/data_table.py`: write the table of data/README.md from the registry."""

from pathlib import Path

from girlib.registry import amount, registry

PAGE = Path(__file__).resolve().parent.parent / "data" / "README.md"
BEGIN, END = "<!-- the table is written by tools/data_table.py -->", "<!-- end of the table -->"


def table():
    lines = ["| name | what | folder | size | terms | how |", "|---|---|---|---|---|---|"]
    for entry in registry().values():
        how = f"[{entry.how}]({entry.page})" if entry.page else entry.how
        terms = f"{entry.licence}. {entry.terms}".strip()
        lines.append(f"| `{entry.name}` | {entry.title} | `{entry.folder}` | {amount(entry.bytes)} | {terms} | {how} |")
    return "\n".join(lines)


def with_table(page):
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
