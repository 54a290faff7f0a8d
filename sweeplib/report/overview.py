"""What a page in Prefect shows of a sweep: sentences and tables in Markdown, of bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeplib.report.duration import humanise
from sweeplib.report.failures import explain
from sweeplib.report.markdown import literal
from sweeplib.report.numbers import significant
from sweeplib.report.results import constant_parameters, names_of_parameters
from sweeplib.report.results_table import OPEN, headline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sweeplib.engine import Progress
    from sweeplib.report.ranking import Ranking
    from sweeplib.report.results import Result

__all__ = ["ROWS", "describe_progress", "describe_table", "failures_first", "table_rows"]

ROWS = 1000
"""The rows of a table at most: a browser shows these at once, and the API takes them in one small event."""

_KEY = 8  # digits of a key that are shown
_GROUPS = 5  # ways in which combinations failed that are told
_FIXED = ("rank", "key", "outcome", "exit code", "duration", "message", "log")


def failures_first(ranking: Ranking, most: int) -> list[Result]:
    """Return at most `most` results: what ended badly, then the others as they are ranked."""
    return sorted(ranking.results, key=lambda result: not result.ended_badly)[:most]


def table_rows(
    ranking: Ranking, shown: Sequence[Result], log: Callable[[Result], str]
) -> list[dict[str, str]]:
    """Return the rows of a table, by title: all varying parameters, the metric that ranks, how each ended.

    The cells are Markdown; `log` makes the one that says where the output is.
    """
    constant = constant_parameters(ranking.results)
    varying = [name for name in names_of_parameters(ranking.results) if name not in constant]
    metric = ranking.metric
    values = significant([None if metric is None else result.metrics.get(metric) for result in shown])
    title = None if metric is None else f"metrics.{metric}" if metric in (*_FIXED, *varying) else metric
    messages = any(result.message for result in shown)
    return [
        {
            "rank": "" if result.rank is None else str(result.rank),
            "key": result.key[:_KEY],
            **{
                f"parameters.{name}" if name in _FIXED else name: literal(result.parameters.get(name, ""))
                for name in varying
            },
            "outcome": result.outcome or OPEN,
            "exit code": "" if result.exit_code is None else str(result.exit_code),
            "duration": "" if result.duration is None else humanise(result.duration),
            **({} if title is None else {title: value}),
            **({"message": literal(result.message)} if messages else {}),
            "log": log(result),
        }
        for result, value in zip(shown, values, strict=True)
    ]


def describe_table(job: str, ranking: Ranking, shown: Sequence[Result], more: str) -> str:
    """Return what stands above the table: the counts, how what failed did, what all share, where all is."""
    constant = constant_parameters(ranking.results)
    parts = [f"**{literal(headline(job, ranking))}**"]
    parts += _causes(ranking)
    if constant and ranking.results:
        of = ranking.results[0].parameters
        same = " ".join(f"{name}={value}" for name, value in of.items() if name in constant)
        parts.append(f"In all of them: {literal(same)}")
    if len(shown) < len(ranking.results):
        rest = f"These are {len(shown):,} of {len(ranking.results):,}: what failed, then the best."
        parts.append(f"{rest} All of them: {more}")
    else:
        parts.append(f"As a file: {more}")
    return "\n\n".join(parts)


def _causes(ranking: Ranking) -> list[str]:
    groups = explain(ranking.results)
    if not groups:
        return []
    lines = ["; ".join([str(group), *[link.sentence for link in group.shared]]) for group in groups[:_GROUPS]]
    if others := groups[_GROUPS:]:
        lines.append(f"{sum(group.count for group in others):,} more that ended in other ways")
    return ["\n".join(f"- {literal(line)}" for line in lines)]


def describe_progress(progress: Progress, seconds: float) -> str:
    """Return the counts in words, and the time left: as expected, or by the `seconds` since the start."""
    parts = [f"{progress.before + progress.completed:,} of {progress.total:,} done"]
    parts += [f"{progress.failed:,} failed"] if progress.failed else []
    parts += [f"{progress.running:,} running"] if progress.running and progress.left else []
    left = progress.time_left(seconds)
    parts += [f"about {humanise(left)} left"] if left is not None else []
    return ", ".join(parts)
