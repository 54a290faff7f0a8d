"""What earlier sweeps of a job still owe their tracker, which was away then."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING

from sweeplib.engine.interrupts import Interrupts
from sweeplib.engine.model import EndedRun
from sweeplib.engine.tracked import own_tags, tracked_sweep
from sweeplib.ledger import SweepState
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweeplib.engine.model import Tracker
    from sweeplib.ledger import Combination, Ledger

__all__ = ["HURRY", "PATIENCE", "acknowledge", "conclude", "hand_over", "report_earlier"]

_CHUNK = 64
PATIENCE = 30.0
"""Seconds at the end for records that are still on their way."""

HURRY = 2.0
"""The same after an interrupt."""


def hand_over(ledger: Ledger, project: Path, job: str, tracker: Tracker, besides: str = "") -> None:
    """Give the tracker what ended sweeps of `job` could not report.

    `besides` is a sweep that reports by itself, as those do whose owner lives.
    """
    rows = (row for row in ledger.untracked(job=job) if row.sweep != besides)
    for sweep_id, group in groupby(rows, key=lambda row: row.sweep):
        sweep = ledger.get_sweep(sweep_id)
        if sweep.state is SweepState.RUNNING:
            continue
        while batch := [_ended(row) for row in islice(group, _CHUNK)]:
            tracker.report(tracked_sweep(sweep, project), batch)


def acknowledge(ledger: Ledger, tracker: Tracker) -> None:
    """Write down what the tracker has stored since the last call."""
    rows: dict[str, list[tuple[str, str | None, dict[str, float]]]] = {}
    for each in tracker.drain():
        rows.setdefault(each.sweep, []).append((each.key, each.run_id, dict(each.metrics)))
    for sweep, acknowledged in rows.items():
        ledger.set_tracked(sweep, acknowledged)


def report_earlier(
    ledger: Ledger, project: Path, job: str, tracker: Tracker, note: Callable[[str], None]
) -> None:
    """Have the tracker store what is owed, while no sweep runs; `note` is told what the user should know.

    What an interrupt leaves is told the next time.
    """
    hand_over(ledger, project, job, tracker)
    conclude(ledger, tracker, SweepState.COMPLETED, note)


def conclude(
    ledger: Ledger,
    tracker: Tracker,
    state: SweepState,
    note: Callable[[str], None],
    patience: float = PATIENCE,
    *,
    hurried: bool = False,
) -> None:
    """End the tracker's records, and write down what it has stored.

    It waits up to `patience` seconds, for each next record if it is not `hurried`; an interrupt hurries it.
    """
    try:
        _finish(ledger, tracker, state, note, patience, None if hurried else note)
    except KeyboardInterrupt:
        with Interrupts():
            _finish(ledger, tracker, state, note, HURRY)
        raise


def _finish(
    ledger: Ledger,
    tracker: Tracker,
    state: SweepState,
    note: Callable[[str], None],
    patience: float,
    still: Callable[[str], None] | None = None,
) -> None:
    for text in tracker.finish(state, patience, still):
        note(text)
    acknowledge(ledger, tracker)


def _ended(row: Combination) -> EndedRun:
    return EndedRun(
        key=row.key,
        label=row.label,
        parameters=row.parameters,
        run_id=row.run_id,
        outcome=row.outcome or Outcome.LOST,
        exit_code=row.exit_code,
        message=row.message,
        started=row.started,
        ended=row.ended,
        metrics=row.metrics,
        tags=own_tags(row),
    )
