"""Case (a): how long the dry run of a small job takes, which is start-up and little else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.expect import at_most, factor_at_most
from benchmarks.model import Measure, median_of
from benchmarks.processes import cost, sweep
from benchmarks.rounds import Contestant, Sample, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.context import Context
    from benchmarks.model import Expectation, Row

__all__ = ["TITLE", "expectations", "measure_case"]

TITLE = "start-up: the dry run of a job with 6 combinations"
_JOBS = """\
jobs:
  small:
    run: python train.py
    sets:
      - each: lr=1e-3,1e-2,1e-1 model=small,large
"""
_TIME = Measure("time of the process", "s")


def measure_case(context: Context) -> list[Row]:
    """Measure `sweep`, HydraFlow, and the interpreter alone as the floor."""
    folder = context.project("startup", both=_JOBS)

    def contestant(tool: str, command: Callable[[], list[str]], note: str = "") -> Contestant:
        return Contestant(tool, (_TIME,), lambda: Sample({_TIME: cost(command(), folder).seconds}), note)

    contestants = [
        contestant("sweep", lambda: sweep("run", "small", "--dry-run")),
        contestant("HydraFlow", lambda: [context.peers.hydraflow, "run", "small", "--dry-run"]),
        contestant("Python", lambda: [sys.executable, "-c", "pass"], "the interpreter alone, for scale"),
    ]
    measure("a", contestants, 1, context.note)  # what is read for the first time comes from the disk
    return measure("a", contestants, context.rounds(10), context.note)


def expectations(rows: Sequence[Row]) -> list[Expectation]:
    """Compare with what is expected of start-up."""
    ours, theirs = (median_of(rows, tool, _TIME) for tool in ("sweep", "HydraFlow"))
    return [
        at_most("a", "start-up", ours, 0.3, "s"),
        factor_at_most("a", "start-up", ours, theirs, 0.2, "HydraFlow's"),
    ]
