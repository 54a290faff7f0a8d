"""`sweep retry`: run again what a sweep left undone."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from sweeplib.cli.output import note, say
from sweeplib.cli.parameters import cluster_option, complete_job, project_of
from sweeplib.errors import InputError, UnknownSweepError
from sweeplib.ledger import SweepState

if TYPE_CHECKING:
    from pathlib import Path

    from sweeplib.ledger import Ledger, Sweep

__all__ = ["command"]


@click.command(name="retry")
@click.argument("name", metavar="JOB|TAG", shell_complete=complete_job)
@click.option("-j", "--parallel", type=click.IntRange(min=1), metavar="N", help="Commands at once.")
@cluster_option
@click.pass_context
def command(ctx: click.Context, name: str, parallel: int | None, cluster: str | None) -> None:
    """Run what the newest sweep of JOB left undone, with the arguments and the selection it had.

    The tag of a sweep stands for that one. One that a deployment ran goes on there: Prefect is asked to retry
    its flow run. For example: sweep retry train
    """
    from sweeplib.jobs import load
    from sweeplib.report.lookup import open_ledger

    project = project_of(ctx)
    with open_ledger(project) as ledger:
        sweep = _sweep(project, ledger, name)
    if sweep.isolated and sweep.flow_run_id is not None:
        if parallel is not None or cluster is not None:
            raise InputError(f"{sweep.tag} was run by a deployment, and is retried with what that was given")
        _ask_prefect(project, sweep)
        return
    from sweeplib.cli.execute import execute
    from sweeplib.plan import Plan

    plan = Plan(load(project).job(sweep.job), sweep.arguments, sweep.selection)
    ctx.exit(execute(project, plan, fresh=False, parallel=parallel, cluster=cluster))


def _sweep(project: Path, ledger: Ledger | None, name: str) -> Sweep:
    """Return the sweep that a job's name, or a sweep's tag or id, stands for."""
    from sweeplib.jobs import load
    from sweeplib.report.lookup import find_sweep

    jobs = load(project).jobs
    if ledger is not None and name not in jobs:
        try:
            return find_sweep(ledger, name)
        except UnknownSweepError:
            pass
    if name not in jobs and ledger is not None and (known := ledger.sweeps(job=name, limit=1)):
        runfile = json.loads(known[0].spec).get("launch")
        how = f"sweep launch {runfile} --mode retry_failed" if runfile else "the program that made it"
        raise InputError(f"{name!r} is no job of the job file; run it again with {how}")
    job = load(project).job(name).entry
    newest = next(iter(ledger.sweeps(job=job, limit=1)), None) if ledger is not None else None
    if newest is None:
        msg = f"job {job!r} has no sweep yet; start one with: sweep run {job}"
        raise UnknownSweepError(msg)
    return newest


def _ask_prefect(project: Path, sweep: Sweep) -> None:
    if sweep.state is SweepState.COMPLETED:
        note(f"{sweep.tag}: all {sweep.total} combinations done; nothing is left to do")
        return
    from sweeplib.orchestrate.api import connect

    connect(project, note)
    from sweeplib.orchestrate.deploy import retry

    retry(sweep)
    say(f"asked Prefect to retry {sweep.tag}", sys.stdout)
    note("a worker of its pool, or `sweep serve`, goes on with it")
