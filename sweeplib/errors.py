"""Every error that sweeplib raises on purpose; imports nothing local.

The tree::

    SweepError                    exit code 1
    ├── InputError                exit code 2: what the user wrote is wrong
    │   ├── SweepSyntaxError      sweep text that cannot be read
    │   ├── JobFileError          sweeps.yaml that cannot be read
    │   ├── UnknownJobError       no job of that name
    │   ├── UnknownSweepError     no sweep, or more than one, of that id
    │   ├── UnknownKeyError       no combination, or more than one, of that key
    │   ├── ExperimentError       an experiment of a Python program that cannot be run
    │   └── PlanError             a job that cannot become a plan
    │       └── TooManyError      one with more combinations than a plan can hold
    ├── LedgerError               the ledger cannot be read or written
    ├── GuardError                no command can be started on this machine
    ├── ServerError               no Prefect server could be reached or started
    └── ClusterError              no Dask cluster could be reached or started

The text of an error is its user interface: it names the place and the remedy, and the command
line prints it as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ClusterError",
    "ExperimentError",
    "GuardError",
    "InputError",
    "JobFileError",
    "LedgerError",
    "Place",
    "PlanError",
    "ServerError",
    "SweepError",
    "SweepSyntaxError",
    "TooManyError",
    "UnknownJobError",
    "UnknownKeyError",
    "UnknownSweepError",
    "nearest",
    "placed",
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: a file with a line, and the way to it inside the file.

    Every part may be left out; `str()` joins what is there, as in
    ``sweeps.yaml:7: jobs.train.sets[0].each``.
    """

    file: str | None = None
    line: int | None = None
    path: str | None = None

    def __str__(self) -> str:
        """Return ``file:line: path`` with the parts that are known."""
        head = self.file or ""
        if head and self.line is not None:
            head += f":{self.line}"
        return ": ".join(part for part in (head, self.path) if part)


class SweepError(Exception):
    """Base of all errors of sweeplib; `exit_code` is what the command line ends with."""

    exit_code = 1


class InputError(SweepError):
    """What the user wrote is wrong; nothing was run and nothing was lost."""

    exit_code = 2


class SweepSyntaxError(InputError):
    """A sweep text that cannot be read.

    Keeps the text, the span (start and end, in characters) of the spot, what was expected
    there, and the place the text stands at. `str()` draws them with a caret::

        sweeps.yaml:7: jobs.train.sets[0].each
          a=1,,2
              ^
        expected a value between the commas; write '' for an empty text
    """

    def __init__(self, source: str, span: tuple[int, int], expected: str, place: Place | None = None) -> None:
        """Keep what is needed to draw the message (see the class)."""
        self.source = source
        self.span = span
        self.expected = expected
        self.place = place
        super().__init__(source, span, expected, place)

    def __str__(self) -> str:
        """Return the place, the line of the text, a caret under the spot, the expectation."""
        start, end = self.span
        first = self.source.rfind("\n", 0, start) + 1
        last = self.source.find("\n", start)
        line = self.source[first : last if last >= 0 else len(self.source)]
        width = max(1, min(end, first + len(line)) - start)
        lines = [f"  {line}", "  " + " " * (start - first) + "^" * width, self.expected]
        head = str(self.place) if self.place else ""
        return "\n".join([head, *lines] if head else lines)


class JobFileError(InputError):
    """A job file that cannot be read; the text names file and line."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        """Take what is wrong and where."""
        self.message = message
        self.place = place
        super().__init__(f"{place}: {message}" if place and str(place) else message)


class UnknownJobError(InputError):
    """There is no job of that name; the text lists the jobs there are, nearest first."""


class UnknownSweepError(InputError):
    """No sweep has that id, or several begin with it."""


class AmbiguousSweepError(UnknownSweepError):
    """Several sweeps have that tag, or ids that begin so."""


class UnknownKeyError(InputError):
    """No combination has that key, or several begin with it."""


class AmbiguousKeyError(UnknownKeyError):
    """Several combinations have keys that begin so."""


class ExperimentError(InputError, ValueError):
    """An experiment of a Python program that cannot be run."""


class PlanError(InputError):
    """A job that cannot become a plan; the text begins with the place of what is wrong, if it has one."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        """Take what is wrong and where."""
        self.message = message
        self.place = place
        super().__init__(f"{place}: {message}" if place and str(place) else message)


class TooManyError(PlanError):
    """A job with more combinations than a plan can hold, 2**63 - 1."""


class LedgerError(SweepError):
    """The ledger cannot be opened, read or written; the text names the file and the remedy."""


class GuardError(SweepError):
    """The process that starts and watches commands could not be started."""


class PackagesError(SweepError):
    """The packages of a combination cannot be installed; the text has the resolver's words."""


class ServerError(SweepError):
    """No Prefect server could be reached, and none could be started; the text names its log."""


class ClusterError(SweepError):
    """The Dask cluster could not be reached or started; the text names its address or class."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` with the closest of `names`, or an empty text."""
    known = list(names)
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    close = close or [each for each in known if each.casefold() == name.casefold()]
    return f"; did you mean {close[0]!r}?" if close else ""


def placed(error: InputError, place: Place) -> InputError:
    """Return an error as one that names `place`; one that has a place of its own keeps that."""
    if getattr(error, "place", None) is not None:
        return error
    if isinstance(error, SweepSyntaxError):
        return SweepSyntaxError(error.source, error.span, error.expected, place)
    return PlanError(str(error), place)
