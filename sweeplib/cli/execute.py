"""Running a plan from the command line: what is left, the server, the flow, what came of it."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, NoReturn

from sweeplib.cli import ending
from sweeplib.cli.output import note, say
from sweeplib.cli.progress import make_progress
from sweeplib.cli.signals import terminable
from sweeplib.engine import Codes, Outdated, recover, remaining
from sweeplib.errors import InputError
from sweeplib.ledger import Ledger
from sweeplib.report.duration import humanise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweeplib.cli.progress import ProgressView
    from sweeplib.engine import Rerun
    from sweeplib.orchestrate.launch import Launch
    from sweeplib.plan import Plan

__all__ = ["INTERRUPTED", "execute"]

INTERRUPTED = 130
_INTERRUPTED = "interrupted; what is done is kept, and the next run goes on with the rest"
_COUNTED = 200_000  # combinations up to which "how many are left" is counted before the start
_SHOWN = 10  # failures shown at the end


def execute(
    project: Path,
    plan: Plan,
    *,
    fresh: bool,
    parallel: int | None,
    cluster: str | None,
    retry: bool = True,
    rerun: Rerun | None = None,
    again: str = "--fresh",
) -> int:
    """Run what is left of a plan as a Prefect flow; return the exit code.

    `fresh` runs all of it again, which the option `again` asks for; without `retry`, what failed before is
    left as it is; `rerun` says what of the done is run again, for its code has changed.
    """
    for text in (*plan.arguments, plan.only):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            msg = f"the argument {shown} is not UTF-8, in which Prefect keeps the parameters of a run"
            raise InputError(msg) from None
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a reader of our progress that goes away ends no command
    with terminable(), Ledger.open(project / ".sweep" / "ledger.db") as ledger:
        recover(ledger, project, plan.job.entry, note)
        lineage = None if fresh else ledger.latest_lineage(plan.job.entry)
        hint = f"{again} runs all again"
        outdated = Outdated(Codes(plan, project, ledger), ledger, rerun) if rerun else None
        code = None
        if lineage is not None:
            code = _nothing_left(plan, ledger, lineage, hint, retry=retry, outdated=outdated)
        if code is not None:
            _catch_up(project, plan, ledger)
            return code
    return _run_flow(project, plan, fresh=fresh, retry=retry, rerun=rerun, parallel=parallel, cluster=cluster)


def _nothing_left(
    plan: Plan, ledger: Ledger, lineage: str, again: str, *, retry: bool, outdated: Outdated | None
) -> int | None:
    """Say what is done already; return the exit code if nothing is left to run, else None."""
    name = plan.job.entry
    if plan.job.kind == "submit":
        key = plan.key
        if key not in ledger.done(lineage, [key]) or (
            outdated and outdated.of(lineage, [(key, None)], [key])
        ):
            return None
        note(f"{name}: submitted already; nothing is left to do (--fresh submits again)")
        return 0
    free = done = elsewhere = failed = changed = 0
    candidates = remaining(plan, ledger, "", lineage, retry=retry, rerun=outdated)
    for found in islice(candidates, _COUNTED):
        done += found.done
        elsewhere += found.elsewhere is not None
        failed += found.failed
        free += found.free
        changed += found.free and found.outdated is not None
    counted = len(plan) <= _COUNTED
    if free or not counted:
        if done or failed or changed:
            left = f"{free} to go" if counted else "going on with the rest"
            left += f", {changed} of them again, with changed code" if changed and counted else ""
            left = f"{failed} failed, {left}" if failed else left
            note(f"{name}: {done} of {len(plan)} combinations done, {left} ({again})")
        return None
    if failed:
        note(
            f"{name}: {done} of {len(plan)} combinations done, {failed} failed; nothing else is left to do "
            "(--mode retry_failed tries those again)"
        )
        return 1
    if elsewhere:
        note(f"{name}: {done} of {len(plan)} combinations done; another sweep is running the rest")
        return 1
    note(f"{name}: {done} of {done} combinations done; nothing is left to do ({again})")
    return 0


def _catch_up(project: Path, plan: Plan, ledger: Ledger) -> None:
    """Tell MLflow and Prefect what they missed of earlier sweeps, if they are there now; starts no server."""
    if next(ledger.untracked(job=plan.job.entry), None) is not None:
        from sweeplib.engine import report_earlier
        from sweeplib.track import make_tracker

        note("telling MLflow what it missed")
        with make_tracker(project) as tracker:
            report_earlier(ledger, project, plan.job.entry, tracker, note)
    if ledger.unreported(1):
        from sweeplib.orchestrate.api import reachable

        url = reachable(project)
        if url is None:
            return
        from sweeplib.orchestrate.start import settings

        os.environ.update({"PREFECT_API_URL": url, **settings()})
        _report_late(project, ledger)


def _report_late(project: Path, ledger: Ledger) -> None:
    from sweeplib.orchestrate.late import report_late

    try:
        for text in report_late(ledger, project):
            note(text)
    except Exception as error:  # noqa: BLE001 - it can be told the next time, whatever it was
        note(f"Prefect could not be told what it missed: {error}")


def _run_flow(
    project: Path,
    plan: Plan,
    *,
    fresh: bool,
    retry: bool,
    rerun: Rerun | None,
    parallel: int | None,
    cluster: str | None,
) -> int:
    from sweeplib.orchestrate.start import Start

    ending.prepare()
    os.chdir(project)
    began = time.monotonic()
    views: list[ProgressView] = []

    @contextmanager
    def observed() -> Iterator[ProgressView]:
        total = 1 if plan.job.kind == "submit" else len(plan)
        with make_progress(plan.job.entry, total) as view:
            views.append(view)
            yield view

    start = Start(project, plan, note, observed, fresh, retry, rerun, parallel, cluster)
    with terminable():
        try:
            start.run()
        except KeyboardInterrupt:
            note(_INTERRUPTED)
            return INTERRUPTED
    launch, api = start.launch, start.api
    assert launch is not None  # noqa: S101  (it has run)
    assert api is not None  # noqa: S101
    code = _report(launch, views[-1], time.monotonic() - began, api.ui if api.local else None)
    if launch.unrecorded:
        _leave(code)
    if not launch.interrupted:
        with Ledger.open(project / ".sweep" / "ledger.db") as ledger:
            if ledger.unreported(1):
                _report_late(project, ledger)
    return code


def _leave(code: int) -> NoReturn:
    """End the process without Prefect's exit handlers, which try for minutes to reach a lost server."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _report(launch: Launch, view: ProgressView, seconds: float, ui: str | None) -> int:
    """Print what came of the sweep; return the exit code."""
    for text in launch.notes:
        note(text)
    for work, attempt in view.failures[:_SHOWN]:
        note(f"{attempt.outcome}: {work.label}: {attempt.message} (sweep logs {work.key[:8]})")
    if len(view.failures) > _SHOWN:
        note(f"and {len(view.failures) - _SHOWN} more: sweep status")
    if launch.summary is None and launch.interrupted:
        note(_INTERRUPTED)
        return INTERRUPTED
    if launch.summary is None:
        note("the flow did not run")
        return 1
    say(f"{launch.summary.tag}: {launch.summary} in {humanise(seconds)}", sys.stdout)
    if ui:
        note(f"watch it at {ui} (the server goes on; stop it with: sweep down)")
    if launch.interrupted:
        note(_INTERRUPTED)
        return INTERRUPTED
    if launch.summary.interrupted:
        return INTERRUPTED
    return 0 if launch.summary.ok else 1
