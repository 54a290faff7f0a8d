"""Which combinations of a plan a person wants: ``model=svc C=1,10``.

A selection is written as `each` is: a parameter with the values that are wanted. It leaves those values in
the column of the parameter, so that a selected plan is as lazy as a whole one. Values are compared by
meaning (``lr=1m`` selects ``0.001``). A set without the parameter has nothing that is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeplib.errors import Place, PlanError, SweepSyntaxError, nearest
from sweeplib.plan.identity import meaning
from sweeplib.plan.picks import Picked, rows_of
from sweeplib.syntax import parse_each, unquote
from sweeplib.syntax.cells import cells_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from sweeplib.jobs import Set
    from sweeplib.plan.rows import Column, Rows
    from sweeplib.syntax import Argument, Cell, Entries, Steps

__all__ = ["Selection"]

_LONGEST = 1_000_000
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Selection:
    """The meanings of the wanted values, by parameter; `named` are their texts, which tell variants."""

    text: str
    wanted: Mapping[str, frozenset[str]]
    named: Mapping[str, frozenset[str]]

    @classmethod
    def read(cls, text: str) -> Selection:
        """Return the selection that a text says; raises `SweepSyntaxError` if it cannot be read."""
        wanted: dict[str, set[str]] = {}
        named: dict[str, set[str]] = {}
        try:
            arguments = parse_each(text)
        except SweepSyntaxError as error:
            raise SweepSyntaxError(
                error.source, error.span, error.expected, Place(path="the selection")
            ) from None
        for argument in arguments:
            if len(argument) > _LONGEST:
                msg = f"the selection has {len(argument):,} values of {argument.keys[0]!r}; name fewer"
                raise PlanError(msg)
            for cell in argument:
                wanted.setdefault(cell.key, set()).add(meaning(cell.value))
                named.setdefault(cell.key, set()).add(unquote(cell.value))
        frozen = ({key: frozenset(values) for key, values in each.items()} for each in (wanted, named))
        return cls(text, *frozen)

    def of(self, set_: Set) -> Rows | None:
        """Return the rows of a set that are wanted; None if there are none."""
        left = set(self.wanted)
        for cell in set_.cells:
            if cell.key in left:
                if not self._is_wanted(cell, set_.groups):
                    return None
                left.discard(cell.key)
        if not left.issubset(key for column in set_.columns for key in column.keys):
            return None
        picked = None if set_.sample is None and set_.cover is None else rows_of(set_)
        if isinstance(picked, Picked):  # which does not depend on what is selected
            rows: Rows | None = Picked(
                picked, [i for i, row in enumerate(picked) if self._wants(row, left, set_.groups)]
            )
        else:
            columns = [self._of(column, left, set_.groups) for column in set_.columns]
            rows = rows_of(set_, columns) if all(map(len, columns)) else None
        return rows if rows is not None and rows.size else None

    def _of(self, column: Argument | Steps | Entries, left: Iterable[str], groups: Container[str]) -> Column:
        """Return the entries of a column that are wanted, of the parameters in `left` that it has."""
        keys = set(left).intersection(column.keys)
        if not keys:
            return column
        if len(column) > _LONGEST:
            name = " and ".join(sorted(keys))
            msg = f"{name} has {len(column):,} values, too many to select from; select by another parameter"
            raise PlanError(msg)
        return [entry for entry in column if self._wants(cells_of(entry), keys, groups)]  # type: ignore[return-value]

    def _wants(self, cells: Iterable[Cell], keys: set[str], groups: Container[str]) -> bool:
        """Tell whether the cells have a wanted value of every parameter in `keys`."""
        return keys <= {cell.key for cell in cells if self._is_wanted(cell, groups)}

    def _is_wanted(self, cell: Cell, groups: Container[str]) -> bool:
        if cell.key in groups:
            return unquote(cell.value) in self.named.get(cell.key, ())
        return meaning(cell.value) in self.wanted.get(cell.key, ())

    def nothing(self, known: Iterable[str], total: int) -> PlanError:
        """Return the error for a selection that leaves nothing of `total` combinations."""
        names = list(dict.fromkeys(known))
        for key in self.wanted:
            if key not in names:
                close = nearest(key, names) or f"; the parameters are {', '.join(names[:_SHOWN])}"
                return PlanError(f"the selection {self.text!r}: no parameter {key!r}{close}")
        return PlanError(f"the selection {self.text!r} leaves none of {total:,} combinations")
