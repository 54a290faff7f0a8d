"""Combinations that wait for their next attempt."""

from __future__ import annotations

import time
from typing import Any

from sweeplib.orchestrate.combination import Again
from sweeplib.orchestrate.later import Later


def again(name: Any, seconds: float) -> Again:
    return Again(name, time.time() + seconds)


def test_the_earliest_comes_first_and_when_it_is_due() -> None:
    later = Later()
    assert (later.wait(5.0), later.due(), len(later)) == (5.0, [], 0)
    for name, seconds in (("b", -1.0), ("c", 60.0), ("a", -2.0)):
        later.put(again(name, seconds))
    assert later.wait(5.0) == 0.0
    assert later.due() == ["a", "b"]
    assert len(later) == 1
    assert later.wait(5.0) == 5.0
    assert 59.0 < later.wait(600.0) <= 60.0


def test_once_all_were_asked_for_nothing_waits() -> None:
    """A command may fail, and be about to wait, when the sweep is ended."""
    later = Later()
    later.put(again("a", 60.0))
    assert later.every() == ["a"]
    later.put(again("b", 3600.0))
    assert later.wait(5.0) == 0.0
    assert later.due() == ["b"]
    assert len(later) == 0
