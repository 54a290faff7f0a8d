"""How long the rest of a sweep takes, by what its combinations are expected to take."""

from __future__ import annotations

from itertools import accumulate, islice
from typing import TYPE_CHECKING

from sweeplib.plan.rows import pick

if TYPE_CHECKING:
    from sweeplib.engine.execution import Execution, Item

__all__ = ["Outlook"]

_SAMPLE = 500  # combinations of a plan that stand for all
_ENOUGH = 4  # combinations that ended, for the time they took to count


class Outlook:
    """Adds up what the combinations that have not ended are expected to take.

    What has not been submitted is known by its sum, where it is held (`begin`), or else by a sample of the
    plan's combinations behind the last that was submitted since `begin`. All times are in seconds;
    `now` is of any clock that never goes back.
    """

    def __init__(self, execution: Execution) -> None:
        plan, forecast = execution.plan, execution.forecast
        sampled = pick(_SAMPLE, len(plan), 0) if forecast.basis and plan.job.kind != "submit" else ()
        found = [(place, forecast.expected(plan[place].parameters)) for place in sampled]
        known = [(place, expected.seconds) for place, expected in found if expected is not None]
        self._places = [place for place, _ in known]
        self._sums = list(accumulate((seconds for _, seconds in reversed(known)), initial=0.0))[::-1]
        self.known = bool(known)
        """Whether it can tell anything."""
        self._mean = self._sums[0] / len(known) if known else 0.0
        self._held: float | None = None
        self._passed = 0
        self._out: dict[str, float] = {}
        self._begun: dict[str, float] = {}
        self._sum = 0.0
        self._ended = 0
        self._done = 0.0
        self._busy = 0.0
        self._looked: float | None = None

    def begin(self, seconds: float | None) -> None:
        """Take the sum of all that is to be submitted from now on, None where that is not known."""
        self._held = seconds
        self._passed = 0

    def submitted(self, item: Item) -> None:
        """Take a combination that is submitted; where nothing is known of it, it takes as long as others."""
        found = self._mean if item.expected is None else item.expected.seconds
        position = item.submission.position
        self._out[item.submission.key] = found
        self._sum += found
        if self._held is not None:
            self._held = max(0.0, self._held - found)
        while self._passed < len(self._places) and self._places[self._passed] <= position:
            self._passed += 1

    def ended(self, key: str) -> None:
        """Take a combination that has ended."""
        if key in self._out:
            found = self._out.pop(key)
            self._sum -= found
            self._done += found
            self._ended += 1
            self._begun.pop(key, None)

    def left(self, places: int, waiting: int, now: float) -> float | None:
        """Return the seconds until all has ended, with so many places and so many that were not submitted."""
        if not self.known:
            return None
        self._busy += (now - self._looked) * len(self._begun) if self._looked is not None else 0.0
        self._looked = now
        for key in islice(self._out, places):
            self._begun.setdefault(key, now)
        rests = [max(0.0, self._out[key] - (now - begun)) for key, begun in self._begun.items()]
        gone = sum(self._out[key] for key in self._begun) - sum(rests)
        work = max(0.0, self._sum - gone) + self._waiting(waiting)
        return max(work / places, max(rests, default=0.0)) * self._pace(self._done + gone)

    def _waiting(self, count: int) -> float:
        """Return how much work so many combinations are that were not submitted."""
        if self._held is not None:
            return self._held
        behind = len(self._places) - self._passed
        return count * (self._sums[self._passed] / behind if behind else self._mean)

    def _pace(self, done: float) -> float:
        """Return how many times as long as expected it takes, by what has been done so far."""
        return self._busy / done if self._ended >= _ENOUGH and done > 0 else 1.0
