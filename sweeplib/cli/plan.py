"""`sweep plan`: what a change of the job file adds, removes and keeps."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from sweeplib.cli.parameters import complete_job, project_of
from sweeplib.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sweeplib.report.change import PlanChange, Untold

__all__ = ["command"]

_LISTED = 10  # combinations of each kind


@click.command(name="plan")
@click.argument("job", required=False, shell_complete=complete_job)
@click.option(
    "--against",
    "what",
    required=True,
    metavar="REV|FILE",
    help="Compare with the job file as git has it at this revision (or REV:PATH), or with another file.",
)
@click.option("--all", "every", is_flag=True, help=f"List all combinations, not only {_LISTED} of each kind.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="For a terminal, for a comment on a change, or for a program.",
)
@click.pass_context
def command(
    ctx: click.Context,
    job: str | None,
    what: str,
    every: bool,  # noqa: FBT001 - click passes options by name
    form: str,
) -> None:
    """Tell what a change of the job file does to JOB, or to all jobs: combinations added, removed and kept.

    With what they are expected to take, by earlier attempts. Combinations are compared by what they mean;
    nothing is run. For example: sweep plan train --against main
    """
    from sweeplib.jobs.load import find_file, load_each
    from sweeplib.jobs.models import unknown_job
    from sweeplib.report.against import against
    from sweeplib.report.change import Untold, compare_jobs
    from sweeplib.report.change_export import lines_of, to_json, wrong_with
    from sweeplib.report.lookup import open_ledger

    project = project_of(ctx)
    now = load_each(project)
    most = None if every else _LISTED
    untold: list[str] = []

    with against(project, what) as old, open_ledger(project) as ledger:

        def changes(names: Iterable[str]) -> Iterator[PlanChange | Untold]:
            for name in names:
                change = compare_jobs(old.jobs, now, name, ledger, most)
                if isinstance(change, Untold):
                    untold.append(name)
                    if job is not None:
                        raise InputError(wrong_with(change, old))
                yield change

        if job is not None and job not in now and job not in old.jobs:
            raise unknown_job(find_file(project).name, job, now)
        found = changes([job] if job is not None else dict.fromkeys([*now, *old.jobs]))
        if form == "json":
            answer = {
                "against": old.name,
                "note": old.lacking or None,
                "jobs": [to_json(each, old) for each in found],
            }
            sys.stdout.write(json.dumps(answer, indent=2) + "\n")
        else:
            for line in lines_of(found, old, form):
                sys.stdout.write(line + "\n")
    if untold:
        raise InputError(f"cannot be compared, as is said above: {', '.join(untold)}")
