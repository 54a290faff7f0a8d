"""How long the rest of a sweep takes, by what its combinations are expected to take.

One that is expected to take `e` seconds and has run for `r` has ``|e - r|`` seconds left: the longer it runs
beyond what was expected, the longer it is expected to go on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate, islice
from typing import TYPE_CHECKING

from sweeplib.plan.picks import pick

if TYPE_CHECKING:
    from sweeplib.engine.execution import Execution, Item
    from sweeplib.engine.model import Submitter

__all__ = ["Outlook"]

_SAMPLE = 500  # combinations of a plan that stand for all
_ENOUGH = 4  # combinations that ended, for the time they took to count


@dataclass(eq=False, slots=True)
class _Lane:
    """What is out at one submitter, by key, in its order: the first of it runs, as much as that says.

    Its `clock` stands still while nothing runs there: before a flow run in a pool has begun.
    """

    submitter: Submitter
    out: dict[str, float] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)
    clock: float = 0.0
    ran: int = 0

    def look(self, gap: float) -> float:
        """See what runs, `gap` seconds after the last look; return how long commands ran in them."""
        busy = gap * self.ran
        self.clock += gap if self.ran else 0.0
        running = self.submitter.running
        for key in islice(self.out, running):
            self.begun.setdefault(key, self.clock)
        self.ran = min(running, len(self.begun))
        return busy

    def passed(self) -> list[tuple[float, float]]:
        """Return of each that has begun what it is expected to take, and how long it has run."""
        return [(self.out[key], self.clock - begun) for key, begun in self.begun.items()]


class Outlook:
    """Adds up what the combinations that have not ended are expected to take.

    What has not been submitted is known by its sum, where it is held (`begin`), or else by a sample of the
    plan's combinations behind the last that was submitted since `begin`. All times are in seconds;
    `now` is of any clock that never goes back.
    """

    def __init__(self, execution: Execution) -> None:
        plan, forecast = execution.plan, execution.forecast
        sampled = pick(_SAMPLE, len(plan), 0) if forecast.basis and plan.job.kind != "submit" else ()
        looked = [(place, plan[place]) for place in sampled]
        found = [(place, forecast.expected(each, each.parameters)) for place, each in looked]
        known = [(place, expected.seconds) for place, expected in found if expected is not None]
        self._places = [place for place, _ in known]
        self._sums = list(accumulate((seconds for _, seconds in reversed(known)), initial=0.0))[::-1]
        self.known = bool(known)
        """Whether it can tell anything."""
        self._mean = self._sums[0] / len(known) if known else 0.0
        self._held: float | None = None
        self._passed = 0
        self._lanes: dict[int, _Lane] = {}
        self._sum = 0.0
        self._ended = 0
        self._done = 0.0
        self._busy = 0.0
        self._looked: float | None = None

    def begin(self, seconds: float | None) -> None:
        """Take the sum of all that is to be submitted from now on, None where that is not known."""
        self._held = seconds
        self._passed = 0

    def submitted(self, item: Item, submitter: Submitter) -> None:
        """Take a combination that `submitter` has; where nothing is known, it takes as long as others."""
        found = self._mean if item.expected is None else item.expected.seconds
        position = item.submission.position
        lane = self._lanes.setdefault(id(submitter), _Lane(submitter))
        lane.out[item.submission.key] = found
        self._sum += found
        if self._held is not None:
            self._held = max(0.0, self._held - found)
        while self._passed < len(self._places) and self._places[self._passed] <= position:
            self._passed += 1

    def ended(self, key: str) -> None:
        """Take a combination that has ended."""
        for lane in self._lanes.values():
            if key in lane.out:
                found = lane.out.pop(key)
                lane.begun.pop(key, None)
                self._sum -= found
                self._done += found
                self._ended += 1

    def left(self, places: int, waiting: int, now: float) -> float | None:
        """Return the seconds until all has ended, with so many places and so many that were not submitted."""
        if not self.known:
            return None
        gap, self._looked = now - (now if self._looked is None else self._looked), now
        self._busy += sum(lane.look(gap) for lane in self._lanes.values())
        passed = [each for lane in self._lanes.values() for each in lane.passed()]
        pace = self._pace(self._done + sum(map(min, passed)))
        rests = [abs(expected * pace - ran) for expected, ran in passed]
        still = max(0.0, self._sum - sum(expected for expected, _ in passed)) + self._waiting(waiting)
        return max((sum(rests) + still * pace) / places, max(rests, default=0.0))

    def _waiting(self, count: int) -> float:
        """Return how much work so many combinations are that were not submitted."""
        if self._held is not None:
            return self._held
        behind = len(self._places) - self._passed
        return count * (self._sums[self._passed] / behind if behind else self._mean)

    def _pace(self, done: float) -> float:
        """Return how many times as long as expected it takes, by what has been done so far."""
        return self._busy / done if self._ended >= _ENOUGH and done > 0 else 1.0
