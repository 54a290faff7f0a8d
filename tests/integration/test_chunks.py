"""Sweeps of more combinations than task runs, with a real server."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.run.model import Outcome
from tests.conftest import end_group
from tests.integration.prefect_api import ask, logs, task_runs
from tests.integration.test_run import await_true, newest

if TYPE_CHECKING:
    from tests.conftest import Project

COUNT = 60
JOBS = f"""
jobs:
  packed:
    run: sh work.sh
    style: plain
    tracking: false
    task_runs: 20
    parallel: 2
    retries: 1
    timeout: 20s
    sets: [{{each: "i=1:{COUNT}"}}]
"""


def by_name(api: str, tag: str) -> dict[str, dict[str, Any]]:
    found = task_runs(api, tag)
    named = {run["name"]: run for run in found}
    assert len(named) == len(found)
    return named


def covered(names: list[str]) -> list[int]:
    """Return the combinations that task runs of these names stand for, in order."""
    numbers: list[int] = []
    for name in names:
        if found := re.fullmatch(r"combinations ([0-9,]+) to ([0-9,]+)", name):
            first, last = (int(text.replace(",", "")) for text in found.groups())
            numbers += range(first, last + 1)
        else:
            numbers.append(int(name.removeprefix("i=")))
    return sorted(numbers)


def test_each_combination_counts_and_prefect_has_chunks(project: Project, prefect_api: str) -> None:
    project.write("work.sh", 'echo "this is $1"; [ "$1" != i=50 ] || exit 3\n')
    project.jobs(JOBS)
    done = project.sweep("run", "packed", check=1)
    assert f"{COUNT - 1} of {COUNT} completed, 1 failed" in done.stdout
    assert "Prefect" not in done.stderr
    sweep, tag, outcomes = newest(project, "packed")
    assert Counter(outcomes.values()) == {Outcome.COMPLETED: COUNT - 1, Outcome.FAILED: 1}
    assert outcomes["i=50"] is Outcome.FAILED
    with project.ledger() as ledger:
        rows = {row.label: row for row in ledger.combinations(sweep)}
        assert len(ledger.attempts(sweep, rows["i=50"].key)) == 2, "it was tried again by itself"
        flow_run = ledger.get_sweep(sweep).flow_run_id
    runs = by_name(prefect_api, tag)
    assert len(runs) < COUNT / 2
    assert covered(list(runs)) == list(range(1, COUNT + 1))
    chunks = {row.chunk for row in rows.values()} - {None}
    assert len(runs) == len(chunks) + sum(row.chunk is None for row in rows.values())
    assert {run["state_name"] for run in runs.values()} == {"Completed", "Failed"}
    (failed,) = (run for run in runs.values() if run["state_name"] == "Failed")
    size = sum(row.chunk == rows["i=50"].chunk for row in rows.values())
    assert failed["state"]["message"] == (
        f"{size - 1} of {size} completed, 1 failed; the first: i=50: exit code 3: this is i=50"
    )
    ours = [text for text in logs(prefect_api, failed["id"]) if text.startswith("i=50\n")]
    assert [text.split("\n")[1] for text in ours][::2] == ["command: sh work.sh i=50"] * 2
    assert sum("failed in 0." in text for text in ours) == 2
    body = {"logs": {"flow_run_id": {"any_": [flow_run]}, "task_run_id": {"is_null_": True}}, "limit": 50}
    said = [entry["message"] for entry in ask(prefect_api, "/logs/filter", body)]
    assert (
        f"{COUNT} combinations are more than task_runs (20): those whose commands are short share task runs"
        in said
    )


def test_a_rest_below_the_limit_has_task_runs_of_its_own(project: Project, prefect_api: str) -> None:
    project.write("work.sh", "[ -e better ] || case $1 in i=2?) exit 1;; esac\n")
    project.jobs(JOBS)
    project.sweep("run", "packed", check=1)
    project.write("better", "")
    project.sweep("run", "packed", check=0)
    _, tag, outcomes = newest(project, "packed")
    assert len(outcomes) == 10
    assert sorted(by_name(prefect_api, tag)) == [f"i={number}" for number in range(20, 30)]


def test_an_interrupt_ends_the_chunks(project: Project, prefect_api: str) -> None:
    project.write("work.sh", 'echo "$1" >> started; case $1 in i=4?) exec sleep 600;; esac\n')
    project.jobs(JOBS)
    started = project.folder / "started"
    process = project.start("run", "packed")
    try:
        await_true(lambda: started.exists() and "i=41\n" in started.read_text(), "the first long command")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        end_group(process)
    assert process.returncode == 130, err
    _, tag, outcomes = newest(project, "packed")
    counts = Counter(outcomes.values())
    assert counts.keys() == {Outcome.COMPLETED, Outcome.CANCELLED}
    assert f"{counts[Outcome.COMPLETED]} of {COUNT} completed, {counts[Outcome.CANCELLED]} cancelled" in out
    runs = by_name(prefect_api, tag)
    assert covered(list(runs)) == list(range(1, len(outcomes) + 1))
    cancelled = [run for run in runs.values() if run["state_name"] == "Cancelled"]
    assert cancelled
    assert {run["state_name"] for run in runs.values()} == {"Completed", "Cancelled"}
    pattern = r"\d+ of \d+ completed, \d+ cancelled"
    chunks = [run for run in cancelled if run["name"].startswith("combinations ")]
    assert all(re.fullmatch(pattern, run["state"]["message"]) for run in chunks)


@pytest.mark.timeout(200)
def test_what_a_killed_sweep_had_in_chunks_is_told_later(project: Project, prefect_api: str) -> None:
    project.write("work.sh", 'echo "$1" >> started; [ "$1" != i=40 ] || exec sleep 600\n')
    project.jobs(JOBS)
    started = project.folder / "started"
    process = project.start("run", "packed")

    def all_but_one() -> bool:
        if not started.exists():
            return False
        with project.ledger() as ledger:
            return ledger.counts(ledger.sweeps(limit=1)[0].id)[Outcome.COMPLETED] == COUNT - 1

    try:
        await_true(all_but_one, "all commands but the one that sleeps")
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    finally:
        end_group(process)
    project.write("work.sh", "exit 0\n")
    project.sweep("run", "packed", check=0)
    with project.ledger() as ledger:
        _, dead = ledger.sweeps(job="packed")
        rows = {row.label: row for row in ledger.combinations(dead.id)}
    assert rows["i=40"].outcome is Outcome.LOST
    assert rows["i=40"].chunk is not None
    project.sweep("run", "packed", check=0)  # tells what is left to tell
    runs = by_name(prefect_api, dead.tag)
    assert covered(list(runs)) == list(range(1, COUNT + 1))
    states = Counter(run["state_name"] for run in runs.values())
    assert states["Crashed"] == 1
    assert states.keys() == {"Completed", "Crashed"}
