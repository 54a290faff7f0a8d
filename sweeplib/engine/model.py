"""The engine's collaborators, as protocols, and the rows that pass between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sweeplib.ledger import SweepState
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sweeplib.run.model import Attempt, Work
    from sweeplib.where import Where

__all__ = [
    "Acknowledged",
    "EndedRun",
    "Finished",
    "Observer",
    "Progress",
    "Submitter",
    "Summary",
    "TrackedRun",
    "TrackedSweep",
    "Tracker",
]


@dataclass(frozen=True, slots=True)
class Finished:
    """A piece of work that a submitter is done with: every attempt at it, the deciding one last."""

    work: Work
    attempts: Sequence[Attempt]


class Submitter(Protocol):
    """Runs work somewhere, several pieces at once, and hands back what came of it."""

    @property
    def parallel(self) -> int:
        """How many commands run at once, if so many are submitted; 1 or more."""

    @property
    def running(self) -> int:
        """How many of the commands that were submitted run now, as far as that is known."""

    @property
    def window(self) -> int:
        """How many pieces of work to keep submitted, so that no worker waits for the next."""

    @property
    def batch(self) -> int:
        """How many pieces to submit at once, as long as so many are left: together they cost less."""

    def at(self, where: Where | None) -> Submitter:
        """Return the one that takes the work of a place: this one, unless it hands work on."""

    def submit(self, work: Work) -> None:
        """Take a piece of work; returns at once."""

    def wait(self, timeout: float) -> list[Finished]:
        """Return what has ended, waiting up to `timeout` seconds for the first."""

    def stop(self, *, at_once: bool = False) -> None:
        """End what runs and start no more; what was submitted still comes back from `wait`.

        Commands have their grace, unless they are to be ended `at_once`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedSweep:
    """A sweep as a tracker sees it.

    `own_runs` says that the commands open their own runs (style hydra), so that the tracker makes none in
    their experiment, which is called `experiment` where that is known. `patch` is the path of a git patch to
    attach once. `state` and `ended` (seconds since the epoch) are those of an earlier sweep, which has ended.
    """

    id: str
    job: str
    tag: str
    own_runs: bool
    total: int
    tags: Mapping[str, str] = field(default_factory=dict)
    patch: str | None = None
    experiment: str | None = None
    state: str = SweepState.RUNNING
    ended: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRun:
    """A combination for which a tracker shall open a run, with `tags` of its own."""

    key: str
    label: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRun:
    """A combination of an earlier time that no tracker has acknowledged yet.

    `run_id` is the run that was opened for it, where one was; `message` says why it did not complete. Times
    are seconds since the epoch.
    """

    key: str
    label: str
    parameters: Mapping[str, str]
    run_id: str | None
    outcome: Outcome
    exit_code: int | None
    started: float | None
    ended: float | None
    message: str = ""
    metrics: Mapping[str, float] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """What a tracker has stored for good about a combination of a sweep."""

    sweep: str
    key: str
    run_id: str | None
    metrics: Mapping[str, float]


class Tracker(Protocol):
    """Records a sweep somewhere else (MLflow). No method raises, and none but those named waits."""

    def begin(self, sweep: TrackedSweep) -> None:
        """Take note of the sweep whose combinations follow."""

    def open(self, runs: Sequence[TrackedRun]) -> None:
        """Open a run for each combination, ahead of its command."""

    def environment(self, key: str) -> Mapping[str, str]:
        """Return what the combination's command gets in its environment; waits with bounded patience."""

    def end(self, attempt: Attempt) -> None:
        """Record the deciding attempt at a combination."""

    def report(self, sweep: TrackedSweep, ended: Sequence[EndedRun]) -> None:
        """Record combinations of an earlier sweep that could not be recorded then."""

    def drain(self) -> list[Acknowledged]:
        """Return the acknowledgements that came in since the last call."""

    def finish(self, state: str, timeout: float, note: Callable[[str], None] | None = None) -> list[str]:
        """End the sweep's record, waiting up to `timeout` seconds; return notes for the user.

        With `note` it waits as long as records come in, `timeout` seconds for the next, and says so there.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a sweep stands.

    `total` is the plan's length, `before` how many of it were done when the sweep began, are another
    sweep's to run, or stand in the plan a second time, `failed_before` how many failed then and are left at
    that; `outcomes` counts what has ended in this sweep. `seconds_left` is how long the rest is expected to
    take, by earlier attempts; None where too little is known for that. `idle` is for how many seconds none
    ran, though some were submitted.
    """

    total: int
    before: int
    running: int
    outcomes: Mapping[Outcome, int]
    failed_before: int = 0
    seconds_left: float | None = None
    idle: float = 0.0

    def time_left(self, seconds: float) -> float | None:
        """Return the seconds that the rest takes: as expected, or else at the pace of the `seconds` so far.

        The pace is that of the time in which something ran.

        None where nothing is left, or nothing has ended yet and nothing is known from before.
        """
        if not self.left:
            return None
        if self.seconds_left is not None:
            return self.seconds_left
        ran = seconds - self.idle
        return ran / self.ended * self.left if self.ended and ran > 0 else None

    @property
    def ended(self) -> int:
        """How many combinations have ended in this sweep."""
        return sum(self.outcomes.values())

    @property
    def completed(self) -> int:
        """How many combinations have completed in this sweep."""
        return self.outcomes.get(Outcome.COMPLETED, 0)

    @property
    def failed(self) -> int:
        """How many combinations ended in this sweep without completing, cancelled ones left out."""
        return self.ended - self.completed - self.outcomes.get(Outcome.CANCELLED, 0)

    @property
    def left(self) -> int:
        """How many combinations have not ended."""
        return self.total - self.before - self.failed_before - self.ended


class Observer(Protocol):
    """Is told how a sweep goes, on the engine's thread; must return at once."""

    def progress(self, progress: Progress) -> None:
        """Take the newest numbers."""

    def submitted(self, work: Work) -> None:
        """Take a combination that is about to be submitted."""

    def ended(self, work: Work, attempt: Attempt) -> None:
        """Take the deciding attempt of a combination."""

    def note(self, text: str) -> None:
        """Take a sentence for the user."""

    def log(self, text: str) -> None:
        """Take a sentence for who looks into the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What came of a sweep.

    `elsewhere` counts combinations that another live sweep is running, `repeated` those that stand in the
    plan a second time, `again` those that were done before, with another code, `failed_canaries` and
    `canaries_elsewhere` those for which nothing but the canaries was started: they failed, or are another
    sweep's.
    """

    sweep: str
    tag: str
    progress: Progress
    elsewhere: int
    interrupted: bool
    repeated: int = 0
    again: int = 0
    stopped_at_failures: int | None = None
    failed_canaries: int = 0
    canaries_elsewhere: int = 0

    @property
    def ok(self) -> bool:
        """Whether every combination of the plan has completed."""
        return (
            not self.interrupted
            and not self.elsewhere
            and not self.progress.failed_before
            and not self.progress.failed
            and not self.progress.left
        )

    def __str__(self) -> str:
        """Return one sentence with the counts."""
        p = self.progress
        again = f" ({self.again} again, with changed code)" if self.again else ""
        parts = [f"{p.completed} of {p.total - p.before - p.failed_before} completed{again}"]
        parts += [f"{p.failed} failed"] if p.failed else []
        cancelled = p.outcomes.get(Outcome.CANCELLED, 0)
        parts += [f"{cancelled} cancelled"] if cancelled else []
        unstarted = p.left
        parts += [f"{unstarted} not started"] if unstarted else []
        before = p.before - self.elsewhere - self.repeated
        parts += [f"{before} were done before"] if before else []
        parts += [f"{p.failed_before} failed before"] if p.failed_before else []
        parts += [f"{self.repeated} repeated in the plan"] if self.repeated else []
        parts += [f"{self.elsewhere} left to another sweep"] if self.elsewhere else []
        text = ", ".join(parts)
        if self.stopped_at_failures is not None:
            text += f"; no more were started after {self.stopped_at_failures} failures (max_failures)"
        if self.failed_canaries:
            text += f"; no more were started after {self.failed_canaries} failed of the first (canary)"
        elif self.canaries_elsewhere:
            text += f"; no more were started with {self.canaries_elsewhere} of the first elsewhere (canary)"
        return text
