"""The parent's side of the guard process: start it, hand it commands, take their ends.

One guard serves a whole process, all its threads at once, and is started when the first command needs
it. If it dies, its commands are ended from here, their outcome is `lost`, and the next command gets a
new guard.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sweeplib.errors import GuardError
from sweeplib.run.model import Outcome
from sweeplib.run.open_files import raise_limit
from sweeplib.run.tree import Tree, end_strays

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Finished", "Guard", "Running", "Spec"]

_START_TIMEOUT = 60.0  # seconds that a guard may take to start; it takes 0.02 on an idle machine
_HERE = Path(__file__).resolve().parent

# Only the guard's own modules are imported, from our folder, under their real names and with their
# compiled files: neither the packages' __init__ nor anything of the user's is touched.
_BOOT = """import sys
for name, path in zip(("sweeplib", "sweeplib.run"), sys.argv[2:4]):
    sys.modules[name] = type(sys)(name)
    sys.modules[name].__path__ = [path]
from sweeplib.run.guard import main
main(int(sys.argv[4]), int(sys.argv[5]))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A command as the guard needs it; all paths absolute, times in seconds.

    `log` takes all output; `marker` is the file of the done-marker, which holds `record` and the
    command's end; `result` is where the command may leave numbers; `lock` is the workers' lock of the
    sweep. `env` is laid over this process's environment, None takes a variable out. `preload` names modules
    that the command, one of Python, is to find loaded. `memory` is how many bytes its process tree may use,
    `gpu` how many of `devices`, or which share of one, it has to itself; leases are files of `leases`.
    `timeout_note` is said, in brackets, of one that timed out.
    """

    sweep: str
    argv: list[str]
    cwd: str
    log: str
    marker: str
    result: str
    lock: str
    env: dict[str, str | None] = field(default_factory=dict)
    record: dict[str, object] = field(default_factory=dict)
    timeout: float | None = None
    grace: float = 5.0
    preload: list[str] = field(default_factory=list)
    memory: int | None = None
    gpu: float | None = None
    devices: list[str] = field(default_factory=list)
    leases: str = ""
    timeout_note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a command ended: the fields of `Attempt` that the guard knows.

    `pid` is None if it was never started.
    """

    outcome: Outcome
    exit_code: int | None
    started: float
    ended: float
    message: str
    metrics: dict[str, float] | None = None
    note: str = ""
    pid: int | None = None


class Running:
    """A command that was handed to the guard."""

    def __init__(self, helper: _Helper, number: int, spec: Spec) -> None:
        """Made by `Guard.start`."""
        self.spec = spec
        self.number = number
        self.began = time.time()
        self.tree: Tree | None = None
        self._waits_since: float | None = None
        self._helper = helper
        self._done = threading.Event()
        self._finished: Finished | None = None

    def wait(self, timeout: float | None = None) -> Finished | None:
        """Return how the command ended, or None if it has not within `timeout` seconds."""
        self._done.wait(timeout)
        return self._finished

    def terminate(self, outcome: Outcome = Outcome.CANCELLED, message: str = "cancelled") -> None:
        """Begin to end the command's process tree; `wait` tells when it is gone.

        The outcome and message become those given, unless the command ended by itself before.
        """
        self._helper.end(self.number, None, outcome, message)

    @property
    def waited(self) -> float:
        """For how many seconds it has waited for devices, if it still does."""
        if self._waits_since is None or self.tree is not None or self._finished is not None:
            return 0.0
        return time.monotonic() - self._waits_since

    def wait_for_devices(self) -> None:
        """Take that the devices are not free (called by the guard's reader)."""
        self._waits_since = time.monotonic()

    def finish(self, finished: Finished) -> None:
        """Take the end of the command (called by the guard's reader)."""
        self._finished = finished
        self._done.set()


class _Helper:
    """One guard process, with the thread that reads its answers."""

    def __init__(self) -> None:
        """Start the process and wait until it serves; raises GuardError."""
        self.alive = True
        self.running: dict[int, Running] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._env = _environment()
        self._errors = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  closed by `release`
        self._socket, theirs = socket.socketpair()
        with theirs:
            self.process = self._start(theirs)
        self._unread = b""
        self._await_ready()
        self._reader = threading.Thread(target=self._read, name="sweeplib-guard", daemon=True)
        try:
            self._reader.start()
        except RuntimeError as error:  # the interpreter is shutting down
            self._socket.close()
            raise GuardError(f"the guard process cannot be watched: {error}") from error

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        # Isolated from the user's modules and settings, but for these two.
        options = ["-X", f"utf8={sys.flags.utf8_mode}", *(["-B"] if sys.dont_write_bytecode else [])]
        argv = [sys.executable, "-I", "-S", *options, "-c", _BOOT, "sweeplib-guard"]
        try:
            return subprocess.Popen(
                [*argv, str(_HERE.parent), str(_HERE), str(os.getpid()), str(raise_limit())],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._errors.fileno(),
                cwd="/",
                env=self._env,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self.release()
            message = f"the guard process cannot be started with {sys.executable!r}: {error}"
            raise GuardError(message) from error

    def _await_ready(self) -> None:
        self._socket.settimeout(_START_TIMEOUT)
        try:
            ready = self._receive()
        except TimeoutError:
            ready = []
        if ready:
            self._socket.settimeout(None)
            return
        self.process.kill()
        self.process.wait()
        trouble = self._last_words() or f"it did not answer within {_START_TIMEOUT:g} s"
        self.release()
        raise GuardError(f"the guard process ended at its start: {trouble}")

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")

    def start(self, spec: Spec) -> Running:
        """Hand a command to the process; raises OSError if it is dead."""
        with self._lock:
            if not self.alive:
                raise BrokenPipeError
            running = Running(self, next(self._numbers), spec)
            self.running[running.number] = running
            try:
                self._send_environment()
                fields = {name: getattr(spec, name) for name in Spec.__slots__}
                self._send({"op": "start", "id": running.number, **fields})
            except OSError:
                del self.running[running.number]
                self.alive = False
                raise
            return running

    def prepare(self, argv: list[str], cwd: str, env: Mapping[str, str | None], preload: list[str]) -> None:
        """Tell of commands that will come; a dead process need not know."""
        with self._lock, contextlib.suppress(OSError):
            self._send_environment()
            self._send({"op": "warm", "argv": argv, "cwd": cwd, "env": dict(env), "preload": preload})

    def end(
        self,
        number: int | None,
        sweep: str | None,
        outcome: Outcome,
        message: str,
        *,
        at_once: bool = False,
    ) -> None:
        """Ask to end one command, or those of a sweep, or all; a dead guard has none."""
        with self._lock:
            self._send_end(number, sweep, outcome, message, at_once=at_once)

    def _send_end(
        self, number: int | None, sweep: str | None, outcome: Outcome, message: str, *, at_once: bool
    ) -> None:
        request = {
            "op": "end",
            "id": number,
            "sweep": sweep,
            "outcome": outcome,
            "message": message,
            "at_once": at_once,
        }
        with contextlib.suppress(OSError):
            self._send(request)

    def close(self) -> None:
        """End all commands and the process; returns when they are gone."""
        with self._lock:
            self.alive = False
            self._send_end(None, None, Outcome.CANCELLED, "cancelled", at_once=False)
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)
        self._reader.join()

    def _send_environment(self) -> None:
        now = _environment()
        if now == self._env:
            return
        changed = {name: value for name, value in now.items() if self._env.get(name) != value}
        gone = [os.fsdecode(name) for name in self._env if name not in now]
        decoded = {os.fsdecode(name): os.fsdecode(value) for name, value in changed.items()}
        self._send({"op": "env", "set": decoded, "unset": gone})
        self._env = now

    def _send(self, message: dict[str, Any]) -> None:
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def _read(self) -> None:
        """Take answers until the process is gone (body of the reader's thread)."""
        while lines := self._receive():
            for line in lines:
                self._take(json.loads(line))
        with self._lock:
            self.alive = False
            left = list(self.running.values())
            self.running.clear()
        self.process.wait()
        self._lose(left)
        self.release()

    def _receive(self) -> list[bytes]:
        """Return the next whole lines; none when the process is gone. Raises TimeoutError."""
        while True:
            try:
                data = self._socket.recv(1 << 16)
            except TimeoutError:
                raise
            except OSError:
                data = b""
            *lines, self._unread = (self._unread + data).split(b"\n")
            if lines or not data:
                return lines

    def _take(self, answer: dict[str, Any]) -> None:
        op, number = answer.pop("op"), answer.pop("id")
        running = self.running.get(number)
        if running is None:
            return
        if op == "started":
            running.tree = Tree(answer["pid"], running.spec.result, answer["since"])
        elif op == "waiting":
            running.wait_for_devices()
        else:
            del self.running[number]
            running.finish(Finished(**{**answer, "outcome": Outcome(answer["outcome"])}))

    def _lose(self, left: list[Running]) -> None:
        """End the commands that the process left behind when it died."""
        if not left:
            return
        trees = [running.tree or Tree(None, running.spec.result) for running in left]
        end_strays(trees, max(running.spec.grace for running in left))
        code = self.process.returncode
        message = f"the guard process died under this command (exit code {code})"
        if words := self._last_words():
            message += f": {words}"
        for running in left:
            running.finish(
                Finished(
                    outcome=Outcome.LOST,
                    exit_code=None,
                    started=running.began,
                    ended=time.time(),
                    message=message,
                    pid=running.tree.pid if running.tree else None,
                )
            )

    def release(self) -> None:
        """Close what belongs to this side."""
        self._socket.close()
        self._errors.close()

    def forget(self) -> None:
        """Let go of everything in a process that was forked from the one that owns it."""
        self.process.returncode = 0
        self.release()


class Guard:
    """The guard of this process; see `shared`."""

    _shared: ClassVar[Guard | None] = None
    _shared_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        """Start nothing yet."""
        self._helper: _Helper | None = None
        self._lock = threading.Lock()

    @classmethod
    def shared(cls) -> Guard:
        """Return the guard that all threads of this process use; a forked process gets its own."""
        with cls._shared_lock:
            if cls._shared is None:
                cls._shared = cls()
                atexit.register(cls._shared.close)
            return cls._shared

    @classmethod
    def after_fork(cls) -> None:
        """Let a forked process forget its parent's guard, whose locks other threads may hold."""
        cls._shared_lock = threading.Lock()
        shared, cls._shared = cls._shared, None
        if shared:
            shared.forget()

    def forget(self) -> None:
        """Let go of a guard process that is another process's."""
        atexit.unregister(self.close)
        helper, self._helper = self._helper, None
        if helper:
            helper.forget()

    @property
    def pid(self) -> int | None:
        """The number of the guard process; None while there is none."""
        helper = self._helper
        return helper.process.pid if helper and helper.alive else None

    def start(self, spec: Spec) -> Running:
        """Start a command, and the guard process if there is none.

        Raises GuardError if no guard process can be started. A command that cannot be started is no
        error: it finishes with outcome `failed`.
        """
        for _ in range(3):
            try:
                return self._serving().start(spec)
            except OSError:  # the guard died this moment and took no notice of the command
                continue
        raise GuardError("the guard process died three times before it took a command")

    def prepare(self, argv: list[str], cwd: str, env: Mapping[str, str | None], preload: list[str]) -> None:
        """Begin to load the modules that commands such as this one are to find loaded.

        The arguments are as in `Spec`, without what every command has its own of.
        """
        with contextlib.suppress(GuardError):  # the first command will say it
            self._serving().prepare(argv, cwd, env, preload)

    def terminate_sweep(self, sweep: str, message: str = "cancelled", *, at_once: bool = False) -> None:
        """Begin to end all running commands of a sweep, with outcome `cancelled`.

        They have their grace, unless it is to be done `at_once`, also with those that are being ended.
        """
        helper = self._helper
        if helper:
            helper.end(None, sweep, Outcome.CANCELLED, message, at_once=at_once)

    def close(self) -> None:
        """End all commands and the guard process; the next `start` gets a new one."""
        with self._lock:
            helper, self._helper = self._helper, None
        if helper:
            helper.close()

    def _serving(self) -> _Helper:
        with self._lock:
            if self._helper is None or not self._helper.alive:
                self._helper = _Helper()
            return self._helper


os.register_at_fork(after_in_child=Guard.after_fork)


def _environment() -> dict[bytes, bytes]:
    """Return this process's environment as it is now, at little cost.

    `os.environ` keeps encoded names and values in a dict; reading it through its public face
    decodes every one of them, which is a tenth of the time that a short command takes.
    """
    data: dict[bytes, bytes] | None = getattr(os.environ, "_data", None)
    return dict(os.environb) if data is None else data.copy()
