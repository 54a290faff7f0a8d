"""Values where there is little room: some share a place, and each place has a short label of its own."""

from __future__ import annotations

import math
from itertools import count
from typing import TYPE_CHECKING

from sweeplib.report.table import printable
from sweeplib.syntax import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["labels_of", "places_of"]

_LABEL = 24  # characters of a place's label, but for the number of one that would look like another
_TO = " … "
_DIGITS = range(3, 18)  # of numbers that share a place


def places_of(texts: Sequence[str], most: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the labels of at most so many places, and the place of each of different values.

    Where there are more values, neighbours share a place, and numbers are rounded as far as the ends of
    places can still be told apart.
    """
    share = max(1, -(-len(texts) // most))
    if share == 1:
        return tuple(labels_of(texts, _LABEL)), tuple(range(len(texts)))
    groups = [texts[start : start + share] for start in range(0, len(texts), share)]
    ends = iter(_rounded([end for group in groups for end in dict.fromkeys((group[0], group[-1]))]))
    room = (_LABEL - len(_TO)) // 2
    labels = [_TO.join(_cut(next(ends), room) for _ in range(min(2, len(group)))) for group in groups]
    return tuple(_distinct(labels)), tuple(place // share for place in range(len(texts)))


def labels_of(texts: Sequence[str], most: int) -> list[str]:
    """Return a label of about so many characters for each of different texts, none like another."""
    return list(_distinct([_cut(text, most) for text in texts]))


def _cut(text: str, most: int) -> str:
    """Return both ends of a text that is longer than that: it may be a path."""
    text = printable(text)
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return f"{text[: most - 1 - tail]}…{text[-tail:]}"


def _distinct(labels: Sequence[str]) -> Iterator[str]:
    """Yield the labels, with a number behind each that looks like one before."""
    taken, seen = set(labels), set[str]()
    numbers: dict[str, Iterator[int]] = {}
    for label in labels:
        shown = label
        if label in seen:
            more = (f"{label} ({nth})" for nth in numbers.setdefault(label, count(2)))
            shown = next(each for each in more if each not in taken)
            taken.add(shown)
        seen.add(label)
        yield shown


def _rounded(texts: Sequence[str]) -> Sequence[str]:
    """Return the numbers among some different values with as few digits as tell them apart."""
    for digits in _DIGITS:
        rounded = [_with_digits(text, digits) for text in texts]
        if len(set(rounded)) == len(texts):
            return rounded
    return texts


def _with_digits(text: str, digits: int) -> str:
    exact = number(text)
    if exact is None:
        return text
    value = float(exact)
    return f"{value:.{digits}g}" if math.isfinite(value) and (value or not exact) else text
