"""Timeouts that are multiples of the time that a combination is expected to take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeplib.jobs import Multiple

if TYPE_CHECKING:
    from sweeplib.forecast import Expected

__all__ = ["LEAST", "timeout_of", "words"]

LEAST = 10.0
"""Seconds that a command has in any case: a busy machine makes short ones take many times as long."""


def timeout_of(said: float | Multiple | None, expected: Expected | None) -> tuple[float | None, str]:
    """Return a combination's timeout in seconds, None for none, and in words what it comes from.

    A multiple of what is not known is none, and so is one of what is guessed, as a parameter has a value that
    no earlier attempt had.
    """
    if not isinstance(said, Multiple):
        return said, ""
    if expected is None or not expected.known:
        return None, ""
    seconds = float(f"{said.of(expected.seconds):.3g}")
    text = f"{said} the expected {expected.seconds:.3g} s"
    return max(seconds, LEAST), text if seconds >= LEAST else f"{text}, but at least {LEAST:g} s"


def words(said: float | Multiple | None, basis: int) -> str:
    """Return what there is to say about the timeouts of a sweep whose forecast rests on `basis` attempts."""
    if not isinstance(said, Multiple):
        return ""
    if not basis:
        return f"timeout {said}: nothing is known yet of how long the commands take, so they have no timeout"
    return (
        f"timeout {said}: of the expected time, by {basis:,} earlier attempts, and at least {LEAST:g} s; "
        "combinations with a value that none of those had have no timeout"
    )
