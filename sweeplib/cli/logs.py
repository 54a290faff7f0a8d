"""`sweep logs`: the output of one combination."""

from __future__ import annotations

import sys
import time

import click

from sweeplib.cli.output import note
from sweeplib.cli.parameters import complete_job, project_of
from sweeplib.errors import InputError
from sweeplib.report.logs import await_log, find_combination, find_log, follow, has_ended
from sweeplib.report.lookup import open_ledger

__all__ = ["command"]

_TICK = 0.2  # seconds


@click.command(name="logs")
@click.argument("key")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on until the attempt has ended.")
@click.option(
    "--attempt",
    type=click.IntRange(min=1),
    metavar="N",
    help="The output of this attempt [default: the last].",
)
@click.option(
    "--job",
    metavar="JOB",
    shell_complete=complete_job,
    help="As in this job, where several have the combination [default: where it ran last].",
)
@click.option("--path", "only_path", is_flag=True, help="Print the path of the file only.")
@click.pass_context
def command(
    ctx: click.Context,
    key: str,
    following: bool,  # noqa: FBT001 - click passes options by name
    attempt: int | None,
    job: str | None,
    only_path: bool,  # noqa: FBT001
) -> None:
    """Print or follow the output of the combination whose key begins with KEY, byte by byte.

    Four digits of a key are enough if no other begins so; `sweep results` and `sweep status` tell keys.
    For example: sweep logs -f 3fa9b2c1
    """
    project = project_of(ctx)
    with open_ledger(project) as ledger:
        if ledger is None:
            raise InputError("nothing has run yet, so there is no output; run a job with: sweep run JOB")
        combination = find_combination(ledger, key, job)
        jobs = ledger.jobs_of(combination.key) if job is None else []
        if len(jobs) > 1:
            others = ", ".join(jobs[1:])
            note(f"as in job {jobs[0]}, where it ran last; for that of another, add --job ({others})")
        if following:
            combination = await_log(ledger, project, combination, _pause)
        log = find_log(project, combination, attempt)
        if only_path:
            click.echo(str(log.path))
            return

        def ended() -> bool:
            return not following or has_ended(ledger, project, log)

        follow(log.path, sys.stdout.buffer, ended, _pause)


def _pause() -> None:
    time.sleep(_TICK)
