"""Expectations from numbers: found, compared with a limit, put into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.model import Expectation
from benchmarks.render import quantity

if TYPE_CHECKING:
    from benchmarks.model import Unit

__all__ = ["at_most", "factor_at_least", "factor_at_most"]

_UNKNOWN = "there is nothing to compare"


def at_most(case: str, text: str, value: float | None, limit: float, unit: Unit) -> Expectation:
    """Expect a value of at most `limit`."""
    text = f"{text}: at most {quantity(limit, unit)}"
    if value is None:
        return Expectation(case, text, _UNKNOWN, None)
    return Expectation(case, text, quantity(value, unit), value <= limit)


def factor_at_most(
    case: str, text: str, ours: float | None, theirs: float | None, limit: float, whose: str
) -> Expectation:
    """Expect `ours` to be at most `limit` times `theirs`."""
    text = f"{text}: at most {limit:g} times {whose}"
    if ours is None or not theirs:
        return Expectation(case, text, _UNKNOWN, None)
    return Expectation(case, text, f"{ours / theirs:.3g} times", ours <= limit * theirs)


def factor_at_least(
    case: str, text: str, ours: float | None, theirs: float | None, limit: float, whose: str
) -> Expectation:
    """Expect `ours` to be at least `limit` times `theirs`."""
    text = f"{text}: at least {'' if limit == 1 else f'{limit:g} times '}{whose}"
    if ours is None or not theirs:
        return Expectation(case, text, _UNKNOWN, None)
    return Expectation(case, text, f"{ours / theirs:.3g} times", ours >= limit * theirs)
