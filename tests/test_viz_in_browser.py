"""The pieces of `girlib.viz` in a browser: moved by key, mouse and finger, with script and without, dark, small and printed."""

import html
import io
import re
import shutil

import matplotlib
import numpy as np
import pytest
from PIL import Image
from test_viz import EPS, POINTS, RADII, WORDS, H, W, all_pieces, bytes_of, kernel, photo, rendered

BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (path := shutil.which(name))), None)
MODES = {
    "as made": lambda text: text,
    "without script": lambda text: re.sub(r' on\w+="[^"]*"', "", text),
    "without scroll timelines": lambda text: text.replace("@supports (animation-timeline: view())", "@supports (no: no)"),
}


@pytest.fixture(scope="module")
def pieces():
    return all_pieces()


@pytest.fixture(scope="module")
def browser():
    if BROWSER is None:
        pytest.skip("no Chromium on this machine: the pieces are not moved (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, pieces, tmp_path):
    """opened(mode, ...) -> a page that holds every piece, each in a box named after it."""
    contexts, complaints = [], []

    def open_page(mode="as made", head="", **options):
        boxes = "".join(f'<section id="{name.replace(" ", "-")}">{piece.html}</section>' for name, piece in pieces.items())
        text = MODES[mode](f"<h1>All pieces</h1>{boxes}")
        assert mode == "as made" or text != f"<h1>All pieces</h1>{boxes}"
        path = tmp_path / "page.html"
        path.write_text(
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>pieces</title><style>body {{ margin: 16px; font: 16px sans-serif }}{head}</style></head>"
            f'<body><main class="page of a theme">{text}</main></body></html>',
            encoding="utf-8",
        )
        context = browser.new_context(**{"viewport": {"width": 1100, "height": 800}} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or complaints.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def seen(page, selector, shape, index=0):
    """What the screen shows of an element, one sample from the middle of each of shape = (height, width) pixels."""
    target = page.locator(selector).nth(index)
    target.scroll_into_view_if_needed()
    picture = np.asarray(Image.open(io.BytesIO(target.screenshot(animations="allow"))).convert("RGB"))
    rows, columns = (((np.arange(n) + 0.5) * size / n).astype(int) for n, size in zip(shape, picture.shape, strict=False))
    return picture[np.ix_(rows, columns)]


def press(page, selector, *keys):
    page.locator(selector).focus()
    for key in keys:
        page.keyboard.press(key)


def click_at(page, selector, share_x, share_y=0.5, index=0):
    page.locator(selector).nth(index).scroll_into_view_if_needed()
    box = page.locator(selector).nth(index).bounding_box()
    page.mouse.click(box["x"] + share_x * box["width"], box["y"] + share_y * box["height"])
    page.mouse.move(0, 0)


@pytest.mark.parametrize("mode", MODES)
def test_the_border_follows_keys_and_mouse(opened, mode):
    page = opened(mode)
    before, after = bytes_of(photo(1)), bytes_of(photo(2))

    def border():
        picture = seen(page, "#compare .st", (H, W))
        at = [x for x in range(W + 1) if (picture[:, : max(x - 1, 0)] == before[:, : max(x - 1, 0)]).all()]
        return [x for x in at if (picture[:, x + 1 :] == after[:, x + 1 :]).all()]

    assert W // 2 in border()
    press(page, "#compare input", "Home")
    assert 0 in border() and W // 2 not in border()
    press(page, "#compare input", "End")
    assert W in border() and W // 2 not in border()
    click_at(page, "#compare input", 0.25)
    assert W // 4 in border() and W // 2 not in border()


@pytest.mark.parametrize("mode", MODES)
def test_two_sliders_show_exactly_their_frame(opened, mode):
    page = opened(mode)
    shown = lambda: seen(page, "#explore .shot img", (H, W))  # noqa: E731  (the stack: all frames lie there)
    value = lambda: [
        "".join(s.inner_text() for s in label.locator("span").all() if s.evaluate("e => getComputedStyle(e).opacity") == "1")
        for label in page.locator("#explore .ctl .fr").all()
    ]  # noqa: E731
    assert np.array_equal(shown(), bytes_of(rendered(2, 0.001))) and value() == ["2", "0.001"]
    press(page, "#explore .u", "ArrowRight")
    assert np.array_equal(shown(), bytes_of(rendered(4, 0.001))) and value() == ["4", "0.001"]
    press(page, "#explore .v", "ArrowRight")
    assert np.array_equal(shown(), bytes_of(rendered(4, 0.1))) and value() == ["4", "0.1"]
    click_at(page, "#explore .u", 0.02)
    assert np.array_equal(shown(), bytes_of(rendered(1, 0.1))) and value() == ["1", "0.1"]


@pytest.mark.parametrize("mode", MODES)
def test_the_window_moves_in_all_images(opened, mode):
    page = opened(mode)
    press(page, "#zoom .u", "Home", *["ArrowRight"] * 7)
    press(page, "#zoom .v", "End", *["ArrowLeft"] * 2)
    cut = (slice(H - 18, H - 2), slice(7, 23))
    for index, expected in [(0, bytes_of(photo(1))), (1, bytes_of(photo(2)))]:
        assert np.array_equal(seen(page, "#zoom .win", (16, 16), index), expected[cut])
    error = np.abs(photo(1) - photo(2)).mean(0)
    expected = matplotlib.colormaps["magma"](error / error.max(), bytes=True)[..., :3]
    assert np.array_equal(seen(page, "#zoom .win", (16, 16), 2), expected[cut])


def test_a_press_on_the_whole_image_moves_window_and_border(opened):
    page = opened()
    click_at(page, "#zoom .ov", 20.5 / W, 30.5 / H)
    assert page.locator("#zoom .u").input_value() == "13" and page.locator("#zoom .v").input_value() == "23"
    assert np.array_equal(seen(page, "#zoom .win", (16, 16)), bytes_of(photo(1))[23:39, 13:29])
    click_at(page, "#compare .st", 0.8)
    assert page.locator("#compare .u").input_value() == "80"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name, points", [("probe", POINTS), ("probe-a-grid", [(y, x, "") for y in (8, 24, 40) for x in (8, 24, 40, 56)])])
def test_the_probe_shows_the_kernel_of_the_pixel(opened, mode, name, points):
    page = opened(mode)
    first = 0 if name == "probe" else 6

    def shown():
        picture = seen(page, f"#{name} .aim img:visible", (5, 5), 1)  # the window is the first; the frames lie on each other
        found = []
        for k, (y, x, _) in enumerate(points):
            weights = kernel(y, x)
            share = (weights / np.abs(weights).max() + 1) / 2
            if np.array_equal(picture, matplotlib.colormaps["RdBu_r"](share, bytes=True)[..., :3]):
                found.append(k)
        return found

    def around(k):
        y, x, _ = points[k]
        return np.array_equal(seen(page, f"#{name} .win", (5, 5)), bytes_of(photo())[y - 2 : y + 3, x - 2 : x + 3])

    radios = page.locator(f"#{name} input")
    assert shown() == [first] and around(first)
    radios.nth(first).focus()
    page.keyboard.press("ArrowRight")
    assert shown() == [first + 1] and around(first + 1)
    page.locator(f"#{name} .pt").nth(0).hover()  # under the cursor beats the chosen one
    assert shown() == [0] and around(0)
    page.mouse.move(0, 0)
    assert shown() == [first + 1]
    page.locator(f"#{name} .pt").nth(2).click()
    page.mouse.move(0, 0)
    assert shown() == [2] and around(2)
    if name == "probe-a-grid" and mode != "without script":
        page.keyboard.press("ArrowDown")
        assert shown() == [6] and around(6)


def test_fingers_move_the_pieces(opened):
    page = opened(has_touch=True, is_mobile=True, viewport={"width": 375, "height": 700})
    for selector in ("#explore .u", "#compare input"):
        page.locator(selector).tap(position={"x": 2, "y": 14})
        assert page.locator(selector).input_value() == "0"
    page.locator("#probe .pt").nth(2).tap()
    assert page.locator("#probe input").nth(2).is_checked()


def test_a_screen_reader_hears_the_value_and_no_hidden_frame(opened):
    page = opened()
    press(page, "#explore .v", "ArrowRight")
    assert page.locator("#explore .v").get_attribute("aria-valuetext") == "0.1"
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    pictures = [node["name"]["value"] for node in tree if not node["ignored"] and node["role"]["value"] == "image"]
    assert WORDS["alt"] in pictures and not any("radius = " in name or "largest weight" in name for name in pictures)


def test_dark_pages_alter_no_pixel(opened):
    theme = (
        "html { background: #121212; color: #eee; color-scheme: dark }"
        ".page.of.a.theme div img { filter: brightness(.8) contrast(1.2); padding: 8px; background: #444; border-radius: 9px;"
        "max-width: 100%; height: auto }"  # what themes do to pictures
    )
    light, dark = opened(), opened(head=theme)
    corners = "all => all.map(e => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom] })"
    boxes, pictures = [], []
    for page in (light, dark):
        results = page.locator("figure img:visible:not(.win img), .win")
        boxes.append(results.evaluate_all(corners))
        pictures.append(np.asarray(Image.open(io.BytesIO(page.screenshot(full_page=True, animations="allow"))).convert("RGB")))
    assert boxes[0] == boxes[1] and len(boxes[0]) > 40
    for left, top, right, bottom in np.round(boxes[0]).astype(int):
        inner = (slice(top + 1, bottom - 1), slice(left + 1, right - 1))  # the rim may lie on a fraction of a pixel and blend
        assert np.array_equal(pictures[0][inner], pictures[1][inner])
    assert (pictures[0][:16, :16] == 255).all() and (pictures[1][:16, :16] == 18).all()
    colour = dark.locator("#explore figcaption").evaluate("e => getComputedStyle(e).color")
    assert colour == "rgb(238, 238, 238)"


def test_a_phone_needs_no_sideways_scroll(opened):
    page = opened(viewport={"width": 375, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    parts = page.locator("figure :not(.win *, .ov *)")  # what a window or a picture cuts off may be wider
    assert max(parts.evaluate_all("all => all.map(e => e.getBoundingClientRect().right)")) <= 375


def test_axe_finds_nothing_serious(opened):
    from axe_playwright_python.sync_playwright import Axe

    for head in ("", "html { background: #121212; color: #eee; color-scheme: dark }"):
        found = Axe().run(opened(head=head)).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")] == []


def test_paper_shows_every_frame_and_no_slider(opened):
    page = opened()
    page.emulate_media(media="print")
    for name in ("explore", "explore-a-row", "explore-a-figure", "probe", "probe-a-grid"):
        shots = page.locator(f"#{name} .shot")
        boxes = shots.evaluate_all("all => all.map(e => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.width] })")
        assert len({(left, top) for left, top, _ in boxes}) == len(boxes) > 1 and all(width > 20 for *_, width in boxes)
        assert set(shots.evaluate_all("all => all.map(e => getComputedStyle(e).opacity)")) == {"1"}
    left, right = (page.locator("#compare .st img").nth(k).bounding_box() for k in (0, 1))
    assert left["x"] + left["width"] <= right["x"]
    assert not page.locator("input").evaluate_all("all => all.filter(e => e.offsetParent).length")


def test_frames_stay_readable_where_style_and_script_are_stripped(pieces):
    for piece in pieces.values():
        bare = re.sub(r"<style>.*?</style>|<input[^>]*>| (?:style|on\w+)=\"[^\"]*\"", "", piece.html, flags=re.S)
        assert html.escape(WORDS["caption"]) in bare
        assert all(re.search(r'alt="[^"]+"', image) and re.search(r'width="\d+"', image) for image in re.findall(r"<img[^>]*>", bare))
    assert all(f"radius = {radius}, eps = {eps}" in pieces["explore"].html for radius in RADII for eps in EPS)
