"""`sweep run`: run a job, or print what it would run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sweeplib.cli.parameters import complete_job, project_of

if TYPE_CHECKING:
    from sweeplib.plan import Plan

__all__ = ["command"]


@click.command(name="run", context_settings={"ignore_unknown_options": True}, options_metavar="[OPTIONS]")
@click.argument("job", shell_complete=complete_job)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARG]...")
@click.option("--dry-run", is_flag=True, help="Print the commands, one a line, and run nothing.")
@click.option("--fresh", is_flag=True, help="Run everything again, also what is done.")
@click.option(
    "-j",
    "--parallel",
    type=click.IntRange(min=1),
    metavar="N",
    help="Commands at once [default: the job's, else the number of processors].",
)
@click.option("--cluster", metavar="ADDRESS", help="Run on the Dask cluster with this scheduler address.")
@click.pass_context
def command(
    ctx: click.Context,
    job: str,
    arguments: tuple[str, ...],
    dry_run: bool,  # noqa: FBT001 - click passes options by name
    fresh: bool,  # noqa: FBT001
    parallel: int | None,
    cluster: str | None,
) -> None:
    """Run the combinations of JOB that are not done yet.

    More arguments are given to every command, before the combination's own; put -- before those that look
    like options of sweep. For example: sweep run train epochs=5
    """
    from sweeplib.jobs import load
    from sweeplib.plan import Plan

    project = project_of(ctx)
    plan = Plan(load(project).job(job), arguments)
    if dry_run:
        _print(plan)
        return
    from sweeplib.cli.execute import execute

    ctx.exit(execute(project, plan, fresh=fresh, parallel=parallel, cluster=cluster))


def _print(plan: Plan) -> None:
    """Write the commands to standard output as a stream."""
    from itertools import islice

    from sweeplib.command import lines

    stream = lines(plan)
    while block := "\n".join(islice(stream, 1000)):
        sys.stdout.write(block + "\n")
    sys.stdout.flush()
