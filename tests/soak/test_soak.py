"""What takes minutes: ten thousand combinations and more at full speed, with servers that are slow, or away.

Run by `make soak`.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.run.model import Outcome
from tests.conftest import end_group
from tests.integration.prefect_api import ask, get
from tests.integration.test_outages import await_true, closed_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Project

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1500)]

MB = 1_000_000
FINAL = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]


def noop(count: int, **policy: Any) -> str:
    """Return jobs with one of so many commands that do nothing."""
    keys = "".join(f", {key}: {value}" for key, value in policy.items())
    sets = f"sets: [{{each: 'a=1:{count // 100} b=1:100'}}]"
    return f"jobs: {{noop: {{run: 'true', style: plain, tracking: false, parallel: 2, {sets}{keys}}}}}\n"


def recorded(api: str, flow_run: str) -> int:
    """Return how many task runs of a flow run have a final state."""
    body = {
        "flow_runs": {"id": {"any_": [flow_run]}},
        "task_runs": {"state": {"type": {"any_": FINAL}}},
    }
    return int(ask(api, "/task_runs/count", body))


def newest(project: Project) -> tuple[str, str, dict[Outcome | None, int], set[int | None]]:
    """Return id, flow run, counts by outcome and chunks of the newest sweep."""
    with project.ledger() as ledger:
        sweep = ledger.sweeps(limit=1)[0]
        chunks = {row.chunk for row in ledger.combinations(sweep.id)}
        assert sweep.flow_run_id is not None
        counts = {outcome: number for outcome, number in ledger.counts(sweep.id).items() if number}
        return sweep.id, sweep.flow_run_id, counts, chunks


def own_api(project: Project) -> str:
    return project.sweep("up", "--api", check=0).stdout.strip()


def drops(log: Path) -> int:
    """Return how many lines of a server's log tell of events that it did not keep."""
    return log.read_text(errors="replace").count("dropping message")


def test_ten_thousand_task_runs_are_all_there(bare_project: Project) -> None:
    bare_project.jobs(noop(10_000))
    bare_project.sweep("run", "noop", check=0, timeout=600)
    _, flow_run, counts, chunks = newest(bare_project)
    assert counts == {Outcome.COMPLETED: 10_000}
    assert chunks == {None}
    assert recorded(own_api(bare_project), flow_run) == 10_000, "as soon as the command has ended"
    server = bare_project.folder / ".sweep" / "server"
    assert sum(drops(log) for log in server.glob("*.log")) == 0


def test_the_projects_server_is_killed_for_a_minute(bare_project: Project) -> None:
    bare_project.jobs(noop(10_000))
    api = own_api(bare_project)
    process = bare_project.start("run", "noop")
    try:
        with bare_project.ledger() as ledger:

            def ended() -> int:
                sweeps = ledger.sweeps(limit=1)
                return ledger.counts(sweeps[0].id)[Outcome.COMPLETED] if sweeps else 0

            await_true(lambda: ended() > 1000, "a thousand commands")
            told = json.loads((bare_project.folder / ".sweep" / "server" / "prefect.json").read_text())
            os.kill(told["pid"], signal.SIGKILL)
            before, killed = ended(), time.monotonic()
            await_true(lambda: ended() > min(9_500, before + 2000), "two thousand commands meanwhile")
            assert time.monotonic() - killed < 60, "nobody waits for the server"
            time.sleep(max(0.0, 60 - (time.monotonic() - killed)))  # the outage is to last a minute
            if process.poll() is None:
                assert own_api(bare_project) == api, "it comes back where it was"
        out, err = process.communicate(timeout=600)
    finally:
        end_group(process)
    assert process.returncode == 0, err
    assert "10000 of 10000 completed" in out
    _, flow_run, counts, _ = newest(bare_project)
    assert counts == {Outcome.COMPLETED: 10_000}
    api = own_api(bare_project)
    bare_project.sweep(
        "run", "noop", check=0, timeout=600
    )  # tells what is left to tell, if the end came first
    assert recorded(api, flow_run) == 10_000
    assert get(api, f"/flow_runs/{flow_run}")["state"]["type"] == "COMPLETED"


@contextmanager
def stock_server(folder: Path, env: dict[str, str]) -> Iterator[str]:
    """Yield the API of a Prefect server with its own settings; its log is in `folder`."""
    port = closed_port()
    command = [str(Path(sys.executable).with_name("prefect")), "server", "start", "--host", "127.0.0.1"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            env={**env, "PREFECT_HOME": str(folder / "stock")},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    api = f"http://127.0.0.1:{port}/api"

    def answers() -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{api}/health", timeout=5):
            return True
        return False

    try:
        await_true(answers, "the server")
        yield api
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_server_with_stock_settings_loses_nothing(bare_project: Project, tmp_path: Path) -> None:
    bare_project.jobs(noop(12_000, task_runs=12_000))
    with stock_server(tmp_path, bare_project.env) as api:
        bare_project.env["PREFECT_API_URL"] = api
        done = bare_project.sweep("run", "noop", check=0, timeout=1200)
        assert "Prefect is still recording: " in done.stderr
        _, flow_run, counts, _ = newest(bare_project)
        assert counts == {Outcome.COMPLETED: 12_000}
        assert recorded(api, flow_run) == 12_000
    assert drops(tmp_path / "server.log") == 0


def test_a_hundred_thousand_in_chunks_and_ten_left(bare_project: Project) -> None:
    bare_project.jobs(noop(100_000))
    api = own_api(bare_project)
    bare_project.sweep("run", "noop", check=0, timeout=1200)
    _, flow_run, counts, chunks = newest(bare_project)
    assert counts == {Outcome.COMPLETED: 100_000}
    task_runs = recorded(api, flow_run)
    assert len(chunks) - 1 <= task_runs < 1000
    assert peak() < 400 * MB

    more = noop(100_000).replace("sets: [", "sets: [{each: 'a=2001 b=1:10'}, ")
    bare_project.jobs(more)
    began = time.time()
    bare_project.sweep("run", "noop", check=0)
    with bare_project.ledger() as ledger:
        sweep = ledger.sweeps(limit=1)[0]
        rows = list(ledger.combinations(sweep.id))
        assert len(rows) == 10
        started = min(row.started for row in rows if row.started is not None)
    assert started - sweep.created < 3, "seconds from the flow's start to the first command"
    assert started - began < 20
    began = time.perf_counter()
    bare_project.sweep("status", "noop", check=0)
    assert time.perf_counter() - began < 2
    assert peak() < 400 * MB


def peak() -> int:
    """Return the most memory that any process has had that ended under this one, in bytes."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
