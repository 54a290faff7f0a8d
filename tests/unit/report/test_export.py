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
        exit_code=0,
        log="/logs/ab.1.log",
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
        "rank,key,outcome,exit_code,duration,model,parameters.key,acc,loss,log\n"
        '1,ab,completed,0,1.0000002,"a,b",k,inf,0.1,/logs/ab.1.log\n'
        ",cd,,,,x\\udc80,,,,\n"
        ",ef,timed out,,2.5,,,,nan,\n"
    )


def test_csv_tells_a_parameter_from_a_metric_of_one_name() -> None:
    out = io.StringIO()
    write_csv([], ["lr"], ["lr", "rank"], out)
    assert out.getvalue() == (
        "rank,key,outcome,exit_code,duration,parameters.lr,metrics.lr,metrics.rank,log\n"
    )


def test_json() -> None:
    out = io.StringIO()
    write_json(ROWS, out)
    assert out.getvalue() == (
        '[\n{"rank": 1, "key": "ab", "outcome": "completed", "exit_code": 0, "duration": 1.0000002,'
        ' "parameters": {"model": "a,b", "key": "k"}, "metrics": {"acc": "Infinity", "loss": 0.1},'
        ' "message": "", "log": "/logs/ab.1.log"},\n'
        '{"rank": null, "key": "cd", "outcome": null, "exit_code": null, "duration": null,'
        ' "parameters": {"model": "x\\udc80"}, "metrics": {}, "message": "", "log": ""},\n'
        '{"rank": null, "key": "ef", "outcome": "timed out", "exit_code": null, "duration": 2.5,'
        ' "parameters": {}, "metrics": {"loss": "NaN"}, "message": "slow", "log": ""}\n]\n'
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
    assert line[5 : 5 + len(parameters)] == list(parameters.values())
    assert [float(text) for text in line[5 + len(parameters) : -1]] == list(metrics.values())
