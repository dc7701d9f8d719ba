"""Two hundred wrong requests to evaluate and table, made by chance: each is answered by one sentence, before anything is scored."""

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from girlib.errors import GirlibError
from girlib.evaluation import evaluate
from girlib.results import Record
from girlib.tables import Table, table

STRANGE = [None, True, False, -1, 0, 1, 3, 2.5, math.nan, math.inf, 10**30, "", " ", "depth", "dctnet", "official", "x" * 300, "a\nb",
           "ä", b"bytes", [], ["sfigf"], [["sfigf"]], (), {}, {"radius": 3}, {1: 2}, set(), object(), Path("/nowhere"), print]
VALID = {"method": "bicubic", "task": "depth", "dataset": "procedural", "scale": 4, "protocol": "sfigf", "weights": None, "limit": 1,
         "size": 24, "seed": 0, "device": "cpu", "workers": 0, "data_root": None, "options": {}}
SENSOR = ["downsampling", "upsampling", "noise", "grey_noise", "multiple", "recorded", "scale ", "nothing"]


CHANCE = settings(derandomize=True, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


def is_one_sentence(text):
    return "\n" not in text and 10 < len(text) < 2000


@settings(CHANCE, max_examples=160)
@given(changes=st.dictionaries(st.sampled_from([*VALID, *SENSOR]), st.sampled_from(STRANGE), min_size=1, max_size=3))
def test_a_wrong_request_to_evaluate_is_one_sentence(changes):
    if type(changes.get("workers")) is int and changes["workers"] in (1, 3):
        changes["workers"] = -3                                             # right, and slow
    try:
        records = evaluate(**{**VALID, **changes}, strict=True)
    except GirlibError as error:
        assert is_one_sentence(str(error)), str(error)
    else:                                                                   # not every chance is wrong
        assert records and all(isinstance(record, Record) and record.images for record in records)


@settings(CHANCE, max_examples=40)
@given(name=st.one_of(st.sampled_from(STRANGE), st.text(max_size=12), st.from_regex(r"(sfigf|dagf|mgdn|gdd):[0-9S]{1,2}", fullmatch=True)))
def test_a_wrong_request_for_a_table_is_one_sentence(name):
    try:
        assert isinstance(table(name, []), Table)
    except GirlibError as error:
        assert is_one_sentence(str(error)), str(error)


@pytest.mark.parametrize("given", ["records", 3, [1], ["a record"], {"a": 1}])
def test_what_is_no_record_is_refused_by_a_table(given):
    with pytest.raises(GirlibError, match="expected a list of records"):
        table("sfigf:1", given)
