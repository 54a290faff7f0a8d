"""What a process tells the Prefect API about task runs: queued here, and sent in batches by one thread.

Prefect's own way is an event at a time over a websocket, with a hand-over between threads for each; that is
most of what a short task run costs. The API takes the same events, and log records, by the hundred.

The project's own server records events before it answers (`sweeplib.orchestrate.intake`): there the answer is
all that is waited for. To another they go as fast as it records them (`sweeplib.orchestrate.pacing`).
"""

from __future__ import annotations

import atexit
import json
import logging
import threading
import time
from collections import deque
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from sweeplib.orchestrate.pacing import Pacing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prefect.client.orchestration import SyncPrefectClient

__all__ = ["RECORDED", "Recorder", "flush_all", "recorder"]

RECORDED = "x-sweeplib-recorded"
"""A header of the answer to events by which a server tells that it has recorded them, and drops none."""

_EVENTS, _LOG = "/events", "/logs/"  # the paths that take records
_GATHER = 0.25  # seconds that the first of a batch waits for others
_BATCH = 200  # records a request at most: the recorder of our server writes as many in a transaction
_BYTES = 1_000_000  # in a request at most; the API refuses far larger ones
_LOGS = 20_000  # log records that are kept while the API is away; the newest, as the log files have all
_LOG_BYTES = 64_000_000  # of them, likewise
_LOOK = 0.5  # seconds between looks at what a server has recorded
_PAUSES = (0.25, 0.5, 1.0, 2.0, 5.0)  # seconds between tries while the API is away
_POISON = 8  # answers of 500 to the same request after which it, and not the API, is at fault
_LAST = 20.0  # seconds that the process's exit waits for what is left
_REFUSED = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}

_logger = logging.getLogger(__name__)


class Recorder:
    """Sends records to one Prefect API, in the order in which they came; only what it refuses is given up.

    Neither `event` nor `log` waits or raises: whatever happens to the API, commands go on.
    """

    def __init__(self, api: str) -> None:
        self._api = api
        self._news = threading.Condition()
        self._events: deque[bytes] = deque()
        self._logs: deque[bytes] = deque()
        self._log_bytes = 0
        self._sending = 0
        self._hurry = False
        self._pacing: Pacing | None = Pacing()
        self._look_at = 0.0
        self._thread: threading.Thread | None = None
        self.problem = ""
        """Why the API took nothing the last time; empty if it did."""

    def event(self, event: Mapping[str, Any]) -> None:
        """Queue an event, with the fields that the API's ``POST /events`` takes."""
        self._put(self._events, event)

    def log(self, record: Mapping[str, Any]) -> None:
        """Queue a log record, with the fields that the API's ``POST /logs/`` takes."""
        self._put(self._logs, record)

    def _put(self, queue: deque[bytes], record: Mapping[str, Any]) -> None:
        # Bytes of names and output that are no UTF-8 reach us as lone surrogates; over those the API fails.
        text = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
        with self._news:
            queue.append(text)
            if queue is self._logs:
                self._log_bytes += len(text)
                while len(queue) > _LOGS or self._log_bytes > _LOG_BYTES:
                    self._log_bytes -= len(queue.popleft())
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sweep-recorder", daemon=True)
                self._thread.start()
            elif len(self._events) + len(self._logs) in (1, _BATCH):
                self._news.notify_all()

    def flush(self, timeout: float) -> int:
        """Send what is queued, waiting up to `timeout` seconds; return how many records are left."""
        with self._news:
            self._hurry = True
            self._news.notify_all()
            self._news.wait_for(lambda: not self._left(), timeout)
            self._hurry = False
            return self._left()

    def _left(self) -> int:
        return len(self._events) + len(self._logs) + self._sending

    def _run(self) -> None:
        """Send for ever, with a client of this thread's own; Prefect's would try again in its own time."""
        tries = 0
        while True:
            try:
                with (
                    temporary_settings({PREFECT_API_URL: self._api, PREFECT_CLIENT_MAX_RETRIES: 0}),
                    get_client(sync_client=True) as client,
                ):
                    tries = 0
                    self._serve(client)
            except Exception as error:  # noqa: BLE001 - a certificate that cannot be read, say
                self.problem = str(error) or type(error).__name__
            self._pause(tries)
            tries += 1

    def _serve(self, client: SyncPrefectClient) -> None:
        while True:
            pacing = self._pacing
            with self._news:
                self._news.wait_for(self._left, _LOOK if pacing and pacing.waits else None)
                if self._left():
                    self._news.wait_for(lambda: self._hurry or self._left() >= _BATCH, _GATHER)
            self._send(client, _LOG, self._logs, _BATCH)
            room = min(_BATCH, pacing.room()) if pacing else _BATCH
            if room:
                self._send(client, _EVENTS, self._events, room)
            if pacing:
                self._confirm(client, pacing)
                if not room:
                    time.sleep(_GATHER)

    def _confirm(self, client: SyncPrefectClient, pacing: Pacing) -> None:
        """Look what the server has recorded, and send again what it seems to have dropped."""
        if not pacing.waits or time.monotonic() < self._look_at:
            return

        def state_time(task_run: str) -> float | None:
            answer = client._client.get(f"/task_runs/{task_run}")  # noqa: SLF001 - the client's call parses all
            if answer.status_code == HTTPStatus.NOT_FOUND:
                return None
            state = answer.raise_for_status().json()["state"]
            return datetime.fromisoformat(state["timestamp"]).timestamp() if state else None

        try:
            again = pacing.confirm(state_time)
        except Exception as error:  # noqa: BLE001 - whatever kept the API from answering may end
            self.problem = str(error) or type(error).__name__
            pacing.put_off()
            again = ()
        if again:
            self._deliver(client, _EVENTS, list(again))
        self._look_at = time.monotonic() + _LOOK

    def _send(self, client: SyncPrefectClient, path: str, queue: deque[bytes], most: int) -> None:
        """Send one batch of a queue, however long it takes."""
        with self._news:
            batch: list[bytes] = []
            size = 0
            while queue and len(batch) < most and size < _BYTES:
                batch.append(queue.popleft())
                size += len(batch[-1])
            if queue is self._logs:
                self._log_bytes -= size
            self._sending = len(batch)
        if batch:
            self._deliver(client, path, batch)
            if self._pacing and path == _EVENTS:
                self._pacing.sent(batch)
        with self._news:
            self._sending = 0
            self._news.notify_all()

    def _deliver(self, client: SyncPrefectClient, path: str, batch: list[bytes]) -> None:
        tries = failures = 0
        while True:
            try:
                answer = client._client.post(  # noqa: SLF001 - the client has no call for either
                    path,
                    content=b"[" + b",".join(batch) + b"]",
                    headers={"content-type": "application/json"},
                )
                answer.raise_for_status()
            except httpx.HTTPStatusError as error:
                self.problem = str(error)
                failures += error.response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
                if error.response.status_code in _REFUSED or failures >= _POISON:
                    self._refused(client, path, batch, error)
                    return
            except Exception as error:  # noqa: BLE001 - whatever kept the API from answering may end
                self.problem = str(error) or type(error).__name__
            else:
                self.problem = ""
                if path == _EVENTS:
                    self._pacing = None if RECORDED in answer.headers else self._pacing or Pacing()
                return
            self._pause(tries)
            tries += 1

    def _pause(self, tries: int) -> None:
        """Wait before another try, but not where somebody waits for the records."""
        with self._news:
            seconds = _PAUSES[min(tries, len(_PAUSES) - 1)]
            self._news.wait_for(lambda: self._hurry, seconds)
        time.sleep(_PAUSES[0])

    def _refused(self, client: SyncPrefectClient, path: str, batch: list[bytes], error: Exception) -> None:
        """Leave out the record that the API does not take, and send the others."""
        if len(batch) == 1:
            self.problem = ""
            _logger.warning("Prefect's API did not take a record of a task run: %s", error)
            return
        half = len(batch) // 2
        self._deliver(client, path, batch[:half])
        self._deliver(client, path, batch[half:])


_recorders: dict[str, Recorder] = {}
_lock = threading.Lock()


def recorder(api: str) -> Recorder:
    """Return this process's recorder for the API at an address."""
    with _lock:
        found = _recorders.get(api)
        if found is None:
            found = _recorders[api] = Recorder(api)
        return found


def flush_all(timeout: float = _LAST) -> int:
    """Send what any recorder of this process has queued; return how many records are left."""
    end = time.monotonic() + timeout
    return sum(each.flush(max(0.0, end - time.monotonic())) for each in list(_recorders.values()))


@atexit.register
def _flush_at_exit() -> None:
    with suppress(KeyboardInterrupt):
        flush_all()
