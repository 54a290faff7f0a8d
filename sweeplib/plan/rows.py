"""The rows of a set: the product of its columns, all of it, what no condition excludes, or some of that.

Each is a lazy sequence in the order of the product, last column fastest, of tuples of cells.
"""

from __future__ import annotations

import itertools
import sys
from abc import abstractmethod
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import chain
from math import prod
from typing import TYPE_CHECKING, overload

from sweeplib.errors import PlanError, nearest
from sweeplib.syntax import Cell
from sweeplib.syntax.draws import below, bits
from sweeplib.syntax.product import product

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweeplib.jobs import Set
    from sweeplib.syntax.condition import Condition

__all__ = [
    "LONGEST",
    "Column",
    "Filtered",
    "Grid",
    "Picked",
    "Row",
    "Rows",
    "cells_of",
    "names_of",
    "pick",
    "rows_of",
]

Row = tuple[Cell, ...]
Column = Sequence[Cell] | Sequence[Row]
"""What one column of a product holds: a cell an entry, or the cells of several parameters in step."""

LONGEST = 1_000_000
"""How many combinations a condition may have to look at, and how many a sample may have."""


class Rows(Sequence[Row]):
    """A lazy sequence of rows."""

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        found = range(len(self))[index]
        return [self.at(i) for i in found] if isinstance(found, range) else self.at(found)

    @property
    @abstractmethod
    def size(self) -> int:
        """How many rows there are; `len` fails where that is more than a sequence can have."""

    @property
    def total(self) -> int:
        """How many rows these are picked from, or are where nothing is picked."""
        return self.size

    def __len__(self) -> int:
        return self.size

    @abstractmethod
    def at(self, index: int) -> Row:
        """Return the row at `index`, which is at least 0 and below the length."""

    @abstractmethod
    def __iter__(self) -> Iterator[Row]: ...

    @abstractmethod
    def meaning(self) -> Iterator[Iterable[Cell]]:
        """Yield columns of cells that are the same for two sequences exactly if these have the same rows."""


class Grid(Rows):
    """The product of columns."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self.sizes = tuple(map(len, self.columns))
        """How many entries the columns have."""
        self.plain = all(isinstance(column[0], Cell) for column in self.columns)
        """Whether every entry of every column is a cell."""

    @property
    def size(self) -> int:
        """How many rows there are."""
        return prod(self.sizes)

    def at(self, index: int) -> Row:
        """Return the row at `index`, found by division."""
        places = []
        for size in reversed(self.sizes):
            index, place = divmod(index, size)
            places.append(place)
        return self.row(places[::-1])

    def row(self, places: Sequence[int]) -> Row:
        """Return the row that has these places in the columns."""
        entries = [column[place] for column, place in zip(self.columns, places, strict=True)]
        return tuple(entries) if self.plain else _flat(entries)  # type: ignore[arg-type]

    def index_of(self, places: Sequence[int]) -> int:
        """Return the index of the row that has these places in the columns."""
        index = 0
        for size, place in zip(self.sizes, places, strict=True):
            index = index * size + place
        return index

    @property
    def bound(self) -> tuple[Sequence[int], Sequence[int]]:
        """The columns that conditions are about, none, and the numbers of what is left of their product."""
        return (), (0,)

    def __iter__(self) -> Iterator[Row]:
        rows = product(self.columns)
        return rows if self.plain else map(_flat, rows)  # type: ignore[arg-type,return-value]

    def meaning(self) -> Iterator[Iterable[Cell]]:
        """Yield the columns; of one whose parameters go in step, the cells of all."""
        for column in self.columns:
            yield chain.from_iterable(map(cells_of, column))


def _flat(entries: Iterable[Cell | Row]) -> Row:
    return tuple(chain.from_iterable(map(cells_of, entries)))


class Filtered(Rows):
    """The rows of a grid that satisfy no condition.

    A condition is about some of the columns. What it leaves of their product is kept as sorted numbers, and
    the other columns multiply that, so a row is found by arithmetic and bisection, and `len` is a product.

    Raises `PlanError` if the product of those columns is longer than `LONGEST`.
    """

    def __init__(self, grid: Grid, constant: Sequence[Cell], conditions: Sequence[Condition]) -> None:
        self._grid = grid
        keys = [_keys(column) for column in grid.columns]
        names = {name for condition in conditions for name in condition.names}
        self._involved = [not names.isdisjoint(of) for of in keys]
        self.sizes = grid.sizes
        """How many entries the columns have."""
        self._left = self._allowed(conditions, constant)
        free = [size for size, involved in zip(self.sizes, self._involved, strict=True) if not involved]
        self._size = len(self._left) * prod(free)
        # How many rows one entry of each column stands for, as far as columns after it are free, and how many
        # numbers it stands for among those of the columns involved.
        self._free = _after(self.sizes, [not each for each in self._involved])
        self._strides = _after(self.sizes, self._involved)

    def _allowed(self, conditions: Sequence[Condition], constant: Sequence[Cell]) -> array[int]:
        columns = [
            column for column, involved in zip(self._grid.columns, self._involved, strict=True) if involved
        ]
        count = prod(map(len, columns))
        if count > LONGEST:
            texts = " and ".join(repr(each.text) for each in conditions)
            msg = f"{texts} would have to be looked at for {count:,} combinations, more than {LONGEST:,}"
            raise PlanError(f"{msg}; sweep fewer values of the parameters in it")
        fixed = _values(constant)
        # A parameter that only some variants bring is None beside the others.
        missing = dict.fromkeys(name for each in conditions for name in each.names)
        looked = [[_values(cells_of(entry)) for entry in column] for column in columns]
        left = array("q")
        for number, entries in enumerate(itertools.product(*looked)):
            values = {**missing, **fixed}
            for entry in entries:
                values.update(entry)
            if not any(condition.holds(values) for condition in conditions):
                left.append(number)
        return left

    @property
    def size(self) -> int:
        """How many rows there are."""
        return self._size

    def at(self, index: int) -> Row:
        """Return the row at `index`: of each column the entry in whose rows it falls."""
        places: list[int] = []
        low, high = 0, len(self._left)
        for size, involved, free, stride in zip(
            self.sizes, self._involved, self._free, self._strides, strict=True
        ):
            if involved:
                number = self._left[low + index // free]
                place = number // stride % size
                first = number - number % stride
                begin = bisect_left(self._left, first, low, high)
                high = bisect_left(self._left, first + stride, begin, high)
                index -= (begin - low) * free
                low = begin
            else:
                place, index = divmod(index, (high - low) * free)
            places.append(place)
        return self._grid.row(places)

    def index_of(self, places: Sequence[int]) -> int:
        """Return the index of the row that has these places in the columns; it must be left."""
        index = number = 0
        low, high = 0, len(self._left)
        for place, involved, free, stride in zip(
            places, self._involved, self._free, self._strides, strict=True
        ):
            if involved:
                number += place * stride
                begin = bisect_left(self._left, number, low, high)
                high = bisect_left(self._left, number + stride, begin, high)
                index += (begin - low) * free
                low = begin
            else:
                index += place * (high - low) * free
        return index

    @property
    def bound(self) -> tuple[Sequence[int], Sequence[int]]:
        """The columns that conditions are about, and the numbers of what is left of their product."""
        return [column for column, involved in enumerate(self._involved) if involved], self._left

    def __iter__(self) -> Iterator[Row]:
        return map(self._grid.row, self._walk(0, 0, len(self._left)))

    def meaning(self) -> Iterator[Iterable[Cell]]:
        """Yield the columns of the grid, and what is left of it."""
        yield from self._grid.meaning()
        yield (Cell("", str(number)) for number in self._left)

    def _walk(self, column: int, low: int, high: int) -> Iterator[tuple[int, ...]]:
        """Yield the places in the columns from `column` on of the numbers from `low` to before `high`."""
        if not any(self._involved[column:]):
            yield from product([range(size) for size in self.sizes[column:]])
        elif not self._involved[column]:
            for place in range(self.sizes[column]):
                for rest in self._walk(column + 1, low, high):
                    yield (place, *rest)
        else:
            stride = self._strides[column]
            while low < high:
                number = self._left[low]
                end = bisect_left(self._left, number - number % stride + stride, low, high)
                place = number // stride % self.sizes[column]
                for rest in self._walk(column + 1, low, end):
                    yield (place, *rest)
                low = end


def _keys(column: Column) -> tuple[str, ...]:
    keys: tuple[str, ...] | None = getattr(column, "keys", None)
    if keys is not None:
        return keys
    return tuple({cell.key: None for entry in column for cell in cells_of(entry)})


def cells_of(entry: Cell | Row) -> Row:
    """Return the cells of a column's entry."""
    return (entry,) if isinstance(entry, Cell) else entry


def _values(cells: Iterable[Cell]) -> dict[str, object]:
    from sweeplib.syntax.typed import typed  # which only sets with a condition need

    return {cell.key: typed(cell.value) for cell in cells}


def _after(sizes: Sequence[int], counted: Sequence[bool]) -> list[int]:
    """Return for each column the product of the sizes of those after it that are `counted`."""
    found = [1]
    for size, counts in zip(reversed(sizes), reversed(counted), strict=True):
        found.append(found[-1] * (size if counts else 1))
    return found[-2::-1]


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
        """Yield the columns of the rows picked from, and the picks."""
        yield from self._rows.meaning()
        yield (Cell("", str(number)) for number in self._picks)


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
    return Picked(rows, pick(set_.sample, rows.size, set_.seed))


def _covering(rows: Grid | Filtered, strength: int) -> Rows:
    """Return some of the rows in which any `strength` entries meet that do so in one of all the rows."""
    if strength >= sum(size > 1 for size in rows.sizes):
        return rows
    from sweeplib.plan.cover import Allowed, cover  # which only these sets need

    found = cover(Allowed(rows.sizes, *rows.bound), strength)
    return Picked(rows, list(map(rows.index_of, found)))


def names_of(set_: Set) -> list[str]:
    """Return all parameters of a set, those that variants bring among them."""
    swept = (key for column in set_.columns for key in column.keys)
    return list(dict.fromkeys([*swept, *(cell.key for cell in set_.cells)]))


def _hold_names(set_: Set) -> None:
    known = names_of(set_)
    for name in (name for each in set_.conditions for name in each.names):
        if name not in known:
            close = nearest(name, known) or f"; the parameters are {', '.join(known)}"
            raise PlanError(f"no parameter {name!r} in this set{close}")
