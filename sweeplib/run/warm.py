"""The guard's side of templates: processes with modules loaded, from which commands are forked.

One template serves all commands that run the same script or module, with the same interpreter, options,
folder, modules and environment, but for the variables that every command has its own of. It is
loaded while the guard goes on; to fork a command from it is one request and its answer. What it
does, and what it says, stands in `sweeplib.run.template`, which is the program that it runs.

Loaded by the guard process, and only for commands that ask for it.
"""

# ruff: noqa: PTH100, PTH118, PTH120
# Importing pathlib would make the guard start a third slower.

from __future__ import annotations

import marshal
import os
import select
import signal
import socket
import time

from sweeplib.interpreter import head_length
from sweeplib.run.spawn import Refusal, spawn
from sweeplib.run.template import ROOM
from sweeplib.run.tree import MARK, adopts_orphans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Templates"]

_MOST = 4  # templates at once; each holds its modules in memory
_REMEMBERED = 64  # reasons why commands are started cold
_IDLE = 60.0  # seconds after its last command in which a template is kept
_LOADING = 120.0  # seconds in which modules must be loaded
_ANSWER = 10.0  # seconds in which a template must have forked a command
_SPARE = 4096  # bytes of room that a later command may need beyond the first one's
_ROOM = 100_000  # bytes of room at most: the system takes no longer text at a program's start
_PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "template.py")

# What every command has its own of; see `sweeplib.run.attempt` and `sweeplib.track.environment`.
_OWN = (
    MARK,
    "SWEEP_KEY",
    "SWEEP_PARAMETERS",
    "SWEEP_ATTEMPT",
    "CUDA_VISIBLE_DEVICES",
    "MLFLOW_EXPERIMENT_ID",  # the same for all, but not known when the modules begin to be loaded
    "MLFLOW_RUN_ID",
    "MLFLOW_RUN_CONTEXT",
)

_NAMES = {number.value: number.name for number in signal.Signals}

_Key = tuple[object, ...]


class _Template:
    """A template process; times are on the monotonic clock."""

    def __init__(self, modules: list[str]) -> None:
        """Start nothing yet."""
        self.pid = 0
        self.is_ready = False
        self.due = time.monotonic() + _LOADING
        self._modules = modules
        self._socket, self._theirs = socket.socketpair()
        self._socket.settimeout(_ANSWER)
        self.handle = self._socket.fileno()

    def start(self, argv: list[str], head: int, cwd: str, env: dict[str, str]) -> bool:
        """Start the process for commands such as this one; False if there can be none."""
        needed = sum(len(os.fsencode(f"{name}={env.get(name, '')}")) + 1 for name in _OWN)
        shared = {name: value for name, value in env.items() if name not in _OWN}
        shared[ROOM] = "." * min(2 * needed + _SPARE, _ROOM)
        options = argv[: head - 2] if argv[head - 2] == "-m" else argv[: head - 1]
        room = "." * min(2 * sum(len(os.fsencode(word)) + 1 for word in argv), _ROOM)
        printed = os.memfd_create("sweeplib-preload")
        try:
            self._theirs.set_inheritable(True)
            words = [*options, _PROGRAM, str(self._theirs.fileno()), room]
            pid = spawn(words, cwd, shared, printed)
        finally:
            self._theirs.close()
            os.close(printed)
        if isinstance(pid, Refusal):
            self._socket.close()
            return False
        self.pid = pid
        self._send({"modules": self._modules, "words": argv[:head], "own": list(_OWN)})
        return True

    def _send(self, message: dict[str, Any], *files: int) -> None:
        """Send a message; if the other side does not take it, there will be no answer."""
        data = marshal.dumps(message, 2)
        data = len(data).to_bytes(4, "big") + data
        try:
            sent = socket.send_fds(self._socket, [data], files)
            self._socket.sendall(data[sent:])
        except OSError:
            return

    def _receive(self) -> dict[str, Any] | None:
        """Return the next message; None if there is none in time, or will be none."""
        try:
            length = int.from_bytes(self._read(4), "big")
            message: dict[str, Any] = marshal.loads(self._read(length))  # noqa: S302  (our own)
        except (OSError, EOFError, ValueError, TypeError):
            return None
        return message

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self._socket.recv(length - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def is_loaded(self) -> str | None:
        """Return what the process has to say after loading: nothing, or why it is of no use.

        None if it ends without a word.
        """
        answer = self._receive()
        refused: str | None = answer["refused"] if answer else None
        self.is_ready = refused == ""
        return refused

    def speaks(self) -> bool:
        """Tell whether there is a message, or the end of all; from one that is ready it is the end."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def used(self) -> None:
        """Put off the time when it has had nothing to do for too long."""
        self.due = time.monotonic() + _IDLE

    def fork(self, argv: list[str], head: int, cwd: str, env: dict[str, str], log: int) -> int | str | None:
        """Fork a command; return its process number, or why there is none, None if the template failed."""
        request = {
            "argv": [os.fsencode(word) for word in argv],
            "head": head,
            "cwd": os.fsencode(cwd),
            "env": [(os.fsencode(name), os.fsencode(value)) for name, value in env.items()],
            "own": [os.fsencode(f"{name}={env[name]}") for name in _OWN if name in env],
        }
        self._send(request, log)
        answer = self._receive()
        if answer is None:
            return None
        pid: int | None = answer.get("pid")
        return str(answer["error"]) if pid is None else pid

    def close(self) -> None:
        """Let go of the process."""
        self._socket.close()

    def failure(self, exit_code: int | None = None) -> str:
        """Say that the modules could not be loaded: the process ended, or it takes too long."""
        if exit_code is None:
            how = f"it takes longer than {_LOADING:g} s"
        elif exit_code < 0:
            how = f"killed by {_NAMES.get(-exit_code, f'signal {-exit_code}')}"
        else:
            how = f"exit code {exit_code}"
        return f"preload of {', '.join(map(repr, self._modules))} failed: {how}"


class Templates:
    """The templates of a guard: a few; the one that was not used for longest makes room."""

    def __init__(self, poll: select.poll) -> None:
        """Have `poll` tell when there is something to `hear`."""
        self._poll = poll
        self._templates: dict[_Key, _Template] = {}  # the one used last stands last
        self._refused: dict[_Key, str] = {}

    @property
    def due(self) -> float:
        """When `look` has something to do next."""
        return min((template.due for template in self._templates.values()), default=float("inf"))

    def fork(
        self, argv: list[str], cwd: str, env: dict[str, str], modules: list[str], log: int
    ) -> int | str | None:
        """Fork a command; return its process number, or why it must be started cold; None: try again later.

        The reason is empty where a cold start will tell what is wrong.
        """
        head = head_length(argv)
        if head is None:
            return "preload is for commands such as python train.py or python -m train"
        if not adopts_orphans():
            return "preload works on Linux only"
        if any("\0" in text for text in (*argv, cwd, *env, *env.values())):
            return ""
        key = _key(argv[:head], cwd, env, modules)
        if key in self._refused:
            return self._refused[key]
        template = self._templates.get(key)
        if template and template.is_ready and template.speaks():
            self._take(key, template)
        template = self._templates.pop(key, None)
        if template is None:
            return self._begin(key, argv, head, cwd, env, modules) if self._has_room() else None
        self._templates[key] = template
        if not template.is_ready:
            return None
        template.used()
        answer = template.fork(argv, head, cwd, env, log)
        if answer is None:
            self._kill(key)
            return f"the process with its modules died, or did not answer within {_ANSWER:g} s"
        return answer

    def prepare(self, argv: list[str], cwd: str, env: dict[str, str], modules: list[str]) -> None:
        """Begin to load the modules for commands such as this one, where that can be done at once."""
        head = head_length(argv)
        if head is None or not adopts_orphans() or len(self._templates) >= _MOST:
            return
        if any("\0" in text for text in (*argv, cwd, *env, *env.values())):
            return
        key = _key(argv[:head], cwd, env, modules)
        if key not in self._templates and key not in self._refused:
            self._begin(key, argv, head, cwd, env, modules)

    def _has_room(self) -> bool:
        """Make room for one more, if need be and if one is not just being loaded."""
        if len(self._templates) < _MOST:
            return True
        unused = next((key for key, template in self._templates.items() if template.is_ready), None)
        if unused is not None:
            self._kill(unused)
        return unused is not None

    def _begin(
        self, key: _Key, argv: list[str], head: int, cwd: str, env: dict[str, str], modules: list[str]
    ) -> str | None:
        """Start a template; return why there can be none, or None."""
        try:
            template = _Template(modules)
            if not template.start(argv, head, cwd, env):
                return ""
        except (OSError, ValueError) as error:
            return f"there can be no process for its modules: {error}"
        self._templates[key] = template
        self._poll.register(template.handle, select.POLLIN)
        return None

    def _kill(self, key: _Key) -> None:
        template = self._forget(key)
        os.kill(template.pid, signal.SIGKILL)  # not waited for: the number is its own

    def _forget(self, key: _Key) -> _Template:
        template = self._templates.pop(key)
        self._poll.unregister(template.handle)
        template.close()
        return template

    def _refuse(self, key: _Key, reason: str) -> None:
        self._refused[key] = reason
        if len(self._refused) > _REMEMBERED:
            del self._refused[next(iter(self._refused))]

    def hear(self, handle: int) -> bool:
        """Take what a template says over the socket `handle`; False if there is no such template."""
        for key, template in list(self._templates.items()):
            if template.handle == handle:
                if template.speaks():  # the number may be that of another one a moment ago
                    self._take(key, template)
                return True
        return False

    def _take(self, key: _Key, template: _Template) -> None:
        refused = None if template.is_ready else template.is_loaded()
        if refused:
            self._kill(key)
            self._refuse(key, refused)
        elif refused is None:  # it has closed its socket, so it ends or is of no use
            exit_code = _end(template.pid)
            self._forget(key)
            if not template.is_ready:
                self._refuse(key, template.failure(exit_code))
        else:
            template.used()

    def left(self, pid: int, exit_code: int) -> None:
        """Take the exit code of a process that may be a template."""
        for key, template in list(self._templates.items()):
            if template.pid == pid:
                self._forget(key)
                if not template.is_ready:
                    self._refuse(key, template.failure(exit_code))

    def look(self) -> None:
        """End what takes too long to load, and what has not been used for long."""
        now = time.monotonic()
        for key, template in list(self._templates.items()):
            if template.due <= now:
                self._kill(key)
                if not template.is_ready:
                    self._refuse(key, template.failure())

    def close(self) -> None:
        """End all of them; nobody needs to wait until the system has their memory back."""
        for key in list(self._templates):
            self._kill(key)


def _key(head: list[str], cwd: str, env: dict[str, str], modules: list[str]) -> _Key:
    """Return what commands that are forked from one template have in common."""
    shared = tuple(sorted((name, value) for name, value in env.items() if name not in _OWN))
    return (tuple(head), cwd, tuple(modules), shared)


def _end(pid: int) -> int:
    """Return the exit code of a process that is ending: with the code it had, if it had one already."""
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
