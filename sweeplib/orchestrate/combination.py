"""One combination on a Dask worker: its attempts, and what the Prefect API is told of them.

A command that ends within a second has one event, its end; a longer one also that it runs.
"""

from __future__ import annotations

import logging
import shlex
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.engine.unseen import unseen
from sweeplib.orchestrate.chunks import Member
from sweeplib.orchestrate.limits import limits_of
from sweeplib.orchestrate.nanny import set_by_nanny
from sweeplib.orchestrate.task_runs import TaskRun
from sweeplib.run.attempt import run_attempt
from sweeplib.run.model import Outcome, SweepPaths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sweeplib.orchestrate.admission import Slot
    from sweeplib.orchestrate.session import Session
    from sweeplib.run.model import Attempt, Work

__all__ = ["Again", "Running", "run_again", "run_combination"]

_RUNS = 0.5  # seconds after which output says that the command runs
_GOOD = (Outcome.COMPLETED, Outcome.CANCELLED)
_HALTED = "not started: more combinations failed than max_failures allows"


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Again:
    """A combination that is to be tried again at `until`, in seconds since the epoch."""

    running: Running
    until: float


@dataclass(slots=True)
class Running:
    """A combination between its attempts: it may go on later, and on another worker."""

    work: Work
    session: Session
    run: TaskRun | Member
    retry: int = 0
    last: Attempt | None = None

    @classmethod
    def of(cls, work: Work, session: Session) -> Running:
        """Return a combination of which nothing has run since the work was submitted, now or once more."""
        run = TaskRun(session, work.key, work.label, work.tried + 1) if work.chunk is None else None
        return cls(work, session, run or Member(session, work, work.chunk or 0), work.tried)

    def go_on(
        self, slot: Slot | None = None, failed: Callable[[], None] = _nothing, unset: Sequence[str] = ()
    ) -> Attempt | Again:
        """Run the command; return the attempt that decides, or that there is to be another one.

        What the command prints goes to the log of its task run as it comes. While it runs, and `failed` is
        called where it failed for good, `slot` is held. Variables of this process that are to be `unset` it
        does not see. Raises what `run_attempt` raises.
        """
        try:
            attempt = self._attempt(slot, failed, unset)
        except BaseException as error:
            self.run.crashes(error)
            raise
        if attempt is self.last or self._is_final(attempt):
            self.run.ends(attempt)
            return attempt
        until = time.time() + self.session.delay(self.retry)
        self.run.waits(attempt, until)
        self.last = attempt
        self.retry += 1
        return Again(self, until)

    def _is_final(self, attempt: Attempt) -> bool:
        given_up = self.retry >= self.session.retries or bool(self.work.refusal)
        return given_up or attempt.outcome in _GOOD

    def _attempt(self, slot: Slot | None, failed: Callable[[], None], unset: Sequence[str]) -> Attempt:
        """Return the next attempt; the last one where the sweep was stopped since."""
        paths = SweepPaths(Path(self.work.folder))
        if self.last is None and paths.halt.exists():
            return unseen(self.work.key, _HALTED, Outcome.CANCELLED)
        if self.last is not None and paths.stop.exists():
            return self.last
        log, session = _Log(self.run, self.work), self.session
        limited = limits_of(session.api).held(session.limits, self.work) if session.limits else nullcontext()
        with slot or nullcontext(), limited:
            work = replace(self.work, env={**dict.fromkeys(unset), **self.work.env}) if unset else self.work
            attempt = run_attempt(work, on_output=log.output)
            if attempt.outcome not in _GOOD and self._is_final(attempt):
                failed()
        log.end(attempt)
        return attempt


def run_combination(work: Work, session: Session) -> Attempt | Again:
    """Run a combination's command for the first time (a Dask task)."""
    return run_again(Running.of(work, session))


def run_again(running: Running) -> Attempt | Again:
    """Run a combination's command once more (a Dask task)."""
    return running.go_on(unset=() if running.work.amounts.cpu is None else set_by_nanny())


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
        if not self._run.runs and time.time() - self._started > _RUNS:
            self._run.begins(self._started)
        self._write(text)

    def end(self, attempt: Attempt) -> None:
        """Say how the attempt ended."""
        bad = attempt.outcome not in _GOOD
        reason = f": {attempt.message}" if attempt.message else ""
        note = f"{attempt.note}\n" if attempt.note else ""
        where = f"; all output is in {attempt.log}" if attempt.log else ""
        seconds = attempt.ended - attempt.started
        text = f"{note}{attempt.outcome} in {seconds:.3g} s{reason}{where}"
        self._write(text, logging.ERROR if bad else logging.INFO)

    def _write(self, text: str, level: int = logging.INFO) -> None:
        """Write `text`, which may be empty, and the command if it has not been written."""
        self._run.log("\n".join(filter(None, [self._pending, text])), level)
        self._pending = ""
