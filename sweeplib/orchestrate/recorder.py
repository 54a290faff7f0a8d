"""What a process tells the Prefect API about task runs: queued here, and sent in batches by one thread.

Prefect's own way is an event at a time over a websocket, with a hand-over between threads for each; that is
most of what a short task run costs. The API takes the same events, and log records, by the hundred.
"""

from __future__ import annotations

import atexit
import json
import logging
import threading
import time
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prefect.client.orchestration import SyncPrefectClient

__all__ = ["Recorder", "flush_all", "recorder"]

_GATHER = 0.25  # seconds that the first of a batch waits for others
_BATCH = 200  # records a request at most: the recorder of our server writes as many in a transaction
_CHARACTERS = 1_000_000  # in a request at most; the API refuses far larger ones
_LOGS = 20_000  # log records that are kept while the API is away; the newest, as the log files have all
_PAUSES = (0.25, 0.5, 1.0, 2.0, 5.0)  # seconds between tries while the API is away
_LAST = 20.0  # seconds that the process's exit waits for what is left
_REFUSED = 400
_ANSWERS_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}

_logger = logging.getLogger(__name__)


class Recorder:
    """Sends records to one Prefect API, in the order in which they came; no record is given up.

    Neither `event` nor `log` waits or raises: whatever happens to the API, commands go on.
    """

    def __init__(self, api: str) -> None:
        self._api = api
        self._news = threading.Condition()
        self._events: deque[str] = deque()
        self._logs: deque[str] = deque(maxlen=_LOGS)
        self._sending = 0
        self._hurry = False
        self._thread: threading.Thread | None = None
        self.problem = ""
        """Why the API took nothing the last time; empty if it did."""

    def event(self, event: Mapping[str, Any]) -> None:
        """Queue an event, with the fields that the API's ``POST /events`` takes."""
        self._put(self._events, event)

    def log(self, record: Mapping[str, Any]) -> None:
        """Queue a log record, with the fields that the API's ``POST /logs/`` takes."""
        self._put(self._logs, record)

    def _put(self, queue: deque[str], record: Mapping[str, Any]) -> None:
        text = json.dumps(record)
        with self._news:
            queue.append(text)
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
        # Tries are counted here, where it is known what else is waiting.
        with (
            temporary_settings({PREFECT_API_URL: self._api, PREFECT_CLIENT_MAX_RETRIES: 0}),
            get_client(sync_client=True) as client,
        ):
            while True:
                self._gather()
                self._send(client, "/events", self._events)
                self._send(client, "/logs/", self._logs)

    def _gather(self) -> None:
        with self._news:
            self._news.wait_for(self._left)
            self._news.wait_for(lambda: self._hurry or self._left() >= _BATCH, _GATHER)

    def _send(self, client: SyncPrefectClient, path: str, queue: deque[str]) -> None:
        """Send one batch of a queue, however long it takes."""
        with self._news:
            batch: list[str] = []
            size = 0
            while queue and len(batch) < _BATCH and size < _CHARACTERS:
                batch.append(queue.popleft())
                size += len(batch[-1])
            self._sending = len(batch)
        if batch:
            self._deliver(client, path, batch)
        with self._news:
            self._sending = 0
            self._news.notify_all()

    def _deliver(self, client: SyncPrefectClient, path: str, batch: list[str]) -> None:
        tries = 0
        while True:
            try:
                answer = client._client.post(  # noqa: SLF001 - the client has no call for either
                    path,
                    content=f"[{','.join(batch)}]".encode(),
                    headers={"content-type": "application/json"},
                )
                answer.raise_for_status()
            except httpx.HTTPStatusError as error:
                code = error.response.status_code
                if _REFUSED <= code < HTTPStatus.INTERNAL_SERVER_ERROR and code not in _ANSWERS_LATER:
                    self._refused(client, path, batch, error)
                    return
                self.problem = str(error)
            except Exception as error:  # noqa: BLE001 - whatever kept the API from answering may end
                self.problem = str(error) or type(error).__name__
            else:
                self.problem = ""
                return
            time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1

    def _refused(self, client: SyncPrefectClient, path: str, batch: list[str], error: Exception) -> None:
        """Leave out the record that the API does not take, and send the others."""
        if len(batch) == 1:
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
    return sum(each.flush(timeout) for each in list(_recorders.values()))


atexit.register(flush_all)
