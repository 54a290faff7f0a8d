"""The places of a sweep: brought up before anything runs, and each given a submitter."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sweeplib.orchestrate.asked import Asked
from sweeplib.orchestrate.cluster import place
from sweeplib.orchestrate.in_process import InProcessSubmitter
from sweeplib.orchestrate.pooled import PooledSubmitter
from sweeplib.orchestrate.pools import Pool, find_pool
from sweeplib.orchestrate.router import Router
from sweeplib.orchestrate.submitter import PrefectSubmitter
from sweeplib.where import HERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sweeplib.engine import Execution
    from sweeplib.jobs import ClusterSpec, Job
    from sweeplib.orchestrate.cluster import Placement
    from sweeplib.orchestrate.router import Station
    from sweeplib.orchestrate.session import Session
    from sweeplib.plan import Plan
    from sweeplib.where import Where

__all__ = ["placed", "stationed"]


@contextmanager
def placed(
    plan: Plan, parallel: int | None, address: str | None
) -> Iterator[Mapping[Where | None, Placement | Pool]]:
    """Bring up every place of a plan, and take down again what is ours.

    `parallel` and `address` override the job's; the address is that of the place of all that have none of
    their own. Raises `ClusterError` for a cluster that cannot be reached, `InputError` for a work pool that
    is not there, or a cluster that cannot be started as it is written.
    """
    job = plan.job
    with ExitStack() as stack:
        up: dict[Where | None, Placement | Pool] = {}
        of_none = address or job.cluster
        asked = Asked.of(plan)
        at_once = parallel or job.parallel
        cautious = job.max_failures is not None
        for where in sorted(plan.places, key=str, reverse=True):  # pools first: they are asked in no time
            same = HERE if where is None and of_none is None else where
            if same is not None and same.kind == "pool":
                up[same] = find_pool(same.name, at_once, cautious=cautious)
            elif same not in up:
                placement = place(*_cluster(job, address, same), asked, at_once, cautious=cautious)
                with job.origin.of("cluster") if same is None else job.origin.top.of("clusters", same.name):
                    up[same] = stack.enter_context(placement)
            up[where] = up[same]
        yield {where: up[where] for where in plan.places}


def _cluster(job: Job, address: str | None, where: Where | None) -> tuple[str | ClusterSpec | None, str]:
    """Return the cluster of a place, None for Dask in this process, and what messages call it."""
    if where == HERE:
        return None, "in this process"
    cluster = job.clusters[where.name] if where is not None else address or job.cluster
    text = cluster if isinstance(cluster, str) else cluster.class_ if cluster else ""
    return cluster, text if where is None else f"{where.name} ({text})"


@contextmanager
def stationed(
    placements: Mapping[Where | None, Placement | Pool],
    session: Session,
    execution: Execution,
    note: Callable[[str], None],
) -> Iterator[Station | Router]:
    """Give each place its submitter, and return that, or the one that hands work to them.

    `note` is told what the user should know.
    """
    limit = execution.plan.job.max_failures
    allowed = limit.limit(execution.total) if limit else None
    with ExitStack() as stack:
        made: dict[int, Station] = {}
        for placement in placements.values():
            if id(placement) not in made:
                station: InProcessSubmitter | PrefectSubmitter | PooledSubmitter
                if isinstance(placement, Pool):
                    station = PooledSubmitter(placement, session, execution, note)
                elif placement.threads:
                    station = InProcessSubmitter(placement, session, allowed)
                else:
                    station = PrefectSubmitter(placement, session, note)
                stack.enter_context(station)
                made[id(placement)] = station
        if len(made) == 1:
            yield next(iter(made.values()))
        else:
            yield Router({where: made[id(each)] for where, each in placements.items()})
