"""The tracker that records sweeps in MLflow, through a worker process that nothing waits for long.

What lands where: the experiment is the job, the sweep has a run of its own in it, and each combination
a child run of that, opened before its command starts and named after the parameters that vary.

What a command's environment makes of its own calls is told in `sweeplib.track.environment`. Where one
combination has several runs that its command opened by itself, its metrics are those of the run that
started last, and the others' where that has none of the name.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import partial
from textwrap import shorten
from typing import TYPE_CHECKING

from sweeplib.engine import Acknowledged, EndedRun
from sweeplib.ledger import SweepState
from sweeplib.track import environment
from sweeplib.track.channel import take_channel
from sweeplib.track.courier import Courier, Errand, Urgency
from sweeplib.track.messages import (
    Answer,
    Attach,
    Begin,
    Close,
    Collect,
    Discard,
    Open,
    Ping,
    Prepare,
    Record,
    Reply,
)
from sweeplib.track.store import LOG, tracking_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from sweeplib.engine import TrackedRun, TrackedSweep
    from sweeplib.run.model import Attempt
    from sweeplib.track.messages import Found, Request

__all__ = ["MlflowTracker"]

_FIRST_PATIENCE = 30.0  # seconds a command waits for its run while MLflow is being imported
_PATIENCE = 5.0  # seconds it waits afterwards
_SHARE = 0.1  # of a sweep's time that its commands may wait for their runs, beyond the first of those seconds
_COLLECT = 5_000  # combinations with runs of their own that are looked up at once
_SKEW = 300.0  # seconds by which the clocks of the sweep's machines may differ
_REASON = 200  # characters
_AT_ONCE = 4  # requests to a server, whose answers take time that is not ours; files take one writer
_STATUS: dict[str, str] = {SweepState.COMPLETED: "FINISHED", SweepState.FAILED: "FAILED"}
_OTHER = "KILLED"  # the status for any other state


@dataclass(slots=True)
class _Place:
    """A sweep, and where its runs go as soon as that is known: then it is `ready`."""

    sweep: TrackedSweep
    ready: bool = False
    experiment: str = ""
    parent: str = ""
    resumed: bool = False

    def tags(self, key: str) -> dict[str, str]:
        """Return the tags by which a combination's run is known."""
        sweep = self.sweep
        tags = {"sweep.id": sweep.id, "sweep.tag": sweep.tag, "sweep.key": key, "sweep.job": sweep.job}
        return tags | ({"mlflow.parentRunId": self.parent} if self.parent else {})


@dataclass(slots=True)
class _Run:
    """A combination whose command is about to run or runs; `late` if that went without our run.

    While its run is `opening`, what there is to record of it is in `recording`: it goes afterwards, as it
    would find by its tags a run that comes too late and is discarded.
    """

    asked: TrackedRun
    id: str = ""
    given: bool = False
    late: bool = False
    opening: bool = False
    recording: Errand | None = None


def _store(project: Path) -> tuple[str, int]:
    """Return the store's address, and how many requests it is to have at once."""
    uri = tracking_uri(project)
    return uri, 1 if uri.startswith(("sqlite:", "file:")) else _AT_ONCE


def start_ahead(project: Path) -> None:
    """Start what the next tracker of the project in this process needs, which takes MLflow's import."""
    take_channel(project, *_store(project), ahead=True)


class MlflowTracker:
    """Records one sweep, and what earlier ones still owe, in the project's MLflow store.

    Implements `sweeplib.engine.Tracker`. `patience` is how long a command waits for its run at most,
    in seconds: while MLflow is being imported, and afterwards.
    """

    def __init__(
        self, project: Path, *, patience: tuple[float, float] = (_FIRST_PATIENCE, _PATIENCE)
    ) -> None:
        self._uri, threads = _store(project)
        self._first_patience, self._patience = patience
        self._news = threading.Condition()
        self._channel = take_channel(project, self._uri, threads)
        self._courier = Courier(self._channel, self._news, threads)
        self._begun = time.monotonic()
        self._ready_since: float | None = None
        self._waited = 0.0
        self._place: _Place | None = None
        self._runs: dict[str, _Run] = {}
        self._own: dict[str, EndedRun] = {}
        self._owed = 0
        self._acknowledged: list[Acknowledged] = []
        self._notes: list[str] = []

    @property
    def worker_pid(self) -> int | None:
        """The process id of the worker, while there is one."""
        return self._channel.pid

    def begin(self, sweep: TrackedSweep) -> None:
        """Make the experiment and the sweep's run; starts the import of MLflow."""
        with self._news:
            self._begun = time.monotonic()
            self._place = place = _Place(sweep)
            if sweep.own_runs:
                self._prepare(place)
                return
            self._find_place(place, Urgency.NOW)
            if sweep.patch is not None:
                self._attach(place, sweep.patch)

    def open(self, runs: Sequence[TrackedRun]) -> None:
        """Ask for the runs of combinations."""
        place = self._place
        if place is None or place.sweep.own_runs:
            return
        with self._news:
            for asked in runs:
                run = self._runs[asked.key] = _Run(asked)
                run.opening = self._courier.put(Urgency.NOW, self._opening(place, run))
                run.late = not run.opening

    def environment(self, key: str) -> Mapping[str, str]:
        """Return what makes the command log in the combination's run, waiting for that for some seconds.

        Where the run is late, the command gets the tags for one that it opens by itself, which is
        found by them afterwards; where MLflow has not answered at all, nothing. A command that opens its
        own runs waits only until the store is there.
        """
        place = self._place
        if place is None:
            return {}
        with self._news:
            if place.sweep.own_runs:
                self._await(place, lambda: place.ready)
                return environment.own(self._uri, place.tags(key))
            run = self._runs.get(key)
            if run is None:
                return {}
            self._await(place, lambda: bool(run.id or run.late))
            run.given, run.late = True, not run.id
            if not place.ready or (self._courier.ended and not run.id):
                return {}
            if run.id:
                return environment.opened(self._uri, place.sweep.job, place.experiment, run.id)
            tags = {**run.asked.tags, **place.tags(key), "mlflow.runName": run.asked.label}
            return environment.late(self._uri, place.sweep.job, place.experiment, tags)

    def end(self, attempt: Attempt) -> None:
        """Record how a combination ended, and read what its command has logged."""
        place = self._place
        if place is None:
            return
        with self._news:
            run = self._runs.pop(attempt.key, None)
            if run is not None and not run.id:
                run.late = True  # if it is still to be opened, it is not any more
            ended = EndedRun(
                key=attempt.key,
                label=run.asked.label if run else attempt.key,
                parameters=run.asked.parameters if run else {},
                run_id=run.id or None if run else None,
                outcome=attempt.outcome,
                exit_code=attempt.exit_code,
                message=attempt.message,
                started=attempt.started,
                ended=attempt.ended,
                metrics=attempt.metrics,
                tags=run.asked.tags if run else {},
            )
            self._owed += 1
            if not place.sweep.own_runs:
                recording = self._recording(place, ended)
                if run is not None and run.opening:
                    run.recording = recording
                else:
                    self._courier.put(Urgency.SOON, recording)
                return
            self._own[attempt.key] = ended
            if len(self._own) >= _COLLECT:
                self._collect(place, Urgency.SOON, self._own)
                self._own = {}

    def report(self, sweep: TrackedSweep, ended: Sequence[EndedRun]) -> None:
        """Record combinations of an earlier, dead sweep, and end its run."""
        if not ended:
            return
        place = _Place(sweep)
        with self._news:
            self._owed += len(ended)
            if sweep.own_runs:
                self._collect(place, Urgency.SOMETIME, {each.key: each for each in ended})
                return
            began = min((each.started for each in ended if each.started is not None), default=None)
            self._find_place(place, Urgency.SOMETIME, began)
            for each in ended:
                self._courier.put(Urgency.SOMETIME, self._recording(place, each))
            if sweep.state == SweepState.LOST:  # that was found out later: the last sign of it is its end
                last = max((each.ended for each in ended if each.ended is not None), default=None)
                self._close(place, Urgency.SOMETIME, sweep.state, last, only_running=True)
            else:
                self._close(place, Urgency.SOMETIME, sweep.state, sweep.ended)

    def drain(self) -> list[Acknowledged]:
        """Return what has been stored since the last call."""
        with self._news:
            rows, self._acknowledged = self._acknowledged, []
            return rows

    def finish(self, state: str, timeout: float, note: Callable[[str], None] | None = None) -> list[str]:
        """End the sweep's run, waiting for what is still to be stored.

        Up to `timeout` seconds for all of it, or with `note` for each next record.
        """
        place = self._place
        with self._news:
            if place is not None and place.sweep.own_runs:
                self._collect(place, Urgency.SOON, self._own)
                self._own = {}
            elif place is not None:
                for run in self._runs.values():
                    if run.id and not run.given:
                        self._discard(run.id, Urgency.SOON)
                    run.late = True
                self._close(place, Urgency.SOON, state, time.time())
        self._courier.close(timeout, self._saying(note) if note else None)
        with self._news:
            return [*self._notes, *self._excuse()]

    def close(self) -> None:
        """End the worker process where `finish` has not; what it had opened it ends as it goes."""
        with self._news:
            self._courier.give_up("the sweep broke off")
        self._courier.close(_PATIENCE)

    def _saying(self, note: Callable[[str], None]) -> Callable[[], None]:
        return lambda: note(f"MLflow is still recording: {self._owed} combinations to go")

    def _excuse(self) -> Iterable[str]:
        """Yield the note about what could not be stored."""
        reason = shorten(self._courier.reason, _REASON, placeholder=" …")
        reason = f" ({reason})" if reason else ""
        if self._owed:
            what = "1 combination" if self._owed == 1 else f"{self._owed} combinations"
            yield f"MLflow did not answer{reason}: {what} will be reported by the next run; see {LOG}"
        elif self._courier.ended:
            yield f"MLflow did not answer{reason}: this sweep's run is not up to date there; see {LOG}"

    def _await(self, place: _Place, done: Callable[[], bool]) -> None:
        """Wait until it is done, or for as long as is bearable."""
        if done():
            return
        courier, began = self._courier, time.monotonic()
        if place.ready:
            patience = min(self._patience, self._allowed(began))
        else:
            patience = max(0.0, self._begun + self._first_patience - began)
        ready = place.ready
        self._news.wait_for(lambda: done() or courier.late or courier.ended, patience)
        if ready:
            self._waited += time.monotonic() - began
        if not done():
            courier.late = True

    def _allowed(self, now: float) -> float:
        """Return the seconds that commands may still wait: a slow store is not to slow down the sweep."""
        if self._ready_since is None:
            self._ready_since = now
        return max(0.0, self._patience + _SHARE * (now - self._ready_since) - self._waited)

    def _prepare(self, place: _Place) -> None:
        """Have the store made by one process, and the experiment of a Hydra application."""
        name = place.sweep.experiment

        def answered(reply: Reply) -> None:
            place.ready = reply.answer is Answer.DONE
            self._notes += [reply.text] if place.ready and reply.text else []

        request = partial(Prepare, job=name) if name else Ping
        self._courier.put(Urgency.NOW, Errand(request, answered, alone=True))

    def _find_place(self, place: _Place, urgency: Urgency, began: float | None = None) -> None:
        sweep = place.sweep
        own = {"sweep.id": sweep.id, "sweep.tag": sweep.tag, "sweep.job": sweep.job}
        begin = Begin(
            sweep=sweep.id,
            job=sweep.job,
            name=sweep.tag,
            tags={**sweep.tags, **own, "sweep.total": str(sweep.total)},
            started=began,
            resume=urgency is Urgency.NOW,
        )

        def answered(reply: Reply) -> None:
            if reply.answer is Answer.DONE:
                place.experiment, place.parent, place.resumed = reply.experiment, reply.run, reply.resumed
                place.ready = True
                self._notes += [reply.text] if reply.text else []
            elif urgency is Urgency.NOW:
                self._courier.give_up(reply.text)

        self._courier.put(urgency, Errand(lambda: begin, answered, alone=True))

    def _attach(self, place: _Place, path: str) -> None:
        def request() -> Request | None:
            return Attach(run=place.parent, path=path) if place.ready and not place.resumed else None

        self._courier.put(Urgency.SOON, Errand(request))

    def _opening(self, place: _Place, run: _Run) -> Errand:
        asked = run.asked

        def request() -> Request | None:
            if run.late or not place.ready:
                run.late = True
                self._is_open(run)
                return None
            return Open(
                experiment=place.experiment,
                name=asked.label,
                tags={**asked.tags, **place.tags(asked.key)},
                search=place.resumed,
            )

        def answered(reply: Reply) -> None:
            if reply.answer is not Answer.DONE:
                run.late = True
            elif run.late:
                self._discard(reply.run, Urgency.NOW)
            else:
                run.id = reply.run
            self._is_open(run)

        return Errand(request, answered)

    def _is_open(self, run: _Run) -> None:
        run.opening = False
        if run.recording is not None:
            self._courier.put(Urgency.SOON, run.recording, follows=True)

    def _recording(self, place: _Place, ended: EndedRun) -> Errand:
        def request() -> Request | None:
            if not place.ready:
                return None
            return Record(
                experiment=place.experiment,
                run=ended.run_id,
                name=ended.label,
                tags={**ended.tags, **place.tags(ended.key)},
                parameters=dict(ended.parameters),
                outcome=ended.outcome.value,
                exit_code=ended.exit_code,
                message=ended.message,
                started=ended.started,
                ended=ended.ended,
                metrics=dict(ended.metrics or {}),
            )

        def answered(reply: Reply) -> None:
            if reply.answer is Answer.DONE:
                self._acknowledge(place, ended.key, reply.run, reply.metrics)

        return Errand(request, answered)

    def _discard(self, run: str, urgency: Urgency) -> None:
        self._courier.put(urgency, Errand(lambda: Discard(run=run), alone=True), follows=True)

    def _close(
        self, place: _Place, urgency: Urgency, state: str, ended: float | None, *, only_running: bool = False
    ) -> None:
        def request() -> Request | None:
            if not place.ready:
                return None
            return Close(
                experiment=place.experiment,
                sweep=place.sweep.id,
                run=place.parent,
                status=_STATUS.get(state, _OTHER),
                ended=ended,
                only_running=only_running,
            )

        self._courier.put(urgency, Errand(request, alone=True))

    def _collect(self, place: _Place, urgency: Urgency, ended: Mapping[str, EndedRun]) -> None:
        """Look up the runs that the commands of these combinations opened by themselves."""
        if not ended:
            return
        started = [each.started for each in ended.values()]
        since = min(each for each in started if each is not None) - _SKEW if all(started) else None
        collect = Collect(sweep=place.sweep.id, since=since)

        def answered(reply: Reply) -> None:
            if reply.answer is not Answer.DONE:
                return
            runs: dict[str, list[Found]] = {}
            for found in reply.found:
                runs.setdefault(found.key, []).append(found)
            for key, each in ended.items():
                mine = runs.get(key, [])
                metrics = {name: value for run in mine for name, value in run.metrics.items()}
                run = mine[0].run if len(mine) == 1 else None
                self._acknowledge(place, key, run, {**metrics, **(each.metrics or {})})

        self._courier.put(urgency, Errand(lambda: collect, answered))

    def _acknowledge(self, place: _Place, key: str, run: str | None, metrics: Mapping[str, float]) -> None:
        self._owed -= 1
        self._acknowledged.append(Acknowledged(sweep=place.sweep.id, key=key, run_id=run, metrics=metrics))
