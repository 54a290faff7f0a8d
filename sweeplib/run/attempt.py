"""One attempt at one combination: claimed, run under the guard, followed, and its end returned."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.errors import GuardError, PackagesError
from sweeplib.run import machine, notices
from sweeplib.run.client import Guard, Spec
from sweeplib.run.demand import devices_of, excess, shortage, want
from sweeplib.run.locks import is_free, is_unused, lock_log, unlock_log
from sweeplib.run.marker import read_marker, write_marker
from sweeplib.run.model import Attempt, Outcome, SweepPaths, Work
from sweeplib.run.open_files import raise_limit
from sweeplib.run.packages import with_packages
from sweeplib.run.tail import Tail
from sweeplib.run.threads import threads
from sweeplib.run.verdict import file_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweeplib.run.client import Finished, Running

__all__ = ["run_attempt"]

_OWNER_INTERVAL = 2.0  # seconds between looks at whether the sweep's owner lives
_PATIENCE = 3.0  # seconds that a command waits for devices before anybody is told
_NEWBORN = 1.0  # seconds; between the creation of a log and its lock there are microseconds
_STOPPED = (Outcome.CANCELLED, "cancelled: the sweep was stopped")
_OWNERLESS = (Outcome.LOST, "the process that owned the sweep died")

_logger = logging.getLogger(__name__)


def run_attempt(work: Work, *, on_output: Callable[[str], None] | None = None, tick: float = 1.0) -> Attempt:
    """Run the command of a combination once, and return how that ended.

    A combination that completed before, in any process, is not run: its attempt is returned. One that
    is being run by another process is waited for. Every `tick` seconds the sweep's stop file and
    owner are looked at, and `on_output` gets new output: whole lines joined by newlines, at most about
    16 kB at once, with a note of what was left out; at the first tick it gets an empty text if there is none.

    The attempt's number is 0, and there is no log and no marker, if it ended before it could begin:
    the sweep was stopped or lost its owner, or the log file could not be created.

    Raises GuardError if no guard process can be started. Another exception that reaches this
    thread meanwhile, such as KeyboardInterrupt, is passed on after the command was ended.
    """
    raise_limit()
    paths = SweepPaths(Path(work.folder))
    watch = _Watch(paths)
    try:
        claim = _claim(work, paths, watch, on_output, tick)
    except OSError as error:
        return _unbegun(work, Outcome.FAILED, file_problem("cannot create the log file", error))
    if isinstance(claim, Attempt):
        return claim
    place, handle = claim
    try:
        if wrong := work.refusal or shortage(work):
            return _unstarted(work, place, wrong)
        if work.packages:
            settled = _settle(work, place, watch, on_output)
            if isinstance(settled, Attempt):
                return settled
            work = settled
        running = Guard.shared().start(_spec(work, paths, place))
        reporter = _Reporter(place.log, on_output) if on_output else None
        return _attempt(work, place, _follow(work, running, watch, reporter, tick))
    except GuardError:
        place.log.unlink(missing_ok=True)
        raise
    finally:
        unlock_log(handle)


@dataclass(frozen=True, slots=True)
class _Place:
    """The files of one attempt."""

    number: int
    log: Path
    marker: Path

    def is_taken(self) -> bool:
        """Tell whether somebody made this attempt; logs may have been cleared away since."""
        return self.log.exists() or self.marker.exists()

    def is_running(self) -> bool:
        """Tell whether the command runs or is being ended, or is about to be started."""
        unused = is_unused(self.log)
        if unused and not self.marker.exists():
            with contextlib.suppress(OSError):
                status = self.log.stat()
                return status.st_size == 0 and abs(time.time() - status.st_mtime) < _NEWBORN
        return unused is False

    def create(self) -> int | None:
        """Create the log file, which claims the attempt, and lock it; None if another was faster."""
        try:
            handle = os.open(self.log, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            return None
        except FileNotFoundError:
            # The markers' folder first: no command may run whose end could not be written down.
            self.marker.parent.mkdir(parents=True, exist_ok=True)
            self.log.parent.mkdir(parents=True, exist_ok=True)
            return self.create()
        lock_log(handle)
        return handle


@dataclass(slots=True)
class _Watch:
    """Tells when the commands of a sweep must end; None of its looks is remembered but the time."""

    paths: SweepPaths
    looked: float = float("-inf")

    def verdict(self) -> tuple[Outcome, str] | None:
        """Return the outcome and message with which a command must end now, if it must."""
        if self.paths.stop.exists():
            return _STOPPED
        if time.monotonic() - self.looked >= _OWNER_INTERVAL:
            self.looked = time.monotonic()
            if is_free(self.paths.owner_lock):
                return _OWNERLESS
        return None


class _Reporter:
    """Hands new output on; an error of the receiver must not cost the command its outcome."""

    def __init__(self, log: Path, receive: Callable[[str], None]) -> None:
        self._tail: Tail | None = Tail(log)
        self._receive = receive
        self._told = False

    def report(self, *, final: bool = False) -> None:
        if self._tail is None:
            return
        lines = self._tail.read(final=final)
        if not lines and (final or self._told):
            return
        self._told = True
        try:
            self._receive("\n".join(lines))
        except Exception:
            _logger.exception("the output of a command could not be passed on; its log file has it")
            self._tail = None


def _claim(
    work: Work, paths: SweepPaths, watch: _Watch, on_output: Callable[[str], None] | None, tick: float
) -> tuple[_Place, int] | Attempt:
    """Return an attempt that is ours to run, and its locked log, or how the combination ended without.

    Raises OSError if the log file cannot be created.
    """
    number, told = 1, False
    while True:
        place = _Place(number, paths.log(work.key, number), paths.marker(work.key, number))
        # In this order: a number that is not taken can be claimed, or was taken since; a command that
        # no longer runs has written its marker before.
        taken = place.is_taken()
        running = taken and place.is_running()
        earlier = read_marker(place.marker) if taken else None
        if earlier and earlier.outcome is Outcome.COMPLETED:
            return earlier
        if taken and (earlier or not running):
            number += 1
        elif verdict := watch.verdict():
            return _unbegun(work, *verdict)
        elif running:
            if on_output and not told:
                on_output(f"attempt {number} at this combination is still running; waiting for its end")
            told = True
            time.sleep(tick)
        elif (handle := place.create()) is not None:
            return place, handle


def _spec(work: Work, paths: SweepPaths, place: _Place) -> Spec:
    log, marker = str(place.log), str(place.marker)
    names = {
        "SWEEP_ID": work.sweep,
        "SWEEP_JOB": work.job,
        "SWEEP_KEY": work.key,
        "SWEEP_ATTEMPT": str(place.number),
    }
    return Spec(
        sweep=work.sweep,
        argv=list(work.argv),
        cwd=work.cwd,
        env={**work.env, **_threads(work), **names},
        log=log,
        marker=marker,
        result=marker.removesuffix(".json") + ".result.json",
        lock=str(paths.workers_lock),
        record={"key": work.key, "number": place.number, "log": log},
        timeout=work.timeout,
        grace=work.grace,
        preload=list(work.preload),
        memory=work.amounts.memory,
        gpu=work.amounts.gpu,
        devices=list(devices_of(work)) if work.amounts.gpu else [],
        leases=machine.device_folder(),
        timeout_note=work.timeout_note,
    )


def _threads(work: Work) -> dict[str, str]:
    cpu = work.amounts.cpu
    return threads(cpu, {**os.environ, **work.env}) if cpu is not None else {}


def _follow(work: Work, running: Running, watch: _Watch, reporter: _Reporter | None, tick: float) -> Finished:
    """Wait for the end of a command, and end it when it must; say so where it waits for long to begin."""
    told = False
    try:
        while (finished := running.wait(tick)) is None:
            if reporter:
                reporter.report()
            if not told and running.waited > _PATIENCE:
                told = True
                notices.leave(watch.paths, work.key, want(work))
            if verdict := watch.verdict():
                running.terminate(*verdict)
    except BaseException:
        running.terminate()
        running.wait()
        raise
    if reporter:
        reporter.report(final=True)
    return finished


def _attempt(work: Work, place: _Place, finished: Finished) -> Attempt:
    """Put the attempt together; where its guard died, the marker is read, or else written."""
    attempt = Attempt(
        key=work.key,
        number=place.number,
        outcome=finished.outcome,
        started=finished.started,
        ended=finished.ended,
        exit_code=finished.exit_code,
        log=str(place.log),
        message=finished.message,
        metrics=finished.metrics,
        note="; ".join(filter(None, (finished.note, excess(work)))),
    )
    if finished.outcome is not Outcome.LOST:
        return attempt
    marked = read_marker(place.marker)
    if marked:
        return marked
    try:
        write_marker(place.marker, attempt, work.argv)
    except OSError as error:
        _logger.warning("%s", file_problem("a done-marker could not be written", error))
    return attempt


def _settle(
    work: Work, place: _Place, watch: _Watch, on_output: Callable[[str], None] | None
) -> Work | Attempt:
    """Return the work as it is with its packages, or how the combination ended for want of them."""
    try:
        settled = with_packages(work, lambda: watch.verdict() is None, on_output or _nobody)
    except PackagesError as error:
        return _unstarted(work, place, str(error))
    if settled is not None:
        return settled
    place.log.unlink(missing_ok=True)
    return _unbegun(work, *(watch.verdict() or _STOPPED))


def _unstarted(work: Work, place: _Place, message: str) -> Attempt:
    """Return, and write down, an attempt whose command could not even be started."""
    now = time.time()
    attempt = Attempt(
        key=work.key,
        number=place.number,
        outcome=Outcome.FAILED,
        started=now,
        ended=now,
        log=str(place.log),
        message=message,
    )
    try:
        place.log.write_text(f"{message}\n", encoding="utf-8", errors="surrogateescape")
        write_marker(place.marker, attempt, work.argv)
    except OSError as error:
        _logger.warning("%s", file_problem("the end of an attempt could not be written", error))
    return attempt


def _nobody(_: str) -> None:
    """Take a text that nobody wants."""


def _unbegun(work: Work, outcome: Outcome, message: str) -> Attempt:
    now = time.time()
    return Attempt(key=work.key, number=0, outcome=outcome, started=now, ended=now, message=message)
