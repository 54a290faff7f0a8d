"""A project's MLflow store as rows, and scripts that use MLflow as a user's do."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sweeplib.engine import Acknowledged, TrackedRun, TrackedSweep
from sweeplib.run.model import Attempt, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sweeplib.engine import Tracker


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A run as MLflow's tables hold it."""

    id: str
    experiment: str
    name: str
    status: str
    stage: str
    started: float
    ended: float | None
    artifacts: str
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]


def rows(database: Path, *, deleted: bool = False) -> list[Row]:
    """Read the runs, sweeps' own first and then the oldest, straight from the database.

    Importing MLflow here would take seconds.
    """
    with closing(sqlite3.connect(database)) as connection:
        runs = connection.execute(
            "SELECT r.run_uuid, e.name, r.name, r.status, r.lifecycle_stage, r.start_time, r.end_time,"
            " r.artifact_uri FROM runs AS r JOIN experiments AS e USING (experiment_id) ORDER BY r.start_time"
        ).fetchall()

        def values(table: str, run: str) -> dict[str, object]:
            query = f"SELECT key, value FROM {table} WHERE run_uuid = ?"  # noqa: S608  (three known tables)
            return dict(connection.execute(query, (run,)).fetchall())

        found = [
            Row(
                id=run,
                experiment=experiment,
                name=name,
                status=status,
                stage=stage,
                started=started / 1000,
                ended=None if ended is None else ended / 1000,
                artifacts=artifacts,
                tags=values("tags", run),
                params=values("params", run),
                metrics=values("latest_metrics", run),
            )
            for run, experiment, name, status, stage, started, ended, artifacts in runs
            if deleted or stage == "active"
        ]
        return sorted(found, key=lambda row: "mlflow.parentRunId" in row.tags)


def script(code: str, environment: Mapping[str, str], folder: Path) -> subprocess.Popen[str]:
    """Start a user's script, in a folder that is not the project's."""
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def sweep(**changes: object) -> TrackedSweep:
    """Return the sweep of the tests."""
    given = {"id": "S1", "job": "train", "tag": "train-s1", "own_runs": False, "total": 3}
    return TrackedSweep(**(given | changes))


def run(key: str, **parameters: str) -> TrackedRun:
    """Return a combination to be opened."""
    label = " ".join(f"{name}={value}" for name, value in parameters.items()) or key
    return TrackedRun(key=key, label=label, parameters=parameters)


def attempt(key: str, outcome: Outcome = Outcome.COMPLETED, **changes: object) -> Attempt:
    """Return an attempt that ended just now."""
    ended = round(time.time(), 3)
    given = {"number": 0, "started": ended - 2, "ended": ended, "exit_code": 0}
    return Attempt(key=key, outcome=outcome, **(given | changes))


def wait_for(tracker: Tracker, count: int, seconds: float = 30) -> list[Acknowledged]:
    """Return the acknowledgements as soon as there are so many."""
    found = tracker.drain()
    deadline = time.monotonic() + seconds
    while len(found) < count:
        assert time.monotonic() < deadline, f"only {len(found)} of {count} acknowledgements"
        time.sleep(0.05)  # the protocol has no way to wait, as the engine never does
        found += tracker.drain()
    return found


@dataclass(frozen=True, slots=True)
class Kit:
    """The helpers above, for tests that cannot import this file."""

    rows: Callable[..., list[Row]] = rows
    script: Callable[..., subprocess.Popen[str]] = script
    sweep: Callable[..., TrackedSweep] = sweep
    run: Callable[..., TrackedRun] = run
    attempt: Callable[..., Attempt] = attempt
    wait_for: Callable[..., list[Acknowledged]] = wait_for


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> Kit:
    """Return the helpers, with no MLflow setting of the caller's in the environment."""
    for name in list(os.environ):
        if name.startswith("MLFLOW_"):
            monkeypatch.delenv(name)
    return Kit()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty project whose name needs quoting in an address."""
    path = tmp_path / "my project"
    path.mkdir()
    return path
