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
from sweeplib.syntax import parse_each

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweeplib.syntax import Argument, Cell

__all__ = ["Selection"]

_LONGEST = 1_000_000
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Selection:
    """The meanings of the wanted values, by parameter."""

    text: str
    wanted: Mapping[str, frozenset[str]]

    @classmethod
    def read(cls, text: str) -> Selection:
        """Return the selection that a text says; raises `SweepSyntaxError` if it cannot be read."""
        wanted: dict[str, set[str]] = {}
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
        return cls(text, {key: frozenset(values) for key, values in wanted.items()})

    def of(self, columns: Sequence[Argument], constant: Sequence[Cell]) -> tuple[Sequence[Cell], ...] | None:
        """Return the columns with the wanted cells alone; None if a parameter has no wanted value."""
        left = set(self.wanted)
        for cell in constant:
            if cell.key in left:
                if meaning(cell.value) not in self.wanted[cell.key]:
                    return None
                left.discard(cell.key)
        chosen: list[Sequence[Cell]] = []
        for column in columns:
            keys = left.intersection(column.keys)
            cells = self._of(column, keys) if keys else column
            if not cells:
                return None
            left -= keys
            chosen.append(cells)
        return None if left else tuple(chosen)

    def _of(self, column: Argument, keys: set[str]) -> Sequence[Cell]:
        if len(column) > _LONGEST:
            name = " and ".join(sorted(keys))
            msg = f"{name} has {len(column):,} values, too many to select from; select by another parameter"
            raise PlanError(msg)
        return [cell for cell in column if cell.key in keys and meaning(cell.value) in self.wanted[cell.key]]

    def nothing(self, known: Iterable[str], total: int) -> PlanError:
        """Return the error for a selection that leaves nothing of `total` combinations."""
        names = list(dict.fromkeys(known))
        for key in self.wanted:
            if key not in names:
                close = nearest(key, names) or f"; the parameters are {', '.join(names[:_SHOWN])}"
                return PlanError(f"the selection {self.text!r}: no parameter {key!r}{close}")
        return PlanError(f"the selection {self.text!r} leaves none of {total:,} combinations")
