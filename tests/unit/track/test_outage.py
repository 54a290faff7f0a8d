"""A tracking server that goes away in the middle, comes back, and goes away for good."""

from __future__ import annotations

import re
import socket
import time
from typing import TYPE_CHECKING

from sweeplib.engine import EndedRun
from sweeplib.run.model import Outcome
from sweeplib.track import MlflowTracker, make_tracker
from tests.mlflow_servers import server, slow

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def test_a_slow_server_holds_up_few_commands_and_loses_none(
    kit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    with server(port, folder), slow(port) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        tracker = MlflowTracker(folder, patience=(60, 1))
        try:
            tracker.begin(kit.sweep())
            tracker.open([kit.run("first")])
            assert "MLFLOW_RUN_ID" in tracker.environment("first")
            tracker.end(kit.attempt("first"))
            began = time.monotonic()
            keys = [f"c{number}" for number in range(20)]
            for key in keys:
                tracker.open([kit.run(key)])
                assert "MLFLOW_TRACKING_URI" in tracker.environment(key)
                tracker.end(kit.attempt(key))
            assert time.monotonic() - began < 2, "each of them alone would wait half a second"
            said: list[str] = []
            assert tracker.finish("completed", 5, said.append) == []
            assert said, "it takes longer than the five seconds, and says so"
            assert {re.sub("[0-9]+", "N", text) for text in said} == {
                "MLflow is still recording: N combinations to go"
            }
            assert sorted(each.key for each in tracker.drain()) == sorted([*keys, "first"])
        finally:
            tracker.close()
    rows = [row for row in kit.rows(folder / "server.db") if "sweep.key" in row.tags]
    assert sorted(row.tags["sweep.key"] for row in rows) == sorted([*keys, "first"])
    assert {row.status for row in rows} == {"FINISHED"}


def test_an_outage_delays_nothing_and_loses_nothing(
    kit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
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
        tracker.report(kit.sweep(state="failed", ended=round(now, 3)), owed)
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
    parents = {row.name: (row.status, row.ended) for row in rows if "sweep.key" not in row.tags}
    assert parents["train-s1"] == ("FAILED", round(now, 3)), "as the sweep ended, and when"
    assert parents["train-s2"][0] == "FINISHED"
