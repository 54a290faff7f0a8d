"""Combinations side by side: where their parameters, metrics and ends differ."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from sweeplib.report.duration import humanise
from sweeplib.report.export import finite
from sweeplib.report.results import names_of_metrics, names_of_parameters
from sweeplib.report.table import Column, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweeplib.ledger import Sweep
    from sweeplib.report.results import Result

__all__ = ["Aspect", "aspects_of", "columns_of_aspects", "write_aspects_csv", "write_aspects_json"]

_KEY = 8  # digits of a key that are shown
_TEXT = 12  # width down to which values are folded on a narrow terminal


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing to compare: its kind, its name, and the value that each combination has (None: none)."""

    kind: str
    name: str
    values: tuple[str | float | None, ...]

    @property
    def differs(self) -> bool:
        """Whether not all have the same."""
        return len(set(self.values)) > 1


def aspects_of(results: Sequence[Result], sweeps: Sequence[Sweep]) -> list[Aspect]:
    """Return all aspects of combinations, each with the sweep that it was in."""
    commits = [None if sweep.git is None else str(sweep.git["commit"]) for sweep in sweeps]
    return [
        Aspect("", "job", tuple(sweep.job for sweep in sweeps)),
        *[
            Aspect("parameter", name, tuple(each.parameters.get(name) for each in results))
            for name in names_of_parameters(results)
        ],
        *[
            Aspect("metric", name, tuple(each.metrics.get(name) for each in results))
            for name in names_of_metrics(results)
        ],
        Aspect("", "outcome", tuple(each.outcome or "running" for each in results)),
        Aspect("", "duration", tuple(each.duration for each in results)),
        Aspect("", "git commit", tuple(commits)),
    ]


def columns_of_aspects(aspects: Sequence[Aspect], results: Sequence[Result]) -> list[Column]:
    """Return the columns of a table: what is compared, and a column a combination."""
    return [
        Column("", [aspect.kind for aspect in aspects]),
        Column("", [printable(aspect.name) for aspect in aspects]),
        *[
            Column(each.key[:_KEY], [_text(aspect, number) for aspect in aspects], folds=_TEXT)
            for number, each in enumerate(results)
        ],
    ]


def _text(aspect: Aspect, number: int) -> str:
    value = aspect.values[number]
    if value is None:
        return "-"
    if isinstance(value, str):
        return printable(value)
    return humanise(value) if aspect.name == "duration" and not aspect.kind else f"{value:.6g}"


def write_aspects_csv(aspects: Sequence[Aspect], results: Sequence[Result], out: TextIO) -> None:
    """Write a heading with the keys, and a line an aspect; durations are in seconds."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["kind", "name", *[each.key for each in results]])
    for aspect in aspects:
        writer.writerow([aspect.kind, aspect.name, *aspect.values])


def write_aspects_json(aspects: Sequence[Aspect], results: Sequence[Result], out: TextIO) -> None:
    """Write a list of objects, one an aspect, with the values by key; durations are in seconds."""
    keys = [each.key for each in results]
    found = [
        {
            "kind": aspect.kind,
            "name": aspect.name,
            "differs": aspect.differs,
            "values": {
                key: finite(value) if isinstance(value, float) else value
                for key, value in zip(keys, aspect.values, strict=True)
            },
        }
        for aspect in aspects
    ]
    out.write(json.dumps(found, indent=2) + "\n")
