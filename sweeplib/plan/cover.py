"""Covering arrays: few rows of a product in which all values of any few columns meet.

The algorithm is IPOG (Y. Lei, R. Kacker, D. R. Kuhn, V. Okun and J. Lawrence, "IPOG: A General Strategy for
T-Way Software Testing", ECBS 2007). It begins with the product of the longest columns, as many as have to
meet, and adds one column after the other: horizontal growth gives each row the place that makes most of what
has not met meet; vertical growth puts what is left into gaps of rows, or into rows of its own.

Where not every combination is allowed, a row, gaps and all, always agrees with one that is. Sets of places,
of rows and of allowed combinations are kept as the bits of whole numbers.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from math import prod
from typing import TYPE_CHECKING

from sweeplib.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["MOST", "Allowed", "Places", "cover"]

MOST = 1_000_000
"""How many combinations of as many values as have to meet there may be."""

_MOST_BITS = 1_000_000_000
"""How many bits may tell which values the allowed combinations have."""

_GAP = -1
"""Stands in a row for the place of a column that may still be any."""

Places = tuple[int, ...]
_Row = list[int]
_Cells = list[tuple[int, int]]
_Uncovered = dict[tuple[int, ...], dict[Places, int]]
"""What has not met: by columns, by their places, the places of the column that is being added."""


class Allowed:
    """The places that columns of these `sizes` may have together.

    `numbers` are sorted, each one row of the product of some `columns`, the last of them fastest; places of
    the other columns are free. All is allowed by default.

    Raises `PlanError` where there is too much of that to hold.
    """

    def __init__(
        self, sizes: Sequence[int], columns: Sequence[int] = (), numbers: Sequence[int] = (0,)
    ) -> None:
        self.sizes = tuple(sizes)
        self._numbers = numbers
        self._every = (1 << len(numbers)) - 1
        self._strides = {
            column: prod(sizes[after] for after in columns[at + 1 :]) for at, column in enumerate(columns)
        }
        if sum(sizes[column] for column in columns) * len(numbers) > _MOST_BITS:
            msg = f"a cover of the {len(numbers):,} combinations that conditions leave is too large to make"
            raise PlanError(f"{msg}; sweep fewer values of the parameters in the conditions")
        self._having = {column: self._of(column) for column in columns}

    def _of(self, column: int) -> list[int]:
        """Return for each place of a column the set of allowed combinations that have it."""
        size, stride = self.sizes[column], self._strides[column]
        bits = [bytearray(len(self._numbers) // 8 + 1) for _ in range(size)]
        for at, number in enumerate(self._numbers):
            bits[number // stride % size][at >> 3] |= 1 << (at & 7)
        return [int.from_bytes(each, "little") for each in bits]

    def left(self, row: _Row) -> int:
        """Return the set of allowed combinations that a row agrees with, gaps aside."""
        found = self._every
        for column, having in self._having.items():
            place = row[column]
            if place != _GAP:
                found &= having[place]
        return found

    def choices(self, left: int, column: int) -> int:
        """Return the set of the places that a column has in the set `left` of allowed combinations."""
        if column not in self._having:
            return (1 << self.sizes[column]) - 1
        return sum(1 << place for place, having in enumerate(self._having[column]) if having & left)

    def tuples(self, columns: Sequence[int]) -> Iterator[tuple[Places, int]]:
        """Yield the places that columns may have together, each with the allowed combinations that do."""
        if not columns:
            if self._every:
                yield (), self._every
            return
        *before, column = columns
        having = self._having.get(column)
        for places, left in self.tuples(before):
            for place in range(self.sizes[column]):
                rest = left if having is None else left & having[place]
                if rest:
                    yield (*places, place), rest

    def complete(self, row: _Row) -> Places:
        """Return the row with its gaps filled by the first places that are allowed."""
        first = self._numbers[_lowest(self.left(row))]
        own = {column: first // stride % self.sizes[column] for column, stride in self._strides.items()}
        return tuple(own.get(column, 0) if place == _GAP else place for column, place in enumerate(row))


def cover(allowed: Allowed, strength: int) -> list[Places]:
    """Return rows of places, sorted, such that any `strength` places that are allowed together are in one.

    All rows are allowed, and the same for the same input. Raises `PlanError` if there are more than `MOST`
    combinations of `strength` places.
    """
    sizes = allowed.sizes
    varying = [column for column, size in enumerate(sizes) if size > 1]
    order = sorted(varying, key=lambda column: -sizes[column])
    strength = min(strength, len(order))
    count = _count([sizes[column] for column in order], strength)
    if count > MOST:
        what, remedy = f"combinations of {strength} values", ", or let fewer of them meet"
        if strength == 1:
            what, remedy = "values", ""
        msg = f"a cover of {count:,} {what} is more than can be made ({MOST:,}); sweep fewer values{remedy}"
        raise PlanError(msg)
    first = order[:strength]
    rows = [
        _with([_GAP] * len(sizes), zip(first, places, strict=True)) for places, _ in allowed.tuples(first)
    ]
    for at in range(strength, len(order)):
        column, before = order[at], order[:at]
        uncovered = {
            columns: {places: allowed.choices(left, column) for places, left in allowed.tuples(columns)}
            for columns in combinations(before, strength - 1)
        }
        _grow_across(rows, column, uncovered, allowed)
        _grow_down(rows, [*before, column], uncovered, allowed)
    return sorted({allowed.complete(row) for row in rows})


def _count(sizes: Sequence[int], strength: int) -> int:
    """Return how many combinations of `strength` places of different columns there are."""
    counts = [1, *[0] * strength]
    for size in sizes:
        counts = [1, *[more + size * fewer for fewer, more in pairwise(counts)]]
    return counts[-1]


def _grow_across(rows: list[_Row], column: int, uncovered: _Uncovered, allowed: Allowed) -> None:
    """Give each row the place of a column that covers most, unless none covers anything.

    Of several, it is the next after that of the row before, round and round, which spreads them evenly.
    """
    missing = sum(bits.bit_count() for each in uncovered.values() for bits in each.values())
    place = -1
    for row in rows:
        if not missing:
            return
        met = [(each, tuple([row[other] for other in columns])) for columns, each in uncovered.items()]
        choices = allowed.choices(allowed.left(row), column)
        best, gain = _commonest(each.get(places, 0) & choices for each, places in met)
        if not gain:
            continue
        place = _lowest(best >> place + 1 << place + 1 or best)
        row[column] = place
        missing -= gain
        for each, places in met:
            if each.get(places, 0) >> place & 1:
                each[places] ^= 1 << place


def _commonest(sets: Iterable[int]) -> tuple[int, int]:
    """Return the set of those that are in the most of some sets, and in how many; all if the sets are empty.

    The counts of all are kept side by side: `digits[i]` has the binary digit i of each.
    """
    digits: list[int] = []
    for carry in sets:
        at = 0
        while carry:
            if at == len(digits):
                digits.append(0)
            digits[at], carry = digits[at] ^ carry, digits[at] & carry
            at += 1
    best, count = -1, 0
    for at in reversed(range(len(digits))):
        if best & digits[at]:
            best &= digits[at]
            count += 1 << at
    return best, count


class _Gaps:
    """Rows that have gaps in some `columns`, found by what stands in these."""

    def __init__(self, columns: Sequence[int]) -> None:
        self.columns = columns
        self.rows: list[_Row] = []
        self._having: dict[tuple[int, int], int] = {}

    def add(self, row: _Row) -> None:
        """Take a row in."""
        for column in self.columns:
            self._put(column, row[column], 1 << len(self.rows))
        self.rows.append(row)

    def _put(self, column: int, place: int, rows: int) -> None:
        self._having[column, place] = self._having.get((column, place), 0) | rows

    def have(self, cells: _Cells) -> bool:
        """Tell whether a row has all of the cells."""
        found = -1
        for cell in cells:
            found &= self._having.get(cell, 0)
        return found != 0

    def fitting(self, cells: _Cells) -> Iterator[int]:
        """Yield the numbers of the rows that have each of the cells, or a gap in its place."""
        found = -1
        for column, place in cells:
            found &= self._having.get((column, place), 0) | self._having.get((column, _GAP), 0)
        return _members(found)

    def fill(self, at: int, cells: _Cells) -> None:
        """Put cells into the gaps of a row."""
        for column, place in cells:
            if self.rows[at][column] == _GAP:
                self.rows[at][column] = place
                self._having[column, _GAP] ^= 1 << at
                self._put(column, place, 1 << at)


def _grow_down(rows: list[_Row], columns: Sequence[int], uncovered: _Uncovered, allowed: Allowed) -> None:
    """Put what is uncovered, of the last of `columns` with others, into gaps of rows or into further rows."""
    if not any(any(each.values()) for each in uncovered.values()):
        return
    gaps = _Gaps(columns)
    for row in rows:
        if any(row[column] == _GAP for column in columns):
            gaps.add(row)
    for cells in _cells(columns[-1], uncovered):
        if gaps.have(cells):
            continue
        for at in gaps.fitting(cells):
            if allowed.left(_with(gaps.rows[at], cells)):
                gaps.fill(at, cells)
                break
        else:
            rows.append(_with([_GAP] * len(allowed.sizes), cells))
            gaps.add(rows[-1])


def _cells(column: int, uncovered: _Uncovered) -> Iterator[_Cells]:
    """Yield what is uncovered: places of some columns and one of the `column` that is being added."""
    for columns, each in uncovered.items():
        for places, bits in each.items():
            for place in _members(bits):
                yield [*zip(columns, places, strict=True), (column, place)]


def _with(row: _Row, cells: Iterable[tuple[int, int]]) -> _Row:
    found = row.copy()
    for column, place in cells:
        found[column] = place
    return found


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def _members(bits: int) -> Iterator[int]:
    """Yield the numbers that are in a set, in order."""
    while bits:
        lowest = _lowest(bits)
        yield lowest
        bits ^= 1 << lowest
