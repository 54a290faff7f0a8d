"""`sweep show`: jobs as they are understood; combinations and sweeps as they are on record."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sweeplib.cli.output import note
from sweeplib.cli.parameters import complete_job, project_of
from sweeplib.errors import InputError, JobFileError, SweepError, UnknownJobError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sweeplib.jobs import Job
    from sweeplib.ledger import Combination, Ledger, Sweep

__all__ = ["command"]


@click.command(name="show")
@click.argument("name", metavar="[JOB|KEY|TAG]", required=False, shell_complete=complete_job)
@click.option("--patch", is_flag=True, help="Print what was not committed to git when KEY or TAG ran.")
@click.pass_context
def command(ctx: click.Context, name: str | None, patch: bool) -> None:  # noqa: FBT001
    """Show JOB as it is understood: its command, policy and sets; or list all jobs.

    With the beginning of a combination's KEY, or a sweep's TAG, show what is on record of it. To see all
    commands of a job: sweep run JOB --dry-run. For example: sweep show train
    """
    project = project_of(ctx)
    if patch:
        _print_patch(project, name)
        return
    for line in _lines(project, name):
        sys.stdout.write(line + "\n")


def _lines(project: Path, name: str | None) -> Iterator[str]:
    from sweeplib.jobs import load
    from sweeplib.jobs.load import has_file
    from sweeplib.plan import Plan

    if name is None:
        yield from _list(load(project).jobs.values())
        return
    try:
        job = load(project).job(name)
    except (UnknownJobError, JobFileError) as error:
        if isinstance(error, JobFileError) and has_file(project):
            raise  # the file is wrong, and that is to be told first
        yield from _recorded(project, name, error)
        return
    from sweeplib.report.description import describe

    yield from describe(Plan(job))


def _list(jobs: Iterable[Job]) -> Iterator[str]:
    from sweeplib.report.description import jobs_columns
    from sweeplib.report.table import plain_lines

    mistakes: list[InputError] = []
    yield from plain_lines(jobs_columns(jobs, mistakes))
    if mistakes:
        raise InputError("\n".join(map(str, mistakes)))


def _recorded(project: Path, name: str, unknown: SweepError) -> Iterator[str]:
    from sweeplib.report.detail import combination_lines, sweep_lines
    from sweeplib.report.lookup import open_ledger

    with open_ledger(project) as ledger:
        found = _find(ledger, name) if ledger is not None else None
        if found is None and ledger is not None and (newest := ledger.sweeps(job=name, limit=1)):
            found = newest[0], None  # of a run file, or of a Python program
        if found is None:
            raise unknown
        sweep, row = found
    yield from sweep_lines(sweep) if row is None else combination_lines(sweep, row)


def _find(ledger: Ledger, name: str) -> tuple[Sweep, Combination | None] | None:
    """Return the sweep of that tag or id, or the combination whose key begins so with its newest sweep."""
    from sweeplib.errors import AmbiguousKeyError, AmbiguousSweepError, UnknownKeyError, UnknownSweepError
    from sweeplib.report.logs import find_combination
    from sweeplib.report.lookup import find_sweep

    ambiguous: AmbiguousSweepError | None = None
    try:
        return find_sweep(ledger, name), None
    except AmbiguousSweepError as error:
        ambiguous = error
    except UnknownSweepError:
        pass
    try:
        row = find_combination(ledger, name)
    except AmbiguousKeyError:
        raise
    except UnknownKeyError:
        if ambiguous is not None:
            raise ambiguous from None
        return None
    return ledger.get_sweep(row.sweep), row


def _print_patch(project: Path, name: str | None) -> None:
    from sweeplib.report.detail import git_of, patch_of
    from sweeplib.report.lookup import open_ledger

    if name is None:
        raise InputError("--patch is for a combination or a sweep; give the beginning of a key, or a tag")
    with open_ledger(project) as ledger:
        found = _find(ledger, name) if ledger is not None else None
    if found is None:
        msg = f"there is no sweep and no combination {name!r} on record; `sweep status` lists sweeps"
        raise UnknownJobError(msg)
    sweep, _ = found
    content = patch_of(project, sweep)
    note(f"{sweep.tag}: git {git_of(sweep)}" + ("" if content else "; no patch"))
    sys.stdout.buffer.write(content or b"")
    sys.stdout.flush()
