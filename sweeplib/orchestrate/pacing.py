"""How many events may be on their way to a Prefect server that does not tell when it has recorded them.

Such a server has room for 10,000 events that it has not recorded yet, and drops what does not fit. It takes
them in their order: when the last event of a batch is recorded, those before it are. So what was sent is kept
until that is seen, and sent again where it seems to have been dropped. Where a server never shows what it was
sent, only the rate is left to go by.
"""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Pacing"]

_WINDOW = 2000  # events on their way at most, from one process; a sweep may have several
_STALL = 10.0  # seconds without anything new recorded after which a batch is sent again, …
_SENDINGS = 3  # … so many times in all
_A_SECOND = 40  # events a second to a server that does not show what it records: what a slow one manages
_PREFIX = "prefect.task-run."

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Batch:
    """Events that were sent together; `task_run` and `at`, since the epoch, are of the last of a task run."""

    events: Sequence[bytes]
    task_run: str
    at: float
    sendings: int = 1


class Pacing:
    """Keeps what was sent until it is recorded; of no use to several threads at once."""

    def __init__(self) -> None:
        self._batches: deque[_Batch] = deque()
        self._moved = time.monotonic()
        self._blind = False
        self._credit = 0.0
        self._looked = time.monotonic()

    @property
    def waits(self) -> bool:
        """Whether there is anything to be confirmed."""
        return bool(self._batches)

    def room(self) -> int:
        """Return how many events may be sent now."""
        if not self._blind:
            return max(0, _WINDOW - sum(len(batch.events) for batch in self._batches))
        now = time.monotonic()
        self._credit = min(_WINDOW, self._credit + (now - self._looked) * _A_SECOND)
        self._looked = now
        return int(self._credit)

    def sent(self, events: Sequence[bytes]) -> None:
        """Take note of what was sent."""
        if self._blind:
            self._credit -= len(events)
            return
        last = _last_of_task_run(events)
        if last is not None:
            if not self._batches:
                self._moved = time.monotonic()
            self._batches.append(_Batch(events, *last))

    def confirm(self, state_time: Callable[[str], float | None]) -> Sequence[bytes]:
        """Let go of what is recorded; return what is to be sent again.

        `state_time` tells since when, in seconds since the epoch, a task run is in its state; None for one
        that is not there.
        """
        while self._batches:
            batch = self._batches[0]
            found = state_time(batch.task_run)
            if found is None or found < batch.at - 1e-3:
                break
            self._batches.popleft()
            self._moved = time.monotonic()
        else:
            return ()
        if time.monotonic() - self._moved < _STALL:
            return ()
        self._moved = time.monotonic()
        if batch.sendings < _SENDINGS:
            batch.sendings += 1
            return batch.events
        _logger.warning(
            "the Prefect server does not show the task runs that it was sent; going on at a low rate"
        )
        self._blind = True
        self._batches.clear()
        return ()

    def put_off(self) -> None:
        """Count no time while the server is away."""
        self._moved = time.monotonic()


def _last_of_task_run(events: Sequence[bytes]) -> tuple[str, float] | None:
    """Return the task run of the last event that has one, and the event's time."""
    for event in reversed(events):
        fields = json.loads(event)
        resource = str(fields.get("resource", {}).get("prefect.resource.id", ""))
        if resource.startswith(_PREFIX):
            return resource.removeprefix(_PREFIX), datetime.fromisoformat(fields["occurred"]).timestamp()
    return None
