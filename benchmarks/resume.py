"""Case (i): a sweep of 100,000 combinations that goes on when 10 are left."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks.expect import at_most
from benchmarks.model import Measure, UnavailableError, median_of
from benchmarks.processes import cost, sweep
from benchmarks.records import flow_run_start
from benchmarks.rounds import Contestant, Sample, measure
from benchmarks.seeding import seed
from benchmarks.server import serving
from benchmarks.sweeps import run_sweep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.context import Context
    from benchmarks.model import Expectation, Row

__all__ = ["TITLE", "expectations", "measure_case"]

_LEFT = 10
TITLE = f"100,000 combinations of which the last {_LEFT} are left, tracking off"
_JOBS = "jobs: {noop: {run: 'true', tracking: false, sets: [{each: 'a=1:100 b=1:1000'}]}}\n"
_FIRST = Measure("from the flow run's start to the first command's", "s")
_WALL = Measure("time of the process", "s")
_BEFORE = Measure("from the process's start to the first command's", "s")
_MEMORY = Measure("peak memory of the process", "MB")
_STATUS = Measure("time of `sweep status` before", "s")
_SWEEP = "sweep"
_SOON, _SMALL = 3.0, 400.0


def measure_case(context: Context) -> list[Row]:
    """Measure `sweep`, each round with the same ledger, which is written once."""
    folder = context.project("resume", jobs=_JOBS, both="jobs: {}\n")
    seeded = context.folder / "seeded"
    context.note("(i) writing the ledger of what is done")
    seed(folder, "noop", _LEFT, seeded / "ledger.db")
    with serving(folder, context.note) as api:
        measures = (_FIRST, _BEFORE, _WALL, _MEMORY, _STATUS)
        contestant = Contestant(_SWEEP, measures, lambda: _resume(folder, seeded, api))
        return measure("i", [contestant], context.rounds(3), context.note)


def _resume(folder: Path, seeded: Path, api: str) -> Sample:
    """Run what is left, with a fresh copy of the ledger."""
    for file in (folder / ".sweep").glob("ledger.db*"):
        file.unlink()
    shutil.copy(seeded / "ledger.db", folder / ".sweep" / "ledger.db")
    status = cost(sweep("status", "noop"), folder)
    run = run_sweep(folder, "noop")
    if run.records.completed != _LEFT:
        msg = f"failed: ran {run.records.completed:,} combinations instead of {_LEFT}"
        raise UnavailableError(msg)
    return Sample(
        {
            _FIRST: run.records.first - flow_run_start(api, run.records.flow_run),
            _BEFORE: run.first_command,
            _WALL: run.cost.seconds,
            _MEMORY: run.cost.megabytes,
            _STATUS: status.seconds,
        }
    )


def expectations(rows: Sequence[Row]) -> list[Expectation]:
    """Compare with what is expected of a resume."""
    return [
        at_most("i", _FIRST.name, median_of(rows, _SWEEP, _FIRST), _SOON, "s"),
        at_most("i", _MEMORY.name, median_of(rows, _SWEEP, _MEMORY), _SMALL, "MB"),
    ]
