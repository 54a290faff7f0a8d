"""What ends in other threads, handed to the one that waits for it."""

from __future__ import annotations

import time
from queue import SimpleQueue
from threading import Event
from typing import Generic, TypeVar

__all__ = ["Arrivals"]

_Item = TypeVar("_Item")


class Arrivals(Generic[_Item]):
    """A queue of many writers and one reader, which takes all that is there at once.

    `bell` is rung for each item; readers of several queues give them one bell, and wait for that. `gather` is
    how long, in seconds, the first item waits for others: a batch is stored at once.

    The queue's own wait is not used: before Python 3.13 it has no end where a signal comes in it and the
    signal's handler returns after the time is over, for the time left is negative then.
    """

    def __init__(self, gather: float = 0.01) -> None:
        self._items: SimpleQueue[_Item] = SimpleQueue()
        self._gather = gather
        self.bell = Event()

    def __len__(self) -> int:
        return self._items.qsize()

    def put(self, item: _Item) -> None:
        """Hand over an item, from any thread."""
        self._items.put(item)
        self.bell.set()

    def take(self, timeout: float) -> list[_Item]:
        """Return what has arrived, in its order, waiting up to `timeout` seconds for the first.

        It may be nothing before that time is over, too.
        """
        if timeout > 0.0:
            self.bell.wait(timeout)
        if self._gather and not self._items.empty():
            time.sleep(self._gather)
        if timeout > 0.0:
            self.bell.clear()  # before the look: what arrives after it rings again
        arrived = []
        while not self._items.empty():
            arrived.append(self._items.get())
        return arrived
