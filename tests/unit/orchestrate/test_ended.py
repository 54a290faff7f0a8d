"""What came of work whose end a submitter has seen, or has not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sweeplib.orchestrate.ended import attempts_at, is_settled, tries
from sweeplib.run.marker import write_marker
from sweeplib.run.model import Attempt, Outcome, SweepPaths, Work

if TYPE_CHECKING:
    from pathlib import Path


def attempt(number: int, outcome: Outcome = Outcome.FAILED) -> Attempt:
    return Attempt(key="k", number=number, outcome=outcome, started=1.0, ended=2.0)


@pytest.mark.parametrize(
    ("before", "result", "found"),
    [
        (0, "its worker died", [attempt(1), attempt(2)]),
        (1, "its worker died", [attempt(2)]),
        (2, "its worker died", []),
        (0, attempt(3, Outcome.COMPLETED), [attempt(1), attempt(2), attempt(3, Outcome.COMPLETED)]),
        (1, attempt(3), [attempt(2), attempt(3)]),
        (2, attempt(3), [attempt(3)]),
        (2, attempt(0, Outcome.CANCELLED), [attempt(0, Outcome.CANCELLED)]),
    ],
)
def test_attempts_before_work_was_submitted_are_none_at_it(
    tmp_path: Path, before: int, result: Attempt | str, found: list[Attempt]
) -> None:
    for number in (1, 2):
        write_marker(SweepPaths(tmp_path).marker("k", number), attempt(number), ("true",))
    work = Work("s", "j", "k", 0, "k", ("true",), "/", str(tmp_path), before=before)
    assert attempts_at(work, result) == found
    if result == attempt(0, Outcome.CANCELLED):
        again = replace(work, before=0, tried=2)
        assert attempts_at(again, result) == [attempt(1), attempt(2)], "nothing began any more"


C, F, L = Outcome.COMPLETED, Outcome.FAILED, Outcome.LOST


@pytest.mark.parametrize(
    ("outcomes", "retries", "tried", "settled"),
    [
        ((), 0, 0, False),
        ((C,), 3, 1, True),
        ((F,), 0, 1, True),
        ((F,), 1, 1, False),
        ((L, Outcome.CANCELLED), 0, 0, False),
        ((F, L), 1, 1, False),
        ((F, L, Outcome.TIMED_OUT), 1, 2, True),
        ((F, C), 5, 2, True),
    ],
)
def test_what_nobody_ended_is_no_try(
    outcomes: tuple[Outcome, ...], retries: int, tried: int, settled: bool
) -> None:
    history = [attempt(number + 1, outcome) for number, outcome in enumerate(outcomes)]
    assert (tries(history), is_settled(history, retries)) == (tried, settled)
