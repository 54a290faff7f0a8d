"""Reading back what MLflow holds of earlier sweeps."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from sweeplib.track.channel import Channel
from sweeplib.track.messages import Answer, Collect
from sweeplib.track.store import LOG, tracking_uri

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["metrics_of"]

_logger = logging.getLogger("sweeplib.track")
_PATIENCE = 60.0  # seconds for all of it, the import of MLflow too


def metrics_of(
    project: Path, sweep_ids: Iterable[str], *, patience: float = _PATIENCE
) -> dict[tuple[str, str], dict[str, float]]:
    """Return the metrics in MLflow by sweep and key, of the combinations that have any there.

    Where a combination has several runs, those that started later win name by name. What cannot be read
    within `patience` seconds is left out, with a logged warning. MLflow runs in a process of its own,
    as it does when it records.
    """
    uri = tracking_uri(project)
    path = uri.removeprefix("sqlite:///")
    if path != uri and not (project / path).exists():
        return {}
    channel = Channel(project, uri)
    timer = threading.Timer(patience, channel.kill)
    timer.start()
    found: dict[tuple[str, str], dict[str, float]] = {}
    try:
        for sweep in sweep_ids:
            reply = channel.ask(Collect(sweep=sweep))
            if reply.answer is not Answer.DONE:
                raise ConnectionError(reply.text)
            for run in reply.found:
                found.setdefault((sweep, run.key), {}).update(run.metrics)
    except ConnectionError as error:
        _logger.warning("MLflow did not answer (%s): metrics may be missing; see %s", error, LOG)
    finally:
        timer.cancel()
        channel.stop(1.0)
    return {place: metrics for place, metrics in found.items() if metrics}
