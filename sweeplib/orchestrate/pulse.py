"""What Prefect hears of a flow run while its sweep runs, beside the task runs: that it lives, how far it is.

One thread tells it. Whatever the API does, the sweep goes on: what cannot be told is told the next time.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from sweeplib.orchestrate.server import HEARTBEAT, TAG
from sweeplib.report.overview import describe_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

    from sweeplib.engine import Observer, Progress
    from sweeplib.orchestrate.session import Session
    from sweeplib.run.model import Attempt, Work

    _Chore = Callable[[SyncPrefectClient], object]

__all__ = ["Artifact", "Pulse", "Topic", "create", "event_of", "request"]

_TICK = 0.5  # seconds between looks at what is due
_BEAT = 30.0  # seconds between heartbeats
_LOOK = 3.0  # seconds between looks at the flow run's own state
_SHOW = 2.0  # seconds between updates of the progress artifact
_TELL = 5.0  # seconds between events that tell of progress
_TIMEOUT = 10.0  # seconds for a request
_LAST = 10.0  # seconds that the end of a sweep waits for an API that is away …
_LAST_DEPLOYED = 60.0  # … and that of a deployed one, for which nobody waits

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Topic:
    """The sweep that is told of. `key` begins the keys of its artifacts."""

    sweep: str
    tag: str
    job: str
    key: str
    deployed: bool


@dataclass(frozen=True, slots=True)
class Artifact:
    """An artifact of the flow run, as the API takes it."""

    key: str
    type: str
    data: Any
    description: str


class Pulse:
    """An observer that passes everything on to `observer`, and tells Prefect how the sweep goes.

    A context manager: in the block it says every 30 seconds that the flow run lives, shows a progress
    artifact, and sends an event ``sweep.progress`` when combinations have ended, every 5 seconds at most. A
    deployed run whose worker has died is ended. `log` writes to the flow run's log; `cancel` is called when
    the flow run is to be cancelled, until it returns true. A flow run that was taken for dead though this
    process lives (a laptop that slept) is set to run again.
    """

    def __init__(
        self,
        topic: Topic,
        session: Session,
        flow_run: FlowRun,
        observer: Observer,
        cancel: Callable[[], bool],
        log: Callable[[str], None],
    ) -> None:
        self._topic = topic
        self._session = session
        self._flow_run = flow_run
        self._observer = observer
        self._cancel = cancel
        self._log = log
        self._began = time.monotonic()
        self._progress: Progress | None = None
        self._shown = ""
        self._told = 0
        self._artifact: str | None = None
        self._tagged = False
        self._cancelled = False
        self._ending = False
        self._patience = _LAST_DEPLOYED if topic.deployed else _LAST
        self.concluded = False
        """Whether Prefect was told all, at the end of the block."""
        self._last: list[_Chore] = []
        self._parent = os.getppid() if topic.deployed else None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep-pulse", daemon=True)

    def __enter__(self) -> Pulse:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Tell what is left to tell, with bounded patience."""
        self._done.set()
        self._thread.join(self._patience + _TIMEOUT)

    def progress(self, progress: Progress) -> None:
        """Take the newest numbers."""
        self._progress = progress
        self._observer.progress(progress)

    def ended(self, work: Work, attempt: Attempt) -> None:
        """Pass it on."""
        self._observer.ended(work, attempt)

    def submitted(self, work: Work) -> None:
        """Pass it on."""
        self._observer.submitted(work)

    def note(self, text: str) -> None:
        """Pass it on, and write it to the flow run's log."""
        self._observer.note(text)
        self._log(text)

    def log(self, text: str) -> None:
        """Pass it on, and write it to the flow run's log."""
        self._observer.log(text)
        self._log(text)

    def is_to_be_cancelled(self) -> bool:
        """Ask Prefect whether somebody has cancelled the flow run, or else its process is just ended."""
        try:
            with self._client() as client:
                state = request(client, "GET", f"/flow_runs/{self._flow_run.id}")["state"] or {}
        except Exception:  # noqa: BLE001 - nobody knows
            return False
        return state.get("type") in ("CANCELLING", "CANCELLED")

    @contextmanager
    def _client(self) -> Iterator[SyncPrefectClient]:
        settings = {PREFECT_API_URL: self._session.api, PREFECT_CLIENT_MAX_RETRIES: 0}
        with temporary_settings(settings), get_client(sync_client=True) as client:
            yield client

    def conclude(self, state: str, message: str, artifacts: Sequence[Artifact]) -> None:
        """Tell at the end what came of the sweep: its artifacts first, then the event ``sweep.ended``."""
        self._last = [partial(self._create, artifact=artifact) for artifact in artifacts]
        self._last.append(partial(self._send, name="sweep.ended", state=state, message=message))

    def _run(self) -> None:
        with self._client() as client:
            every: dict[_Chore, float] = {
                self._beat: _BEAT,
                self._look: _LOOK,
                self._show: _SHOW,
                self._tell: _TELL,
            }
            due = {chore: 0.0 if chore == self._beat else seconds for chore, seconds in every.items()}
            while not self._done.wait(_TICK):
                self._end_as_orphan()
                now = time.monotonic() - self._began
                for chore in every:
                    if now >= due[chore]:
                        due[chore] = now + every[chore]
                        self._try(chore, client)
            last: list[_Chore] = [self._tag, self._show, *self._last]
            deadline = time.monotonic() + self._patience
            done = [self._insist(chore, client, deadline) for chore in last]
            self.concluded = all(done)

    def _insist(self, chore: _Chore, client: SyncPrefectClient, deadline: float) -> bool:
        """Do a chore, again and again while the API is away; return whether it was done."""
        while not self._try(chore, client):
            if time.monotonic() > deadline:
                return False
            time.sleep(_TICK)
        return True

    def _end_as_orphan(self) -> None:
        """End this process as its worker would have, if that has died: nobody else is left who could.

        Without a word in the log: Prefect's writes to the worker, and ends a thread where that has gone.
        """
        if self._parent is not None and os.getppid() != self._parent:
            self._parent = None
            self._ending = True
            os.kill(os.getpid(), signal.SIGTERM)

    def _try(self, chore: _Chore, client: SyncPrefectClient) -> bool:
        try:
            chore(client)
        except Exception as error:  # noqa: BLE001 - the API changes nothing of a sweep
            _logger.debug("Prefect's API was not told: %s", error)
            return False
        return True

    def _tag(self, client: SyncPrefectClient) -> None:
        """Let the flow run be found by the sweep's tag, and be known as one of a sweep."""
        if not self._tagged:
            tags = dict.fromkeys([*self._flow_run.tags, TAG, self._topic.tag])
            request(client, "PATCH", f"/flow_runs/{self._flow_run.id}", {"tags": list(tags)})
            self._tagged = True

    def _beat(self, client: SyncPrefectClient) -> None:
        self._tag(client)
        resource = {
            "prefect.resource.id": f"prefect.flow-run.{self._flow_run.id}",
            "prefect.resource.name": self._flow_run.name,
        }
        request(client, "POST", "/events", [_event(self._session, HEARTBEAT, resource, {})])

    def _look(self, client: SyncPrefectClient) -> None:
        state = request(client, "GET", f"/flow_runs/{self._flow_run.id}")["state"] or {}
        if state.get("type") in ("CANCELLING", "CANCELLED") and not self._cancelled:
            self._cancelled = self._cancel()
        elif state.get("type") == "CRASHED" and not self._ending and not self._done.is_set():
            alive = {"type": "RUNNING", "name": "Running", "message": "It was silent for a while, and lives."}
            body = {"state": alive, "force": True}
            request(client, "POST", f"/flow_runs/{self._flow_run.id}/set_state", body)

    def _show(self, client: SyncPrefectClient) -> None:
        progress = self._progress
        if progress is None:
            return
        text = describe_progress(progress, time.monotonic() - self._began)
        if text == self._shown:
            return
        percent = 100.0 * (progress.total - progress.left) / progress.total if progress.total else 100.0
        if self._artifact is None:
            shown = Artifact(f"{self._topic.key}-progress", "progress", percent, text)
            self._artifact = self._create(client, shown)
        else:
            body = {"data": percent, "description": text}
            request(client, "PATCH", f"/artifacts/{self._artifact}", body)
        self._shown = text

    def _tell(self, client: SyncPrefectClient) -> None:
        progress = self._progress
        if progress is not None and progress.ended > self._told:
            text = describe_progress(progress, time.monotonic() - self._began)
            self._send(client, "sweep.progress", "running", text)
            self._told = progress.ended

    def _send(self, client: SyncPrefectClient, name: str, state: str, message: str) -> None:
        progress = self._progress
        counts = (
            {}
            if progress is None
            else {
                "total": progress.total,
                "done": progress.before + progress.completed,
                "failed": progress.failed,
                "left": progress.left,
            }
        )
        event = event_of(self._topic, self._session, name, state, message, counts)
        request(client, "POST", "/events", [event])

    def _create(self, client: SyncPrefectClient, artifact: Artifact) -> str:
        return create(client, str(self._flow_run.id), artifact)


def event_of(
    topic: Topic, session: Session, name: str, state: str, message: str, counts: Mapping[str, int]
) -> dict[str, Any]:
    """Return an event about a sweep, as the API takes it."""
    resource = {
        "prefect.resource.id": f"sweep.{topic.tag}",
        "prefect.resource.name": topic.tag,
        "sweep.id": topic.sweep,
        "sweep.tag": topic.tag,
        "sweep.job": topic.job,
        "sweep.deployed": "true" if topic.deployed else "false",
        "sweep.state": state,
        "sweep.message": message,
    }
    return _event(session, name, resource, counts)


def _event(
    session: Session, name: str, resource: Mapping[str, str], payload: Mapping[str, Any]
) -> dict[str, Any]:
    ours = {"prefect.resource.id": f"prefect.tag.{TAG}", "prefect.resource.role": "tag"}
    return {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": name,
        "resource": resource,
        "related": [*session.related, ours],
        "payload": payload,
    }


def create(client: SyncPrefectClient, flow_run: str, artifact: Artifact) -> str:
    """Make an artifact of a flow run; return its id."""
    body = {
        "flow_run_id": flow_run,
        "key": artifact.key,
        "type": artifact.type,
        "data": artifact.data,
        "description": artifact.description,
    }
    return str(request(client, "POST", "/artifacts/", body)["id"])


def request(client: SyncPrefectClient, method: str, path: str, body: Any = None) -> Any:
    """Return what the API answers; raises what httpx raises, also for a status of failure."""
    answer = client._client.request(method, path, json=body, timeout=_TIMEOUT)  # noqa: SLF001 - no calls for these
    answer.raise_for_status()
    return answer.json() if answer.content else None
