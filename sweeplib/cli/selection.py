"""The combinations of a job that a person asks for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeplib.cli.metrics import Metrics
from sweeplib.errors import InputError, UnknownSweepError
from sweeplib.report.lookup import check_job, find_sweep, metric_of, open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sweeplib.jobs import Metric
    from sweeplib.ledger import Combination, Ledger, Sweep
    from sweeplib.report.filters import Filter

__all__ = ["Selection", "none_of", "select"]


@dataclass(frozen=True, slots=True)
class Selection:
    """What the ledger has of them, whom to ask for the metrics that it has not, and what ranks the job.

    `sweeps` are all of the job, the newest first.
    """

    rows: Sequence[Combination]
    fetch: Metrics
    metric: Metric | None
    sweeps: Sequence[Sweep]


def select(project: Path, job: str, sweep_name: str | None, wanted: Filter) -> Selection:
    """Return the wanted combinations of a job's newest lineage, or of the sweep of that tag or id.

    Raises `UnknownJobError` and `UnknownSweepError`, and `InputError` where the sweep is one of another job.
    """
    with open_ledger(project) as ledger:
        check_job(project, ledger, job)
        sweeps = ledger.sweeps(job) if ledger is not None else []
        if ledger is None or not sweeps:
            raise UnknownSweepError(f"job {job!r} has no sweep yet; start one with: sweep run {job}")
        if sweep_name is None:
            rows = list(ledger.results(job, sweeps[0].lineage))
        else:
            rows = list(_rows_of_sweep(ledger, job, sweep_name))
    if wanted:
        tags = {sweep.id: json.loads(sweep.spec).get("tags", ()) for sweep in sweeps}
        rows = [row for row in rows if wanted.wants_combination(row, tags.get(row.sweep, ()))]
    tracked = {sweep.id for sweep in sweeps if sweep.tracking is not None}
    return Selection(rows, Metrics(project, tracked), metric_of(project, sweeps[0]), sweeps)


def none_of(job: str, wanted: Filter) -> str:
    """Return what is said where there are none."""
    return f"no combination of job {job!r} is on record" + (" that is so" if wanted else " yet")


def _rows_of_sweep(ledger: Ledger, job: str, name: str) -> Iterator[Combination]:
    sweep = find_sweep(ledger, name)
    if sweep.job != job:
        raise InputError(f"sweep {sweep.tag} is one of job {sweep.job!r}, not of {job!r}")
    return ledger.combinations(sweep.id)
