"""What Prefect hears of a flow run while its sweep runs, from `sweep run` and a real server."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sweeplib.ledger import SweepState
from tests.conftest import Project, end_group
from tests.integration.prefect_api import ask, get

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

SLOW = """\
jobs:
  {job}: {{run: sleep, style: plain, tracking: false, sets: [{{add: '{seconds}'}}]}}
"""
PATIENCE = 120.0


def await_true(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.2)  # other processes tell through their API alone
    return found


def flow_run_of(api: str, job: str) -> str:
    found = ask(api, "/flow_runs/filter", {"flows": {"name": {"any_": [job]}}, "sort": "START_TIME_DESC"})
    return str(found[0]["id"]) if found else ""


def state_of(api: str, flow_run: str) -> dict[str, Any]:
    state: dict[str, Any] = get(api, f"/flow_runs/{flow_run}")["state"]
    return state


def artifacts_of(api: str, flow_run: str) -> dict[str, dict[str, Any]]:
    found = ask(api, "/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [flow_run]}}})
    return {each["key"].rsplit("-", 1)[1]: each for each in found}


def events(api: str, prefix: str, job: str) -> list[dict[str, Any]]:
    """Return the events about a job's sweeps, the oldest first."""
    wanted = {
        "event": {"prefix": [prefix]},
        "occurred": {"since": "2020-01-01T00:00:00Z"},
        "resource": {"labels": {"sweep.job": [job]}},
        "order": "ASC",
    }
    found: list[dict[str, Any]] = ask(api, "/events/filter", {"filter": wanted, "limit": 50})["events"]
    return found


@contextmanager
def impatient(api: str) -> Iterator[None]:
    """Let the server take a flow run for dead after ten seconds of silence, not two minutes."""
    name = "sweeps: find crashed flow runs"
    (automation,) = ask(api, "/automations/filter", {"automations": {"name": {"any_": [name]}}})
    address = f"{api}/automations/{automation.pop('id')}"

    def put(within: float) -> None:
        automation["trigger"]["within"] = within
        body = json.dumps(
            {key: automation[key] for key in ("name", "enabled", "trigger", "actions")}
        ).encode()
        headers = {"content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(address, body, headers, method="PUT"), timeout=30):
            pass

    before = automation["trigger"]["within"]
    assert before == 120
    put(10)
    try:
        yield
    finally:
        put(before)


def begun(project: Project, api: str, job: str, seconds: int) -> tuple[subprocess.Popen[str], str]:
    """Start a sweep; return its process, and its flow run once the server has heard that it lives."""
    project.write("sweeps.yaml", SLOW.format(job=job, seconds=seconds))
    process = project.start("run", job)

    def heard() -> str:
        assert process.poll() is None, process.communicate()
        flow_run = flow_run_of(api, job)
        return flow_run if flow_run and "sweeplib" in get(api, f"/flow_runs/{flow_run}")["tags"] else ""

    return process, await_true(heard, "the flow run")


def test_a_dead_run_is_found_crashed_and_a_live_one_goes_on(
    project: Project, tmp_path_factory: Any, prefect_api: str
) -> None:
    other = Project(tmp_path_factory.mktemp("other"), project.env)
    with impatient(prefect_api):
        dying, dead = begun(project, prefect_api, "dying", 600)
        living, alive = begun(other, prefect_api, "living", 25)
        await_true(lambda: artifacts_of(prefect_api, dead), "the first sign of progress")
        os.kill(dying.pid, signal.SIGKILL)
        end_group(dying)
        state = await_true(
            lambda: (found := state_of(prefect_api, dead))["type"] == "CRASHED" and found, "the crash"
        )
        assert state["message"] == (
            "The process that ran this sweep has died. A retry goes on with what is not done."
        )
        out, err = living.communicate(timeout=120)
        assert living.returncode == 0, out + err
    assert state_of(prefect_api, alive)["type"] == "COMPLETED"
    history = get(prefect_api, f"/flow_run_states/?flow_run_id={alive}")
    names = [each["name"] for each in sorted(history, key=lambda each: each["timestamp"])]
    crashed = names.index("Crashed")
    assert names[crashed + 1] == "Running", names
    assert names[-1] == "Completed", names


def test_a_local_run_is_cancelled_from_prefect(project: Project, prefect_api: str) -> None:
    process, flow_run = begun(project, prefect_api, "stopped", 600)
    try:
        await_true(lambda: artifacts_of(prefect_api, flow_run), "the first sign of progress")
        body = {"state": {"type": "CANCELLING", "name": "Cancelling"}, "force": True}
        ask(prefect_api, f"/flow_runs/{flow_run}/set_state", body)
        out, err = process.communicate(timeout=60)
    finally:
        end_group(process)
    assert process.returncode == 130, out + err
    assert state_of(prefect_api, flow_run)["type"] == "CANCELLED"
    assert state_of(prefect_api, flow_run)["message"] == "0 of 1 completed, 1 cancelled"
    with project.ledger() as ledger:
        assert ledger.sweeps(job="stopped")[0].state is SweepState.CANCELLED


def test_the_artifacts_of_a_flow_run(project: Project, prefect_api: str) -> None:
    project.jobs("""
        jobs:
          shown:
            call: shown.train
            style: kwargs
            metric: {lowest: score}
            sets: [{each: "lr=1e-1,1e-2,0 model=*a*", all: seed=7}]
    """)
    project.write(
        "shown.py",
        """
        import time

        def train(lr, model, seed):
            time.sleep(1 if lr == 0.1 else 7)
            return {"accuracy": 1 / lr, "score": lr}
    """,
    )
    done = project.sweep("run", "shown", "-j", "3", check=1)
    flow_run = flow_run_of(prefect_api, "shown")
    with project.ledger() as ledger:
        (sweep,) = ledger.sweeps(job="shown")
        rows = {row.label: row for row in ledger.combinations(sweep.id)}
    assert set(get(prefect_api, f"/flow_runs/{flow_run}")["tags"]) == {"sweeplib", sweep.tag}

    shown = artifacts_of(prefect_api, flow_run)
    assert {kind: each["type"] for kind, each in shown.items()} == {
        "progress": "progress",
        "combinations": "table",
    }
    assert all(each["key"].startswith(sweep.tag) for each in shown.values())
    assert (shown["progress"]["data"], shown["progress"]["description"]) == (100, "2 of 3 done, 1 failed")

    table = json.loads(shown["combinations"]["data"])
    failed, best, second = table
    row = rows["lr=0"]
    assert failed == {
        "rank": "",
        "key": row.key[:8],
        "lr": "0",
        "outcome": "failed",
        "exit code": "1",
        "duration": failed["duration"],
        "score": "",
        "message": row.message,
        "log": row.log.replace("_", "\\_") if "/_" in row.log else row.log,
    }
    assert [(each["rank"], each["lr"], each["score"]) for each in (best, second)] == [
        ("1", "1e-2", "0.01000"),
        ("2", "1e-1", "0.1000"),
    ]
    assert shown["combinations"]["description"] == (
        "**shown: 3 combinations (2 completed, 1 failed); by score, lowest first**\n\n"
        "In all of them: model=\\*a\\* seed=7\n\n"
        f"As a file: `sweep results shown --sweep {sweep.tag} --format csv`"
    )
    (ended,) = await_true(lambda: events(prefect_api, "sweep.ended", "shown"), "the last event")
    assert events(prefect_api, "sweep.progress", "shown")
    assert ended["resource"] == {
        "prefect.resource.id": f"sweep.{sweep.tag}",
        "prefect.resource.name": sweep.tag,
        "sweep.id": sweep.id,
        "sweep.tag": sweep.tag,
        "sweep.job": "shown",
        "sweep.deployed": "false",
        "sweep.state": "failed",
        "sweep.message": "2 of 3 completed, 1 failed",
    }
    assert ended["payload"] == {"total": 3, "done": 2, "failed": 1, "left": 0}, done.stderr
