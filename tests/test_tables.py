"""Tables: a measured value, or what it waits for; no network before its baseline; the same text twice."""

import json
import re
from dataclasses import replace

import pytest

from girlib import published, tables
from girlib.results import Record
from girlib.tables import list_tables, table

BASELINE = {"middlebury": 2.296468, "lu": 2.470088, "nyu": 4.886923}
IMAGES = {"middlebury": [f"{n:02}" for n in range(1, 31)], "lu": [f"{n:02}" for n in range(1, 7)],
          "nyu": "1000 1001 1002 1444 1445 1446 1447 1448".split()}


def record(method, value, dataset="middlebury", weights=None, images=None, **changes):
    names = IMAGES.get(dataset, ["scene 0"]) if images is None else images
    made = Record(method, "depth", dataset, 4, "rmse", value, "cm" if dataset == "nyu" else "grey", "lower", dict.fromkeys(names, value),
                  {"name": "sfigf", "source": "", "sensor": {}, "metric": {"border": 6}}, weights=weights, versions={"girlib": "1"})
    return replace(made, **changes)


@pytest.fixture
def no_data(monkeypatch, tmp_path):
    """As on a machine without any dataset or weights."""
    monkeypatch.setenv("GIRLIB_DATA", str(tmp_path))
    tables._is_here.cache_clear()
    yield
    tables._is_here.cache_clear()


def test_every_cell_of_all_tables_is_measured_or_waits(no_data):
    for records in ([], None):
        found = list_tables(records)
        assert len(found) == 20 and sum(one["published"] for one in found) == 1142
        assert all(one["measured"] + one["part"] + one["waiting"] == one["published"] for one in found)
    for name in published.titles():
        for cell in table(name, []).cells.values():
            assert cell.measured is None and cell.waits and cell.difference is None


def test_what_a_cell_waits_for_is_said_with_its_command(no_data):
    waits = lambda name, row, column: table(name, []).cells[row, column].waits
    assert waits("sfigf:1", "GF", "NYU V2 8x") == "the dataset: girlib fetch nyu"
    assert waits("sfigf:1", "DCTNet", "Lu 4x") == "the dataset: girlib fetch lu; the released weights: girlib fetch weights/dctnet"
    assert waits("sfigf:1", "SFIGF", "Lu 8x").endswith("weights, which were not released: girlib train sfigf depth --scale 8")
    assert waits("sfigf:1", "AHMF", "Lu 8x").startswith("not built here")
    assert waits("sfigf:4", "SFIGF", "MCR PSNR").startswith("the dataset, had by form: girlib fetch mcr says how; ")
    assert waits("sfigf:3", "DKN", "Lytro Q_S") == "not built here for this task"
    assert "with features=private, which were not released" in waits("sfigf:5", "(a) CMFE_p", "Lu")
    assert "not released" in waits("dagf:1", "DAGF (nearest)", "Lu 4x")                 # what was released is made for bicubic
    assert "girlib fetch weights/dagf" in waits("dagf:1", "DAGF (bicubic)", "Lu 4x")
    assert waits("gdd:1", "RMSE", "GDD") == "the dataset: girlib fetch cave"            # optimised for each image: no weights


def test_a_run_is_what_is_missing_where_data_and_weights_are_here(monkeypatch):
    monkeypatch.setattr(tables, "_is_here", lambda dataset, split: True)
    monkeypatch.setattr(tables, "_released_here", lambda meaning: True)
    cells = table("sfigf:1", []).cells
    assert cells["GF", "Lu 8x"].waits == "a run: girlib evaluate gf depth --dataset lu --scale 8 --protocol sfigf"
    assert cells["DCTNet", "Lu 8x"].waits == ("a run: girlib evaluate dctnet depth --dataset lu --scale 8 --protocol sfigf "
                                              "--weights official")


def test_a_network_is_shown_only_after_its_baseline_is_right():
    network = record("dctnet", 1.2, weights="ab" * 32)
    cell = lambda *records: table("sfigf:1", list(records)).cells["DCTNet", "Middlebury 4x"]
    assert cell(network).measured is None and cell(network).waits == "its baseline: bicubic is not measured yet, see below"
    wrong = record("bicubic", BASELINE["middlebury"] + 0.001)
    assert cell(network, wrong).waits == "its baseline: bicubic is not equal to its reference, see below"
    assert "NOT EQUAL, 2.297468 measured" in str(table("sfigf:1", [network, wrong]))
    right = record("bicubic", BASELINE["middlebury"])
    assert cell(network, right).measured == pytest.approx(1.2) and cell(network, right).difference == pytest.approx(0.1)


def test_a_baseline_on_other_images_opens_nothing():
    network = record("dctnet", 1.2, "nyu", weights="ab" * 32)
    for images in (IMAGES["nyu"][:-1], []):
        baseline = record("bicubic", BASELINE["nyu"], "nyu", images=images)
        assert table("sfigf:1", [network, baseline]).cells["DCTNet", "NYU V2 4x"].measured is None


def test_the_baseline_of_all_images_is_compared_on_those_that_the_reference_names():
    images = dict.fromkeys([str(n) for n in range(1000, 1449)], 9.0) | dict.fromkeys(IMAGES["nyu"], BASELINE["nyu"])
    baseline = replace(record("bicubic", 8.9, "nyu"), images=images)
    network = record("dctnet", 1.2, "nyu", weights="ab" * 32)
    assert table("sfigf:1", [network, baseline]).cells["DCTNet", "NYU V2 4x"].measured == pytest.approx(1.2)


def test_classical_rows_need_no_baseline():
    assert table("sfigf:1", [record("gf", 3.0)]).cells["GF", "Middlebury 4x"].difference == pytest.approx(3.0 - 3.13)


def test_a_part_of_the_images_is_marked_and_never_compared():
    found = table("sfigf:1", [record("gf", 7.0, "nyu")])
    cell = found.cells["GF", "NYU V2 4x"]
    assert (cell.images, cell.of, cell.measured, cell.difference) == (8, 449, 7.0, None)
    assert "7.00~" in str(found) and "8 of 449 images" in str(found)


def test_an_average_waits_for_all_its_sets_and_is_weighted_by_images():
    sets = [record("gf", value, dataset) for dataset, value in (("middlebury", 1.0), ("nyu", 2.0))]
    assert table("sfigf:1", sets).cells["GF", "Average 4x"].measured is None
    cell = table("sfigf:1", [*sets, record("gf", 5.0, "lu")]).cells["GF", "Average 4x"]
    assert cell.measured == pytest.approx((30 * 1 + 8 * 2 + 6 * 5) / 44) and (cell.images, cell.of, cell.difference) == (44, 485, None)


@pytest.mark.parametrize("change", [{"scale": 8}, {"dataset": "lu"}, {"metric": "psnr"}, {"options": {"radius": 9}}, {"value": None},
                                    {"protocol": {"name": "dctnet", "sensor": {}, "metric": {}}},
                                    {"protocol": {"name": "sfigf", "sensor": {"noise": 1.0}, "metric": {"border": 6}}}])
def test_another_measurement_is_not_taken_for_this_one(change):
    assert table("sfigf:1", [replace(record("gf", 3.0), **change)]).cells["GF", "Middlebury 4x"].measured is None


def test_random_weights_are_never_shown():
    records = [record("bicubic", BASELINE["middlebury"]), record("dctnet", 99.0)]
    assert table("sfigf:1", records).cells["DCTNet", "Middlebury 4x"].measured is None


def test_weights_of_our_own_are_never_shown_as_released():
    records = [record("bicubic", BASELINE["middlebury"]), record("dctnet", 99.0, weights="ab" * 32, trained={"budget": "3 CPU-minutes"})]
    assert table("sfigf:1", records).cells["DCTNet", "Middlebury 4x"].measured is None


def test_of_several_records_the_one_with_most_images_then_the_newest_counts():
    records = [record("gf", 3.0, date="2030-01-02"), record("gf", 4.0, date="2030-01-01"),
               record("gf", 5.0, images=["01"], date="2040-01-01")]
    assert all(table("sfigf:1", order).cells["GF", "Middlebury 4x"].measured == pytest.approx(3.0) for order in (records, records[::-1]))


def test_units_are_converted_or_nothing_is_compared():
    cell = table("sfigf:1", [record("gf", 3.0, unit="m")]).cells["GF", "Middlebury 4x"]
    assert cell.measured is None and cell.waits == "a measurement in grey; there is one in m"
    sam = Record("gf", "pansharpening", "wv3", None, "sam", 0.1, "degrees", "lower", {str(n): 0.1 for n in range(20)},
                 {"name": "sfigf", "sensor": {}, "metric": {}})
    radians = replace(sam, unit="radians", protocol={"name": "sfigf", "sensor": {}, "metric": {"unit": "radians"}})
    assert table("sfigf:2", [radians]).cells["GF", "SAM"].measured == pytest.approx(0.1)
    assert table("sfigf:2", [sam]).cells["GF", "SAM"].measured == pytest.approx(0.1 * 3.141592653589793 / 180)


def test_a_setting_that_was_searched_for_stands_apart_and_is_called_so():
    setting = {"radius": 4, "eps": 0.00177828, "grey": True}
    found = table("sfigf:1", [record("gf", 2.5), record("gf", 3.1, options=setting)])
    assert found.cells["GF", "Middlebury 4x"].measured == 2.5 and found.fitted["GF", "Middlebury 4x"].measured == pytest.approx(3.1)
    for text in (str(found), found.markdown(), found.html(), found.json()):
        assert "set by search" in text.lower() and "no reproduction" in text or "grey=True" in text
    assert not table("sfigf:1", [record("gf", 3.1, options={**setting, "radius": 5})]).fitted


def test_every_searched_setting_names_a_row_of_a_method_that_takes_it():
    from girlib.methods import find_method
    for row in published._read("fitted"):
        assert row["row"] in {key[0] for key in published.numbers(row["table"])}
        column = next(column for name, column in published.numbers(row["table"]) if name == row["row"])
        method = published.meaning(row["table"], row["row"], column).method
        find_method(method, "depth", **published.fitted(row["table"], row["row"]).options)


def trained(method, value, seed=0, budget="3 CPU-minutes", **changes):
    return record(method, value, weights=f"{seed}b" * 32, trained={"budget": budget, "seed": seed, "hours": 0.05}, **changes)


def test_what_was_trained_here_stands_in_a_section_of_its_budget():
    records = [record("gf", 2.5), trained("svlrm", 2.0, 0), trained("svlrm", 3.0, 1), trained("fgf", 4.0, budget="1 GPU-hour")]
    found = table("sfigf:1", [*records, trained("svlrm", 9.0, 1, date="2000-01-01"), trained("sfigf", 1.5, options={"width": 16})])
    other, one = found.trained
    assert {key: cell.values for key, cell in one.cells.items()} == {
        ("SVLRM", "Middlebury 4x"): (2.0, 9.0), ("SFIGF", "Middlebury 4x"): (1.5,)}            # the newest of each seed
    assert one.title == "trained here, 3 CPU-minutes each" and other.title == "trained here, 1 GPU-hour each"
    assert all(found.cells[name, "Middlebury 4x"].measured is None for name in ("SVLRM", "FGF", "SFIGF"))
    text = " ".join(str(found).split())
    assert "Trained here, 3 CPU-minutes each (0.15 hours in all)" in text
    assert "SVLRM: Middlebury 4x 5.5 ± 3.5 (printed 1.18); seeds: 2" in text


def test_an_ablation_is_no_other_row():
    records = [trained("sfigf", value, scale=16, options={"width": 16, **options}) for value, options in
               ((5.0, {"features": "private"}), (4.0, {}), (6.0, {"features": "unheard of"}))]
    cells = table("sfigf:5", records).trained[0].cells
    assert {row: cell.mean for (row, _), cell in cells.items()} == {"(a) CMFE_p": 5.0, "(i) SFIGF": 4.0}


def test_methods_without_training_stand_beside_on_the_same_scenes():
    scenes = dict(dataset="procedural", data="ab")
    records = [trained("svlrm", 2.0, **scenes), record("gf", 2.5, **scenes), record("gf", 9.0, dataset="procedural", data="cd")]
    (section,) = table("sfigf:1", records).trained
    assert section.title.endswith("on procedural scenes")
    assert {row: cell.mean for (row, _), cell in section.cells.items()} == {"SVLRM": 2.0, "GF": 2.5}
    assert "\n  SVLRM: 4x 2\n" in str(table("sfigf:1", records))                 # once, and not for each set of the print
    assert table("sfigf:1", [records[1]]).trained == ()


def test_the_order_of_methods_is_compared_as_scipy_does_it():
    from scipy.stats import spearmanr

    from girlib.tables_ours import spearman
    one, other = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0], [2.0, 7.0, 1.0, 8.0, 2.0, 8.0]
    assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic, abs=1e-12)


def test_four_methods_make_an_order_and_three_are_said_to_be_too_few():
    values = {"svlrm": 1.5, "fgf": 1.4, "fdkn": 1.3, "cunet": 1.6}                # printed: FDKN 1.09, SVLRM 1.18, CU-Net 1.28, FGF 1.36
    found = table("sfigf:1", [trained(method, value) for method, value in values.items()])
    (order,) = found.orders()
    assert order.printed == ("FDKN", "SVLRM", "CU-Net", "FGF") and order.measured == ("FDKN", "FGF", "SVLRM", "CU-Net")
    assert order.correlation == pytest.approx(0.4) and order.swapped == [("SVLRM", "FGF"), ("CU-Net", "FGF")]
    said = "rank correlation 0.40 over 4 methods; best first, printed FDKN, SVLRM, CU-Net, FGF; here FDKN, FGF, SVLRM, CU-Net"
    assert said in " ".join(str(found).split())
    few = table("sfigf:1", [trained(method, values[method]) for method in ("svlrm", "fgf", "fdkn")])
    assert few.orders()[0].correlation is None
    assert "columns have at most 3 measured methods; an order needs 4" in " ".join(str(few).split())


def test_orders_of_several_tables_are_written_together():
    from girlib.tables_text import orders_markdown
    values = {"svlrm": 1.5, "fgf": 1.4, "fdkn": 1.3, "cunet": 1.6}
    whole = [trained(method, value) for method, value in values.items()]
    text = orders_markdown([table("sfigf:1", [*whole, record("gf", 3.0, "lu")]), table("dagf:1", [])])
    assert "| sfigf:1 | Middlebury 4x | trained here, 3 CPU-minutes each | 4 | 0.40 | SVLRM before FGF; CU-Net before FGF |" in text
    assert "In 1 more columns or rows with a measurement there are fewer than 4 methods" in text
    assert "No method of these tables is measured" in orders_markdown([table("dagf:1", [])])


def test_where_methods_are_columns_each_row_is_an_order_and_higher_may_be_better():
    names = [f"lytro-{n:02}" for n in range(1, 21)]
    one = Record("average", "multifocus", "lytro", None, "en", 7.0, "bit", "higher", dict.fromkeys(names, 7.0),
                 {"name": "mgdn", "metric": {}}, weights="ab" * 32, trained={"budget": "1 h"})
    found = table("mgdn:2", [replace(one, method=method, value=value) for method, value in (("ifcnn", 7.1), ("mgdn", 7.2))])
    assert [(order.of, order.measured) for order in found.orders()] == [("Lytro En", ("MGDN", "IFCNN"))]


def test_best_and_second_follow_the_direction_and_the_footing():
    ranks = lambda name: table(name, []).ranks()
    assert ranks("sfigf:1")["SSDNet", "NYU V2 4x"] == 1 and ranks("sfigf:1")["FDKN", "NYU V2 4x"] == 2
    assert ranks("sfigf:2")["SFIGF", "PSNR"] == 1 and ranks("sfigf:2")["LAGConv", "SAM"] == 2
    assert ranks("mgdn:1")["CE", "MGDN"] == 1 and ranks("mgdn:1")["VIF", "U2Fusion"] == 2           # methods are columns
    dagf = ranks("dagf:1")
    assert dagf["DAGF (nearest)", "Lu 4x"] == dagf["DAGF (bicubic)", "Lu 4x"] == 1
    assert dagf["PAC (nearest)", "Sintel 4x"] == 2 and ("JBU", "Lu 4x") not in dagf and ranks("sfigf:S1") == {}


def test_marks_of_the_print_are_the_ranks():
    """Bold and underlined cells of DAGF's Table III, which are all right, row by row."""
    second = {key for key, rank in table("dagf:3", []).ranks().items() if rank == 2}
    columns = [f"{name} {scale}x" for name in ("Middlebury", "Lu", "NYU v2", "Sintel") for scale in (4, 8, 16)]
    dmsg = {"Lu 8x", "NYU v2 16x", "Sintel 16x"}
    assert second == {("DMSG" if column in dmsg else "DKN", column) for column in columns}


@pytest.mark.parametrize("form", [str, lambda t: t.markdown(), lambda t: t.html(), lambda t: t.csv(), lambda t: t.json()])
def test_two_tables_of_the_same_records_are_the_same_text(form):
    records = [record("bicubic", BASELINE["middlebury"]), record("dctnet", 1.2, weights="ab" * 32), record("gf", 7.0, "nyu")]
    one, two = (form(table("sfigf:1", given)) for given in (records, list(reversed(records))))
    assert one == two and "\033" not in one and all(number.text in one for number in published.numbers("sfigf:1").values())


def test_the_terminal_shows_bold_and_underlined_and_a_pipe_does_not():
    from girlib.tables_text import text
    found = table("sfigf:1", [])
    assert "\033[1m1.60\033[0m" in text(found, marks=True) and "\033[4m1.64\033[0m" in text(found, marks=True)
    assert re.sub(r"\033\[\d+m", "", text(found, marks=True)).replace("; best bold, second underlined", "") == text(found, marks=False)
    assert max(map(len, text(table("dagf:1", []), marks=False).split("\n"))) <= 110


def test_json_csv_and_frame_hold_every_cell():
    pytest.importorskip("pandas")
    found = table("gdd:2", [])
    read = json.loads(found.json())
    assert len(read["cells"]) == len(found.csv().split("\n")) - 1 == len(found.frame()) == 63
    assert read["cells"][0] | {"waits": ""} == {
        "table": "gdd:2", "row": "Synthetic Q8", "column": "BDSD", "published": "0.8879", "unit": "1", "direction": "higher",
        "measured": None, "images": None, "of": None, "difference": None, "provenance": "", "waits": ""}


def test_baselines_name_protocols_metrics_and_methods_that_exist():
    from girlib.methods import CLASSICAL
    from girlib.metrics import METRICS
    from girlib.tasks import get_task
    for row in published._read("baselines"):
        assert row["method"] in CLASSICAL
        protocol = get_task(row["task"]).protocol(row["dataset"], row["protocol"])
        assert row["metric"] in [name for name, _ in protocol.metrics] and row["metric"] in METRICS
        assert 0 < float(row["band"]) <= 0.01 * float(row["reference"])


def test_every_label_is_used_and_means_something_that_exists():
    from girlib.methods import list_methods
    from girlib.metrics import METRICS
    labels = {label for name in published.titles() for key in published.numbers(name) for label in key}
    bare = {found[1] if (found := published.FOOTING.match(label)) else label for label in labels}
    for row in published._read("labels"):
        assert row["label"] in labels | bare | {"", "(bicubic)", "(nearest)"}, row
        assert not row["method"] or row["method"] in list_methods()
        assert not row["metric"] or row["metric"].split(" ")[0] in METRICS
