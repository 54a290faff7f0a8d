"""How long combinations ran: a histogram by outcome."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from sweeplib.report.duration import humanise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweeplib.report.results import Result

__all__ = ["Durations", "Spread", "durations_of"]

_BINS = 30
_DECADES = 1.5  # powers of ten, between the shortest and the longest, from which on bins grow
_SHORTEST = 1e-3  # seconds; what is shorter counts as that


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long the combinations of one outcome ran, in seconds, and how many of them in each bin."""

    outcome: str
    count: int
    shortest: float
    median: float
    longest: float
    total: float
    bins: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """A histogram: the `edges` of its bins, in seconds, of one width or (`log`) in one proportion."""

    edges: tuple[float, ...]
    log: bool
    spreads: tuple[Spread, ...]

    @property
    def texts(self) -> list[str]:
        """The edges for a person to read, each another text: with more digits where they are close."""
        texts = [humanise(edge) for edge in self.edges]
        digits = 2
        while len(set(texts)) < len(texts):
            # from a minute on, bins that grow are never so close
            texts = [
                humanise(edge) if self.log and edge >= 60 else _seconds(edge, digits) for edge in self.edges
            ]
            digits += 1
        return texts


def durations_of(results: Sequence[Result]) -> Durations | None:
    """Return the run times of what has ended, by outcome, the most frequent first; None if nothing has."""
    found: dict[str, list[float]] = {}
    for result in results:
        if result.outcome is not None and result.duration is not None:
            found.setdefault(result.outcome.value, []).append(max(_SHORTEST, result.duration))
    if not found:
        return None
    low = min(map(min, found.values()))
    high = max(map(max, found.values()))
    log = math.log10(high / low) >= _DECADES
    edges = _edges(low, high, sum(map(len, found.values())), log=log)
    spreads = [
        Spread(
            outcome=outcome,
            count=len(seconds),
            shortest=min(seconds),
            median=median(seconds),
            longest=max(seconds),
            total=math.fsum(seconds),
            bins=_counted(seconds, edges),
        )
        for outcome, seconds in found.items()
    ]
    spreads.sort(key=lambda spread: -spread.count)
    return Durations(edges=edges, log=log, spreads=tuple(spreads))


def _seconds(value: float, digits: int) -> str:
    """Return so many seconds with `digits` significant digits, and all of those before the point."""
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(value)))}f} s"


def _edges(low: float, high: float, count: int, *, log: bool) -> tuple[float, ...]:
    bins = min(_BINS, max(5, math.ceil(2 * count ** (1 / 3))))  # Rice's rule
    if math.isclose(low, high):  # too close for edges between them
        return low * 0.9, high * 1.1
    if log:
        step = math.log10(high / low) / bins
        inner = [low * 10 ** (step * place) for place in range(1, bins)]
    else:
        inner = [low + (high - low) * place / bins for place in range(1, bins)]
    return (low, *inner, high)


def _counted(seconds: Sequence[float], edges: Sequence[float]) -> tuple[int, ...]:
    counts = [0] * (len(edges) - 1)
    for each in seconds:
        counts[min(bisect_right(edges, each) - 1, len(counts) - 1)] += 1
    return tuple(counts)
