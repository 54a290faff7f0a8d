"""One job at three places: this machine, a Dask cluster by name, a work pool with a worker."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.run.model import Outcome
from tests.conftest import end_group
from tests.integration.prefect_api import ask, get, task_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Project

POOL = "of-places"
JOBS = """
    clusters: {big: ADDRESS}
    defaults: {style: plain, groups: {on: on/}}
    jobs:
      mixed:
        run: >-
          sh -c 'echo "${MARK:-here}" "$0" "$1" >> ran; test -e better || test "$1" != i=2'
        sets: [{each: "on=* i=1:3"}]
      naps:
        run: sh -c 'echo "${MARK:-here}" $$ >> started; sleep 600 & wait'
        tracking: false
        parallel: 1
        sets: [{each: "on=dask,here,pool i=1:4"}]
      nowhere:
        run: "true"
        where: {pool: of-place}
        sets: [{each: "i=1:3"}]
"""
VARIANTS = {"here": "where: here", "dask": "where: big", "pool": f"where: {{pool: {POOL}}}"}
EVERY = [f"{on} on={on} i={i}" for on in VARIANTS for i in (1, 2, 3)]
PATIENCE = 60.0
CANCELLED = [("naps", "CANCELLED"), ("sweep-helper", "CANCELLED"), ("sweep-helper", "FAILED")]


def await_true(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.05)  # other processes tell through files and their API alone
    return found


@contextmanager
def started(project: Project, name: str, *command: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """Have a server run in a session of its own, its output in a file beside the project."""
    with (project.folder.parent / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=project.folder.parent,
            env=project.env | env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end_group(process)  # type: ignore[arg-type]


@contextmanager
def cluster(project: Project) -> Iterator[str]:
    """Have a Dask scheduler and a worker of two threads; yield the scheduler's address."""
    file = project.folder.parent / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli.dask_"]
    loopback = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file)]
    with ExitStack() as stack:
        command = [*dask[:2], f"{dask[2]}scheduler", "--port", "0", *loopback]
        stack.enter_context(started(project, "scheduler", *command))
        await_true(file.exists, "the Dask scheduler to start")
        command = [*dask[:2], f"{dask[2]}worker", "--no-nanny", "--nthreads", "2", *loopback]
        stack.enter_context(started(project, "dask-worker", *command, MARK="dask"))
        yield str(json.loads(file.read_text())["address"])


def worker(project: Project) -> Any:
    command = [str(Path(sys.executable).with_name("prefect")), "worker", "start", "--pool", POOL]
    return started(project, "worker", *command, MARK="pool", PREFECT_WORKER_QUERY_SECONDS="1")


def ran(project: Project) -> Counter[str]:
    path = project.folder / "ran"
    found = Counter(path.read_text().splitlines() if path.exists() else [])
    path.unlink(missing_ok=True)
    return found


def runs_of(project: Project, api: str, job: str) -> list[tuple[str, str]]:
    """Return the name of the flow and the state of each flow run of the newest sweep of a job."""
    with project.ledger() as ledger:
        tag = ledger.sweeps(job=job, limit=1)[0].tag
    found = ask(api, "/flow_runs/filter", {"flow_runs": {"tags": {"all_": [tag]}}})
    names = {each["flow_id"]: get(api, f"/flows/{each['flow_id']}")["name"] for each in found}
    return sorted((names[each["flow_id"]], each["state"]["type"]) for each in found)


def sleepers(project: Project) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink() == project.folder:
                found += [int(entry.name)] if (entry / "cmdline").read_bytes().startswith(b"sleep") else []
        except OSError:
            continue
    return found


@pytest.mark.timeout(240)
def test_a_job_at_three_places(project: Project, prefect_api: str) -> None:
    for name, text in VARIANTS.items():
        project.write(f"on/{name}.yaml", text)
    with cluster(project) as address:
        project.jobs(JOBS.replace("ADDRESS", address))
        prefect = str(Path(sys.executable).with_name("prefect"))
        make = [prefect, "--no-prompt", "work-pool", "create", POOL, "--type", "process"]
        subprocess.run(make, env=project.env, check=True, capture_output=True)
        refuse_a_pool_that_is_not_there(project, prefect_api)
        process = wait_for_a_worker(project)
        with worker(project) as first:
            each_runs_at_its_place(project, prefect_api, process)
            only_what_is_left_runs_again(project)
            a_worker_dies_and_the_sweep_is_cancelled(project, prefect_api, first)


def refuse_a_pool_that_is_not_there(project: Project, api: str) -> None:
    done = project.sweep("run", "nowhere", check=2)
    assert f"sweep: there is no work pool 'of-place' at {api}/; did you mean '{POOL}'?\n" in done.stderr


def wait_for_a_worker(project: Project) -> subprocess.Popen[str]:
    """Start a sweep, and return it when it has said that the pool has no worker."""
    process = project.start("run", "mixed")
    assert process.stderr is not None
    waits = f"the work pool {POOL} has no worker online; start one with: prefect worker start --pool {POOL}"
    told = ""
    while waits not in told:
        line = process.stderr.readline()
        assert line, f"the sweep has ended, and said: {told}"
        told += line
    return process


def each_runs_at_its_place(project: Project, api: str, process: subprocess.Popen[str]) -> None:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    assert ": 6 of 9 completed, 3 failed in " in out
    assert ran(project) == Counter(EVERY), "each once, and where it belongs"
    assert runs_of(project, api, "mixed") == [("mixed", "FAILED"), ("sweep-helper", "COMPLETED")]
    with project.ledger() as ledger:
        sweep = ledger.sweeps(job="mixed", limit=1)[0]
        rows = list(ledger.combinations(sweep.id))
        assert not list(ledger.untracked(job="mixed"))
    assert all(row.run_id for row in rows), "each has its run in MLflow"
    states = Counter(each["state_type"] for each in task_runs(api, sweep.tag))
    assert states == {"COMPLETED": 6, "FAILED": 3}


def only_what_is_left_runs_again(project: Project) -> None:
    (project.folder / "better").touch()
    again = project.sweep("run", "mixed", check=0)
    assert ": 3 of 3 completed, 6 were done before in " in again.stdout
    assert ran(project) == Counter(each for each in EVERY if each.endswith("i=2"))
    assert not list((project.folder / ".sweep" / "sweeps").glob("*/pools/*")), "nothing is left behind"


def a_worker_dies_and_the_sweep_is_cancelled(
    project: Project, api: str, first: subprocess.Popen[bytes]
) -> None:
    path = project.folder / "started"

    def begun(after: int = 0) -> set[str]:
        """Return where commands have begun, those before this one left out."""
        lines = path.read_text().splitlines() if path.exists() else []
        return {line.split()[0] for line in lines[after:]}

    process = project.start("run", "naps")
    await_true(lambda: begun() == set(VARIANTS), "a command at each place")
    first.kill()
    before = len(path.read_text().splitlines())
    with worker(project):
        await_true(lambda: "pool" in begun(before), "another flow run to take what the first one had")
        project.sweep("cancel", "naps", check=0)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130, err
        assert ": 0 of 12 completed, 9 cancelled, 3 not started in " in out, "one was out to the cluster"
        await_true(lambda: not sleepers(project), "the commands to end")
        await_true(lambda: runs_of(project, api, "naps") == CANCELLED, "the flow runs to be cancelled")
    with project.ledger() as ledger:
        sweep = ledger.sweeps(job="naps", limit=1)[0]
        assert {row.outcome for row in ledger.combinations(sweep.id)} == {Outcome.CANCELLED}
