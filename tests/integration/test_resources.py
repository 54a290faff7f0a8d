"""`resources` in real sweeps: on this machine, two sweeps at once, and on a Dask cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from sweeplib.run.machine import processors
from sweeplib.run.model import Outcome
from tests.conftest import end_group
from tests.integration.prefect_api import ask, task_runs
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
    with open("ran", "a") as file:
        file.write(json.dumps([dict(word.split("=") for word in sys.argv[1:]), began, time.time(), *seen]) + "\\n")
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
        str(10 * all_): str(10 * all_),
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
    client = json.loads(project.sweep("results", "fill", "--format", "json").stdout)
    assert "memory" in json.dumps(client)

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
