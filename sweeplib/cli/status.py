"""`sweep status`: how the sweeps of the project stand."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from sweeplib.cli.filters import filter_of, filter_options
from sweeplib.cli.output import note, print_table
from sweeplib.cli.parameters import complete_job, project_of
from sweeplib.jobs import find_file
from sweeplib.ledger import SweepState
from sweeplib.report.lookup import check_job, open_ledger
from sweeplib.report.standing import (
    Failures,
    combination_to_json,
    failures_of,
    failures_to_json,
    groups_to_json,
    looked_at_to_json,
    standing_of,
    standing_to_json,
    standings_columns,
    standings_styles,
)
from sweeplib.report.table import Column, plain_lines, printable

if TYPE_CHECKING:
    from pathlib import Path

    from sweeplib.ledger import Combination
    from sweeplib.report.failures import FailureGroup
    from sweeplib.report.filters import Filter
    from sweeplib.report.standing import Standing

__all__ = ["command"]

_SWEEPS = 10
_FAILURES = 5
_GROUPS = 5


@click.command(name="status")
@click.argument("job", required=False, shell_complete=complete_job)
@click.option("--all", "every", is_flag=True, help=f"All sweeps, not only the newest {_SWEEPS}.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For a person, or for a program.",
)
@filter_options([state.value for state in SweepState])
@click.pass_context
def command(
    ctx: click.Context,
    /,
    job: str | None,
    every: bool,  # noqa: FBT001 - click passes options by name
    form: str,
    **filters: Any,
) -> None:
    """Tell how the sweeps of JOB, or of all jobs, stand: the newest first, and what failed in that one.

    With --format json, of one JOB also how each combination stands. For example: sweep status train
    """
    project = project_of(ctx)
    wanted = filter_of(filters)
    standings, failures = _look(project, job, wanted, every=every)
    if form == "json":
        answer: dict[str, Any] = {
            "sweeps": [standing_to_json(standing) for standing in standings],
            "failures": failures_to_json(failures) if failures else [],
            "failure_groups": groups_to_json(failures) if failures else [],
            "looked_at": looked_at_to_json(failures or Failures()),
        }
        if job is not None:
            answer["combinations"] = _combinations(project, standings)
        click.echo(json.dumps(answer, indent=2))
    elif not standings:
        if wanted:
            note("no sweep is so")
        else:
            note(f"job {job!r} has not been run yet; run it with: sweep run {job}" if job else _NOTHING)
    else:
        _print(standings, failures)


_NOTHING = "nothing has run yet; `sweep show` lists the jobs, `sweep run JOB` runs one"


def _look(
    project: Path, job: str | None, wanted: Filter, *, every: bool
) -> tuple[list[Standing], Failures | None]:
    with open_ledger(project) as ledger:
        if job is not None:
            check_job(project, ledger, job)
        if ledger is None:
            find_file(project)  # which says what is wrong where there is no project
            return [], None
        now = time.time()
        found = ledger.sweeps(job, limit=None if every or wanted else _SWEEPS)
        standings = []
        for sweep in found:
            standing = standing_of(ledger, project, sweep, now)
            if wanted.wants_sweep(sweep, standing.state, ledger.tags(sweep.id) if wanted.tags else ()):
                standings.append(standing)
            if len(standings) == _SWEEPS and not every:
                break
        return standings, failures_of(ledger, standings[0], _FAILURES) if standings else None


def _combinations(project: Path, standings: list[Standing]) -> list[dict[str, Any]]:
    """Return how every combination stands that the newest sweep's lineage has run."""
    with open_ledger(project) as ledger:
        if ledger is None or not standings:
            return []
        newest = standings[0].sweep
        return [combination_to_json(row) for row in ledger.results(newest.job, newest.lineage)]


def _print(standings: list[Standing], failures: Failures | None) -> None:
    print_table(standings_columns(standings), standings_styles(standings))
    for standing in standings:
        if standing.unrecovered:
            note(f"the process that ran {standing.sweep.tag} has died; {standing.remedy}")
    if failures and failures.rows:
        _print_failures(standings[0], failures)


def _print_failures(newest: Standing, failures: Failures) -> None:
    click.echo(f"\nnot completed in {newest.sweep.tag}{_sampled(failures)}:")
    shown = failures.groups[:_GROUPS]
    for group in shown:
        _print_group(group)
    more = failures.total - sum(len(group.rows) for group in shown)
    if more:
        click.echo(f"  and {more:,} more: sweep results {newest.sweep.job} --sweep {newest.sweep.tag}")
    click.echo("  the output of one: sweep logs KEY")


def _sampled(failures: Failures) -> str:
    """Say where not all were looked at, of the failures or of what they are compared with."""
    said = []
    if failures.grouped < failures.total:
        said.append(f"a sample of {failures.grouped:,} of {failures.total:,}")
    if failures.compared < failures.completed:
        said.append(f"compared with a sample of {failures.compared:,} of {failures.completed:,} completed")
    return f" ({', '.join(said)})" if said else ""


def _print_group(group: FailureGroup[Combination]) -> None:
    click.echo(f"  {printable(str(group))}")
    for link in group.shared:
        click.echo(f"    {printable(link.sentence)}")
    columns = [
        Column("", [printable(row.label) for row in group.rows]),
        Column("", [row.key[:8] for row in group.rows]),
    ]
    for line in list(plain_lines(columns))[1:]:
        click.echo(f"    {line}")
