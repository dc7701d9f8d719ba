"""The last step of a build: take out of the pages what no reader needs, so that each weighs at most 3 MB with all it loads.

The theme brings 1.4 MB of icon script beside an icon font that suffices, and that font holds two thousand icons of which
the book shows a dozen. It loads the search's index on every page, and only the page of results reads it. Each interactive
piece brings its own rules, which one file can hold, and its images as text.
"""

import base64
import hashlib
import re
from functools import partial
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from girlib._markup import rules

PAGE_BYTES = 3_000_000
ICON_RULE = re.compile(r'((?:\.fa-[\w-]+:{1,2}before,?)+)\{content:"\\([0-9a-f]+)"\}')
ICON_SCRIPT = re.compile(r"\s*<script[^>]*fontawesome\.js[^>]*>\s*</script>|\s*<link[^>]*preload[^>]*fontawesome\.js[^>]*>")
SEARCH_SCRIPT = re.compile(r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>')
EMBEDDED = re.compile(r'"data:image/(png|webp);base64,([A-Za-z0-9+/=]+)"')


def slim(html):
    """Mend every page below the folder `html`; the pictures lose no bit."""
    for heavy in {*html.rglob("*.map"), *html.rglob("fontawesome.js*")}:
        heavy.unlink()
    for page in html.rglob("*.html"):
        text = ICON_SCRIPT.sub("", page.read_text())
        if page.name != "search.html":
            text = SEARCH_SCRIPT.sub("", text)
        text = text.replace(rules(), "").replace("<style></style>", "")        # viz.css is loaded by every page
        page.write_text(EMBEDDED.sub(partial(as_file, page=page, html=html), text))
    keep_used_icons(html)


def as_file(image, page, html):
    """Write an embedded image beside the pages, once for all that show it; return its address in quotes, as seen from `page`."""
    content = base64.b64decode(image[2])
    path = html / "_images" / f"{hashlib.sha256(content).hexdigest()[:20]}.{image[1]}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return '"' + "../" * (len(page.relative_to(html).parts) - 1) + f'{path.relative_to(html)}"'


def keep_used_icons(html):
    """Leave in the icon fonts, and in the rules that draw from them, only what a page or the theme's scripts name."""
    static = html / "_static"
    sources = [*html.rglob("*.html"), *(static / "scripts").glob("*theme.js"), *static.glob("*.js")]
    used = set(re.findall(r"fa-[a-z0-9-]+", "".join(path.read_text() for path in sources)))
    sheet = static / "styles" / "pydata-sphinx-theme.css"
    text, drawn = sheet.read_text(), set()

    def keep(rule):
        if not used & set(re.findall(r"fa-[\w-]+(?=:)", rule[1])):
            return ""
        drawn.add(int(rule[2], 16))
        return rule[0]

    text = ICON_RULE.sub(keep, text)
    sheet.write_text(re.sub(r'url\([^)]*\.woff2\) format\("woff2"\),(?=url\([^)]*\.ttf)', "", text))
    for path in (static / "vendor" / "fontawesome" / "webfonts").iterdir():
        if path.suffix == ".ttf":
            shrink_font(path, drawn)
        else:
            path.unlink()


def shrink_font(path, characters):
    font = TTFont(path)
    subsetter = subset.Subsetter()
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    font.save(path)


def too_heavy(html):
    """The pages whose own file is above the limit already; what they load is weighed by the tests, in a browser."""
    return [f"{page.name} ({page.stat().st_size / 1e6:.1f} MB)" for page in html.rglob("*.html") if page.stat().st_size > PAGE_BYTES]


def mathjax(source: Path, target: Path):
    """Copy the parts of MathJax that these pages use: TeX with the AMS environments, to HTML that screen readers can follow."""
    parts = ["startup.js", "core.js", "input/tex-base.js", "input/tex/extensions/ams.js", "output/chtml.js", "output/chtml/fonts/tex.js",
             "a11y/assistive-mml.js"]
    fonts = [str(path.relative_to(source)) for path in (source / "output/chtml/fonts/woff-v2").iterdir()]
    for part in parts + fonts:
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        (target / part).write_bytes((source / part).read_bytes())
