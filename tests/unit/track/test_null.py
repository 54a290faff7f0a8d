"""The tracker of jobs that are not tracked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeplib.track import NullTracker, make_tracker

if TYPE_CHECKING:
    from pathlib import Path


def test_it_adds_nothing_and_acknowledges_nothing(kit, folder: Path) -> None:
    with make_tracker(folder, enabled=False) as tracker:
        assert isinstance(tracker, NullTracker)
        tracker.begin(kit.sweep())
        tracker.open([kit.run("a")])
        assert tracker.environment("a") == {}
        tracker.end(kit.attempt("a"))
        tracker.report(kit.sweep(), [])
        assert tracker.drain() == []
        assert tracker.finish("completed", 1) == []
    assert list(folder.iterdir()) == []
