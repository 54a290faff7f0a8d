"""Case (b): dry runs of many combinations, their time and their peak memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.expect import factor_at_most
from benchmarks.model import Measure, UnavailableError, median_of
from benchmarks.processes import cost, output, sweep
from benchmarks.rounds import Contestant, Sample, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.context import Context
    from benchmarks.model import Expectation, Row

__all__ = ["TITLE", "expectations", "measure_case"]

TITLE = "dry runs, Hydra style, the output thrown away"
_SETS = {10_000: "a=1:100 b=1:100", 100_000: "a=1:100 b=1:100 c=1:10", 1_000_000: "a=1:100 b=1:100 c=1:100"}
_SMALLEST, _LARGEST = min(_SETS), max(_SETS)
_TIME = {count: Measure(f"{count:,} combinations: time", "s") for count in _SETS}
_MEMORY = {count: Measure(f"{count:,} combinations: peak memory", "MB") for count in _SETS}


def measure_case(context: Context) -> list[Row]:
    """Measure `sweep` and HydraFlow at growing counts."""
    jobs = [f"  of_{count}: {{run: 'true', sets: [{{each: {each}}}]}}\n" for count, each in _SETS.items()]
    folder = context.project("dry_run", both="jobs:\n" + "".join(jobs))
    tools: dict[str, Callable[[], list[str]]] = {
        "sweep": sweep,
        "HydraFlow": lambda: [context.peers.hydraflow],
    }
    contestants = [
        _contestant(tool, program, count, folder) for count in _SETS for tool, program in tools.items()
    ]
    return measure("b", contestants, context.rounds(3), context.note)


def _contestant(tool: str, program: Callable[[], list[str]], count: int, folder: Path) -> Contestant:
    measures = (_TIME[count], _MEMORY[count])

    def run() -> Sample:
        command = [*program(), "run", f"of_{count}", "--dry-run"]
        if count == _SMALLEST:
            _check(command, count, folder)
        found = cost(command, folder)
        return Sample(dict(zip(measures, (found.seconds, found.megabytes), strict=True)))

    return Contestant(tool, measures, run)


def _check(command: list[str], count: int, folder: Path) -> None:
    """Hold that every combination is printed, once."""
    printed = len(set(output(command, folder).splitlines()))
    if printed != count:
        msg = f"failed: printed {printed:,} different commands of {count:,}"
        raise UnavailableError(msg)


def expectations(rows: Sequence[Row]) -> list[Expectation]:
    """Compare with what is expected of large dry runs."""
    ours, theirs = (median_of(rows, tool, _TIME[_LARGEST]) for tool in ("sweep", "HydraFlow"))
    large, small = (median_of(rows, "sweep", _MEMORY[count]) for count in (_LARGEST, _SMALLEST))
    return [
        factor_at_most("b", f"time of {_LARGEST:,} combinations", ours, theirs, 0.25, "HydraFlow's"),
        factor_at_most(
            "b", f"peak memory at {_LARGEST:,} combinations", large, small, 1.1, f"that at {_SMALLEST:,}"
        ),
    ]
