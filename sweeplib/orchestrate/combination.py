"""One combination on a Dask worker: its attempts, and what the Prefect API is told of them.

A command that ends within a second has one event, its end; a longer one also that it runs.
"""

from __future__ import annotations

import logging
import shlex
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.orchestrate.chunks import Member
from sweeplib.orchestrate.limits import limits_of
from sweeplib.orchestrate.task_runs import TaskRun
from sweeplib.run.attempt import run_attempt
from sweeplib.run.model import Outcome, SweepPaths

if TYPE_CHECKING:
    from sweeplib.orchestrate.session import Session
    from sweeplib.orchestrate.slots import Slot
    from sweeplib.run.model import Attempt, Work

__all__ = ["run_combination"]

_LOOK = 0.5  # seconds between looks at the sweep's stop file


def run_combination(work: Work, session: Session, slot: Slot | None = None) -> Attempt:
    """Run a combination's command, with the session's retries; return the last attempt.

    What the command prints goes to the log of its task run as it comes. While a command runs, `slot` is
    held. Raises what `run_attempt` raises.
    """
    run = TaskRun(session, work.key, work.label) if work.chunk is None else Member(session, work, work.chunk)
    try:
        retry = 0
        while True:
            attempt = _attempt(run, work, session, slot)
            final = attempt.outcome in (Outcome.COMPLETED, Outcome.CANCELLED)
            if final or retry >= session.retries:
                break
            run.waits(attempt, time.time() + session.delay(retry))
            if not _pause(work, session.delay(retry)):
                break
            retry += 1
    except BaseException as error:
        run.crashes(error)
        raise
    run.ends(attempt)
    return attempt


def _attempt(run: TaskRun | Member, work: Work, session: Session, slot: Slot | None) -> Attempt:
    log = _Log(run, work)
    limited = limits_of(session.api).held(session.limits, work) if session.limits else nullcontext()
    with slot or nullcontext(), limited:
        attempt = run_attempt(work, on_output=log.output)
    seconds = attempt.ended - attempt.started
    level = logging.ERROR if attempt.outcome not in (Outcome.COMPLETED, Outcome.CANCELLED) else logging.INFO
    reason = f": {attempt.message}" if attempt.message else ""
    note = f"{attempt.note}\n" if attempt.note else ""
    where = f"; all output is in {attempt.log}" if attempt.log else ""
    log.write(f"{note}{attempt.outcome} in {seconds:.3g} s{reason}{where}", level)
    return attempt


class _Log:
    """The log of one attempt: the command first, together with whatever comes first after it.

    A command of a few milliseconds so makes one record; records are requests and rows.
    """

    def __init__(self, run: TaskRun | Member, work: Work) -> None:
        self._run = run
        self._pending = f"command: {shlex.join(work.argv)}"
        self._started = time.time()

    def output(self, text: str) -> None:
        """Take output of the command, which comes after its first second at the earliest unless it ends."""
        if not self._run.runs and time.time() - self._started > _LOOK:
            self._run.begins(self._started)
        self.write(text)

    def write(self, text: str, level: int = logging.INFO) -> None:
        """Write `text`, which may be empty, and the command if it has not been written."""
        self._run.log("\n".join(filter(None, [self._pending, text])), level)
        self._pending = ""


def _pause(work: Work, seconds: float) -> bool:
    """Wait before a retry; False if the sweep is stopped meanwhile."""
    stop = SweepPaths(Path(work.folder)).stop
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if stop.exists():
            return False
        time.sleep(min(left, _LOOK))
    return not stop.exists()
