"""Interleaved rounds, and what is expected of their numbers."""

from collections.abc import Callable

from benchmarks.expect import at_most, factor_at_least, factor_at_most
from benchmarks.model import Expectation, Measure, Row, UnavailableError
from benchmarks.rounds import Contestant, Sample, measure

TIME = Measure("time", "s")
MEMORY = Measure("memory", "MB")


def contestant(tool: str, run: list[str], *times: float) -> Contestant:
    left = iter(times)

    def once() -> Sample:
        run.append(tool)
        return Sample({TIME: next(left), MEMORY: 10.0}, "in time")

    return Contestant(tool, (TIME, MEMORY), once, "a note")


def missing(run: list[str]) -> Callable[[], Sample]:
    def once() -> Sample:
        run.append("missing")
        msg = "not available: needs Python 3.13"
        raise UnavailableError(msg)

    return once


def test_tools_take_turns_and_one_that_is_missing_drops_out() -> None:
    run: list[str] = []
    notes: list[str] = []
    contestants = [
        contestant("one", run, 1, 2, 3),
        Contestant("missing", (TIME,), missing(run), "a note"),
        contestant("two", run, 4, 5, 6),
    ]
    rows = measure("b", contestants, 3, notes.append)
    assert run == ["one", "missing", "two", "two", "one", "one", "two"]
    assert rows == [
        Row("b", "one", TIME, (1, 2, 3), "a note; in time"),
        Row("b", "missing", TIME, (), "not available: needs Python 3.13"),
        Row("b", "two", TIME, (4, 5, 6), "a note; in time"),
        Row("b", "one", MEMORY, (10, 10, 10)),
        Row("b", "two", MEMORY, (10, 10, 10)),
    ]
    assert notes[:2] == ["(b) round 1 of 3: one: time", "(b) round 1 of 3: missing: time"]


def test_expectations() -> None:
    assert at_most("a", "start-up", 0.31, 0.3, "s") == Expectation(
        "a", "start-up: at most 0.3 s", "0.31 s", met=False
    )
    assert factor_at_most("b", "time", 1, 4, 0.25, "HydraFlow's") == Expectation(
        "b", "time: at most 0.25 times HydraFlow's", "0.25 times", met=True
    )
    assert factor_at_least("d", "rate", 110, 12, 10, "the stock runner's") == Expectation(
        "d", "rate: at least 10 times the stock runner's", "9.17 times", met=False
    )


def test_what_was_not_measured_is_neither_met_nor_not() -> None:
    nothing = "there is nothing to compare"
    assert at_most("a", "start-up", None, 0.3, "s").met is None
    assert factor_at_most("a", "time", 1, None, 0.2, "HydraFlow's") == Expectation(
        "a", "time: at most 0.2 times HydraFlow's", nothing, met=None
    )
    assert factor_at_least("d", "rate", None, 12, 10, "the stock runner's").met is None
