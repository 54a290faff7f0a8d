"""Random draws that are the same on every machine and every day: ``~loguniform(1e-4,1e-1)``.

The draw with number i of a parameter depends on the seed, on the parameter's name and on i alone: not on
how many draws there are, nor on what else is swept. So more draws, or another parameter, leave what was
drawn as it is, and any draw is made without those before it.

Bits come from BLAKE2b; a draw from a continuous distribution is its quantile function at a fraction made of
52 of them, written with 8 significant digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeplib.syntax.values import Indexed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["DISTRIBUTIONS", "Drawing", "Drawn", "bits", "below"]

BITS = 128
_FRACTION = 52  # bits; one fewer than a floating-point number has, which would make 1 of the last fraction


def bits(seed: int, name: str, index: int) -> int:
    """Return 128 random bits, the same for the same seed, name and index.

    >>> bits(0, "lr", 0) == bits(0, "lr", 0) != bits(0, "lr", 1)
    True
    """
    from hashlib import blake2b  # loads OpenSSL, and most sweeps draw nothing

    text = f"{seed}:{index}:{name}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=BITS // 8).digest(), "big")


def below(limit: int, drawn: int) -> int:
    """Return the whole number from 0 to before `limit` that the bits `drawn` stand for."""
    return drawn * limit >> BITS


def _fraction(drawn: int) -> float:
    """Return a number between 0 and 1, and neither of them."""
    return ((drawn >> (BITS - _FRACTION)) + 0.5) / (1 << _FRACTION)


def _uniform(low: float, high: float, drawn: int) -> float:
    return low + (high - low) * _fraction(drawn)


def _loguniform(low: float, high: float, drawn: int) -> float:
    return math.exp(_uniform(math.log(low), math.log(high), drawn))


def _normal(mean: float, deviation: float, drawn: int) -> float:
    from statistics import NormalDist  # takes some milliseconds to import

    return NormalDist(mean, deviation).inv_cdf(_fraction(drawn))


def _lognormal(mean: float, deviation: float, drawn: int) -> float:
    return math.exp(_normal(mean, deviation, drawn))


DISTRIBUTIONS: dict[str, Callable[[float, float, int], float]] = {
    "uniform": _uniform,
    "loguniform": _loguniform,
    "normal": _normal,
    "lognormal": _lognormal,
}
"""The continuous distributions of two parameters, as functions of random bits."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How many draws there are of every random parameter of a set, and the seed of them all."""

    count: int
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Drawn(Indexed[str]):
    """The draws of the parameter `name`, made by `make` of random bits."""

    name: str
    drawing: Drawing
    make: Callable[[int], str]

    def __len__(self) -> int:
        return self.drawing.count

    def at(self, index: int) -> str:
        """Return the draw with this number."""
        return self.make(bits(self.drawing.seed, self.name, index))

    def __iter__(self) -> Iterator[str]:
        return map(self.at, range(len(self)))


def continuous(distribution: str, first: float, second: float) -> Callable[[int], str]:
    """Return what makes a draw from a continuous distribution."""
    quantile = DISTRIBUTIONS[distribution]
    return lambda drawn: f"{quantile(first, second, drawn):.8g}"


def whole(low: int, high: int) -> Callable[[int], str]:
    """Return what draws a whole number from `low` to `high`, both included."""
    return lambda drawn: str(low + below(high - low + 1, drawn))


def choice(values: Sequence[str]) -> Callable[[int], str]:
    """Return what draws one of the values."""
    return lambda drawn: values[below(len(values), drawn)]
