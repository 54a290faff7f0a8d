"""Chunks: combinations of a large sweep that share a task run in Prefect.

The flow's process tells of the task run as a whole; what a command prints is logged there by whoever runs it.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from sweeplib.orchestrate.task_runs import TaskRun
from sweeplib.run.model import Attempt, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sweeplib.engine import Observer, Progress
    from sweeplib.ledger import Combination
    from sweeplib.orchestrate.session import Session
    from sweeplib.run.model import Work

__all__ = ["Chunk", "Chunks", "Member", "attempt_of", "chunk_of", "key_of_chunk"]

_WORST = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST, Outcome.CANCELLED, Outcome.COMPLETED)
_UNENDED = "not ended"
_EXAMPLES = 10  # failures of which the message is kept: one is shown, and it may be mended by a retry


def key_of_chunk(number: int) -> str:
    """Return what a chunk has in place of a combination's key."""
    return f"chunk-{number}"


@dataclass(slots=True)
class Chunk:
    """What came of the combinations of a chunk; `first` and `last` are their positions, counted from 1."""

    number: int
    first: int = 0
    last: int = 0
    members: dict[str, Outcome | None] = field(default_factory=dict)
    started: float = float("inf")
    ended: float = 0.0
    examples: dict[str, str] = field(default_factory=dict)

    def join(self, key: str, position: int) -> None:
        """Take a combination in that is about to run, perhaps again."""
        self.first = min(self.first or position + 1, position + 1)
        self.last = max(self.last, position + 1)
        self.members[key] = None
        self.examples.pop(key, None)

    def take(self, key: str, label: str, attempt: Attempt) -> None:
        """Take the attempt that decides about a combination."""
        self.members[key] = attempt.outcome
        self.started, self.ended = min(self.started, attempt.started), max(self.ended, attempt.ended)
        if attempt.outcome not in (Outcome.COMPLETED, Outcome.CANCELLED) and len(self.examples) < _EXAMPLES:
            self.examples[key] = f"{label}: {attempt.message}"

    @property
    def label(self) -> str:
        """The name of the task run."""
        return f"combinations {self.first:,} to {self.last:,}"

    @property
    def out(self) -> int:
        """How many combinations have not ended."""
        return sum(outcome is None for outcome in self.members.values())

    def end(self) -> Attempt:
        """Return the end of the chunk in the form of an attempt: as bad as the worst of its combinations."""
        now = time.time()
        outcomes = Counter(filter(None, self.members.values()))
        left = {Outcome.CANCELLED} if self.out else set()
        found = outcomes.keys() | left
        worst = next((outcome for outcome in _WORST if outcome in found), Outcome.COMPLETED)
        parts = [f"{outcomes[Outcome.COMPLETED]:,} of {len(self.members):,} completed"]
        others = [outcome for outcome in _WORST if outcome is not Outcome.COMPLETED]
        parts += [f"{outcomes[outcome]:,} {outcome}" for outcome in others if outcomes[outcome]]
        parts += [f"{self.out:,} {_UNENDED}"] if self.out else []
        message = ", ".join(parts) + "".join(
            f"; the first: {text}" for text in list(self.examples.values())[:1]
        )
        return Attempt(
            key=key_of_chunk(self.number),
            number=1,
            outcome=worst,
            started=min(self.started, now),
            ended=self.ended or now,
            message=message,
        )


def chunk_of(number: int, rows: Iterable[Combination]) -> Chunk:
    """Return a chunk of combinations on record, as far as they have ended."""
    chunk = Chunk(number)
    for row in rows:
        if row.outcome is not None:
            chunk.join(row.key, row.position)
            chunk.take(row.key, row.label, attempt_of(row))
    return chunk


def attempt_of(row: Combination) -> Attempt:
    """Return the attempt that decides about a combination on record."""
    return Attempt(
        key=row.key,
        number=row.attempts,
        outcome=row.outcome or Outcome.LOST,
        started=row.started or 0.0,
        ended=row.ended or 0.0,
        exit_code=row.exit_code,
        log=row.log,
        message=row.message,
    )


class Chunks:
    """An observer that passes everything on to `observer`, and tells Prefect of chunks; a context manager.

    A chunk is told to run when its first combination is submitted, and to have ended when the last of it has
    and no more is to come: the next one has begun, or the block ends. In a retry, `earlier` gives the
    combinations that were in a chunk before.
    """

    def __init__(
        self, session: Session, observer: Observer, earlier: Callable[[int], Iterable[Combination]]
    ) -> None:
        self._session = session
        self._observer = observer
        self._earlier = earlier
        self._open: dict[int, tuple[Chunk, TaskRun]] = {}
        self._newest: int | None = None
        self.begun = 0
        """How many chunks there are, for comparison with what the server has recorded."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Tell of what is left what it has come to."""
        self._newest = None
        for number in list(self._open):
            self._end(number)

    def submitted(self, work: Work) -> None:
        """Take a combination into its chunk; the chunk before gets no more."""
        self._observer.submitted(work)
        before, self._newest = self._newest, work.chunk
        if before is not None and before != work.chunk:
            self._end_if_over(before)
        if work.chunk is None:
            return
        if work.chunk not in self._open:
            self._begin(work.chunk, work.position)
        self._open[work.chunk][0].join(work.key, work.position)

    def ended(self, work: Work, attempt: Attempt) -> None:
        """Count a combination's end."""
        self._observer.ended(work, attempt)
        if work.chunk in self._open:
            self._open[work.chunk][0].take(work.key, work.label, attempt)
            self._end_if_over(work.chunk)

    def progress(self, progress: Progress) -> None:
        """Pass it on."""
        self._observer.progress(progress)

    def note(self, text: str) -> None:
        """Pass it on."""
        self._observer.note(text)

    def log(self, text: str) -> None:
        """Pass it on."""
        self._observer.log(text)

    def _begin(self, number: int, position: int) -> None:
        run = TaskRun(self._session, key_of_chunk(number), f"combinations from {position + 1:,}")
        run.begins(time.time())
        self._open[number] = chunk_of(number, self._earlier(number)), run
        self.begun += 1

    def _end_if_over(self, number: int) -> None:
        if number in self._open and number != self._newest and not self._open[number][0].out:
            self._end(number)

    def _end(self, number: int) -> None:
        chunk, run = self._open.pop(number)
        run.label = chunk.label
        run.ends(chunk.end())


class Member:
    """A combination of a chunk, in place of a task run of its own: of its states nobody is told."""

    runs = True
    """Nobody needs to be told that the command runs."""

    def __init__(self, session: Session, work: Work, chunk: int) -> None:
        self._run = TaskRun(session, key_of_chunk(chunk), work.label)
        self._label = work.label

    def log(self, text: str, level: int = logging.INFO) -> None:
        """Write to the log of the chunk's task run."""
        self._run.log(f"{self._label}\n{text}", level)

    def begins(self, started: float) -> None:
        """Tell nobody."""

    def waits(self, attempt: Attempt, until: float) -> None:
        """Tell nobody: the log has it."""

    def ends(self, attempt: Attempt) -> None:
        """Tell nobody: the flow's process will."""

    def crashes(self, error: BaseException) -> None:
        """Write why the command could not be run, or not to its end."""
        self.log(str(error) or type(error).__name__, logging.ERROR)
