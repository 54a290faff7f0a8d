"""The flow runs of a sweep in a work pool: asked for, looked after, and cancelled where they are not needed.

A thread of its own talks to Prefect's API, so that nothing else waits for that. While the API is away it
tries again.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelled, Crashed

from sweeplib.orchestrate.helper import ENTRYPOINT, NAME, NEEDS
from sweeplib.orchestrate.pools import describe, online
from sweeplib.orchestrate.pulse import request
from sweeplib.orchestrate.records import FINAL
from sweeplib.orchestrate.server import HELPER_TAG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from prefect.client.orchestration import SyncPrefectClient

    from sweeplib.orchestrate.pools import Pool
    from sweeplib.orchestrate.session import Session

__all__ = ["Helpers", "Verdict", "verdict_of"]

_TICK = 0.5  # seconds between looks at what is to be done
_LOOK = 3.0  # seconds between looks at the states of flow runs
_WORKERS = 15.0  # seconds between looks at the pool's workers
_SLOW = 45.0  # seconds after which a pool with a worker that has started nothing is worth a word
_LAST = 10.0  # seconds for the end
_AGAIN = 300.0  # seconds after which a place in which a flow run could not begin is tried again
_PAGE = 200  # flow runs that the API tells of at once
_PULL = "prefect.deployments.steps.set_working_directory"
_CANCELLED = ("CANCELLING", "CANCELLED")
_IDLE = ("SCHEDULED", "PENDING")

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Run:
    """A flow run in the pool; `share` is how many commands it may run at once (None: any number)."""

    id: str
    name: str
    share: int | None
    asked: float
    signed: bool = False
    died: bool = False
    state: str = "SCHEDULED"
    message: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a helper that will give nothing back any more.

    It has `died` after it had signed in, or was `cancelled` by somebody, or was `unable` to begin.
    """

    id: str
    what: Literal["died", "cancelled", "unable"]
    message: str


class Helpers:
    """The helpers of one sweep in one pool; a context manager.

    There are as many as are `wanted`, as far as the pool has room for them, and one at least; in the place of
    one that somebody has cancelled there is no other, and in that of one that could not begin while there are
    others there is none for some minutes.
    """

    def __init__(self, pool: Pool, session: Session, tag: str, project: Path, spool: Path) -> None:
        self._pool = pool
        self._session = session
        self._tag = tag
        self._project = project
        self._spool = spool
        self._runs: dict[str, _Run] = {}
        self._deployment: UUID | None = None
        self._count = 0
        self._workers = 1
        self._refused = 0
        self._useless: list[float] = []  # when those could not begin, on the monotonic clock
        self._due = {"look": 0.0, "workers": 0.0}
        self._told = ""
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sweep-pool-{pool.name}", daemon=True)
        self.wanted = 0
        """How many helpers there is work for."""
        self.verdicts: SimpleQueue[Verdict] = SimpleQueue()
        """What became of helpers, as it becomes known."""
        self.notes: SimpleQueue[str] = SimpleQueue()
        """What the user should know."""

    def __enter__(self) -> Helpers:
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what has not begun."""
        self._done.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(_LAST)

    @property
    def most(self) -> int:
        """How many helpers run at once at most."""
        most = self._pool.limit or max(1, self._workers)
        least = time.monotonic() - _AGAIN
        useless = sum(when > least for when in self._useless)
        return max(0, max(1, min(most, self._pool.parallel or most) - useless) - self._refused)

    @property
    def active(self) -> int:
        """How many helpers there are, also those that have not begun."""
        with self._lock:
            return len(self._active())

    def ask(self, count: int) -> None:
        """Have so many helpers."""
        self.wanted = count
        if count > self.active:
            self._news.set()
            if self._thread.ident is None and not self._done.is_set():
                self._thread.start()

    def signed(self, helper: str) -> None:
        """Take note that a helper has begun."""
        with self._lock:
            if helper in self._runs:
                self._runs[helper].signed = True

    def left(self, helper: str) -> None:
        """Take note that a helper has gone, with nothing left to do."""
        with self._lock:
            self._runs.pop(helper, None)

    def died(self, helper: str) -> None:
        """Take note that a helper has died; its verdict follows, when Prefect has been asked.

        One that was judged before, and that somebody has run again, has it at once.
        """
        with self._lock:
            known = self._runs.get(helper)
            if known is not None:
                known.died = True
        if known is None:
            self.verdicts.put(Verdict(helper, "died", f"the flow run {helper} has died"))
        self._due["look"] = 0.0
        self._news.set()

    def _active(self) -> list[_Run]:
        return [each for each in self._runs.values() if not each.died and each.state not in FINAL]

    @contextmanager
    def _client(self) -> Iterator[SyncPrefectClient]:
        settings = {PREFECT_API_URL: self._session.api, PREFECT_CLIENT_MAX_RETRIES: 0}
        with temporary_settings(settings), get_client(sync_client=True) as client:
            yield client

    def _run(self) -> None:
        with self._client() as client:
            while not self._done.is_set():
                self._news.wait(_TICK)
                self._news.clear()
                try:
                    self._tend(client)
                except Exception as error:  # noqa: BLE001 - it is tried again, whatever it was
                    _logger.debug("Prefect's API did not answer: %s", error)
                    self._say(f"cannot be asked, which is tried again: {error}")
                    self._done.wait(_LOOK)
            with suppress(Exception):
                self._end(client)

    def _tend(self, client: SyncPrefectClient) -> None:
        now = time.monotonic()
        if self.wanted and now >= self._due["workers"] and self._pool.needs_worker:
            self._due["workers"] = now + _WORKERS
            self._workers = online(client, self._pool)
        while self.active < min(self.wanted, self.most) and not self._done.is_set():
            share = self._share()
            if share == 0:
                break
            self._create(client, share)
        if self._runs and now >= self._due["look"]:
            self._due["look"] = now + _LOOK
            self._look(client)
        self._tell()

    def _create(self, client: SyncPrefectClient, share: int | None) -> None:
        if self._deployment is None:
            self._deployment = self._deploy(client)
        number = self._count + 1  # stays the same until Prefect has answered: then it is the same flow run
        name = f"{self._tag}-{self._pool.name}-{number}"
        made = client.create_flow_run_from_deployment(
            self._deployment,
            parameters={"spool": str(self._spool), "parallel": share},
            name=name,
            tags=[HELPER_TAG, self._tag],
            idempotency_key=f"{self._spool.name}-{number}",
        )
        self._count = number
        with self._lock:
            self._runs[str(made.id)] = _Run(str(made.id), name, share, time.monotonic())

    def _share(self) -> int | None:
        """Return how many commands the next helper may run at once: its part of what is allowed, if any."""
        allowed = self._pool.parallel
        if allowed is None:
            return None
        with self._lock:
            active = self._active()
        left = max(0, allowed - sum(each.share or 0 for each in active))
        return -(-left // max(1, self.most - len(active)))

    def _deploy(self, client: SyncPrefectClient) -> UUID:
        """Make, or find, the deployment of this project's helpers in the pool."""
        digest = hashlib.sha256(str(self._project).encode()).hexdigest()[:8]
        return client.create_deployment(
            flow_id=client.create_flow_from_name(NAME),
            name=f"{self._pool.name}-{digest}",
            work_pool_name=self._pool.name,
            description=f"Runs combinations of sweeps of the project {self._project.name} in this pool.",
            tags=[HELPER_TAG],
            pull_steps=[{_PULL: {"directory": str(self._project)}}],
            entrypoint=ENTRYPOINT,
        )

    def _look(self, client: SyncPrefectClient) -> None:
        """Ask for the states of all flow runs, and judge those that have ended."""
        with self._lock:
            known = list(self._runs.values())
        states = self._states(client, [each.id for each in known])
        for each in known:
            state = states.get(each.id, {"type": "CANCELLED", "message": "it was deleted"})
            each.state, each.message = str(state.get("type")), str(state.get("message") or "")
            verdict = verdict_of(
                each.id, each.name, each.state, each.message, signed=each.signed, died=each.died
            )
            if verdict is not None:
                if verdict.what == "died" and each.state not in FINAL:  # perhaps nobody is left to say so
                    with suppress(Exception):
                        crashed: Any = Crashed(message="Its process has died.")
                        client.set_flow_run_state(UUID(each.id), crashed)  # not over what itself has said
                with self._lock:
                    self._runs.pop(each.id, None)
                    self._refused += verdict.what == "cancelled"
                    if verdict.what == "unable" and self._active():
                        self._useless.append(time.monotonic())
                self.verdicts.put(verdict)

    @staticmethod
    def _states(client: SyncPrefectClient, ids: list[str]) -> dict[str, dict[str, Any]]:
        """Return the states of flow runs, by id; one that was deleted has none."""
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(ids), _PAGE):
            body = {"flow_runs": {"id": {"any_": ids[start : start + _PAGE]}}, "limit": _PAGE}
            answer = request(client, "POST", "/flow_runs/filter", body)
            found |= {each["id"]: each["state"] or {} for each in answer}
        return found

    def _tell(self) -> None:
        """Say once why nothing begins."""
        with self._lock:
            active = self._active()
            waits = bool(active) and not any(each.signed for each in active)
            oldest = min((each.asked for each in active), default=0.0)
            state = active[0].state if active else ""
        if not waits:
            self._told = ""
        elif (self._pool.needs_worker and not self._workers) or time.monotonic() - oldest > _SLOW:
            self._say(describe(self._pool, self._workers, state))

    def _say(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self.notes.put(f"the work pool {self._pool.name} {text}")

    def _end(self, client: SyncPrefectClient) -> None:
        """Cancel what has not begun; what runs sees that the sweep has ended, and what has died is judged."""
        with self._lock:
            if not any(each.died or not each.signed for each in self._runs.values()):
                return
        self._look(client)
        with self._lock:
            idle = [each for each in self._runs.values() if not each.signed and each.state in _IDLE]
        for each in idle:
            cancelled: Any = Cancelled(message="The sweep has ended.")
            client.set_flow_run_state(UUID(each.id), cancelled, force=True)


def verdict_of(
    flow_run: str, name: str, state: str, message: str, *, signed: bool, died: bool
) -> Verdict | None:
    """Return what became of a flow run, if it is over with work left that it had, or might have had."""
    if state in _CANCELLED and (died or not signed):
        return Verdict(flow_run, "cancelled", f"the flow run {name} was cancelled")
    if died:
        return Verdict(flow_run, "died", f"the flow run {name} has died: {message or 'no word of it'}")
    if state == "COMPLETED" and not signed:
        return Verdict(flow_run, "unable", f"the flow run {name} saw nothing of the sweep; {NEEDS}")
    if state in FINAL and not signed:
        return Verdict(flow_run, "unable", f"the flow run {name} could not begin: {message}")
    return None
