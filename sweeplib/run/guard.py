"""The guard: a helper process that starts commands, watches them, and outlives nobody.

It is started by `sweeplib.run.client`, serves one parent process, and reads requests from a socket
on its standard input, one JSON object a line:

``env``     ``set``, ``unset``: the parent's environment changed
``start``   ``id`` and the fields of `sweeplib.run.client.Spec`
``warm``    ``argv``, ``cwd``, ``env``, ``preload``: commands such as this one will come
``end``     ``id`` (or null) and ``sweep`` (or null: every command), ``outcome``, ``message``;
            ``at_once``: whether those that are being ended are killed now

and answers with ``ready``, ``waiting`` (for commands whose devices are not free), ``started`` (only for
commands that live long enough to be worth it) and ``finished``. A command's done-marker is written before
``finished`` is sent. When the socket closes or the parent dies, every running command's process tree is
ended, and then the guard ends.

Runs alone in its process with one thread; imports must stay few, so that it starts fast.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time

from sweeplib.run.child import FAILED, LOST, TIMED_OUT, Child
from sweeplib.run.locks import SweepLocks
from sweeplib.run.open_files import raise_limit
from sweeplib.run.tree import Table, become_subreaper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sweeplib.run.warm import Templates

__all__ = ["main"]

_RETRY = 0.05  # seconds between tries to lock a sweep
_FAREWELL = 5.0  # seconds in which a parent that closed may take the last answers


class Channel:
    """The socket to the parent: whole lines in, lines out; never blocks."""

    def __init__(self, handle: int) -> None:
        """Talk over the socket `handle`."""
        self.handle = handle
        self._open = True
        self.unsent = b""
        self._unread = b""
        os.set_blocking(handle, False)

    def is_open(self) -> bool:
        """Tell whether requests can still come."""
        return self._open

    def close(self) -> None:
        """Take no more requests."""
        self._open = False

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests that arrived; `is_open` turns False when no more can come."""
        try:
            data = os.read(self.handle, 1 << 16)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self._open = False
        *lines, self._unread = (self._unread + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def send(self, message: dict[str, Any]) -> None:
        """Send a message, or keep it until the parent reads again."""
        self.unsent += json.dumps(message).encode() + b"\n"
        self.flush()

    def flush(self) -> None:
        """Send what is kept; a parent that is gone needs no answers."""
        try:
            while self.unsent:
                self.unsent = self.unsent[os.write(self.handle, self.unsent) :]
        except BlockingIOError:
            return
        except OSError:
            self.unsent = b""

    def drain(self, timeout: float) -> None:
        """Send what is kept, waiting for the parent at most `timeout` seconds."""
        poll = select.poll()
        poll.register(self.handle, select.POLLOUT)
        end = time.monotonic() + timeout
        while self.unsent and (left := end - time.monotonic()) > 0:
            poll.poll(left * 1000)
            self.flush()


class Loop:
    """The guard's main loop."""

    def __init__(self, channel: int, parent: int) -> None:
        """Serve the process `parent` over the socket `channel`."""
        self._channel = Channel(channel)
        self._env = dict(os.environ)
        self._locks = SweepLocks()
        self._children: dict[int, Child] = {}  # by the number of their request
        self._leaders: dict[int, Child] = {}  # those whose leader lives, by its process number
        self._waiting: list[Child] = []  # those that wait for the lock of their sweep, or their modules
        self._templates: Templates | None = None
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)
        self._wakeup = self._watch_children()
        self._parent = self._watch_parent(parent)

    def _watch_children(self) -> int:
        wakeup, end = os.pipe()
        os.set_blocking(wakeup, False)
        os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(end, warn_on_full_buffer=False)
        self._poll.register(wakeup, select.POLLIN)
        return wakeup

    def _watch_parent(self, parent: int) -> int:
        """Notice the parent's death also where a process that it forked keeps the socket open."""
        handle = -1
        if hasattr(os, "pidfd_open") and os.getppid() == parent:
            handle = os.pidfd_open(parent)
            self._poll.register(handle, select.POLLIN)
        if os.getppid() != parent:
            self._channel.close()
        return handle

    def run(self) -> None:
        """Serve until the parent is gone and nothing runs any more."""
        self._channel.send({"op": "ready"})
        while self._channel.is_open() or self._children:
            if not self._channel.is_open():
                self._end(lambda _: True, LOST, "the process that ran this command died")
            self._wait()
            self._reap()
            self._look()
            self._answer()
        if self._templates:
            self._templates.close()
        self._channel.drain(_FAREWELL)

    def _wait(self) -> None:
        """Sleep until something happens or is due, and serve the requests that came."""
        due = min((child.due for child in self._children.values()), default=float("inf"))
        if self._waiting:
            due = min(due, time.monotonic() + _RETRY)
        if self._templates:
            due = min(due, self._templates.due)
        timeout = None if due == float("inf") else max(0.0, due - time.monotonic()) * 1000 + 1
        if self._channel.is_open():
            events = select.POLLIN | select.POLLOUT if self._channel.unsent else select.POLLIN
            self._poll.modify(self._channel.handle, events)
        for handle, events in self._poll.poll(timeout):
            if handle == self._wakeup:
                os.read(handle, 4096)
            elif handle == self._parent:
                self._channel.close()
                self._poll.unregister(handle)
            elif self._templates and self._templates.hear(handle):
                continue
            elif handle != self._channel.handle:
                continue  # a template's that was ended just now
            elif not self._channel.is_open():
                self._poll.unregister(handle)
            elif events != select.POLLOUT:
                for request in self._channel.requests():
                    self._serve(request)
                if not self._channel.is_open():
                    self._poll.unregister(handle)

    def _serve(self, request: dict[str, Any]) -> None:
        if request["op"] == "env":
            self._env.update(request["set"])
            for name in request["unset"]:
                self._env.pop(name, None)
        elif request["op"] == "warm":
            env = {**self._env, **request["env"]}
            shared = {name: value for name, value in env.items() if value is not None}
            self._warm().prepare(request["argv"], request["cwd"], shared, request["preload"])
        elif request["op"] == "start":
            child = self._children[request["id"]] = Child(request, self._locks)
            self._start(child)
        else:
            number, sweep = request["id"], request["sweep"]

            def is_meant(child: Child) -> bool:
                return number in (None, child.spec["id"]) and sweep in (None, child.spec["sweep"])

            self._end(is_meant, request["outcome"], request["message"])
            if request["at_once"]:
                for child in filter(is_meant, self._children.values()):
                    child.hurry()

    def _start(self, child: Child) -> None:
        templates = self._warm() if child.spec["preload"] else None
        if self._have(child, child.start, self._env, templates) is False:
            self._waiting.append(child)
        elif child.tree and child.tree.pid is not None:
            self._leaders[child.tree.pid] = child

    def _have(self, child: Child, act: Callable[..., Any], *given: object) -> Any:
        """Return what something that is done for a command comes to; an error costs that command alone.

        What a command and its files may do is not all foreseen, and every other command ends with this
        process.
        """
        try:
            return act(*given)
        except Exception as error:  # noqa: BLE001  (told in the command's answer)
            child.give_up(error)
            return None

    def _warm(self) -> Templates:
        if self._templates is None:
            from sweeplib.run.warm import Templates  # which few sweeps need

            self._templates = Templates(self._poll)
        return self._templates

    def _reap(self) -> None:
        """Take the exit codes of processes that ended, also of orphans that came to us."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._leaders.pop(pid, None)
            if child:
                self._have(child, child.left, os.waitstatus_to_exitcode(status))
            elif self._templates:
                self._templates.left(pid, os.waitstatus_to_exitcode(status))

    def _end(self, is_meant: Callable[[Child], bool], outcome: str, message: str) -> None:
        """Begin to end the commands that `is_meant` tells, but those that ended by themselves."""
        self._reap()
        meant = [child for child in self._children.values() if not child.is_ending and is_meant(child)]
        self._waiting = [child for child in self._waiting if child not in meant]
        table = Table() if any(child.tree for child in meant) else Table(empty=True)
        for child in meant:
            self._have(child, child.end, outcome, message or child.overrun, table)

    def _look(self) -> None:
        """Do what is due: locks to try again, timeouts, announcements, trees being ended."""
        if self._templates:
            self._templates.look()
        waiting, self._waiting = self._waiting, []
        for child in waiting:
            self._start(child)
        now = time.monotonic()
        if any(child.deadline <= now for child in self._children.values()):
            self._end(lambda child: child.deadline <= now, TIMED_OUT, "")
        self._weigh()
        for child in self._children.values():
            if message := self._have(child, child.announcement):
                self._channel.send(message)
        checked = [child for child in self._children.values() if child.must_be_checked]
        table = Table() if checked else Table(empty=True)
        for child in checked:
            self._have(child, child.check, table)

    def _weigh(self) -> None:
        """End the commands that use more memory than they may."""
        heavy = [child for child in self._children.values() if child.must_be_weighed]
        table = Table() if heavy else Table(empty=True)
        for child in heavy:
            if message := self._have(child, child.weigh, table):
                self._have(child, child.end, FAILED, message, table)

    def _answer(self) -> None:
        """Send what is finished, and what could not be sent before."""
        for number, child in list(self._children.items()):
            if child.answer:
                del self._children[number]
                self._channel.send(child.answer)
        self._channel.flush()


def main(parent: int, files: int) -> None:
    """Serve the process `parent` over standard input, then end this process.

    Of commands, each may have so many `files` open.
    """
    raise_limit(files)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    become_subreaper()
    channel = os.dup(0)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    Loop(channel, parent).run()
    os._exit(0)
