"""`sweep deploy`: make the project's jobs deployments of Prefect."""

from __future__ import annotations

from pathlib import Path

import click

from sweeplib.cli.parameters import complete_job, project_of
from sweeplib.orchestrate.server import POOL

__all__ = ["command"]


@click.command(name="deploy")
@click.argument("jobs", nargs=-1, metavar="[JOB]...", shell_complete=complete_job)
@click.option("--pool", default=POOL, show_default=True, help="Work pool; made if there is none.")
@click.option("--prune", is_flag=True, help="Remove deployments that are not in the job file any more.")
@click.option("--analytics", is_flag=True, help="Also deploy what draws the results of sweeps as they go on.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Where workers find the project, in a container for example [default: where it is here].",
)
@click.pass_context
def command(
    ctx: click.Context,
    jobs: tuple[str, ...],
    pool: str,
    prune: bool,  # noqa: FBT001 - click passes options by name
    analytics: bool,  # noqa: FBT001
    folder: Path | None,
) -> None:
    """Make the deployments of JOBs, or of all jobs, in Prefect: each as its `deployments` say.

    A job without any gets one to run by hand, JOB/default. Doing it again updates. For example:

    sweep deploy train && prefect deployment run train/default
    """
    from sweeplib.cli.output import note
    from sweeplib.jobs import load
    from sweeplib.orchestrate.api import connect

    project = project_of(ctx)
    file = load(project)
    chosen = [file.job(name) for name in jobs] or list(file.jobs.values())
    api = connect(project, note)
    from sweeplib.orchestrate.deploy import (
        check,
        check_analytics,
        deploy,
        deploy_analytics,
        left_over,
        make_pool,
        remove,
    )

    check(chosen)
    if analytics:
        check_analytics(file.jobs.values())
    if make_pool(pool):
        note(f"made the work pool {pool!r} (process)")
    changes = [*deploy(project, chosen, pool, folder)]
    if analytics:
        changes.append(deploy_analytics(project, pool, folder))
    for change in changes:
        click.echo(f"{change.what} {change.name}" + (f"  ({change.schedule})" if change.schedule else ""))
    old = left_over(folder or project, file.jobs.values())
    if prune:
        remove(folder or project, old)
    for name in old:
        click.echo(f"removed {name}") if prune else note(
            f"{name} is not in {file.path.name} any more; remove it with: sweep deploy --prune"
        )
    if api.local:
        note("for prefect's own commands: export PREFECT_API_URL=$(sweep up --api)")
    note(f"start what runs them: prefect worker start --pool {pool}")
