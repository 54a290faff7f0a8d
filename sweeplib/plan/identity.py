"""Identity by meaning: what makes two commands the same combination.

A key is the BLAKE2b hash (128 bits, 32 hexadecimal digits) of

    the kind of command, its words, the extra arguments, the style, the `add` arguments,
    and the set of (parameter, meaning of its value)

where a value that is a number means that number (``1m``, ``1e-3`` and ``0.001`` are one), a list
of values joined by commas means the list of their meanings, and any other value means its text.
Neither the order of parameters nor anything generated at run time takes part.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from sweeplib.syntax import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from sweeplib.syntax import Cell

__all__ = ["KEY_LENGTH", "digest", "field", "meaning", "prefix"]

KEY_LENGTH = 32
"""Hexadecimal digits in a key."""

_PROTECTED = frozenset("'\"[]{}()")


def field(*texts: str) -> str:
    """Join texts so that no two different lists of texts give the same result."""
    return "".join(f"{len(text)}:{text}," for text in texts)


@lru_cache(maxsize=65536)
def meaning(value: str) -> str:
    """Return a text that is the same for two values exactly if they mean the same."""
    if "," in value and not _PROTECTED.intersection(value):
        return "l" + field(*map(meaning, value.split(",")))
    found = number(value)
    if found is None or not found.is_finite():
        return "t" + value
    return "n" + _exact(found)


def _exact(value: Decimal) -> str:
    """Write a number without exponent and trailing zeros; `normalize` would round it to 28 digits."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def prefix(
    kind: str, words: Sequence[str], arguments: Sequence[str], style: str, add: Sequence[str]
) -> bytes:
    """Return the part of the hashed text that all combinations of one set share."""
    return field(kind, field(*words), field(*arguments), style, field(*sorted(add))).encode()


def digest(head: bytes, cells: Iterable[Cell]) -> str:
    """Return the key of the combination with these cells."""
    body = sorted([field(cell.key, meaning(cell.value)) for cell in cells])
    return blake2b(head + "".join(body).encode(), digest_size=KEY_LENGTH // 2).hexdigest()
