"""A picture of a metric over the parameters that vary, small enough for a page in Prefect."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from sweeplib.report.results import constant_parameters, names_of_parameters
from sweeplib.syntax import number

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
_DECADES = 2.0  # powers of ten that values span at least to be shown on a logarithmic axis
_SPREAD = 0.25  # of the distance between two texts on an axis, over which points are spread
_LABEL = 12  # characters of a text on an axis


def plot(ranking: Ranking) -> bytes | None:
    """Return a PNG: a panel a parameter, a point a result, the best one marked.

    None where there is nothing to show: no metric, or no parameter that varies.
    """
    metric = ranking.metric
    shown = [result for result in ranking.results if result.rank is not None]
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
    texts = [result.parameters[name] for result in having]
    values = [number(text) for text in texts]
    heights = [result.metrics[metric] for result in having]
    numeric = [float(value) for value in values if value is not None]
    if len(numeric) == len(texts):
        places = numeric
        if min(places) > 0 and math.log10(max(places) / min(places)) >= _DECADES:
            panel.set_xscale("log")
    else:
        known = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        # points of one value side by side, the same at every drawing
        places = [known[text] + _SPREAD * ((index * 0.618) % 1 - 0.5) for index, text in enumerate(texts)]
        panel.set_xticks(range(len(known)), [_shortened(text, _LABEL) for text in known], parse_math=False)
        panel.tick_params(axis="x", rotation=30 if len(known) > 3 else 0)
    panel.scatter(places, heights, s=18, color="#4c78a8", alpha=0.7, linewidths=0)
    for place, height, result in zip(places, heights, having, strict=True):
        if result.rank == 1:
            panel.scatter([place], [height], s=70, color="#e45756", marker="*", zorder=3)
    panel.set_xlabel(_shortened(name, 3 * _LABEL), parse_math=False)
    panel.grid(visible=True, alpha=0.3)


def _shortened(text: str, most: int) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= most else text[: most - 1] + "…"
