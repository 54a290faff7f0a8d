"""The engine's loop: keeps a window of work submitted, and writes down what comes back."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from sweeplib.engine.canary import trials
from sweeplib.engine.earlier import HURRY, PATIENCE, acknowledge, conclude, hand_over
from sweeplib.engine.interrupts import Interrupts
from sweeplib.engine.model import Progress, Summary, TrackedRun
from sweeplib.engine.order import arrange
from sweeplib.engine.outlook import Outlook
from sweeplib.engine.packing import Packing
from sweeplib.engine.places import Places
from sweeplib.engine.timeouts import words
from sweeplib.engine.tracked import own_tags, tracked_sweep
from sweeplib.engine.unseen import unseen
from sweeplib.ledger import SweepState
from sweeplib.run import notices
from sweeplib.run.locks import is_unused
from sweeplib.run.marker import last_begun, read_markers
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sweeplib.engine.canary import Trial
    from sweeplib.engine.execution import Execution, Item
    from sweeplib.engine.model import Finished, Observer, Submitter, Tracker
    from sweeplib.ledger import Submission
    from sweeplib.run.model import Work

__all__ = ["run_sweep"]

_TICK = 0.5  # seconds between looks at the ledger's cancel request, when nothing ends
_COUNTED = 100_000  # combinations up to which those not started are counted, where canaries failed
_CHUNK = 64  # combinations claimed in one transaction at most
_GRACE = 20.0  # seconds that ended commands have to come back after an interrupt


def run_sweep(execution: Execution, submitter: Submitter, tracker: Tracker, observer: Observer) -> Summary:
    """Run everything of the sweep that is not done, and return what came of it.

    Keeps as many pieces of work submitted as the submitter of each place has a window for, claims each in the
    ledger before it is submitted, and records each attempt before the next is claimed. An interrupt ends what
    runs, and is raised again once every end is recorded; a second one does not wait for the ends. So does
    whatever else breaks in. Either way `execution.summary` tells what came of it.
    """
    loop = _Loop(execution, submitter, tracker, observer)
    try:
        with loop.interrupts:
            loop.run()
    except Exception:
        loop.break_off(SweepState.FAILED)
        raise
    except KeyboardInterrupt:
        loop.break_off(SweepState.CANCELLED)
        raise
    except BaseException:  # Prefect's: the worker ends this process, and may not wait for us
        loop.leave_off()
        raise
    finally:
        execution.summary = loop.summary()
    loop.close(_state(execution.summary), hurried=execution.summary.interrupted)
    return execution.summary


def _state(summary: Summary) -> SweepState:
    if summary.interrupted:
        return SweepState.CANCELLED
    progress = summary.progress
    failed = progress.failed or progress.left or progress.failed_before
    return SweepState.FAILED if failed else SweepState.COMPLETED


def _packing(execution: Execution) -> Packing:
    limit = execution.plan.job.task_runs
    before = execution.ledger.last_chunk(execution.id) if execution.resumed else 0
    # Nobody knows yet how much of what is done is to be run again.
    expected = execution.total if execution.rerun else _at_least(execution)
    return Packing(execution.total, limit, before, expected)


def _at_least(execution: Execution) -> int:
    """Return how many combinations are to run at least, or nearly: what is done may be of another plan."""
    return max(0, execution.total - execution.ledger.count_done(execution.lineage))


class _Loop:
    """The state of one run of the loop."""

    def __init__(
        self, execution: Execution, submitter: Submitter, tracker: Tracker, observer: Observer
    ) -> None:
        self.execution = execution
        self.ledger = execution.ledger
        self.submitter = submitter
        self.tracker = tracker
        self.observer = observer
        self.interrupts = Interrupts()
        self.in_flight: dict[str, Work] = {}
        self.places = self._places(iter(()))
        self.outcomes: Counter[Outcome] = Counter()
        self.before = 0
        self.elsewhere = 0
        self.repeated = 0
        self.failed_before = 0
        self.again = 0
        self.cancelled = False
        self.told: set[str] = set()
        self.stopped_at: int | None = None
        self.tried: frozenset[str] = frozenset()
        self.failed_canaries = 0
        self.canaries_elsewhere = 0
        self.outlook = Outlook(execution)
        self.packing = _packing(execution)
        self._looked = 0.0
        self._idle = 0.0
        limit = execution.plan.job.max_failures
        self._limit = limit.limit(execution.total) if limit else None

    def run(self) -> None:
        """Go on until nothing is left to submit and nothing is out."""
        self.tracker.begin(tracked_sweep(self.execution.sweep, self.execution.project))
        job = self.execution.plan.job.entry
        hand_over(self.ledger, self.execution.project, job, self.tracker, besides=self.execution.id)
        if text := words(self.execution.plan.job.timeout, self.execution.forecast.basis):
            self.observer.log(text)
        if self._canaries_complete():
            self._drain(self._in_order())

    def _canaries_complete(self) -> bool:
        """Run the canaries, if there are any; return whether the rest may follow, and say if it may not.

        What another sweep ran meanwhile is looked at again.
        """
        for trial in trials(self.execution):
            failed = sum(self.outcomes.values()) - self.outcomes[Outcome.COMPLETED]
            fresh = [item for item in trial.items if item.submission.key not in self.tried]
            if failed or not fresh:
                self._hold_back(trial, failed)
                return False
            self.observer.note(trial.words())
            self.tried |= {item.submission.key for item in fresh}
            self._drain(iter(fresh))
            if self.cancelled:
                return False
        return True

    def _hold_back(self, trial: Trial, failed: int) -> None:
        """Say why nothing but canaries is started, of which so many failed here."""
        for _ in islice(self._unfinished(), _COUNTED):
            """Count what is done or another's."""
        self.failed_canaries = failed + len(trial.failed - self.tried)
        # What is to be run and was tried, and did not fail here, another sweep took when it was to begin.
        elsewhere = trial.elsewhere + (0 if failed else len(trial.items))
        left = self.progress().left
        self.canaries_elsewhere = elsewhere if left else 0
        self.observer.note(trial.verdict(self.failed_canaries, elsewhere, left))

    def _in_order(self) -> Iterator[Item]:
        """Return what is to run, in the order in which it is to begin; say which that is, and why."""
        basis, order = self.execution.forecast.basis, self.execution.plan.job.order
        arranged = arrange(
            self._unfinished(), order, basis, self.submitter.parallel, _at_least(self.execution)
        )
        self.outlook.begin(arranged.seconds)
        if arranged.words:
            (self.observer.note if arranged.changed else self.observer.log)(arranged.words)
        return arranged.items

    def _places(self, source: Iterator[Item]) -> Places:
        return Places(source, self.submitter, self.execution.plan.places)

    def _drain(self, source: Iterator[Item]) -> None:
        """Submit all of it, and wait until nothing is out."""
        self.places = self._places(source)
        while True:
            more = not self.places.exhausted and not self.cancelled and self.stopped_at is None
            if more:
                self._fill()
                more = not self.places.exhausted
            self.observer.progress(self.progress())
            if not self.in_flight and not more:
                return
            began, ran = time.monotonic(), self.submitter.running
            finished = self.submitter.wait(_TICK)
            if not (ran or finished or self.submitter.running):
                self._idle += time.monotonic() - began
            self._settle(finished)
            self._look()
            self._tell()

    def _tell(self) -> None:
        """Say how combinations are packed, where there is something new to say."""
        if self.packing.news:
            self.observer.log(self.packing.news)
            self.packing.news = ""

    def _unfinished(self) -> Iterator[Item]:
        """Yield what is to run, counting what is not."""
        for item in self.execution.items():
            self.interrupts.look()
            if item.submission.key in self.tried and not item.repeated:
                continue  # it was counted when it ended
            if item.done:
                self.before += 1
            elif item.repeated:
                self.before += 1
                self.repeated += 1
            elif item.failed:
                self.failed_before += 1
            elif item.elsewhere is not None:
                self.before += 1
                self.elsewhere += 1
            else:
                yield item

    def _fill(self) -> None:
        """Submit, by the batch, as long as there is room at a place and something to run there."""
        while batch := self.places.take(_CHUNK):
            self._submit(batch)

    def _submit(self, batch: list[Item]) -> None:
        accepted = self._claim(batch)
        mine = [item for item in batch if item.submission.key in accepted]
        self.again += sum(item.outdated is not None for item in mine)
        self.tracker.open(
            [
                TrackedRun(
                    key=item.submission.key,
                    label=item.submission.label,
                    parameters=item.submission.parameters,
                    tags=own_tags(item.submission),
                )
                for item in mine
            ]
        )
        for item in mine:
            with self.interrupts.allowed():
                env: dict[str, str | None] = dict(self.tracker.environment(item.submission.key))
            work = self.execution.work(item, env, accepted[item.submission.key])
            self.in_flight[work.key] = work
            self.places.submitted(work)
            self.outlook.submitted(item, self.submitter.at(work.where))
            self.observer.submitted(work)
            self.submitter.submit(work)

    def _claim(self, batch: list[Item]) -> dict[str, int | None]:
        """Write down what is submitted, and return its keys and chunks: no other sweep can come between.

        What another sweep has completed or claimed since it was looked up is counted and left out.
        """
        sweep, lineage = self.execution.id, self.execution.lineage
        keys = [item.submission.key for item in batch]
        with self.ledger.transaction():
            done = self.ledger.done(lineage, keys) - self._outdated(batch)
            claimed = self.ledger.claimed(lineage, keys, besides=sweep).keys() - done
            free = [item.submission for item in batch if item.submission.key not in done | claimed]
            accepted = self.ledger.submit(sweep, self._packed(free))
        self.before += len(done) + len(claimed)
        self.elsewhere += len(claimed)
        return {submission.key: submission.chunk for submission in accepted}

    def _outdated(self, batch: list[Item]) -> set[str]:
        """Return the keys of which nobody has replaced the outdated result since it was looked up."""
        known = {item.submission.key: item.outdated for item in batch if item.outdated is not None}
        found = self.ledger.done_in(self.execution.lineage, known) if known else {}
        return {key for key, (sweep, _) in found.items() if sweep == known[key]}

    def _packed(self, submissions: list[Submission]) -> list[Submission]:
        """Give each its chunk: the one that it was in before, in this sweep, or the next."""
        if not self.packing.packs and not self.execution.resumed:
            return submissions
        known: dict[str, int | None] = {}
        if self.execution.resumed:
            known = self.ledger.chunks(self.execution.id, [each.key for each in submissions])
        chunks = (known[each.key] if each.key in known else self.packing.next() for each in submissions)
        return [replace(each, chunk=chunk) for each, chunk in zip(submissions, chunks, strict=True)]

    def _settle(self, finished: list[Finished]) -> None:
        """Record what has ended, in one transaction, and tell everyone."""
        if finished:
            attempts = [attempt for each in finished for attempt in each.attempts]
            self.ledger.record(self.execution.id, attempts)
            self._pass_on(attempt.note for attempt in attempts)
        for each in finished:
            deciding = each.attempts[-1]
            self.in_flight.pop(each.work.key, None)
            self.places.ended(each.work)
            self.outlook.ended(each.work.key)
            self.outcomes[deciding.outcome] += 1
            if deciding.outcome is not Outcome.CANCELLED:
                self.packing.learn(deciding.ended - deciding.started)
            self.tracker.end(deciding)
            self.observer.ended(each.work, deciding)
        self._acknowledge()

    def _pass_on(self, notes: Iterable[str]) -> None:
        """Tell what commands have to say, the same of many only once."""
        for note in dict.fromkeys(filter(None, notes)):
            if note not in self.told:
                self.told.add(note)
                self.observer.note(note)

    def _acknowledge(self) -> None:
        acknowledge(self.ledger, self.tracker)

    def _look(self) -> None:
        """Look for an interrupt, too many failures, a cancel request, and what running commands say."""
        self.interrupts.look()
        progress = self.progress()
        if self._limit is not None and self.stopped_at is None and progress.failed > self._limit:
            self.stopped_at = progress.failed
            self.execution.paths.halt.touch()
            self.observer.note(
                f"{progress.failed} combinations failed, more than max_failures allows: starting no more"
            )
        now = time.monotonic()
        if not self.cancelled and now - self._looked >= _TICK:
            self._looked = now
            self._pass_on(notices.take(self.execution.paths))
            if self.ledger.cancel_requested(self.execution.id):
                self.cancelled = True
                self.observer.note("cancelled: ending the running commands")
                self._stop()

    def _stop(self) -> None:
        self.execution.paths.stop.touch()
        self.submitter.stop()

    def break_off(self, state: SweepState) -> None:
        """End the sweep before its time; a second interrupt ends the waiting, and not the recording."""
        patience = PATIENCE
        try:
            self.abort()
        except KeyboardInterrupt:
            patience = HURRY
            with Interrupts(every=True):
                self.submitter.stop(at_once=True)
                self._record_rest("interrupted again while it was being ended", Outcome.CANCELLED)
                self.in_flight.clear()
        with Interrupts():
            self.close(state, patience)

    def leave_off(self) -> None:
        """End what runs, and record it as cancelled before its end is seen: there may be no time for that."""
        self.cancelled = True
        with Interrupts():
            self._stop()
            self._record_rest("ended with the process that ran the sweep", Outcome.CANCELLED)
            self.ledger.finish_sweep(self.execution.id, SweepState.CANCELLED, time.time())
            deadline = time.monotonic() + _GRACE
            while self.in_flight and time.monotonic() < deadline:
                for each in self.submitter.wait(_TICK):
                    self.in_flight.pop(each.work.key, None)
                    self.ledger.record(self.execution.id, each.attempts)
            self.in_flight.clear()
            self.close(SweepState.CANCELLED, HURRY)

    def abort(self) -> None:
        """End what runs and record every end, within a bounded time; what never came back is lost."""
        if self.in_flight and not self.cancelled:
            self.observer.note("interrupted: ending the running commands")
        self.cancelled = True
        self._stop()
        deadline = time.monotonic() + _GRACE
        while self.in_flight and time.monotonic() < deadline:
            finished = self.submitter.wait(_TICK)
            self._settle(finished)
            self.observer.progress(self.progress())
            if not finished and all(map(self._has_ended, self.in_flight)):
                break  # the interrupt came between their ends and our taking note
        self._record_rest()
        self.in_flight.clear()

    def _has_ended(self, key: str) -> bool:
        """Tell whether a combination has left a done-marker, and no later attempt at it runs."""
        paths = self.execution.paths
        attempts = read_markers(paths, key, self.in_flight[key].before)
        return bool(attempts) and is_unused(paths.log(key, attempts[-1].number + 1)) is not False

    def _record_rest(self, reason: str = "nobody saw its end", outcome: Outcome = Outcome.LOST) -> None:
        """Record what did not come back: as its done-markers say, else by whether it was started."""
        paths = self.execution.paths
        for row in list(self.ledger.open_combinations(self.execution.id)):
            known = self.ledger.last_attempt(self.execution.id, row.key)
            begun = last_begun(paths, row.key, known)
            if begun > known:
                end = replace(
                    unseen(row.key, reason, outcome), number=begun, log=str(paths.log(row.key, begun))
                )
            else:
                end = unseen(row.key, "interrupted before it was started", Outcome.CANCELLED)
            attempts = read_markers(paths, row.key, known) or [end]
            self.ledger.record(self.execution.id, attempts)
            self.outcomes[attempts[-1].outcome] += 1
            self.tracker.end(attempts[-1])
            if row.key in self.in_flight:
                self.observer.ended(self.in_flight[row.key], attempts[-1])

    def close(self, state: SweepState, patience: float = PATIENCE, *, hurried: bool = True) -> None:
        """End the sweep's records, waiting up to `patience` seconds for what is to be tracked.

        If it is not `hurried`, for each next record.
        """
        if not self.execution.resumed:
            self.ledger.set_done_before(self.execution.id, self.before - self.elsewhere)
        self.ledger.finish_sweep(self.execution.id, state, time.time())
        conclude(self.ledger, self.tracker, state, self.observer.note, patience, hurried=hurried)
        self.observer.progress(self.progress())

    def progress(self) -> Progress:
        """Return the numbers as they are now."""
        numbers = Progress(
            total=self.execution.total,
            before=self.before,
            running=self.submitter.running,
            outcomes=dict(self.outcomes),
            failed_before=self.failed_before,
        )
        waiting = numbers.left - len(self.in_flight)
        left = self.outlook.left(self.submitter.parallel, waiting, time.monotonic())
        return replace(numbers, seconds_left=left, idle=self._idle)

    def summary(self) -> Summary:
        """Return what came of the sweep."""
        return Summary(
            sweep=self.execution.id,
            tag=self.execution.tag,
            progress=self.progress(),
            elsewhere=self.elsewhere,
            repeated=self.repeated,
            again=self.again,
            interrupted=self.cancelled,
            stopped_at_failures=self.stopped_at,
            failed_canaries=self.failed_canaries,
            canaries_elsewhere=self.canaries_elsewhere,
        )
