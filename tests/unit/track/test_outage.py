"""A tracking server that goes away in the middle, comes back, and goes away for good."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sweeplib.engine import EndedRun
from sweeplib.run.model import Outcome
from sweeplib.track import make_tracker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest


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


def test_an_outage_delays_nothing_and_loses_nothing(
    kit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    with make_tracker(folder) as tracker:
        with server(port, folder):
            tracker.begin(kit.sweep())
            tracker.open([kit.run("aa"), kit.run("bb")])
            run_id = tracker.environment("aa")["MLFLOW_RUN_ID"]
            assert "MLFLOW_RUN_ID" in tracker.environment("bb")
            tracker.end(kit.attempt("aa"))
            kit.wait_for(tracker, 1)
        tracker.open([kit.run("cc")])
        assert "MLFLOW_RUN_ID" not in tracker.environment("cc")
        began = time.monotonic()
        tracker.open([kit.run(f"c{number}") for number in range(20)])
        assert all("MLFLOW_RUN_ID" not in tracker.environment(f"c{number}") for number in range(20))
        tracker.end(kit.attempt("bb", Outcome.FAILED, exit_code=1))
        tracker.end(kit.attempt("cc"))
        assert time.monotonic() - began < 1
        with server(port, folder):
            kit.wait_for(tracker, 2)
        for number in range(2):
            tracker.end(kit.attempt(f"c{number}"))
        began = time.monotonic()
        (note,) = tracker.finish("failed", 30)
        assert time.monotonic() - began < 25
        assert tracker.drain() == []
    assert note.startswith("MLflow did not answer (MlflowException: API request to http://127.0.0.1:")
    assert note.endswith("): 2 combinations will be reported by the next run; see .sweep/mlflow.log")

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/server.db")  # saves the third start
    now = time.time()
    owed = [
        EndedRun(
            key=f"c{number}",
            label=f"c{number}",
            parameters={},
            run_id=None,
            outcome=Outcome.COMPLETED,
            exit_code=0,
            started=now - 1,
            ended=now,
        )
        for number in range(2)
    ]
    with make_tracker(folder) as tracker:
        tracker.begin(kit.sweep(id="S2", tag="train-s2"))
        tracker.report(kit.sweep(), owed)
        assert tracker.finish("completed", 60) == []
        assert [each.key for each in tracker.drain()] == ["c0", "c1"]
    rows = kit.rows(folder / "server.db")
    children = {row.tags["sweep.key"]: row for row in rows if "sweep.key" in row.tags}
    assert children["aa"].id == run_id
    assert [(key, row.status) for key, row in sorted(children.items())] == [
        ("aa", "FINISHED"),
        ("bb", "FAILED"),
        ("c0", "FINISHED"),
        ("c1", "FINISHED"),
        ("cc", "FINISHED"),
    ]
    parents = {row.name: row.status for row in rows if "sweep.key" not in row.tags}
    assert parents == {"train-s1": "FINISHED", "train-s2": "FINISHED"}
