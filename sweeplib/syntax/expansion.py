"""The two sides of a set for a person: `expand` (each) and `collect` (all)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeplib.syntax.parser import parse_all, parse_each
from sweeplib.syntax.product import product

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sweeplib.syntax.cells import Argument

__all__ = ["collect", "expand"]


def expand(text: str | Sequence[str]) -> Iterator[list[str]]:
    """Return every combination that `text` stands for, as a list of ``key=value``, last parameter fastest.

    `text` is sweep text or a list of its arguments. Reads it at once, and makes the combinations as
    they are asked for. Raises `SweepSyntaxError`.

    >>> list(expand("model=small,large lr/m=1"))
    [['model=small', 'lr=1e-3'], ['model=large', 'lr=1e-3']]
    """
    return map(list, product([_Texts(argument) for argument in parse_each(text)]))


def collect(text: str | Sequence[str]) -> list[str]:
    """Return every parameter of `text` as ``key=value,value…``, all its values joined by commas.

    `text` is sweep text or a list of its arguments. Raises `SweepSyntaxError`.

    >>> collect("seed=1:3 lr=1:2:m")
    ['seed=1,2,3', 'lr=1e-3,2e-3']
    """
    return [f"{key}={value}" for key, value in parse_all(text)]


@dataclass(frozen=True, slots=True)
class _Texts:
    """The cells of an argument as they are written on a command line."""

    argument: Argument

    def __len__(self) -> int:
        return len(self.argument)

    def __iter__(self) -> Iterator[str]:
        for key, values in self.argument.alternatives:
            yield from map(f"{key}=".__add__, values)
