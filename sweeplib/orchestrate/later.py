"""Combinations that wait for their next attempt; nothing else waits for them."""

from __future__ import annotations

import time
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweeplib.orchestrate.combination import Again, Running

__all__ = ["Later"]


class Later:
    """What is to go on later, the earliest first. Times are in seconds since the epoch."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Running]] = []
        self._order = count()
        self._ended = False

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, again: Again) -> None:
        """Keep a combination until it is due; at once where all have been asked for."""
        heappush(self._heap, (0.0 if self._ended else again.until, next(self._order), again.running))

    def due(self) -> list[Running]:
        """Return, and forget, those that are due."""
        return self._until(time.time())

    def every(self) -> list[Running]:
        """Return, and forget, all; nothing waits any more."""
        self._ended = True
        return self._until(float("inf"))

    def _until(self, moment: float) -> list[Running]:
        found = []
        while self._heap and self._heap[0][0] <= moment:
            found.append(heappop(self._heap)[2])
        return found

    def wait(self, timeout: float) -> float:
        """Return the seconds until the next is due, `timeout` at most."""
        if not self._heap:
            return timeout
        return max(0.0, min(timeout, self._heap[0][0] - time.time()))
