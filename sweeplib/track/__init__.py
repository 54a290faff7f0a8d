"""Tracking: sweeps recorded in MLflow, or nowhere. Importing this does not import MLflow."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sweeplib.track.null import NullTracker
from sweeplib.track.results import metrics_of
from sweeplib.track.store import tracking_uri
from sweeplib.track.tracker import MlflowTracker, start_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweeplib.engine import Tracker

__all__ = ["MlflowTracker", "NullTracker", "make_tracker", "metrics_of", "start_ahead", "tracking_uri"]


@contextmanager
def make_tracker(project: Path, *, enabled: bool = True) -> Iterator[Tracker]:
    """Yield the tracker of one sweep; on leaving, its worker process is gone whatever happened."""
    if not enabled:
        yield NullTracker()
        return
    tracker = MlflowTracker(project)
    try:
        yield tracker
    finally:
        tracker.close()
