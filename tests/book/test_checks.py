"""The checks of the pages are tried on a page that breaks every promise: no check is one that can't fail."""

from in_browser import MOST_BYTES, PROMISES, visit
from in_text import broken_links, foreign, local_paths

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
FAULTS = {
    "asks nobody": '<script src="https://planted.invalid/a.js"></script> <img src="planted.webp" alt="a picture that is not there">',
    "keeps the console silent": "<script>console.error('planted error')</script> <script>throw new Error('planted exception')</script>",
    "typesets every formula": '<span class="math">planted source</span> <span class="math notranslate nohighlight">\\(\\planted\\)</span>',
    "needs no sideways scrolling": '<div class="planted" style="width: 700px; height: 4px"></div>',
    "moves every slider": f'<figure><img src="{PIXEL}" alt="a pixel"><input type="range" aria-label="planted"></figure>',
    "shows the same pixels in both themes": "<style>html[data-theme=dark] .planted-image { opacity: .9 }</style>"
    f'<div class="cell_output"><img class="planted-image" src="{PIXEL}" alt="planted picture" width="40" height="40"></div>',
    "shows every picture": f'<img style="opacity: 0" src="{PIXEL}" alt="planted and unseen" width="40" height="40">'
    '<div style="overflow: hidden; position: relative; width: 40px; height: 40px">'
    f'<img style="position: absolute; left: -60px" src="{PIXEL}" alt="planted out of sight" width="40" height="40"></div>',
    "is accessible": '<button class="planted"></button> <p style="color: #777; background: #888">planted in grey on grey</p>',
    "describes every picture": f'<img src="{PIXEL}" alt="_images/planted.png"> <img src="{PIXEL}">',
    "weighs at most 3 MB": f"<!-- {'planted ' * (MOST_BYTES // 8)} -->",
}
EXPECTED = {        # what the check must say of the faults above
    "asks nobody": ["planted.invalid", "not there: planted.webp"],
    "keeps the console silent": ["planted error", "planted exception"],
    "typesets every formula": ["left as source: planted source", "not understood"],
    "needs no sideways scrolling": ["div.planted"],
    "moves every slider": [f"{means} the picture of the slider 'planted'" for means in ("arrow keys don't move", "the mouse doesn't move")],
    "shows the same pixels in both themes": ["planted picture"],
    "shows every picture": ["planted and unseen' at", "planted out of sight' is cut away"],
    "is accessible": ["light: button-name", "light: color-contrast", "dark: color-contrast"],
    "describes every picture": ["_images/planted.png", "alt=null"],
    "weighs at most 3 MB": ["MB with everything it loads"],
}  # fmt: skip


def copy_of_a_page(html, folder, planted):
    """A page of the book with formulas, and more in it, in a folder where all that it loads is found as before."""
    for other in html.iterdir():
        if other.name != "glossary.html":
            (folder / other.name).symlink_to(other)
    text = (html / "glossary.html").read_text()
    assert text.count("</article>") == 1
    copy = folder / "glossary.html"
    copy.write_text(text.replace("</article>", planted + "</article>"))
    return copy


def test_planted_faults_are_noticed(reader, html, tmp_path):
    seen = reader(visit, copy_of_a_page(html, tmp_path, "\n".join(FAULTS.values())))
    wanted = [(promise, words) for promise in PROMISES for words in EXPECTED[promise]]
    missed = {words: seen[promise] for promise, words in wanted if not any(words in fault for fault in seen[promise])}
    assert missed == {}


def test_copy_without_fault_has_nothing_to_notice_in_its_text(html, tmp_path):
    copy = copy_of_a_page(html, tmp_path, "<p>nothing</p>")
    assert foreign(copy) == local_paths(copy, tmp_path) == []


def test_planted_fault_in_the_text_is_noticed(html, tmp_path):
    planted = ('<iframe src="//planted.invalid"></iframe> <link href="https://planted.invalid/a.css" rel="stylesheet"> '
               '<a href="nowhere.html">a</a> <a href="#planted">b</a> <p>/home/planted/girlib and file:///planted</p>')
    copy = copy_of_a_page(html, tmp_path, planted)
    assert foreign(copy) == ["<iframe> loads //planted.invalid", "<link> loads https://planted.invalid/a.css"]
    assert {"no file for nowhere.html", "no place for #planted"} <= set(broken_links(copy))
    assert local_paths(copy, tmp_path) == ["/home/planted", "file:/"]
