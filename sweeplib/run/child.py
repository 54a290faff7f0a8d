"""One command of the guard: from its request, through its start and its end, to its answer.

Loaded by the guard process: imports must stay few.
"""

from __future__ import annotations

import json
import os
import signal
import time

from sweeplib.run.files import write_atomically
from sweeplib.run.locks import lock_log, unlock_log
from sweeplib.run.spawn import Refusal, spawn
from sweeplib.run.tree import MARK, STUBBORN, Table, Tree, memory_of, start_time
from sweeplib.run.verdict import failure, file_problem, metrics, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sweeplib.run.leases import Asking, Lease
    from sweeplib.run.locks import SweepLocks
    from sweeplib.run.warm import Templates

__all__ = ["COMPLETED", "FAILED", "LOST", "TIMED_OUT", "Child"]

# The values of `sweeplib.run.model.Outcome`, which would take too long to import.
COMPLETED, FAILED, TIMED_OUT, LOST = "completed", "failed", "timed out", "lost"

_NEVER = float("inf")
_ANNOUNCE = 0.05  # seconds; shorter commands are not announced, to save a message each
_WEIGHED = 0.1  # seconds between looks at the memory of a command that has a limit
_TICK = 0.05  # seconds between looks at a tree whose leader is gone and others are not


class Child:
    """A command, named by the `id` of its request; times are on the monotonic clock.

    `answer` is None until the command is finished and its marker written.
    """

    def __init__(self, spec: dict[str, Any], locks: SweepLocks) -> None:
        """Take the request (the fields of `sweeplib.run.client.Spec`); nothing runs yet."""
        self.spec = spec
        self.answer: dict[str, Any] | None = None
        self.tree: Tree | None = None
        self.deadline = _NEVER
        self._locks = locks
        self._locked = False  # whether the sweep's lock is held for it
        self._log = -1
        self._env: dict[str, str] = {}
        self._note = ""
        self._asking: Asking | None = None
        self._lease: Lease | None = None
        self._waits = False  # whether it has to wait for devices, and that was not announced
        self._weigh_at = _NEVER
        self._ended = False  # whether the leader was waited for
        self._verdict: tuple[str, str] | None = None  # outcome and message, once it is being ended
        self._started = time.time()
        self._started_at = time.monotonic()
        self._announce_at = self._kill_at = self._check_at = _NEVER

    @property
    def due(self) -> float:
        """When this command must be looked at next."""
        return min(self.deadline, self._check_at, self._announce_at, self._weigh_at)

    @property
    def must_be_checked(self) -> bool:
        """Whether `check` has anything to do by now."""
        return self._check_at <= time.monotonic()

    def start(self, env: Mapping[str, str], templates: Templates | None) -> bool:
        """Start the command under `env`; False if it must wait: try again.

        It waits while somebody has the sweep's lock or its devices, and for the modules that it is to find
        loaded.
        """
        if not self._locked and not self._lock():
            return False
        if self.answer is None and self._log < 0:
            self._open(env)
        if self.answer is None and self.spec["gpu"] and self._lease is None:
            self._take_devices()
            if self._lease is None and self.answer is None:
                return False
        if self.answer is not None:
            return True
        pid = self._fork(templates) if templates else ""
        if pid is None:
            return False
        if isinstance(pid, str):
            self._note = f"started cold: {pid}" if pid else ""
            self._spawn()
        else:
            self._began(pid)
        return True

    def _lock(self) -> bool:
        """Take the sweep's lock; False if somebody has it."""
        try:
            self._locked = self._locks.take(self.spec["lock"])
        except OSError as error:
            self._finish(FAILED, None, file_problem("cannot lock", error))
            return True
        return self._locked

    def _open(self, env: Mapping[str, str]) -> None:
        """Open the log, and settle the environment."""
        try:
            self._log = os.open(
                self.spec["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666
            )
        except OSError as error:
            self._finish(FAILED, None, file_problem("cannot write the log file", error))
            return
        lock_log(self._log)
        whole: dict[str, str | None] = {**env, **self.spec["env"], MARK: self.spec["result"]}
        self._env = {name: value for name, value in whole.items() if value is not None}

    def _take_devices(self) -> None:
        """Lease the devices that are asked for, if they are free."""
        from sweeplib.run.leases import Asking  # which few commands need

        first = self._asking is None
        try:
            if self._asking is None:
                self._asking = Asking(self.spec["leases"], self.spec["devices"], self.spec["gpu"])
            self._lease = self._asking.lease()
        except OSError as error:
            self._finish(FAILED, None, file_problem("cannot lease a device in", error))
            return
        if self._lease:
            self._env["CUDA_VISIBLE_DEVICES"] = ",".join(self._lease.devices)
        elif first:
            self._waits = True

    def _fork(self, templates: Templates) -> int | str | None:
        spec = self.spec
        self._started, self._started_at = time.time(), time.monotonic()
        return templates.fork(spec["argv"], spec["cwd"], self._env, spec["preload"], self._log)

    def _spawn(self) -> None:
        spec = self.spec
        self._started, self._started_at = time.time(), time.monotonic()
        pid = spawn(spec["argv"], spec["cwd"], self._env, self._log)
        if isinstance(pid, Refusal):
            message = pid.message
            try:
                os.write(self._log, os.fsencode(f"{message}\n"))
            except OSError as error:
                message = f"{message}; {file_problem('the log file could not be written', error)}"
            self._finish(FAILED, pid.exit_code, message)
            return
        self._began(pid)

    def _began(self, pid: int) -> None:
        self.tree = Tree(pid, self.spec["result"])
        self._announce_at = self._started_at + _ANNOUNCE
        if self.spec["timeout"] is not None:
            self.deadline = self._started_at + self.spec["timeout"]
        if self.spec["memory"] is not None:
            self._weigh_at = self._started_at

    def announcement(self) -> dict[str, Any] | None:
        """Return a message, each kind once: ``waiting`` for devices, and ``started`` after a while."""
        if self._waits:
            self._waits = False
            return {"op": "waiting", "id": self.spec["id"]}
        if self.tree is None or self.tree.pid is None or self._announce_at > time.monotonic():
            return None
        self._announce_at = _NEVER
        since = start_time(self.tree.pid)
        return {"op": "started", "id": self.spec["id"], "pid": self.tree.pid, "since": since}

    @property
    def overrun(self) -> str:
        """What there is to say once it has run longer than its timeout."""
        note = self.spec["timeout_note"]
        return f"timed out after {self.spec['timeout']:.10g} s{note and f' ({note})'}"

    @property
    def must_be_weighed(self) -> bool:
        """Whether it is time to see how much memory it uses."""
        return self._weigh_at <= time.monotonic()

    def weigh(self, table: Table) -> str:
        """Return what is wrong with the memory that its tree uses; nothing if it keeps to its limit."""
        if self.tree is None or self.is_ending:
            self._weigh_at = _NEVER
            return ""
        self._weigh_at = time.monotonic() + _WEIGHED
        used, limit = memory_of(self.tree.find(table), self.spec["memory"]), self.spec["memory"]
        if used <= limit:
            return ""
        return f"used {size(used)} of memory, more than the {size(limit)} of its resources: ended"

    def left(self, exit_code: int) -> None:
        """Take the leader's exit code: the end, unless its tree is being ended."""
        self._ended = True
        self.deadline = self._announce_at = self._weigh_at = _NEVER
        if self.answer is not None:
            return
        if self._verdict:
            self._check_at = 0
        elif exit_code == 0:
            self._finish(COMPLETED, 0, "")
        else:
            self._finish(FAILED, exit_code, failure(exit_code, self.spec["log"]))

    @property
    def is_ending(self) -> bool:
        """Whether `end` was called, or there is nothing to end any more."""
        return self._verdict is not None or self.answer is not None

    def end(self, outcome: str, message: str, table: Table) -> None:
        """Begin to end the whole tree: TERM now, KILL after the grace; see `check`."""
        if self.tree is None:
            self._finish(outcome, None, message)
            return
        self._verdict = outcome, message
        self.deadline = self._announce_at = self._weigh_at = _NEVER
        self._kill_at = self._check_at = time.monotonic() + self.spec["grace"]
        self.tree.send(signal.SIGTERM, self.tree.find(table), leading=not self._ended)

    def hurry(self) -> None:
        """Kill the tree, if it is being ended, without waiting for the rest of its grace."""
        if self.is_ending:
            self._kill_at = self._check_at = min(self._kill_at, time.monotonic())

    def check(self, table: Table) -> None:
        """See whether the tree is gone; kill it when its grace is over."""
        now = time.monotonic()
        if self.tree is None or self._verdict is None:
            return
        found = self.tree.find(table)
        # A process slips through one look if it forks into a number already passed: look again.
        if self._ended and not found:
            found = self.tree.find(Table())
        if self._ended and self.tree.is_gone(found):
            self._finish(self._verdict[0], None, self._verdict[1])
        elif now >= self._kill_at + STUBBORN:
            names = ", ".join(str(process.pid) for process in found)
            self._finish(self._verdict[0], None, f"{self._verdict[1]}; could not be ended: processes {names}")
        elif now >= self._kill_at:
            self.tree.send(signal.SIGKILL, found, leading=not self._ended)
            self._check_at = now + _TICK
        else:
            self._check_at = min(now + _TICK, self._kill_at) if self._ended else self._kill_at

    def give_up(self, error: Exception) -> None:
        """Be lost to an error in what this process does for it; the tree is killed, if that can be done."""
        self.deadline = self._check_at = self._announce_at = self._weigh_at = _NEVER
        self._waits = False
        if self.answer is not None:
            return
        try:
            if self.tree:
                self.tree.send(signal.SIGKILL, self.tree.find(Table()), leading=not self._ended)
            self._let_go()
        except Exception:  # noqa: BLE001, S110  (the first error is told)
            pass
        message = f"the guard process failed at this command: {type(error).__name__}: {error}"
        self.answer = self._answer(LOST, None, message)

    def _finish(self, outcome: str, exit_code: int | None, message: str) -> None:
        """Write the marker, let go of the locks, and have the answer ready, in this order."""
        numbers, note = metrics(self.spec["result"]) if outcome == COMPLETED else (None, "")
        answer = self._answer(outcome, exit_code, message or note, numbers)
        marker = {**self.spec["record"], **answer, "argv": self.spec["argv"]}
        del marker["op"], marker["id"]
        try:
            write_atomically(self.spec["marker"], json.dumps(marker))
        except OSError as error:
            problem = file_problem("the done-marker could not be written", error)
            answer["message"] = "; ".join(filter(None, (answer["message"], problem)))
        self._let_go()
        self.answer = answer

    def _answer(
        self, outcome: str, exit_code: int | None, message: str, numbers: dict[str, float] | None = None
    ) -> dict[str, Any]:
        return {
            "op": "finished",
            "id": self.spec["id"],
            "outcome": outcome,
            "exit_code": exit_code,
            "started": self._started,
            "ended": self._started + time.monotonic() - self._started_at,
            "message": message,
            "metrics": numbers,
            "note": self._note,
            "pid": self.tree.pid if self.tree else None,
        }

    def _let_go(self) -> None:
        """Let go of the log, the lock and the devices, each once."""
        try:
            if self._log >= 0:
                log, self._log = self._log, -1
                unlock_log(log)
        finally:
            if self._locked:
                self._locked = False
                self._locks.drop(self.spec["lock"])
            if self._asking:
                self._asking.close()
            if self._lease:
                self._lease.close()
