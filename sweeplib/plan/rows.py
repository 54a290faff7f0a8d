"""A product of columns that may be too long to hold.

`itertools.product` copies every column before it begins, which is right for a hundred values and
wrong for a range of 10**9. Here only columns up to `HELD` entries are copied; a longer one is walked
anew for each entry of the columns before it.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["HELD", "Column", "rows"]

HELD = 4096
"""The length up to which a column is held in memory."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Column(Protocol[T_co]):
    """Knows its length, and can be walked as often as wanted."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[T_co]: ...


def rows(columns: Sequence[Column[T]]) -> Iterator[tuple[T, ...]]:
    """Yield the product of the columns, last column fastest."""
    long = next((i for i in reversed(range(len(columns))) if len(columns[i]) > HELD), None)
    if long is None:
        yield from product(*columns)
        return
    tail = list(product(*columns[long + 1 :])) if _count(columns[long + 1 :]) <= HELD else None
    for head in rows(columns[:long]):
        for entry in columns[long]:
            start = (*head, entry)
            for rest in tail if tail is not None else product(*columns[long + 1 :]):
                yield start + rest


def _count(columns: Sequence[Column[object]]) -> int:
    count = 1
    for column in columns:
        count *= len(column)
    return count
