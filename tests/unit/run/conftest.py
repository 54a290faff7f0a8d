"""A sweep's folder with real commands, and the promise that no process outlives its test."""

from __future__ import annotations

import os
import select
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import sweeplib
from sweeplib.run.attempt import run_attempt
from sweeplib.run.client import Guard
from sweeplib.run.model import Attempt, SweepPaths, Work
from sweeplib.run.tree import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "ab12cd34"
DEADLINE = 20.0

# Tells its own and its descendants' process numbers through the FIFO, then waits for signals.
TREE = """
import os, signal, sys

def tell(role):
    with open(sys.argv[1], "w") as fifo:
        fifo.write(f"{role} {os.getpid()}\\n")

def child(role, *, session=False, stubborn=False, orphan=False, bare=False):
    if os.fork() == 0:
        if session:
            os.setsid()
        if orphan and os.fork():
            os._exit(0)
        if stubborn:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        tell(role)
        if bare:
            os.execve("/bin/sleep", ["sleep", "600"], {})
        while True:
            signal.pause()

for wish in sys.argv[2:]:
    traits = ("session", "stubborn", "orphan", "bare")
    child(wish, **{trait: trait in wish for trait in traits})
tell("leader")
while True:
    signal.pause()
"""


class Process:
    """A process that a test awaits the end of, safe from a reuse of its number."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def ended(self, timeout: float = DEADLINE) -> bool:
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        return bool(poll.poll(timeout * 1000))

    def close(self) -> None:
        os.close(self._handle)


class Mailbox:
    """A FIFO on which commands tell lines, such as their process numbers."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        # Open for writing too, so that it never reads as ended between two writers.
        self._handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._unread = b""
        self._processes: list[Process] = []

    def line(self, timeout: float = DEADLINE) -> str:
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        end = time.monotonic() + timeout
        while b"\n" not in self._unread:
            left = end - time.monotonic()
            assert left > 0, f"nothing was told within {timeout} s"
            if poll.poll(left * 1000):
                self._unread += os.read(self._handle, 4096)
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def processes(self, count: int) -> dict[str, Process]:
        """Return the processes of the next `count` lines ``<role> <pid>``."""
        told = [self.line().split() for _ in range(count)]
        found = {role: Process(int(pid)) for role, pid in told}
        self._processes += found.values()
        return found

    def close(self) -> None:
        os.close(self._handle)
        for process in self._processes:
            process.close()


@dataclass
class Sweep:
    """The folder of a sweep, and pieces of work in it."""

    paths: SweepPaths
    mailbox: Mailbox
    key: str = KEY

    def work(self, *argv: str, **changes: Any) -> Work:
        fields: dict[str, Any] = {
            "sweep": "01SWEEP",
            "job": "train",
            "key": KEY,
            "position": 0,
            "label": "lr=1",
            "argv": argv,
            "cwd": str(self.paths.folder),
            "folder": str(self.paths.folder),
            "grace": 0.5,
        }
        return Work(**{**fields, **changes})

    def python(self, code: str, *arguments: str, **changes: Any) -> Work:
        return self.work(sys.executable, "-S", "-c", code, *arguments, **changes)

    def tree(self, *wishes: str, **changes: Any) -> Work:
        return self.python(TREE, str(self.mailbox.path), *wishes, **changes)

    def run(self, *argv: str, **changes: Any) -> Attempt:
        return run_attempt(self.work(*argv, **changes), tick=0.05)

    def log(self, number: int = 1, key: str = KEY) -> str:
        return self.paths.log(key, number).read_text()

    def survivors(self) -> list[int]:
        """Return the processes that carry the mark of an attempt of this sweep."""
        table = Table()
        folder = os.fsencode(self.paths.folder)
        return [
            pid for pid, process in table.processes.items() if process.alive and folder in table.mark(pid)
        ]

    def await_quiet(self) -> None:
        """Wait for helpers of a command that end by themselves once it has ended."""
        for pid in self.survivors():
            with suppress(ProcessLookupError):
                process = Process(pid)
                assert process.ended()
                process.close()


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[Sweep]:
    folder = tmp_path / "sweep"
    folder.mkdir()
    mailbox = Mailbox(tmp_path / "fifo")
    sweep = Sweep(SweepPaths(folder), mailbox)
    yield sweep
    Guard.shared().close()
    mailbox.close()
    assert sweep.survivors() == []


@pytest.fixture
def python_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other interpreters import this sweeplib."""
    monkeypatch.setenv("PYTHONPATH", str(Path(sweeplib.__file__).parents[1]))
