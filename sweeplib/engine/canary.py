"""The combinations that run first, and have to complete for the others to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeplib.plan.canary import canaries

if TYPE_CHECKING:
    from sweeplib.engine.execution import Execution, Item
    from sweeplib.plan.canary import Canaries

__all__ = ["Trial", "trial_of"]


@dataclass(frozen=True, slots=True)
class Trial:
    """The canaries of a sweep: `items` are to run, `failed_before` failed and are not to be tried again.

    `count` is how many there are; `words` say which, and why.
    """

    items: tuple[Item, ...]
    count: int
    failed_before: int
    words: str

    def verdict(self, failed: int, left: int) -> str:
        """Return what to say when so many failed, and so many combinations were not started."""
        text = f"canary: {failed} of {self.count} failed"
        if not left:
            return text
        return f"{text}; {left:,} combination{'s were' if left > 1 else ' was'} not started"


def trial_of(execution: Execution) -> Trial | None:
    """Return the canaries of a sweep; None where its job has none, or all of them have completed."""
    job = execution.plan.job
    if job.canary is None or job.kind == "submit":
        return None
    found = canaries(execution.plan, None if job.canary is True else job.canary)
    known = list(execution.items([execution.plan[place] for place in found.positions]))
    items = tuple(item for item in known if item.free)
    failed = sum(item.failed for item in known)
    if not items and not failed:
        return None
    labels = ", ".join(item.submission.label for item in items[:_SHOWN])
    more = f", and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    done = len(known) - len(items) - failed
    before = f" ({done} of {len(known)} ran before)" if done else ""
    return Trial(items, len(known), failed, f"canary: first {labels}{more}{before}, with {_values(found)}")


_SHOWN = 8


def _values(found: Canaries) -> str:
    if found.touched == found.values:
        return f"all of {found.values:,} parameter values" + (" that were looked at" if found.sampled else "")
    looked = " that were looked at" if found.sampled else ""
    return f"{found.touched:,} of {found.values:,} parameter values{looked}; {found.needed:,} would have all"
