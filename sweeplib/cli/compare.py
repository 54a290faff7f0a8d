"""`sweep compare`: combinations side by side."""

from __future__ import annotations

import sys

import click

from sweeplib.cli.metrics import Metrics
from sweeplib.cli.output import note, print_table
from sweeplib.cli.parameters import project_of
from sweeplib.errors import InputError
from sweeplib.report.comparison import aspects_of, columns_of_aspects, write_aspects_csv, write_aspects_json
from sweeplib.report.logs import find_combination
from sweeplib.report.lookup import open_ledger
from sweeplib.report.results import gather

__all__ = ["command"]


@click.command(name="compare")
@click.argument("keys", nargs=-1, required=True, metavar="KEY KEY...")
@click.option("--all", "every", is_flag=True, help="Also what is the same in all of them.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="For a person, or for a program: unrounded.",
)
@click.pass_context
def command(ctx: click.Context, keys: tuple[str, ...], every: bool, form: str) -> None:  # noqa: FBT001
    """Show where the combinations with these KEYs differ: parameters, metrics, how they ended.

    The beginning of a key is enough, of any job; `sweep results` tells keys. For example:
    sweep compare 3fa9 7b20
    """
    project = project_of(ctx)
    with open_ledger(project) as ledger:
        if ledger is None:
            raise InputError("nothing has run yet, so nothing can be compared; run a job with: sweep run JOB")
        rows = list({row.key: row for row in (find_combination(ledger, key) for key in keys)}.values())
        if len(rows) < 2:
            raise InputError(f"{_same(keys, rows[0].label)}give the keys of two combinations or more")
        sweeps = [ledger.get_sweep(row.sweep) for row in rows]
    tracked = {sweep.id for sweep in sweeps if sweep.tracking is not None}
    results = gather(rows, Metrics(project, tracked))
    aspects = [aspect for aspect in aspects_of(results, sweeps) if every or aspect.differs]
    if form == "csv":
        write_aspects_csv(aspects, results, sys.stdout)
    elif form == "json":
        write_aspects_json(aspects, results, sys.stdout)
    elif aspects:
        print_table(columns_of_aspects(aspects, results))
    else:
        note("they differ in nothing that is on record")


def _same(keys: tuple[str, ...], label: str) -> str:
    """Return what is said of several keys that are of one combination; nothing of one key."""
    if len(keys) == 1:
        return ""
    different = list(dict.fromkeys(keys))
    if len(different) == 1:
        return f"{different[0]} is one combination, {label}, however often it is given; "
    return f"{' and '.join(different)} are the same combination, {label}; "
