"""Task runs, as the Prefect API is told of them.

The API learns of a task run from events alone, and takes them from whoever sends them; these have the
form of those that Prefect's own engine sends (`emit_task_run_state_change_event` there, and the
`task_run_recorder` of its server). That engine spends many times what is spent here on what a command has
no use for: results, transactions, caches, hooks and contexts.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

from sweeplib.orchestrate.recorder import recorder
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from sweeplib.orchestrate.session import Session
    from sweeplib.run.model import Attempt

__all__ = ["TaskRun"]

_FOLLOWS = 300.0  # seconds after which the server would take an event that follows another for too early
_MESSAGE = 100_000  # characters


class _Kind(Enum):
    """Prefect's types of states, as far as task runs enter them."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    CRASHED = "CRASHED"


@dataclass(frozen=True, slots=True)
class _State:
    kind: _Kind
    name: str
    at: float
    message: str = ""
    scheduled: float | None = None

    def payload(self) -> dict[str, Any]:
        details = {} if self.scheduled is None else {"scheduled_time": _iso(self.scheduled)}
        return {
            "type": self.kind.value,
            "name": self.name,
            "message": self.message[:_MESSAGE],
            "state_details": details,
        }


_FINAL = {
    Outcome.COMPLETED: (_Kind.COMPLETED, "Completed"),
    Outcome.CANCELLED: (_Kind.CANCELLED, "Cancelled"),
    Outcome.TIMED_OUT: (_Kind.FAILED, "TimedOut"),
    Outcome.LOST: (_Kind.CRASHED, "Crashed"),
}
"""Prefect's words for outcomes; any other is Failed."""


class TaskRun:
    """One task run, as the API is told of it.

    A combination has one task run in a flow run, known by its key: a second run of it there, and a record
    that is sent twice, find the same. `runs` is the number of its next attempt, counted from 1.
    """

    def __init__(self, session: Session, key: str, label: str, runs: int = 1) -> None:
        self.id = str(uuid5(UUID(session.flow_run), key))
        self._session = session
        self._key = key
        self.label = label
        """Its name in Prefect, from the next state on."""
        self._recorder = recorder(session.api)
        self._state = _State(_Kind.PENDING, "Pending", time.time())
        self._runs = runs
        self._previous: str | None = None
        self._expected = self._state.at
        self._started: float | None = None
        self._busy = 0.0
        self._counted: Attempt | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the recorder, which every process has its own of."""
        return {name: value for name, value in vars(self).items() if name != "_recorder"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._recorder = recorder(self._session.api)

    @property
    def runs(self) -> bool:
        """Whether the API knows that the command runs."""
        return self._state.kind is _Kind.RUNNING

    def log(self, text: str, level: int = logging.INFO) -> None:
        """Write to the task run's log."""
        record = {
            "name": "prefect.task_runs",
            "level": level,
            "message": text,
            "timestamp": _iso(time.time()),
            "flow_run_id": self._session.flow_run,
            "task_run_id": self.id,
        }
        self._recorder.log(record)

    def begins(self, started: float) -> None:
        """Tell that the command has been running since `started`."""
        self._started = min(started, self._started or started)
        self._enter(_Kind.RUNNING, "Retrying" if self._runs > 1 else "Running")

    def waits(self, attempt: Attempt, until: float) -> None:
        """Tell that the attempt failed, and when the next one begins."""
        self._count(attempt)
        message = f"{attempt.message}; tried again"
        self._enter(_Kind.SCHEDULED, "AwaitingRetry", message, scheduled=until)
        self._runs += 1

    def ends(self, attempt: Attempt) -> None:
        """Tell how the last attempt ended."""
        self._count(attempt)
        kind, name = _FINAL.get(attempt.outcome, (_Kind.FAILED, "Failed"))
        seconds = attempt.ended - attempt.started
        message = attempt.message or (f"exit code {attempt.exit_code} in {seconds:.3g} s")
        self._enter(kind, name, message, ended=attempt.ended)

    def crashes(self, error: BaseException) -> None:
        """Tell that the command could not be run, or not to its end."""
        self._enter(_Kind.CRASHED, "Crashed", str(error) or type(error).__name__, ended=time.time())

    def _count(self, attempt: Attempt) -> None:
        if attempt is self._counted:
            return
        self._counted = attempt
        self._started = min(attempt.started, self._started or attempt.started)
        self._busy += attempt.ended - attempt.started

    def _enter(
        self,
        kind: _Kind,
        name: str,
        message: str = "",
        *,
        scheduled: float | None = None,
        ended: float | None = None,
    ) -> None:
        """Tell of a new state. Its time is now: the server cannot keep two that have the same."""
        session, last = self._session, self._state
        state = _State(kind, name, max(time.time(), last.at + 1e-6), message, scheduled)
        event_id = str(uuid4())
        times = {
            "expected_start_time": self._expected,
            "start_time": self._started,
            "end_time": ended,
            "next_scheduled_start_time": state.scheduled,
        }
        task_run = {
            "name": self.label,
            "task_key": session.task,
            "dynamic_key": self._key,
            "empirical_policy": {"retries": session.retries, "retry_delay": list(session.delays) or 0},
            "tags": session.tags,
            "labels": {},
            "task_inputs": {},
            "run_count": self._runs,
            "flow_run_run_count": session.flow_run_count,
            "total_run_time": self._busy,
            **{key: _iso(value) for key, value in times.items() if value is not None},
        }
        event = {
            "id": event_id,
            "occurred": _iso(state.at),
            "event": f"prefect.task-run.{state.name}",
            "resource": {
                "prefect.resource.id": f"prefect.task-run.{self.id}",
                "prefect.resource.name": self.label,
                "prefect.run-count": str(self._runs),
                "prefect.state-message": state.message[:_MESSAGE],
                "prefect.state-name": state.name,
                "prefect.state-timestamp": _iso(state.at),
                "prefect.state-type": state.kind.value,
                "prefect.orchestration": "client",
            },
            "related": session.related,
            "payload": {
                "intended": {"from": last.kind.value, "to": state.kind.value},
                "initial_state": last.payload(),
                "validated_state": {**state.payload(), "data": None},
                "task_run": task_run,
            },
            **({"follows": self._previous} if self._previous and state.at - last.at < _FOLLOWS else {}),
        }
        self._recorder.event(event)
        self._state, self._previous = state, event_id


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
