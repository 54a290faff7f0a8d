"""Durations for a person to read."""

from __future__ import annotations

__all__ = ["ago", "humanise"]


def humanise(seconds: float) -> str:
    """Return a duration in its two largest units: ``0.04 s``, ``12.3 s``, ``4m 05s``, ``2h 03m``, ``1d 02h``.

    `seconds` below 0, as from a clock that was set back, count as 0.
    """
    seconds = max(0.0, seconds)
    if round(seconds, 2) < 1:
        return f"{seconds:.2f} s"
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02}s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours < 24:
        return f"{hours}h {minutes:02}m"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days}d {hours:02}h"


_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def ago(seconds: float) -> str:
    """Return how long ago something was, in one unit: ``12 seconds ago``, ``2 hours ago``, ``just now``."""
    for size, name in _UNITS:
        count = int(seconds // size)
        if count >= 1:
            return f"{count:,} {name}{'s' if count > 1 else ''} ago"
    return "just now"
