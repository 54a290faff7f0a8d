"""What came of work whose end a submitter has seen, or has not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.run.marker import read_markers
from sweeplib.run.model import Attempt, SweepPaths

if TYPE_CHECKING:
    from sweeplib.run.model import Work

__all__ = ["attempts_at"]


def attempts_at(work: Work, result: Attempt | str) -> list[Attempt]:
    """Return all attempts at the work, the last one last; none where nobody has seen an end.

    `result` is the last attempt, or why there is none to be had: then the done-markers decide.
    """
    if isinstance(result, Attempt) and result.number <= 1:
        return [result]
    history = read_markers(SweepPaths(Path(work.folder)), work.key)
    if isinstance(result, Attempt):
        return [*[each for each in history if each.number < result.number], result]
    return history
