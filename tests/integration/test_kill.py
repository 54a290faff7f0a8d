"""Whatever is killed, whenever: every combination completes exactly once, and nothing is left over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sweeplib.ledger import SweepState
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Project

COUNT = 24
DEADLINE = 120.0

# what a combination leaves behind is its last act, so that "finished" is seen from outside
SCRIPT = """
#!/bin/sh
sleep 0.2
echo "$1" >> finished
"""

JOBS = f"""
jobs:
  work:
    run: sh work.sh
    style: plain
    tracking: false
    parallel: 2
    sets:
      - each: i=1:{COUNT}
"""


def await_true(condition: Callable[[], bool], what: str) -> None:
    """Look until `condition` holds; a file that another process writes cannot be awaited otherwise."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.02)


def await_finished(project: Project, process: subprocess.Popen[str], count: int) -> None:
    """Look until `count` combinations have run to their end; the sweep must not end before."""
    deadline = time.monotonic() + DEADLINE
    while len(finished(project)) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"waited too long for {count} combinations to finish"
        time.sleep(0.02)


def finished(project: Project) -> list[str]:
    path = project.folder / "finished"
    return path.read_text().split() if path.exists() else []


def commands_of(project: Project) -> list[int]:
    """Return the processes that have the project's folder as their working folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == project.folder and b"work.sh" in (
                process / "cmdline"
            ).read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def assert_complete(project: Project) -> None:
    """Every combination is completed exactly once in the ledger, and ran to its end exactly once."""
    with project.ledger() as ledger:
        sweeps = ledger.sweeps(job="work")
        completed = Counter(
            row.label for sweep in sweeps for row in ledger.combinations(sweep.id, Outcome.COMPLETED)
        )
        assert SweepState.RUNNING not in {sweep.state for sweep in sweeps}
    expected = [f"i={i}" for i in range(1, COUNT + 1)]
    assert completed == Counter(expected)
    assert Counter(finished(project)) == Counter(expected)
    await_true(lambda: not commands_of(project), "the last command to be gone")


@pytest.fixture
def work(project: Project) -> Project:
    project.write("work.sh", SCRIPT.lstrip())
    project.jobs(JOBS)
    return project


@pytest.mark.timeout(280)
def test_flow_process_is_killed_many_times(work: Project) -> None:
    for round_ in range(1, 5):
        process = work.start("run", "work")
        await_finished(work, process, 4 * round_)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        await_true(lambda: not commands_of(work), "the guard to end the commands of a dead flow")
    work.sweep("run", "work", check=0)
    assert_complete(work)
    again = work.sweep("run", "work", check=0)
    assert again.stderr == (
        f"sweep: work: {COUNT} of {COUNT} combinations done; nothing is left to do (--fresh runs all again)\n"
    )


def test_recovery_right_after_the_kill_waits_for_the_commands(work: Project) -> None:
    process = work.start("run", "work")
    await_finished(work, process, 3)
    os.kill(process.pid, signal.SIGKILL)
    work.sweep("run", "work", check=0)
    process.communicate()
    assert_complete(work)


@pytest.mark.timeout(280)
def test_prefect_server_is_killed(bare_project: Project) -> None:
    work = bare_project
    work.write("work.sh", SCRIPT.lstrip())
    work.jobs(JOBS)
    process = work.start("run", "work")
    await_finished(work, process, 4)
    server = json.loads((work.folder / ".sweep" / "server" / "prefect.json").read_text())
    os.killpg(server["pid"], signal.SIGKILL)
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err
    assert f"{COUNT} of {COUNT} completed" in out
    assert_complete(work)
    assert "Traceback" not in err
    work.sweep("run", "work", "--fresh", check=0)


def servers_in(folder: Path) -> list[int]:
    """Return the Prefect server processes whose working folder is `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder and b"prefect.server" in (
                process / "cmdline"
            ).read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


@pytest.fixture
def cluster(work: Project) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A Dask scheduler and two workers, as processes of their own."""
    file = work.folder.parent / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--scheduler-file", str(file)]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file)]
    env = {key: value for key, value in work.env.items() if key != "PREFECT_API_URL"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": env}
    processes = [
        subprocess.Popen(
            [*dask, "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"], **quiet
        )
    ]
    await_true(file.exists, "the Dask scheduler to start")
    processes += [
        subprocess.Popen(
            [*worker, "--no-nanny", "--nthreads", "1", "--dashboard-address", "127.0.0.1:0"],
            **quiet,
            cwd=work.folder.parent,
        )
        for _ in range(2)
    ]
    yield json.loads(file.read_text())["address"], processes
    for process in reversed(processes):
        process.kill()
        process.wait()
    assert not servers_in(work.folder.parent), "a Dask worker has started a Prefect server of its own"


@pytest.mark.timeout(280)
def test_dask_worker_is_killed(work: Project, cluster: tuple[str, list[subprocess.Popen[bytes]]]) -> None:
    address, processes = cluster
    process = work.start("run", "work", "--cluster", address)
    await_finished(work, process, 5)
    processes[1].kill()
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode in (0, 1), err
    work.sweep("run", "work", "--cluster", address, check=0)
    assert_complete(work)


def test_flow_is_killed_and_its_cluster_lives_on(
    work: Project, cluster: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, _ = cluster
    process = work.start("run", "work", "--cluster", address)
    await_finished(work, process, 5)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    await_true(lambda: not commands_of(work), "the workers to see that the flow has died")
    work.sweep("run", "work", check=0)
    assert_complete(work)
