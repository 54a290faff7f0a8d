"""Which sweeps and combinations a person wants to see: by tag, status, name and time."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from sweeplib.errors import InputError
from sweeplib.jobs.units import parse_duration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sweeplib.ledger import Combination, Sweep

__all__ = ["Filter", "moment"]


@dataclass(frozen=True, slots=True)
class Filter:
    """What is wanted; of several tags all, of several states any. Names may have ``*``, ``?`` and ``[…]``.

    `since` and `until` are seconds since the epoch, of the start. What is left out wants everything.
    """

    tags: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    name: str | None = None
    since: float | None = None
    until: float | None = None

    def __bool__(self) -> bool:
        """Tell whether anything is left out."""
        return self != Filter()

    def wants_sweep(self, sweep: Sweep, state: str, more_tags: Collection[str] = ()) -> bool:
        """Tell whether a sweep in that state is wanted; `more_tags` are those of its combinations."""
        tags = {*json.loads(sweep.spec).get("tags", ()), *more_tags}
        return self._wants(tags, state, (sweep.tag, sweep.job), sweep.created)

    def wants_combination(self, row: Combination, job_tags: Iterable[str]) -> bool:
        """Tell whether a combination of a job with those tags is wanted."""
        return self._wants({*job_tags, *row.tags}, row.outcome or "running", (row.label,), row.started)

    def _wants(self, tags: set[str], state: str, names: tuple[str, ...], started: float | None) -> bool:
        if not tags.issuperset(self.tags) or (self.states and state not in self.states):
            return False
        if self.name is not None and not any(fnmatchcase(name, self.name) for name in names):
            return False
        if self.since is not None and (started is None or started < self.since):
            return False
        return self.until is None or (started is not None and started <= self.until)


def moment(text: str, now: float) -> float:
    """Return the time that a text means, in seconds since the epoch.

    A date or a time of this machine's zone (``2026-11-21``, ``2026-11-21 14:30``), or how long ago (``2h``).
    Raises `InputError`.
    """
    with suppress(ValueError, OverflowError):  # as it is at the ends of the calendar, in some zones
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.astimezone()).astimezone(UTC).timestamp()
    try:
        return now - parse_duration(text.strip())
    except InputError:
        msg = (
            f"{text!r} is no time; write a date (2026-11-21), a time (2026-11-21 14:30) or how long ago (2h)"
        )
        raise InputError(msg) from None
