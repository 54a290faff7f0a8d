"""Ranges and suffixed numbers: ``1:3``, ``0:0.3:0.1``, ``3:1:-1``, ``1:3:k``, ``4:M``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sweeplib.syntax.numbers import Scaled, is_integer, is_number, scaled, suffix
from sweeplib.syntax.values import Range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweeplib.syntax.numbers import Suffix
    from sweeplib.syntax.splitting import Piece

__all__ = ["is_range", "parse_range"]

_QUOTE = "put the value in quotes to mean the text"
_LONGEST = 1000  # characters of a number: within what Python converts between text and integers
_ZERO = Scaled(0, 0, 0, 0)
_ONE = Scaled(1, 0, 0, 0)
_NAMES = (
    "a number as the range's start",
    "a number as the range's stop",
    "a number as the range's step, or a suffix (f p n u m k M G T, or e and an exponent)",
)


def is_range(text: str) -> bool:
    """Tell whether `text` is meant as a range: it has a colon, and nothing or a number before the first."""
    first, colon, _ = text.partition(":")
    return bool(colon) and (not first or is_number(first))


def parse_range(piece: Piece) -> Sequence[str]:
    """Read ``range = [ number ] ":" number [ ":" number ] [ ":" suffix ] | number ":" suffix``.

    The numbers are start (left out: 0), stop, which is included, and step (left out: 1).
    """
    *parts, last = _colons(piece)
    ending = suffix(last.text)
    if ending is None:
        parts.append(last)
    if len(parts) == 1 and ending is not None:
        _number(parts[0], "a number before the suffix")
        return (ending.after(parts[0].text),)
    if len(parts) > len(_NAMES):
        raise parts[len(_NAMES)].error(f"expected start:stop[:step][:suffix] and no more; {_QUOTE}")
    start = _number(parts[0], _NAMES[0]) if parts[0].text else _ZERO
    others = [_number(part, name) for part, name in zip(parts[1:], _NAMES[1:], strict=False)]
    return _between(piece, parts, [start, *others], ending)


def _colons(piece: Piece) -> list[Piece]:
    pieces, start = [], 0
    for text in piece.text.split(":"):
        pieces.append(piece.cut(start, start + len(text)))
        start += len(text) + 1
    return pieces


def _number(piece: Piece, name: str) -> Scaled:
    """Read ``number = [ sign ] ( digits [ "." [ digits ] ] | "." digits ) [ "e" [ sign ] digits ]``.

    `name` says for messages which number it is.
    """
    if len(piece.text) > _LONGEST:
        raise piece.error(f"expected a number of at most {_LONGEST:,} characters; {_QUOTE}")
    found = scaled(piece.text)
    if found is None and is_number(piece.text):
        value, letter = piece.text[:-1], piece.text[-1]
        raise piece.error(
            f"expected {name}, and a suffix at the range's end, after a colon ({value}:{letter})"
        )
    if found is None:
        raise piece.error(f"expected {name}; {_QUOTE}")
    return found


def _between(piece: Piece, parts: list[Piece], numbers: list[Scaled], ending: Suffix | None) -> Range:
    """Return the range from start to stop; `parts` are for the messages."""
    start, stop, step = numbers if len(numbers) == len(_NAMES) else (*numbers, _ONE)
    exponent = min(start.exponent, stop.exponent, step.exponent)
    first, end, stride = start.at(exponent), stop.at(exponent), step.at(exponent)
    if stride == 0:
        raise parts[2].error(f"expected a step other than 0; {_QUOTE}")
    size = (end - first) // stride + 1
    if size < 1:
        least, sign = ("least", "negative") if stride > 0 else ("most", "positive")
        given = parts[0].text or "0"
        raise parts[1].error(f"expected a stop of at {least} {given}, or a {sign} step; {_QUOTE}")
    if size > sys.maxsize:
        raise piece.error(f"expected at most {sys.maxsize:,} values")
    integers = all(is_integer(part.text) for part in parts if part.text)
    ends = [first + i * stride for i in (0, 1, size - 2, size - 1) if 0 <= i < size]
    precision = 0 if integers else _precision(numbers, ends)
    return Range(first, stride, size, exponent, precision, ending.exponent if ending else "")


def _precision(numbers: list[Scaled], ends: list[int]) -> int:
    """Return how many significant digits the numbers of a range are written with.

    They are HydraFlow's: as many as were written before and after a point, unless a number of the
    range has more. Such a one is among the first two or the last two, the `ends`: if those have
    none, start and step are multiples of the power of ten that rounding would go to.
    """
    written = max(number.whole_digits for number in numbers) + max(
        number.fraction_digits for number in numbers
    )
    if all(len(str(abs(units)).rstrip("0")) <= written for units in ends):
        return written
    return max(len(str(abs(units))) for units in ends)
