"""How many commands of a sweep run at once in this process, apart from how many threads serve them.

A thread has work to do before and after its command (Prefect's records, the done-marker). With as many
threads as commands no command runs meanwhile; with a few more threads, and a slot that a thread takes
before it begins and gives back as soon as its command has ended, the next command runs already.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.run.model import SweepPaths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweeplib.run.model import Work

__all__ = ["hold_slot"]

_LOOK = 0.5  # seconds between looks at the sweep's stop file while waiting

_slots: dict[str, _Slots] = {}
_registry = threading.Lock()


class _Slots:
    """The slots of one sweep in this process."""

    def __init__(self, count: int) -> None:
        self._free = threading.Semaphore(count)
        self._held = threading.local()

    def take(self, work: Work) -> None:
        """Take a slot unless this thread has one; a stopped sweep's work needs none, as it starts nothing."""
        if getattr(self._held, "slot", False):
            return
        stop = SweepPaths(Path(work.folder)).stop
        while not self._free.acquire(timeout=_LOOK):
            if stop.exists():
                return
        self._held.slot = True

    def give(self) -> None:
        """Give this thread's slot back, if it has one."""
        if getattr(self._held, "slot", False):
            self._held.slot = False
            self._free.release()


def _slots_of(work: Work) -> _Slots | None:
    if work.slots is None:
        return None
    with _registry:
        slots = _slots.get(work.sweep)
        if slots is None:
            slots = _slots[work.sweep] = _Slots(work.slots)
        return slots


@contextmanager
def hold_slot(work: Work) -> Iterator[None]:
    """Have a slot inside the block.

    Around a task run it is taken ahead; around the command in it, it is the one that the thread holds, or a
    new one (a retry), and is given back as soon as the command has ended.
    """
    slots = _slots_of(work)
    if slots is None:
        yield
        return
    slots.take(work)
    try:
        yield
    finally:
        slots.give()
