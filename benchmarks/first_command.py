"""Case (g): how long it takes from the start of `sweep run` to the start of its first command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.expect import factor_at_most
from benchmarks.model import Measure, median_of
from benchmarks.processes import cost
from benchmarks.rounds import Contestant, Sample, measure
from benchmarks.server import serving
from benchmarks.sweeps import run_sweep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.context import Context
    from benchmarks.model import Expectation, Row

__all__ = ["TITLE", "expectations", "measure_case"]

TITLE = "from the start of the process to that of its first command, the server being up"
_JOBS = """\
jobs:
  noop: {run: 'true', tracking: false, sets: [{each: 'a=1:10'}]}
  tracked: {run: 'true', sets: [{each: 'a=1:10'}]}
"""
_TIME = Measure("time to the first command", "s")
_OURS, _TRACKED, _BARE = ("sweep, tracking off", "sweep, MLflow on SQLite", "import prefect")
_FACTOR = 2.5


def measure_case(context: Context) -> list[Row]:
    """Measure `sweep`, and an import of Prefect by the same interpreter for scale."""
    folder = context.project("first", jobs=_JOBS, both="jobs: {}\n")
    contestants = [
        Contestant(_OURS, (_TIME,), lambda: _first(folder, "noop")),
        Contestant(_TRACKED, (_TIME,), lambda: _first(folder, "tracked")),
        Contestant(_BARE, (_TIME,), lambda: _import(folder), "the whole process, for scale"),
    ]
    with serving(folder, context.note):
        measure("g", contestants, 1, context.note)  # what is read for the first time comes from the disk
        return measure("g", contestants, context.rounds(5), context.note)


def _first(folder: Path, job: str) -> Sample:
    return Sample({_TIME: run_sweep(folder, job, "--fresh").first_command})


def _import(folder: Path) -> Sample:
    return Sample({_TIME: cost([sys.executable, "-c", "import prefect"], folder).seconds})


def expectations(rows: Sequence[Row]) -> list[Expectation]:
    """Compare with the import that no flow can do without."""
    bare = median_of(rows, _BARE, _TIME)
    return [
        factor_at_most("g", tool, median_of(rows, tool, _TIME), bare, _FACTOR, "a bare `import prefect`")
        for tool in (_OURS, _TRACKED)
    ]
