"""Which work begins next: in the order in which it came, as soon as there is room for it.

Work that has to wait for its room is not overtaken for ever: what comes after it may begin before it only if
it fits, and would fit as well on a machine that runs nothing but the one that waits and what has overtaken
it; what needs devices does not overtake what needs devices. So the first that waits begins when all that
began before it waited has ended, at the latest, and then the next is first.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from sweeplib.orchestrate.room import Held, Need, Room

__all__ = ["Admission", "Slot"]

Item = TypeVar("Item")


class Slot:
    """Leave to run a command, with room for it: held from its admission to `give`, or the end of a block.

    A thread has work to do before and after its command (Prefect's records, the done-marker). With as many
    threads as commands no command runs meanwhile; with a few more threads, and a slot that is given back as
    soon as the command has ended, the next command runs already.
    """

    def __init__(self, admission: Admission[Item], need: Need, held: Held, beside: Room | None) -> None:
        self._admission: Admission[Item] | None = admission
        self._need = need
        self.held = held
        """The devices that are counted as its own; the guard leases what is free then."""
        self._beside = beside

    def give(self) -> None:
        """Give it back, if it is held."""
        admission, self._admission = self._admission, None
        if admission is not None:
            admission.give(self._need, self.held, self._beside)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.give()


class Admission(Generic[Item]):
    """A queue of work for threads, each piece of which is `ready` as soon as `room` has what it needs.

    Nobody waits in here: whoever brings work, or gives room back, sees what can begin.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._waiting: deque[tuple[Item, Need]] = deque()
        self._beside: Room | None = None  # what is free beside the first that waits, for what overtakes it
        self._lock = Lock()
        self._is_open = False
        self.running = 0
        """How many have a slot."""
        self.ready: SimpleQueue[tuple[Item, Slot] | None] = SimpleQueue()
        """What may begin, each with its slot, in this order; None for each thread that is to end."""

    @property
    def is_waited_for(self) -> bool:
        """Whether there is work that waits for room."""
        return bool(self._waiting)

    def put(self, item: Item, need: Need, *, first: bool = False) -> None:
        """Take work, to begin after what came before, or before what waits."""
        with self._lock:
            if first:
                self._waiting.appendleft((item, need))
                self._beside = None
            else:
                self._waiting.append((item, need))
            self._admit()

    def give(self, need: Need, held: Held, beside: Room | None) -> None:
        """Take the room of a slot back."""
        with self._lock:
            self.running -= 1
            self._room.give(need, held)
            if beside is not None:
                beside.give(need.without_devices, ())
            self._admit()

    def open(self) -> None:
        """Admit what waits, and all that comes, without room: it is to be told that it need not run."""
        with self._lock:
            self._is_open = True
            self._admit()

    def withdraw(self) -> int:
        """Forget what no thread has begun; return how much that was."""
        with self._lock:
            count = len(self._waiting)
            self._waiting.clear()
        with suppress(Empty):
            while (admitted := self.ready.get_nowait()) is not None:
                admitted[1].give()
                count += 1
        return count

    def close(self, threads: int) -> None:
        """Let so many threads end, when they have taken what is there."""
        self.open()
        for _ in range(threads):
            self.ready.put(None)

    def _admit(self) -> None:
        while self._waiting and self._begin(0):
            """One after the other."""
        if len(self._waiting) > 1 and not self._room.is_full:
            self._overtake(self._waiting[0][1])

    def _begin(self, place: int, beside: Room | None = None) -> bool:
        """Admit what waits at a place in the queue, if it fits."""
        item, need = self._waiting[place]
        held = () if self._is_open else self._room.take(need)
        if held is None:
            return False
        del self._waiting[place]
        if not place:
            self._beside = None
        self.running += 1
        self.ready.put((item, Slot(self, need, held, beside)))
        return True

    def _overtake(self, first: Need) -> None:
        """Admit what may begin before the first that waits."""
        if self._beside is None:
            self._beside = self._room.beside(first)
        place, refused = 1, first
        while place < len(self._waiting):
            need = self._waiting[place][1]
            if need != refused and self._may_overtake(need, first, self._beside):
                if self._begin(place, self._beside):
                    continue
                self._beside.give(need.without_devices, ())
            refused = need
            place += 1

    @staticmethod
    def _may_overtake(need: Need, first: Need, beside: Room) -> bool:
        """Take room beside the first, if there is; where it waits for devices, others do too."""
        return not (first.gpu and need.gpu) and beside.take(need.without_devices) is not None
