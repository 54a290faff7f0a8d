"""`sweep show`: jobs as they are understood."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sweeplib.cli.parameters import complete_job, project_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweeplib.jobs import Job

__all__ = ["command"]


@click.command(name="show")
@click.argument("job", required=False, shell_complete=complete_job)
@click.pass_context
def command(ctx: click.Context, job: str | None) -> None:
    """Show JOB as it is understood: its command, policy and sets; or list all jobs.

    To see all commands: sweep run JOB --dry-run. For example: sweep show train
    """
    from sweeplib.jobs import load
    from sweeplib.plan import Plan
    from sweeplib.report.description import describe

    file = load(project_of(ctx))
    if job is None:
        _list(file.jobs.values())
        return
    for line in describe(Plan(file.job(job))):
        click.echo(line)


def _list(jobs: Iterable[Job]) -> None:
    from sweeplib.report.description import jobs_columns
    from sweeplib.report.table import plain_lines

    for line in plain_lines(jobs_columns(jobs)):
        sys.stdout.write(line + "\n")
