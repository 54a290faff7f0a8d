"""Units of an execution policy: durations, multiples of an expected time, and limits on failures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from sweeplib.errors import InputError

__all__ = ["FailureLimit", "Multiple", "parse_duration"]

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = "".join(rf"(?:(?P<{unit}>[0-9]+(?:\.[0-9]+)?){unit})?" for unit in _UNITS)
_PLAIN = r"[0-9]+(?:\.[0-9]+)?"
_PERCENT = r"([0-9]{1,3}(?:\.[0-9]{1,9})?)%"
_MULTIPLE = r"([0-9]{1,6}(?:\.[0-9]{1,6})?)x"
_LONGEST = 10_000 * _UNITS["d"]


def parse_duration(value: object) -> float:
    """Return a duration in seconds.

    `value` is a number of seconds or a text::

        duration = number                                    seconds
                 | [number "d"] [number "h"] [number "m"] [number "s"]     at least one, in this order

    Raises `InputError` for anything else, and beyond 10,000 days.
    """
    seconds = _seconds(value)
    if seconds is None:
        shown = value if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
        shown = f"{str(shown)!r} is" if shown is not None else "this is"
        raise InputError(f"{shown} not a duration; write seconds (90) or, with units, 10s, 5m, 1h30m, 1d")
    if seconds > _LONGEST:
        raise InputError(f"{str(value)!r} is too long a duration; 10000d is the longest")
    return seconds


def _seconds(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = f"{value:f}" if isinstance(value, float) else str(value)
    if not isinstance(value, str):
        return None
    value = value.strip()
    if re.fullmatch(_PLAIN, value):
        return float(value)
    found = re.fullmatch(_DURATION, value)
    if not value or not found:
        return None
    return float(sum(Decimal(found[unit]) * size for unit, size in _UNITS.items() if found[unit]))


@dataclass(frozen=True, slots=True)
class Multiple:
    """A time relative to the one that a combination is expected to take: `factor` times that, above 1."""

    factor: Decimal

    @classmethod
    def parse(cls, text: str) -> Multiple:
        """Return the multiple that a text says: a number and an ``x``, as in ``3x`` and ``2.5x``.

        Raises `InputError` for anything else, and for what is not above 1: every other command takes longer
        than expected.
        """
        found = re.fullmatch(_MULTIPLE, text.strip())
        if not found:
            raise InputError(
                f"{text!r} is not a multiple of the expected time; write a number and an x, as in 3x or 2.5x"
            )
        if Decimal(found[1]) <= 1:
            raise InputError(f"must be more than 1x the expected time, such as 3x, not {text.strip()!r}")
        return cls(Decimal(found[1]))

    def of(self, seconds: float) -> float:
        """Return so many times a number of seconds."""
        return float(self.factor) * seconds

    def written(self) -> str:
        """Return the multiple as it is written in a job file."""
        return str(self)

    def __str__(self) -> str:
        """Return the factor and an ``x``."""
        return f"{self.factor}x"


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """How many combinations of a sweep may fail before no more are started.

    `value` is a count, or a percentage of the plan if `relative`.
    """

    value: Decimal
    relative: bool = False

    @classmethod
    def parse(cls, value: object) -> FailureLimit:
        """Return the limit that `value` says: a count (``5``) or a percentage (``'10%'``).

        Raises `InputError` for anything else.
        """
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return cls(Decimal(value))
        text = value.strip() if isinstance(value, str) else ""
        if text.isascii() and text.isdigit():
            return cls(Decimal(text))
        found = re.fullmatch(_PERCENT, text)
        if found and Decimal(found[1]) <= 100:
            return cls(Decimal(found[1]), relative=True)
        shown = f"{str(value)!r} is" if isinstance(value, (str, int, float)) else "this is"
        raise InputError(
            f"{shown} not a limit on failures; write a count (5) or a percentage from 0% to 100% (10%)"
        )

    def limit(self, total: int) -> int:
        """Return how many of `total` combinations may fail; a percentage is rounded down."""
        return int(total * self.value // 100) if self.relative else int(self.value)

    def written(self) -> str:
        """Return the limit as it is written in a job file."""
        return str(self)

    def __str__(self) -> str:
        """Return the count, or the percentage with its sign."""
        return f"{self.value}%" if self.relative else str(self.value)
