"""The table of a job's results."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sweeplib.report.duration import humanise
from sweeplib.report.numbers import significant
from sweeplib.report.results import constant_parameters, names_of_metrics, names_of_parameters
from sweeplib.report.table import Column, printable
from sweeplib.run.model import Outcome
from sweeplib.syntax import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweeplib.report.ranking import Ranking
    from sweeplib.report.results import Result

__all__ = ["OPEN", "columns_of", "headline", "styles_of"]

_KEY = 8  # digits of a key that are shown
_OUTCOMES = (*Outcome, None)
OPEN = "submitted"
"""The word for what has no outcome: it runs, or waits for a place to run at."""

_PARAMETER, _MESSAGE = 10, 24  # widths down to which they are folded on a narrow terminal


def columns_of(ranking: Ranking, shown: Sequence[Result]) -> list[Column]:
    """Return the columns for the results `shown` of a ranking.

    Left out: parameters that have one value in all results, and outcome and message where every
    result shown is completed. The metric that ranks comes before the others.
    """
    constant = constant_parameters(ranking.results)
    parameters = [name for name in names_of_parameters(ranking.results) if name not in constant]
    metrics = names_of_metrics(ranking.results)
    metrics.sort(key=lambda name: name != ranking.metric)
    columns = [
        Column("rank", ["" if result.rank is None else str(result.rank) for result in shown], right=True),
        Column("key", [result.key[:_KEY] for result in shown]),
        *[_parameter(name, shown) for name in parameters],
        *[_metric(name, shown, spare=0 if name == ranking.metric else 2) for name in metrics],
        Column("duration", [_duration(result) for result in shown], right=True),
    ]
    if any(result.outcome is not Outcome.COMPLETED for result in shown):
        columns.append(Column("outcome", [result.outcome or OPEN for result in shown]))
    if any(result.message for result in shown):
        columns.append(
            Column("message", [printable(result.message) for result in shown], folds=_MESSAGE, spare=1)
        )
    return columns


def styles_of(shown: Sequence[Result]) -> list[str]:
    """Return the rows' styles: the best one stands out, and those that ended badly do."""
    return ["red" if result.ended_badly else "bold" if result.rank == 1 else "" for result in shown]


def headline(job: str, ranking: Ranking) -> str:
    """Return a sentence that counts the results and says how they are ranked."""
    counts = Counter(result.outcome for result in ranking.results)
    parts = [f"{counts[outcome]} {outcome or OPEN}" for outcome in _OUTCOMES if counts[outcome]]
    total = len(ranking.results)
    text = f"{job}: {total} combination{'s' if total != 1 else ''} ({', '.join(parts)})"
    if ranking.metric is None:
        return f"{text}; no metric was logged, so in the order of the plan"
    return f"{text}; by {ranking.metric}, {'lowest' if ranking.ascending else 'highest'} first"


def _parameter(name: str, shown: Sequence[Result]) -> Column:
    cells = [result.parameters.get(name, "") for result in shown]
    right = all(not cell or number(cell) is not None for cell in cells)
    return Column(
        printable(name), [printable(cell) for cell in cells], right=right, folds=0 if right else _PARAMETER
    )


def _metric(name: str, shown: Sequence[Result], *, spare: int) -> Column:
    cells = significant([result.metrics.get(name) for result in shown])
    return Column(printable(name), cells, right=True, spare=spare)


def _duration(result: Result) -> str:
    return "" if result.duration is None else humanise(result.duration)
