"""A service that starts in a moment: a tiny HTTP server as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from sweeplib.orchestrate.server import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Answers /health with its process id and a word of its environment; `crash` in its folder ends it at start.
SERVER = textwrap.dedent("""
    import os, sys
    from http.server import BaseHTTPRequestHandler, HTTPServer

    if os.path.exists("crash"):
        sys.exit("the disk is on fire")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()
            self.wfile.write(f"{os.getpid()} {os.environ['WORD']}".encode())

        def log_message(self, *_):
            pass

    HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
""")


@dataclass
class Home:
    """The folder of a project's services."""

    folder: Path
    code: str = SERVER
    notes: list[str] = field(default_factory=list)

    def service(self) -> Service:
        """Return the service as another process of ours would see it."""

        def command(port: int) -> tuple[list[str], dict[str, str]]:
            return [sys.executable, "-S", "-c", self.code, str(port)], {"WORD": "hello"}

        return Service("tiny", self.folder, command, "/health")

    def ask(self, address: str) -> str:
        with urllib.request.urlopen(f"{address}/health", timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def state(self) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.folder / "tiny.json").read_text())
        return found

    def pid(self) -> int:
        return int(str(self.state()["pid"]))

    def kill(self) -> None:
        """End the service's process as a crash of it would."""
        self.kill_quietly(self.pid())
        self.await_true(lambda: self.service().address() is None, "the killed service to be gone")

    @staticmethod
    def kill_quietly(pid: int) -> None:
        """Kill a process of the service, without waiting for its end."""
        os.kill(pid, signal.SIGKILL)

    @staticmethod
    def await_true(condition: Callable[[], bool], what: str) -> None:
        """Look until `condition` holds; another process cannot be awaited otherwise."""
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, f"waited too long for {what}"
            time.sleep(0.01)

    @contextmanager
    def ended(self) -> Iterator[None]:
        """Leave no process behind."""
        try:
            yield
        finally:
            with suppress(OSError, ValueError, KeyError, TypeError):
                os.kill(self.pid(), signal.SIGKILL)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "server")
    with home.ended():
        yield home
        home.service().stop()
