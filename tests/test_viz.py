"""Promises of `girlib.viz`: exact pixels, one stated scale, words for every reader, and pieces that move without script."""

import ast
import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot
import numpy as np
import pytest
import torch
from PIL import Image

from girlib import GirlibError, viz

matplotlib.use("Agg")
H, W = 48, 64
WORDS = dict(caption="Look at the edge.", alt="a disc on a ramp")
RADII, EPS = [1, 2, 4], [0.001, 0.1]
POINTS = [(5, 5, "corner"), (24, 32, "centre"), (40, 50, "edge")]


def photo(shift=0):
    y, x = np.mgrid[:H, :W]
    noise = np.random.default_rng(shift).random((3, H, W))
    return 0.5 * noise + 0.5 * np.stack([x / W, y / H, ((x - 30 + shift) ** 2 + (y - 24) ** 2 < 200)])


def rendered(radius, eps):
    return photo(RADII.index(radius) * 2 + EPS.index(eps) + 1)


def kernel(y, x):
    weights = np.random.default_rng(1000 * y + x).random((5, 5)) - 0.2
    return weights / weights.sum()


def bytes_of(image):
    """What an 8-bit screen shows of an image in [0, 1]."""
    return np.rint(np.moveaxis(np.clip(image, 0, 1), 0, -1) * 255).astype(np.uint8)


def decoded(text):
    """The pictures that a piece embeds, in order."""
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(d))).convert("RGB")) for d in re.findall(r'base64,([^"]+)"', text)]


def drawing(radius=1):
    figure, axes = matplotlib.pyplot.subplots(figsize=(3, 2))
    axes.plot([0, radius, 1])
    return figure


LINES = [{"step": step, "loss": 1 / step, "rmse": 3 / step, "rate": 1e-3, "seconds": 1.0} for step in (1, 2, 4)]


def curve(lines=LINES):
    made = viz.live_curve(**WORDS)
    for line in lines:
        made(line)
    return made.piece()


def all_pieces():
    viz.style()
    viz._seen.clear()
    depth = np.linspace(1, 3, H * W).reshape(H, W)
    kinds = {"depth": "depth", "error": "error"}
    return {
        "figure": viz.figure(drawing(), **WORDS),
        "live curve": curve(),
        "show": viz.show({"guide": photo(), "depth": depth, "error": depth - 1}, kind=kinds, inset=(10, 20, 16), **WORDS),
        "compare": viz.compare(photo(1), photo(2), labels=("sharp", "blurred"), **WORDS),
        "explore": viz.explore(rendered, radius=RADII, eps=EPS, start={"radius": 2, "eps": 0.001}, **WORDS),
        "explore a row": viz.explore(lambda k: {"target": photo(), "result": photo(k)}, k=[1, 2], **WORDS),
        "explore a figure": viz.explore(drawing, radius=RADII, **WORDS),
        "zoom": viz.zoom({"one": photo(1), "two": photo(2)}, reference="one", window=16, **WORDS),
        "probe": viz.probe(photo(), kernel, points=POINTS, **WORDS),
        "probe a grid": viz.probe(photo(), kernel, points=16, **WORDS),
    }


@pytest.fixture(scope="module")
def pieces():
    return all_pieces()


# Words, bytes, pixels


def test_every_piece_offers_html_a_still_and_its_alt_text(pieces):
    for piece in pieces.values():
        bundle = piece._repr_mimebundle_()
        assert set(bundle) == {"text/html", "image/png", "text/plain"}
        assert bundle["text/plain"] == repr(piece) == WORDS["alt"]
        assert min(Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).size) > 64
        assert f"<figcaption>{WORDS['caption']}</figcaption>" in bundle["text/html"] and f'"{WORDS["alt"]}"' in bundle["text/html"]
        assert bundle["text/html"].startswith("<style>")


def test_same_input_gives_same_bytes(pieces):
    again = all_pieces()
    for name, piece in pieces.items():
        assert (piece.html, piece.png) == (again[name].html, again[name].png), name


def test_two_equal_probes_share_no_radio_button():
    names = [set(re.findall(r'name="([^"]+)"', viz.probe(photo(), kernel, points=POINTS, **WORDS).html)) for _ in range(2)]
    assert len(names[0]) == len(names[1]) == 1 and names[0] != names[1]


def test_rules_and_markup_weigh_little(pieces):
    for name, piece in pieces.items():
        bare = re.sub(r"base64,[^\"]+", "", piece.html)
        assert len(bare) < 24_000, name  # a page of 20 pieces then carries less than half a megabyte of them


def test_sliders_keep_their_keys_in_jupyterlab(pieces):
    for piece in pieces.values():
        parts = re.findall(r"<(?:figure|input)[^>]*>", piece.html)
        assert parts and all('data-lm-suppress-shortcuts="true"' in part for part in parts)


def test_html_in_a_callers_text_stays_text():
    evil = "\"><img src=x onerror=alert(1)><script>alert(1)</script>'&"
    words = dict(caption=evil, alt=evil)
    made = [
        viz.figure(drawing(), **words),
        viz.show({evil: photo()}, **words),
        viz.compare(photo(1), photo(2), labels=(evil, "b"), **words),
        viz.explore(lambda **values: {evil: photo()}, **{evil: [evil, "b"]}, **words),
        viz.zoom({evil: photo(1), "b": photo(2)}, reference=evil, **words),
        viz.probe(photo(), kernel, points=[(3, 3, evil)], **words),
    ]

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            seen.append(tag)
            assert tag != "script" and "onerror" not in dict(attributes) and dict(attributes).get("src", "data:").startswith("data:")

        def handle_data(self, data):
            texts.append(data)

    for piece in made:
        seen, texts = [], []
        Reader().feed(piece.html)
        assert "figcaption" in seen and evil in texts


def test_a_photo_is_embedded_to_the_byte():
    colour, grey = photo() * 1.5 - 0.2, photo()[:1]
    first, second = decoded(viz.show({"colour": colour, "grey": grey}, **WORDS).html)
    assert np.array_equal(first, bytes_of(colour))
    assert np.array_equal(second, np.repeat(bytes_of(grey), 3, axis=-1))


def test_the_still_holds_the_same_bytes():
    piece = viz.show({"a": np.kron(photo(), np.ones((1, 6, 6)))}, **WORDS)  # wide enough not to be enlarged
    still = np.asarray(Image.open(io.BytesIO(piece.png)))
    picture = decoded(piece.html)[0]
    height, width = picture.shape[:2]
    assert any(np.array_equal(still[top : top + height, 12 : 12 + width], picture) for top in range(60))


@pytest.mark.parametrize("kind, name", [("depth", "viridis"), ("error", "magma"), ("signed", "RdBu_r")])
def test_maps_follow_one_scale_over_all_images(kind, name):
    one, two = np.linspace(0, 1, H * W).reshape(H, W), np.linspace(0.5, 2, H * W).reshape(H, W)
    low = {"depth": 0, "error": 0, "signed": -2}[kind]
    expected = matplotlib.colormaps[name](matplotlib.colors.Normalize(low, 2)(np.stack([one, two])), bytes=True)[..., :3]
    made = decoded(viz.show({"one": one, "two": two}, kind=kind, **WORDS).html)
    assert np.array_equal(np.stack(made[:2]), expected)


def test_values_beyond_stated_limits_are_told():
    text = viz.show({"error": np.linspace(0, 1, 64).reshape(8, 8)}, kind="error", limits=(0, 0.5), **WORDS).html
    assert "<span>error 0</span>" in text and "<span>≥ 0.5</span>" in text


def test_pixels_without_a_value_are_grey_and_counted():
    depth = np.linspace(1, 3, H * W).reshape(H, W)
    depth[3:5, 7:10] = np.nan
    depth[0, 0] = np.inf
    piece = viz.show({"depth": depth}, kind="depth", **WORDS)
    grey = (decoded(piece.html)[0] == 128).all(-1)
    assert np.array_equal(grey, ~np.isfinite(depth)) and "(7 in depth)" in piece.html and "<span>3</span>" in piece.html


def test_tensors_and_arrays_of_every_shape_look_alike():
    image = photo().astype(np.float32)
    made = {viz.show({"a": form}, **WORDS).html for form in (image, image[None], torch.tensor(image), torch.tensor(image)[None])}
    assert len(made) == 1


def test_frames_hold_what_render_returned_and_a_constant_picture_is_embedded_once(pieces):
    frames = decoded(pieces["explore"].html)
    expected = [bytes_of(rendered(radius, eps)) for radius in RADII for eps in EPS]
    assert np.array_equal(frames, expected)
    assert len(decoded(pieces["explore a row"].html)) == 1 + 2


def test_zoom_opens_where_the_error_is_largest():
    wrong = photo()
    wrong[:, 20:26, 40:46] += 0.3
    text = viz.zoom({"wrong": wrong}, reference=photo(), window=6, **WORDS).html
    assert "--u:40;--v:20" in text
    error = decoded(text)[2]  # after the whole reference and the wrong image
    expected = np.zeros((H, W))
    expected[20:26, 40:46] = 1
    assert np.array_equal(error, matplotlib.colormaps["magma"](expected, bytes=True)[..., :3])


def test_a_figure_is_white_and_closed():
    figure = drawing()
    picture = decoded(viz.figure(figure, **WORDS).html)[0]
    assert (picture[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all() and not matplotlib.pyplot.fignum_exists(figure.number)


def test_a_curve_shows_loss_and_metric_of_one_training(monkeypatch):
    drawn = {}
    monkeypatch.setattr(viz, "figure", lambda fig, **words: drawn.update({a.get_title(): a.lines[0].get_xydata() for a in fig.axes}))
    curve([{"step": 9, "loss": 7, "rmse": 5}, *LINES])  # the first line is of a training before
    matplotlib.pyplot.close("all")
    assert np.allclose(drawn["loss, training"], [(1, 1), (2, 0.5), (4, 0.25)])
    assert np.allclose(drawn["rmse, validation"], [(1, 3), (2, 1.5), (4, 0.75)])
    curve([{"step": 1, "loss": -0.5, "miou": None}])  # no logarithm, nothing scored
    curve([])
    matplotlib.pyplot.close("all")


def test_a_curve_grows_in_a_kernel_and_is_one_figure_at_the_end(monkeypatch):
    import IPython.display

    seen = []

    class Handle:
        def update(self, piece):
            seen.append(piece)

    monkeypatch.setattr(viz, "_kernel_runs", lambda: True)
    monkeypatch.setattr(IPython.display, "display", lambda piece, display_id: seen.append(piece) or Handle())
    made = viz.live_curve(**WORDS)
    for line in LINES:
        made(line)
    assert len({piece.html for piece in seen}) == 3
    assert made._repr_mimebundle_()["text/html"] == seen[2].html and seen[3].data == ""


NAN = np.full((H, W), np.nan)
WRONG = {
    "empty caption": (lambda: viz.show({"a": photo()}, caption=" ", alt="x"), "caption"),
    "no alt": (lambda: viz.figure(drawing(), caption="x", alt=None), "alt"),
    "no figure": (lambda: viz.figure(photo(), **WORDS), "ndarray"),
    "no images": (lambda: viz.show({}, **WORDS), "at least one"),
    "no dict": (lambda: viz.show(photo(), **WORDS), "ndarray"),
    "channels last": (lambda: viz.show({"a": np.zeros((H, W, 3))}, **WORDS), "48x64x3"),
    "a batch": (lambda: viz.show({"a": np.zeros((2, 3, H, W))}, **WORDS), "2x3x48x64"),
    "no pixels": (lambda: viz.show({"a": np.zeros((0, 4))}, **WORDS), "0x4"),
    "complex": (lambda: viz.show({"a": np.zeros((4, 4), complex)}, **WORDS), "complex128"),
    "0 to 255": (lambda: viz.show({"a": np.full((4, 4), 200, np.uint8)}, **WORDS), "reaches 200"),
    "unknown kind": (lambda: viz.show({"a": photo()}, kind="heat", **WORDS), "'heat'"),
    "kind of nobody": (lambda: viz.show({"a": photo()}, kind={"b": "depth"}, **WORDS), "'b'"),
    "colour depth": (lambda: viz.show({"a": photo()}, kind="depth", **WORDS), "3 channels"),
    "negative error": (lambda: viz.show({"a": -photo()[0]}, kind="error", **WORDS), "negative"),
    "limits upside down": (lambda: viz.show({"a": photo()[0]}, kind="depth", limits=(1, 0), **WORDS), "smaller"),
    "limits of two kinds": (lambda: viz.show({"a": NAN, "b": NAN}, kind={"a": "depth", "b": "error"}, limits=(0, 1), **WORDS), "a dict"),
    "inset outside": (lambda: viz.show({"a": photo()}, inset=(40, 0, 10), **WORDS), "(40, 0, 10)"),
    "inset of two sizes": (lambda: viz.show({"a": photo(), "b": NAN[1:]}, inset=(0, 0, 9), **WORDS), "47x64"),
    "compare sizes": (lambda: viz.compare(photo(), photo()[:, 1:], labels="ab", **WORDS), "labels"),
    "compare one size": (lambda: viz.compare(photo(), photo()[:, 1:], labels=("a", "b"), **WORDS), "47x64"),
    "no line": (lambda: viz.live_curve(**WORDS)(3), "got 3"),
    "no parameter": (lambda: viz.explore(photo, **WORDS), "one or two"),
    "three parameters": (lambda: viz.explore(photo, a=[1], b=[1], c=[1], **WORDS), "one or two"),
    "no values": (lambda: viz.explore(photo, shift=[], **WORDS), "one or two"),
    "37 frames": (lambda: viz.explore(photo, shift=range(37), **WORDS), "37"),
    "start elsewhere": (lambda: viz.explore(photo, shift=[1, 2], start={"shift": 3}, **WORDS), "start="),
    "frames of two sizes": (lambda: viz.explore(lambda n: np.zeros((n, 4)), n=[4, 5], **WORDS), "5x4"),
    "frames of two titles": (lambda: viz.explore(lambda n: {str(n): NAN}, n=[4, 5], **WORDS), "'4'"),
    "zoom sizes": (lambda: viz.zoom({"a": photo(), "b": NAN[1:]}, **WORDS), "47x64"),
    "window too large": (lambda: viz.zoom({"a": photo()}, window=49, **WORDS), "window=49"),
    "unknown reference": (lambda: viz.zoom({"a": photo()}, reference="b", **WORDS), "'b'"),
    "point outside": (lambda: viz.probe(photo(), kernel, points=[(48, 0, "far")], **WORDS), "(48, 0)"),
    "too many points": (lambda: viz.probe(photo(), kernel, points=2, **WORDS), "768"),
    "no points": (lambda: viz.probe(photo(), kernel, points=[], **WORDS), "0 points"),
    "step 0": (lambda: viz.probe(photo(), kernel, points=0, **WORDS), "a step of 0"),
    "even kernel": (lambda: viz.probe(photo(), lambda y, x: np.zeros((4, 5)), points=POINTS, **WORDS), "4x5"),
    "two kernels": (lambda: viz.probe(photo(), lambda y, x: np.zeros((y, y)), points=[(3, 3, "a"), (5, 5, "b")], **WORDS), "3x3, 5x5"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_in_one_sentence(name):
    call, told = WRONG[name]
    with pytest.raises(GirlibError, match=re.escape(told)) as error:
        call()
    assert re.match(r"viz\.\w+: .*[.]$", str(error.value)) and "\n" not in str(error.value)


def test_a_mistake_is_told_before_anything_is_rendered():
    def render(**values):
        raise AssertionError("rendered")

    for parameters in [dict(shift=range(37)), dict(shift=[1], start={"shift": 2}), dict(shift=[1], caption="")]:
        with pytest.raises(GirlibError):
            viz.explore(render, **WORDS | parameters)


def test_viz_stands_beside_the_rest_of_the_package():
    for name in ("viz", "_markup", "_drawing"):
        tree = ast.parse(Path(viz.__file__).with_name(f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("girlib"):
                assert node.module == "girlib.errors" or {a.name for a in node.names} <= {"_drawing", "_markup"}


# The live twin


def test_the_twin_moves_through_values_between_the_frames(monkeypatch):
    monkeypatch.setattr(viz, "_kernel_runs", lambda: True)
    scale = lambda gain, mode, level: photo() * gain + level if mode == "plain" else photo() * 0  # noqa: E731
    twin = viz.explore(lambda gain, mode: scale(gain, mode, 0), gain=[0.25, 0.5, 1], mode=["plain", "dark"], **WORDS).twin
    gain, mode, picture = twin.children[1:]
    assert (gain.min, gain.max, gain.value, mode.value) == (0.25, 1, 0.5, "dark")
    mode.value, gain.value = "plain", 0.7
    assert np.array_equal(decoded(picture.value)[0], bytes_of(photo() * 0.7))
    twin = viz.explore(lambda radius, eps: np.full((4, 4), eps * radius), radius=[1, 8], eps=[1e-4, 1e-1], **WORDS).twin
    radius, eps, _ = twin.children[1:]
    assert (type(radius).__name__, type(eps).__name__, eps.min, eps.max) == ("IntSlider", "FloatLogSlider", -4, -1)


def test_a_kernel_shows_frames_and_twin_and_the_book_frames_alone(tmp_path, monkeypatch):
    from jupyter_client.manager import start_new_kernel

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    code = "import numpy as np, os; from girlib import viz\nviz.explore(lambda k: np.full((8, 8), k / 4), k=[1, 2], caption='c', alt='a')"
    manager, client = start_new_kernel(cwd=str(tmp_path))
    try:
        outputs = {"": [], "1": []}
        for book, found in outputs.items():
            client.execute_interactive(
                f"%env GIRLIB_BOOK={book}\n{code}",
                timeout=60,
                output_hook=lambda message, found=found: found.append(message["content"].get("data", {})),
            )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    live, book = ([set(data) for data in found if data] for found in (outputs[""], outputs["1"]))
    assert book == [{"text/html", "image/png", "text/plain"}]
    assert book[0] in live and any("application/vnd.jupyter.widget-view+json" in data for data in live)
