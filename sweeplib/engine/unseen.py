"""Attempts whose end nobody saw."""

from __future__ import annotations

import time

from sweeplib.run.model import Attempt, Outcome

__all__ = ["unseen"]


def unseen(key: str, message: str, outcome: Outcome = Outcome.LOST) -> Attempt:
    """Return the attempt that stands for one of which there is no record; of `message` the first line."""
    now = time.time()
    line = message.partition("\n")[0]
    return Attempt(key=key, number=0, outcome=outcome, started=now, ended=now, message=line)
