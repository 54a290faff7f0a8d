"""What a sweep knows before it begins: canaries, the longest first, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.prefect_api import ask

if TYPE_CHECKING:
    from tests.conftest import Project

JOBS = """
jobs:
  grown:
    run: sh work
    style: plain
    tracking: false
    parallel: 2
    {first}
    timeout: 20x
    sets: [{{each: "i=1:4 mode=a,b"}}]
"""


def flow_log(api: str, project: Project) -> list[str]:
    """Return what the flow run of the newest sweep has in its log."""
    with project.ledger() as ledger:
        flow_run = ledger.sweeps(job="grown", limit=1)[0].flow_run_id
    body = {"logs": {"flow_run_id": {"any_": [flow_run]}}, "sort": "TIMESTAMP_ASC", "limit": 200}
    return [entry["message"] for entry in ask(api, "/logs/filter", body)]


def begun(project: Project) -> list[str]:
    """Return the combinations of the newest sweep in the order in which they began."""
    with project.ledger() as ledger:
        sweep = ledger.sweeps(job="grown", limit=1)[0]
        rows = [row for row in ledger.combinations(sweep.id) if row.started is not None]
    return [row.label for row in sorted(rows, key=lambda row: row.started or 0.0)]


def test_canaries_then_the_longest_first_and_why(project: Project, prefect_api: str) -> None:
    project.jobs(JOBS.format(first="canary: true"))
    project.write("work", 'case "$*" in *mode=b*) exit 3;; esac')
    done = project.sweep("run", "grown", check=1)
    first = "i=1 mode=a, i=2 mode=b, i=3 mode=a, i=4 mode=a"
    assert f"sweep: canary: first {first}, with all of 6 parameter values\n" in done.stderr
    assert "sweep: canary: 1 of 4 failed; 4 combinations were not started\n" in done.stderr
    assert sorted(begun(project)) == first.split(", ")
    told = flow_log(prefect_api, project)
    assert "canary: 1 of 4 failed; 4 combinations were not started" in told

    project.write("work", 'case "$*" in *i=4*mode=b*) sleep 1.5;; *) sleep 0.1;; esac')
    done = project.sweep("run", "grown", check=0)
    assert "sweep: canary: first i=2 mode=b (3 of 4 ran before), with all of 6 " in done.stderr
    assert "5 of 5 completed, 3 were done before" in done.stdout

    project.jobs(JOBS.format(first="order: longest"))
    done = project.sweep("run", "grown", "--fresh", check=0)
    assert "i=4 mode=b" in begun(project)[:2], "it takes the longest, and stands last in the plan"
    told = flow_log(prefect_api, project)
    (why,) = [text for text in told if text.startswith("longest first")]
    assert why.endswith("in the plan's order")
    (timeout,) = [text for text in told if text.startswith("timeout 20x")]
    assert timeout.startswith("timeout 20x: of the expected time, by ")
