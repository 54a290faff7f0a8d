"""`resources` in real sweeps: on this machine, two sweeps at once, and on a Dask cluster."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from sweeplib.run.machine import processors
from sweeplib.run.model import Outcome
from tests.conftest import end_group
from tests.integration.prefect_api import task_runs
from tests.integration.test_run import await_true, newest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Project

# Writes down when it ran, with what, then ends well.
WORK = """
    import json, os, sys, time
    began = time.time()
    time.sleep(0.3)
    seen = [os.environ.get(name) for name in ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")]
    values = dict(word.split("=") for word in sys.argv[1:])
    with open("ran", "a") as file:
        file.write(json.dumps([values, began, time.time(), *seen]) + "\\n")
"""


@dataclass(frozen=True)
class Ran:
    """A command, and when it ran."""

    values: dict[str, str]
    began: float
    ended: float
    threads: str | None
    devices: str | None

    def beside(self, other: Ran) -> bool:
        """Whether both ran at the moment when this one began."""
        return other.began <= self.began < other.ended


def ran(project: Project) -> list[Ran]:
    lines = (project.folder / "ran").read_text().splitlines()
    return sorted((Ran(*json.loads(line)) for line in lines), key=lambda each: each.began)


def busiest(found: list[Ran]) -> float:
    """Return the most processors that commands had at once."""
    return max(sum(float(other.values["cpu"]) for other in found if each.beside(other)) for each in found)


def hold_devices_apart(found: list[Ran]) -> None:
    """Hold that no device was of two commands at once."""
    for each in found:
        assert each.devices
        mine = set(each.devices.split(","))
        for other in found:
            if other is not each and each.beside(other):
                assert mine.isdisjoint(str(other.devices).split(","))


@pytest.fixture
def devices(project: Project) -> list[str]:
    """Give the project's machine two devices that no other test has."""
    names = [f"test-{uuid4().hex[:12]}-{number}" for number in range(2)]
    project.env["CUDA_VISIBLE_DEVICES"] = ",".join(names)
    project.env.pop("OMP_NUM_THREADS", None)
    project.write("work.py", WORK)
    return names


def test_commands_share_the_machine(project: Project, devices: list[str], prefect_api: str) -> None:
    all_ = processors()
    project.write("fill.py", "import time; block = bytearray(500_000_000); time.sleep(30)\n")
    project.jobs(
        f"""
        defaults: {{style: plain}}
        jobs:
          mix:
            run: python work.py
            tracking: false
            resources: {{cpu: "${{cpu}}"}}
            sets: [{{each: "i=1,2 cpu=0.5,{all_},{10 * all_}"}}]
          fill:
            run: python fill.py
            resources: {{memory: 200MB}}
            sets: [{{each: i=1}}]
          none:
            run: python work.py
            tracking: false
            resources: {{gpu: 3}}
            sets: [{{each: "i=1"}}]
        """
    )
    done = project.sweep("run", "mix", check=0)
    found = ran(project)
    assert len(found) == 6
    assert busiest([each for each in found if each.values["cpu"] != str(10 * all_)]) <= all_
    alone = [each for each in found if each.values["cpu"] == str(10 * all_)]
    assert not [each for each in found for large in alone if each is not large and each.beside(large)]
    assert {each.values["cpu"]: each.threads for each in found} == {
        "0.5": "1",
        str(all_): str(all_),
        str(10 * all_): str(all_),
    }
    assert (
        f"commands ask for {10 * all_} processors (resources), and this machine has {all_}: "
        "such a command has all of them"
    ) in done.stderr

    killed = project.sweep("run", "fill", check=1)
    sweep, tag, outcomes = newest(project, "fill")
    assert outcomes == {"fill": Outcome.FAILED}
    with project.ledger() as ledger:
        (row,) = ledger.combinations(sweep)
    assert row.message.startswith("used ")
    assert row.message.endswith(" MB of memory, more than the 200 MB of its resources: ended")
    assert f"failed: fill: {row.message}" in killed.stderr
    assert row.message in project.sweep("status", "fill").stdout
    (run,) = task_runs(prefect_api, tag)
    assert run["state"]["message"].startswith(row.message)
    store = sqlite3.connect(project.folder / "mlflow.db")
    told = store.execute("SELECT value FROM tags WHERE key = 'sweep.message'").fetchall()
    store.close()
    assert told == [(row.message,)]

    refused = project.sweep("run", "none", check=1)
    assert "failed: none: needs 3 GPUs (resources), and this machine has 2 (sweep logs" in refused.stderr


def test_two_sweeps_share_devices(project: Project, devices: list[str]) -> None:
    project.jobs(
        """
        jobs:
          lease:
            run: python work.py
            style: plain
            tracking: false
            resources: {gpu: "${gpu}", cpu: 0.1}
            sets: [{each: "gpu=1,2 i=1:3"}]
        """
    )
    processes = [project.start("run", "lease", "--fresh") for _ in range(2)]
    try:
        for process in processes:
            _, err = process.communicate(timeout=200)
            assert process.returncode == 0, err
    finally:
        for process in processes:
            end_group(process)
    found = ran(project)
    assert len(found) == 12
    hold_devices_apart(found)
    for each in found:
        assert len(str(each.devices).split(",")) == int(each.values["gpu"])
        assert set(str(each.devices).split(",")) <= set(devices)


@pytest.fixture
def cluster(project: Project, devices: list[str]) -> Iterator[str]:
    """The address of a Dask scheduler with a worker that has threads enough, and declares what it has."""
    file = project.folder.parent / "scheduler.json"
    env = {key: value for key, value in project.env.items() if key != "PREFECT_API_URL"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": env}
    place = ["--scheduler-file", str(file), "--dashboard-address", "127.0.0.1:0"]
    dask = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        *place,
        "--host",
        "127.0.0.1",
        "--port",
        "0",
    ]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", *place, "--nthreads", "8"]
    processes = [subprocess.Popen(dask, **quiet)]
    await_true(file.exists, "the Dask scheduler to start")
    processes.append(
        subprocess.Popen([*worker, "--resources", "CPU=2 GPU=2"], **quiet, cwd=project.folder.parent)
    )
    yield json.loads(file.read_text())["address"]
    for process in reversed(processes):
        process.terminate()  # a worker's nanny ends the worker
        process.wait()


def test_a_dask_cluster_is_shared(project: Project, cluster: str) -> None:
    project.jobs(
        f"""
        defaults: {{style: plain, tracking: false, cluster: "{cluster}"}}
        jobs:
          mix:
            run: python work.py
            resources: {{cpu: "${{cpu}}", memory: 100MB}}
            sets: [{{each: "cpu=0.5,1,2 i=1:3"}}]
          devices:
            run: python work.py
            resources: {{gpu: "${{gpu}}", cpu: 0.1}}
            sets: [{{each: "gpu=1,2 i=1,2"}}]
          much:
            run: python work.py
            retries: 5
            resources: {{cpu: "${{cpu}}"}}
            sets: [{{each: "cpu=1,4"}}]
        """
    )
    hasty = (
        "from sweeplib.orchestrate import workers as w; w.PATIENCE = 3; from sweeplib.cli import main; main()"
    )
    much = subprocess.Popen(
        [sys.executable, "-c", hasty, "run", "much"],
        cwd=project.folder,
        env=project.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        mix = project.sweep("run", "mix", check=0)
        found = [each for each in ran(project) if "i" in each.values]
        assert len(found) == 9
        assert busiest(found) <= 2
        assert {each.values["cpu"]: each.threads for each in found} == {"0.5": "1", "1": "1", "2": "2"}
        assert "the workers of the Dask cluster declare no MEMORY, so that resources do not" in mix.stderr

        project.sweep("run", "devices", check=0)
        hold_devices_apart([each for each in ran(project) if "gpu" in each.values])

        out, err = much.communicate(timeout=120)
        assert "1 of 2 completed, 1 failed" in out
        problem = (
            "needs 4 processors (resources), and no worker of the Dask cluster has as much "
            "(the most is 2 processors)"
        )
        assert f"sweep: a command {problem}; waiting 3 s for one that has" in err
        assert f"sweep: failed: cpu=4: {problem} (sweep logs" in err
    finally:
        end_group(much)
