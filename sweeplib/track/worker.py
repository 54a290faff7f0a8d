"""The process that MLflow lives in: requests come in on stdin, replies go out on stdout, a line each.

It is a process of its own because importing MLflow takes seconds and recording a combination many
milliseconds, which neither the flow nor its commands shall wait for. When stdin closes it ends what it
had opened and then itself, so that it never outlives the process that it works for by long.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sweeplib.garbage import search_less_often
from sweeplib.track.messages import Answer, Ping, Reply, decode_request, encode
from sweeplib.track.store import LOG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from sweeplib.track.messages import Request
    from sweeplib.track.recorder import Recorder

__all__ = ["main"]

_FAREWELL = 10.0  # seconds that a request in the works, and the clean-up, may take once stdin is closed


def main(threads: str = "1") -> None:
    """Answer requests, up to `threads` at once, until stdin closes."""
    search_less_often()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever MLflow prints goes to the log
    service = _Service(replies)
    ended = threading.Event()
    with ThreadPoolExecutor(int(threads)) as pool:
        pool.submit(service.begin)
        for line in sys.stdin.buffer:
            pool.submit(service.serve, line)
        threading.Thread(target=_end_anyhow, args=(ended,), daemon=True).start()
    service.abandon()
    ended.set()


def _end_anyhow(ended: threading.Event) -> None:
    if not ended.wait(_FAREWELL):
        os._exit(1)


class _Service:
    """Answers request lines with reply lines, from several threads."""

    def __init__(self, replies: BinaryIO) -> None:
        self._replies = replies
        self._writing = threading.Lock()
        self._beginning = threading.Lock()
        self._recorder: Recorder | None = None

    def serve(self, line: bytes) -> None:
        """Answer one request."""
        number, request = decode_request(line)
        reply = self._reply(request)
        with self._writing, suppress(OSError):  # nobody may be there any more to read it
            self._replies.write(encode(number, reply))
            self._replies.flush()

    def begin(self) -> Reply:
        """Import MLflow and open the store, unless that was done; return how that went."""
        with self._beginning:
            if self._recorder is not None:
                return Reply(answer=Answer.DONE)
            self._recorder, reply = _begin()
            return reply

    def _reply(self, request: Request) -> Reply:
        reply = self.begin()
        return reply if self._recorder is None else _answer(self._recorder, request)

    def abandon(self) -> None:
        """End what was opened and not ended."""
        if self._recorder is not None:
            self._recorder.abandon()


def _begin() -> tuple[Recorder | None, Reply]:
    try:
        from sweeplib.track.recorder import Recorder
    except Exception as error:  # noqa: BLE001  (whatever a broken installation raises)
        _log("import mlflow", error)
        return None, Reply(answer=Answer.UNUSABLE, text=_text(error))
    try:
        with _alone():
            return Recorder(), Reply(answer=Answer.DONE)
    except ImportError as error:  # such as a database driver that is not installed
        _log("open the store", error)
        return None, Reply(answer=Answer.UNUSABLE, text=_text(error))
    except Exception as error:  # noqa: BLE001  (databases and servers fail in ways of their own)
        _log("open the store", error)
        return None, Reply(answer=Answer.AWAY, text=_text(error))


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process of the project at a time open its store: several that find a new one make it twice."""
    try:
        handle = os.open(LOG.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        yield
        return
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _answer(recorder: Recorder, request: Request) -> Reply:
    from sweeplib.track.recorder import is_final

    try:
        return recorder.handle(request)
    except Exception as error:  # noqa: BLE001  (databases and servers fail in ways of their own)
        _log(type(request).__name__, error, trace=not isinstance(request, Ping))
        return Reply(answer=Answer.REFUSED if is_final(error) else Answer.AWAY, text=_text(error))


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _log(what: str, error: Exception, *, trace: bool = True) -> None:
    moment = time.strftime("%Y/%m/%d %H:%M:%S")
    text = "".join(traceback.format_exception(error)).rstrip() if trace else _text(error)
    print(f"{moment} {what}: {text}", file=sys.stderr, flush=True)  # noqa: T201  (stderr is the log)


if __name__ == "__main__":
    main()
