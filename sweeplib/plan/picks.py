"""Rows that are picked: of a set some at random (`sample`), or a few that `cover` it, or what is selected.

What is picked does not depend on how a set is written: neither on the order of its parameters nor on that of
their values, as long as a parameter has no more than 100,000 of them.
"""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeplib.errors import PlanError, nearest
from sweeplib.plan.identity import meaning
from sweeplib.plan.rows import LONGEST, Filtered, Grid, Row, Rows, cells_of, names_of
from sweeplib.syntax import number
from sweeplib.syntax.draws import below, bits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from decimal import Decimal

    from sweeplib.jobs import Set
    from sweeplib.plan.rows import Column
    from sweeplib.syntax import Cell

__all__ = ["Picked", "pick", "rows_of"]

_SORTED = 100_000  # values of a parameter that are put in order


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

    def meaning(self) -> Iterator[Iterable[Cell]]:
        """Yield the rows."""
        for row in self:
            yield sorted(row, key=lambda cell: cell.key)


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
    arranged = _Arranged.of(rows)
    picks = pick(set_.sample, rows.size, set_.seed)
    if arranged.rows is rows:
        return Picked(rows, picks)
    return arranged.picked(map(arranged.rows.places, picks))


def _covering(rows: Grid | Filtered, strength: int) -> Rows:
    """Return some of the rows in which any `strength` entries meet that do so in one of all the rows."""
    if strength >= sum(size > 1 for size in rows.sizes):
        return rows
    from sweeplib.plan.cover import Allowed, cover  # which only these sets need

    arranged = _Arranged.of(rows)
    return arranged.picked(cover(Allowed(arranged.rows.sizes, *arranged.rows.bound), strength))


@dataclass(frozen=True, slots=True)
class _Arranged:
    """The `rows` that were `written`, over the same columns in an order that does not depend on the writing.

    `columns` tell of each column which it was, `entries` which of its entries each of these was.
    """

    written: Grid | Filtered
    rows: Grid | Filtered
    columns: Sequence[int]
    entries: Sequence[Sequence[int]]

    @classmethod
    def of(cls, written: Grid | Filtered) -> _Arranged:
        """Put columns in the order of their parameters' names, and entries in that of their meanings."""
        all_, columns = written.grid.columns, written.grid.by_name
        entries = [_by_meaning(all_[column]) for column in columns]
        if columns == sorted(columns) and all(isinstance(places, range) for places in entries):
            return cls(written, written, columns, entries)
        arranged = Grid([_taken(all_[at], places) for at, places in zip(columns, entries, strict=True)])
        return cls(written, written.over(arranged), columns, entries)

    def picked(self, found: Iterable[Sequence[int]]) -> Picked:
        """Return the rows that have these places in the columns."""
        return Picked(self.written, array("q", sorted(map(self._index, found))))

    def _index(self, places: Sequence[int]) -> int:
        found = [0] * len(places)
        for column, entries, place in zip(self.columns, self.entries, places, strict=True):
            found[column] = entries[place]
        return self.written.index_of(found)


def _taken(column: Column, places: Sequence[int]) -> Column:
    if isinstance(places, range):
        return column
    return [column[place] for place in places]  # type: ignore[return-value]  # entries of one kind


def _by_meaning(column: Column) -> Sequence[int]:
    """Return the places of a column's entries, numbers upwards and then texts; a range if they stand so."""
    places = range(len(column))
    if len(places) > _SORTED:
        return places
    meanings = [sorted((cell.key, *_order(cell.value)) for cell in cells_of(entry)) for entry in column]
    found = sorted(places, key=meanings.__getitem__)
    return places if found == list(places) else found


def _order(value: str) -> tuple[bool, Decimal | int, str]:
    found = number(value)
    return (True, 0, meaning(value)) if found is None else (False, found, "")


def _hold_names(set_: Set) -> None:
    known = names_of(set_)
    for name in (name for each in set_.conditions for name in each.names):
        if name not in known:
            close = nearest(name, known) or f"; the parameters are {', '.join(known)}"
            raise PlanError(f"no parameter {name!r} in this set{close}")
