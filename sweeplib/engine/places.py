"""What is to run next at each place: none waits for room at another."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sweeplib.engine.order import HELD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sweeplib.engine.execution import Item
    from sweeplib.engine.model import Submitter
    from sweeplib.run.model import Work
    from sweeplib.where import Where

__all__ = ["Places"]


@dataclass(eq=False, slots=True)
class _Lane:
    """One submitter, what is put aside for it, and how much it has."""

    submitter: Submitter
    aside: deque[Item] = field(default_factory=deque)
    out: int = 0

    def room(self) -> int:
        """Return how much more to submit now; nothing while that is less than is submitted at once."""
        window = self.submitter.window
        free = window - self.out
        return free if free >= min(self.submitter.batch, window) else 0


class Places:
    """Hands out `source` in its order, to each of the places `among` as much as there is room for.

    What comes up while its own place is full is put aside, `ahead` of it at most: that far others are served.
    """

    def __init__(
        self,
        source: Iterator[Item],
        submitter: Submitter,
        among: Iterable[Where | None],
        ahead: int = HELD,
    ) -> None:
        self._source = source
        self._submitter = submitter
        self._ahead = ahead
        self._aside = 0
        self._ended = False
        of_each = (submitter.at(where) for where in among)
        self._lanes = {id(each): _Lane(each) for each in of_each}

    @property
    def exhausted(self) -> bool:
        """Whether all of the source was handed out."""
        return self._ended and not self._aside

    def take(self, most: int) -> list[Item]:
        """Return what is to be submitted next, so many at most; nothing where there is no room."""
        rooms = {key: room for key, lane in self._lanes.items() if (room := lane.room()) > 0}
        for key, room in rooms.items():
            if aside := self._lanes[key].aside:
                found = [aside.popleft() for _ in range(min(room, most, len(aside)))]
                self._aside -= len(found)
                return found
        return self._read(rooms, most)

    def _read(self, rooms: dict[int, int], most: int) -> list[Item]:
        """Read on until there is no room left, or too much was put aside."""
        found: list[Item] = []
        while rooms and len(found) < most and self._aside < self._ahead and not self._ended:
            item = next(self._source, None)
            if item is None:
                self._ended = True
                break
            key = id(self._submitter.at(item.needs.where))
            if key in rooms:
                found.append(item)
                rooms[key] -= 1
                if not rooms[key]:
                    del rooms[key]
            else:
                self._lanes[key].aside.append(item)
                self._aside += 1
        return found

    def submitted(self, work: Work) -> None:
        """Count what was submitted."""
        self._lanes[id(self._submitter.at(work.where))].out += 1

    def ended(self, work: Work) -> None:
        """Count what has ended."""
        self._lanes[id(self._submitter.at(work.where))].out -= 1
