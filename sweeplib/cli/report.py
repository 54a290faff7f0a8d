"""`sweep report`: a job's results as one page for the browser."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sweeplib.cli.filters import filter_of, filter_options
from sweeplib.cli.output import note, say, written
from sweeplib.cli.parameters import complete_job, project_of
from sweeplib.cli.selection import none_of, select
from sweeplib.errors import InputError, SweepError
from sweeplib.report.lookup import open_ledger
from sweeplib.report.ranking import rank, rank_by
from sweeplib.report.results import gather
from sweeplib.report.results_table import headline
from sweeplib.report.standing import standing_of
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweeplib.ledger import Sweep
    from sweeplib.report.standing import Standing

__all__ = ["command"]

_DEFAULT = "report.html"
_SWEEPS = 20  # that are shown, the newest


@click.command(name="report")
@click.argument("job", shell_complete=complete_job)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help=f"Write the page there, or to standard output (-) [default: {_DEFAULT}].",
)
@click.option(
    "-m",
    "--metric",
    metavar="M",
    help="Rank by this metric [default: the job's metric, or the first in the alphabet].",
)
@click.option("--sweep", "sweep_name", metavar="ID", help="Only what this sweep ran (id or tag).")
@click.option(
    "--ascending/--descending",
    default=None,
    help="Lowest first, or highest first [default: by the metric's name: lowest for loss, error, time, …].",
)
@filter_options([*(outcome.value for outcome in Outcome), "running"])
@click.pass_context
def command(
    ctx: click.Context,
    /,
    job: str,
    output: Path | None,
    metric: str | None,
    sweep_name: str | None,
    ascending: bool | None,  # noqa: FBT001 - click passes options by name
    **filters: Any,
) -> None:
    """Make a page of JOB's results: one HTML file that needs no network and no server.

    It has what `sweep results` has, and plots of the metric over the parameters, their importance, run times,
    failures by cause, the commands and the state of the code. For example: sweep report train -o train.html
    """
    from sweeplib.report.page import Report, render
    from sweeplib.report.page.code import code_of

    target = _target(output)
    project = project_of(ctx)
    wanted = filter_of(filters)
    selection = select(project, job, sweep_name, wanted)
    results = gather(selection.rows, selection.fetch)
    if not results and wanted:
        raise InputError(f"{none_of(job, wanted)}: there is nothing to show")
    if metric is None:
        ranking = rank_by(results, selection.metric, ascending=ascending)
    else:
        ranking = rank(results, metric, ascending=ascending)
    held = {result.sweep for result in results}
    sweeps = [sweep for sweep in selection.sweeps if sweep.id in held] or list(selection.sweeps[:1])
    page = render(
        Report(
            job=job,
            ranking=ranking,
            standings=_standings(project, sweeps[:_SWEEPS]),
            code=code_of(project, sweeps),
            narrowed=_in_words(sweep_name, filters),
            made=time.time(),
        )
    )
    note(headline(job, ranking) if results else none_of(job, wanted))
    if target is None:
        sys.stdout.write(page.encode("utf-8", "backslashreplace").decode("utf-8"))
        sys.stdout.flush()
        return
    with written(target) as file:
        file.write(page)
    say(str(target), sys.stdout)


def _target(output: Path | None) -> Path | None:
    """Return the file to write, None for standard output; an unnamed one replaces only a page of ours."""
    from sweeplib.report.page import GENERATOR

    if output is not None:
        return None if str(output) == "-" else output
    path = Path(_DEFAULT)
    try:
        with path.open("rb") as file:
            ours = GENERATOR.encode() in file.read(1024)
    except FileNotFoundError:
        return path
    except OSError as error:
        raise SweepError(f"{path} cannot be written: {error.strerror or error}") from None
    if not ours:
        raise InputError(f"{path} is there, and is no page of sweep report; -o {path} would replace it")
    return path


def _standings(project: Path, sweeps: Iterable[Sweep]) -> list[Standing]:
    now = time.time()
    with open_ledger(project) as ledger:
        assert ledger is not None  # noqa: S101  (the sweeps are from it)
        return [standing_of(ledger, project, sweep, now) for sweep in sweeps]


def _in_words(sweep_name: str | None, filters: dict[str, Any]) -> list[str]:
    """Return the options that leave results out, as they were given."""
    given = [("--sweep", sweep_name), *[("--tag", tag) for tag in filters["tags"]]]
    given += [("--status", state) for state in filters["states"]]
    given += [(f"--{name}", filters[name]) for name in ("name", "since", "until")]
    return [f"{option} {shlex.quote(value)}" for option, value in given if value is not None]
