"""`sweep results`: a job's combinations with their parameters and metrics, the best first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from sweeplib.cli.filters import filter_of, filter_options
from sweeplib.cli.output import note, print_table
from sweeplib.cli.parameters import complete_job, project_of
from sweeplib.cli.selection import none_of, select
from sweeplib.cli.watch import watch
from sweeplib.errors import InputError
from sweeplib.report.export import write_csv, write_json
from sweeplib.report.ranking import rank, rank_by
from sweeplib.report.results import gather, names_of_metrics, names_of_parameters
from sweeplib.report.results_table import columns_of, headline, styles_of
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweeplib.report.filters import Filter
    from sweeplib.report.ranking import Ranking
    from sweeplib.report.results import Result

__all__ = ["command"]


@click.command(name="results")
@click.argument("job", shell_complete=complete_job)
@click.option(
    "-m",
    "--metric",
    metavar="M",
    help="Rank by this metric [default: the job's metric, or the first in the alphabet].",
)
@click.option("-n", "--best", type=click.IntRange(min=1), metavar="N", help="Only the best N.")
@click.option("--sweep", "sweep_name", metavar="ID", help="Only what this sweep ran (id or tag).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="For a person, or for a program: unrounded, with all parameters.",
)
@click.option(
    "--ascending/--descending",
    default=None,
    help="Lowest first, or highest first [default: by the metric's name: lowest for loss, error, time, …].",
)
@click.option(
    "--watch",
    "watching",
    is_flag=True,
    help="Show it anew while sweeps of JOB run, until the last has ended.",
)
@click.option(
    "--over",
    metavar="P[,P]",
    help="With --watch: draw the metric over these parameters [default: the first two that vary].",
)
@filter_options([*(outcome.value for outcome in Outcome), "running"])
@click.pass_context
def command(
    ctx: click.Context,
    /,
    job: str,
    metric: str | None,
    best: int | None,
    sweep_name: str | None,
    form: str,
    ascending: bool | None,  # noqa: FBT001 - click passes options by name
    watching: bool,  # noqa: FBT001
    over: str | None,
    **filters: Any,
) -> None:
    """Rank the combinations of JOB by a metric, the best first.

    Takes the newest sweep of JOB, with what the sweeps before had done for it. Durations are in seconds
    in csv and json. For example: sweep results train --metric accuracy --best 5
    """
    project = project_of(ctx)
    wanted = filter_of(filters)

    def look(*, early: bool) -> tuple[list[Result], Ranking]:
        selection = select(project, job, sweep_name, wanted)
        results = gather(selection.rows, _unasked if early else selection.fetch)
        if metric is None or (early and metric not in names_of_metrics(results)):
            return results, rank_by(results, selection.metric, ascending=ascending)
        return results, rank(results, metric, ascending=ascending)

    if watching:
        if form != "table":
            raise InputError(f"--watch shows a table over and over; leave --format {form} out, or --watch")
        watch(project, job, lambda: look(early=True)[1], over, best)
    elif over is not None:
        raise InputError("--over says what --watch draws, and --watch is not given")
    results, ranking = look(early=False)
    shown = ranking.results if best is None else ranking.best(best)
    if form == "table":
        _print_table(job, ranking, shown, wanted)
    elif form == "csv":
        write_csv(shown, names_of_parameters(results), names_of_metrics(results), sys.stdout)
    else:
        write_json(shown, sys.stdout)


def _unasked(_: Sequence[str]) -> Mapping[tuple[str, str], Mapping[str, float]]:
    """Fetch nothing: MLflow takes longer to start than a look may take, and tells the ledger soon."""
    return {}


def _print_table(job: str, ranking: Ranking, shown: Sequence[Result], wanted: Filter) -> None:
    if not ranking.results:
        note(none_of(job, wanted))
        return
    note(headline(job, ranking))
    print_table(columns_of(ranking, shown), styles_of(shown))
