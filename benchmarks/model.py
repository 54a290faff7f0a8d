"""What a benchmark run finds: rows of samples, and whether they are as expected."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Expectation", "Measure", "Report", "Row", "UnavailableError", "Unit", "median_of"]

Unit = Literal["s", "MB", "/s", ""]


class UnavailableError(Exception):
    """A tool is not there, or did not do its work; the message says why."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Something measured: seconds, megabytes (10**6 bytes), commands a second, or a number of things."""

    name: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Row:
    """The samples of one measure of one tool, one a round; none if the tool is not available."""

    case: str
    tool: str
    measure: Measure
    samples: tuple[float, ...]
    note: str = ""

    @property
    def median(self) -> float | None:
        """The median of the samples, None if there are none."""
        return median(self.samples) if self.samples else None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of a case, what was found, and whether that meets it; None: could not be measured."""

    case: str
    text: str
    found: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run: the machine, the titles of the cases by their letters, and what was found."""

    machine: dict[str, str]
    titles: dict[str, str]
    rows: tuple[Row, ...]
    expectations: tuple[Expectation, ...]

    @property
    def ok(self) -> bool:
        """Whether no expectation was found not met."""
        return all(each.met is not False for each in self.expectations)


def median_of(rows: Sequence[Row], tool: str, measure: Measure) -> float | None:
    """Return the median of a tool's samples, None if there are none."""
    return next((row.median for row in rows if row.tool == tool and row.measure == measure), None)
