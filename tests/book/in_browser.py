"""What a page promises to a reader with a browser: `visit` opens it once a theme and says, promise by promise, what is broken.

Nothing here knows which pages exist, or fails by itself: `test_pages.py` expects no faults in the book, `test_checks.py` expects
every promise to notice the page that breaks it.
"""

import io
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

import numpy as np
from PIL import Image

PROMISES = (
    "asks nobody",              # no request leaves the folder, none is in vain
    "keeps the console silent",
    "typesets every formula",
    "needs no sideways scrolling",
    "moves every slider",       # by arrow keys and by mouse, and the picture with it
    "shows every picture",
    "shows the same pixels in both themes",
    "is accessible",            # axe-core: no critical or serious violation
    "describes every picture",
    "weighs at most 3 MB",
)  # fmt: skip
MOST_BYTES = 3_000_000
WIDE, NARROW = {"width": 1280, "height": 1500}, {"width": 375, "height": 800}
SECONDS = 30_000                # of patience, in milliseconds, with any one step of the browser
ARTICLE = "article.bd-article"

# What no page can mend: docutils calls a list of references a list, and its entries by a role that axe does not count as items.
KNOWN = {"aria-required-children": 'class="citation-list"'}


def visit(browser, path):
    """Promise -> list of faults of the page at `path`: loaded once, looked at in the light theme, then in the dark one."""
    faults = {promise: [] for promise in PROMISES}
    pictures, loaded = {}, set()
    context = browser.new_context(viewport=WIDE, color_scheme="light")
    context.set_default_timeout(SECONDS)
    try:
        page = context.new_page()
        listen(page, faults, loaded)
        page.goto(path.as_uri())
        settle(page)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.wait_for_function("theme => (document.documentElement.dataset.theme ?? theme) === theme", arg=theme)
            pictures[theme] = photographs(page)
            if theme == "light":
                faults["shows every picture"] += blank(page, pictures[theme])
                faults["typesets every formula"] += formulas(page)
                faults["describes every picture"] += undescribed(page)
        found = differences(pictures["light"], pictures["dark"])
        if found:                           # on a busy machine a picture may come a frame late: what differs twice, differs
            found = differences(*(photographs(page) for theme in ("light", "dark") if not page.emulate_media(color_scheme=theme)))
        faults["shows the same pixels in both themes"] += found
        faults["moves every slider"] += dead_controls(page)
        for theme in ("dark", "light"):
            page.emulate_media(color_scheme=theme)
            faults["is accessible"] += violations(page, theme, whole=path.name == "index.html")
        page.set_viewport_size(NARROW)
        faults["needs no sideways scrolling"] += overflow(page)
    finally:
        context.close()
    faults["weighs at most 3 MB"] += overweight(path, loaded)
    return faults


def listen(page, faults, loaded):
    """Write down what the page asks for and what it says while it lives."""

    def request(request):
        address = urlsplit(request.url)
        file = Path(unquote(address.path))
        if address.scheme in ("data", "blob"):
            return
        if address.scheme != "file":
            faults["asks nobody"].append(f"a request for {request.url[:200]}")
        elif not file.is_file():
            faults["asks nobody"].append(f"a file that is not there: {file.name}")
        else:
            loaded.add(file.resolve())

    page.on("request", request)
    page.on("console", lambda message: message.type in ("error", "warning")
            and faults["keeps the console silent"].append(f"{message.type}: {message.text[:200]}"))
    page.on("pageerror", lambda error: faults["keeps the console silent"].append(f"uncaught: {str(error)[:200]}"))


def settle(page):
    """Open everything that is folded; wait for formulas, fonts, images and whatever still fades in (sliders' own timelines have no end)."""
    page.add_style_tag(content="* { transition: none !important }")      # a screenshot resizes the window, and the theme's sidebar slides
    page.evaluate("""async () => {
        if (window.MathJax?.startup?.promise) await MathJax.startup.promise
        document.querySelectorAll('article details').forEach(folded => folded.open = true)
        await document.fonts.ready
        await Promise.all([...document.images].map(image => image.decode().catch(() => 0)))
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
        const timed = document.getAnimations().filter(a => a.timeline === document.timeline && a.effect.getComputedTiming().endTime < 1e4)
        await Promise.all(timed.map(animation => animation.finished.catch(() => 0)))
    }""")


def formulas(page):
    return page.evaluate(f"""() => [...document.querySelectorAll('{ARTICLE} .math')].flatMap(formula => {{
        const wrong = formula.querySelector('mjx-merror, [style*="color: red"]')      // unknown commands are only printed in red
        if (wrong) return ['not understood by MathJax: ' + wrong.textContent.slice(0, 80)]
        return formula.querySelector('mjx-container') ? [] : ['left as source: ' + formula.textContent.slice(0, 80)]
    }})""")


def undescribed(page):
    """Images without an alternative text, or with a file's name in its place (as myst-nb gives to a bare matplotlib figure)."""
    return page.evaluate(f"""() => [...document.querySelectorAll('{ARTICLE} img')].flatMap(image => {{
        const alt = image.getAttribute('alt')?.trim()
        return alt && !/\\.(png|webp|jpe?g|svg|gif)$/i.test(alt) ? [] : ['alt=' + JSON.stringify(alt ?? null)]
    }})""")


def overflow(page):
    """What sticks out of a narrow page."""
    return page.evaluate("""async () => {
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
        const width = document.documentElement.clientWidth, full = document.documentElement.scrollWidth
        if (full <= width) return []
        const cut = e => e.parentElement && (getComputedStyle(e.parentElement).overflowX !== 'visible' || cut(e.parentElement))
        const guilty = [...document.querySelectorAll('article *')].filter(e => e.getBoundingClientRect().right > width + 1 && !cut(e))
        const name = e => [e.tagName.toLowerCase(), ...e.classList].join('.')
        return [`${full} pixels on a screen of ${width}: ${guilty.slice(0, 3).map(name).join(', ')}`]
    }""")


def violations(page, theme, whole):
    """What axe-core calls critical or serious in the article or on the whole page, but for what is known.

    What surrounds the article is the same on every page and looked at on the first one.

    It takes milliseconds for each of a chapter's thousands of coloured words of code and signs of formulas: one word of each colour
    and one formula stay, the others become plain text. In the dark theme only contrasts are looked at, since it changes nothing else.
    """
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found = page.evaluate("""async ([article, dark]) => {
        const seen = new Set()
        for (const word of document.querySelectorAll('pre span'))
            if (seen.has(word.className)) word.replaceWith(word.textContent)
            else seen.add(word.className)
        for (const formula of [...document.querySelectorAll('.math:has(mjx-container)')].slice(1)) formula.replaceChildren('formula')
        const options = {resultTypes: ['violations'], preload: false, ...(dark && {runOnly: ['color-contrast']})}
        const part = document.querySelector(article) ?? document
        return (await axe.run(part, options)).violations.filter(v => ['critical', 'serious'].includes(v.impact))
            .flatMap(v => v.nodes.map(node => ({rule: v.id, help: v.help, html: node.html})))
    }""", ["html" if whole else ARTICLE, theme == "dark"])
    return [f"{theme}: {fault['rule']} ({fault['help']}) at {fault['html'][:120]}" for fault in found
            if KNOWN.get(fault["rule"], "\0") not in fault["html"]]


def overweight(path, loaded):
    total = sum(file.stat().st_size for file in {path.resolve(), *loaded})
    return [f"{total / 1e6:.2f} MB with everything it loads"] if total > MOST_BYTES else []


# Pixels

def photographs(page):
    """The pixels of every image of the article: (place, alternative text) -> array, without the outermost pixel.

    One that is cut away altogether has none. At a fractional position the outermost row blends with the page around it, hence the
    missing rim.
    """
    places = page.evaluate(f"""() => [...document.querySelectorAll('{ARTICLE} img')].map(image => {{
        let {{left, top, right, bottom}} = image.getBoundingClientRect()
        for (let around = image.parentElement; around; around = around.parentElement) {{      // the part that is let through
            const overflow = getComputedStyle(around).overflowX
            if (overflow === 'visible') continue
            const box = around.getBoundingClientRect(), shown = right - left > 4 && bottom - top > 4
            left = Math.max(left, box.left); right = Math.min(right, box.right)
            top = Math.max(top, box.top); bottom = Math.min(bottom, box.bottom)
            if (shown && overflow === 'hidden' && (right - left < 5 || bottom - top < 5)) return [0, 0, 0, 0, image.alt]
        }}
        return [left + scrollX, top + scrollY, right + scrollX, bottom + scrollY, image.alt]
    }}).filter(([x, y, r, b]) => r === 0 || r - x > 4 && b - y > 4)""")
    found, screen, at = {}, None, None
    for left, top, right, bottom, alt in sorted(places, key=lambda place: place[1]):
        if right == 0:
            found[(0, 0, 0, 0), alt] = np.empty((0, 0, 3), np.uint8)
            continue
        if screen is None or bottom > at + screen.shape[0]:     # the next screenful; the theme's bar covers the top of it
            at = page.evaluate("top => { scrollTo(0, top); return scrollY }", top - 100)
            screen = screenshot(page)
        box = int(np.ceil(left)) + 1, int(np.ceil(top)) + 1, int(right) - 1, int(bottom) - 1
        found[box, alt] = screen[int(box[1] - at) : int(box[3] - at), box[0] : box[2]]
    return found


def screenshot(page, clip=None, style=None):
    png = page.screenshot(clip=clip, animations="allow", style=style, timeout=SECONDS)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def blank(page, pictures):
    """Images that are cut away, and places of images that show one colour only, which none of the images there holds."""
    faults, flat = [], {}
    for (box, alt), pixels in pictures.items():
        if not pixels.size:
            faults.append(f"the image {alt[:60]!r} is cut away")
        elif np.ptp(pixels.reshape(-1, 3), axis=0).max() == 0:
            flat.setdefault((box, tuple(pixels[0, 0].tolist())), []).append(alt)
    for (box, colour), alts in flat.items():
        sources = page.evaluate(f"""alts => [...document.querySelectorAll('{ARTICLE} img')]
            .filter(image => alts.includes(image.alt)).map(image => image.currentSrc)""", alts)
        known = any((pixels_of(source) == colour).all(axis=-1).any() for source in sources)
        if not known:
            faults.append(f"the image {alts[0][:60]!r} at {box[:2]} is empty, all of it {colour}")
    return faults


def pixels_of(source):
    """(H, W, 3) of an image by its address, a file or data; read here, for a page from a file must not look into another file."""
    with urlopen(source) as stream:
        return np.asarray(Image.open(io.BytesIO(stream.read())).convert("RGB"))


def differences(light, dark):
    if set(light) != set(dark):
        return [f"{len(set(light) ^ set(dark))} images lie elsewhere in the other theme"]
    faults = []
    for key, pixels in light.items():
        if not np.array_equal(pixels, dark[key]):
            most = np.abs(pixels.astype(int) - dark[key]).max()
            faults.append(f"the image {key[1][:60]!r} at {key[0][:2]} differs by up to {most} of 255")
    return faults


# Sliders

def dead_controls(page):
    """Sliders, and radio buttons in figures, that do not change the picture of their figure."""
    faults = []
    for control in page.query_selector_all(f"{ARTICLE} input[type=range]"):
        name = control.get_attribute("aria-label") or "without a name"
        before = picture(page, control)
        highest = control.evaluate("range => range.value === range.max")
        control.focus()
        for _ in range(3):
            page.keyboard.press("ArrowLeft" if highest else "ArrowRight")
        by_key = picture(page, control)
        if same(before, by_key):
            faults.append(f"arrow keys don't move the picture of the slider {name!r}")
        # From where it stands now to the end that is farther away.
        low_half = control.evaluate("range => 2 * range.value < +range.max + +range.min")
        box = control.bounding_box()
        page.mouse.click(box["x"] + box["width"] * (0.97 if low_half else 0.03), box["y"] + box["height"] / 2)
        if same(by_key, picture(page, control)):
            faults.append(f"the mouse doesn't move the picture of the slider {name!r}")
    for control in page.query_selector_all(f"{ARTICLE} figure input[type=radio]:checked"):
        before = picture(page, control)
        control.focus()
        page.keyboard.press("ArrowRight")
        if same(before, picture(page, control)):
            faults.append(f"arrow keys don't move the picture of the choice {control.get_attribute('aria-label')!r}")
    return faults


def picture(page, control):
    """The pixels of the figure that a control belongs to, without the controls themselves."""
    page.mouse.move(1, 1)
    clip = control.evaluate("""control => {
        const figure = control.closest('figure') ?? control.parentElement
        figure.scrollIntoView({block: 'center', behavior: 'instant'})
        const {x, y, width, height} = figure.getBoundingClientRect()
        return {x, y: Math.max(y, 0), width, height: Math.min(height, innerHeight)}
    }""")
    return screenshot(page, clip, ".ctl, input { opacity: 0 !important }")


def same(one, other):
    return one.shape == other.shape and np.array_equal(one, other)


# Search

def search(browser, html, word):
    """Titles of the pages that the book's own search finds for `word`."""
    context = browser.new_context()
    context.set_default_timeout(SECONDS)
    try:
        page = context.new_page()
        page.goto(f"{(html / 'search.html').as_uri()}?q={word}")
        page.wait_for_function("/finished|did not match|found/i.test(document.querySelector('#search-results')?.textContent ?? '')")
        return page.evaluate("[...document.querySelectorAll('#search-results li a')].map(link => link.textContent)")
    finally:
        context.close()
