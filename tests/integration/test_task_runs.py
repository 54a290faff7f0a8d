"""What the Prefect server is told of a combination's task run, as its states, log and limits show."""

from __future__ import annotations

import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.run.model import Outcome
from tests.conftest import end_group
from tests.integration.prefect_api import ask, get, logs, task_runs
from tests.integration.test_run import await_true

if TYPE_CHECKING:
    from tests.conftest import Project

CLUSTER = "{class: distributed.LocalCluster, n_workers: 1, threads_per_worker: 2}"
JOBS = """
jobs:
  states:
    run: python script.py
    style: plain
    tracking: false
    retries: 1
    retry_delay: 1s
    timeout: 2s
    sets:
      - each: case=quick,long,flaky,hanging
"""
SCRIPT = """
import os, sys, time
case = sys.argv[1].removeprefix("case=")
print("this is", case, flush=True)
if case == "long":
    time.sleep(1.3)
if case == "flaky" and os.environ["SWEEP_ATTEMPT"] == "1":
    sys.exit(3)
if case == "hanging":
    time.sleep(60)
"""


def states(api: str, task_run: str) -> list[tuple[str, str]]:
    """Return type and name of the states that a task run went through, in their order."""
    found = get(api, f"/task_run_states/?task_run_id={task_run}")
    return [(state["type"], state["name"]) for state in sorted(found, key=lambda each: each["timestamp"])]


@pytest.fixture
def recorded(project: Project, prefect_api: str) -> dict[str, dict[str, Any]]:
    """The task runs of a sweep with one command of each sort, by their names."""
    project.write("script.py", SCRIPT)
    project.jobs(JOBS)
    done = project.sweep("run", "states", check=1)
    tag = done.stdout.split(":")[0]
    return {run["name"]: run for run in task_runs(prefect_api, tag)}


def test_states(recorded: dict[str, dict[str, Any]], prefect_api: str) -> None:
    found = {name: states(prefect_api, run["id"]) for name, run in recorded.items()}
    running, waiting = ("RUNNING", "Running"), ("SCHEDULED", "AwaitingRetry")
    assert found == {
        "case=quick": [("COMPLETED", "Completed")],
        "case=long": [running, ("COMPLETED", "Completed")],
        "case=flaky": [waiting, ("COMPLETED", "Completed")],
        "case=hanging": [running, waiting, ("RUNNING", "Retrying"), ("FAILED", "TimedOut")],
    }
    runs = {name: run["run_count"] for name, run in recorded.items()}
    assert runs == {"case=quick": 1, "case=long": 1, "case=flaky": 2, "case=hanging": 2}
    quick, hanging = recorded["case=quick"], recorded["case=hanging"]
    assert quick["state"]["message"].startswith("exit code 0 in 0.")
    assert hanging["state"]["message"] == "timed out after 2 s"
    assert quick["start_time"] < quick["end_time"]
    assert 4 < hanging["total_run_time"] < 20
    assert {run["task_key"] for run in recorded.values()} == {"states"}

    log = logs(prefect_api, recorded["case=flaky"]["id"])
    assert log[0] == "command: python script.py case=flaky\nthis is flaky"
    assert "failed in 0." in log[1]
    assert "exit code 3: this is flaky; all output is in " in log[1]
    assert log[2] == log[0]
    assert log[3].startswith("completed in 0.")


def test_a_limit_on_a_tag_holds(project: Project, prefect_api: str) -> None:
    limit = {"name": "tag:one-at-a-time", "limit": 1, "active": True}
    ask(prefect_api, "/v2/concurrency_limits/", limit)
    project.jobs(
        """
        jobs:
          limited:
            run: sleep
            style: plain
            tracking: false
            parallel: 3
            tags: [one-at-a-time]
            sets: [{add: '0.3'}, {add: '0.4'}, {add: '0.5'}]
        """
    )
    project.sweep("run", "limited")
    with project.ledger() as ledger:
        sweep = ledger.sweeps(job="limited", limit=1)[0]
        times = sorted((row.started, row.ended) for row in ledger.combinations(sweep.id, Outcome.COMPLETED))
    assert len(times) == 3
    assert times[0][1] <= times[1][0]
    assert times[1][1] <= times[2][0]


def test_ctrl_c_does_not_wait_for_a_retry(project: Project) -> None:
    project.jobs(
        """
        jobs:
          patient:
            run: sh -c 'touch tried; exit 1'
            style: plain
            tracking: false
            retries: 1
            retry_delay: 1h
            sets: [{each: a=1}]
        """
    )
    process = project.start("run", "patient")
    deadline = time.monotonic() + 60
    while not (project.folder / "tried").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)  # the command tells by a file that it ran
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert time.monotonic() - began < 20


def test_an_interrupt_in_a_retry_delay_is_recorded(project: Project, prefect_api: str) -> None:
    """Two states of one time would have the server drop them, with all that came in with them."""
    project.jobs(
        """
        jobs:
          waits:
            run: sh -c 'touch tried-$0; exit 1'
            style: plain
            tracking: false
            retries: 1
            retry_delay: 1h
            parallel: 2
            sets: [{each: 'a=1,2'}]
        """
    )
    process = project.start("run", "waits")
    deadline = time.monotonic() + 60
    while len(list(project.folder.glob("tried-*"))) < 2:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)  # the commands tell by files that they ran
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    with project.ledger() as ledger:
        tag = ledger.sweeps(job="waits", limit=1)[0].tag
    runs = task_runs(prefect_api, tag)
    for run in runs:
        assert states(prefect_api, run["id"]) == [("SCHEDULED", "AwaitingRetry"), ("FAILED", "Failed")]
        assert run["state"]["message"] == "exit code 1, without any output"
    assert len(runs) == 2


def test_what_is_no_utf_8_is_recorded_too(project: Project, prefect_api: str) -> None:
    project.write("script.py", "import sys; sys.stdout.buffer.write(b'caf\\xe9\\n')")
    project.jobs("jobs: {bytes: {run: python script.py, style: plain, tracking: false, sets: [{each: a=1}]}}")
    done = project.sweep("run", "bytes")
    (run,) = task_runs(prefect_api, done.stdout.split(":")[0])
    assert logs(prefect_api, run["id"])[0].startswith("command: python script.py a=1\ncaf")
    refused = project.sweep("run", "bytes", b"x=\xff".decode("utf-8", "surrogateescape"), check=2)
    assert refused.stderr == (
        "sweep: the argument x=\\xff is not UTF-8, in which Prefect keeps the parameters of a run\n"
    )


@pytest.mark.parametrize("cluster", ["", f"cluster: {CLUSTER}"])
def test_nothing_waits_for_those_that_wait_for_a_retry(project: Project, cluster: str) -> None:
    project.write(
        "flaky.py",
        """
        import os, sys
        print(sys.argv[1], file=open("began", "a"))
        sys.exit(os.environ["SWEEP_ATTEMPT"] == "1")
        """,
    )
    project.jobs(
        f"""
        jobs:
          flaky:
            run: python flaky.py
            style: plain
            tracking: false
            parallel: 2
            retries: 1
            retry_delay: 6s
            {cluster}
            sets: [{{each: 'i=1:30'}}]
        """
    )
    done = project.sweep("run", "flaky", check=0)
    assert "30 of 30 completed" in done.stdout
    began = (project.folder / "began").read_text().split()
    assert len(began) == 60
    assert len(set(began[:30])) == 30, "all had their first attempt before any had its second"
    with project.ledger() as ledger:
        (sweep,) = ledger.sweeps(job="flaky")
        for row in ledger.combinations(sweep.id):
            first, second = ledger.attempts(sweep.id, row.key)
            assert 6 <= second.started - first.ended < 12


def test_no_more_is_started_than_said(project: Project) -> None:
    project.jobs(
        """
        jobs:
          bad:
            run: sh -c 'echo $0 >> began; sleep 1; exit 1'
            style: plain
            tracking: false
            parallel: 2
            max_failures: 3
            sets: [{each: 'i=1:40'}]
        """
    )
    done = project.sweep("run", "bad", check=1)
    assert "no more were started after 4 failures (max_failures)" in done.stdout
    began = (project.folder / "began").read_text().split()
    assert 4 <= len(began) <= 5, "but for one whose slot was free just before"
    with project.ledger() as ledger:
        (sweep,) = ledger.sweeps(job="bad")
        outcomes = Counter(row.outcome for row in ledger.combinations(sweep.id))
        messages = {row.message for row in ledger.combinations(sweep.id, Outcome.CANCELLED)}
    assert outcomes[Outcome.FAILED] == len(began)
    assert messages <= {"not started: more combinations failed than max_failures allows"}


def test_a_second_ctrl_c_waits_for_nothing(project: Project) -> None:
    project.write("deaf.sh", "trap '' TERM; echo here >> began; while :; do sleep 0.2; done\n")
    project.jobs(
        """
        jobs:
          deaf: {run: sh deaf.sh, style: plain, tracking: false, parallel: 2, sets: [{each: 'i=1:4'}]}
        """
    )
    process = project.start("run", "deaf")
    try:
        began = project.folder / "began"
        await_true(lambda: began.exists() and len(began.read_text().split()) == 2, "two commands")
        process.send_signal(signal.SIGINT)
        await_true(lambda: next(project.folder.glob(".sweep/sweeps/*/stop"), None) is not None, "the stop")
        process.send_signal(signal.SIGINT)
        moment = time.monotonic()
        out, err = process.communicate(timeout=60)
    finally:
        end_group(process)
    assert process.returncode == 130, err
    assert time.monotonic() - moment < 4, "commands that take no notice of SIGTERM have five seconds"
    assert "2 cancelled" in out or "4 cancelled" in out


def test_prefect_takes_an_end_from_outside_for_an_interrupt(project: Project, prefect_api: str) -> None:
    project.jobs(
        """
        jobs:
          long:
            run: sh -c 'echo here >> began; exec sleep 600'
            style: plain
            tracking: false
            sets: [{each: 'i=1:2'}]
        """
    )
    process = project.start("run", "long")
    try:
        began = project.folder / "began"
        await_true(lambda: began.exists() and len(began.read_text().split()) == 2, "two commands")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    finally:
        end_group(process)
    assert process.returncode == 130, err
    with project.ledger() as ledger:
        (sweep,) = ledger.sweeps(job="long")
    run = get(prefect_api, f"/flow_runs/{sweep.flow_run_id}")
    assert run["state"]["type"] == "CANCELLED"
    assert run["state"]["message"] == "0 of 2 completed, 2 cancelled"
