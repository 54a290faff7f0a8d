"""What failures have in common: values of parameters that go with them more often than chance explains.

A condition, such as ``batch=512`` or ``lr>=0.1``, is held against Fisher's exact test, one-sided: of N
combinations K meet it and n failed; if failing had nothing to do with it, the number that did both would be
hypergeometric. How likely as many as were seen, or more, are must not exceed `_LEVEL` divided by the number
of tests that are made (Bonferroni's correction), so that among failures without a cause something is said in
at most one sweep of a hundred. (R. A. Fisher, *Statistical Methods for Research Workers*, 1934, §21.02.)

Chance is not all: in a large sweep a weak tendency is no chance either. So a condition must also hold for
most of the failures, and the odds ratio, with a half added to each count (J. B. S. Haldane, 1956), must be
large.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from sweeplib.syntax import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["LEAST", "Condition", "Link", "Values", "chance", "conditions", "links"]

LEAST = 3
"""Combinations, at least, that must meet a condition, and failures that make a group worth a test."""

_LEVEL = 0.01  # how likely it may be, at most, that anything is said about failures without a cause
_COVERAGE = 0.75  # of the failures, at least, that must meet a condition
_ODDS = 4.0  # how many times greater, at least, the odds of a failure must be where it is met
_CUTS = 32  # places, at most, at which the numbers of a parameter are divided
_SAID = 3  # links that are told, at most


@dataclass(frozen=True, slots=True)
class Condition:
    """What may be true of a combination's parameters: that one equals a value, or is on one side of it."""

    parameter: str
    relation: str
    value: str

    def __str__(self) -> str:
        """Write it as in sweep syntax, ``batch=512``; the other relations are ``>=`` and ``<=``."""
        return f"{self.parameter}{self.relation}{self.value}"


@dataclass(frozen=True, slots=True)
class Link:
    """A condition that goes with failures: `having` of `count` meet it, `others` of the `compared` others."""

    condition: Condition
    having: int
    count: int
    others: int
    compared: int

    def __str__(self) -> str:
        """Say it: ``18 of 20 failures have batch=512``."""
        return f"{self.having:,} of {self.count:,} failures have {self.condition}"

    @property
    def sentence(self) -> str:
        """The same with what it is compared to: ``18 of 20 failures have batch=512, and 2 of 60 others``."""
        return f"{self}, and {self.others:,} of {self.compared:,} others"


class Values:
    """How many of some combinations have each value of each parameter."""

    def __init__(self, rows: Iterable[Mapping[str, str]]) -> None:
        self.size = 0
        self.counts: dict[str, Counter[str]] = {}
        self._ordered: dict[str, tuple[list[float], list[int]]] = {}
        every: Counter[tuple[str, str]] = Counter()
        for row in rows:
            self.size += 1
            every.update(row.items())
        for (name, value), times in every.items():
            self.counts.setdefault(name, Counter())[value] = times

    def having(self, condition: Condition) -> int:
        """Return how many meet a condition; the values of a parameter that is compared are all numbers."""
        counts = self.counts.get(condition.parameter, Counter())
        if condition.relation == "=":
            return counts[condition.value]
        numbers, below = self._order(condition.parameter)
        at = _number(condition.value)
        if condition.relation == ">=":
            return below[-1] - below[bisect_left(numbers, at)]
        return below[bisect_left(numbers, math.nextafter(at, math.inf))]

    def _order(self, name: str) -> tuple[list[float], list[int]]:
        """Return the numbers of a parameter, upwards, and for each place how many are below it."""
        if name not in self._ordered:
            pairs = sorted((_number(value), times) for value, times in self.counts.get(name, {}).items())
            below = [0, *accumulate(times for _, times in pairs)]
            self._ordered[name] = [value for value, _ in pairs], below
        return self._ordered[name]


def conditions(every: Values) -> list[Condition]:
    """Return the conditions worth a test: enough combinations meet them, and not all.

    Which ones they are depends on what was run, and not on what came of it: else the correction for
    their number would be wrong.
    """
    found = [
        Condition(name, "=", value)
        for name, counts in every.counts.items()
        for value, times in counts.items()
        if LEAST <= times < every.size
    ]
    for name, counts in every.counts.items():
        for value in _cuts(counts):
            found += [Condition(name, ">=", value), Condition(name, "<=", value)]
    return found


def links(group: Values, every: Values, tested: Sequence[Condition], groups: int) -> tuple[Link, ...]:
    """Return the conditions that go with the failures of a group, the least likely by chance first.

    `every` counts all combinations, those of the group too; `tested` are all conditions that are looked
    at, `groups` how many groups. Of one parameter at most one condition is told.
    """
    if group.size < LEAST or group.size == every.size:
        return ()
    strong = []
    for condition in tested:
        having = group.having(condition)
        if having < _COVERAGE * group.size:
            continue
        others = every.having(condition) - having
        link = Link(condition, having, group.size, others, every.size - group.size)
        if _odds_ratio(link) < _ODDS:
            continue
        likely = chance(having, group.size, having + others, every.size)
        if likely * len(tested) * groups <= _LEVEL:
            strong.append((likely, condition.relation != "=", str(condition), link))
    told: dict[str, Link] = {}
    for *_, link in sorted(strong, key=lambda each: each[:3]):
        told.setdefault(link.condition.parameter, link)
    return tuple(told.values())[:_SAID]


def chance(both: int, failed: int, having: int, every: int) -> float:
    """Return how likely `both` or more of `having` are among `failed` that are drawn at random from `every`.

    The upper tail of the hypergeometric distribution, by its recurrence from one term to the next.
    """
    least = max(both, failed + having - every, 0)
    most = min(failed, having)
    if least > most:
        return 0.0
    term = math.exp(
        _log_choose(having, least) + _log_choose(every - having, failed - least) - _log_choose(every, failed)
    )
    total = term
    for met in range(least, most):
        term *= (having - met) * (failed - met) / ((met + 1) * (every - having - failed + met + 1))
        total += term
        if term < total * 1e-17:
            break
    return min(1.0, total)


def _log_choose(of: int, chosen: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)


def _odds_ratio(link: Link) -> float:
    met, unmet = link.having + 0.5, link.count - link.having + 0.5
    others_met, others_unmet = link.others + 0.5, link.compared - link.others + 0.5
    return met * others_unmet / (unmet * others_met)


def _cuts(counts: Counter[str]) -> Iterator[str]:
    """Yield the values at which a parameter's numbers are divided: all between the ends, or some of them."""
    if len(counts) < 3 or any(number(value) is None for value in counts):
        return
    inner = sorted(counts, key=lambda value: (_number(value), value))[1:-1]
    step = max(1, math.ceil(len(inner) / _CUTS))
    yield from inner[step // 2 :: step]


@lru_cache(maxsize=65536)
def _number(value: str) -> float:
    return float(number(value) or 0)
