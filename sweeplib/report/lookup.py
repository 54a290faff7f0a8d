"""Finding what a person names: the project's ledger, a sweep, a job; and who owns a sweep."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sweeplib.errors import (
    AmbiguousSweepError,
    JobFileError,
    SweepError,
    UnknownJobError,
    UnknownSweepError,
    nearest,
)
from sweeplib.ledger import Ledger
from sweeplib.run.locks import is_free
from sweeplib.run.model import SweepPaths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweeplib.jobs import Metric
    from sweeplib.ledger import Sweep

__all__ = ["check_job", "find_sweep", "metric_of", "open_ledger", "owner_died", "paths_of"]


@contextmanager
def open_ledger(project: Path) -> Iterator[Ledger | None]:
    """Open the project's ledger for the block; None if nothing has run yet, so that looking makes no file.

    Raises `LedgerError`.
    """
    path = project / ".sweep" / "ledger.db"
    if not path.exists():
        yield None
        return
    with Ledger.open(path) as ledger:
        yield ledger


def paths_of(project: Path, sweep_id: str) -> SweepPaths:
    """Return the files of a sweep."""
    return SweepPaths(project / ".sweep" / "sweeps" / sweep_id)


def owner_died(project: Path, sweep_id: str) -> bool:
    """Tell whether the process that owns the sweep is gone: its lock is free, or the file itself is gone."""
    lock = paths_of(project, sweep_id).owner_lock
    return not lock.exists() or is_free(lock) is True


def find_sweep(ledger: Ledger, name: str) -> Sweep:
    """Return the sweep whose tag is `name`, or else the one whose id begins so.

    Raises `UnknownSweepError` where there is none, and `AmbiguousSweepError` where there are several.
    """
    wanted = name.strip().lower()
    if not wanted:
        raise UnknownSweepError("a sweep has no empty name; `sweep status` lists the sweeps")
    tagged = [sweep for sweep in ledger.sweeps() if sweep.tag.lower() == wanted]
    if len(tagged) > 1:
        ids = ", ".join(sweep.id for sweep in tagged)
        raise AmbiguousSweepError(f"several sweeps have the tag {name!r}: {ids}; give the id")
    return tagged[0] if tagged else ledger.get_sweep(wanted)


def metric_of(project: Path, sweep: Sweep) -> Metric | None:
    """Return what the job of a sweep is ranked by: as its file says now, or else as it said then."""
    from sweeplib.jobs import load
    from sweeplib.jobs.fields import metric

    try:
        return load(project).job(sweep.job).metric
    except SweepError:
        return metric(json.loads(sweep.spec).get("metric"))


def check_job(project: Path, ledger: Ledger | None, job: str) -> None:
    """Raise `UnknownJobError` where neither the ledger nor the project's job file knows `job`.

    A job file that cannot be read raises what `sweeplib.jobs.load` does.
    """
    if ledger is not None and ledger.sweeps(job, limit=1):
        return
    from sweeplib.jobs import find_file, load

    try:
        find_file(project)
    except JobFileError:
        names = sorted({sweep.job for sweep in ledger.sweeps()}) if ledger else []
        if not names:
            raise
        raise UnknownJobError(
            f"no sweep of a job {job!r} is on record{nearest(job, names)} (jobs: {', '.join(names)})"
        ) from None
    load(project).job(job)
