"""Ranking: which metric, which direction, which result is the best."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sweeplib.errors import InputError, nearest
from sweeplib.report.results import names_of_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweeplib.jobs import Metric
    from sweeplib.report.results import Result

__all__ = ["Ranking", "lower_is_better", "rank", "rank_by"]

_WORDS_OF_LOWER = re.compile(
    r"(?:loss|losses|error|errors|err|mse|rmse|mae|mape|msle|rmsle|residual|residuals|deviance|divergence|kl|"
    r"perplexity|ppl|nll|bpc|bpb|cost|regret|penalty|impurity|brier|wer|cer|eer|fid|fpr|fnr|aic|bic|"
    r"time|times|runtime|walltime|elapsed|seconds|second|secs|sec|ms|millis|milliseconds|minutes|hours|"
    r"duration|latency|memory|bytes|overhead)"
)
_PARTS = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Ranking:
    """Results in order: the ranked ones, those without the metric, those that ended badly.

    `metric` is None where no result has any metric; then all keep the order of the plan.
    """

    metric: str | None
    ascending: bool
    results: Sequence[Result]

    def best(self, number: int) -> Sequence[Result]:
        """Return the best `number` of the ranked results; raises `InputError` if nothing was ranked."""
        if self.metric is None:
            raise InputError("no combination has logged a metric, so none is best; leave --best out")
        return [result for result in self.results if result.rank is not None and result.rank <= number]


def lower_is_better(metric: str) -> bool:
    """Tell whether a metric's name says that a lower value is the better one.

    It does if a part of it (parts are letters and digits) is a word such as loss, error or seconds:
    ``val_loss``, ``test/rmse``. ``neg_`` turns that round, as in scikit-learn's ``neg_log_loss``.
    """
    parts = _PARTS.findall(metric.lower())
    if "likelihood" in parts:
        return bool({"neg", "negative"}.intersection(parts))
    return "neg" not in parts and any(map(_WORDS_OF_LOWER.fullmatch, parts))


def rank(results: Sequence[Result], metric: str | None = None, *, ascending: bool | None = None) -> Ranking:
    """Return the results ranked by `metric`, None for the first one in the order of the alphabet.

    `ascending` puts the lowest first; None leaves it to the metric's name. Of equal values the one
    that comes first in the plan is first. Raises `InputError` where no result has that metric.
    """
    names = names_of_metrics(results)
    if metric is not None and metric not in names:
        raise InputError(_unknown(metric, names))
    chosen = metric if metric is not None else next(iter(names), None)
    if ascending is None:
        ascending = chosen is not None and lower_is_better(chosen)
    valued = [
        (value, result)
        for result in results
        if not result.ended_badly and not math.isnan(value := result.metrics.get(chosen or "", math.nan))
    ]
    # sorting down by the negative, and not reversed, keeps equal values in the order of the plan
    valued.sort(key=lambda pair: pair[0] if ascending else -pair[0])
    ranked = [replace(result, rank=place) for place, (_, result) in enumerate(valued, 1)]
    keys = {result.key for result in ranked}
    rest = [result for result in results if result.key not in keys]
    without = [result for result in rest if not result.ended_badly]
    badly = [result for result in rest if result.ended_badly]
    return Ranking(chosen, ascending, [*ranked, *without, *badly])


def rank_by(results: Sequence[Result], metric: Metric | None, *, ascending: bool | None = None) -> Ranking:
    """Return the results ranked by a job's metric, or as `rank` does where no result has it."""
    if metric is None or metric.name not in names_of_metrics(results):
        return rank(results, ascending=ascending)
    return rank(results, metric.name, ascending=metric.ascending if ascending is None else ascending)


def _unknown(metric: str, names: Sequence[str]) -> str:
    if not names:
        return f"there is no metric {metric!r}: no combination has logged any"
    return f"there is no metric {metric!r}{nearest(metric, names)} (metrics: {', '.join(names)})"
