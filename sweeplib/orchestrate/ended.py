"""What came of work whose end a submitter has seen, or has not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.run.marker import read_markers
from sweeplib.run.model import Attempt, Outcome, SweepPaths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweeplib.run.model import Work

__all__ = ["attempts_at", "is_settled", "tries"]

_UNSETTLED = (Outcome.LOST, Outcome.CANCELLED)


def attempts_at(work: Work, result: Attempt | str) -> list[Attempt]:
    """Return all attempts at the work since it was submitted, the last one last.

    There are none where nobody has seen an end.

    `result` is the last attempt, or why there is none to be had: then the done-markers decide.
    """
    if isinstance(result, Attempt) and result.number <= work.before + 1 and not work.tried:
        return [result]
    history = read_markers(SweepPaths(Path(work.folder)), work.key, work.before)
    if not isinstance(result, Attempt):
        return history
    if not result.number:  # nothing began any more
        return history if tries(history) else [*history, result]
    return [*[each for each in history if each.number < result.number], result]


def tries(history: Sequence[Attempt]) -> int:
    """Return how many of the attempts came to an end of their own."""
    return sum(each.outcome not in _UNSETTLED for each in history)


def is_settled(history: Sequence[Attempt], retries: int) -> bool:
    """Return whether no attempt is to follow these, of which the first is no retry."""
    return any(each.outcome is Outcome.COMPLETED for each in history) or tries(history) > retries
