"""Case (c): the length and the last combination of a plan of 10**9."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.expect import at_most
from benchmarks.model import Measure, UnavailableError, median_of
from benchmarks.processes import runner
from benchmarks.rounds import Contestant, Sample, measure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.context import Context
    from benchmarks.model import Expectation, Row

__all__ = ["TITLE", "expectations", "measure_case"]

TITLE = "the length and the last combination of a plan of 1,000,000,000"
_JOBS = "jobs: {large: {run: 'true', sets: [{each: 'a=1:1000 b=1:1000 c=1:1000'}]}}\n"
_INSIDE = Measure("time once imported", "s")
_PROCESS = Measure("time of the process", "s")
_LAST = {"length": 10**9, "last": {"a": "1000", "b": "1000", "c": "1000"}}


def measure_case(context: Context) -> list[Row]:
    """Measure `sweeplib` alone: no peer can tell without making a list of all."""
    folder = context.project("plan", both=_JOBS)
    note = "reading the file included; in a new process each time"
    contestant = Contestant("sweep", (_INSIDE, _PROCESS), lambda: _run(folder), note)
    return measure("c", [contestant], context.rounds(10), context.note)


def _run(folder: Path) -> Sample:
    told = runner(sys.executable, "plan_of_a_billion", "large", folder=folder)
    seconds = told.answer.pop("seconds")
    if told.answer != _LAST:
        msg = f"failed: {told.answer}"
        raise UnavailableError(msg)
    return Sample({_INSIDE: seconds, _PROCESS: told.seconds})


def expectations(rows: Sequence[Row]) -> list[Expectation]:
    """Compare with what is expected of a lazy plan."""
    return [at_most("c", "length and last combination", median_of(rows, "sweep", _INSIDE), 0.05, "s")]
