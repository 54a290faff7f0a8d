"""`sweep launch`: a file of shell lines through the engine, the ledger and the flow, as a job."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeplib.run.model import Outcome
from tests.conftest import end_group
from tests.integration.prefect_api import task_runs
from tests.integration.test_run import await_true, newest

if TYPE_CHECKING:
    from tests.conftest import Project


def state(project: Project, job: str) -> list[dict[str, Any]]:
    """Return how every command stands."""
    found: list[dict[str, Any]] = json.loads(
        project.sweep("status", job, "--format", "json", check=0).stdout
    )["combinations"]
    return found


def ran(project: Project) -> list[str]:
    path = project.folder / "ran"
    return path.read_text().split() if path.exists() else []


def test_lines_run_in_the_shell_and_only_once(project: Project, prefect_api: str) -> None:
    project.write(
        "runfile",
        """
        # as in batchrun's quick start
        echo one >> ran; sleep 0.1; echo "First!"
        echo two >> ran && echo "Second!" | tr a-z A-Z
        echo three >> ran; echo "$((40 + 2)) $0"; exit 3
        """,
    )
    done = project.sweep("launch", "runfile", "-n", "2", check=1)
    assert "2 of 3 completed, 1 failed" in done.stdout
    told = [re.split("  +", line) for line in done.stdout.splitlines()[2:]]
    commands = [
        'echo one >> ran; sleep 0.1; echo "First!"',
        'echo two >> ran && echo "Second!" | tr a-z A-Z',
        'echo three >> ran; echo "$((40 + 2)) $0"; exit 3',
    ]
    assert [(outcome, command) for outcome, _, _, command in told] == [
        ("completed", commands[0]),
        ("completed", commands[1]),
        ("failed", commands[2]),
    ]
    assert [(project.folder / log).read_text() for _, _, log, _ in told] == [
        "First!\n",
        "SECOND!\n",
        "42 /bin/sh\n",
    ]
    _, tag, _ = newest(project, "runfile")
    assert sorted(run["state_name"] for run in task_runs(prefect_api, tag)) == [
        "Completed",
        "Completed",
        "Failed",
    ]
    machine = state(project, "runfile")
    assert [(each["command"], each["status"], each["exit_code"]) for each in machine] == [
        (commands[0], "completed", 0),
        (commands[1], "completed", 0),
        (commands[2], "failed", 3),
    ]
    assert all(each["duration"] >= 0 and each["start"].endswith("+00:00") for each in machine)
    assert machine[0]["duration"] >= 0.1
    assert [Path(each["log"]).name.split(".")[0] for each in machine] == [each["key"] for each in machine]

    again = project.sweep("launch", "runfile", check=1)
    assert again.stderr.splitlines()[0] == (
        "sweep: runfile: 2 of 3 combinations done, 1 failed; nothing else is left to do "
        "(--mode retry_failed tries those again)"
    )
    assert sorted(ran(project)) == ["one", "three", "two"]


def test_what_is_new_or_unfinished_runs_whatever_moved(project: Project) -> None:
    lines = [f"echo {name} >> ran" for name in "abc"]
    project.write("runfile.txt", "\n".join([*lines, "echo bad >> ran; [ -e better ]"]))
    project.sweep("launch", "runfile.txt", check=1)
    assert sorted(ran(project)) == ["a", "b", "bad", "c"]
    project.write(
        "runfile.txt", "\n".join(["echo d >> ran", lines[2], "echo bad >> ran; [ -e better ]", lines[0]])
    )
    done = project.sweep("launch", "runfile.txt", check=1)
    assert "1 of 1 completed, 2 were done before, 1 failed before" in done.stdout
    assert sorted(ran(project)) == ["a", "b", "bad", "c", "d"]
    project.write("better", "")
    done = project.sweep("launch", "runfile.txt", "--mode", "retry_failed", check=0)
    assert "1 of 1 completed, 3 were done before" in done.stdout
    assert sorted(ran(project)) == ["a", "b", "bad", "bad", "c", "d"]
    done = project.sweep("launch", "runfile.txt", "--mode", "overwrite", check=0)
    assert "4 of 4 completed" in done.stdout


def test_what_a_machine_that_was_switched_off_had_done_is_done(project: Project) -> None:
    project.write(
        "runfile", "\n".join(f"echo {i} >> ran; [ {i} -lt 8 ] || [ -e go ] || sleep 600" for i in range(20))
    )
    process = project.start("launch", "runfile", "-n", "2")
    try:
        await_true(lambda: len(ran(project)) == 10, "eight commands that end and two that do not")

        def eight() -> bool:
            with project.ledger() as ledger:
                return ledger.counts(ledger.sweeps(limit=1)[0].id)[Outcome.COMPLETED] == 8

        await_true(eight, "their outcomes in the ledger")
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    finally:
        end_group(process)
    project.write("go", "")
    done = project.sweep("launch", "runfile", "-n", "2", check=0)
    assert "12 of 12 completed, 8 were done before" in done.stdout
    assert sorted(map(int, ran(project))) == sorted([*range(20), 8, 9])


def test_a_fast_command_does_not_wait_for_a_slow_one(project: Project) -> None:
    """And its outcome is on record while the slow one runs."""
    quick = [f"echo {i} >> ran" for i in range(10)]
    project.write("runfile", "\n".join(["while [ ! -e go ]; do sleep 0.05; done", *quick]))
    process = project.start("launch", "runfile", "-n", "2")
    try:
        await_true(lambda: len(ran(project)) == 10, "all quick commands, beside the slow one")

        def recorded() -> bool:
            return sum(each["status"] == "completed" for each in state(project, "runfile")) == 10

        await_true(recorded, "their outcomes on record")
        assert [each["status"] for each in state(project, "runfile")].count("running") == 1
        project.write("go", "")
        out, err = process.communicate(timeout=60)
    finally:
        end_group(process)
    assert process.returncode == 0, err
    assert "11 of 11 completed" in out


def test_a_grid_is_written_as_lines_or_run_at_once(project: Project) -> None:
    project.write(
        "grid.yml",
        """
        program: >-
          sh work.sh
          first
        parameters:
          alpha: {values: [1, 0]}
          beta: {min: 0, max: 0.3, step: 0.1}
        """,
    )
    project.write("work.sh", 'echo "$@" | tr " " _ >> ran\n')
    expected = [f"sh work.sh first --alpha={a} --beta={b}" for a in (1, 0) for b in (0, 0.1, 0.2)]
    assert project.sweep("expand", "grid.yml", check=0).stdout.splitlines() == expected
    done = project.sweep("expand", "grid.yml", "-o", "grid.runfile", check=0)
    assert (done.stdout, done.stderr) == (
        "",
        "sweep: wrote 6 commands to grid.runfile; run them with: sweep launch grid.runfile\n",
    )
    assert (project.folder / "grid.runfile").read_text().splitlines() == expected
    assert project.sweep("launch", "grid.yml", "--dry-run", check=0).stdout.splitlines() == expected
    project.sweep("launch", "grid.runfile", check=0)
    assert sorted(ran(project)) == sorted(
        line.partition("work.sh ")[2].replace(" ", "_") for line in expected
    )
    again = project.sweep("launch", "grid.yml", check=0)
    assert again.stderr.startswith("sweep: grid: 6 of 6 combinations done; nothing is left to do"), (
        "the same lines"
    )
    results = project.sweep("results", "grid", check=0).stdout
    assert {"alpha", "beta"} <= set(results.splitlines()[0].split())


def test_a_job_of_that_name_and_files_that_are_not_there(project: Project) -> None:
    project.jobs(
        "jobs: {train: {run: 'true', style: plain, sets: [{each: a=1}]}, batch: {launch: batch.txt}}\n"
    )
    project.write("train.txt", "true\n")
    project.write("batch.txt", "echo from the file\n")
    done = project.sweep("launch", "train.txt", check=2)
    assert done.stderr == (
        "sweep: sweeps.yaml has a job 'train' already; call this one otherwise, with --name\n"
    )
    assert (
        project.sweep("launch", "none", check=2).stderr == f"sweep: there is no file {project.folder}/none\n"
    )
    assert project.sweep("expand", "train.txt", check=2).stderr == (
        "sweep: train.txt is no grid specification, which ends in .yml or .yaml\n"
    )
    assert project.sweep("run", "batch", "--dry-run", check=0).stdout == "echo from the file\n"
    project.sweep("run", "batch", check=0)
    again = project.sweep("launch", "batch.txt", check=0)
    assert again.stderr.startswith("sweep: batch: 1 of 1 combinations done; nothing is left to do")
    retried = project.sweep("retry", "batch", check=0)
    assert "nothing is left to do (--fresh runs all again)" in retried.stderr
    project.sweep("launch", "train.txt", "--name", "other", check=0)
    assert project.sweep("show", "other", check=0).stdout.startswith("other-")
    done = project.sweep("retry", "other", check=2)
    assert done.stderr == (
        "sweep: 'other' is no job of the job file; run it again with "
        f"sweep launch {project.folder}/train.txt --mode retry_failed\n"
    )
    assert "launch        batch.txt" in project.sweep("show", "batch", check=0).stdout
