"""Every figure of the papers has its entry, and what isn't drawn says what it waits for."""

import pytest
import torch

from girlib import GirlibError, create_model, figures, get_task

FIGURES = {"sfigf": [*map(str, range(1, 11)), *(f"S{n}" for n in range(1, 23))], "dagf": [*map(str, range(1, 17))],
           "mgdn": [*map(str, range(1, 10))], "gdd": [*map(str, range(1, 9))]}
TABLES = {"sfigf": 6, "dagf": 7, "mgdn": 5, "gdd": 2}


def spread(number):
    """"S13-S14" -> S13, S14."""
    first, _, last = number.replace("S", "").partition("-")
    return ["S" * number.startswith("S") + str(n) for n in range(int(first), int(last or first) + 1)]


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A folder of datasets with nothing in it."""
    monkeypatch.setenv("GIRLIB_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("paper", FIGURES)
def test_every_figure_of_a_paper_is_listed_once(paper):
    assert [number for figure in figures.read(paper) for number in spread(figure.number)] == FIGURES[paper]


@pytest.mark.parametrize("paper", FIGURES)
def test_every_entry_has_a_state_and_what_is_not_whole_says_what_it_waits_for(paper):
    for figure in figures.read(paper):
        assert figure.drawable in figures.STATES and figure.shows and not figure.shows.endswith(".")
        assert figure.waits_for or figure.state == "reproduced", figure.title


@pytest.mark.parametrize("paper", FIGURES)
def test_overview_counts_all_tables_and_figures(paper, empty):
    overview = figures.Gallery(paper).overview()
    assert sum(overview.states().values()) == len(overview.rows) == TABLES[paper] + len(figures.read(paper))
    assert all(name in str(overview) and name in overview._repr_html_() for name, *_ in overview.rows)


def test_figure_waits_for_a_missing_file_and_for_nothing_once_it_is_there(empty):
    figure = figures.Figure("sfigf", "S6", "maps", "part", ("weights/svlrm/X16/a.pth", "lytro/A/1.jpg"), "")
    assert figure.state == "waits" and "girlib fetch weights/svlrm" in figure.waits_for and "girlib fetch lytro" in figure.waits_for
    for file in figure.needs:
        (empty / file).parent.mkdir(parents=True)
        (empty / file).touch()
    assert figure.state == "part" and not figure.waits_for and figure.title == "SFIGF, supplement, Fig. 6"


def test_gallery_names_what_was_forgotten_and_what_was_shown_against_its_state(empty):
    gallery = figures.Gallery("dagf")
    assert set(gallery.wrong()) == set(gallery.figures)
    for number, figure in gallery.figures.items():
        gallery.waits(number) if figure.state == "waits" else gallery.caption(number, "a room.")
    assert not gallery.wrong()
    gallery.waits("1")
    assert gallery.wrong() == {"1": "drawn is due, waits was shown"}


def test_caption_says_what_the_paper_shows_what_is_here_and_what_is_not():
    gallery = figures.Gallery("dagf")
    caption = gallery.caption("5", "a room.", {"PAC": "a method of others", "DMSG": "a method of others"})
    shows = f"DAGF, Fig. 5. The paper shows {gallery['5'].shows}. Here: a room. "
    assert caption.startswith(shows + "Not drawn: PAC, DMSG: a method of others; ")


def test_box_of_a_figure_that_waits_takes_no_markup_from_its_texts():
    box = figures.Waits("A < B", "x & y", "<script>")
    assert "<script>" not in box._repr_html_() and "A &lt; B" in box._repr_html_() and "x & y" in repr(box)


def test_classical_methods_are_ready_and_networks_say_what_they_wait_for(empty):
    ready, waits = figures.compared("sfigf:1", "Middlebury 8x", ["GF", "FDKN", "CU-Net", "SSDNet", "SFIGF"])
    assert list(ready) == ["GF"]
    assert waits["FDKN"] == "the released weights: girlib fetch weights/dkn"
    assert waits["SFIGF"] == "weights, which were not released: girlib train sfigf depth --scale 8"
    assert "not released" in waits["CU-Net"] and "others" in waits["SSDNet"]
    sample = get_task("depth").sample(0, 32, 8)
    assert ready["GF"](sample).shape == sample.target.shape


def test_options_and_footings_that_have_no_released_weights_wait(empty):
    ablation = figures.compared("sfigf:5", "Middlebury", ["(a) CMFE_p", "(g) SVLRM"])[1]
    assert "not released" in ablation["(a) CMFE_p"] and "fetch weights/svlrm" in ablation["(g) SVLRM"]
    assert "not released" in figures.compared("dagf:1", "Lu 8x", ["DAGF (nearest)"])[1]["DAGF (nearest)"]
    assert figures.at_hand("saliency", {"DKN": "dkn"}, 8)[1] == {"DKN": "not built here for this task"}


def test_network_is_ready_where_its_released_file_lies(empty):
    torch.manual_seed(0)
    (empty / "weights/dkn").mkdir(parents=True)
    torch.save(create_model("fdkn", "depth").state_dict(), empty / "weights/dkn/FDKN_8x")
    ready, waits = figures.compared("sfigf:1", "Lu 8x", ["FDKN"])
    sample = get_task("depth").sample(0, 32, 8)
    assert not waits and ready["FDKN"](sample).shape == sample.target.shape


def test_methods_that_wait_for_the_same_are_named_together():
    assert figures.listed({"A": "x", "B": "y", "C": "x"}) == "A, C: x; B: y"


@pytest.mark.parametrize("ask", [lambda: figures.read("dagff"), lambda: figures.Gallery("dagf")["17"],
                                 lambda: figures.Gallery("dagf").caption("S1", "a room.")])
def test_unknown_paper_or_figure_is_one_sentence_that_names_the_known_ones(ask):
    with pytest.raises(GirlibError, match=r"^figures: .* no (paper|figure) .*(sfigf|16)") as fault:
        ask()
    assert "\n" not in str(fault.value)
