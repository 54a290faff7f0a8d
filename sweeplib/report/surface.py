"""The best of a metric for the values of one or two parameters, as a table: with bars, or as a heat map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sweeplib.errors import InputError, nearest
from sweeplib.report.numbers import significant
from sweeplib.report.places import places_of
from sweeplib.report.results import constant_parameters, names_of_parameters
from sweeplib.report.table import Column, printable
from sweeplib.syntax import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweeplib.report.ranking import Ranking

__all__ = ["Surface", "parse_over", "surface", "surface_columns", "varying"]

_MOST = 8  # values of a parameter, beyond which neighbours share a place
_BAR = 20  # characters of the longest bar
_SHADES = "·░▒▓█"  # from the worst to the best


@dataclass(frozen=True, slots=True)
class Surface:
    """The best of a metric at each place: a row a value of the first parameter, a column one of the second.

    Without a second parameter there is one column. None stands where nothing was ranked yet.
    """

    metric: str
    names: Sequence[str]
    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[float | None]]
    ascending: bool

    @property
    def title(self) -> str:
        """What is shown: ``loss over lr and batch``."""
        return f"{self.metric} over {' and '.join(self.names)}"


def varying(ranking: Ranking) -> list[str]:
    """Return the parameters that vary, in the order in which they first appear."""
    constant = constant_parameters(ranking.results)
    return [name for name in names_of_parameters(ranking.results) if name not in constant]


def parse_over(text: str, ranking: Ranking) -> list[str]:
    """Return the one or two parameters that ``lr,batch`` names; raises `InputError`.

    As long as there are no results, any name may be that of a parameter.
    """
    names = [name.strip() for name in text.split(",")]
    known = names_of_parameters(ranking.results)
    if not 1 <= len(names) <= 2 or len(set(names)) < len(names):
        raise InputError(f"{text!r} is not one or two parameters; write lr, or lr,batch")
    for name in names:
        if known and name not in known:
            listed = ", ".join(known)
            raise InputError(f"there is no parameter {name!r}{nearest(name, known)} (parameters: {listed})")
    return names


def surface(ranking: Ranking, names: Sequence[str]) -> Surface | None:
    """Return the best of the metric that ranks over one or two parameters; None where nothing is ranked."""
    metric = ranking.metric
    shown = [
        result
        for result in ranking.results
        if result.rank is not None and all(name in result.parameters for name in names)
    ]
    if metric is None or not shown or not names:
        return None
    axes = [_places([result.parameters[name] for result in shown]) for name in names]
    best: dict[tuple[int, ...], float] = {}
    for result in shown:  # the best comes first
        at = tuple(places[result.parameters[name]] for (_, places), name in zip(axes, names, strict=True))
        best.setdefault((*at, 0)[:2], result.metrics[metric])
    rows, columns = [labels for labels, _ in axes] + [("",)] * (2 - len(names))
    cells = [[best.get((row, column)) for column in range(len(columns))] for row in range(len(rows))]
    return Surface(metric, names, rows, columns, cells, ranking.ascending)


def surface_columns(shown: Surface) -> list[Column]:
    """Return the columns of the table: with bars for one parameter, with shades for two."""
    texts = iter(significant([value for row in shown.cells for value in row]))
    written = [[next(texts) for _ in row] for row in shown.cells]
    if len(shown.names) == 1:
        bars = _bars([row[0] for row in shown.cells], ascending=shown.ascending)
        return [
            Column(printable(shown.names[0]), shown.rows, right=True),
            Column(printable(shown.metric), [row[0] for row in written], right=True),
            Column("", bars),
        ]
    shades = _shades([value for row in shown.cells for value in row], ascending=shown.ascending)
    shaded = [
        ["" if value is None else f"{text} {shades[value]}" for value, text in zip(row, line, strict=True)]
        for row, line in zip(shown.cells, written, strict=True)
    ]
    first, second = map(printable, shown.names)
    return [
        Column(f"{first} \\ {second}", shown.rows, right=True),
        *[
            Column(title, [row[place] for row in shaded], right=True, spare=1)
            for place, title in enumerate(shown.columns)
        ],
    ]


def _bars(values: Sequence[float | None], *, ascending: bool) -> list[str]:
    """Return a bar a value, the best one the longest."""
    present = [value for value in values if value is not None]
    low, high = min(present), max(present)

    def bar(value: float) -> str:
        part = (
            (value - low) / (high - low) if low < high and math.isfinite(high - low) else float(not ascending)
        )
        return "█" * (1 + round((_BAR - 1) * (1 - part if ascending else part)))

    return ["" if value is None else bar(value) for value in values]


def _shades(values: Sequence[float | None], *, ascending: bool) -> Mapping[float, str]:
    """Return a shade a value, the best one the darkest: by their order, lest an outlier hides the others."""
    order = sorted({value for value in values if value is not None}, reverse=ascending)
    steps = (len(_SHADES) - 1) / max(1, len(order) - 1)
    return {value: _SHADES[-1 - round(steps * place)] for place, value in enumerate(reversed(order))}


def _places(texts: Sequence[str]) -> tuple[Sequence[str], Mapping[str, int]]:
    """Return the labels of places, numbers upwards, then texts by the alphabet, and each value's place."""

    def order(text: str) -> tuple[bool, Decimal, str]:
        exact = number(text)
        return exact is None, exact or Decimal(0), text

    known = sorted(set(texts), key=order)
    labels, places = places_of(known, _MOST)
    return labels, dict(zip(known, places, strict=True))
