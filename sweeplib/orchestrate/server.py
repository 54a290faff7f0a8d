"""The project's own servers: started once, found again, ended by `sweep down`.

The Prefect server is for where none is configured. It listens on loopback only, keeps its database under
``.sweep/server/``, calls nobody, and runs with the settings under which it keeps up with us. It lives in a
session of its own, so that closing a terminal or pressing Ctrl-C does not end it. Nothing here imports
Prefect: the server is a process.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeplib.engine import Lock
from sweeplib.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = [
    "ANALYTICS_TAG",
    "HEARTBEAT",
    "HELPER_TAG",
    "POOL",
    "TAG",
    "LocalServer",
    "Service",
    "is_alive",
    "mlflow_ui",
    "prefect_server",
]

_START = 120.0  # seconds; 7 to 13 on an idle machine, many times that on a busy one
_STOP = 15.0  # seconds between TERM and KILL
_PROBE = 2.0  # seconds for one health request
_PORTS = 3  # ports that are tried
_TAKEN = os.strerror(errno.EADDRINUSE).lower().encode()

_DATABASE = "prefect.db"

_started: list[subprocess.Popen[bytes]] = []
"""What this process has started: it lives on after us, and Python would complain if we forgot it."""


POOL = "sweeps"
"""The work pool of deployments."""

TAG = "sweeplib"
"""The tag of deployments and flow runs of sweeps."""

HEARTBEAT = "prefect.flow-run.heartbeat"
"""The event by which a flow run tells that it lives."""

ANALYTICS_TAG = "sweeplib-analytics"
"""The tag of the deployment that draws results, and of its flow runs."""

HELPER_TAG = "sweeplib-helper"
"""The tag of flow runs that run combinations of a sweep in a work pool."""

_SILENCE = 120  # seconds; a flow run of ours is heard every 30, and a busy server may be a minute behind
_BEGIN = 180  # seconds; a worker's new process takes 5 to 10, and many times that on a busy machine
_NAMES = {
    "ended": ("Completed", "Failed", "Cancelled", "Crashed", "TimedOut"),
    "waiting": ("Scheduled", "AwaitingRetry", "AwaitingConcurrencySlot", "Late", "Pending", "Submitting"),
    "starting": ("Pending", "Submitting"),
}
"""Names of Prefect's states of flow runs."""


def _states(*kinds: str) -> list[str]:
    return [f"prefect.flow-run.{name}" for kind in kinds for name in _NAMES[kind]]


def _crashing(
    name: str, description: str, after: list[str], expect: list[str], within: float, message: str
) -> dict[str, Any]:
    """Return an automation that marks a flow run Crashed if no expected event comes `after` one of these."""
    tags = [f"prefect.tag.{tag}" for tag in (TAG, ANALYTICS_TAG, HELPER_TAG)]
    return {
        "name": name,
        "description": description,
        "enabled": True,
        "trigger": {
            "type": "event",
            "posture": "Proactive",
            "match": {"prefect.resource.id": "prefect.flow-run.*"},
            "match_related": {"prefect.resource.id": tags, "prefect.resource.role": "tag"},
            "for_each": ["prefect.resource.id"],
            "after": after,
            "expect": expect,
            "threshold": 1,
            "within": within,
        },
        "actions": [{"type": "change-flow-run-state", "state": "CRASHED", "message": message}],
    }


# A run's last heartbeat may be heard after its end: so what one enters that waits for its retry is expected.
_AUTOMATIONS = (
    _crashing(
        "sweeps: find crashed flow runs",
        "A flow run of a sweep that is silent for two minutes has died, and is marked Crashed.",
        [HEARTBEAT],
        [HEARTBEAT, *_states("ended", "waiting")],
        _SILENCE,
        "The process that ran this sweep has died. A retry goes on with what is not done.",
    ),
    _crashing(
        "sweeps: find flow runs that never started",
        "A flow run that a worker has taken and not started within three minutes is marked Crashed.",
        _states("starting"),
        ["prefect.flow-run.*"],
        _BEGIN,
        "The worker that was to start this run has not done so: it has ended, perhaps. A retry starts it.",
    ),
)
"""Automations of Prefect's."""


@dataclass(frozen=True, slots=True)
class Running:
    """A started service: its process, the process's start mark, and where it listens."""

    pid: int
    mark: str
    port: int


class Service:
    """A server process of the project, known by a file in `folder`.

    `command` gets the port and returns argument vector and environment; `health` is the path that
    answers when it is ready.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        command: Callable[[int], tuple[list[str], dict[str, str]]],
        health: str,
    ) -> None:
        self.name = name
        self.folder = folder
        self.log = folder / f"{name}.log"
        self._command = command
        self._health = health
        self._state = folder / f"{name}.json"

    def address(self) -> str | None:
        """Return ``http://127.0.0.1:PORT`` if the service's process lives, else None."""
        running = self._read()
        return f"http://127.0.0.1:{running.port}" if running else None

    def start(self, note: Callable[[str], None] = lambda _: None) -> str:
        """Return the address of the service, starting it if it does not run; two callers start one.

        Raises `ServerError`, naming the log, if it does not answer within two minutes.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with Lock(self.folder / f"{self.name}.lock") as lock:
            if not lock.acquire(_START):
                msg = f"another process has been starting the {self.name} server for too long; see {self.log}"
                raise ServerError(msg)
            running = self._read()
            if running is None:
                note(f"starting a local {self.name} server for this project")
                running = self._launch()
                self._furnish(f"http://127.0.0.1:{running.port}")
            self._await_health(running)
            return f"http://127.0.0.1:{running.port}"

    def _furnish(self, address: str) -> None:
        """Make what a service that was just started is to have."""

    def stop(self) -> bool:
        """End the service's process group; return whether there was one."""
        running = self._read()
        if running is None:
            return False
        for number, patience in ((signal.SIGTERM, _STOP), (signal.SIGKILL, _STOP)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, number)
            if _await_end(running, patience):
                break
        self._write({"port": running.port})  # for the next start: addresses stay valid
        return True

    def _launch(self) -> Running:
        """Start the service, on another port where somebody has taken the first before it listened there."""
        for left in reversed(range(_PORTS)):
            written = self.log.stat().st_size if self.log.exists() else 0
            running = self._spawn()
            try:
                self._await_health(running)
            except ServerError:
                if not left or self._read() or not self._lost_its_port(written):
                    raise
            else:
                break
        return running

    def _lost_its_port(self, written: int) -> bool:
        """Tell whether what the service has added to its log says so; it had `written` bytes before."""
        return _TAKEN in self.log.read_bytes()[written:].lower()

    def _spawn(self) -> Running:
        port = self._free_port()
        argv, env = self._command(port)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **env},
                cwd=self.folder,
            )
        _started.append(process)
        running = Running(process.pid, _mark(process.pid), port)
        self._write({"pid": running.pid, "mark": running.mark, "port": port})
        return running

    def _write(self, state: dict[str, Any]) -> None:
        temporary = self._state.with_suffix(".tmp")
        temporary.write_text(json.dumps(state))
        temporary.replace(self._state)

    def _free_port(self) -> int:
        """Return the port of last time if it is free, so that an open browser page stays valid."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            last = int(json.loads(self._state.read_text())["port"])
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", last))
                return last
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    def _await_health(self, running: Running) -> None:
        url = f"http://127.0.0.1:{running.port}{self._health}"
        deadline = time.monotonic() + _START
        while time.monotonic() < deadline:
            if is_alive(url):
                return
            if _mark(running.pid) != running.mark:
                break
            time.sleep(0.1)  # polling: a server has no way to tell that it is ready
        msg = f"the local {self.name} server did not start; its log is {self.log}:\n{_tail(self.log)}"
        raise ServerError(msg)

    def _read(self) -> Running | None:
        """Return the running service; a recorded process id that belongs to another process is none."""
        try:
            found = json.loads(self._state.read_text())
            running = Running(int(found["pid"]), str(found["mark"]), int(found["port"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return running if running.mark and _mark(running.pid) == running.mark else None


class LocalServer(Service):
    """The project's Prefect server.

    It has a work pool, in which `prefect worker` finds deployed runs, and automations that find flow runs of
    sweeps whose process died, or whose worker did before it started one, with nobody left to tell.
    """

    def _furnish(self, address: str) -> None:
        with contextlib.suppress(OSError):  # 409: it is there already
            _post(f"{address}/api/work_pools/", {"name": POOL, "type": "process"})
        for automation in _AUTOMATIONS:
            with contextlib.suppress(OSError):
                wanted = {"automations": {"name": {"any_": [automation["name"]]}}}
                if not _post(f"{address}/api/automations/filter", wanted):
                    _post(f"{address}/api/automations/", automation)

    def api(self) -> str | None:
        """Return the API's address if the server's process lives."""
        address = self.address()
        return f"{address}/api" if address else None


def prefect_server(project: Path) -> LocalServer:
    """Return the (perhaps not running) Prefect server of a project."""
    folder = project / ".sweep" / "server"

    def command(port: int) -> tuple[list[str], dict[str, str]]:
        argv = [sys.executable, "-m", "sweeplib.orchestrate.web", "--project", str(project)]
        argv += ["--database", str(folder / _DATABASE), "--port", str(port)]
        return argv, _prefect_environment(folder, port)

    return LocalServer("prefect", folder, command, "/api/health")


def _prefect_environment(folder: Path, port: int) -> dict[str, str]:
    """Return the settings of the local server; each line has its reason.

    Found by measurement: with the default recorder (one event a transaction) the server records about 40
    task runs a second, and drops what does not fit its queue of 10,000 events.
    """
    return {
        "PREFECT_HOME": str(folder),
        "PREFECT_PROFILES_PATH": str(folder / "profiles.toml"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_UI_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder / _DATABASE}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "NOTSET",  # which `sweep run` sets for itself
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
        # a sweep's end waits for the last batch, which is seldom full (whole seconds, and 0 would be busy)
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        # ours is the only client, and its records must not wait for events that nobody reads
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
    }


def mlflow_ui(project: Path, store: str) -> Service:
    """Return the (perhaps not running) MLflow UI over the tracking store of a project."""
    folder = project / ".sweep" / "server"

    def command(port: int) -> tuple[list[str], dict[str, str]]:
        argv = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store]
        argv += ["--default-artifact-root", str(project / "mlartifacts"), "--workers", "1"]
        return [*argv, "--host", "127.0.0.1", "--port", str(port)], {}

    return Service("mlflow", folder, command, "/health")


def _post(url: str, body: object) -> Any:
    """Return what our own server answers; raises OSError if it refuses."""
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


def is_alive(url: str) -> bool:
    """Return whether `url` answers with success within two seconds; proxies are not asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_PROBE) as answer:
            return bool(200 <= answer.status < 300)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _mark(pid: int) -> str:
    """Return what tells this process from a later one with the same id; empty if there is none."""
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # if it is our child and has ended, it must not look alive
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - hot in a polling loop
            fields = file.read().rpartition(b")")[2].split()
        return "" if fields[0] == b"Z" else fields[19].decode()
    except OSError:
        return _mark_without_proc(pid)


def _mark_without_proc(pid: int) -> str:
    command = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _await_end(running: Running, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while _mark(running.pid) == running.mark:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)
    return True


def _tail(log: Path, lines: int = 15) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"
