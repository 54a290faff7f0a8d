"""What came of work whose end a submitter has seen, or has not."""

from __future__ import annotations

import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from sweeplib.run.marker import read_markers
from sweeplib.run.model import Attempt, Outcome, SweepPaths

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

    from sweeplib.run.model import Work

__all__ = ["Ends", "arrivals", "attempts_at", "is_settled", "tries"]

_GATHER = 0.01  # seconds that what ended first waits for others: a batch is stored at once
_UNSETTLED = (Outcome.LOST, Outcome.CANCELLED)
_Ended = TypeVar("_Ended")


class Ends(SimpleQueue[_Ended]):
    """What has ended and was not looked at; `bell`, if there is one, is rung for each."""

    bell: Event | None = None

    def put(self, item: _Ended, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002
        """Take what has ended (the signature is the queue's)."""
        super().put(item, block, timeout)
        if self.bell is not None:
            self.bell.set()


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
