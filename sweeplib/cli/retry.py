"""`sweep retry`: run again what a sweep left undone."""

from __future__ import annotations

import click

from sweeplib.cli.parameters import cluster_option, complete_job, project_of
from sweeplib.errors import UnknownSweepError

__all__ = ["command"]


@click.command(name="retry")
@click.argument("job", shell_complete=complete_job)
@click.option("-j", "--parallel", type=click.IntRange(min=1), metavar="N", help="Commands at once.")
@cluster_option
@click.pass_context
def command(ctx: click.Context, job: str, parallel: int | None, cluster: str | None) -> None:
    """Run what the newest sweep of JOB left undone, with the arguments and the selection it had.

    For example: sweep retry train
    """
    from sweeplib.cli.execute import execute
    from sweeplib.jobs import load
    from sweeplib.ledger import Ledger
    from sweeplib.plan import Plan

    project = project_of(ctx)
    found = load(project).job(job)
    with Ledger.open(project / ".sweep" / "ledger.db") as ledger:
        newest = next(iter(ledger.sweeps(job=job, limit=1)), None)
    if newest is None:
        msg = f"job {job!r} has no sweep yet; start one with: sweep run {job}"
        raise UnknownSweepError(msg)
    plan = Plan(found, newest.arguments, newest.selection)
    ctx.exit(execute(project, plan, fresh=False, parallel=parallel, cluster=cluster))
