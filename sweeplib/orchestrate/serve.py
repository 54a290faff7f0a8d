"""Serving deployments from one process: a runner of Prefect's that polls for the runs of these jobs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.runner.storage import LocalStorage

from sweeplib.orchestrate.analytics import ENTRYPOINT, NAME
from sweeplib.orchestrate.deploy import DEFAULT, analytics_triggers, deployments_of, schedules_of
from sweeplib.orchestrate.deployed import entrypoint
from sweeplib.orchestrate.server import TAG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sweeplib.jobs import Job

__all__ = ["serve"]


def serve(
    project: Path,
    jobs: Iterable[Job],
    limit: int | None,
    say: Callable[[str], None],
    *,
    analytics: bool = False,
) -> None:
    """Make the deployments of jobs, without a work pool, and run what is asked for until interrupted.

    `limit` is how many flow runs run at once. Their schedules are paused when this ends. Raises `InputError`
    for a cron line that Prefect cannot read. With `analytics`, results are drawn as sweeps go on, which takes
    flow runs that count as well.
    """
    asyncio.run(_serve(project, list(jobs), limit, say, analytics=analytics))


async def _serve(
    project: Path, jobs: list[Job], limit: int | None, say: Callable[[str], None], *, analytics: bool
) -> None:
    runner = Runner(name="sweeplib", limit=limit)
    if analytics:
        deployment = await RunnerDeployment.afrom_storage(
            storage=LocalStorage(str(project)),
            entrypoint=ENTRYPOINT,
            name=DEFAULT,
            flow_name=NAME,
            triggers=list(analytics_triggers()),
        )
        await runner.aadd_deployment(deployment)
        say(f"serving {NAME}/{DEFAULT}")
    for job in jobs:
        for name, wanted in deployments_of(job).items():
            deployment = await RunnerDeployment.afrom_storage(
                storage=LocalStorage(str(project)),
                entrypoint=entrypoint(job.entry),
                name=name,
                flow_name=job.entry,
                schedules=schedules_of(job, name, wanted),
                parameters=wanted.parameters,
                tags=[TAG, *job.tags],
            )
            await runner.aadd_deployment(deployment)
            say(f"serving {job.entry}/{name}")
    await runner.start()
