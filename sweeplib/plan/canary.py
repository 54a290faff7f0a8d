"""Canaries: the few combinations of a plan that together have all values of its parameters.

They are chosen greedily, each the one with most values that those before do not have (V. Chvatal, "A Greedy
Heuristic for the Set-Covering Problem", 1979), which finds the next one without looking at all others again
(M. Minoux, "Accelerated Greedy Algorithms for Maximizing Submodular Set Functions", 1978).
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from itertools import accumulate
from typing import TYPE_CHECKING

from sweeplib.errors import PlanError
from sweeplib.plan.cover import Allowed, cover
from sweeplib.plan.part import Part
from sweeplib.plan.picks import pick
from sweeplib.plan.rows import Filtered, Grid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sweeplib.plan.lines import Lines
    from sweeplib.plan.plan import Plan
    from sweeplib.plan.rows import Rows

__all__ = ["Canaries", "canaries"]

_LOOKED = 10_000  # combinations of a set that are looked at


@dataclass(frozen=True, slots=True)
class Canaries:
    """The positions of combinations, the most telling first.

    They have `touched` of the `values` that there are of all parameters; `needed` of them would have all.
    `sampled` says that only some of the plan's combinations were looked at, and their values counted.
    """

    positions: tuple[int, ...]
    touched: int
    values: int
    needed: int
    sampled: bool


def canaries(plan: Plan, most: int | None = None) -> Canaries:
    """Return at most `most` combinations (None: as many as it takes) that have as many values as can be.

    Of a set with more than 10,000 combinations those of a covering array are looked at, or a sample.
    """
    found: list[int] = []
    sampled = False
    starts = accumulate((part.size for part in plan.parts), initial=0)
    for part, start in zip(plan.parts, starts, strict=False):
        indices, complete = _candidates(part)
        found += [start + index for index in indices]
        sampled |= not complete
    if not plan.parts:
        found, sampled = list(pick(_LOOKED, len(plan), 0)), len(plan) > _LOOKED
    chosen, gains = _greedy(found, [frozenset(plan[place].parameters.items()) for place in found])
    kept = chosen[:most]
    return Canaries(tuple(kept), sum(gains[: len(kept)]), sum(gains), len(chosen), sampled)


def _candidates(part: Part | Lines) -> tuple[Iterable[int], bool]:
    """Return the indices of combinations that can be canaries, and whether they have all values there are."""
    if part.size <= _LOOKED:
        return range(part.size), True
    rows: Rows | None = part.rows if isinstance(part, Part) else None
    if isinstance(rows, (Grid, Filtered)) and max(rows.sizes) <= _LOOKED:
        try:
            return [rows.index_of(places) for places in cover(Allowed(rows.sizes, *rows.bound), 1)], True
        except PlanError:
            pass  # there is too much for a covering array
    return pick(_LOOKED, part.size, 0), False


def _greedy(
    places: Sequence[int], values: Sequence[frozenset[tuple[str, str]]]
) -> tuple[list[int], list[int]]:
    """Return places that together have all values, and how many each of them has that none before it has."""
    heap = [(-len(each), place, each) for place, each in zip(places, values, strict=True)]
    heapify(heap)
    had: set[tuple[str, str]] = set()
    chosen: list[int] = []
    gains: list[int] = []
    while heap:
        gain, place, each = heap[0]
        new = len(each - had)
        if not new:
            heappop(heap)
        elif new < -gain:
            heapreplace(heap, (-new, place, each))
        else:
            heappop(heap)
            chosen.append(place)
            gains.append(new)
            had |= each
    return chosen, gains
