"""Watching a job's results while its sweeps run: redrawn in place on a terminal, block by block in a pipe."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from sweeplib.cli.output import note
from sweeplib.cli.signals import terminable
from sweeplib.ledger import SweepState
from sweeplib.report.lookup import open_ledger, owner_died
from sweeplib.report.numbers import significant
from sweeplib.report.results_table import columns_of, headline, styles_of
from sweeplib.report.standing import standing_of
from sweeplib.report.surface import parse_over, surface, surface_columns, varying
from sweeplib.report.table import console_of, plain_lines, printable, rich_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from sweeplib.ledger import Ledger
    from sweeplib.report.ranking import Ranking
    from sweeplib.report.results import Result
    from sweeplib.report.standing import Standing
    from sweeplib.report.surface import Surface

__all__ = ["watch"]

_TICK = 1.0  # seconds between two looks, …
_SHARE = 4  # … or so many times as long as the last look took
_EVERY = 5.0  # seconds between two blocks in a pipe
_BEST = 10  # rows of a block in a pipe


@dataclass(frozen=True, slots=True)
class _View:
    """What there is to see: the running sweeps, the results, and the metric over parameters."""

    job: str
    standings: list[Standing]
    ranking: Ranking
    surface: Surface | None
    most: int | None

    @property
    def shown(self) -> Sequence[Result]:
        """The results that are wanted at most."""
        return self.ranking.results[: self.most]

    def lines(self) -> Iterator[str]:
        """Yield the lines above the tables: how each sweep stands, the counts, the best so far."""
        for standing in self.standings:
            yield printable(f"{standing.sweep.tag}: {standing.summary}")
        yield printable(headline(self.job, self.ranking))
        best = next((result for result in self.ranking.results if result.rank == 1), None)
        if best is not None and self.ranking.metric is not None:
            value = significant([best.metrics[self.ranking.metric]])[0]
            yield printable(f"best so far: {self.ranking.metric} {value} with {best.label} ({best.key[:8]})")


def watch(project: Path, job: str, look: Callable[[], Ranking], over: str | None, most: int | None) -> None:
    """Show what `look` finds whenever the ledger has changed, until no sweep of `job` runs any more.

    `over` names one or two parameters to draw the metric over, `most` limits the results. Raises InputError.
    """
    ranking = look()
    if over is not None:
        parse_over(over, ranking)
    with open_ledger(project) as ledger:
        if ledger is None or not _running(ledger, project, job):
            note(f"no sweep of job {job!r} is running; these are its results so far")
            return
        views = _views(ledger, project, job, look, over, most)
        with terminable():
            if sys.stdout.isatty():
                _redraw(views)
            else:
                _print(views)


def _views(
    ledger: Ledger, project: Path, job: str, look: Callable[[], Ranking], over: str | None, most: int | None
) -> Iterator[_View]:
    """Yield what there is to see about once a second, as long as a sweep runs."""
    seen: int | None = None
    while standings := _running(ledger, project, job):
        began = time.monotonic()
        version = ledger.version()
        if version != seen:
            seen = version
            ranking = look()
            names = parse_over(over, ranking) if over is not None else varying(ranking)[:2]
            drawn = surface(ranking, names)
        yield _View(job, standings, ranking, drawn, most)
        time.sleep(max(_TICK, _SHARE * (time.monotonic() - began)))


def _running(ledger: Ledger, project: Path, job: str) -> list[Standing]:
    """Return how the sweeps of a job stand that are running, whose owner has not died."""
    now = time.time()
    return [
        standing_of(ledger, project, sweep, now)
        for sweep in ledger.sweeps(job)
        if sweep.state is SweepState.RUNNING and not owner_died(project, sweep.id)
    ]


def _redraw(views: Iterator[_View]) -> None:
    from rich.live import Live

    console = console_of(sys.stdout)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        for view in views:
            live.update(_rendered(view, console.width, console.height), refresh=True)


def _rendered(view: _View, width: int, height: int) -> RenderableType:
    """Return the view with as many of the best results as fit."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [Text(line, no_wrap=True, overflow="ellipsis") for line in view.lines()]
    used = len(parts) + 3
    if view.surface is not None and used + len(view.surface.rows) + 4 < height:
        table, _ = rich_table(surface_columns(view.surface), width)
        parts += [Text(""), Text(printable(view.surface.title)), table]
        used += len(view.surface.rows) + 3
    shown = view.shown[: max(1, height - used)]
    table, _ = rich_table(columns_of(view.ranking, shown), width, styles_of(shown))
    return Group(*parts, Text(""), table)


def _print(views: Iterator[_View]) -> None:
    """Print a block where the results have changed, at most one every few seconds."""
    before: Ranking | None = None
    last = float("-inf")
    for view in views:
        now = time.monotonic()
        if view.ranking is before or now - last < _EVERY:
            continue
        before, last = view.ranking, now
        for line in view.lines():
            click.echo(line)
        if view.surface is not None:
            click.echo(f"\n{printable(view.surface.title)}")
            for line in plain_lines(surface_columns(view.surface)):
                click.echo(line)
        click.echo()
        for line in plain_lines(columns_of(view.ranking, view.shown[:_BEST])):
            click.echo(line)
        click.echo()
