"""The rows of the ledger, as frozen values, and how they are written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    import sqlite3

    from sweeplib.run.model import Attempt

__all__ = [
    "AttemptRow",
    "Combination",
    "Duration",
    "Past",
    "Sample",
    "Submission",
    "Sweep",
    "SweepState",
    "attempt_values",
    "json_text",
    "submission_values",
    "sweep_values",
    "to_attempt",
    "to_combination",
    "to_duration",
    "to_past",
    "to_sweep",
]


class SweepState(StrEnum):
    """Where a sweep stands."""

    RUNNING = "running"
    """Its owner submits combinations or waits for them; or the owner died and nobody noticed yet."""
    COMPLETED = "completed"
    """All combinations of its plan are completed, or left to another sweep that was running them."""
    FAILED = "failed"
    """It came to its end, and some combination did not complete."""
    CANCELLED = "cancelled"
    """It was ended early on request, or interrupted."""
    LOST = "lost"
    """Its owner died under it; somebody else noticed and wrote this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One execution of a plan.

    `id` is a ULID; `lineage` is the id of the sweep that began the lineage: what is completed in
    any sweep of a lineage is done for all of them. A sweep that is `isolated` lends its lineage to
    no later one. `total` is the length of the plan, `done_before` how many of it were done when the
    sweep began, `arguments` the extra command-line arguments, `selection` what was asked for of the
    job (sweep syntax; empty: all of it), `spec` the job as understood (JSON text). `created` and
    `ended` are seconds since the epoch, `host` and `pid` tell the process that owns the sweep.
    `tracking` says where it is tracked (uri, experiment_id, run_id), None that it is not; `git`
    holds the state of the code.
    """

    id: str
    job: str
    lineage: str
    total: int
    created: float
    tag: str = ""
    isolated: bool = False
    state: SweepState = SweepState.RUNNING
    done_before: int = 0
    arguments: tuple[str, ...] = ()
    selection: str = ""
    spec: str = "{}"
    ended: float | None = None
    host: str = ""
    pid: int = 0
    flow_run_id: str | None = None
    tracking: Mapping[str, Any] | None = None
    git: Mapping[str, Any] | None = None
    cancel_requested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A combination that is about to be run: what the ledger is told before.

    `command` is what a shell would be given to run it; `tags` and `description` are its own, besides the
    job's. `run_id` is the MLflow run that was opened for it, where there is one; `chunk` the number of the
    chunk that it belongs to, None for one that Prefect is told of by itself.
    """

    key: str
    position: int
    label: str
    parameters: Mapping[str, str]
    command: str = ""
    tags: tuple[str, ...] = ()
    description: str = ""
    run_id: str | None = None
    chunk: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """One combination in one sweep.

    `outcome` is None while it is submitted and has not ended. `exit_code`, `started`, `ended`
    (seconds since the epoch), `log`, `message` and what it returned as `metrics` are of the attempt
    that decided the outcome: the completed one, or else the last. `attempts` counts those on
    record. `tracked` tells whether the tracker knows of this outcome. The rest is as in
    `Submission`.
    """

    sweep: str
    key: str
    position: int
    label: str
    parameters: Mapping[str, str]
    outcome: Outcome | None
    attempts: int
    exit_code: int | None
    started: float | None
    ended: float | None
    log: str
    message: str
    run_id: str | None
    metrics: Mapping[str, float] | None
    tracked: bool
    chunk: int | None = None
    command: str = ""
    tags: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """Combinations, and how many there are of which they are all, or some at random."""

    rows: Sequence[Combination] = ()
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What became of a combination in one sweep; the fields are those of `Combination`."""

    key: str
    sweep: str
    outcome: Outcome | None
    attempts: int
    started: float | None
    ended: float | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """How long, in seconds, a combination took that completed; the others are those of `Combination`."""

    key: str
    parameters: Mapping[str, str]
    command: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One attempt at a combination of a sweep; the fields are those of `sweeplib.run.model.Attempt`."""

    sweep: str
    key: str
    number: int
    outcome: Outcome
    exit_code: int | None
    started: float
    ended: float
    log: str
    message: str
    metrics: Mapping[str, float] | None


def json_text(value: object) -> str | None:
    """Return `value` as JSON text, None as None."""
    if value is None:
        return None
    return json.dumps(dict(value) if isinstance(value, Mapping) else value)


def sweep_values(sweep: Sweep) -> dict[str, object]:
    """Return the columns of a sweep."""
    return {
        "id": sweep.id,
        "job": _storable(sweep.job),
        "tag": _storable(sweep.tag),
        "lineage": sweep.lineage,
        "isolated": sweep.isolated,
        "state": sweep.state.value,
        "total": sweep.total,
        "done_before": sweep.done_before,
        "arguments": json_text(sweep.arguments),
        "selection": _storable(sweep.selection),
        "spec": _storable(sweep.spec),
        "created": sweep.created,
        "ended": sweep.ended,
        "host": _storable(sweep.host),
        "pid": sweep.pid,
        "flow_run_id": sweep.flow_run_id,
        "tracking": json_text(sweep.tracking),
        "git": json_text(sweep.git),
        "cancel_requested": sweep.cancel_requested,
        "reported": sweep.flow_run_id is None,
    }


def submission_values(sweep: str, lineage: str, submission: Submission) -> dict[str, object]:
    """Return the columns that a submission gives to a combination."""
    return {
        "sweep": sweep,
        "lineage": lineage,
        "key": submission.key,
        "position": submission.position,
        "label": _storable(submission.label),
        "parameters": json_text(submission.parameters),
        "command": _storable(submission.command),
        "tags": json_text(submission.tags),
        "description": _storable(submission.description),
        "run_id": submission.run_id,
        "chunk": submission.chunk,
    }


def attempt_values(sweep: str, attempt: Attempt) -> dict[str, object]:
    """Return the columns of an attempt."""
    return {
        "sweep": sweep,
        "key": attempt.key,
        "number": attempt.number,
        "outcome": attempt.outcome.value,
        "exit_code": attempt.exit_code,
        "started": attempt.started,
        "ended": attempt.ended,
        "log": _storable(attempt.log),
        "message": _storable(attempt.message),
        "metrics": json_text(attempt.metrics),
    }


def to_sweep(row: sqlite3.Row) -> Sweep:
    """Return the sweep that `row` holds; ValueError where it holds none."""
    return Sweep(
        id=row["id"],
        job=row["job"],
        lineage=row["lineage"],
        total=row["total"],
        created=row["created"],
        tag=row["tag"],
        isolated=bool(row["isolated"]),
        state=SweepState(row["state"]),
        done_before=row["done_before"],
        arguments=tuple(json.loads(row["arguments"])),
        selection=row["selection"],
        spec=row["spec"],
        ended=row["ended"],
        host=row["host"],
        pid=row["pid"],
        flow_run_id=row["flow_run_id"],
        tracking=_parsed(row["tracking"]),
        git=_parsed(row["git"]),
        cancel_requested=bool(row["cancel_requested"]),
    )


def to_combination(row: sqlite3.Row) -> Combination:
    """Return the combination that `row` holds; ValueError where it holds none."""
    outcome = row["outcome"]
    return Combination(
        sweep=row["sweep"],
        key=row["key"],
        position=row["position"],
        label=row["label"],
        parameters=json.loads(row["parameters"]),
        outcome=None if outcome is None else Outcome(outcome),
        attempts=row["attempts"],
        exit_code=row["exit_code"],
        started=row["started"],
        ended=row["ended"],
        log=row["log"],
        message=row["message"],
        run_id=row["run_id"],
        metrics=_parsed(row["metrics"]),
        tracked=bool(row["tracked"]),
        chunk=row["chunk"],
        command=row["command"],
        tags=tuple(json.loads(row["tags"])),
        description=row["description"],
    )


def to_past(row: sqlite3.Row) -> Past:
    """Return what `row` tells of a combination in a sweep; ValueError where it does not."""
    outcome = row["outcome"]
    return Past(
        key=row["key"],
        sweep=row["sweep"],
        outcome=None if outcome is None else Outcome(outcome),
        attempts=row["attempts"],
        started=row["started"],
        ended=row["ended"],
        message=row["message"],
    )


def to_duration(row: sqlite3.Row) -> Duration:
    """Return how long the combination took that `row` tells of; ValueError where it does not."""
    return Duration(
        key=row["key"],
        parameters=dict(json.loads(row["parameters"])),
        command=row["command"],
        seconds=float(row["seconds"]),
    )


def to_attempt(row: sqlite3.Row) -> AttemptRow:
    """Return the attempt that `row` holds; ValueError where it holds none."""
    return AttemptRow(
        sweep=row["sweep"],
        key=row["key"],
        number=row["number"],
        outcome=Outcome(row["outcome"]),
        exit_code=row["exit_code"],
        started=row["started"],
        ended=row["ended"],
        log=row["log"],
        message=row["message"],
        metrics=_parsed(row["metrics"]),
    )


def _parsed(text: str | None) -> dict[str, Any] | None:
    return None if text is None else dict(json.loads(text))


def _storable(text: str) -> str:
    # Undecodable bytes of arguments and paths reach us as lone surrogates, which SQLite refuses.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
