"""Results for another program: CSV and JSON, unrounded, with all parameters and metrics."""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sweeplib.report.results import Result

__all__ = ["finite", "headings", "write_csv", "write_json"]

_FIXED = ("rank", "key", "outcome", "exit_code", "duration")
_LAST = ("log",)


def write_csv(
    results: Iterable[Result], parameters: Sequence[str], metrics: Sequence[str], out: TextIO
) -> None:
    """Write a heading and a line a result; durations are in seconds, `log` is the file of its output.

    What a result has not is empty. A name that stands for two columns gets ``parameters.`` or
    ``metrics.`` before it.
    """
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(headings(parameters, metrics))
    for result in results:
        writer.writerow(
            [
                result.rank,
                result.key,
                result.outcome,
                result.exit_code,
                result.duration,
                *[_encodable(result.parameters.get(name, "")) for name in parameters],
                *[result.metrics.get(name) for name in metrics],
                result.log,
            ]
        )


def write_json(results: Iterable[Result], out: TextIO) -> None:
    """Write a list of objects, one a line; `duration` is in seconds.

    JSON has no numbers that are not finite: they are the texts ``"NaN"``, ``"Infinity"`` and
    ``"-Infinity"``, as in MLflow's REST API.
    """
    separator = "["
    for text in _objects(results):
        out.write(f"{separator}\n{text}")
        separator = ","
    out.write("[]\n" if separator == "[" else "\n]\n")


def _objects(results: Iterable[Result]) -> Iterator[str]:
    for result in results:
        yield json.dumps(
            {
                "rank": result.rank,
                "key": result.key,
                "outcome": result.outcome,
                "exit_code": result.exit_code,
                "duration": result.duration,
                "parameters": dict(result.parameters),
                "metrics": {name: finite(value) for name, value in sorted(result.metrics.items())},
                "message": result.message,
                "log": result.log,
            }
        )


def finite(value: float) -> float | str:
    """Return a number as JSON can hold it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def headings(parameters: Sequence[str], metrics: Sequence[str]) -> list[str]:
    """Return the titles of the columns, each another one."""

    def unique(name: str, group: str, others: Iterable[str]) -> str:
        return f"{group}.{name}" if name in (*_FIXED, *_LAST) or name in others else name

    return [
        *_FIXED,
        *[_encodable(unique(name, "parameters", metrics)) for name in parameters],
        *[_encodable(unique(name, "metrics", parameters)) for name in metrics],
        *_LAST,
    ]


def _encodable(text: str) -> str:
    # undecodable bytes of arguments are lone surrogates here, which no output takes
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
