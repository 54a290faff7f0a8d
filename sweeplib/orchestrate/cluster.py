"""Where a sweep's commands run: Dask in this process, or a Dask cluster."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dask.config
from prefect.settings import get_current_settings

from sweeplib.errors import ClusterError
from sweeplib.orchestrate.capacity import Capacity
from sweeplib.orchestrate.cluster_class import hold_class, refused
from sweeplib.orchestrate.declaration import Declaration
from sweeplib.orchestrate.environment import Environment
from sweeplib.orchestrate.task_runner import SweepTaskRunner
from sweeplib.orchestrate.workers import Terms, fleet

if TYPE_CHECKING:
    from collections.abc import Iterator

    import distributed

    from sweeplib.jobs import ClusterSpec
    from sweeplib.orchestrate.asked import Asked

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
_WAIT = 30.0  # seconds for the first worker of a cluster at an address to be there
_COMING = 5.0  # seconds in which workers of a cluster that is ours may be there at once
_PASSED_ON = ("PREFECT_API_", "PREFECT_CLIENT_")


@dataclass(frozen=True, slots=True)
class Placement:
    """A task runner whose cluster is up, and how it is to be used.

    `parallel` is about how many commands run at once, `window` how much work to keep submitted, `batch` how
    much to submit at once where more than that is left to do. `threads` are those of the one worker that is
    in this process, and `capacity` bounds its commands; 0 and None where workers are elsewhere: those come
    and go, and the first two are as of the beginning, with `terms` for later.
    """

    runner: SweepTaskRunner
    parallel: int
    window: int
    batch: int = 1
    threads: int = 0
    capacity: Capacity | None = None
    terms: Terms = field(default_factory=Terms)


@contextmanager
def place(
    cluster: str | ClusterSpec | None,
    name: str,
    asked: Asked,
    parallel: int | None,
    *,
    cautious: bool = False,
) -> Iterator[Placement]:
    """Bring up a cluster (None: Dask in this process), and take it down again if it is ours.

    `name` is what messages call it. `asked` is what the commands need, `parallel` how many run at once (None:
    as many as there is room for); one that is `cautious` keeps little submitted, as what fails may end the
    sweep. Raises `ClusterError` if the cluster cannot be reached, and `InputError` where its class is not
    there, or does not take what it is given.
    """
    capacity = Capacity.of(asked, parallel)
    runner = _runner(cluster, capacity.places + _SPARE)
    local = cluster is None
    with dask.config.set({**_CONFIG, **(_LINK if local else {})}), runner:
        try:
            client = runner.client
        except Exception as error:
            wrong = None if cluster is None or isinstance(cluster, str) else refused(cluster, error)
            raise wrong or ClusterError(_unreachable(cluster, name, error)) from error
        if local:
            commands = capacity.places
            ahead = commands if cautious else 3 * commands + 2 * _SPARE
            yield Placement(
                runner,
                capacity.at_once(asked),
                window=commands + ahead,
                batch=max(1, ahead // 4),
                threads=commands + _SPARE,
                capacity=capacity,
            )
            return
        start = f"; start one with: dask worker {cluster}" if isinstance(cluster, str) else ""
        terms = Terms(
            asked,
            parallel,
            bool(capacity.plain),
            f"the Dask cluster {name} has no worker{start}",
            ours=not isinstance(cluster, str),
        )
        _prepare(client, terms)
        there = fleet(client)
        yield Placement(runner, there.at_once(terms), there.window(terms), terms=terms)


def _runner(cluster: str | ClusterSpec | None, threads: int) -> SweepTaskRunner:
    if isinstance(cluster, str):
        return SweepTaskRunner(address=cluster)
    if cluster is not None:
        hold_class(cluster)
        return SweepTaskRunner(cluster_class=cluster.class_, cluster_kwargs=dict(cluster.arguments))
    return SweepTaskRunner(cluster_kwargs={**_LOCAL, "threads_per_worker": threads})


def _prepare(client: distributed.Client, terms: Terms) -> None:
    """Wait for a worker, and give every worker what Prefect needs to find its API.

    Workers of a cluster that is ours declare what they have; they come in their own time, such as that of a
    scheduler's queue.
    """
    try:
        client.wait_for_workers(1, timeout=_COMING if terms.ours else _WAIT)
    except TimeoutError as error:
        if not terms.ours:
            raise ClusterError(terms.lacking) from error
    settings = get_current_settings().to_environment_variables(exclude_unset=True, include_secrets=True)
    wanted = {**settings, **os.environ}
    client.register_plugin(
        Environment({key: value for key, value in wanted.items() if key.startswith(_PASSED_ON)})
    )
    if terms.ours:
        client.register_plugin(Declaration(gpu=terms.asked.gpu))


def _unreachable(cluster: str | ClusterSpec | None, name: str, error: Exception) -> str:
    remedy = "; check the address, or start one with: dask scheduler" if isinstance(cluster, str) else ""
    return f"the Dask cluster {name} cannot be used: {error}{remedy}"
