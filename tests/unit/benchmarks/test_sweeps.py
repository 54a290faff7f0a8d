"""A small sweep, really run, and what the benchmarks read of it afterwards."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from benchmarks.growth import measure_step
from benchmarks.records import flow_run_start
from benchmarks.seeding import seed
from benchmarks.server import dropped_messages, peak_memory, serving
from benchmarks.sweeps import run_sweep
from sweeplib.engine import remaining
from sweeplib.jobs import load
from sweeplib.ledger import Ledger
from sweeplib.plan import Plan

if TYPE_CHECKING:
    from pathlib import Path

JOBS = "jobs: {noop: {run: 'true', tracking: false, sets: [{each: 'a=1:4 b=1:5'}]}}\n"


def test_a_ledger_of_what_is_done(tmp_path: Path) -> None:
    (tmp_path / "sweeps.yaml").write_text(JOBS, encoding="utf-8")
    seed(tmp_path, "noop", 3, tmp_path / "ledger.db")
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        (sweep,) = ledger.sweeps("noop")
        plan = Plan(load(tmp_path).job("noop"))
        found = list(remaining(plan, ledger, "", sweep.lineage))
    assert sweep.state == "cancelled"
    assert [each.free for each in found] == [False] * 17 + [True] * 3


@pytest.mark.timeout(200)
def test_a_sweep_that_goes_on(isolated: Path) -> None:
    notes: list[str] = []
    (isolated / "sweeps.yaml").write_text(JOBS, encoding="utf-8")
    seed(isolated, "noop", 3, isolated / ".sweep" / "ledger.db")
    before = time.time()
    with serving(isolated, notes.append) as api:
        run = run_sweep(isolated, "noop")
        records = run.records
        assert before < run.cost.began < flow_run_start(api, records.flow_run) < records.first < records.last
        assert run.rate == 3 / (records.last - records.first)
        assert run.first_command == records.first - run.cost.began
        assert (records.missing(3), records.shortfall(3)) == (0, "")
        assert records.shortfall(4) == (
            "3 of 4 combinations completed in the ledger; 3 of 4 task runs final in Prefect"
        )
        assert dropped_messages(isolated) == 0
        assert peak_memory(isolated) > 50
    assert notes == ["starting a local prefect server for this project"]


@pytest.mark.timeout(200)
def test_a_step_of_growth(isolated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    step = measure_step(isolated / "5", 5)
    assert (step.combinations, step.completed, step.task_runs) == (5, 5, 5)
    assert 0 < step.status_seconds < step.seconds
    assert step.resume_seconds < step.seconds
    assert step.flow_megabytes > 50 < step.server_megabytes
    assert 0 < step.ledger_megabytes < 1 < step.prefect_megabytes < 20
    assert capsys.readouterr().out == ""
