"""Which sweeps and combinations are wanted; and how a time is written."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from sweeplib.errors import InputError
from sweeplib.ledger import Combination, Sweep
from sweeplib.report.filters import Filter, moment
from sweeplib.run.model import Outcome


def sweep(tags: tuple[str, ...] = (), created: float = 100.0) -> Sweep:
    spec = json.dumps({"tags": list(tags)})
    return Sweep(id="S", job="train", lineage="S", total=1, created=created, tag="train-abc", spec=spec)


def row(**changes: Any) -> Combination:
    given: dict[str, Any] = {
        "sweep": "S",
        "key": "k",
        "position": 0,
        "label": "lr=0.1 model=svc",
        "parameters": {},
        "outcome": Outcome.COMPLETED,
        "attempts": 1,
        "exit_code": 0,
        "started": 100.0,
        "ended": 101.0,
        "log": "",
        "message": "",
        "run_id": None,
        "metrics": None,
        "tracked": True,
    }
    return Combination(**(given | changes))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), True),
        (Filter(tags=("a",)), True),
        (Filter(tags=("a", "own")), True),
        (Filter(tags=("a", "b")), False),
        (Filter(states=("failed",)), False),
        (Filter(states=("failed", "completed")), True),
        (Filter(name="*model=svc"), True),
        (Filter(name="model=svc"), False),
        (Filter(name="*=knn"), False),
        (Filter(since=100.0), True),
        (Filter(since=100.5), False),
        (Filter(until=99.0), False),
        (Filter(since=99.0, until=100.0, tags=("own",), states=("completed",), name="lr*"), True),
    ],
)
def test_combinations(wanted: Filter, found: bool) -> None:
    assert wanted.wants_combination(row(tags=("own",)), ["a"]) is found


def test_what_has_not_begun_is_of_no_time() -> None:
    waiting = row(outcome=None, started=None)
    assert not Filter(since=1.0).wants_combination(waiting, [])
    assert not Filter(until=1e12).wants_combination(waiting, [])
    assert Filter(states=("running",)).wants_combination(waiting, [])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(tags=("a",)), True),
        (Filter(tags=("more",)), True),
        (Filter(tags=("other",)), False),
        (Filter(states=("lost",)), True),
        (Filter(states=("failed",)), False),
        (Filter(name="train"), True),
        (Filter(name="train-a*"), True),
        (Filter(name="a*"), False),
        (Filter(until=100.0), True),
    ],
)
def test_sweeps(wanted: Filter, found: bool) -> None:
    assert wanted.wants_sweep(sweep(("a",)), "lost", {"more"}) is found


def test_an_empty_filter_wants_all() -> None:
    assert not Filter()
    assert Filter(name="*")


def test_moments() -> None:
    now = 1_000_000.0
    assert moment("2h", now) == now - 7200
    assert moment(" 1h30m ", now) == now - 5400
    assert moment("2026-11-21T14:30+00:00", now) == datetime(2026, 11, 21, 14, 30, tzinfo=UTC).timestamp()
    local = datetime(2026, 11, 21).astimezone().timestamp()
    assert moment("2026-11-21", now) == local


@pytest.mark.parametrize("text", ["yesterday", "", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(InputError) as caught:
        moment(text, 1_000_000.0)
    assert str(caught.value) == (
        f"{text!r} is no time; write a date (2026-11-21), a time (2026-11-21 14:30) or how long ago (2h)"
    )


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31 23:59:59.9"])
@pytest.mark.parametrize("zone", ["UTC0", "EAST-14", "WEST12"])
def test_the_ends_of_the_calendar(monkeypatch: pytest.MonkeyPatch, zone: str, text: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        with suppress(InputError):
            assert abs(moment(text, 0.0)) > 1e10
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
