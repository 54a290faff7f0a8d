"""`sweep plan`: what a change of the job file adds, removes and keeps."""

from __future__ import annotations

import json
import sys

import click

from sweeplib.cli.parameters import complete_job, project_of

__all__ = ["command"]

_LISTED = 10  # combinations of each kind


@click.command(name="plan")
@click.argument("job", required=False, shell_complete=complete_job)
@click.option(
    "--against",
    "what",
    required=True,
    metavar="REV|FILE",
    help="Compare with the job file as git has it at this revision, or with another job file.",
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
    from sweeplib.jobs import load
    from sweeplib.report.against import against
    from sweeplib.report.change import compare_jobs
    from sweeplib.report.change_export import markdown_lines, text_lines, to_json
    from sweeplib.report.lookup import open_ledger

    project = project_of(ctx)
    file = load(project)
    with against(project, what) as old, open_ledger(project) as ledger:
        if job is not None and job not in old.jobs:
            file.job(job)
        names = [job] if job is not None else list(dict.fromkeys([*file.jobs, *old.jobs]))
        most = None if every else _LISTED
        changes = (compare_jobs(old.jobs, file.jobs, name, ledger, most, old.name) for name in names)
        if form == "json":
            answer = {"against": old.name, "jobs": [to_json(change) for change in changes]}
            sys.stdout.write(json.dumps(answer, indent=2) + "\n")
            return
        lines = text_lines if form == "text" else markdown_lines
        for number, change in enumerate(changes):
            if number:
                sys.stdout.write("\n")
            for line in lines(change, old.name):
                sys.stdout.write(line + "\n")
