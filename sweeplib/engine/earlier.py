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

__all__ = ["acknowledge", "hand_over", "report_earlier"]

_CHUNK = 64
_PATIENCE = 30.0  # seconds that a store may take for a record, as at the end of a sweep
_HURRY = 2.0  # seconds for all that is on its way, after an interrupt


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

    It takes as long as records come in; what an interrupt leaves is told the next time.
    """
    hand_over(ledger, project, job, tracker)
    state = SweepState.COMPLETED.value
    try:
        notes = tracker.finish(state, _PATIENCE, note)
    except KeyboardInterrupt:
        with Interrupts():
            _conclude(ledger, tracker, tracker.finish(state, _HURRY), note)
        raise
    _conclude(ledger, tracker, notes, note)


def _conclude(ledger: Ledger, tracker: Tracker, notes: list[str], note: Callable[[str], None]) -> None:
    acknowledge(ledger, tracker)
    for text in notes:
        note(text)


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
