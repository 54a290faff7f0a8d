"""Recovery: what a dead owner left open is closed by what its commands left on disk."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from sweeplib.engine.lock import Lock
from sweeplib.ledger import SweepState
from sweeplib.run.marker import last_begun, read_markers
from sweeplib.run.model import Attempt, Outcome, SweepPaths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweeplib.ledger import Combination, Ledger, Sweep

__all__ = ["recover", "recover_sweep"]

_BATCH = 500
_PROBED = 1.0  # seconds; a worker that looks whether the owner lives holds the lock for a moment
_WORKERS = 60.0  # seconds to wait for the commands of a dead owner to be ended by their guards


def recover(
    ledger: Ledger, project: Path, job: str | None = None, note: Callable[[str], None] = lambda _: None
) -> list[str]:
    """Close every running sweep (of `job`) whose owner has died; return their ids."""
    return [
        sweep.id for sweep in ledger.running_sweeps(job) if recover_sweep(ledger, project, sweep, note=note)
    ]


def recover_sweep(
    ledger: Ledger,
    project: Path,
    sweep: Sweep,
    *,
    note: Callable[[str], None] = lambda _: None,
    cancelled: str = "",
) -> bool:
    """Close a running sweep if its owner has died; return whether it had.

    A dead owner is one whose lock is free. Its guards end what still runs, and are waited for, so that
    a done-marker read now is the last word: a combination with one gets its outcome. One without is lost if
    it was started, else cancelled; attempts that are on record are of an earlier run of the sweep, and tell
    nothing of this one. With `cancelled`, which says why, the owner was ended on purpose, and what
    would be lost is cancelled.
    """
    paths = SweepPaths(project / ".sweep" / "sweeps" / sweep.id)
    if not paths.folder.exists():
        _close(ledger, sweep, paths, cancelled)
        return True
    with Lock(paths.owner_lock) as owner, Lock(paths.workers_lock) as workers:
        if not owner.acquire(_PROBED):
            return False
        if not workers.acquire():
            note(f"waiting for the commands of sweep {sweep.tag} to end: the process that ran it has died")
            if not workers.acquire(_WORKERS):
                note(f"commands of sweep {sweep.tag} still run; what they do will not be recorded")
        _close(ledger, sweep, paths, cancelled)
        return True


def _close(ledger: Ledger, sweep: Sweep, paths: SweepPaths, cancelled: str) -> None:
    now = time.time()
    attempts: list[Attempt] = []
    for row in ledger.open_combinations(sweep.id):
        known = ledger.last_attempt(sweep.id, row.key)
        found = read_markers(paths, row.key, known)
        begun = last_begun(paths, row.key, known)
        started = begun > known or not paths.folder.exists()
        unseen = _unseen(row, sweep, now, started=started)
        if begun > known:
            unseen = replace(unseen, number=begun, log=str(paths.log(row.key, begun)))
        attempts += found or [unseen]
        if len(attempts) >= _BATCH:
            _record(ledger, sweep, attempts, cancelled)
            attempts = []
    _record(ledger, sweep, attempts, cancelled)
    ledger.finish_sweep(sweep.id, SweepState.CANCELLED if cancelled else SweepState.LOST, now)


def _record(ledger: Ledger, sweep: Sweep, attempts: list[Attempt], cancelled: str) -> None:
    if cancelled:
        attempts = [
            replace(attempt, outcome=Outcome.CANCELLED, message=cancelled)
            if attempt.outcome is Outcome.LOST
            else attempt
            for attempt in attempts
        ]
    ledger.record(sweep.id, attempts)


def _unseen(row: Combination, sweep: Sweep, now: float, *, started: bool) -> Attempt:
    died = "the process that ran the sweep died"
    return Attempt(
        key=row.key,
        number=0,
        outcome=Outcome.LOST if started else Outcome.CANCELLED,
        started=(row.started or sweep.created) if started else now,
        ended=now,
        message=died if started else f"{died} before it was started",
    )
