"""The process tree of a command: found wherever its processes moved to, and ended.

On Linux the guard is a *child subreaper*: whatever a command starts stays below the guard, also
when it took a session of its own (`setsid`) and its parent is gone. A process that was orphaned
so is told apart by its session, or by the mark in its environment, which every process of an attempt
inherits. Signals go through pidfds, so a process number that was reused meanwhile is never hit.
Elsewhere only the command's process group is known.

Loaded by the guard process: imports must stay few.
"""

# ruff: noqa: PTH110, PTH123, PTH208
# Importing pathlib would make the guard start a third slower.

from __future__ import annotations

import ctypes
import os
import select
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "MARK",
    "STUBBORN",
    "Table",
    "Tree",
    "adopts_orphans",
    "become_subreaper",
    "end_strays",
    "memory_of",
    "start_time",
]

_HAS_PROC = hasattr(os, "pidfd_open") and os.path.exists("/proc/self/stat")
_PR_SET_CHILD_SUBREAPER = 36
_PAGE = os.sysconf("SC_PAGE_SIZE")

MARK = "SWEEP_RESULT"
"""The variable that every process of an attempt inherits, with a value no other attempt has."""

STUBBORN = 5.0
"""Seconds that a killed process may take to go, before it is given up."""

_MARK = f"{MARK}=".encode()


class Process:
    """What ``/proc/<pid>/stat`` tells of one process; `since` is its start, in clock ticks."""

    __slots__ = ("alive", "group", "parent", "pid", "session", "since")

    def __init__(self, pid: int, stat: bytes) -> None:
        """Read the line of the file; its second field may hold any character, even ``)``."""
        fields = stat[stat.rindex(b")") + 2 :].split()
        self.pid = pid
        self.parent, self.group, self.session = int(fields[1]), int(fields[2]), int(fields[3])
        self.since = int(fields[19])
        # A zombie whose other threads live on is not dead yet.
        self.alive = fields[0] not in (b"Z", b"X") or int(fields[17]) > 1


def become_subreaper() -> None:
    """Let orphaned descendants become children of this process (Linux; elsewhere nothing)."""
    if _HAS_PROC:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def adopts_orphans() -> bool:
    """Tell whether `become_subreaper` has an effect here."""
    return _HAS_PROC


def _read(pid: int) -> Process | None:
    try:
        handle = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return Process(pid, os.read(handle, 4096))
    except (OSError, ValueError, IndexError):
        return None
    finally:
        os.close(handle)


def start_time(pid: int) -> int | None:
    """Return when process `pid` began, in clock ticks since boot; None if that is not known."""
    process = _read(pid) if _HAS_PROC else None
    return process.since if process else None


def memory_of(processes: Iterable[Process], limit: int) -> int:
    """Return how many bytes of memory processes use together, 0 where there is no /proc.

    What several of them share is counted once, if it comes to that: where the quick sum is above `limit`.
    """
    found = list(processes)
    quick = sum(_resident(process.pid) for process in found)
    return quick if quick <= limit else sum(_proportional(process.pid) for process in found)


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def _proportional(pid: int) -> int:
    """Return a process's memory, of what it shares with others its part alone (``Pss``)."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            line = next(line for line in file if line.startswith(b"Pss:"))
            return int(line.split()[1]) * 1024
    except (OSError, StopIteration, IndexError, ValueError):
        return _resident(pid)


class Table:
    """All processes of this machine at one moment (none where there is no /proc)."""

    def __init__(self, *, empty: bool = False) -> None:
        """Look at every process now, or at none."""
        names = [name for name in os.listdir("/proc") if name.isdigit()] if _HAS_PROC and not empty else []
        found = (_read(int(name)) for name in names)
        self.processes = {process.pid: process for process in found if process}
        self._marks: dict[int, bytes] = {}
        self._children: dict[int, list[Process]] = {}
        for process in self.processes.values():
            self._children.setdefault(process.parent, []).append(process)

    def children(self, pid: int) -> list[Process]:
        """Return the children of process `pid`."""
        return self._children.get(pid, [])

    def mark(self, pid: int) -> bytes:
        """Return the entry `MARK` of a process's environment, or nothing."""
        if pid not in self._marks:
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    entries = file.read().split(b"\0")
            except OSError:
                entries = []
            self._marks[pid] = next((entry for entry in entries if entry.startswith(_MARK)), b"")
        return self._marks[pid]

    def below(self, roots: Iterable[Process]) -> list[Process]:
        """Return `roots` and all their descendants that live."""
        found: dict[int, Process] = {}
        queue = list(roots)
        while queue:
            process = queue.pop()
            if process.pid not in found:
                found[process.pid] = process
                queue.extend(self.children(process.pid))
        return [process for process in found.values() if process.alive]


def _signal(process: Process, number: int) -> None:
    """Send a signal to exactly this process; one that is gone or not ours is passed over."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        now = _read(process.pid)
        if now and now.since == process.since:
            signal.pidfd_send_signal(handle, number)
    except (ProcessLookupError, PermissionError):
        pass  # ended meanwhile, or became another user's: the caller looks again
    finally:
        os.close(handle)


class Tree:
    """The processes of one command whose leader is `pid`.

    `mark` is the value of the variable `MARK` in the command's environment. `since` is the leader's
    start time; it is needed for a command that is no child of ours (`end_strays`).
    """

    __slots__ = ("_mark", "_sessions", "pid", "since")

    def __init__(self, pid: int | None, mark: str, since: int | None = None) -> None:
        """Take the leader's number, or None where it was never learned."""
        self.pid = pid
        self.since = since
        self._mark = _MARK + os.fsencode(mark)
        self._sessions = {pid}

    def find(self, table: Table) -> list[Process]:
        """Return the living processes of the tree among the descendants of this process."""
        return self._below(table, table.children(os.getpid()))

    def find_strays(self, table: Table) -> list[Process]:
        """Return the living processes of the tree, wherever they are: their guard is dead."""
        leader = table.processes.get(self.pid or 0)
        if not leader or leader.since != self.since:
            self._sessions.discard(self.pid)
        return self._below(table, table.processes.values())

    def _below(self, table: Table, candidates: Iterable[Process]) -> list[Process]:
        found = table.below(
            process
            for process in candidates
            if process.session in self._sessions or table.mark(process.pid) == self._mark
        )
        self._sessions.update(process.session for process in found)
        return found

    def send(self, number: int, found: list[Process], *, leading: bool) -> None:
        """Send a signal to the processes found, and to the whole group while its leader stands.

        `leading` says that the leader's number is still its own, as it was not waited for yet.
        """
        grouped = self.pid is not None and (leading or not _HAS_PROC)
        if grouped and self.pid is not None:
            try:
                os.killpg(self.pid, number)
            except (ProcessLookupError, PermissionError):
                grouped = False
        for process in found:
            if not grouped or process.group != self.pid:
                _signal(process, number)

    def is_gone(self, found: list[Process]) -> bool:
        """Tell whether nothing is left, after the leader ended; `found` is from this moment."""
        if _HAS_PROC or self.pid is None:
            return not found
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


def end_strays(trees: Iterable[Tree], grace: float) -> None:
    """End commands whose guard died: TERM, `grace` seconds, KILL; returns when they are gone."""
    left = list(trees)
    number: int | None = signal.SIGTERM
    kill_at = time.monotonic() + grace
    looks = 0  # in a row that found nothing: one may miss a process that forks meanwhile
    while looks < 2 and time.monotonic() < kill_at + STUBBORN:
        table = Table()
        found = [(tree, tree.find_strays(table)) for tree in left]
        found = [(tree, processes) for tree, processes in found if not tree.is_gone(processes)]
        looks = 0 if found else looks + 1
        if time.monotonic() >= kill_at:
            number = signal.SIGKILL
        for tree, processes in found:
            if number is not None:
                tree.send(number, processes, leading=False)
        if found:
            number = None
            _await_end([process for _, processes in found for process in processes])


def _await_end(processes: list[Process], timeout: float = 0.1) -> None:
    """Wait until one of the processes ends, at most `timeout` seconds."""
    if not _HAS_PROC:
        time.sleep(timeout)
        return
    poll = select.poll()
    handles = []
    for process in processes:
        try:
            handles.append(os.pidfd_open(process.pid))
        except OSError:
            continue
        poll.register(handles[-1], select.POLLIN)
    try:
        poll.poll(timeout * 1000)
    finally:
        for handle in handles:
            os.close(handle)
