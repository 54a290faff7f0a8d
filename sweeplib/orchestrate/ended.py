"""What came of work whose end a submitter has seen, or has not."""

from __future__ import annotations

import time
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, TypeVar

from sweeplib.run.marker import read_markers
from sweeplib.run.model import Attempt, SweepPaths

if TYPE_CHECKING:
    from queue import SimpleQueue

    from sweeplib.run.model import Work

__all__ = ["arrivals", "attempts_at"]

_GATHER = 0.01  # seconds that what ended first waits for others: a batch is stored at once
_Ended = TypeVar("_Ended")


def arrivals(ended: SimpleQueue[_Ended], timeout: float) -> list[_Ended]:
    """Return what has ended, waiting up to `timeout` seconds for the first."""
    try:
        arrived = [ended.get(timeout=timeout)]
    except Empty:
        return []
    time.sleep(_GATHER)
    while not ended.empty():
        arrived.append(ended.get())
    return arrived


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
