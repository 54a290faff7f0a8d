"""How a sweep's progress is shown: a bar on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from sweeplib.cli.output import say
from sweeplib.report.duration import humanise
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from sweeplib.engine import Progress
    from sweeplib.run.model import Attempt, Work

__all__ = ["ProgressView", "make_progress"]

_EVERY = 5.0  # seconds between two plain lines


class ProgressView:
    """An observer that keeps the failures and knows the time left; writes plain lines to `stream`."""

    def __init__(self, job: str, stream: TextIO) -> None:
        self._job = job
        self._stream = stream
        self._began = time.monotonic()
        self._last = self._began
        self._shown = ""
        self.failures: list[tuple[Work, Attempt]] = []

    def progress(self, progress: Progress) -> None:
        """Write a line if the last one is old, and always at the end."""
        now = time.monotonic()
        finished = progress.left == 0 and progress.ended > 0
        if now - self._last < _EVERY and not finished:
            return
        text = self.describe(progress)
        if text != self._shown:
            self._last = now
            self._shown = text
            self.write(text)

    def submitted(self, work: Work) -> None:
        """Take no note: it is counted where it runs."""

    def ended(self, work: Work, attempt: Attempt) -> None:
        """Keep a failure, and say it as it comes."""
        if attempt.outcome not in (Outcome.COMPLETED, Outcome.CANCELLED):
            self.failures.append((work, attempt))

    def note(self, text: str) -> None:
        """Write a sentence."""
        self.write(f"sweep: {text}")

    def log(self, text: str) -> None:
        """Say nothing: it is for Prefect's log."""

    def write(self, text: str) -> None:
        """Write a line to the stream."""
        say(text, self._stream)

    def describe(self, progress: Progress) -> str:
        """Return the counts and the time left in words."""
        parts = [f"{progress.before + progress.completed}/{progress.total} done"]
        parts += [f"{progress.failed} failed"] if progress.failed else []
        parts += [f"{progress.running} running"] if progress.running else []
        left = self.time_left(progress)
        parts += [f"{humanise(left)} left"] if left is not None else []
        return f"{self._job}: {', '.join(parts)}"

    def time_left(self, progress: Progress) -> float | None:
        """Return the seconds that the rest takes (see `sweeplib.engine.Progress`); None: nobody knows."""
        return progress.time_left(time.monotonic() - self._began)


class _BarView(ProgressView):
    """The same on a terminal, as a bar."""

    def __init__(self, job: str, stream: TextIO, bar: Bar, task: TaskID) -> None:
        super().__init__(job, stream)
        self._bar = bar
        self._task = task

    def progress(self, progress: Progress) -> None:
        left = self.time_left(progress) if progress.left else 0.0
        self._bar.update(
            self._task,
            total=progress.total,
            completed=progress.before + progress.completed + progress.failed,
            done=progress.before + progress.completed,
            failed=progress.failed,
            running=progress.running,
            left=humanise(left) if left is not None else "?",
        )

    def write(self, text: str) -> None:
        self._bar.console.print(text, highlight=False, markup=False)


@contextmanager
def make_progress(job: str, total: int) -> Iterator[ProgressView]:
    """Return the view that fits standard error, for a sweep of `total` combinations."""
    if not sys.stderr.isatty():
        yield ProgressView(job, sys.stderr)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[done]} of {task.total} done"),
        TextColumn("{task.fields[failed]} failed"),
        TextColumn("{task.fields[running]} running"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]} left"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(job, total=total, done=0, failed=0, running=0, left="?")
        yield _BarView(job, sys.stderr, bar, task)
