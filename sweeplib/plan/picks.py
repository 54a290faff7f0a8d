"""Rows that are picked: of a set some at random (`sample`), or a few that `cover` it, or what is selected.

What is picked does not depend on how a set is written: neither on the order of its parameters nor on that of
their values, as long as a parameter has no more than 100,000 of them.
"""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING

from sweeplib.errors import PlanError, nearest
from sweeplib.plan.rows import LONGEST, Arranged, Filtered, Grid, Row, Rows, names_of
from sweeplib.syntax.draws import below, bits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sweeplib.jobs import Set
    from sweeplib.plan.rows import Column

__all__ = ["Picked", "pick", "rows_of"]


class Picked(Rows):
    """The rows of others at the places `picks`, which are sorted."""

    def __init__(self, rows: Rows, picks: Sequence[int]) -> None:
        self._rows = rows
        self._picks = picks

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self._picks)

    @property
    def total(self) -> int:
        """How many rows these are picked from."""
        return self._rows.total

    def at(self, index: int) -> Row:
        """Return the row at `index`."""
        return self._rows.at(self._picks[index])

    def __iter__(self) -> Iterator[Row]:
        return map(self._rows.at, self._picks)

    @property
    def entries(self) -> Iterator[Iterable[Row]]:
        """The rows, as one column."""
        yield self


def pick(count: int, size: int, seed: int) -> Sequence[int]:
    """Return `count` different places below `size`, chosen at random, sorted; all if there are no more.

    The choice is that of a Fisher-Yates shuffle (R. Durstenfeld, Algorithm 235, 1964) that stops early: with
    the same seed and size, a larger sample has all of a smaller one.
    """
    if count >= size:
        return range(size)
    moved: dict[int, int] = {}
    picks = array("q")
    for step in range(count):
        other = step + below(size - step, bits(seed, "sample", step))
        picks.append(moved.get(other, other))
        moved[other] = moved.get(step, step)
    return array("q", sorted(picks))


def rows_of(set_: Set, columns: Sequence[Column] | None = None) -> Rows:
    """Return the rows of a set; of these `columns` (None: its own), less what it excludes, and picked from.

    Raises `PlanError` where that is too much to look at, or a condition is about what is no parameter.
    """
    grid = Grid(set_.columns if columns is None else columns)
    rows: Grid | Filtered = grid
    if set_.exclude:
        with set_.origin.of("exclude"):
            _hold_names(set_)
            rows = Filtered(grid, set_.cells, set_.conditions)
    if set_.cover is not None:
        with set_.origin.of("cover"):
            return _covering(rows, set_.cover)
    if set_.sample is None:
        return rows
    if set_.sample > LONGEST or rows.size > sys.maxsize:
        msg = f"a sample of {set_.sample:,} from {rows.size:,} combinations is too large to make; "
        raise PlanError(f"{msg}sample up to {LONGEST:,}, of fewer values", set_.origin.place("sample"))
    arranged = Arranged.of(rows)
    picks = pick(set_.sample, rows.size, set_.seed)
    if arranged.rows is rows:
        return Picked(rows, picks)
    return Picked(rows, arranged.indices(map(arranged.rows.places, picks)))


def _covering(rows: Grid | Filtered, strength: int) -> Rows:
    """Return some of the rows in which any `strength` entries meet that do so in one of all the rows."""
    if strength >= sum(size > 1 for size in rows.sizes):
        return rows
    from sweeplib.plan.cover import Allowed, cover  # which only these sets need

    arranged = Arranged.of(rows)
    found = cover(Allowed(arranged.rows.sizes, *arranged.rows.bound), strength)
    return Picked(rows, arranged.indices(found))


def _hold_names(set_: Set) -> None:
    known = names_of(set_)
    for name in (name for each in set_.conditions for name in each.names):
        if name not in known:
            close = nearest(name, known) or f"; the parameters are {', '.join(known)}"
            raise PlanError(f"no parameter {name!r} in this set{close}")
