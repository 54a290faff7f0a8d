"""`sweep run`: run a job, or print what it would run."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from io import TextIOWrapper
from typing import TYPE_CHECKING

import click

from sweeplib.cli.parameters import (
    arguments_argument,
    cluster_option,
    complete_job,
    only_option,
    project_of,
)
from sweeplib.errors import InputError

if TYPE_CHECKING:
    from sweeplib.plan import Plan

__all__ = ["command", "print_plan"]

_ALIKE = 0.85  # --dryrun is --dry-run misspelt, --parallel-jobs is the command's own


class _PassThrough(click.Command):
    """Takes options that it does not know for the command's, unless they look like its own misspelt."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = [name for param in self.params for name in param.opts if name.startswith("--")]
        for name in [] if "--" in args else [arg.partition("=")[0] for arg in args if arg.startswith("--")]:
            close = get_close_matches(name, own, n=1, cutoff=_ALIKE) if name not in own else []
            if close:
                msg = f"no option {name}; did you mean {close[0]}? Behind -- it is given to the command"
                raise click.UsageError(msg, ctx)
        return super().parse_args(ctx, args)


@click.command(
    name="run",
    cls=_PassThrough,
    context_settings={"ignore_unknown_options": True},
    options_metavar="[OPTIONS]",
)
@click.argument("job", shell_complete=complete_job)
@arguments_argument
@click.option("--dry-run", is_flag=True, help="Print the commands, one a line, and run nothing.")
@only_option
@click.option("--fresh", is_flag=True, help="Run everything again, also what is done.")
@click.option(
    "--rerun",
    type=click.Choice(["changed", "script"]),
    help="Run again what is done, but with another code: in its scripts or else in git; in its scripts.",
)
@click.option(
    "-j",
    "--parallel",
    type=click.IntRange(min=1),
    metavar="N",
    help="Commands at once [default: the job's, else the number of processors].",
)
@cluster_option
@click.pass_context
def command(
    ctx: click.Context,
    job: str,
    arguments: tuple[str, ...],
    dry_run: bool,  # noqa: FBT001 - click passes options by name
    only: str,
    fresh: bool,  # noqa: FBT001
    rerun: str | None,
    parallel: int | None,
    cluster: str | None,
) -> None:
    """Run the combinations of JOB that are not done yet.

    More arguments are given to every command, before the combination's own; put -- before those that look
    like options of sweep. For example: sweep run train epochs=5
    """
    from sweeplib.jobs import load
    from sweeplib.plan import Plan

    if fresh and rerun:
        raise InputError(
            "--fresh runs everything again, also what has changed; leave --rerun out, or --fresh"
        )
    if dry_run and rerun:
        raise InputError(
            "--dry-run prints all commands of the job, done or not; leave --rerun out, and see what would "
            f"run with: sweep explain {job}"
        )
    project = project_of(ctx)
    plan = Plan(load(project).job(job), arguments, only)
    if dry_run:
        print_plan(plan)
        return
    from sweeplib.cli.execute import execute
    from sweeplib.engine import Rerun

    what = None if rerun is None else Rerun(rerun)
    ctx.exit(execute(project, plan, fresh=fresh, rerun=what, parallel=parallel, cluster=cluster))


def print_plan(plan: Plan) -> None:
    """Write the commands to standard output as a stream."""
    from itertools import islice

    from sweeplib.command import lines

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # an argument may be any bytes
    stream = lines(plan)
    while block := "\n".join(islice(stream, 1000)):
        sys.stdout.write(block + "\n")
    sys.stdout.flush()
