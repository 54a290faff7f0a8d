"""Case (h): 2,000 commands of half a second, 64 at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import tools
from benchmarks.expect import factor_at_most
from benchmarks.model import Measure, median_of
from benchmarks.rounds import Contestant, Sample, measure
from benchmarks.server import serving
from benchmarks.sweeps import run_sweep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.context import Context
    from benchmarks.model import Expectation, Row
    from benchmarks.tools import Commands

__all__ = ["TITLE", "expectations", "measure_case"]

_COUNT, _SECONDS, _AT_ONCE = 2_000, 0.5, 64
_IDEAL = _COUNT * _SECONDS / _AT_ONCE
TITLE = f"{_COUNT:,} commands of {_SECONDS:g} s, {_AT_ONCE} at a time: ideally {_IDEAL:.1f} s"
# The parameters are arguments of the shell, which `sleep` would take for durations.
_JOBS = f"""\
jobs:
  sleeps:
    run: sh -c 'exec sleep {_SECONDS:g}'
    tracking: false
    sets: [{{each: 'a=1:20 b=1:100'}}]
"""
_SPAN = Measure("from the first command's start to the last one's end", "s")
_WALL = Measure("time of the process", "s")
_MISSING = Measure("records missing when the process has ended", "")
_OURS = "sweep"
_FACTOR = 1.1


def measure_case(context: Context) -> list[Row]:
    """Measure `sweep`, and GNU parallel for scale."""
    folder = context.project("makespan", jobs=_JOBS, both="jobs: {}\n")
    with serving(folder, context.note):
        commands = tools.prepare(folder, "sleeps", context.folder / "sleeps-of-peers")
        contestants = [
            Contestant(_OURS, (_SPAN, _WALL, _MISSING), lambda: _sweep(folder)),
            Contestant("GNU parallel", (_SPAN, _WALL), lambda: _parallel(commands), f"-j{_AT_ONCE} --joblog"),
        ]
        return measure("h", contestants, context.rounds(2), context.note)


def _sweep(folder: Path) -> Sample:
    run = run_sweep(folder, "sleeps", "--fresh", "--parallel", str(_AT_ONCE))
    records = run.records
    values = {_SPAN: records.seconds, _WALL: run.cost.seconds, _MISSING: records.missing(_COUNT)}
    return Sample(values, records.shortfall(_COUNT))


def _parallel(commands: Commands) -> Sample:
    spent = tools.gnu_parallel(commands, _AT_ONCE)
    return Sample({_SPAN: spent.span, _WALL: spent.wall})


def expectations(rows: Sequence[Row]) -> list[Expectation]:
    """Compare with the time that the commands take if none ever waits for the next."""
    ours = median_of(rows, _OURS, _SPAN)
    return [factor_at_most("h", "makespan", ours, _IDEAL, _FACTOR, "the ideal one")]
