"""Cells and arguments: a parameter with one value, and the lazy sequence of those it sweeps over."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, repeat
from typing import TYPE_CHECKING, NamedTuple

from sweeplib.syntax.values import Indexed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Argument", "Cell", "Entries", "Steps", "cells_of"]


class Cell(NamedTuple):
    """A parameter and one value for it, as Hydra reads it: with the quotes that it was written with."""

    key: str
    value: str


def cells_of(entry: Cell | tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Return the cells of a column's entry, which may be one."""
    return (entry,) if isinstance(entry, Cell) else entry


@dataclass(frozen=True, slots=True)
class Argument(Indexed[Cell]):
    """What one argument of `each` sweeps over: a lazy sequence of cells.

    `len()` and access by index cost the same for ten values and for 10**9. There is one alternative,
    unless the argument has pipes: then there is one a part, with a single, joined value. `drawn` says that
    the values are draws from a distribution.
    """

    alternatives: tuple[tuple[str, Sequence[str]], ...]
    ends: tuple[int, ...]
    drawn: bool = False

    @classmethod
    def of(cls, alternatives: Sequence[tuple[str, Sequence[str]]], *, drawn: bool = False) -> Argument:
        """Return the argument that has these parameters, each with its values."""
        return cls(tuple(alternatives), tuple(accumulate(len(values) for _, values in alternatives)), drawn)

    @property
    def keys(self) -> tuple[str, ...]:
        """The parameters of the cells, each once, in order."""
        return tuple(dict.fromkeys(key for key, _ in self.alternatives))

    def __len__(self) -> int:
        return self.ends[-1]

    def at(self, index: int) -> Cell:
        """Return the cell at `index`."""
        number = bisect_right(self.ends, index)
        key, values = self.alternatives[number]
        return Cell(key, values[index - (self.ends[number - 1] if number else 0)])

    def __iter__(self) -> Iterator[Cell]:
        for key, values in self.alternatives:
            yield from map(Cell, repeat(key), values)


@dataclass(frozen=True, slots=True)
class Steps(Indexed["tuple[Cell, ...]"]):
    """Arguments of the same length that go in step: at an index, the cells that all of them have there."""

    arguments: tuple[Argument, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The parameters of the cells, each once, in order."""
        return tuple(dict.fromkeys(key for argument in self.arguments for key in argument.keys))

    def __len__(self) -> int:
        return len(self.arguments[0])

    def at(self, index: int) -> tuple[Cell, ...]:
        """Return the cells at `index`."""
        return tuple(argument.at(index) for argument in self.arguments)

    def __iter__(self) -> Iterator[tuple[Cell, ...]]:
        return zip(*self.arguments, strict=True)


@dataclass(frozen=True, slots=True)
class Entries(Indexed["tuple[Cell, ...]"]):
    """Cells that belong together, written out: at an index, those of one entry."""

    rows: tuple[tuple[Cell, ...], ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The parameters of the cells, each once, in order; an entry need not have all of them."""
        return tuple(dict.fromkeys(cell.key for row in self.rows for cell in row))

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, index: int) -> tuple[Cell, ...]:
        """Return the cells at `index`."""
        return self.rows[index]

    def __iter__(self) -> Iterator[tuple[Cell, ...]]:
        return iter(self.rows)
