"""Task runs of combinations: what runs on a Dask worker, and what the Prefect API is told of it.

The API learns of a task run from events alone, and takes them from whoever sends them; these have the
form of those that Prefect's own engine sends (`emit_task_run_state_change_event` there, and the
`task_run_recorder` of its server). That engine spends many times what is spent here on what a command has
no use for: results, transactions, caches, hooks and contexts.

A command that ends within a second has one event, its end; a longer one also that it runs.
"""

from __future__ import annotations

import logging
import shlex
import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.events.related import related_resources_from_run_context
from prefect.utilities.asyncutils import run_coro_as_sync

from sweeplib.orchestrate.limits import limits_of, names_of
from sweeplib.orchestrate.recorder import recorder
from sweeplib.run.attempt import run_attempt
from sweeplib.run.model import Outcome, SweepPaths
from sweeplib.run.slots import hold_slot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect.client.schemas.objects import FlowRun

    from sweeplib.jobs import Job
    from sweeplib.run.model import Attempt, Work

__all__ = ["Session", "TaskRun", "run_combination", "session"]

_LOOK = 0.5  # seconds between looks at the sweep's stop file
_FOLLOWS = 300.0  # seconds after which the server would take an event that follows another for too early
_MESSAGE = 100_000  # characters

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """What the task runs of one flow run have in common, as it travels to the workers.

    `related` are the resources that events name beside the task run; `limits` the concurrency limits that
    hold for it; `delays` the seconds before each retry.
    """

    api: str
    flow_run: str
    flow_run_count: int
    task: str
    tags: tuple[str, ...]
    related: tuple[dict[str, str], ...]
    limits: tuple[str, ...]
    retries: int
    delays: tuple[float, ...]

    def delay(self, retry: int) -> float:
        """Return the seconds before a retry, counted from 0; the last of `delays` is that of all after it."""
        return self.delays[min(retry, len(self.delays) - 1)] if self.delays else 0.0


def session(job: Job, tags: Sequence[str]) -> Session:
    """Return the session of the flow run that this is called in; its task is named after the job."""
    context = FlowRunContext.get()
    assert context is not None  # noqa: S101  (a flow calls this)
    assert context.flow_run is not None  # noqa: S101
    with get_client(sync_client=True) as client:
        api = str(client.api_url)
        try:
            limits = names_of(client, tags)
        except Exception as error:  # noqa: BLE001 - the API being away stops no sweep
            _logger.warning("concurrency limits could not be asked, and limit nothing: %s", error)
            limits = ()
    of_tags = [{"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"} for tag in tags]
    return Session(
        api=api.rstrip("/"),
        flow_run=str(context.flow_run.id),
        flow_run_count=context.flow_run.run_count,
        task=job.entry,
        tags=tuple(tags),
        related=(*of_tags, *_related(context.flow_run)),
        limits=limits,
        retries=job.retries,
        delays=job.retry_delay,
    )


def _related(flow_run: FlowRun) -> list[dict[str, str]]:
    """Return the flow run, and what it belongs to as far as the API tells."""
    try:
        return run_coro_as_sync(_known_to_the_api())
    except Exception as error:  # noqa: BLE001 - the API being away stops no sweep
        _logger.warning("what the flow run belongs to could not be asked: %s", error)
        name = f"prefect.flow-run.{flow_run.id}"
        return [{"prefect.resource.id": name, "prefect.resource.role": "flow-run"}]


async def _known_to_the_api() -> list[dict[str, str]]:
    async with get_client() as client:
        found = await related_resources_from_run_context(client=client, exclude=set())
    return [dict(each.root) for each in found]


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
    that is sent twice, find the same.
    """

    def __init__(self, session: Session, key: str, label: str) -> None:
        self.id = str(uuid5(UUID(session.flow_run), key))
        self._session = session
        self._key = key
        self._label = label
        self._recorder = recorder(session.api)
        self._state = _State(_Kind.PENDING, "Pending", time.time())
        self._runs = 1
        self._previous: str | None = None
        self._expected = self._state.at
        self._started: float | None = None
        self._busy = 0.0
        self._counted: Attempt | None = None

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
            "name": self._label,
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
                "prefect.resource.name": self._label,
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


def run_combination(work: Work, session: Session) -> Attempt:
    """Run a combination's command, with the session's retries; return the last attempt.

    What the command prints goes to the log of its task run as it comes. Raises what `run_attempt` raises.
    """
    run = TaskRun(session, work.key, work.label)
    try:
        with hold_slot(work):
            retry = 0
            while True:
                attempt = _attempt(run, work, session)
                final = attempt.outcome in (Outcome.COMPLETED, Outcome.CANCELLED)
                if final or retry >= session.retries:
                    break
                run.waits(attempt, time.time() + session.delay(retry))
                if not _pause(work, session.delay(retry)):
                    break
                retry += 1
    except BaseException as error:
        run.crashes(error)
        raise
    run.ends(attempt)
    return attempt


def _attempt(run: TaskRun, work: Work, session: Session) -> Attempt:
    log = _Log(run, work)
    limited = limits_of(session.api).held(session.limits, work) if session.limits else nullcontext()
    with hold_slot(work), limited:
        attempt = run_attempt(work, on_output=log.output)
    seconds = attempt.ended - attempt.started
    level = logging.ERROR if attempt.outcome not in (Outcome.COMPLETED, Outcome.CANCELLED) else logging.INFO
    reason = f": {attempt.message}" if attempt.message else ""
    note = f"{attempt.note}\n" if attempt.note else ""
    where = f"; all output is in {attempt.log}" if attempt.log else ""
    log.write(f"{note}{attempt.outcome} in {seconds:.3g} s{reason}{where}", level)
    return attempt


class _Log:
    """The log of one attempt: the command first, together with whatever comes first after it.

    A command of a few milliseconds so makes one record; records are requests and rows.
    """

    def __init__(self, run: TaskRun, work: Work) -> None:
        self._run = run
        self._pending = f"command: {shlex.join(work.argv)}"
        self._started = time.time()

    def output(self, text: str) -> None:
        """Take output of the command, which comes after its first second at the earliest unless it ends."""
        if not self._run.runs and time.time() - self._started > _LOOK:
            self._run.begins(self._started)
        self.write(text)

    def write(self, text: str, level: int = logging.INFO) -> None:
        """Write `text`, which may be empty, and the command if it has not been written."""
        self._run.log("\n".join(filter(None, [self._pending, text])), level)
        self._pending = ""


def _pause(work: Work, seconds: float) -> bool:
    """Wait before a retry; False if the sweep is stopped meanwhile."""
    stop = SweepPaths(Path(work.folder)).stop
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if stop.exists():
            return False
        time.sleep(min(left, _LOOK))
    return not stop.exists()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
