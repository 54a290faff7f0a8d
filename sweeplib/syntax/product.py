"""A product of columns that may be too long to hold.

`itertools.product` copies every column before it begins, which is right for a hundred values and
wrong for a range of 10**9. Here only columns up to `HELD` entries are copied; a longer one is
walked anew for each row of the columns before it.
"""

from __future__ import annotations

import itertools
from math import prod
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["HELD", "Column", "product"]

HELD = 4096
"""The length up to which a column is held in memory."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Column(Protocol[T_co]):
    """Knows its length, and can be walked as often as wanted."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[T_co]: ...


def product(columns: Sequence[Column[T]]) -> Iterator[tuple[T, ...]]:
    """Return the rows of the product of the columns, last column fastest; no column makes one empty row."""
    long = next((i for i in reversed(range(len(columns))) if len(columns[i]) > HELD), None)
    return itertools.product(*columns) if long is None else _walk(columns, long)


def _walk(columns: Sequence[Column[T]], long: int) -> Iterator[tuple[T, ...]]:
    """Yield the product of columns of which that at `long` is the last that is not to be copied."""
    after = columns[long + 1 :]
    held = list(itertools.product(*after)) if prod(map(len, after)) <= HELD else None
    for head in product(columns[:long]):
        for entry in columns[long]:
            row = (*head, entry)
            for rest in itertools.product(*after) if held is None else held:
                yield row + rest
