"""What the page's script works on: the results as columns, each text that comes often written once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sweeplib.report.axes import HIGHEST
from sweeplib.report.duration import humanise
from sweeplib.report.export import finite, headings
from sweeplib.report.numbers import significant
from sweeplib.report.results import names_of_metrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sweeplib.report.axes import Axis
    from sweeplib.report.page.model import Report
    from sweeplib.report.results import Result

__all__ = ["data_of", "script_json"]

_MARKS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def script_json(value: object) -> str:
    """Return JSON that may stand in a `script` element: nothing in it ends the element, or is markup."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_MARKS)


def data_of(report: Report) -> dict[str, Any]:
    """Return the page's data; lists of one length have an entry a result, in the order of the ranking.

    Numbers that are not finite are texts, as in `sweep results --format json`.
    """
    results = report.results
    metric = report.ranking.metric
    metrics = sorted(names_of_metrics(results), key=lambda name: name != metric)
    durations = report.durations
    return {
        "job": report.job,
        "metric": metric,
        "ascending": report.ranking.ascending,
        "ranked": report.ranked,
        "highest": HIGHEST,
        "axes": [_axis(axis) for axis in report.axes],
        "metrics": [_metric(name, results) for name in metrics],
        "rows": _rows(report),
        "headings": headings([axis.name for axis in report.axes], metrics)[:-1],
        "importance": [[share.name, share.mean, share.deviation] for share in report.importance.shares],
        "durations": None
        if durations is None
        else {
            "edges": durations.edges,
            "texts": durations.texts,
            "log": durations.log,
            "spreads": [[spread.outcome, spread.bins] for spread in durations.spreads],
        },
    }


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "name": axis.name,
        "varies": axis.varies,
        "scale": axis.scale,
        "texts": axis.texts,
        "numbers": axis.numbers,
        "codes": axis.codes,
        "labels": axis.labels,
        "places": axis.places,
    }


def _metric(name: str, results: Sequence[Result]) -> dict[str, Any]:
    values = [result.metrics.get(name) for result in results]
    return {
        "name": name,
        "values": [None if value is None else finite(value) for value in values],
        "texts": significant(values),
    }


def _rows(report: Report) -> dict[str, Any]:
    results = report.results
    group_of = {result.key: place for place, group in enumerate(report.failures) for result in group.rows}
    tags = {standing.sweep.id: standing.sweep.tag for standing in report.standings}
    return {
        "key": [result.key for result in results],
        "label": [result.label for result in results],
        "outcome": _once(str(result.outcome or "running") for result in results),
        "exit": [result.exit_code for result in results],
        "seconds": [result.duration for result in results],
        "duration": ["" if result.duration is None else humanise(result.duration) for result in results],
        "message": _once(result.message for result in results),
        "command": [result.command for result in results],
        "started": [None if result.started is None else round(result.started) for result in results],
        "attempts": [result.attempts for result in results],
        "sweep": _once(tags.get(result.sweep, result.sweep) for result in results),
        "group": [group_of.get(result.key) for result in results],
    }


def _once(texts: Iterable[str]) -> dict[str, Any]:
    """Return the distinct texts, and for each text which of them it is."""
    places: dict[str, int] = {}
    codes = [places.setdefault(text, len(places)) for text in texts]
    return {"texts": list(places), "codes": codes}
