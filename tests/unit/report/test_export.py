"""Results for another program."""

from __future__ import annotations

import csv
import io
import json
import math

from hypothesis import given
from hypothesis import strategies as st

from sweeplib.report.export import write_csv, write_json
from sweeplib.report.results import Result
from sweeplib.run.model import Outcome

ROWS = [
    Result(
        key="ab",
        outcome=Outcome.COMPLETED,
        duration=1.0000002,
        parameters={"model": "a,b", "key": "k"},
        metrics={"loss": 0.1, "acc": math.inf},
        rank=1,
    ),
    Result(key="cd", outcome=None, duration=None, parameters={"model": "x\udc80"}, metrics={}),
    Result(
        key="ef",
        outcome=Outcome.TIMED_OUT,
        duration=2.5,
        parameters={},
        metrics={"loss": math.nan},
        message="slow",
    ),
]


def test_csv() -> None:
    out = io.StringIO()
    write_csv(ROWS, ["model", "key"], ["acc", "loss"], out)
    assert out.getvalue() == (
        "rank,key,outcome,duration,model,parameters.key,acc,loss\n"
        '1,ab,completed,1.0000002,"a,b",k,inf,0.1\n'
        ",cd,,,x\\udc80,,,\n"
        ",ef,timed out,2.5,,,,nan\n"
    )


def test_csv_tells_a_parameter_from_a_metric_of_one_name() -> None:
    out = io.StringIO()
    write_csv([], ["lr"], ["lr", "rank"], out)
    assert out.getvalue() == "rank,key,outcome,duration,parameters.lr,metrics.lr,metrics.rank\n"


def test_json() -> None:
    out = io.StringIO()
    write_json(ROWS, out)
    assert out.getvalue() == (
        '[\n{"rank": 1, "key": "ab", "outcome": "completed", "duration": 1.0000002,'
        ' "parameters": {"model": "a,b", "key": "k"}, "metrics": {"acc": "Infinity", "loss": 0.1}},\n'
        '{"rank": null, "key": "cd", "outcome": null, "duration": null,'
        ' "parameters": {"model": "x\\udc80"}, "metrics": {}},\n'
        '{"rank": null, "key": "ef", "outcome": "timed out", "duration": 2.5,'
        ' "parameters": {}, "metrics": {"loss": "NaN"}}\n]\n'
    )


def test_json_of_nothing() -> None:
    out = io.StringIO()
    write_json([], out)
    assert out.getvalue() == "[]\n"


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"))


@given(st.dictionaries(texts, texts), st.dictionaries(texts, st.floats(allow_nan=False)))
def test_nothing_is_lost_on_the_way_out(parameters: dict[str, str], metrics: dict[str, float]) -> None:
    row = Result(key="k", outcome=None, duration=0.1, parameters=parameters, metrics=metrics)
    out = io.StringIO()
    write_json([row], out)
    (back,) = json.loads(out.getvalue())
    assert back["parameters"] == parameters
    assert {name: float(value) for name, value in back["metrics"].items()} == metrics

    out = io.StringIO()
    write_csv([row], list(parameters), list(metrics), out)
    heading, line = csv.reader(io.StringIO(out.getvalue()))
    assert len(set(heading)) == len(heading) == len(line)
    assert line[4 : 4 + len(parameters)] == list(parameters.values())
    assert [float(text) for text in line[4 + len(parameters) :]] == list(metrics.values())
