"""What is not there, or goes away: the sweep goes on, says so, and what could not be reported is reported."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.ledger import SweepState
from sweeplib.orchestrate.server import prefect_server
from sweeplib.run.model import Outcome
from tests.conftest import clean_environment, end_group
from tests.integration.prefect_api import ask, get, task_runs
from tests.mlflow_servers import server, slow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweeplib.orchestrate.server import LocalServer
    from tests.conftest import Project

COUNT = 24


def closed_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def await_true(condition: Any, what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.05)


def test_a_configured_api_that_is_not_there(bare_project: Project) -> None:
    address = f"http://127.0.0.1:{closed_port()}/api"
    bare_project.env["PREFECT_API_URL"] = address
    bare_project.jobs("jobs: {one: {run: 'true', style: plain, tracking: false, sets: [{each: 'i=1:3'}]}}\n")
    done = bare_project.sweep("run", "one", check=0)
    notes = done.stderr.splitlines()
    assert notes[:2] == [
        f"sweep: the Prefect API at {address} does not answer: using a local server for this project",
        "sweep: starting a local prefect server for this project",
    ]
    server = json.loads((bare_project.folder / ".sweep" / "server" / "prefect.json").read_text())
    local = f"http://127.0.0.1:{server['port']}"
    assert notes[-1] == f"sweep: watch it at {local} (the server goes on; stop it with: sweep down)"
    assert "Traceback" not in done.stderr
    body = {"task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
    assert ask(f"{local}/api", "/task_runs/count", body) == 3


@contextmanager
def mlflow_server(port: int, folder: Path) -> Iterator[str]:
    """Yield the address of a real MLflow server with a database of its own; it is killed on leaving."""
    folder.mkdir()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/server.db"],
            env={**clean_environment(folder), "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=5):
            return True
        return False

    try:
        await_true(answers, "the MLflow server")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def mlflow_runs(address: str, experiment: str) -> list[dict[str, Any]]:
    """Return the runs of an experiment: status, parameters and tags, by name."""
    api = f"{address}/api/2.0/mlflow"
    url = f"{api}/experiments/get-by-name?experiment_name={experiment}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        number = json.load(answer)["experiment"]["experiment_id"]
    runs = ask(api, "/runs/search", {"experiment_ids": [number], "max_results": 100})["runs"]
    return [
        {
            "name": run["info"]["run_name"],
            "id": run["info"]["run_id"],
            "status": run["info"]["status"],
            "params": {each["key"]: each["value"] for each in run["data"].get("params", [])},
            "tags": {each["key"]: each["value"] for each in run["data"].get("tags", [])},
        }
        for run in runs
    ]


JOBS = """
jobs:
  tracked:
    run: sh work.sh
    style: plain
    sets: [{each: "i=VALUES"}]
"""


@pytest.mark.timeout(280)
def test_a_tracking_server_that_is_not_there_yet(project: Project, tmp_path: Path) -> None:
    port = closed_port()
    project.env["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{port}"
    project.write("work.sh", 'echo "$1" >> finished\n')
    project.jobs(JOBS.replace("VALUES", "1:3"))
    first = project.sweep("run", "tracked", check=0)
    assert "3 of 3 completed" in first.stdout
    (note,) = (line for line in first.stderr.splitlines() if "MLflow" in line)
    assert note.startswith("sweep: MLflow did not answer (")
    assert note.endswith("): 3 combinations will be reported by the next run; see .sweep/mlflow.log")
    assert "Traceback" not in first.stderr

    with mlflow_server(port, tmp_path / "mlflow") as address:
        caught_up = project.sweep("run", "tracked", check=0)
        interim = re.compile(r"sweep: MLflow is still recording: [1-3] combinations to go")  # if it is slow
        assert [line for line in caught_up.stderr.splitlines() if not interim.fullmatch(line)] == [
            "sweep: tracked: 3 of 3 combinations done; nothing is left to do (--fresh runs all again)",
            "sweep: telling MLflow what it missed",
        ]
        assert len(mlflow_runs(address, "tracked")) == 4
        project.jobs(JOBS.replace("VALUES", "1:4"))
        second = project.sweep("run", "tracked", check=0)
        assert "MLflow" not in second.stderr
        runs = {run["name"]: run for run in mlflow_runs(address, "tracked")}
    assert sorted((project.folder / "finished").read_text().split()) == ["i=1", "i=2", "i=3", "i=4"]

    with project.ledger() as ledger:
        later, earlier = ledger.sweeps(job="tracked")
        rows = {row.label: row for sweep in (earlier, later) for row in ledger.combinations(sweep.id)}
        assert list(ledger.untracked(job="tracked")) == []
    assert runs.keys() == {"i=1", "i=2", "i=3", "i=4", earlier.tag, later.tag}
    for label, row in rows.items():
        sweep = later if label == "i=4" else earlier
        run = runs[label]
        assert (run["status"], run["params"], run["id"]) == ("FINISHED", {"i": label[2:]}, row.run_id)
        tags = {"sweep.id": sweep.id, "sweep.tag": sweep.tag, "sweep.key": row.key, "sweep.job": "tracked"}
        assert tags.items() <= run["tags"].items()
        assert run["tags"]["mlflow.parentRunId"] == runs[sweep.tag]["id"]
    assert [runs[sweep.tag]["status"] for sweep in (earlier, later)] == ["FINISHED", "FINISHED"]


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[LocalServer]:
    """A Prefect server that is not the project's own."""
    before = dict(os.environ)
    clean = clean_environment(tmp_path / "foreign" / "home")
    os.environ.clear()
    os.environ.update(clean)
    server = prefect_server(tmp_path / "foreign")
    try:
        server.start()
        yield server
        server.stop()
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.timeout(280)
def test_somebody_elses_server_is_killed(bare_project: Project, foreign: LocalServer) -> None:
    bare_project.env["PREFECT_API_URL"] = f"{foreign.address()}/api"
    bare_project.write("work.sh", 'sleep 0.2; echo "$1" >> finished\n')
    bare_project.jobs(
        f"""
        jobs:
          work:
            run: sh work.sh
            style: plain
            tracking: false
            parallel: 2
            sets: [{{each: "i=1:{COUNT}"}}]
        """
    )
    finished = bare_project.folder / "finished"
    process = bare_project.start("run", "work")
    try:
        await_true(lambda: finished.exists() and len(finished.read_text().split()) >= 4, "four commands")
        pid = json.loads((foreign.folder / "prefect.json").read_text())["pid"]
        os.killpg(pid, signal.SIGKILL)
        out, err = process.communicate(timeout=200)
    finally:
        end_group(process)
    waited = time.time() - finished.stat().st_mtime
    assert process.returncode == 0, err
    assert f"{COUNT} of {COUNT} completed" in out
    assert "Prefect" in err
    assert "Traceback" not in err
    assert sorted(finished.read_text().split()) == sorted(f"i={i}" for i in range(1, COUNT + 1))
    with bare_project.ledger() as ledger:
        (sweep,) = ledger.sweeps(job="work")
        assert sweep.state is SweepState.COMPLETED
        assert ledger.counts(sweep.id)[Outcome.COMPLETED] == COUNT
    assert waited < 60

    foreign.start()
    again = bare_project.sweep("run", "work", check=0)
    assert again.stderr.splitlines() == [
        f"sweep: work: {COUNT} of {COUNT} combinations done; nothing is left to do (--fresh runs all again)",
        f"sweep: Prefect has now been told of {sweep.tag}, which it missed",
    ]
    api = f"{foreign.address()}/api"
    ended = Counter((run["name"], run["state_name"]) for run in task_runs(api, sweep.tag))
    assert ended == Counter({(f"i={i}", "Completed"): 1 for i in range(1, COUNT + 1)})
    state = get(api, f"/flow_runs/{sweep.flow_run_id}")["state"]
    assert (state["type"], state["message"]) == ("COMPLETED", f"{COUNT} of {COUNT} completed")
    assert len(bare_project.sweep("run", "work", check=0).stderr.splitlines()) == 1


def interrupted_while_recording(project: Project) -> tuple[str, str]:
    """Interrupt a sweep as soon as it says that it waits for MLflow alone; return what it prints."""
    process = project.start("run", "one")
    try:
        assert process.stderr is not None
        said = ""
        while "MLflow is still recording" not in said:
            said = process.stderr.readline()
            assert said, process.wait()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        end_group(process)
    assert process.returncode == 130, err
    return out, err


def owed(project: Project, told: str) -> int:
    """Return how many combinations MLflow does not know of; the user has been told of them."""
    found = re.search(r"MLflow did not answer.*: (\d+) combinations will be reported by the next run", told)
    assert found, told
    with project.ledger() as ledger:
        count = len(list(ledger.untracked(job="one")))
    assert count == int(found[1])
    return count


def test_an_interrupt_while_mlflow_is_still_recording(project: Project) -> None:
    """All ran and is done; what MLflow does not know of is counted, and the next runs tell it."""
    port = closed_port()
    project.jobs("jobs: {one: {run: 'true', style: plain, sets: [{each: 'i=1:80'}]}}\n")
    with server(port, project.folder), slow(port) as address:
        project.env["MLFLOW_TRACKING_URI"] = address
        out, err = interrupted_while_recording(project)
        assert "80 of 80 completed" in out
        left = owed(project, err)
        with project.ledger() as ledger:
            assert ledger.sweeps(job="one")[0].state is SweepState.COMPLETED
        _, err = interrupted_while_recording(project)
        assert err.count("Traceback") == 0
        assert 0 < owed(project, err) < left, "what was told before the interrupt is not told again"
        project.env["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{port}"
        project.sweep("run", "one", check=0)
        with project.ledger() as ledger:
            assert list(ledger.untracked(job="one")) == []
    with sqlite3.connect(project.folder / "server.db") as database:
        rows = database.execute("SELECT status FROM runs WHERE lifecycle_stage = 'active'").fetchall()
    assert Counter(rows) == {("FINISHED",): 81}, "one a combination, and the sweep's own"
