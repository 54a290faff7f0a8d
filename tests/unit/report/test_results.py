"""Results out of the ledger's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweeplib.ledger import Combination
from sweeplib.report.results import (
    Result,
    constant_parameters,
    gather,
    names_of_metrics,
    names_of_parameters,
)
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def row(key: str, **fields: Any) -> Combination:
    values: dict[str, Any] = {
        "sweep": "S1", "key": key, "position": 0, "label": key, "parameters": {}, "attempts": 1,
        "outcome": Outcome.COMPLETED, "exit_code": 0, "started": 10.0, "ended": 12.5, "log": "",
        "message": "", "run_id": None, "metrics": {"m": 1.0}, "tracked": True,
    }  # fmt: skip
    return Combination(**(values | fields))


class Fetch:
    """Knows metrics, and remembers what it was asked."""

    def __init__(self, found: dict[tuple[str, str], dict[str, float]]) -> None:
        self.found = found
        self.asked: list[list[str]] = []

    def __call__(self, sweeps: Sequence[str]) -> Mapping[tuple[str, str], Mapping[str, float]]:
        self.asked.append(list(sweeps))
        return self.found


def test_a_row_becomes_a_result() -> None:
    rows = [row("a", parameters={"lr": "1m"}, message="well", metrics={"m": 2.0}, command="train --lr=1m")]
    assert gather(rows, Fetch({})) == [
        Result(
            key="a",
            outcome=Outcome.COMPLETED,
            duration=2.5,
            parameters={"lr": "1m"},
            metrics={"m": 2.0},
            message="well",
            label="a",
            log="",
            exit_code=0,
            sweep="S1",
            command="train --lr=1m",
            attempts=1,
            started=10.0,
        )
    ]


def test_nobody_is_asked_where_nothing_lacks() -> None:
    fetch = Fetch({})
    rows = [
        row("a"),
        row("b", metrics={}),
        row("c", outcome=None, metrics=None, started=None, ended=None),
        row("d", outcome=Outcome.FAILED, metrics=None),
    ]
    results = gather(rows, fetch)
    assert fetch.asked == []
    assert [(each.metrics, each.duration) for each in results] == [
        ({"m": 1.0}, 2.5),
        ({}, 2.5),
        ({}, None),
        ({}, 2.5),
    ]


def test_what_lacks_is_asked_for_once() -> None:
    fetch = Fetch({("S2", "b"): {"m": 3.0}, ("S1", "a"): {"m": 9.0}, ("S2", "a"): {"m": 8.0}})
    rows = [row("c", sweep="S2", metrics=None), row("b", sweep="S2", metrics=None), row("a")]
    assert [each.metrics for each in gather(rows, fetch)] == [{}, {"m": 3.0}, {"m": 1.0}]
    assert fetch.asked == [["S2"]]


def results_with(*parameters: dict[str, str]) -> list[Result]:
    return [
        Result(key=str(place), outcome=None, duration=None, parameters=each, metrics={})
        for place, each in enumerate(parameters)
    ]


def test_names() -> None:
    rows = results_with({"model": "svc", "C": "1"}, {"model": "forest", "depth": "4"})
    assert names_of_parameters(rows) == ["model", "C", "depth"]
    assert names_of_metrics(gather([row("a", metrics={"z": 1.0, "b": 1.0}), row("b")], Fetch({}))) == [
        "b",
        "m",
        "z",
    ]


def test_constant_parameters() -> None:
    rows = results_with(
        {"seed": "1", "lr": "1", "x": "0"}, {"seed": "1", "lr": "2"}, {"lr": "1", "seed": "1", "x": "0"}
    )
    assert constant_parameters(rows) == {"seed"}
    assert constant_parameters(rows[:1]) == set()
    assert constant_parameters([]) == set()
