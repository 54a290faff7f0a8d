"""How long combinations will take, from how long earlier ones of their family took.

A combination that completed before takes as long again: the median of its times. Of another one the logarithm
of its time is taken for a sum, one term for each value that it has, so that a time is a product: twice the
data, twice the time, whatever the model. The terms are fitted by backfitting (A. Buja, T. Hastie and R.
Tibshirani, "Linear Smoothers and Additive Models", 1989), each the median of what the others leave, which
makes it a median polish (J. W. Tukey, "Exploratory Data Analysis", 1977): a few commands that hung change
little. The fewer times a value was seen, the closer its term is to 0, by the credibility n/(n + k), k being
the variance of what no term explains over that of the terms (H. Bühlmann, "Experience Rating and
Credibility", 1967).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sweeplib.plan.identity import meaning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweeplib.ledger import Duration, Ledger
    from sweeplib.plan import Combination, Command, Line, Plan

__all__ = ["Expected", "Forecast", "Forecasts"]

_NEWEST = 10_000  # combinations of the ledger that are looked at
_LEAST = 3  # different combinations that a model is made of
_SHORTEST = 0.001  # seconds; less is not told apart
_ROUNDS = 4  # of backfitting; of a grid without gaps the first finds the terms
_REFITS = 2  # each with the variances that the fit before it left
_CREDIBILITY = 0.25  # k in the first fit
_MOST = 10.0  # k at most: what is seen often counts, however noisy the rest
_NORMAL = 1.4826  # the deviation of a normal distribution over its median distance from 0
_MONOTONE = 3  # numbers in order for the times of others beyond them to be guessed
_EXPONENT = 700.0  # of what is still a float

_Values = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """How long a combination will take, and how that is known.

    `seconds` is above 0. `repeats` counts how often this very combination completed before; 0: never, and
    `attempts` at others are what a model was made of. `unseen` are the parameters whose value, or that
    themselves, none of those had: their part in it is interpolated, or left out.
    """

    seconds: float
    repeats: int
    attempts: int
    unseen: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether every value has been seen, so that nothing about it is guessed."""
        return not self.unseen

    def __str__(self) -> str:
        """Return how it is known, in words."""
        if self.repeats:
            return f"it took that long before ({self.repeats} time{'s' if self.repeats > 1 else ''})"
        return f"from {self.attempts:,} earlier attempts" + (
            f" at other values of {', '.join(self.unseen)}" if self.unseen else ""
        )


class Forecast:
    """Predicts how long combinations take; says nothing where too little is known.

    `basis` is how many earlier attempts it rests on. The order in which these come changes nothing.
    """

    def __init__(self, attempts: Iterable[tuple[Mapping[str, str], float]]) -> None:
        """Take completed attempts: the parameters of each with the seconds that it took."""
        times: dict[_Values, list[float]] = {}
        self.basis = 0
        for parameters, seconds in attempts:
            times.setdefault(_values(parameters), []).append(max(seconds, _SHORTEST))
            self.basis += 1
        self._times = {values: (_median(found), len(found)) for values, found in times.items()}
        self._model = _Model(self._times) if len(self._times) >= _LEAST else None

    def expected(self, parameters: Mapping[str, str]) -> Expected | None:
        """Return how long the combination with these parameters will take, None where that is not known."""
        values = _values(parameters)
        if values in self._times:
            seconds, repeats = self._times[values]
            return Expected(seconds, repeats, self.basis)
        if self._model is None:
            return None
        logarithm, unseen = self._model.predict(dict(values))
        seconds = math.exp(min(max(logarithm, math.log(_SHORTEST)), _EXPONENT))
        return Expected(seconds, 0, self.basis, unseen)


class Forecasts:
    """Predicts how long the combinations of a plan take, each by what is on record of its family.

    `basis` is how many earlier attempts all rest on. See `sweeplib.plan.families`.
    """

    def __init__(self, plan: Plan, rows: Iterable[Duration] = ()) -> None:
        self._families = plan.families
        found: dict[str, list[tuple[Mapping[str, str], float]]] = {}
        for row in rows:
            family = self._families.on_record(row.key, row.parameters, row.command)
            if family is not None:
                found.setdefault(family, []).append((row.parameters, row.seconds))
        self._forecasts = {family: Forecast(attempts) for family, attempts in found.items()}
        self.basis = sum(map(len, found.values()))

    @classmethod
    def of(cls, ledger: Ledger, plan: Plan) -> Self:
        """Return those for a plan, from the newest that sweeps of its job with its arguments completed."""
        return cls(plan, ledger.durations(plan.job.entry, plan.arguments, _NEWEST))

    def expected(
        self, each: Combination | Line | Command | None, parameters: Mapping[str, str]
    ) -> Expected | None:
        """Return how long a combination with these parameters will take, None where that is not known.

        None instead of it stands for all of a plan that is one command.
        """
        if not self._forecasts:
            return None
        forecast = self._forecasts.get(self._families.of(each, parameters))
        return None if forecast is None else forecast.expected(parameters)


def _values(parameters: Mapping[str, str]) -> _Values:
    """Return what the values of parameters mean, the same for two combinations that are the same."""
    return tuple(sorted((name, meaning(value)) for name, value in parameters.items()))


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


class _Column:
    """One parameter: which of its values each observation has, and the term of each value.

    An observation that lacks the parameter has the value "" of it, which no meaning is.
    """

    def __init__(self, name: str, seen: Sequence[Mapping[str, str]]) -> None:
        self.name = name
        of_each = [values.get(name, "") for values in seen]
        self.values = sorted(set(of_each))
        self.terms = dict.fromkeys(self.values, 0.0)
        number = {value: place for place, value in enumerate(self.values)}
        self._members: list[list[int]] = [[] for _ in self.values]
        for observation, value in enumerate(of_each):
            self._members[number[value]].append(observation)

    def fit(self, rest: list[float], credibility: float) -> float:
        """Find each term from what all terms leave; change what is left; return the largest change."""
        largest = 0.0
        for value, members in zip(self.values, self._members, strict=True):
            before = self.terms[value]
            count = len(members)
            term = (_median([rest[i] for i in members]) + before) * count / (count + credibility)
            if change := term - before:
                self.terms[value] = term
                for i in members:
                    rest[i] -= change
                largest = max(largest, abs(change))
        return largest

    @property
    def variance(self) -> float:
        """The mean square of the terms."""
        return sum(term * term for term in self.terms.values()) / len(self.terms)


class _Model:
    """Logarithms of times as sums of terms."""

    def __init__(self, times: Mapping[_Values, tuple[float, int]]) -> None:
        # In an order of their own, as a sum of floats depends on that.
        ordered = sorted(times)
        seen = [dict(values) for values in ordered]
        names = sorted({name for values in seen for name in values})
        columns = [_Column(name, seen) for name in names]
        # What few values explain is not left to the many of, say, a seed.
        self._fitted = sorted(
            (column for column in columns if len(column.values) > 1),
            key=lambda column: (len(column.values), column.name),
        )
        self._columns = {column.name: column for column in columns}
        rest = [math.log(times[values][0]) for values in ordered]
        self._middle = 0.0
        self._fit(rest, [_CREDIBILITY] * len(self._fitted))
        for _ in range(_REFITS):
            noise = (_NORMAL * _median([abs(each) for each in rest])) ** 2
            self._fit(rest, [self._credibility(noise, column.variance) for column in self._fitted])
        self._curves = {column.name: _Curve(column.terms) for column in columns}

    @staticmethod
    def _credibility(noise: float, variance: float) -> float:
        return min(noise / variance, _MOST) if variance else _MOST

    def _fit(self, rest: list[float], credibilities: Sequence[float]) -> None:
        for _ in range(_ROUNDS):
            shift = _median(rest)
            self._middle += shift
            rest[:] = [each - shift for each in rest]
            changes = [
                column.fit(rest, credibility)
                for column, credibility in zip(self._fitted, credibilities, strict=True)
            ]
            if max([abs(shift), *changes]) < 1e-3:
                return

    def predict(self, values: Mapping[str, str]) -> tuple[float, tuple[str, ...]]:
        """Return the logarithm of the time for these values, and the parameters of which that is a guess."""
        found = self._middle
        unseen = [name for name in values if name not in self._columns]
        for name, column in self._columns.items():
            value = values.get(name, "")
            if value in column.terms:
                found += column.terms[value]
            else:
                unseen.append(name)
                found += self._curves[name].at(value)
        return found, tuple(unseen)


class _Curve:
    """The terms of a parameter's numbers, and of those between and beyond them.

    Between two numbers it is straight, over the logarithm if all are above 0. Beyond them it goes on as at
    the end where three numbers or more have terms in order, though never further than these are apart; else
    it stays as it is at the end.
    """

    def __init__(self, terms: Mapping[str, float]) -> None:
        points = sorted((_number(value), term) for value, term in terms.items() if value.startswith("n"))
        self._logarithmic = bool(points) and points[0][0] > 0
        self._places = [self._place(number) for number, _ in points]
        self._terms = [term for _, term in points]
        pairs = list(zip(self._terms, self._terms[1:], strict=False))
        in_order = all(a <= b for a, b in pairs) or all(a >= b for a, b in pairs)
        self._goes_on = in_order and len(points) >= _MONOTONE

    def _place(self, number: float) -> float:
        return math.log(number) if self._logarithmic else number

    def at(self, value: str) -> float:
        """Return the term of a value; 0 where it is no number, or none of the others is."""
        number = _number(value) if value.startswith("n") else math.nan
        if not self._places or math.isnan(number) or (self._logarithmic and number <= 0):
            return 0.0
        place = self._place(number)
        after = bisect_left(self._places, place)
        if 0 < after < len(self._places):
            return self._between(after, place)
        end = -1 if after else 0
        if not self._goes_on:
            return self._terms[end]
        reach = abs(self._terms[-1] - self._terms[0])
        guess = self._between(len(self._places) - 1 if after else 1, place)
        return min(max(guess, self._terms[end] - reach), self._terms[end] + reach)

    def _between(self, after: int, place: float) -> float:
        """Return the line through a point and the one before it, at `place`."""
        (x, y), (other, term) = [(self._places[i], self._terms[i]) for i in (after - 1, after)]
        return y if other == x else y + (term - y) * (place - x) / (other - x)


def _number(value: str) -> float:
    """Return the number that a meaning is, as far as a float can hold it."""
    return float(value[1:])
