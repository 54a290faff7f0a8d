"""Several sweeps of one job at once: each keeps to itself, under its own tag."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from sweeplib.ledger import SweepState
from tests.conftest import end_group
from tests.integration.prefect_api import ask, task_runs

if TYPE_CHECKING:
    from tests.conftest import Project

ONLY = ("i=1,2", "i=3,4", "i=1,2,3,4")


def test_sweeps_of_one_job_at_once_are_isolated(project: Project, prefect_api: str) -> None:
    project.write("work.sh", 'sleep 0.3; echo "$SWEEP_ID $SWEEP_KEY $MLFLOW_RUN_ID $1" >> said\n')
    project.jobs("jobs: {many: {run: sh work.sh, style: plain, parallel: 2, sets: [{each: 'i=1:4'}]}}\n")
    processes = [project.start("run", "many", "--fresh", "--only", only) for only in ONLY]
    try:
        for process in processes:
            _, err = process.communicate(timeout=200)
            assert process.returncode == 0, err
    finally:
        for process in processes:
            end_group(process)

    said = [line.split() for line in (project.folder / "said").read_text().splitlines()]
    with project.ledger() as ledger:
        sweeps = {sweep.id: sweep for sweep in ledger.sweeps("many")}
        rows = {sweep: list(ledger.combinations(sweep)) for sweep in sweeps}
    assert len({sweep.tag for sweep in sweeps.values()}) == 3
    assert {sweep.state for sweep in sweeps.values()} == {SweepState.COMPLETED}
    assert sorted(",".join(row.label for row in each) for each in rows.values()) == [
        "i=1,i=2", "i=1,i=2,i=3,i=4", "i=3,i=4",
    ]  # fmt: skip
    # each command ran in the environment of its own sweep, …
    assert sorted(said) == sorted(
        [sweep, row.key, row.run_id, row.label] for sweep, each in rows.items() for row in each
    )
    # … and left its output in that sweep's folder; Prefect has it under that sweep's tag alone
    for sweep, each in rows.items():
        folder = project.folder / ".sweep" / "sweeps" / sweep
        assert {str(path) for path in folder.glob("logs/*/*.log")} == {row.log for row in each}
        runs = task_runs(prefect_api, sweeps[sweep].tag)
        assert len(runs) == len(each)
        assert {run["flow_run_id"] for run in runs} == {sweeps[sweep].flow_run_id}
        artifacts = {"flow_run_id": {"any_": [sweeps[sweep].flow_run_id]}, "type": {"any_": ["table"]}}
        (table,) = ask(prefect_api, "/artifacts/filter", {"artifacts": artifacts})
        assert table["key"] == f"{sweeps[sweep].tag}-combinations"
    store = sqlite3.connect(project.folder / "mlflow.db")
    tagged = store.execute("SELECT run_uuid, value FROM tags WHERE key = 'sweep.tag'").fetchall()
    store.close()
    combinations = {(row.run_id, sweeps[sweep].tag) for sweep, each in rows.items() for row in each}
    assert len(combinations) == 8
    assert combinations <= set(tagged)
