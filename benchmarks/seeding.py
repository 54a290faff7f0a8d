"""A ledger in which nearly all of a job is done: written by the ledger's own methods, and nothing is run."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

from sweeplib.jobs import load
from sweeplib.ledger import Ledger, Submission, Sweep, SweepState
from sweeplib.plan import Plan
from sweeplib.run.model import Attempt, Outcome
from sweeplib.ulids import ulid

if TYPE_CHECKING:
    from pathlib import Path

    from sweeplib.plan import Combination

__all__ = ["seed"]

_BATCH = 1_000  # combinations a transaction
_SECOND = 1.0  # what each of the commands took


def seed(project: Path, job: str, left: int, ledger: Path) -> None:
    """Write a ledger at `ledger`: a sweep of the job, cancelled when only its last `left` were not done."""
    plan = Plan(load(project).job(job))
    sweep, now = ulid(), time.time()
    with Ledger.open(ledger) as opened:
        opened.add_sweep(
            Sweep(id=sweep, job=job, tag=f"{job}-seeded", lineage=sweep, total=len(plan), created=now)
        )
        walk = islice(plan, len(plan) - left)
        while batch := [_submission(combination) for combination in islice(walk, _BATCH)]:
            with opened.transaction():
                opened.submit(sweep, batch)
                opened.record(sweep, [_attempt(submission.key, now) for submission in batch])
        opened.finish_sweep(sweep, SweepState.CANCELLED)


def _submission(combination: Combination) -> Submission:
    return Submission(
        key=combination.key,
        position=combination.position,
        label=combination.label,
        parameters=combination.parameters,
    )


def _attempt(key: str, now: float) -> Attempt:
    return Attempt(
        key=key,
        number=1,
        outcome=Outcome.COMPLETED,
        started=now,
        ended=now + _SECOND,
        exit_code=0,
        log=f"logs/{key[:2]}/{key}.1.log",
    )
