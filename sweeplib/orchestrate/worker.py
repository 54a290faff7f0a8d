"""The Dask worker's side: runs Prefect tasks in a context that is built once a thread, not once a task.

The stock runner enters `prefect.context.hydrated_context` for every task, which builds Prefect's settings
and an API client with a new TLS context each time (most of the 80 ms a task that it costs). Here each
worker thread does that once a flow run and runs every task in a copy of what it got.
"""

from __future__ import annotations

import atexit
import contextvars
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cloudpickle
from prefect.context import FlowRunContext, SyncClientContext, TaskRunContext, hydrated_context
from prefect.task_engine import _create_task_run_locally, run_task_sync

if TYPE_CHECKING:
    from uuid import UUID

    from prefect import Task
    from prefect.client.schemas.objects import State

__all__ = ["Session", "close_session", "run_task"]

_threads = threading.local()
_open: dict[int, _Hydrated] = {}
_open_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Session:
    """A flow run's context as it travels: `id` tells flow runs apart, `pickled` is (task, context)."""

    id: str
    pickled: bytes


@dataclass(frozen=True, slots=True)
class _Hydrated:
    """A session brought to life in one thread."""

    session: str
    stack: ExitStack
    context: contextvars.Context
    task: Task[Any, Any]

    def close(self) -> None:
        """Leave the flow run's context; works from any thread, as the tokens belong to `context`."""
        with _open_lock:
            ours = _open.pop(id(self), None) is not None
        if ours:
            self.context.run(self.stack.close)


def _hydrate(session: Session) -> _Hydrated:
    """Enter the flow run's context; it stays entered until the session is closed, or another one comes."""
    current: _Hydrated | None = getattr(_threads, "hydrated", None)
    if current is not None:
        if current.session == session.id:
            return current
        current.close()
    task, serialized = cloudpickle.loads(session.pickled)
    stack = ExitStack()
    context = contextvars.copy_context()

    def enter() -> None:
        client = stack.enter_context(SyncClientContext()).client
        stack.enter_context(hydrated_context(serialized, client=client))

    context.run(enter)
    hydrated = _Hydrated(session.id, stack, context, task)
    with _open_lock:
        _open[id(hydrated)] = hydrated
    _threads.hydrated = hydrated
    return hydrated


def run_task(session: Session, task_run_id: UUID, parameters: dict[str, Any]) -> State[Any]:
    """Run the session's task with `parameters` as task run `task_run_id`; return its final state."""
    hydrated = _hydrate(session)

    def call() -> Any:
        # Given a task run, the engine does not announce that it is pending: it is about to run. That is an
        # event a task run less, of three, for the client and for the server.
        task_run = _create_task_run_locally(
            hydrated.task, task_run_id, parameters, FlowRunContext.get(), TaskRunContext.get()
        )
        return run_task_sync(hydrated.task, task_run_id, task_run, parameters=parameters, return_type="state")

    state: State[Any] = hydrated.context.copy().run(call)
    return state


def close_session(session: str | None = None) -> None:
    """Leave every context of a session (of all, if None) in this process."""
    with _open_lock:
        ended = [each for each in _open.values() if session in (None, each.session)]
    for each in ended:
        each.close()


atexit.register(close_session)
