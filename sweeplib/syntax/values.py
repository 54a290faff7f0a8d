"""Lazy sequences of values: what a list, a range or parentheses stand for, read by arithmetic.

Every one knows its length and its i-th value without making the others, and walks in the same
order. None is longer than a Python sequence can be: the parser sees to that before it makes one.
"""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, groupby
from typing import ClassVar, TypeVar, overload

from sweeplib.syntax.numbers import Suffix, fixed, general, is_number
from sweeplib.syntax.product import product

__all__ = ["Chain", "Indexed", "Joined", "Product", "Range", "Suffixed", "are_numbers"]

T_co = TypeVar("T_co", covariant=True)
CHECKED = 100_000
"""How many values made of parentheses are looked at one by one, to tell whether all are numbers."""


class Indexed(Sequence[T_co]):
    """A sequence whose entries are computed; a slice of it is a list.

    `numeric` says that all entries are numbers, without a look at them.
    """

    __slots__ = ()
    numeric: ClassVar[bool] = False

    @abstractmethod
    def at(self, index: int) -> T_co:
        """Return the entry at `index`, which is at least 0 and below the length."""

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> list[T_co]: ...
    def __getitem__(self, index: int | slice) -> T_co | list[T_co]:
        try:
            found = range(len(self))[index]
        except IndexError:
            msg = f"index {index} is out of range for {len(self):,} entries"
            raise IndexError(msg) from None
        return [self.at(i) for i in found] if isinstance(found, range) else self.at(found)

    @abstractmethod
    def __iter__(self) -> Iterator[T_co]: ...


@dataclass(frozen=True, slots=True)
class Range(Indexed[str]):
    """The numbers ``(first + i * step) * 10**exponent`` for i from 0 to ``size - 1``, as text.

    Written like ``%.<precision>g``, or in fixed notation with `suffix` after every number but zero.
    A `precision` of 0 marks integers, which are written as such.
    """

    first: int
    step: int
    size: int
    exponent: int
    precision: int
    suffix: str = ""
    numeric: ClassVar[bool] = True

    def __len__(self) -> int:
        return self.size

    def at(self, index: int) -> str:
        """Return the number at `index`."""
        return self._text(self.first + index * self.step)

    def __iter__(self) -> Iterator[str]:
        units = range(self.first, self.first + self.size * self.step, self.step)
        return map(self._text if self.suffix or self.precision else str, units)

    def _text(self, units: int) -> str:
        if self.suffix and units:
            return fixed(units, self.exponent) + self.suffix
        return general(units, self.exponent, self.precision) if self.precision else str(units)


@dataclass(frozen=True, slots=True)
class Chain(Indexed[str]):
    """The values of `parts`, one part after the other; `ends` are their lengths added up."""

    parts: tuple[Sequence[str], ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, parts: Sequence[Sequence[str]]) -> Sequence[str]:
        """Return the shortest form of the parts one after the other: neighbouring tuples become one."""
        merged: list[Sequence[str]] = []
        for plain, group in groupby(parts, key=lambda part: isinstance(part, tuple)):
            alike = list(group)
            merged.extend([tuple(chain.from_iterable(alike))] if plain else alike)
        return merged[0] if len(merged) == 1 else cls(tuple(merged), tuple(accumulate(map(len, merged))))

    def __len__(self) -> int:
        return self.ends[-1]

    def at(self, index: int) -> str:
        """Return the value at `index`, found by bisection."""
        number = bisect_right(self.ends, index)
        return self.parts[number][index - (self.ends[number - 1] if number else 0)]

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self.parts)


@dataclass(frozen=True, slots=True)
class Product(Indexed[str]):
    """One value of each of `parts`, joined; the first part is the fastest, as HydraFlow has it."""

    parts: tuple[Sequence[str], ...]
    size: int

    def __len__(self) -> int:
        return self.size

    def at(self, index: int) -> str:
        """Return the value at `index`, found by division."""
        texts = []
        for part in self.parts:
            index, place = divmod(index, len(part))
            texts.append(part[place])
        return "".join(texts)

    def __iter__(self) -> Iterator[str]:
        for row in product(self.parts[::-1]):
            yield "".join(row[::-1])


@dataclass(frozen=True, slots=True)
class Suffixed(Indexed[str]):
    """`values`, each with a suffix."""

    values: Sequence[str]
    suffix: Suffix

    def __len__(self) -> int:
        return len(self.values)

    def at(self, index: int) -> str:
        """Return the value at `index` with its suffix."""
        return self.suffix.after(self.values[index])

    def __iter__(self) -> Iterator[str]:
        return map(self.suffix.after, self.values)


@dataclass(frozen=True, slots=True)
class Joined(Indexed[str]):
    """All of `values` as one value, joined by commas when it is read."""

    values: Sequence[str]

    def __len__(self) -> int:
        return 1

    def at(self, index: int) -> str:  # noqa: ARG002 - there is only index 0
        """Return the one value."""
        return ",".join(self.values)

    def __iter__(self) -> Iterator[str]:
        yield ",".join(self.values)


def are_numbers(values: Sequence[str]) -> bool:
    """Tell whether every value is a number; False also for parentheses of more than `CHECKED`."""
    if isinstance(values, Indexed) and values.numeric:
        return True
    if isinstance(values, Chain):
        return all(map(are_numbers, values.parts))
    if isinstance(values, Suffixed):
        return are_numbers(values.values)
    if isinstance(values, Product) and len(values) > CHECKED:
        return False
    return all(map(is_number, values))
