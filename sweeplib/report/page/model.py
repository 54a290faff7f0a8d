"""What a page is made of, and what it says of it in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sweeplib.report.axes import axes_of
from sweeplib.report.failures import explain
from sweeplib.report.page.durations import durations_of
from sweeplib.report.page.importance import importance_of
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweeplib.report.axes import Axis
    from sweeplib.report.failures import FailureGroup
    from sweeplib.report.page.code import CodeState
    from sweeplib.report.page.durations import Durations
    from sweeplib.report.page.importance import Importance
    from sweeplib.report.ranking import Ranking
    from sweeplib.report.results import Result
    from sweeplib.report.standing import Standing

__all__ = ["Report"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A job's results and where they are from.

    `standings` are those of the sweeps that the results were in, the newest first; `narrowed` are the options
    that leave some of the job's results out, in words; `made` is when they were looked at, in seconds since
    the epoch.
    """

    job: str
    ranking: Ranking
    standings: Sequence[Standing]
    code: Sequence[CodeState]
    narrowed: Sequence[str]
    made: float

    @property
    def results(self) -> Sequence[Result]:
        """The results, the best first."""
        return self.ranking.results

    @property
    def best(self) -> Result | None:
        """The best result, None where none is ranked."""
        return next((result for result in self.results if result.rank == 1), None)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many results there are of each outcome, in the order of the outcomes, what runs last."""
        found = Counter(result.outcome for result in self.results)
        return {str(outcome or "running"): found[outcome] for outcome in (*Outcome, None) if found[outcome]}

    @property
    def ranked(self) -> int:
        """How many results have the metric."""
        return sum(result.rank is not None for result in self.results)

    @cached_property
    def seconds(self) -> float:
        """How long all that has ended ran, together."""
        return sum(result.duration or 0 for result in self.results)

    @cached_property
    def axes(self) -> list[Axis]:
        """All parameters."""
        return axes_of(self.results)

    @cached_property
    def varied(self) -> list[Axis]:
        """The parameters in which results differ."""
        return [axis for axis in self.axes if axis.varies]

    @property
    def constant(self) -> dict[str, str]:
        """The parameters that have one value in all results."""
        return {axis.name: axis.texts[0] for axis in self.axes if not axis.varies}

    @cached_property
    def importance(self) -> Importance:
        """How much the metric depends on each parameter."""
        return importance_of(self.ranking, self.varied)

    @cached_property
    def durations(self) -> Durations | None:
        """How long combinations ran."""
        return durations_of(self.results)

    @cached_property
    def failures(self) -> list[FailureGroup[Result]]:
        """What failed, by cause; each group has all its members."""
        return explain(self.results, len(self.results))
