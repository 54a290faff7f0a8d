"""How long a sweep goes on: what is left, at the pace so far."""

from __future__ import annotations

__all__ = ["time_left"]


def time_left(ended: int, left: int, seconds: float) -> float | None:
    """Return the seconds that `left` combinations take if `ended` of them took `seconds`; of none: None."""
    return seconds / ended * left if ended else None
