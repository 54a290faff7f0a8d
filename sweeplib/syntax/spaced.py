"""Numbers at even distances: ``~linspace(0,1,5)``, ``~logspace(-4,-1,4)``, ``~geomspace(1e-4,1e-1,4)``.

The three are NumPy's, by name and by arguments, with both ends included, computed in decimal: a number that
has up to 16 digits is written exactly, and another one is rounded to 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, ClassVar

from sweeplib.syntax.numbers import general
from sweeplib.syntax.values import Indexed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["SPACES", "Spaced", "rounded"]

_DIGITS = 16  # what a binary floating-point number can hold
_EXACT = Context(prec=50, rounding=ROUND_HALF_EVEN)
_ROUNDED = Context(prec=_DIGITS, rounding=ROUND_HALF_EVEN)


def rounded(value: Decimal) -> str:
    """Return the number as text with up to 16 significant digits.

    >>> rounded(Decimal(1) / 3), rounded(Decimal("0.50"))
    ('0.3333333333333333', '0.5')
    """
    sign, digits, exponent = _ROUNDED.plus(value).as_tuple()
    units = int("".join(map(str, digits)))
    return general(-units if sign else units, int(exponent), _DIGITS)


def _linear(first: Decimal, last: Decimal, part: int, parts: int) -> Decimal:
    whole = _EXACT.add(_EXACT.multiply(first, parts - part), _EXACT.multiply(last, part))
    return _EXACT.divide(whole, Decimal(parts))


def _logarithmic(first: Decimal, last: Decimal, part: int, parts: int) -> Decimal:
    return _EXACT.power(Decimal(10), _linear(first, last, part, parts))


def _geometric(first: Decimal, last: Decimal, part: int, parts: int) -> Decimal:
    ratio = _EXACT.divide(last, first)
    return _EXACT.multiply(first, _EXACT.power(ratio, _EXACT.divide(Decimal(part), Decimal(parts))))


SPACES: dict[str, Callable[[Decimal, Decimal, int, int], Decimal]] = {
    "linspace": _linear,
    "logspace": _logarithmic,
    "geomspace": _geometric,
}
"""For each function, the number that stands after `part` of `parts` of the way from the first to the last."""


@dataclass(frozen=True, slots=True)
class Spaced(Indexed[str]):
    """`size` numbers from `first` to `last`, spaced as the function `space` says."""

    space: str
    first: Decimal
    last: Decimal
    size: int
    numeric: ClassVar[bool] = True

    def __len__(self) -> int:
        return self.size

    def at(self, index: int) -> str:
        """Return the number at `index`."""
        return rounded(SPACES[self.space](self.first, self.last, index, max(1, self.size - 1)))

    def __iter__(self) -> Iterator[str]:
        return map(self.at, range(self.size))
