"""The worker process seen from its parent: requests go in, and each call gets its reply."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import sweeplib
from sweeplib.track.messages import decode_reply, encode
from sweeplib.track.store import LOG

if TYPE_CHECKING:
    from sweeplib.track.messages import Reply, Request

__all__ = ["Channel", "take_channel"]

# A module of the project that is named like one of MLflow's must not stand in for it: -P keeps the
# working folder out of the path, and ours goes to its end.
_PROGRAM = """
import sys
sys.path.append(sys.argv[1])
from sweeplib.track.worker import main
main(sys.argv[2])
"""
_SHORT = {
    # A store that does not answer is asked again by us, who know what else is waiting.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # which would ask the server for the run again
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
_STARTS = 3  # a worker that ended more often than that has a reason to


class _Worker:
    """One life of the worker process, with the thread that hands out its replies."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._waiting: dict[int, SimpleQueue[Reply | None]] = {}
        self._dead = False
        self._reader = threading.Thread(target=self._read, name="sweep-tracking-replies", daemon=True)
        self._reader.start()

    def ask(self, request: Request) -> Reply | None:
        """Return the reply, or None where the process died over it."""
        assert self.process.stdin is not None  # noqa: S101  (a pipe)
        mine: SimpleQueue[Reply | None] = SimpleQueue()
        with self._lock:
            if self._dead:
                return None
            number = next(self._numbers)
            self._waiting[number] = mine
            try:
                self.process.stdin.write(encode(number, request))
                self.process.stdin.flush()
            except (OSError, ValueError):
                return None
        return mine.get()

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101  (a pipe)
        for line in self.process.stdout:
            try:
                number, reply = decode_reply(line)
            except ValueError:
                break  # a torn last line
            self._waiting.pop(number).put(reply)
        with self._lock:
            self._dead = True
            for mine in self._waiting.values():
                mine.put(None)

    def stop(self, timeout: float) -> None:
        """Close stdin, on which the process ends by itself; after `timeout` seconds kill it."""
        assert self.process.stdin is not None  # noqa: S101  (both are pipes)
        assert self.process.stdout is not None  # noqa: S101
        with self._lock, suppress(OSError):  # what is left in the buffer has nobody to go to
            self.process.stdin.close()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        self.process.stdout.close()


class Channel:
    """Starts the worker process when it is first needed, and again when it has died.

    `threads` is how many requests it works on at once; `ask` may be called by as many threads.
    """

    def __init__(self, project: Path, uri: str, threads: int = 1) -> None:
        self._project = project
        self._uri = uri
        self._threads = threads
        self._lock = threading.Lock()
        self._starts = 0
        self._worker: _Worker | None = None

    def start(self) -> None:
        """Start the process ahead of the first request, for which it imports MLflow meanwhile."""
        with self._lock, suppress(ConnectionError):  # which the first request will meet, too
            self._worker = self._worker or self._start()

    @property
    def pid(self) -> int | None:
        """The worker's process id while there is one."""
        worker = self._worker
        return worker.process.pid if worker else None

    @property
    def exhausted(self) -> bool:
        """Whether the worker has died so often that it will not be started again."""
        return self._worker is None and self._starts >= _STARTS

    def ask(self, request: Request) -> Reply:
        """Return the reply, however long it takes; raises ConnectionError where the worker died over it."""
        with self._lock:
            worker = self._worker = self._worker or self._start()
        reply = worker.ask(request)
        if reply is not None:
            return reply
        with self._lock:
            if self._worker is worker:
                self._worker = None
                worker.stop(0)
        msg = "the process that talks to MLflow has died"
        raise ConnectionError(msg)

    def _start(self) -> _Worker:
        if self._starts >= _STARTS:
            msg = f"the process that talks to MLflow has died {_STARTS} times"
            raise ConnectionError(msg)
        self._starts += 1
        log = self._project / LOG
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as file:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-W", "ignore", "-c", _PROGRAM, str(_root()), str(self._threads)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=file,
                    cwd=self._project,
                    env={**os.environ, **_SHORT, "MLFLOW_TRACKING_URI": self._uri},
                    start_new_session=True,
                )
        except OSError as error:
            msg = f"the process that talks to MLflow cannot be started: {error}"
            raise ConnectionError(msg) from error
        return _Worker(process)

    def stop(self, timeout: float) -> None:
        """Let the worker end by itself; after `timeout` seconds kill it."""
        with self._lock:
            worker, self._worker = self._worker, None
            if worker is not None:
                worker.stop(timeout)

    def kill(self) -> None:
        """End the worker at once, whatever other threads are asking it."""
        worker = self._worker
        if worker is not None:
            worker.process.kill()


_ahead: dict[tuple[Path, str, int], Channel] = {}


def take_channel(project: Path, uri: str, threads: int, *, ahead: bool = False) -> Channel:
    """Return a channel to a store: the one that was started `ahead`, if there is one."""
    channel = _ahead.pop((project, uri, threads), None) or Channel(project, uri, threads)
    if ahead:
        channel.start()
        _ahead[project, uri, threads] = channel
    return channel


def _root() -> Path:
    return Path(sweeplib.__file__).resolve().parents[1]
