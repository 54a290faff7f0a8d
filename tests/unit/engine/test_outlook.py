"""The time left, by what combinations are expected to take and what has happened so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.engine import Progress
from sweeplib.engine.outlook import Outlook
from sweeplib.run.model import Outcome
from tests.plans import plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass
class Forecast:
    """Expects of each combination what `seconds` says of its only parameter."""

    seconds: Sequence[float]
    basis: int = 1

    def expected(self, _: object, parameters: Mapping[str, str]) -> Any:
        return SimpleNamespace(seconds=self.seconds[int(parameters["i"])])


@dataclass
class Place:
    """What a submitter says of itself: how many of its commands run."""

    running: int = 0


@dataclass
class Story:
    """A sweep of so many seconds each, told to an outlook on a clock of its own."""

    seconds: Sequence[float]
    places: int = 2
    now: float = 100.0
    place: Place = field(default_factory=Place)

    def __post_init__(self) -> None:
        self.count = len(self.seconds)
        forecast: Any = Forecast(self.seconds)
        self.plan = plan(f"i=0:{self.count - 1}")
        execution: Any = SimpleNamespace(plan=self.plan, forecast=forecast)
        self.outlook = Outlook(execution)
        self.outlook.begin(sum(self.seconds))
        self.waiting = self.count

    def submit(self, *numbers: int, place: Place | None = None) -> None:
        for number in numbers:
            submission = SimpleNamespace(key=str(number), position=number)
            item: Any = SimpleNamespace(
                submission=submission, expected=SimpleNamespace(seconds=self.seconds[number])
            )
            where: Any = place or self.place
            self.outlook.submitted(item, where)
            self.waiting -= 1

    def end(self, *numbers: int) -> None:
        for number in numbers:
            self.outlook.ended(str(number))

    def left(self, after: float = 0.0, running: int | None = None) -> float:
        """Return the time left so many seconds later."""
        self.now += after
        if running is not None:
            self.place.running = running
        found = self.outlook.left(self.places, self.waiting, self.now)
        assert found is not None
        return found


def test_as_expected() -> None:
    story = Story([10, 10, 10, 30])
    story.submit(0, 1)
    assert story.left(running=2) == 30
    assert story.left(4) == 26
    story.submit(2, 3)
    story.end(0, 1)
    assert story.left(6) == 30, "the last, which has just begun"
    assert story.left(10) == 20


def test_what_takes_longer_than_expected_takes_as_long_again() -> None:
    story = Story([1, 1, 1])
    story.submit(0, 1, 2)
    assert story.left(running=3) == 1.5
    assert story.left(0.5) == 0.75
    assert [story.left(after) for after in (1.5, 8, 30)] == [1.5, 13.5, 58.5]
    story.places = 3
    assert story.left() == 39


@given(
    st.lists(st.floats(0.01, 100), min_size=1, max_size=8),
    st.integers(1, 4),
    st.lists(st.floats(0, 50), max_size=6),
)
def test_what_runs_beyond_its_time_is_never_done_at_once(
    seconds: list[float], places: int, gaps: list[float]
) -> None:
    story = Story(seconds, places)
    story.submit(*range(len(seconds)))
    ran = 0.0
    story.left(running=min(places, len(seconds)))
    for gap in gaps:
        ran += gap
        found = story.left(gap)
        assert found >= max(abs(each - ran) for each in seconds[:places]) - 1e-6


def test_the_pace_counts_once_enough_have_ended() -> None:
    story = Story([1] * 10, places=1)
    story.place.running = 1
    for number in range(4):
        story.submit(number)
        story.left()
        story.end(number)
        story.left(3)
    assert story.left() == pytest.approx(18)


def test_while_nothing_runs_time_does_not_count() -> None:
    story = Story([1] * 8)
    story.submit(0, 1, 2, 3)
    assert [story.left(after, running=0) for after in (0, 60, 600)] == [4, 4, 4]
    assert story.left(running=2) == 4
    assert story.left(0.5) == 3.5


def test_what_waits_at_a_place_where_nothing_runs_does_not_age() -> None:
    story = Story([1] * 8, places=4)
    night = Place()
    story.submit(4, 5, 6, 7, place=night)
    story.submit(0, 1, 2, 3)
    assert story.left(running=2) == 2
    story.end(0, 1)
    assert story.left(1) == 1.5
    story.end(2, 3)
    assert [story.left(after, running=0) for after in (1, 60)] == [1, 1]
    night.running = 2
    assert story.left() == 1


def test_by_the_pace_of_the_time_in_which_something_ran() -> None:
    progress = Progress(total=6, before=0, running=0, outcomes={Outcome.COMPLETED: 2}, idle=60.0)
    assert progress.time_left(70.0) == 20
    assert progress.time_left(50.0) is None
