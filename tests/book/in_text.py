"""The built book as files, and what a page promises before anybody opens it: checks of the HTML text, which need no browser."""

import re
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
CHAPTER = "02_guided_filter"        # what is built where no book is: this chapter, and with it the pages that don't execute
LOADING = {"link": "href", "object": "data", **dict.fromkeys(("script", "img", "iframe", "source", "video", "audio", "embed"), "src")}
# A path that only exists on the machine that built the book.
LOCAL = re.compile(r"file:/|(?<![\w.:/-])/(?:home|root|tmp|work|var|mnt|Users|private)/[\w.-]+")
BASE64 = re.compile(r"[A-Za-z0-9+/=]{70,}")


class Page(HTMLParser):
    """The tags of a page that load something, its links, and the places that links can point at."""

    def __init__(self, path):
        super().__init__()
        self.loads, self.links, self.anchors = [], [], set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if LOADING.get(tag) in attributes:
            self.loads.append((tag, attributes[LOADING[tag]]))
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        self.anchors |= {attributes[name] for name in ("id", "name") if name in attributes}


@lru_cache(200)
def read(path):
    return Page(path)


def foreign(path):
    """Everything that the page would load from another host."""
    return [f"<{tag}> loads {address}" for tag, address in read(path).loads if re.match(r"(https?:)?//", address or "")]


def broken_links(path):
    """Links and loaded files inside the book that lead nowhere."""
    faults = []
    for address in read(path).links + [address for _, address in read(path).loads]:
        parts = urlsplit(address or "")
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if target.is_dir():
            target = target / "index.html"
        if not target.is_file():
            faults.append(f"no file for {address}")
        elif parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in read(target).anchors:
            faults.append(f"no place for {address}")
    return faults


def local_paths(path, root):
    """Traces of the machine that built the book."""
    text = BASE64.sub("", path.read_text())
    return sorted({match.group() for match in LOCAL.finditer(text)} | ({str(root)} if str(root) in text else set()))


def text_files(html):
    return [file for file in html.rglob("*") if file.suffix in {".html", ".ipynb", ".md", ".json"} and "_static" not in file.parts]


def pages():
    """The pages of the built book, or of none three that will be built; without `.html`."""
    built = sorted(page.relative_to(HTML).with_suffix("").as_posix() for page in HTML.rglob("*.html") if "_static" not in page.parts)
    return built or ["glossary", "index", f"notebooks/{CHAPTER}"]
