"""A column of numbers for a person to compare: four significant digits, one notation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["significant"]

_DIGITS = 4


def significant(values: Sequence[float | None]) -> list[str]:
    """Return each number with four significant digits, None as an empty text.

    Trailing zeros stay, so that numbers of one size line up (``0.9800`` under ``0.9861``), unless all
    are whole numbers of at most four digits.
    """
    present = [value for value in values if value is not None and math.isfinite(value)]
    whole = all(value == int(value) and abs(value) < 10**_DIGITS for value in present)
    return ["" if value is None else _text(value, whole=whole) for value in values]


def _text(value: float, *, whole: bool) -> str:
    if not math.isfinite(value):
        return str(value)
    if whole:
        return str(int(value))
    mantissa, e, exponent = f"{value:#.{_DIGITS}g}".partition("e")
    return mantissa.removesuffix(".") + e + exponent
