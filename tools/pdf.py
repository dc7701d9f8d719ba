"""`make book PDF=1`: the built pages merged into one and printed by headless Chromium, with outline and inner links.

Merging keeps what the reader sees on screen (formulas, figures, the print form of the interactive pieces); other routes
to PDF drop the HTML outputs. Solutions are printed open; code that only draws is not.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from bs4 import BeautifulSoup
from execute import ROOT, Failure
from notebooks import repository

HTML = ROOT / "_build" / "html"
PDF = ROOT / "_build" / "girlib.pdf"
SECONDS = 300
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--virtual-time-budget=60000", "--generate-pdf-document-outline", "--no-pdf-header-footer")
NOT_PRINTED = (".headerlink", ".tag_hide-input details.above-input", ".gir-strip a", ".tag_parameters", ".copybtn",
               ".prev-next-footer", ".tag_remove-input", "script")
PRINT_STYLE = """
@page { size: A4; margin: 18mm 16mm 20mm }
html, body { background: #fff !important; font-size: 10.5pt }
body { display: block; max-width: none } article { display: block; max-width: none; padding: 0 }
h1 { break-before: page } .title-page h1 { margin-top: 30vh }
h2, h3 { break-after: avoid } figure, table, .admonition { break-inside: avoid }
pre { white-space: pre-wrap !important; font-size: 8.5pt } a { color: inherit }
img { max-width: 100% } div.math, mjx-container { overflow: visible !important }
"""


def pages():
    """The pages of the book in reading order, as paths below the HTML folder."""
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())
    names = [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]
    return [page for name in names if (page := HTML / f"{name}.html").is_file()]


def page_id(path):
    return re.sub(r"\W", "-", str(path.relative_to(HTML).with_suffix("")))


def article(path, known):
    """The text of one page, its ids and links made unique in the merged document."""
    body = BeautifulSoup(path.read_text(), "html.parser").select_one("article.bd-article")
    for unwanted in body.select(", ".join(NOT_PRINTED)):
        unwanted.decompose()
    prefix = page_id(path)
    renamed = {tag["id"]: f"{prefix}--{tag['id']}" for tag in body.select("[id]")}
    for tag in body.select("[id]"):
        tag["id"] = renamed[tag["id"]]
    for name in ("for", "aria-labelledby", "aria-describedby"):
        for tag in body.select(f"[{name}]"):
            tag[name] = " ".join(renamed.get(one, one) for one in tag[name].split())
    for link in body.select("a[href]"):
        link["href"] = merged_link(link["href"], path, known) or ""
        if not link["href"]:
            link.unwrap()
    for image in body.select("img[src]"):
        if not image["src"].startswith("data:"):
            image["src"] = (path.parent / image["src"]).resolve().as_uri()
    for hidden in body.select("details"):
        hidden["open"] = ""
    body["id"] = prefix
    return body


def merged_link(target, path, known):
    """Where a link of `path` leads in the merged document: an anchor, an address outside, or nothing."""
    parts = urlsplit(target)
    if parts.scheme in ("http", "https", "mailto"):
        return target
    page = (path.parent / parts.path).resolve() if parts.path else path
    if page not in known:
        return None
    return f"#{known[page]}--{parts.fragment}" if parts.fragment else f"#{known[page]}"


def merge():
    """One HTML document with all pages; the head of the first page brings styles and MathJax."""
    paths = pages()
    known = {path.resolve(): page_id(path) for path in paths}
    document = BeautifulSoup(paths[0].read_text(), "html.parser")
    for script in document.head.select("script"):
        if not re.search(r"mathjax", str(script), re.I):
            script.decompose()
    for tag in document.head.select("[src], link[href]"):
        name = "src" if tag.has_attr("src") else "href"
        if not urlsplit(tag[name]).scheme:
            tag[name] = (HTML / urlsplit(tag[name]).path).resolve().as_uri()
    style = document.new_tag("style")
    style.string = PRINT_STYLE
    document.head.append(style)
    mathjax = [script.extract() for script in document.body.select("script") if re.search(r"mathjax", str(script), re.I)]
    document.body.clear()
    for path in paths:
        document.body.append(article(path, known))
    document.body.extend(mathjax)
    document.html["data-theme"] = document.html["data-mode"] = "light"
    document.title.string = repository()[0]
    return str(document)


def print_book():
    """Print the merged pages; return the path of the PDF, which appears only when it is whole."""
    browser = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if browser is None:
        print("the PDF is printed by Chromium, and none is installed here (Debian, Ubuntu: sudo apt install chromium)", file=sys.stderr)
        sys.exit(2)
    with tempfile.TemporaryDirectory() as folder:
        page, part = Path(folder) / "book.html", Path(folder) / "book.pdf"
        page.write_text(merge())
        command = [browser, *FLAGS, f"--user-data-dir={folder}/profile", f"--print-to-pdf={part}", page.as_uri()]
        try:
            said = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise Failure(f"Chromium did not print the book within {SECONDS} s") from None
        if said.returncode or not part.is_file() or b"%%EOF" not in part.read_bytes()[-1024:]:
            raise Failure(f"Chromium did not print the book: {said.stderr.strip()[-500:]}")
        beside = PDF.with_suffix(".part")
        shutil.copy(part, beside)
        os.replace(beside, PDF)
    return PDF
