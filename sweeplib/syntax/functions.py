"""Functions in sweep text: ``~linspace(0,1,5)`` makes numbers, ``~uniform(0,1)`` draws them.

    function = "~" name "(" argument { "," argument } ")"

| function | values |
| --- | --- |
| ``~linspace(first,last,count)`` | `count` numbers, evenly spaced, both ends included |
| ``~logspace(first,last,count)`` | powers of ten, the exponents evenly spaced |
| ``~geomspace(first,last,count)`` | numbers in a constant ratio |
| ``~uniform(low,high)`` | draws between the two |
| ``~loguniform(low,high)`` | draws whose logarithm is uniform |
| ``~normal(mean,deviation)`` | draws from a normal distribution |
| ``~lognormal(mean,deviation)`` | draws whose logarithm is normal |
| ``~randint(low,high)`` | draws of whole numbers, both ends included |
| ``~choice(value,value…)`` | draws of one of the values |

What is drawn is one value a draw, so a distribution stands alone after the ``=``; how many draws there are is
said once for a set, as all random parameters of a draw belong together.
"""

from __future__ import annotations

import math
import re
import sys
from typing import TYPE_CHECKING

from sweeplib.errors import nearest
from sweeplib.syntax import draws
from sweeplib.syntax.numbers import is_integer, number
from sweeplib.syntax.spaced import SPACES, Spaced
from sweeplib.syntax.splitting import marks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from sweeplib.syntax.draws import Drawing
    from sweeplib.syntax.splitting import Piece

__all__ = ["drawn", "is_distribution", "is_function", "spaced"]

_FUNCTION = re.compile(r"~([A-Za-z_]\w*)\(")
_QUOTE = "put the value in quotes to mean the text"
_ARGUMENTS = {
    **dict.fromkeys(SPACES, ("first", "last", "count")),
    **dict.fromkeys(("uniform", "loguniform", "randint"), ("low", "high")),
    **dict.fromkeys(("normal", "lognormal"), ("mean", "deviation")),
    "choice": ("value", "value…"),
}


def is_function(text: str) -> bool:
    """Tell whether `text` is meant as a function: it begins with a tilde, a name and a parenthesis."""
    return _FUNCTION.match(text) is not None


def is_distribution(text: str) -> bool:
    """Tell whether `text` is meant as draws."""
    found = _FUNCTION.match(text)
    return found is not None and found[1] in _ARGUMENTS and found[1] not in SPACES


def spaced(piece: Piece) -> Sequence[str]:
    """Read a function that makes numbers."""
    name, arguments = _call(piece)
    if name not in SPACES:
        raise piece.error(
            f"expected ~{name}(…) alone after the =, because a draw has one value of each parameter"
        )
    _hold_count(piece, name, arguments)
    *ends, size = arguments
    first, last = (_number(each, what) for each, what in zip(ends, _ARGUMENTS[name], strict=False))
    if not is_integer(size.text) or int(size.text) < 1:
        raise size.error("expected how many numbers to make, a whole number of 1 or more")
    if int(size.text) > sys.maxsize:
        raise size.error(f"expected at most {sys.maxsize:,} values")
    if name == "geomspace" and first * last <= 0:
        raise piece.error("expected two numbers above 0, or two below, for a constant ratio")
    if name == "logspace" and max(abs(first), abs(last)) > _HIGHEST:
        raise piece.error(f"expected exponents of 10 up to {_HIGHEST}; for numbers write ~geomspace")
    return Spaced(name, first, last, int(size.text))


_HIGHEST = 300


def drawn(piece: Piece, parameter: str, drawing: Drawing | None) -> Sequence[str]:
    """Read a distribution: the draws of `parameter`."""
    name, arguments = _call(piece)
    if drawing is None:
        raise piece.error("expected no random values here, for nothing says how many to draw")
    return draws.Drawn(parameter, drawing, _maker(piece, name, arguments))


def _maker(piece: Piece, name: str, arguments: list[Piece]) -> Callable[[int], str]:
    if name == "choice":
        return draws.choice([each.text for each in arguments])
    _hold_count(piece, name, arguments)
    first, second = (_number(each, what) for each, what in zip(arguments, _ARGUMENTS[name], strict=True))
    if name == "randint":
        for each, value in zip(arguments, (first, second), strict=True):
            if value != value.to_integral_value():
                raise each.error("expected a whole number")
    if name in ("normal", "lognormal"):
        if second <= 0:
            raise arguments[1].error("expected a deviation above 0")
    elif second < first or (second == first and name != "randint"):
        raise arguments[1].error(f"expected a number above {arguments[0].text}")
    if name == "loguniform" and first <= 0:
        raise arguments[0].error("expected a number above 0, of which there is a logarithm")
    if name == "randint":
        return draws.whole(int(first), int(second))
    make = draws.continuous(name, float(first), float(second))
    try:
        extremes = [float(make(bits)) for bits in (0, (1 << draws.BITS) - 1)]
    except (ValueError, ArithmeticError):
        extremes = [math.inf]
    if not all(map(math.isfinite, extremes)):
        raise piece.error("expected numbers of which every draw is one that a computer can hold")
    return make


def _call(piece: Piece) -> tuple[str, list[Piece]]:
    """Read the name and the arguments of a function."""
    found = _FUNCTION.match(piece.text)
    assert found is not None  # noqa: S101  (`is_function` has said so)
    name, end = found[1], found.end()
    if name not in _ARGUMENTS:
        close = nearest(name, _ARGUMENTS) or f"; the functions are {', '.join(_ARGUMENTS)}"
        raise piece.cut(1, end - 1).error(f"expected a function after the ~{close}; {_QUOTE}")
    closing = _closing(piece, end - 1)
    if closing != len(piece.text) - 1:
        raise piece.cut(closing + 1).error(f"expected nothing after a function; {_QUOTE}")
    arguments = [each.strip() for each in piece.cut(end, closing).split(",")]
    for each in arguments:
        if not each.text:
            raise each.error(f"expected {_signature(name)}")
    return name, arguments


def _closing(piece: Piece, opening: int) -> int:
    brackets = list(marks(piece.cut(opening), "()"))
    return opening + brackets[1]


def _hold_count(piece: Piece, name: str, arguments: list[Piece]) -> None:
    if len(arguments) != len(_ARGUMENTS[name]):
        raise piece.error(f"expected {_signature(name)}, not {len(arguments)} arguments")


def _signature(name: str) -> str:
    return f"~{name}({','.join(_ARGUMENTS[name])})"


def _number(piece: Piece, what: str) -> Decimal:
    found = number(piece.text)
    if found is None:
        raise piece.error(f"expected a number as the {what}")
    return found
