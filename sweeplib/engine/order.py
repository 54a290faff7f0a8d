"""In which order combinations begin: as they stand in the plan, or the longest first.

The next command begins as soon as a place is free, which is list scheduling. With the longest first the last
end comes at most a third later than the best that is possible, in another order it may come nearly twice as
late (R. L. Graham, "Bounds on Multiprocessing Timing Anomalies", SIAM Journal on Applied
Mathematics, 1969).
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heapreplace
from itertools import chain, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sweeplib.engine.execution import Item

__all__ = ["HELD", "Arranged", "arrange", "makespan"]

HELD = 10_000
"""How many combinations may be held to be put in order; a longer rest of a plan runs as a stream."""

_WORTH = 0.05  # of the time that has to be saved for another order than the plan's …
_SECONDS = 1.0  # … and at least so many


@dataclass(frozen=True, slots=True)
class Arranged:
    """What is to run, in order; `words` say which order and why, `changed` that it is not the plan's.

    `seconds` is what all of it is expected to take one after the other, None where that is not known.
    """

    items: Iterator[Item]
    words: str = ""
    changed: bool = False
    seconds: float | None = None


def arrange(source: Iterator[Item], order: str, basis: int, places: int, least: int) -> Arranged:
    """Put what is to run in order, where it is no more than can be held.

    `order` is the job's (``auto``, ``plan`` or ``longest``), `basis` how many earlier attempts are known,
    `places` how many commands run at once, `least` how many combinations there are, as far as is known, at
    least.
    """
    if not basis:
        known_not = (
            "longest first: nothing is known yet of how long combinations take, so in the plan's order"
        )
        return Arranged(source, known_not if order == "longest" else "")
    held = list(islice(source, HELD)) if least <= HELD else []
    rest = next(source, None) if len(held) == HELD or not held else None
    if rest is not None:
        more = f"in the plan's order: there are more than {HELD:,} combinations"
        return Arranged(chain(held, [rest], source), more if order != "plan" else "")
    seconds = _expected(held)
    if seconds is None:
        return Arranged(iter(held))
    total = sum(seconds)
    if order == "plan":
        return Arranged(iter(held), seconds=total)
    by_length = sorted(range(len(held)), key=lambda place: -seconds[place])
    longest = [seconds[place] for place in by_length]
    before, after = makespan(seconds, places), makespan(longest, places)
    how = f"by {basis:,} earlier attempts, {len(held):,} combinations take about {_time(after)} so"
    plainly = f"and {_time(before)} in the plan's order"
    if order == "longest" or (before - after > _WORTH * before and before - after > _SECONDS):
        why = f"longest first: {how}, {plainly}"
        changed = by_length != sorted(by_length)
        return Arranged((held[place] for place in by_length), why, changed, total)
    why = f"in the plan's order: longest first would not be worth it; {how}, {plainly}"
    return Arranged(iter(held), why, seconds=total)


def _time(seconds: float) -> str:
    """Return a duration in whole units, as in a job file."""
    if seconds < 100:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 180 else f"{seconds / 3600:.3g} h"


def _expected(items: Sequence[Item]) -> list[float] | None:
    """Return how long each takes, the mean of the others where that is not known; None where none is."""
    found = [item.expected.seconds for item in items if item.expected is not None]
    if not found:
        return None
    mean = sum(found) / len(found)
    return [mean if item.expected is None else item.expected.seconds for item in items]


def makespan(seconds: Iterable[float], places: int) -> float:
    """Return when the last ends, if each begins in this order as soon as one of the places is free."""
    free = [0.0] * places
    heapify(free)
    for each in seconds:
        heapreplace(free, free[0] + each)
    return max(free)
