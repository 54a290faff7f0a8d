"""The tracker for jobs that are not tracked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sweeplib.engine import Acknowledged, EndedRun, TrackedRun, TrackedSweep
    from sweeplib.run.model import Attempt

__all__ = ["NullTracker"]


class NullTracker:
    """Records nothing, adds nothing to a command's environment, and acknowledges nothing."""

    def begin(self, sweep: TrackedSweep) -> None:
        """Do nothing."""

    def open(self, runs: Sequence[TrackedRun]) -> None:
        """Do nothing."""

    def environment(self, key: str) -> Mapping[str, str]:  # noqa: ARG002  (the protocol's name)
        """Return nothing to add."""
        return {}

    def end(self, attempt: Attempt) -> None:
        """Do nothing."""

    def report(self, sweep: TrackedSweep, ended: Sequence[EndedRun]) -> None:
        """Do nothing."""

    def drain(self) -> list[Acknowledged]:
        """Return no acknowledgement."""
        return []

    def finish(
        self,
        state: str,  # noqa: ARG002  (the protocol's names)
        timeout: float,  # noqa: ARG002
        note: Callable[[str], None] | None = None,  # noqa: ARG002
    ) -> list[str]:
        """Return no note."""
        return []
