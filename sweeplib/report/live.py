"""What a sweep has found so far, on one page of Markdown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sweeplib.report.duration import humanise
from sweeplib.report.failures import explain
from sweeplib.report.markdown import link, literal, table_lines
from sweeplib.report.numbers import significant
from sweeplib.report.results import constant_parameters, names_of_parameters
from sweeplib.report.surface import surface, surface_columns, varying

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sweeplib.report.ranking import Ranking
    from sweeplib.report.results import Result
    from sweeplib.report.standing import Standing

__all__ = ["describe_live"]

_BEST = 20
_GROUPS = 5
_KEY = 8


def describe_live(
    standing: Standing, ranking: Ranking, image: str | None, csv: str | None, moment: float
) -> str:
    """Return the page: where the sweep stands, the best so far, a picture, the ranking, what failed.

    `image` is the address of a picture, `csv` that of all results; `moment`, in seconds since the epoch, is
    when the results were looked at.
    """
    return "\n".join(_lines(standing, ranking, image, csv, moment)) + "\n"


def _lines(
    standing: Standing, ranking: Ranking, image: str | None, csv: str | None, moment: float
) -> Iterator[str]:
    sweep = standing.sweep
    yield f"# {literal(sweep.tag)}: {standing.summary}"
    yield ""
    seen = f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"
    lasted = "" if standing.duration is None else f", after {humanise(standing.duration)}"
    yield f"{standing.state.value.capitalize()}; drawn at {seen}{lasted}."
    ranked = [result for result in ranking.results if result.rank is not None]
    if ranked and ranking.metric is not None:
        order = "lowest" if ranking.ascending else "highest"
        best = ranked[0]
        yield ""
        yield (
            f"**Best so far: {literal(ranking.metric)} {significant([best.metrics[ranking.metric]])[0]}** "
            f"({order} of {len(ranked)}) with {literal(best.label)}"
        )
    else:
        yield ""
        yield "No combination has " + (
            "logged a metric yet."
            if ranking.metric is None
            else f"a value of {literal(ranking.metric)} that can be ranked yet."
        )
    if image is not None and ranking.metric is not None:
        yield ""
        yield f"![{literal(ranking.metric)} over the parameters]({image})"
    drawn = surface(ranking, varying(ranking)[:2]) if len(varying(ranking)) > 1 else None
    if drawn is not None:
        columns = surface_columns(drawn)
        yield ""
        yield f"The {'lowest' if ranking.ascending else 'highest'} {literal(drawn.title)}:"
        yield ""
        rows = zip(*[map(literal, column.cells) for column in columns], strict=True)
        yield from table_lines([literal(column.title) for column in columns], [list(row) for row in rows])
    if ranked:
        yield ""
        yield from _table(ranking, ranked[:_BEST])
        if len(ranked) > _BEST:
            yield ""
            yield f"The best {_BEST} of {len(ranked):,}."
    yield from _failures(ranking)
    if csv is not None:
        yield ""
        yield link("All results as CSV", csv)


def _table(ranking: Ranking, shown: Sequence[Result]) -> list[str]:
    assert ranking.metric is not None  # noqa: S101  (it has ranked these)
    constant = constant_parameters(ranking.results)
    names = [name for name in names_of_parameters(ranking.results) if name not in constant]
    values = significant([result.metrics[ranking.metric] for result in shown])
    rows = [
        [
            str(result.rank),
            f"`{result.key[:_KEY]}`",
            *[literal(result.parameters.get(name, "")) for name in names],
            value,
            "" if result.duration is None else humanise(result.duration),
        ]
        for result, value in zip(shown, values, strict=True)
    ]
    titles = ["rank", "key", *map(literal, names), f"**{literal(ranking.metric)}**", "duration"]
    return table_lines(titles, rows)


def _failures(ranking: Ranking) -> Iterator[str]:
    groups = explain(ranking.results)
    if not groups:
        return
    yield ""
    yield f"## {sum(group.count for group in groups):,} not completed"
    for group in groups[:_GROUPS]:
        yield ""
        yield f"**{literal(str(group))}**"
        yield ""
        for shared in group.shared:
            yield f"- **{literal(shared.sentence)}**"
        for result in group.rows:
            yield f"- {literal(result.label)} (`{result.key[:_KEY]}`)"
        if group.count > len(group.rows):
            yield f"- and {group.count - len(group.rows):,} more"
    others = groups[_GROUPS:]
    if others:
        yield ""
        yield f"And {sum(group.count for group in others):,} more, that ended in other ways."
