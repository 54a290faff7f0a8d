"""Which parameters the metric depends on: a random forest's permutation importance.

A forest learns from most of the results where in the order of the metric the others stand (three times, so
that each result is once among the others). Then the values of one parameter are shuffled among the others,
and it is seen how much worse they are told. What is lost, by half and relative to the variance, is the
parameter's total Sobol index: the share of the variance that goes away with it, alone or together with other
parameters (B. Gregorutti, B. Michel, P. Saint-Pierre, *Correlation and variable importance in random
forests*, Statistics and Computing 27, 2017). Places, and not the metric itself, so that a run that has
diverged does not outweigh all others.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweeplib.report.axes import Axis
    from sweeplib.report.ranking import Ranking

__all__ = ["LEAST", "Importance", "Share", "importance_of"]

LEAST = 12
"""Results, at least, for which importance is told."""

_MOST = 2000  # results that are looked at
_SEED = 0  # so that a report says the same each time it is made
_FOLDS = 3
_TREES = 60
_REPEATS = 3
_MANY = 20  # parameters, beyond which each is shuffled once, to save time
_USELESS = 0.1  # below this score the forest tells too little of the order


@dataclass(frozen=True, slots=True)
class Share:
    """A parameter's share of the variance, from 0 to 1, and its standard deviation over the parts."""

    name: str
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """The importance of parameters, the greatest first; where it cannot be told, `reason` says why not.

    `score` is the part of the variance among `looked` results that the forest tells (R²) of those that it
    has not learnt from.
    """

    shares: tuple[Share, ...] = ()
    score: float = 0.0
    looked: int = 0
    reason: str = ""

    @property
    def doubtful(self) -> bool:
        """Whether the forest tells next to nothing, so that the shares mean nothing."""
        return self.score < _USELESS


def importance_of(ranking: Ranking, axes: Sequence[Axis]) -> Importance:
    """Return how the order of the ranked results depends on the parameters of `axes`.

    The codes of `axes` are of `ranking.results`. Of very many results a random sample is looked at.
    """
    ranked = [place for place, result in enumerate(ranking.results) if result.rank is not None]
    if len(ranked) < LEAST:
        return Importance(reason=f"needs {LEAST} combinations with the metric, and there are {len(ranked)}")
    if not axes:
        return Importance(reason="no parameter varies")
    places = ranked if len(ranked) <= _MOST else sorted(random.Random(_SEED).sample(ranked, _MOST))  # noqa: S311 - no secret
    values = [ranking.results[place].metrics[ranking.metric or ""] for place in places]
    if len(set(values)) == 1:
        which = "all combinations" if len(places) == len(ranked) else f"all {_MOST:,} combinations looked at"
        return Importance(reason=f"{which} have the same {ranking.metric}")
    return _measured(axes, places, values)


def _measured(axes: Sequence[Axis], places: Sequence[int], values: Sequence[float]) -> Importance:
    import numpy as np
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance
    from sklearn.model_selection import KFold

    features = np.array([[each[place] for place in places] for each in (axis.features for axis in axes)]).T
    order = np.array(_mean_ranks(values))
    variance = float(np.var(order))
    losses, found, sizes = [], [], []
    for learnt, others in KFold(_FOLDS, shuffle=True, random_state=_SEED).split(features):
        forest = RandomForestRegressor(_TREES, random_state=_SEED)
        forest.fit(features[learnt], order[learnt])
        losses.append(float(np.mean((forest.predict(features[others]) - order[others]) ** 2)))
        permuted = permutation_importance(
            forest,
            features[others],
            order[others],
            scoring="neg_mean_squared_error",
            n_repeats=_REPEATS if len(axes) <= _MANY else 1,
            random_state=_SEED,
        )
        found.append(permuted.importances_mean / (2 * variance))
        sizes.append(len(others))
    means = np.clip(np.average(found, axis=0, weights=sizes), 0, 1)
    deviations = np.std(found, axis=0)
    shares = [
        Share(axis.name, float(mean), float(deviation))
        for axis, mean, deviation in zip(axes, means, deviations, strict=True)
    ]
    return Importance(
        shares=tuple(sorted(shares, key=lambda share: -share.mean)),
        score=1 - float(np.average(losses, weights=sizes)) / variance,
        looked=len(places),
    )


def _mean_ranks(values: Sequence[float]) -> list[float]:
    """Return the place of each value in their order; equal ones share the mean of their places."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + end - 1) / 2
        start = end
    return ranks
