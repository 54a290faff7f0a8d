"""A report as a table for people, and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sweeplib.report.table import Column, plain_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.model import Expectation, Report, Row, Unit

__all__ = ["as_json", "as_table", "quantity"]

_MET = {True: "met", False: "NOT MET", None: "not measured"}


def as_table(report: Report) -> str:
    """Return the machine, one table of all rows, and the expectations."""
    lines = [f"{name}: {text}" for name, text in report.machine.items()]
    lines += ["", *_rows(report)]
    lines += ["", "Expected:", *map(_expectation, report.expectations)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def as_json(report: Report) -> str:
    """Return everything of the report, the samples included, as JSON."""
    document = {
        "machine": report.machine,
        "cases": report.titles,
        "rows": [
            {
                "case": row.case,
                "tool": row.tool,
                "measure": row.measure.name,
                "unit": row.measure.unit,
                "median": row.median,
                "ratio": _ratio(row, report.rows),
                "samples": row.samples,
                "note": row.note,
            }
            for row in report.rows
        ],
        "expectations": [
            {"case": each.case, "text": each.text, "found": each.found, "met": each.met}
            for each in report.expectations
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def quantity(value: float, unit: Unit) -> str:
    """Return a number of three significant digits with its unit; short times in milliseconds."""
    if unit == "s" and value < 0.1:
        return f"{_digits(1000 * value)} ms"
    return f"{_digits(value)} {unit}".rstrip()


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _rows(report: Report) -> Iterator[str]:
    """Yield the table's lines, each case under its title."""
    rows = report.rows
    if not rows:
        return
    columns = [
        Column("measure", [f"  {row.measure.name}" for row in rows]),
        Column("tool", [row.tool for row in rows]),
        Column("median", [_median(row) for row in rows], right=True),
        Column("lowest to highest", [_spread(row) for row in rows], right=True),
        Column("to sweep's", [_factor(_ratio(row, rows)) for row in rows], right=True),
        Column("remarks", [row.note for row in rows]),
    ]
    titles, *lines = plain_lines(columns)
    yield titles
    case = ""
    for row, line in zip(rows, lines, strict=True):
        if row.case != case:
            case = row.case
            yield f"({case}) {report.titles[case]}"
        yield line


def _median(row: Row) -> str:
    return "-" if row.median is None else quantity(row.median, row.measure.unit)


def _spread(row: Row) -> str:
    if len(row.samples) < 2:
        return ""
    low, high = (quantity(value, row.measure.unit) for value in (min(row.samples), max(row.samples)))
    return f"{low} to {high}"


def _ratio(row: Row, rows: Sequence[Row]) -> float | None:
    """Return a row's median divided by that of the first tool in its case with this measure."""
    first = next(other for other in rows if (other.case, other.measure) == (row.case, row.measure))
    return row.median / first.median if row.median is not None and first.median else None


def _factor(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}x"


def _expectation(each: Expectation) -> str:
    return f"  ({each.case}) {each.text}: {each.found}: {_MET[each.met]}"
