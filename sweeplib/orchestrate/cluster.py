"""Where a sweep's commands run: Dask in this process, or a Dask cluster."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dask.config
from prefect.settings import get_current_settings

from sweeplib.errors import ClusterError
from sweeplib.jobs import ClusterSpec
from sweeplib.orchestrate import workers
from sweeplib.orchestrate.capacity import Capacity
from sweeplib.orchestrate.declaration import Declaration
from sweeplib.orchestrate.environment import Environment
from sweeplib.orchestrate.task_runner import SweepTaskRunner

if TYPE_CHECKING:
    from collections.abc import Iterator

    import distributed

    from sweeplib.jobs import Job
    from sweeplib.plan import Plan

__all__ = ["Placement", "place"]

_LOCAL: dict[str, Any] = {
    "processes": False,
    "n_workers": 1,
    "dashboard_address": "127.0.0.1:0",  # left out, Dask takes port 8787 on every interface
    "worker_dashboard_address": "127.0.0.1:0",
    "memory_limit": 0,  # the commands are processes of their own: Dask sees none of their memory
    "silence_logs": "CRITICAL",
}
_CONFIG = {
    # Dask's profiler calls sys._current_frames(), which before Python 3.12 can deadlock the process when
    # a garbage collection begins inside it (CPython gh-106883); and nobody looks at its profile
    "distributed.worker.profile.enabled": False,
}
_LINK = {"distributed.dashboard.link": "http://127.0.0.1:{port}/status"}  # Dask would name another interface
_SPARE = 4  # threads that see to Prefect's records while the others' commands run
_WAIT = 30.0  # seconds for the first worker of a cluster to be there
_PASSED_ON = ("PREFECT_API_", "PREFECT_CLIENT_")


@dataclass(frozen=True, slots=True)
class Placement:
    """A task runner whose cluster is up, and how it is to be used.

    `parallel` is about how many commands run at once, `window` how much work to keep submitted, `batch` how
    much to submit at once where more than that is left to do. `threads` are those of the one worker that is
    in this process, and `capacity` bounds its commands; 0 and None where workers are elsewhere. Commands of
    which no processors are said need one all the same, if `plain`.
    """

    runner: SweepTaskRunner
    parallel: int
    window: int
    batch: int = 1
    threads: int = 0
    capacity: Capacity | None = None
    plain: bool = False


@contextmanager
def place(plan: Plan, parallel: int | None, address: str | None) -> Iterator[Placement]:
    """Bring up the cluster of the plan's job, and take it down again if it is ours.

    `parallel` and `address` override the job's. Raises `ClusterError` if the cluster cannot be reached.
    """
    job = plan.job
    parallel = parallel or job.parallel
    capacity = Capacity.of(plan, parallel)
    runner, local = _runner(job, capacity.places + _SPARE, address)
    with dask.config.set({**_CONFIG, **(_LINK if local else {})}), runner:
        try:
            client = runner.client
        except Exception as error:
            raise ClusterError(_unreachable(job, address, error)) from error
        if local:
            commands = capacity.places
            ahead = commands if job.max_failures is not None else 3 * commands + 2 * _SPARE
            yield Placement(
                runner,
                capacity.at_once(plan),
                window=commands + ahead,
                batch=max(1, ahead // 4),
                threads=commands + _SPARE,
                capacity=capacity,
            )
            return
        _prepare(client, address or _name(job), ours=not address and isinstance(job.cluster, ClusterSpec))
        threads = sum(client.nthreads().values())
        window = min(parallel or 2 * threads, 2 * threads)
        plain = bool(capacity.plain)
        there = workers.capacity(client, min(window, threads), plain=plain)
        yield Placement(runner, there.at_once(plan), window, plain=plain)


def _runner(job: Job, threads: int, address: str | None) -> tuple[SweepTaskRunner, bool]:
    if address:
        return SweepTaskRunner(address=address), False
    if isinstance(job.cluster, str):
        return SweepTaskRunner(address=job.cluster), False
    if job.cluster is not None:
        try:
            return SweepTaskRunner(
                cluster_class=job.cluster.class_, cluster_kwargs=dict(job.cluster.arguments)
            ), False
        except (ImportError, AttributeError) as error:
            raise ClusterError(_unreachable(job, address, error)) from error
    return SweepTaskRunner(cluster_kwargs={**_LOCAL, "threads_per_worker": threads}), True


def _prepare(client: distributed.Client, name: str, *, ours: bool) -> None:
    """Wait for a worker, and give every worker what Prefect needs to find its API.

    Workers of a cluster of `ours` declare what they have.
    """
    try:
        client.wait_for_workers(1, timeout=_WAIT)
    except TimeoutError as error:
        msg = f"the Dask cluster {name} has no worker; start one with: dask worker {name}"
        raise ClusterError(msg) from error
    settings = get_current_settings().to_environment_variables(exclude_unset=True, include_secrets=True)
    wanted = {**settings, **os.environ}
    client.register_plugin(
        Environment({key: value for key, value in wanted.items() if key.startswith(_PASSED_ON)})
    )
    if ours:
        client.register_plugin(Declaration())


def _name(job: Job) -> str:
    cluster = job.cluster
    return cluster if isinstance(cluster, str) else cluster.class_ if cluster else "in this process"


def _unreachable(job: Job, address: str | None, error: Exception) -> str:
    return f"the Dask cluster {address or _name(job)} cannot be used: {error}"
