"""Sweeps in a real MLflow store (SQLite), with real scripts."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.engine import Acknowledged, EndedRun
from sweeplib.run.model import Outcome
from sweeplib.track import MlflowTracker, make_tracker, metrics_of, start_ahead

if TYPE_CHECKING:
    import pytest

TRAIN = """
import mlflow
mlflow.log_param("lr", 0.001)
mlflow.log_metric("accuracy", 0.9)
mlflow.log_metrics({"gap": float("-inf"), "loss": float("inf")})
raise SystemExit(3)
"""
EXPERIMENTS = """
import mlflow
mlflow.set_experiment("train")
with mlflow.start_run():
    mlflow.log_metric("accuracy", 0.8)
with mlflow.start_run(run_name="evaluation"):
    mlflow.log_metric("accuracy", 0.1)
"""
ELSEWHERE = """
import mlflow
mlflow.set_experiment("my own experiment")
mlflow.log_metric("accuracy", 0.7)
"""
OWN = """
import mlflow
mlflow.set_experiment("hydra app")
for seed in range(2):
    with mlflow.start_run(run_name=f"seed={seed}"):
        mlflow.log_metrics({"accuracy": 0.5 + seed, f"only_{seed}": 1})
"""


def alive(pid: str) -> bool:
    """Tell whether a process that is nobody's child runs; one that waits to be reaped does not."""
    try:
        return bool(Path("/proc", pid, "cmdline").read_bytes())
    except OSError:
        return False


def test_scripts_log_into_the_run_that_was_opened_for_them(
    kit, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    patch = folder / "git.patch"
    patch.write_text("what was not committed")
    runs = [
        kit.run("aa", lr="1e-3", n="2"),
        kit.run("bb", lr="1e-4", n="2"),
        kit.run("cc", lr="1e-5", n="2"),
        kit.run("dd", lr="1e-6", n="2"),
        kit.run("ee", lr="1e-7", n="2"),
    ]
    with make_tracker(folder) as tracker:
        tags = {"mlflow.source.git.commit": "c0ffee", "sweep.dirty": "true", "a/b@c": "x" * 9000}
        tracker.begin(kit.sweep(tags=tags, patch=str(patch)))
        tracker.open(runs)
        scripts = [
            kit.script(code, tracker.environment(key), tmp_path / "elsewhere")
            for key, code in (("aa", TRAIN), ("bb", EXPERIMENTS), ("cc", ELSEWHERE))
        ]
        assert tracker.environment("aa") == tracker.environment("aa")  # a second attempt goes on in the run
        printed = [each.communicate()[0] for each in scripts]
        assert [each.returncode for each in scripts] == [3, 0, 1], printed
        assert "active experiment ID does not match environment run ID" in printed[2]
        tracker.environment("dd")
        attempts = [
            kit.attempt("aa", Outcome.FAILED, exit_code=3),
            kit.attempt("bb", metrics={"returned": 7.0}),
            kit.attempt("cc", Outcome.TIMED_OUT, exit_code=-15),
            kit.attempt("dd", Outcome.CANCELLED, exit_code=None),
        ]
        for attempt in attempts:
            tracker.end(attempt)
        assert tracker.finish("failed", 60) == []
        stored = tracker.drain()
        assert tracker.worker_pid is None
    assert capfd.readouterr() == ("", "")

    parent, *children = kit.rows(folder / "mlflow.db")
    assert (parent.experiment, parent.name, parent.status) == ("train", "train-s1", "FAILED")
    expected = {
        "mlflow.source.git.commit": "c0ffee",
        "sweep.dirty": "true",
        "a/b_c": "x" * 5000,
        "sweep.id": "S1",
        "sweep.tag": "train-s1",
        "sweep.job": "train",
        "sweep.total": "3",
        "mlflow.runName": "train-s1",
    }
    assert parent.tags == expected
    artifacts = Path(parent.artifacts.removeprefix("file://").replace("%20", " "))
    assert artifacts.is_relative_to(folder / "mlruns")
    assert [file.read_text() for file in artifacts.iterdir()] == ["what was not committed"]

    ours = {row.tags["sweep.key"]: row for row in children if "sweep.key" in row.tags}
    assert [(key, row.status) for key, row in sorted(ours.items())] == [
        ("aa", "FAILED"),
        ("bb", "FINISHED"),
        ("cc", "FAILED"),
        ("dd", "KILLED"),
    ]  # ee was opened and never handed out: its run is deleted
    assert [row.ended for _, row in sorted(ours.items())] == [attempt.ended for attempt in attempts]
    assert {row.tags["mlflow.parentRunId"] for row in ours.values()} == {parent.id}
    assert ours["aa"].tags == {
        "mlflow.parentRunId": parent.id,
        "mlflow.runName": "lr=1e-3 n=2",
        "sweep.id": "S1",
        "sweep.tag": "train-s1",
        "sweep.key": "aa",
        "sweep.job": "train",
        "sweep.outcome": "failed",
        "sweep.exit_code": "3",
        "sweep.seconds": "2.000",
    }
    assert ours["aa"].params == {"lr": "0.001", "n": "2"}  # the script's own text is left as it is
    assert ours["bb"].params == {"lr": "1e-4", "n": "2"}
    (evaluation,) = [row for row in children if "sweep.key" not in row.tags]
    assert (evaluation.name, evaluation.tags["mlflow.parentRunId"]) == ("evaluation", ours["bb"].id)
    logged = {"accuracy": 0.9, "gap": -math.inf, "loss": math.inf}  # the database holds ±1.797e308
    assert sorted(stored, key=lambda each: each.key) == [
        Acknowledged(sweep="S1", key="aa", run_id=ours["aa"].id, metrics=logged),
        Acknowledged(sweep="S1", key="bb", run_id=ours["bb"].id, metrics={"accuracy": 0.8, "returned": 7.0}),
        Acknowledged(sweep="S1", key="cc", run_id=ours["cc"].id, metrics={}),
        Acknowledged(sweep="S1", key="dd", run_id=ours["dd"].id, metrics={}),
    ]
    assert metrics_of(folder, ["S1", "S2"]) == {
        ("S1", "aa"): logged,
        ("S1", "bb"): {"accuracy": 0.8, "returned": 7.0},
    }


def test_commands_that_open_their_own_runs_get_tags_and_no_run_of_ours(
    kit, folder: Path, tmp_path: Path
) -> None:
    with make_tracker(folder) as tracker:
        tracker.begin(kit.sweep(own_runs=True))
        tracker.open([kit.run("aa")])
        environment = tracker.environment("aa")
        assert sorted(environment) == ["MLFLOW_RUN_CONTEXT", "MLFLOW_TRACKING_URI"]
        script = kit.script(OWN, environment, tmp_path / "elsewhere")
        printed, _ = script.communicate()
        assert script.returncode == 0, printed
        tracker.end(kit.attempt("aa"))
        tracker.end(kit.attempt("bb", Outcome.FAILED, exit_code=1))
        assert tracker.finish("failed", 60) == []
        metrics = {"accuracy": 1.5, "only_0": 1.0, "only_1": 1.0}
        assert tracker.drain() == [
            Acknowledged(sweep="S1", key="aa", run_id=None, metrics=metrics),
            Acknowledged(sweep="S1", key="bb", run_id=None, metrics={}),
        ]
    tags = {"sweep.id": "S1", "sweep.tag": "train-s1", "sweep.key": "aa", "sweep.job": "train"}
    rows = kit.rows(folder / "mlflow.db")
    assert [(row.experiment, row.name) for row in rows] == [("hydra app", "seed=0"), ("hydra app", "seed=1")]
    assert [{key: row.tags.get(key) for key in tags} for row in rows] == [tags, tags]


def test_the_experiment_of_a_hydra_application_is_there_before_it(kit, folder: Path, tmp_path: Path) -> None:
    """Of two processes that make it at once, MLflow lets one log in another experiment."""
    with make_tracker(folder) as tracker:
        tracker.begin(kit.sweep(own_runs=True, experiment="application"))
        environment = tracker.environment("aa")
        with sqlite3.connect(folder / "mlflow.db") as store:
            names = [name for (name,) in store.execute("SELECT name FROM experiments ORDER BY name")]
        assert names == ["Default", "application"]
        assert "MLFLOW_EXPERIMENT_ID" not in environment
        assert tracker.finish("completed", 60) == []
    assert kit.rows(folder / "mlflow.db") == []


def test_a_command_whose_run_is_late_opens_one_that_is_found_by_its_tags(
    kit, folder: Path, tmp_path: Path
) -> None:
    tracker = MlflowTracker(folder, patience=(60, 0))
    try:
        tracker.begin(kit.sweep())
        tracker.open([kit.run("aa")])
        assert "MLFLOW_RUN_ID" in tracker.environment("aa")
        tracker.end(kit.attempt("aa"))
        tracker.open([kit.run("bb", lr="1")])
        environment = tracker.environment("bb")
        assert "MLFLOW_RUN_ID" not in environment
        code = "import mlflow; mlflow.log_metric('accuracy', 0.6)"
        script = kit.script(code, environment, tmp_path / "elsewhere")
        printed, _ = script.communicate()
        assert script.returncode == 0, printed
        tracker.end(kit.attempt("bb"))
        assert tracker.finish("completed", 60) == []
        stored = {each.key: each for each in tracker.drain()}
    finally:
        tracker.close()
    _, _, late = kit.rows(folder / "mlflow.db")
    assert (late.name, late.status, late.params) == ("lr=1", "FINISHED", {"lr": "1"})
    assert stored["bb"] == Acknowledged(sweep="S1", key="bb", run_id=late.id, metrics={"accuracy": 0.6})


def test_what_was_started_ahead_is_used_once(kit, folder: Path) -> None:
    start_ahead(folder)
    pids = []
    for sweep in ("S1", "S2"):
        with make_tracker(folder) as tracker:
            pids.append(tracker.worker_pid)
            tracker.begin(kit.sweep(id=sweep, tag=f"train-{sweep.lower()}"))
            assert tracker.finish("completed", 60) == []
    ahead, later = pids
    assert ahead is not None
    assert later is None, "the second was started when it was needed"
    assert not alive(str(ahead))
    assert [row.name for row in kit.rows(folder / "mlflow.db")] == ["train-s1", "train-s2"]


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(kit, folder: Path) -> None:
    with make_tracker(folder) as tracker:
        tracker.begin(kit.sweep())
        tracker.open([kit.run("aa"), kit.run("bb"), kit.run("cc")])
        assert all("MLFLOW_RUN_ID" in tracker.environment(key) for key in ("aa", "bb"))
        os.kill(tracker.worker_pid, signal.SIGKILL)
        for key in ("aa", "bb", "cc"):
            tracker.environment(key)
            tracker.end(kit.attempt(key))
        assert len(kit.wait_for(tracker, 3)) == 3
        assert tracker.finish("completed", 60) == []
    parent, *children = kit.rows(folder / "mlflow.db")
    assert sorted(row.tags["sweep.key"] for row in children) == ["aa", "bb", "cc"]
    assert {row.status for row in (parent, *children)} == {"FINISHED"}


def test_what_a_killed_process_left_is_ended_and_the_next_sweep_reports_it(
    kit, folder: Path, tmp_path: Path
) -> None:
    code = f"""
        import signal, sys
        from pathlib import Path
        from sweeplib.engine import TrackedRun, TrackedSweep
        from sweeplib.track import MlflowTracker
        tracker = MlflowTracker(Path({str(folder)!r}), patience=(120, 120))
        tracker.begin(TrackedSweep(id="S1", job="train", tag="train-s1", own_runs=False, total=3))
        tracker.open([TrackedRun(key=key, label=key, parameters={{}}) for key in ("aa", "bb")])
        print(tracker.worker_pid, tracker.environment("aa"), tracker.environment("bb"), flush=True)
        signal.raise_signal(signal.SIGKILL)
    """
    path = os.pathsep.join(sys.path)
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    deadline = time.monotonic() + 20
    while {row.status for row in kit.rows(folder / "mlflow.db")} != {"KILLED"}:
        assert time.monotonic() < deadline, "the worker has not ended what it had opened"
        time.sleep(0.1)  # nobody is left to tell
    while alive(killed.stdout.split()[0]):
        assert time.monotonic() < deadline, "the worker is still there"
        time.sleep(0.1)
    parent, first, _ = kit.rows(folder / "mlflow.db")

    def ended(key: str, run: str | None, outcome: Outcome, metrics: dict[str, float] | None) -> EndedRun:
        return EndedRun(
            key=key,
            label=f"x={key}",
            parameters={"x": key},
            run_id=run,
            outcome=outcome,
            exit_code=0,
            started=1000.0,
            ended=1060.5,
            metrics=metrics,
        )

    owed = [
        ended("aa", first.id, Outcome.COMPLETED, None),
        ended("bb", None, Outcome.LOST, None),
        ended("cc", None, Outcome.COMPLETED, {"loss": 0.25}),
    ]
    for number in (2, 3):  # the second time, as if the acknowledgements had been lost
        with make_tracker(folder) as tracker:
            tracker.begin(kit.sweep(id=f"S{number}", tag=f"train-s{number}"))
            tracker.report(kit.sweep(state="lost"), owed)
            assert tracker.finish("completed", 60) == []
            stored = {each.key: each for each in tracker.drain()}
    assert {key: each.metrics for key, each in stored.items()} == {"aa": {}, "bb": {}, "cc": {"loss": 0.25}}
    rows = [row for row in kit.rows(folder / "mlflow.db", deleted=True) if row.tags["sweep.id"] == "S1"]
    assert [(row.name, row.status, row.ended) for row in rows if "sweep.key" not in row.tags] == [
        ("train-s1", "KILLED", parent.ended)
    ]
    found = {row.tags["sweep.key"]: row for row in rows if "sweep.key" in row.tags}
    assert len(found) == len(rows) - 1
    assert [(key, row.status, row.ended, row.params) for key, row in sorted(found.items())] == [
        ("aa", "FINISHED", 1060.5, {"x": "aa"}),
        ("bb", "FAILED", 1060.5, {"x": "bb"}),
        ("cc", "FINISHED", 1060.5, {"x": "cc"}),
    ]
    assert (found["cc"].name, found["cc"].started, found["aa"].id) == ("x=cc", 1000.0, first.id)


def test_a_deleted_experiment_is_restored_with_a_note(kit, folder: Path) -> None:
    for number in (1, 2):
        with make_tracker(folder) as tracker:
            tracker.begin(kit.sweep(id=f"S{number}"))
            notes = tracker.finish("completed", 60)
        if number == 1:
            delete = "import mlflow; c = mlflow.MlflowClient(); c.delete_experiment('1')"
            environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
            kit.script(delete, environment, folder).communicate()
    assert notes == ["MLflow's experiment 'train' had been deleted; it is restored for this sweep"]
    assert [row.tags["sweep.id"] for row in kit.rows(folder / "mlflow.db")] == ["S1", "S2"]


def test_a_store_that_cannot_be_used_costs_no_time_and_is_told_once(
    kit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "mssql+pyodbc://nowhere/mlflow")  # its driver is not installed
    with make_tracker(folder) as tracker:
        tracker.begin(kit.sweep())
        tracker.open([kit.run("aa"), kit.run("bb")])
        assert tracker.environment("aa") == {}
        began = time.monotonic()
        assert tracker.environment("bb") == {}
        tracker.end(kit.attempt("aa"))
        tracker.end(kit.attempt("bb"))
        notes = tracker.finish("completed", 60)
        assert time.monotonic() - began < 5
        assert tracker.drain() == []
    reason = "ModuleNotFoundError: No module named 'pyodbc'"
    owed = "2 combinations will be reported by the next run"
    assert notes == [f"MLflow did not answer ({reason}): {owed}; see .sweep/mlflow.log"]
    assert metrics_of(folder, ["S1"]) == {}
