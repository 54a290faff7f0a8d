"""What the one who starts a flow tells it, beyond the flow's parameters."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweeplib.engine import Observer, Progress, Summary
    from sweeplib.plan import Plan
    from sweeplib.run.model import Attempt, Work

__all__ = ["Launch", "Quiet", "current", "launching"]


class Quiet:
    """An observer that says nothing."""

    def progress(self, progress: Progress) -> None:
        """Take no note."""

    def submitted(self, work: Work) -> None:
        """Take no note."""

    def ended(self, work: Work, attempt: Attempt) -> None:
        """Take no note."""

    def note(self, text: str) -> None:
        """Take no note."""

    def log(self, text: str) -> None:
        """Take no note."""


@dataclass
class Launch:
    """A start of a flow from this process, and what came of it.

    `isolated` keeps later local runs from going on with this one, and `hidden` names variables that this
    process set for itself and that commands are not to see, `sweep` is the id that the sweep is to have
    (None: any). `plan` is what to run, where that is known already (None: what the job file says), and
    without `retry` what failed in earlier sweeps is left as it is. The rest is set by the flow: a flow run's
    own result would pass through Prefect, which may be gone by then.
    """

    observer: Observer = field(default_factory=Quiet)
    isolated: bool = True
    hidden: frozenset[str] = frozenset()
    sweep: str | None = None
    plan: Plan | None = None
    retry: bool = True
    summary: Summary | None = None
    interrupted: bool = False
    flow_run: str | None = None
    submitted: int = 0
    error: Exception | None = None
    unrecorded: bool = False
    concluded: bool = True
    notes: list[str] = field(default_factory=list)


_current: ContextVar[Launch | None] = ContextVar("sweeplib-launch", default=None)


@contextmanager
def launching(launch: Launch) -> Iterator[Launch]:
    """Let flows that are called inside the block see `launch`."""
    token = _current.set(launch)
    try:
        yield launch
    finally:
        _current.reset(token)


def current() -> Launch:
    """Return the launch that this flow belongs to; a deployed run has none and gets a fresh, isolated one."""
    return _current.get() or Launch()
