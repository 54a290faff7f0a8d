"""`sweep explain`: what a run would do with each combination, and why."""

from __future__ import annotations

import sys
import time

import click

from sweeplib.cli.parameters import arguments_argument, complete_job, only_option, project_of
from sweeplib.errors import InputError

__all__ = ["command"]

_LISTED = 50  # combinations up to which each is told by itself


@click.command(name="explain", context_settings={"ignore_unknown_options": True})
@click.argument("job", shell_complete=complete_job)
@arguments_argument
@only_option
@click.option("--counts", is_flag=True, help=f"How many there are of each, as for more than {_LISTED}.")
@click.option("--all", "every", is_flag=True, help=f"Each by itself, also of more than {_LISTED}.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    show_default=True,
    help="For a person, or for a program.",
)
@click.pass_context
def command(
    ctx: click.Context,
    job: str,
    arguments: tuple[str, ...],
    only: str,
    counts: bool,  # noqa: FBT001 - click passes options by name
    every: bool,  # noqa: FBT001
    form: str,
) -> None:
    """Tell what `sweep run JOB` would do with each combination, and why; run nothing.

    Each is to run, to be skipped, or done with other code than it would run with now. For example:
    sweep explain train --only lr=0.1
    """
    from sweeplib.jobs import load
    from sweeplib.plan import Plan
    from sweeplib.report import explanation_export as export
    from sweeplib.report.explanation import explain_plan
    from sweeplib.report.lookup import open_ledger

    if counts and (every or form == "csv"):
        other = "--all" if every else "--format csv"
        raise InputError(f"--counts tells no single combination; leave it out, or {other}")
    project = project_of(ctx)
    plan = Plan(load(project).job(job), arguments, only)
    name = plan.job.entry
    with open_ledger(project) as ledger:
        explained = explain_plan(plan, project, ledger, time.time())
        if form == "csv":
            export.write_csv(plan, explained, sys.stdout)
        elif form == "json":
            (export.write_groups_json if counts else export.write_json)(name, explained, sys.stdout)
        else:
            few = every or (not counts and (plan.job.kind == "submit" or len(plan) <= _LISTED))
            for line in (export.list_lines if few else export.group_lines)(name, explained):
                sys.stdout.write(line + "\n")
