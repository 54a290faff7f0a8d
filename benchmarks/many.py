"""Case (e): 10,000 commands that do nothing, two at a time, and whether each is on record."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.expect import factor_at_least
from benchmarks.model import Expectation, Measure, median_of
from benchmarks.rounds import Contestant, Sample, measure
from benchmarks.server import dropped_messages, serving
from benchmarks.sweeps import run_sweep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.context import Context
    from benchmarks.model import Row

__all__ = ["TITLE", "expectations", "measure_case"]

_FEW, _MANY = 1_000, 10_000
_SETS = {_FEW: "a=1:10 b=1:100", _MANY: "a=1:100 b=1:100"}
_TOOL = {count: f"sweep, {count:,} commands" for count in _SETS}
TITLE = f"{_MANY:,} commands `true`, two at a time, tracking off, and {_FEW:,} for comparison"
_RATE = Measure("commands a second", "/s")
_WALL = Measure("time of the process", "s")
_MISSING = Measure("records missing when the process has ended", "")
_DROPPED = Measure("lines of the server's log that tell of a dropped message", "")
_SAME = 0.9  # of the rate of few commands: as much as one round differs from another


def measure_case(context: Context) -> list[Row]:
    """Measure `sweep` at both counts, with one server for all."""
    sets = {f"of_{count}": each for count, each in _SETS.items()}
    jobs = [
        f"  {job}: {{run: 'true', tracking: false, sets: [{{each: '{each}'}}]}}\n"
        for job, each in sets.items()
    ]
    folder = context.project("many", jobs="jobs:\n" + "".join(jobs), both="jobs: {}\n")
    measures = (_RATE, _WALL, _MISSING, _DROPPED)
    with serving(folder, context.note):
        contestants = [Contestant(_TOOL[count], measures, partial(_sweep, folder, count)) for count in _SETS]
        return measure("e", contestants, context.rounds(2), context.note)


def _sweep(folder: Path, count: int) -> Sample:
    before = dropped_messages(folder)
    run = run_sweep(folder, f"of_{count}", "--fresh")
    values = {
        _RATE: run.rate,
        _WALL: run.cost.seconds,
        _MISSING: run.records.missing(count),
        _DROPPED: dropped_messages(folder) - before,
    }
    return Sample(values, run.records.shortfall(count))


def expectations(rows: Sequence[Row]) -> list[Expectation]:
    """Compare with what is expected of many commands."""
    many, few = (median_of(rows, _TOOL[count], _RATE) for count in (_MANY, _FEW))
    return [
        factor_at_least("e", f"rate of {_MANY:,} commands", many, few, _SAME, f"that of {_FEW:,}"),
        _none(rows, _MISSING, "every combination completed in the ledger, every task run final in Prefect"),
        _none(rows, _DROPPED, "the server has dropped no message"),
    ]


def _none(rows: Sequence[Row], counted: Measure, text: str) -> Expectation:
    """Expect that nothing was counted in any round of many commands."""
    samples = next((row.samples for row in rows if row.tool == _TOOL[_MANY] and row.measure == counted), ())
    if not samples:
        return Expectation("e", text, "the sweep did not run", None)
    return Expectation("e", text, f"{counted.name}: {sum(samples):,.0f}", not sum(samples))
