"""The engine's submitter where a sweep has several places: it hands each piece of work to that of its own."""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING, Protocol

from sweeplib.engine import Submitter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweeplib.engine import Finished
    from sweeplib.run.model import Work
    from sweeplib.where import Where

__all__ = ["Router", "Station"]

_TICK = 0.1  # seconds between looks at what is to be tried again, and at what rings no bell


class Station(Submitter, Protocol):
    """A submitter that runs the work of one place.

    It rings a bell whenever something has ended, if it can tell; `submitted` counts its task runs.
    """

    submitted: int

    def ring(self, bell: Event) -> None:
        """Ring `bell` from now on."""


class Router:
    """Hands work to the stations of its places, and is, for the engine, one submitter.

    Everything it counts is the sum over its stations, of which there is at least one; one may have several
    places.
    """

    def __init__(self, stations: Mapping[Where | None, Station]) -> None:
        self._stations = dict(stations)
        self._each = tuple({id(each): each for each in stations.values()}.values())
        self._bell = Event()
        for station in self._each:
            station.ring(self._bell)

    @property
    def submitted(self) -> int:
        """How many task runs were submitted."""
        return sum(each.submitted for each in self._each)

    @property
    def parallel(self) -> int:
        """How many commands run at once."""
        return sum(each.parallel for each in self._each)

    @property
    def running(self) -> int:
        """How many commands run now, about."""
        return sum(each.running for each in self._each)

    @property
    def window(self) -> int:
        """How many pieces of work to keep submitted."""
        return sum(each.window for each in self._each)

    @property
    def batch(self) -> int:
        """How many pieces of work to submit at once: each station says its own."""
        return min(each.batch for each in self._each)

    def at(self, where: Where | None) -> Submitter:
        """Return the station of a place."""
        return self._stations[where]

    def submit(self, work: Work) -> None:
        """Hand it to the station of its place."""
        self._stations[work.where].submit(work)

    def wait(self, timeout: float) -> list[Finished]:
        """Return what has ended, waiting up to `timeout` seconds for the first that arrives anywhere."""
        deadline = time.monotonic() + timeout
        while True:
            self._bell.clear()  # before the looks: what ends after them rings again
            found = [each for station in self._each for each in station.wait(0.0)]
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            self._bell.wait(min(left, _TICK))

    def stop(self, *, at_once: bool = False) -> None:
        """End what runs, everywhere."""
        for station in self._each:
            station.stop(at_once=at_once)
