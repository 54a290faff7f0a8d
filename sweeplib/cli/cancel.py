"""`sweep cancel`: end running sweeps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from sweeplib.cli.output import note
from sweeplib.cli.parameters import complete_job, project_of
from sweeplib.errors import JobFileError, UnknownJobError, UnknownSweepError
from sweeplib.ledger import SweepState
from sweeplib.report.lookup import check_job, find_sweep, open_ledger, owner_died
from sweeplib.report.standing import standing_of

if TYPE_CHECKING:
    from pathlib import Path

    from sweeplib.ledger import Ledger, Sweep

__all__ = ["command"]

_PATIENCE = 60.0  # seconds
_TICK = 0.1  # seconds


@click.command(name="cancel")
@click.argument("names", nargs=-1, metavar="[SWEEP|JOB]...", shell_complete=complete_job)
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...]) -> None:
    """End running sweeps, by id or tag, or those of a job [default: all of the project].

    Their commands are ended, what is done is kept, and the next run goes on. For example: sweep cancel train
    """
    project = project_of(ctx)
    with open_ledger(project) as ledger:
        if ledger is None:
            if names:
                raise UnknownSweepError("nothing has run yet, so there is no sweep to cancel")
            note("nothing is running")
            return
        sweeps = _named(ledger, project, names) if names else ledger.running_sweeps()
        if not sweeps:
            note("nothing is running")
            return
        ctx.exit(_cancel(ledger, project, sweeps))


def _named(ledger: Ledger, project: Path, names: tuple[str, ...]) -> list[Sweep]:
    """Return the sweeps that `names` stand for, each once: running ones of a job, or one by id or tag."""
    found = {sweep.id: sweep for name in names for sweep in _named_one(ledger, project, name)}
    return list(found.values())


def _named_one(ledger: Ledger, project: Path, name: str) -> list[Sweep]:
    try:
        check_job(project, ledger, name)
    except (UnknownJobError, JobFileError):
        return [find_sweep(ledger, name)]
    return ledger.running_sweeps(name)


def _cancel(ledger: Ledger, project: Path, sweeps: list[Sweep]) -> int:
    """Ask the owners of all, then wait for each; return the exit code."""
    for sweep in sweeps:
        if sweep.state is SweepState.RUNNING and not owner_died(project, sweep.id):
            ledger.request_cancel(sweep.id)
    deadline = time.monotonic() + _PATIENCE
    ended = [_await_end(ledger, project, sweep, deadline) for sweep in sweeps]
    return 0 if all(ended) else 1


def _await_end(ledger: Ledger, project: Path, sweep: Sweep, deadline: float) -> bool:
    """Wait for the end of a sweep, say how it ended, and return whether it did."""
    was_running = sweep.state is SweepState.RUNNING
    while sweep.state is SweepState.RUNNING and not owner_died(project, sweep.id):
        if time.monotonic() > deadline:
            click.echo(
                f"{sweep.tag}: still running after {_PATIENCE:g} s; it ends when its commands have ended"
            )
            return False
        time.sleep(_TICK)
        sweep = ledger.get_sweep(sweep.id)
    sweep = ledger.get_sweep(sweep.id)
    standing = standing_of(ledger, project, sweep, time.time())
    if sweep.state is SweepState.RUNNING:
        click.echo(f"{sweep.tag}: the process that ran it has died; {standing.remedy}")
        return True
    text = f"{sweep.state}, {standing.counts['completed']} of {sweep.total - sweep.done_before} completed"
    click.echo(f"{sweep.tag}: {text}" if was_running else f"{sweep.tag}: had ended before ({text})")
    return True
