"""The built book keeps its promises, page by page."""

from urllib.parse import urlsplit

import pytest
from in_browser import search, visit
from in_text import ROOT, broken_links, foreign, local_paths, pages, read, text_files


@pytest.mark.parametrize("page", pages())
def test_page_keeps_every_promise(reader, html, page):
    faults = reader(visit, html / f"{page}.html")
    assert {promise: found for promise, found in faults.items() if found} == {}


@pytest.mark.parametrize("page", pages())
def test_page_loads_nothing_from_another_host(html, page):
    assert foreign(html / f"{page}.html") == []


@pytest.mark.parametrize("page", pages())
def test_links_inside_the_book_lead_somewhere(html, page):
    assert broken_links(html / f"{page}.html") == []


def test_nothing_tells_where_the_book_was_built(html):
    found = {file.relative_to(html).as_posix(): traces for file in text_files(html) if (traces := local_paths(file, ROOT))}
    assert found == {}


def test_search_finds_pages_from_a_file_address(reader, html):
    assert "Glossary" in reader(search, html, "guide")
    assert reader(search, html, "xyzzy") == []


def test_colab_links_open_notebooks_that_exist(html):
    for page in html.glob("notebooks/*.html"):
        links = [link for link in read(page).links if urlsplit(link).netloc == "colab.research.google.com"]
        assert links, f"{page.name} has no Colab link"
        for link in links:
            name = link.rsplit("/", 1)[1]
            assert name == f"{page.stem}.ipynb" and (ROOT / "notebooks" / name).is_file()
