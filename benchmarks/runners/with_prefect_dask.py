"""The first N of the commands under Prefect with the task runner of prefect-dask as it is."""

from __future__ import annotations

import sys

from prefect import flow, task
from prefect.runtime import flow_run
from prefect_dask.task_runners import DaskTaskRunner

from benchmarks.runners.noop import argvs, run, tell_span

_LOCAL = {
    "processes": False,
    "n_workers": 1,
    "threads_per_worker": 2,
    "dashboard_address": "127.0.0.1:0",
    "worker_dashboard_address": "127.0.0.1:0",
}


@task
def noop(argv: list[str]) -> tuple[float, float]:
    return run(argv)


@flow(name="stock", task_runner=DaskTaskRunner(cluster_kwargs=_LOCAL))  # type: ignore[arg-type]
def stock(commands: list[list[str]]) -> tuple[str, list[tuple[float, float]]]:
    return str(flow_run.id), noop.map(commands).result()


if __name__ == "__main__":
    identity, spans = stock(argvs()[: int(sys.argv[2])])
    tell_span(spans, flow_run=identity)
