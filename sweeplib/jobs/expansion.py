"""Expansion: a column of a set in which values of groups have what their variants bring beside them.

What a variant brings may be of a group as well, whose variants bring theirs. All is counted first: nothing is
written out that is too much. And what a variant brings is made once for the same parameters beside it,
however many rows have it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

from sweeplib.errors import PlanError
from sweeplib.syntax import Argument, Cell, Entries, Steps
from sweeplib.syntax.cells import cells_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sweeplib.jobs.groups import Group, Variant

__all__ = ["expanded", "hold_apart"]

_LONGEST = 100_000  # entries of a column that has a group's parameter, as it is written
_MOST = 1_000_000  # entries of it with the parameters of the variants

Row = tuple[Cell, ...]
Column = Argument | Steps | Entries


def expanded(column: Column, known: Mapping[str, Group]) -> tuple[Column, Mapping[str, str]]:
    """Return a column in which every value of a group has the parameters of its variant beside it.

    With its parameters, each with the file that brings it, or an empty text. Raises `PlanError` where a
    variant is not there, brings what is there already, or brings very many combinations, and `JobFileError`
    where one cannot be read.
    """
    found = _Expansion(known).of(column, {})
    if isinstance(found, _Products):
        return Entries(tuple(found.rows())), found.files
    return found, dict.fromkeys(found.keys, "")


def hold_apart(seen: Mapping[str, str], others: Mapping[str, str]) -> None:
    """Raise `PlanError` where a parameter is on both sides; each has the file that brings it, or none."""
    for name, other in others.items():
        if name in seen:
            given = [file for file in (seen[name], other) if file]
            text = f"{' and '.join(given)} both bring the parameter {name!r}"
            if len(given) == 1:
                text = f"the parameter {name!r} is in this set, and {given[0]} brings it as well"
            raise PlanError(f"{text}; keep one of the two")


@dataclass(frozen=True, eq=False)
class _Products:
    """An expanded column that is not written out: products of rows and of what variants bring.

    `files` are its parameters, each with the file that brings it, or an empty text.
    """

    products: Sequence[Sequence[Row | _Brought]]
    files: Mapping[str, str]
    size: int

    def rows(self) -> Iterator[Row]:
        """Yield what it is, written out."""
        for product in self.products:
            yield from _product((part,) if isinstance(part, tuple) else part.rows for part in product)


@dataclass(frozen=True, eq=False)
class _Brought:
    """What a variant brings: the product of these; `files` are its parameters, each with its file."""

    columns: Sequence[Column | _Products]
    files: Mapping[str, str]

    @cached_property
    def size(self) -> int:
        return prod(each.size if isinstance(each, _Products) else len(each) for each in self.columns)

    @cached_property
    def rows(self) -> Sequence[Row]:
        """It written out, for all that have it beside them."""
        columns = (
            each.rows() if isinstance(each, _Products) else map(cells_of, each) for each in self.columns
        )
        return tuple(_product(columns))


class _Expansion:
    """Expands a column, and those that variants bring; what one brings is kept.

    `seen` are the parameters that are beside a column, each with the file that brings it, or none.
    """

    def __init__(self, known: Mapping[str, Group]) -> None:
        self._known = known
        self._brought: dict[tuple[Cell, frozenset[str]], _Brought] = {}

    def of(self, column: Column, seen: Mapping[str, str]) -> Column | _Products:
        """Return a column as `expanded` does, and raise what that raises."""
        own = [self._known[name] for name in column.keys if name in self._known]
        if not own:
            return column
        if len(column) > _LONGEST:
            msg = f"group {own[0].name!r} has {len(column):,} values in one set, more than {_LONGEST:,}"
            raise PlanError(msg)
        products: list[list[Row | _Brought]] = []
        files: dict[str, str] = {}
        total = most = 0
        largest: list[_Brought] = []
        for row in _rows(column, own[0]):
            product = self._with_own(row, seen)
            products.append(product)
            brought = [part for part in product if isinstance(part, _Brought)]
            size = prod(part.size for part in brought)
            total += size
            if size > most:
                most, largest = size, brought
            if total > _MOST:
                raise PlanError(_too_many(total, largest))
            for cell in row:
                files.setdefault(cell.key, "")
            for part in brought:
                files |= part.files
        return _Products(products, files, total)

    def _with_own(self, row: Row, seen: Mapping[str, str]) -> list[Row | _Brought]:
        """Return what is multiplied for a row: its cells, and behind each group what its variant brings."""
        found: list[Row | _Brought] = []
        beside = {**{cell.key: "" for cell in row}, **seen}
        for cell in row:
            found.append((cell,))
            if cell.key in self._known:
                key = cell, frozenset(beside)
                if key not in self._brought:
                    variant = self._known[cell.key].variant(cell.value)
                    self._brought[key] = self._of_variant(variant, beside)
                brought = self._brought[key]
                beside |= brought.files
                found.append(brought)
        return found

    def _of_variant(self, variant: Variant, seen: Mapping[str, str]) -> _Brought:
        """Return what a variant brings, that of `all` last; groups among it have their own beside them."""
        hold_apart(seen, variant.files)
        files = dict(variant.files)
        columns: list[Column | _Products] = []
        for where, column in variant.columns:
            with variant.origin.of(where):
                found = self.of(column, {**seen, **files})
            if isinstance(found, _Products):
                files |= {name: file for name, file in found.files.items() if file}
            columns.append(found)
        return _Brought(columns, files)


def _rows(column: Column, group: Group) -> Iterable[Row]:
    """Return the rows of a column of a group's values, with the variants that patterns stand for."""
    if isinstance(column, Argument) and len(column.alternatives) == 1 and not column.drawn:
        return [(Cell(group.name, name),) for name in group.choose([cell.value for cell in column])]
    return map(cells_of, column)


def _too_many(total: int, largest: Iterable[_Brought]) -> str:
    """Return what is said of so many combinations, or more, of which variants bring these for one row."""
    files = dict.fromkeys(file for part in largest for file in part.files.values())
    return (
        f"at least {total:,} combinations are made of what stands in {' and '.join(files)}, more than "
        f"{_MOST:,}; sweep fewer values there, or sweep them in a set of the job"
    )


def _product(parts: Iterable[Iterable[Row]]) -> Iterator[Row]:
    return map(tuple, map(itertools.chain.from_iterable, itertools.product(*parts)))
