"""ULIDs: identifiers of 26 characters that sort by the time they were made.

Layout and alphabet are the ULID specification's: 48 bits of milliseconds since 1970, then 80 random bits,
written in Crockford's base 32. The library for this costs more to import than a dry run's own code.
"""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ulid", "ulids"]

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26
_COUNTED = 4  # last digits that are counted without a number being written anew


def ulid() -> str:
    """Return a ULID drawn at random."""
    return _written(_drawn(), _LENGTH)


def ulids() -> Iterator[str]:
    """Yield ULIDs without end, each larger than the one before.

    The first is drawn at random, and the others count up from it, as the specification's monotonic
    mode has it: drawing one costs more than a combination.
    """
    for high in itertools.count(_drawn() >> 5 * _COUNTED):
        head = _written(high, _LENGTH - _COUNTED)
        for tail in itertools.product(_ALPHABET, repeat=_COUNTED):
            yield head + "".join(tail)


def _drawn() -> int:
    return int.from_bytes((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10), "big")


def _written(number: int, length: int) -> str:
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (length - 1), -1, -5))
