"""The rows of a set: the product of its columns, all of it, or what no condition excludes.

Each is a lazy sequence in the order of the product, last column fastest, of tuples of cells. Some of them can
be picked (`sweeplib.plan.picks`).
"""

from __future__ import annotations

import itertools
from abc import abstractmethod
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from math import prod
from typing import TYPE_CHECKING, overload

from sweeplib.errors import PlanError
from sweeplib.plan.identity import meaning
from sweeplib.syntax import Cell, number
from sweeplib.syntax.cells import cells_of
from sweeplib.syntax.product import product

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from sweeplib.jobs import Set
    from sweeplib.syntax.condition import Condition

__all__ = [
    "LONGEST",
    "Arranged",
    "Column",
    "Filtered",
    "Grid",
    "Row",
    "Rows",
    "names_of",
]

Row = tuple[Cell, ...]
Column = Sequence[Cell] | Sequence[Row]
"""What one column of a product holds: a cell an entry, or the cells of several parameters in step."""

LONGEST = 1_000_000
"""How many combinations a condition may have to look at, and how many a sample may have."""

_SORTED = 100_000  # entries of a column that are put in order


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

    @property
    @abstractmethod
    def entries(self) -> Iterator[Iterable[Row]]:
        """Columns of entries that have all cells of all rows."""

    def meaning(self) -> Iterator[Iterable[Row]]:
        """Yield columns of entries that mean the same for two sequences exactly if these have the same rows.

        In whatever order: of the rows, of the columns, of the entries of each.
        """
        return self.entries


class Grid(Rows):
    """The product of columns."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self.sizes = tuple(map(len, self.columns))
        """How many entries the columns have."""
        self.plain = all(isinstance(column[0], Cell) for column in self.columns)
        """Whether every entry of every column is a cell."""

    @property
    def grid(self) -> Grid:
        """The product that these are rows of: all of it."""
        return self

    def over(self, grid: Grid) -> Grid:
        """Return the same rows of a product of the same columns, in another order."""
        return grid

    @cached_property
    def by_name(self) -> list[int]:
        """The columns by the names of their parameters, an order in which nobody wrote them."""
        keys = [sorted(_keys(column)) for column in self.columns]
        return sorted(range(len(keys)), key=keys.__getitem__)

    @property
    def size(self) -> int:
        """How many rows there are."""
        return prod(self.sizes)

    def at(self, index: int) -> Row:
        """Return the row at `index`."""
        return self.row(self.places(index))

    def places(self, index: int) -> list[int]:
        """Return the places in the columns of the row at `index`, found by division."""
        found = []
        for size in reversed(self.sizes):
            index, place = divmod(index, size)
            found.append(place)
        return found[::-1]

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

    @property
    def entries(self) -> Iterator[Iterable[Row]]:
        """The columns."""
        for column in self.columns:
            yield map(cells_of, column)


def _flat(entries: Iterable[Cell | Row]) -> Row:
    return tuple(chain.from_iterable(map(cells_of, entries)))


class Filtered(Rows):
    """The rows of a grid that satisfy no condition.

    A condition is about some of the columns. What it leaves of their product is kept as sorted numbers, and
    the other columns multiply that, so a row is found by arithmetic and bisection, and `len` is a product.

    Raises `PlanError` if the product of those columns is longer than `LONGEST`.
    """

    def __init__(self, grid: Grid, constant: Sequence[Cell], conditions: Sequence[Condition]) -> None:
        self.grid = grid
        """The product that these are rows of."""
        self._constant = constant
        self._conditions = conditions
        keys = [_keys(column) for column in grid.columns]
        names = {name for condition in conditions for name in condition.names}
        self._involved = [not names.isdisjoint(of) for of in keys]
        self.sizes = grid.sizes
        """How many entries the columns have."""
        self._left = self._allowed()
        free = [size for size, involved in zip(self.sizes, self._involved, strict=True) if not involved]
        self._size = len(self._left) * prod(free)
        # How many rows one entry of each column stands for, as far as columns after it are free, and how many
        # numbers it stands for among those of the columns involved.
        self._free = _after(self.sizes, [not each for each in self._involved])
        self._strides = _after(self.sizes, self._involved)

    def over(self, grid: Grid) -> Filtered:
        """Return the same rows of a product of the same columns, in another order."""
        return Filtered(grid, self._constant, self._conditions)

    def _allowed(self) -> array[int]:
        conditions = self._conditions
        columns = [
            column for column, involved in zip(self.grid.columns, self._involved, strict=True) if involved
        ]
        count = prod(map(len, columns))
        if count > LONGEST:
            texts = " and ".join(repr(each.text) for each in conditions)
            msg = f"{texts} would have to be looked at for {count:,} combinations, more than {LONGEST:,}"
            raise PlanError(f"{msg}; sweep fewer values of the parameters in it")
        fixed = _values(self._constant)
        # A parameter that only some variants bring is None beside the others.
        missing = dict.fromkeys(name for each in conditions for name in each.names)
        looked = [[_values(cells_of(entry)) for entry in column] for column in columns]
        left = array("q")
        for place, entries in enumerate(itertools.product(*looked)):
            values = {**missing, **fixed}
            for entry in entries:
                values.update(entry)
            if not any(condition.holds(values) for condition in conditions):
                left.append(place)
        return left

    @property
    def size(self) -> int:
        """How many rows there are."""
        return self._size

    def at(self, index: int) -> Row:
        """Return the row at `index`."""
        return self.grid.row(self.places(index))

    def places(self, index: int) -> list[int]:
        """Return the places in the columns of the row at `index`: of each that in whose rows it falls."""
        found: list[int] = []
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
            found.append(place)
        return found

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
        return map(self.grid.row, self._walk(0, 0, len(self._left)))

    @property
    def entries(self) -> Iterator[Iterable[Row]]:
        """The columns of the grid."""
        return self.grid.entries

    def meaning(self) -> Iterator[Iterable[Row]]:
        """Yield the columns of the grid, and what is left of it where these are arranged."""
        yield from self.entries
        arranged = Arranged.of(self).rows
        columns, numbers = arranged.bound
        names = ",".join(chain.from_iterable(_keys(arranged.grid.columns[column]) for column in columns))
        yield ((Cell(names, str(number)),) for number in numbers)

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


@dataclass(frozen=True, slots=True)
class Arranged:
    """The `rows` that were `written`, over the same columns in an order that does not depend on the writing.

    `columns` tell of each column which it was, `entries` which of its entries each of these was.
    """

    written: Grid | Filtered
    rows: Grid | Filtered
    columns: Sequence[int]
    entries: Sequence[Sequence[int]]

    @classmethod
    def of(cls, written: Grid | Filtered) -> Arranged:
        """Put columns in the order of their parameters' names, and entries in that of their meanings."""
        all_, columns = written.grid.columns, written.grid.by_name
        entries = [_by_meaning(all_[column]) for column in columns]
        if columns == sorted(columns) and all(isinstance(places, range) for places in entries):
            return cls(written, written, columns, entries)
        arranged = Grid([_taken(all_[at], places) for at, places in zip(columns, entries, strict=True)])
        return cls(written, written.over(arranged), columns, entries)

    def indices(self, found: Iterable[Sequence[int]]) -> Sequence[int]:
        """Return the indices, sorted, that the rows with these places in the columns have as written."""
        return array("q", sorted(map(self._index, found)))

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


def _keys(column: Column) -> tuple[str, ...]:
    keys: tuple[str, ...] | None = getattr(column, "keys", None)
    if keys is not None:
        return keys
    return tuple({cell.key: None for entry in column for cell in cells_of(entry)})


def _values(cells: Iterable[Cell]) -> dict[str, object]:
    from sweeplib.syntax.typed import typed  # which only sets with a condition need

    return {cell.key: typed(cell.value) for cell in cells}


def _after(sizes: Sequence[int], counted: Sequence[bool]) -> list[int]:
    """Return for each column the product of the sizes of those after it that are `counted`."""
    found = [1]
    for size, counts in zip(reversed(sizes), reversed(counted), strict=True):
        found.append(found[-1] * (size if counts else 1))
    return found[-2::-1]


def names_of(set_: Set) -> list[str]:
    """Return all parameters of a set, those that variants bring among them."""
    swept = (key for column in set_.columns for key in column.keys)
    return list(dict.fromkeys([*swept, *(cell.key for cell in set_.cells)]))
