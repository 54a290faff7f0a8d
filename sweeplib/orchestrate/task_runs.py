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
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

from prefect.client.orchestration import get_client
from prefect.concurrency.sync import concurrency
from prefect.context import FlowRunContext
from prefect.events.related import related_resources_from_run_context
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.utilities.asyncutils import run_coro_as_sync

from sweeplib.orchestrate.recorder import recorder
from sweeplib.run.attempt import run_attempt
from sweeplib.run.model import Outcome, SweepPaths
from sweeplib.run.slots import hold_slot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from prefect.client.orchestration import SyncPrefectClient

    from sweeplib.jobs import Job
    from sweeplib.run.model import Attempt, Work

__all__ = ["Session", "run_combination", "session"]

_LOOK = 0.5  # seconds between looks at the sweep's stop file
_PATIENCE = 5.0  # seconds that a place in a concurrency limit is waited for at once
_PAGE = 200
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
        limits = _limits(client, tags)
        api = str(client.api_url)
    of_tags = [{"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"} for tag in tags]
    return Session(
        api=api.rstrip("/"),
        flow_run=str(context.flow_run.id),
        flow_run_count=context.flow_run.run_count,
        task=job.entry,
        tags=tuple(tags),
        related=(*of_tags, *run_coro_as_sync(_related())),
        limits=limits,
        retries=job.retries,
        delays=job.retry_delay,
    )


async def _related() -> list[dict[str, str]]:
    async with get_client() as client:
        found = await related_resources_from_run_context(client=client, exclude=set())
    return [dict(each.root) for each in found]


def _limits(client: SyncPrefectClient, tags: Sequence[str]) -> tuple[str, ...]:
    """Return the names of those limits on tags that exist: asking for each task run is a request each."""
    wanted = {f"tag:{tag}" for tag in tags}
    found: set[str] = set()
    offset = 0
    while True:
        page = client.read_global_concurrency_limits(limit=_PAGE, offset=offset)
        found |= {each.name for each in page if each.active}
        offset += _PAGE
        if len(page) < _PAGE:
            return tuple(sorted(found & wanted))


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
}
"""Prefect's words for outcomes; any other is Failed."""


class _TaskRun:
    """One task run, as the API is told of it.

    A combination has one task run in a flow run, known by its key: a second run of it there, and a record
    that is sent twice, find the same.
    """

    def __init__(self, session: Session, work: Work) -> None:
        self.id = str(uuid5(UUID(session.flow_run), work.key))
        self._session = session
        self._work = work
        self._recorder = recorder(session.api)
        self._state = _State(_Kind.PENDING, "Pending", time.time())
        self._runs = 1
        self._previous: str | None = None
        self._expected = self._state.at
        self._started: float | None = None
        self._busy = 0.0

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
        self._enter(_State(_Kind.RUNNING, "Retrying" if self._runs > 1 else "Running", started))

    def waits(self, attempt: Attempt, until: float) -> None:
        """Tell that the attempt failed, and when the next one begins."""
        self._count(attempt)
        message = f"{attempt.message}; tried again"
        self._enter(_State(_Kind.SCHEDULED, "AwaitingRetry", attempt.ended, message, scheduled=until))
        self._runs += 1

    def ends(self, attempt: Attempt) -> None:
        """Tell how the last attempt ended."""
        self._count(attempt)
        kind, name = _FINAL.get(attempt.outcome, (_Kind.FAILED, "Failed"))
        seconds = attempt.ended - attempt.started
        message = attempt.message or (f"exit code {attempt.exit_code} in {seconds:.3g} s")
        self._enter(_State(kind, name, attempt.ended, message))

    def crashes(self, error: BaseException) -> None:
        """Tell that the command could not be run, or not to its end."""
        self._enter(_State(_Kind.CRASHED, "Crashed", time.time(), str(error) or type(error).__name__))

    def _count(self, attempt: Attempt) -> None:
        self._started = min(attempt.started, self._started or attempt.started)
        self._busy += attempt.ended - attempt.started

    def _enter(self, state: _State) -> None:
        session, last = self._session, self._state
        label = self._work.label
        name = str(uuid4())
        final = state.kind not in (_Kind.RUNNING, _Kind.SCHEDULED)
        if self._started is None and state.kind is _Kind.RUNNING:
            self._started = state.at
        times = {
            "expected_start_time": self._expected,
            "start_time": self._started,
            "end_time": state.at if final else None,
            "next_scheduled_start_time": state.scheduled,
        }
        task_run = {
            "name": label,
            "task_key": session.task,
            "dynamic_key": self._work.key,
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
            "id": name,
            "occurred": _iso(state.at),
            "event": f"prefect.task-run.{state.name}",
            "resource": {
                "prefect.resource.id": f"prefect.task-run.{self.id}",
                "prefect.resource.name": label,
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
            **({"follows": self._previous} if self._previous else {}),
        }
        self._recorder.event(event)
        self._state, self._previous = state, name


def run_combination(work: Work, session: Session) -> Attempt:
    """Run a combination's command, with the session's retries; return the last attempt.

    What the command prints goes to the log of its task run as it comes. Raises what `run_attempt` raises.
    """
    run = _TaskRun(session, work)
    try:
        with hold_slot(work), _limited(session, work):
            retry = 0
            while True:
                attempt = _attempt(run, work)
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


def _attempt(run: _TaskRun, work: Work) -> Attempt:
    log = _Log(run, work)
    with hold_slot(work):
        attempt = run_attempt(work, on_output=log.output)
    seconds = attempt.ended - attempt.started
    level = logging.ERROR if attempt.outcome not in (Outcome.COMPLETED, Outcome.CANCELLED) else logging.INFO
    reason = f": {attempt.message}" if attempt.message else ""
    where = f"; all output is in {attempt.log}" if attempt.log else ""
    log.write(f"{attempt.outcome} in {seconds:.3g} s{reason}{where}", level)
    return attempt


class _Log:
    """The log of one attempt: the command first, together with whatever comes first after it.

    A command of a few milliseconds so makes one record; records are requests and rows.
    """

    def __init__(self, run: _TaskRun, work: Work) -> None:
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


@contextmanager
def _limited(session: Session, work: Work) -> Iterator[None]:
    """Hold a place in each of the session's concurrency limits; an API that is away limits nothing."""
    held = _take(session, work) if session.limits else None
    try:
        yield
    finally:
        if held is not None:
            try:
                held.__exit__(None, None, None)
            except Exception as error:  # noqa: BLE001 - the lease ends by itself
                _logger.warning("places in concurrency limits could not be given back: %s", error)


def _take(session: Session, work: Work) -> AbstractContextManager[None] | None:
    stop = SweepPaths(Path(work.folder)).stop
    with temporary_settings({PREFECT_API_URL: session.api}):
        while not stop.exists():
            held = concurrency(list(session.limits), timeout_seconds=_PATIENCE)
            try:
                held.__enter__()
            except TimeoutError:
                continue
            except Exception as error:  # noqa: BLE001 - whatever keeps the API from answering
                _logger.warning("the concurrency limits could not be asked: %s", error)
                return None
            return held
    return None


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
