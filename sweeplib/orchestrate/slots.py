"""How many commands run at once, apart from how many threads serve them.

A thread has work to do before and after its command (Prefect's records, the done-marker). With as many
threads as commands no command runs meanwhile; with a few more threads, and a slot that a thread takes
before it begins and gives back as soon as its command has ended, the next command runs already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from threading import Semaphore

__all__ = ["Slot"]


class Slot:
    """A thread's leave to run a command: one of `free`, held inside a `with` block or from `take` to `give`.

    It is taken before the thread knows for what, and the block around the command ends it; so whoever waits
    for a slot is a thread like any other, and work begins in the order in which it came.
    """

    def __init__(self, free: Semaphore) -> None:
        self._free = free
        self._held = False

    def take(self) -> None:
        """Have a slot, as soon as there is one; at once if this one is held already."""
        if not self._held:
            self._free.acquire()
            self._held = True

    def give(self) -> None:
        """Give it back, if it is held."""
        if self._held:
            self._held = False
            self._free.release()

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self.give()
