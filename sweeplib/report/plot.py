"""A picture of a metric over the parameters that vary, small enough for a page in Prefect."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from sweeplib.report.axes import HIGHEST, Scale, axis_of
from sweeplib.report.places import labels_of
from sweeplib.report.results import constant_parameters, names_of_parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from sweeplib.report.ranking import Ranking
    from sweeplib.report.results import Result

__all__ = ["plot"]

_PANELS = 6  # parameters that are shown at most, in the order of the file
_COLUMNS = 3
_SIZE = 3.6, 2.8  # inches of a panel
_DPI = 100
_SPREAD = 0.25  # of the distance between two texts on an axis, over which points are spread
_TICKS = 12  # texts on an axis, at most
_LABEL = 12  # characters of a text on an axis


def plot(ranking: Ranking) -> bytes | None:
    """Return a PNG: a panel a parameter, a point a result, the best one marked.

    None where there is nothing to show: no metric, or no parameter that varies. What no axis can show, a
    metric that is infinite or nearly so, is left out.
    """
    metric = ranking.metric
    shown = [
        result
        for result in ranking.results
        if result.rank is not None and abs(result.metrics[metric or ""]) <= HIGHEST
    ]
    constant = constant_parameters(ranking.results)
    names = [name for name in names_of_parameters(shown) if name not in constant][:_PANELS]
    if metric is None or not shown or not names:
        return None
    from matplotlib.figure import Figure  # half a second, and no window system

    columns = min(len(names), _COLUMNS)
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(_SIZE[0] * columns, _SIZE[1] * rows), dpi=_DPI, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for place, panel in enumerate(panels.flat):
        if place < len(names):
            _draw(panel, shown, names[place], metric)
        else:
            panel.set_visible(False)
        if place % columns == 0:
            panel.set_ylabel(_shortened(metric, 3 * _LABEL), parse_math=False)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _draw(panel: Axes, shown: Sequence[Result], name: str, metric: str) -> None:
    having = [result for result in shown if name in result.parameters]
    axis = axis_of(name, having)
    codes = [code for code in axis.codes if code is not None]
    heights = [result.metrics[metric] for result in having]
    if axis.numbers is not None and axis.scale is not Scale.CATEGORY:
        places = [axis.numbers[code] for code in codes]
        panel.set_xscale(axis.scale.value)
    else:
        # points of one value side by side, the same at every drawing
        places = [code + _SPREAD * ((index * 0.618) % 1 - 0.5) for index, code in enumerate(codes)]
        ticks = range(0, len(axis.texts), math.ceil(len(axis.texts) / _TICKS))
        panel.set_xticks(ticks, labels_of([axis.texts[tick] for tick in ticks], _LABEL), parse_math=False)
        panel.tick_params(axis="x", rotation=30 if len(ticks) > 3 else 0)
    panel.scatter(places, heights, s=18, color="#4c78a8", alpha=0.7, linewidths=0)
    if having[0] is shown[0]:
        panel.scatter(places[:1], heights[:1], s=70, color="#e45756", marker="*", zorder=3)
    panel.set_xlabel(_shortened(name, 3 * _LABEL), parse_math=False)
    panel.grid(visible=True, alpha=0.3)


def _shortened(text: str, most: int) -> str:
    return labels_of([text], most)[0]
