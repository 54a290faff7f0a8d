"""What the page's script works on."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sweeplib.report.page.data import data_of, script_json
from sweeplib.run.model import Outcome


@given(st.dictionaries(st.text(), st.lists(st.text() | st.floats(allow_nan=False, allow_infinity=False))))
def test_json_in_a_script_is_read_back_and_holds_no_markup(value: Any) -> None:
    text = script_json(value)
    assert json.loads(text) == value
    assert not set(text) & set("<>&")
    assert text.isascii()


def test_columns_in_the_order_of_the_ranking(report: Any, result: Any) -> None:
    failed = {"outcome": Outcome.FAILED, "message": "exit code 1"}
    results = [result(1, **failed, lr="1"), result(2, {"loss": 0.5, "acc": 0.1}, lr="2")]
    results += [result(3, {"loss": 0.25, "acc": math.nan}, lr="3", model="m")]
    data = data_of(report(results))
    assert (data["job"], data["metric"], data["ascending"], data["ranked"]) == ("train", "acc", False, 1)
    assert [[metric["name"], metric["values"]] for metric in data["metrics"]] == [
        ["acc", [0.1, "NaN", None]],
        ["loss", [0.5, 0.25, None]],
    ]
    assert data["metrics"][1]["texts"] == ["0.5000", "0.2500", ""]
    assert [(axis["name"], axis["codes"]) for axis in data["axes"]] == [
        ("lr", (1, 2, 0)),
        ("model", (None, 0, None)),
    ]
    assert data["rows"] == {
        "key": [each.key for each in report(results).results],
        "label": ["lr=2", "lr=3 model=m", "lr=1"],
        "outcome": {"texts": ["completed", "failed"], "codes": [0, 0, 1]},
        "exit": [0, 0, 1],
        "seconds": [1.5, 1.5, 1.5],
        "duration": ["1.5 s", "1.5 s", "1.5 s"],
        "message": {"texts": ["", "exit code 1"], "codes": [0, 0, 1]},
        "command": ["train"] * 3,
        "started": [100, 100, 100],
        "attempts": [1, 1, 1],
        "sweep": {"texts": ["S1"], "codes": [0, 0, 0]},
        "group": [None, None, 0],
    }
    assert data["headings"] == [
        *("rank", "key", "outcome", "exit_code", "duration"),
        *("lr", "model", "acc", "loss"),
    ]
    script_json(data)


def test_without_results(report: Any) -> None:
    data = data_of(report([]))
    assert (data["metric"], data["metrics"], data["axes"], data["durations"]) == (None, [], [], None)
    assert data["rows"]["key"] == []
