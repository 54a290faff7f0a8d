"""What Prefect hears of a flow run while its sweep runs, from `sweep run` and a real server."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sweeplib.ledger import Submission, SweepState
from sweeplib.orchestrate.pages import combinations_artifact
from sweeplib.run.model import Attempt, Outcome
from tests.conftest import Project, end_group
from tests.integration.prefect_api import ask, get, impatient, logs, task_runs

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

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


def made(api: str, *states: tuple[str, str]) -> str:
    """Return a flow run of a sweep that went through these states; HEARTBEAT is none, and is sent."""
    flow = ask(api, "/flows/", {"name": "by-hand"})["id"]
    flow_run = str(ask(api, "/flow_runs/", {"flow_id": flow, "tags": ["sweeplib"]})["id"])
    for kind, name in states:
        if kind == "HEARTBEAT":
            about = {"prefect.resource.id": f"prefect.flow-run.{flow_run}"}
            tag = {"prefect.resource.id": "prefect.tag.sweeplib", "prefect.resource.role": "tag"}
            now = datetime.now(UTC).isoformat()
            event = {"event": f"prefect.flow-run.{name}", "resource": about, "related": [tag]}
            ask(api, "/events", [{**event, "id": str(uuid4()), "occurred": now}])
        else:
            body = {"state": {"type": kind, "name": name}, "force": True}
            ask(api, f"/flow_runs/{flow_run}/set_state", body)
    return flow_run


def test_a_run_that_waits_for_its_retry_is_not_dead(prefect_api: str) -> None:
    beat, running, failed = ("HEARTBEAT", "heartbeat"), ("RUNNING", "Running"), ("FAILED", "Failed")
    with impatient(prefect_api):
        waiting = made(prefect_api, running, failed, beat, ("SCHEDULED", "AwaitingRetry"))
        dead = made(prefect_api, running, beat)
        await_true(lambda: state_of(prefect_api, dead)["type"] == "CRASHED", "the crash")
    assert state_of(prefect_api, waiting)["type"] == "SCHEDULED"


def test_a_run_that_its_worker_never_started_is_found(prefect_api: str) -> None:
    with impatient(prefect_api, "sweeps: find flow runs that never started", 180):
        left = made(prefect_api, ("PENDING", "Pending"), ("PENDING", "Submitting"))
        state = await_true(
            lambda: (found := state_of(prefect_api, left))["type"] == "CRASHED" and found, "the crash"
        )
    assert state["message"].startswith("The worker that was to start this run has not done so: ")


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
        "- 1 failed: exit code 1: ZeroDivisionError: division by zero\n\n"
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


def test_a_command_that_prints_a_million_lines(project: Project, prefect_api: str) -> None:
    project.jobs("""
        jobs:
          loud:
            run: sh -c '[ "$0" != i=1 ] || seq 1000000; echo "$0 is done"'
            style: plain
            tracking: false
            parallel: 2
            sets: [{each: "i=1:20"}]
    """)
    project.sweep("run", "loud", check=0)
    with project.ledger() as ledger:
        (sweep,) = ledger.sweeps(job="loud")
        rows = {row.label: row for row in ledger.combinations(sweep.id)}
    with open(rows["i=1"].log) as file:
        assert sum(1 for _ in file) == 1_000_001
    runs = {run["name"]: run["id"] for run in task_runs(prefect_api, sweep.tag)}
    assert len(runs) == 20
    loud, quiet = "\n".join(logs(prefect_api, runs["i=1"])), "\n".join(logs(prefect_api, runs["i=2"]))
    assert "MB of output left out here]" in loud
    assert "i=1 is done" in loud
    assert f"all output is in {rows['i=1'].log}" in loud
    assert len(loud) < 100_000
    assert "left out" not in quiet
    ended = [row.ended for row in rows.values()]
    assert max(ended) - sweep.created < 60


def test_the_artifacts_of_many_combinations(project: Project, prefect_api: str) -> None:
    """They stay small and quick: what failed first, and the whole elsewhere."""
    project.jobs("""
        jobs:
          many: {run: "true", style: plain, tracking: false, sets: [{each: "i=1:10000"}]}
    """)
    project.sweep("run", "many", "--only", "i=1", check=0)
    with project.ledger() as ledger:
        (sweep,) = ledger.sweeps(job="many")
        submissions = [
            Submission(key=f"{i:032x}", position=i, label=f"i={i}", parameters={"i": str(i)})
            for i in range(2, 10_001)
        ]
        ledger.submit(sweep.id, submissions)
        attempts = [
            Attempt(
                key=each.key,
                number=1,
                outcome=Outcome.FAILED if each.position % 100 == 0 else Outcome.COMPLETED,
                started=1.0,
                ended=2.0,
                exit_code=int(each.position % 100 == 0),
                log=f"/logs/{each.key}.1.log",
                message="exit code 1: it diverged" if each.position % 100 == 0 else "",
            )
            for each in submissions
        ]
        ledger.record(sweep.id, attempts)
        began = time.monotonic()
        artifact = combinations_artifact(ledger, sweep, None, None)
        took = time.monotonic() - began
    table = json.loads(artifact.data)
    assert len(table) == 1000
    assert Counter(row["outcome"] for row in table) == {"failed": 100, "completed": 900}
    assert {row["outcome"] for row in table[:100]} == {"failed"}
    assert len(artifact.data) < 400_000
    assert took < 5
    assert artifact.description == (
        "**many: 10000 combinations (9900 completed, 100 failed); no metric was logged, "
        "so in the order of the plan**\n\n"
        "- 100 failed: exit code 1: it diverged\n\n"
        "These are 1,000 of 10,000: what failed, then the best. "
        f"All of them: `sweep results many --sweep {sweep.tag} --format csv`"
    )
