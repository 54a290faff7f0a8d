"""Real MLflow servers for tests, and ways to them that are slow."""

from __future__ import annotations

import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def server(port: int, folder: Path) -> Iterator[str]:
    """Yield the address of a real MLflow server, which is killed on leaving."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/server.db"],
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            with suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=5):
                break
            assert time.monotonic() < deadline, (folder / "server.log").read_text()
            time.sleep(0.1)  # it tells nobody when it is up
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class _Late(socketserver.BaseRequestHandler):
    """Passes a connection's bytes on to another port, each answer after a while."""

    port: ClassVar[int]
    DELAY = 0.25

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as there:
            answers = threading.Thread(target=self._answer, args=(there,))
            answers.start()
            with suppress(OSError):
                while data := self.request.recv(1 << 16):
                    there.sendall(data)
                there.shutdown(socket.SHUT_WR)
            answers.join()

    def _answer(self, there: socket.socket) -> None:
        with suppress(OSError):
            while data := there.recv(1 << 16):
                time.sleep(self.DELAY)
                self.request.sendall(data)


@contextmanager
def slow(port: int) -> Iterator[str]:
    """Yield the address of a way to the server at `port` on which every answer takes its time."""
    handler = type("_LateTo", (_Late,), {"port": port})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as proxy:
        proxy.daemon_threads = True
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_address[1]}"
        finally:
            proxy.shutdown()
            thread.join()
