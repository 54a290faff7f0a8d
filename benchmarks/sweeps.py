"""One run of `sweep run`: what the process took, and what is on record of the sweep afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.processes import cost, sweep
from benchmarks.records import records_of_last_sweep

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.processes import Cost
    from benchmarks.records import Records

__all__ = ["Run", "run_sweep"]


@dataclass(frozen=True, slots=True)
class Run:
    """What the process of a sweep took, and the records that were there when it ended."""

    cost: Cost
    records: Records

    @property
    def rate(self) -> float:
        """Commands a second, from the first one's start to the last one's end."""
        return self.records.completed / self.records.seconds

    @property
    def first_command(self) -> float:
        """Seconds from the process's start to the first command's."""
        return self.records.first - self.cost.began


def run_sweep(project: Path, job: str, *options: str) -> Run:
    """Run a job, two commands at a time where `options` do not say otherwise."""
    if "--parallel" not in options:
        options = ("--parallel", "2", *options)
    took = cost(sweep("run", job, *options), project)
    return Run(took, records_of_last_sweep(project, job))
