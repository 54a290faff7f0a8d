"""How sweeps stand: their state as it really is, and their counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sweeplib.ledger import Sample, SweepState
from sweeplib.report.duration import humanise
from sweeplib.report.failures import FAILURES, explain
from sweeplib.report.links import LEAST
from sweeplib.report.lookup import owner_died, paths_of
from sweeplib.report.pace import time_left
from sweeplib.report.table import Column, printable
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sweeplib.ledger import Combination, Ledger, Sweep
    from sweeplib.report.failures import FailureGroup

__all__ = [
    "Failures",
    "Standing",
    "combination_to_json",
    "failures_of",
    "failures_to_json",
    "groups_to_json",
    "looked_at_to_json",
    "standing_of",
    "standing_to_json",
    "standings_columns",
    "standings_styles",
]

_SAMPLE = 2000  # failures, and completed combinations, that are looked at for what failures have in common
_STYLES = {
    SweepState.RUNNING: "",
    SweepState.COMPLETED: "green",
    SweepState.FAILED: "red",
    SweepState.CANCELLED: "yellow",
    SweepState.LOST: "red",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a sweep stands.

    `state` is lost also where the ledger says running but the owner has died; what it left running
    counts as lost too, until the next run finds out. What has not begun counts in the total alone.
    `duration` is in seconds, None where nobody saw the end.
    """

    sweep: Sweep
    state: SweepState
    duration: float | None
    outcomes: Mapping[Outcome, int]
    running: int

    @property
    def unrecovered(self) -> bool:
        """Whether the ledger does not know yet that the sweep is lost."""
        return self.state is not self.sweep.state

    @property
    def left(self) -> float | None:
        """The seconds until its end at the pace so far; None where nothing has ended, or nothing runs."""
        ended = sum(self.outcomes.values())
        if self.duration is None or self.state is not SweepState.RUNNING:
            return None
        return time_left(ended, max(0, self.sweep.total - self.sweep.done_before - ended), self.duration)

    @property
    def summary(self) -> str:
        """The counts in words: ``12 of 40 done, 2 failed, 4 running, about 3m 05s left``."""
        done = self.outcomes[Outcome.COMPLETED] + self.sweep.done_before
        parts = [f"{done:,} of {self.sweep.total:,} done"]
        bad = sum(self.outcomes[each] for each in FAILURES)
        parts += [f"{bad:,} failed"] if bad else []
        parts += [f"{self.running:,} running"] if self.running else []
        parts += [f"about {humanise(self.left)} left"] if self.left else []
        return ", ".join(parts)

    @property
    def remedy(self) -> str:
        """What to do about a sweep whose owner has died; one that a deployment ran is not `sweep run`'s."""
        if self.sweep.isolated:
            return f"`sweep retry {self.sweep.tag}` goes on with it"
        return f"the next `sweep run {self.sweep.job}` recovers it"

    @property
    def counts(self) -> dict[str, int]:
        """All counts by name, in the order in which they are shown."""
        return {
            **{outcome.value: self.outcomes[outcome] for outcome in Outcome},
            "running": self.running,
            "done before": self.sweep.done_before,
            "total": self.sweep.total,
        }


@dataclass(frozen=True, slots=True)
class Failures:
    """The first combinations of a sweep that ended badly, how many there are in all, and all by cause.

    Of very many the groups hold a sample. They are held against `compared` combinations, of `completed` that
    there are; against none where the failures are too few to have anything in common.
    """

    rows: Sequence[Combination] = ()
    total: int = 0
    groups: Sequence[FailureGroup[Combination]] = ()
    compared: int = 0
    completed: int = 0

    @property
    def grouped(self) -> int:
        """How many the groups hold."""
        return sum(group.count for group in self.groups)


def standing_of(ledger: Ledger, project: Path, sweep: Sweep, now: float) -> Standing:
    """Return how `sweep` stands at the time `now`, in seconds since the epoch."""
    counts = ledger.counts(sweep.id)
    open_ = counts.pop(None)
    outcomes = {outcome: counts[outcome] for outcome in Outcome}
    died = sweep.state is SweepState.RUNNING and owner_died(project, sweep.id)
    begun = _begun(ledger, project, sweep) if open_ else 0
    if died:
        outcomes[Outcome.LOST] += begun
    end = sweep.ended if sweep.state is not SweepState.RUNNING else None if died else now
    return Standing(
        sweep=sweep,
        state=SweepState.LOST if died else sweep.state,
        duration=None if end is None else max(0.0, end - sweep.created),
        outcomes=outcomes,
        running=0 if died else begun,
    )


def _begun(ledger: Ledger, project: Path, sweep: Sweep) -> int:
    """Return how many of the submitted combinations have begun, and have no end: the others wait."""
    paths = paths_of(project, sweep.id)
    begun = 0
    for row in ledger.open_combinations(sweep.id):
        numbers = count(1)
        last = next(number for number in numbers if not paths.log(row.key, number + 1).exists())
        begun += paths.log(row.key, last).exists() and not paths.marker(row.key, last).exists()
    return begun


def failures_of(ledger: Ledger, standing: Standing, most: int) -> Failures:
    """Return at most `most` combinations that failed, timed out or were lost, and all such by cause.

    What they have in common is told by comparison with what has completed, also in earlier sweeps.
    """
    sweep = standing.sweep
    failed = ledger.sample(sweep.lineage, FAILURES, _SAMPLE, sweep_id=sweep.id)
    if not failed.total:
        return Failures()
    found = chain.from_iterable(ledger.combinations(sweep.id, outcome, most) for outcome in FAILURES)
    rows = sorted(found, key=attrgetter("position", "key"))
    completed = Sample()
    if failed.total >= LEAST:
        completed = ledger.sample(sweep.lineage, [Outcome.COMPLETED], _SAMPLE, but=sweep.id)
    return Failures(
        rows=rows[:most],
        total=failed.total,
        groups=explain([*failed.rows, *completed.rows]),
        compared=len(completed.rows),
        completed=completed.total,
    )


def standings_columns(standings: Sequence[Standing]) -> list[Column]:
    """Return the columns of a table; counts that are 0 everywhere are left out, but for the chief ones."""
    counts = [standing.counts for standing in standings]
    chief = (Outcome.COMPLETED, Outcome.FAILED, "total")
    names = [name for name in counts[0] if name in chief or any(each[name] for each in counts)]
    return [
        Column("sweep", [printable(each.sweep.tag) for each in standings]),
        Column("state", [each.state for each in standings]),
        Column("started", [f"{_local(each.sweep.created):%Y-%m-%d %H:%M:%S}" for each in standings]),
        Column("duration", [_text(each.duration) for each in standings], right=True),
        *[Column(name, [str(each[name]) for each in counts], right=True) for name in names],
    ]


def standings_styles(standings: Sequence[Standing]) -> list[str]:
    """Return the rows' styles, by state."""
    return [_STYLES[standing.state] for standing in standings]


def standing_to_json(standing: Standing) -> dict[str, Any]:
    """Return a standing as plain values: times as ISO 8601 in UTC, the duration in seconds."""
    sweep = standing.sweep
    return {
        "id": sweep.id,
        "tag": sweep.tag,
        "job": sweep.job,
        "state": standing.state,
        "started": _utc(sweep.created),
        "ended": None if sweep.ended is None else _utc(sweep.ended),
        "duration": standing.duration,
        "counts": {name.replace(" ", "_"): count for name, count in standing.counts.items()},
    }


def failures_to_json(failures: Failures) -> list[dict[str, Any]]:
    """Return failures as plain values."""
    return [
        {
            "sweep": row.sweep,
            "key": row.key,
            "label": row.label,
            "outcome": row.outcome,
            "message": row.message,
        }
        for row in failures.rows
    ]


def groups_to_json(failures: Failures) -> list[dict[str, Any]]:
    """Return failures by cause as plain values."""
    return [
        {
            "outcome": group.outcome,
            "exit_code": group.exit_code,
            "message": group.message,
            "count": group.count,
            "keys": [row.key for row in group.rows],
            "shared": [
                {
                    "parameter": link.condition.parameter,
                    "relation": link.condition.relation,
                    "value": link.condition.value,
                    "having": link.having,
                    "count": link.count,
                    "others_having": link.others,
                    "others": link.compared,
                }
                for link in group.shared
            ],
        }
        for group in failures.groups
    ]


def looked_at_to_json(failures: Failures) -> dict[str, int]:
    """Return how many were looked at for what failures have in common, and of how many."""
    return {
        "failures": failures.grouped,
        "failures_in_all": failures.total,
        "completed": failures.compared,
        "completed_in_all": failures.completed,
    }


def combination_to_json(row: Combination) -> dict[str, Any]:
    """Return a combination as plain values: the time as ISO 8601 in UTC, the duration in seconds."""
    begun, ended = row.started, row.ended
    return {
        "command": row.command or row.label,
        "key": row.key,
        "label": row.label,
        "sweep": row.sweep,
        "status": row.outcome or "running",
        "start": None if begun is None else _utc(begun),
        "duration": None if begun is None or ended is None else ended - begun,
        "exit_code": row.exit_code,
        "attempts": row.attempts,
        "log": row.log,
        "message": row.message,
    }


def _text(duration: float | None) -> str:
    return "" if duration is None else humanise(duration)


def _local(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC).astimezone()


def _utc(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
