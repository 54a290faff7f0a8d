"""Metrics that the ledger has not: MLflow is asked for them."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sweeplib.cli.output import note

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Metrics"]


class Metrics:
    """What MLflow knows of a project's sweeps: asked only if it is called."""

    def __init__(self, project: Path, tracked: set[str]) -> None:
        self._project = project
        self._tracked = tracked

    def __call__(self, sweeps: Sequence[str]) -> Mapping[tuple[str, str], Mapping[str, float]]:
        """Return the metrics of the combinations of those of `sweeps` that were tracked."""
        wanted = [sweep for sweep in sweeps if sweep in self._tracked]
        if not wanted:
            return {}
        from sweeplib.track import metrics_of

        with _warnings_as_notes():
            return metrics_of(self._project, wanted)


@contextmanager
def _warnings_as_notes() -> Iterator[None]:
    """Pass on what the tracking warns of as notes to the user."""
    handler = _Notes(logging.WARNING)
    logger = logging.getLogger("sweeplib.track")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())
