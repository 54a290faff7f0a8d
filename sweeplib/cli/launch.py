"""`sweep launch`: run a file of shell lines, or a grid specification."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweeplib.cli.output import note, print_table
from sweeplib.cli.parameters import cluster_option, project_of
from sweeplib.errors import InputError
from sweeplib.report.duration import humanise
from sweeplib.report.table import Column, printable

if TYPE_CHECKING:
    from sweeplib.jobs import Job
    from sweeplib.ledger import Combination

__all__ = ["command"]

_SHOWN = 100  # commands whose outcome and output are told one by one


@click.command(name="launch")
@click.argument("runfile", type=click.Path(path_type=Path))
@click.option(
    "-n",
    "-j",
    "--parallel",
    type=click.IntRange(min=1),
    metavar="N",
    help="Commands at once [default: the number of processors].",
)
@click.option(
    "--mode",
    type=click.Choice(["resume", "retry_failed", "overwrite"]),
    default="resume",
    show_default=True,
    help="Run what is new or unfinished; that and what failed; everything again.",
)
@click.option(
    "--name", metavar="JOB", help="What the job is called [default: as the file, without its ending]."
)
@click.option("--dry-run", is_flag=True, help="Print the commands, one a line, and run nothing.")
@cluster_option
@click.pass_context
def command(
    ctx: click.Context,
    runfile: Path,
    parallel: int | None,
    mode: str,
    name: str | None,
    dry_run: bool,  # noqa: FBT001 - click passes options by name
    cluster: str | None,
) -> None:
    """Run the commands in RUNFILE, one a line, each with the shell.

    A command is known by its text: launched again, the file's new and unfinished commands run, whatever was
    added or moved. Blank lines and those that begin with # do not count. A file that ends in .yml or .yaml is
    a grid specification. For example: sweep launch commands.txt -n 4
    """
    from sweeplib.plan import Plan

    project = project_of(ctx)
    plan = Plan(_job(project, runfile, name))
    if dry_run:
        from sweeplib.cli.run import print_plan

        print_plan(plan)
        return
    from sweeplib.cli.execute import execute

    code = execute(
        project,
        plan,
        fresh=mode == "overwrite",
        retry=mode != "resume",
        again="--mode overwrite",
        parallel=parallel,
        cluster=cluster,
    )
    _tell_outputs(project, plan.job.entry)
    ctx.exit(code)


def _job(project: Path, runfile: Path, name: str | None) -> Job:
    """Return the job that runs a file, which the project's job file need not have."""
    from sweeplib.jobs import Job, load
    from sweeplib.jobs.fields import name as checked
    from sweeplib.jobs.load import has_file

    if name is None:
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", runfile.stem).lstrip("-.") or "launch"
    try:
        entry = checked(name)
    except InputError as error:
        raise InputError(f"--name: {error}") from None
    path = str(runfile.absolute())
    if has_file(project):
        file = load(project)
        known = file.jobs.get(entry)
        if known is not None:
            if known.kind == "launch" and Path(known.folder, known.launch).absolute() == runfile.absolute():
                return known
            msg = f"{file.path.name} has a job {entry!r} already; call this one otherwise, with --name"
            raise InputError(msg)
    return Job(name=entry, launch=path)


def _tell_outputs(project: Path, job: str) -> None:
    """Say what came of every command of the newest sweep, and where its output is."""
    from sweeplib.report.lookup import open_ledger, paths_of

    with open_ledger(project) as ledger:
        newest = next(iter(ledger.sweeps(job=job, limit=1)), None) if ledger else None
        if ledger is None or newest is None:
            return
        rows = list(islice(ledger.combinations(newest.id), _SHOWN + 1))
    if len(rows) > _SHOWN:
        folder = _near(paths_of(project, newest.id).folder / "logs")
        note(f"the output of each command is in {folder}; which is where: sweep status {job} --format json")
        return
    if rows:
        print_table(
            [
                Column("outcome", [row.outcome or "running" for row in rows]),
                Column("duration", [_duration(row) for row in rows], right=True),
                Column("output", [str(_near(Path(row.log))) if row.log else "" for row in rows]),
                Column("command", [printable(row.command or row.label) for row in rows]),
            ]
        )


def _duration(row: Combination) -> str:
    return "" if row.started is None or row.ended is None else humanise(row.ended - row.started)


def _near(path: Path) -> Path:
    """Return the path as one would write it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
