"""`sweep serve`: run the project's deployments from one process, without a work pool."""

from __future__ import annotations

import click

from sweeplib.cli.parameters import complete_job, project_of

__all__ = ["command"]


@click.command(name="serve")
@click.argument("jobs", nargs=-1, metavar="[JOB]...", shell_complete=complete_job)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Flow runs at once at most.")
@click.option("--analytics", is_flag=True, help="Also draw the results of sweeps as they go on.")
@click.pass_context
def command(ctx: click.Context, jobs: tuple[str, ...], limit: int | None, analytics: bool) -> None:  # noqa: FBT001
    """Make the deployments of JOBs, or of all jobs, and run what Prefect asks for, until Ctrl-C.

    For one machine: there is no work pool, and schedules rest while this does not run.
    """
    from sweeplib.cli.output import note
    from sweeplib.jobs import load
    from sweeplib.orchestrate.api import connect

    project = project_of(ctx)
    file = load(project)
    chosen = [file.job(name) for name in jobs] or list(file.jobs.values())
    api = connect(project, note)
    from sweeplib.orchestrate.deploy import check_analytics
    from sweeplib.orchestrate.serve import serve

    if analytics:
        check_analytics(file.jobs.values())
    note(f"serving until Ctrl-C; watch at {api.ui}")
    serve(project, chosen, limit, click.echo, analytics=analytics)
