"""Which combinations of a plan are not done yet."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from sweeplib.plan.identity import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweeplib.ledger import Ledger
    from sweeplib.plan import Combination, Plan

__all__ = ["Candidate", "remaining"]

_BATCH = 512  # combinations a query


@dataclass(frozen=True, slots=True)
class Candidate:
    """A combination of the plan, its key, and what is known of it.

    `done` says that it completed in the lineage before; `elsewhere` names the living sweep that runs it.
    """

    combination: Combination
    key: str
    done: bool
    elsewhere: str | None

    @property
    def free(self) -> bool:
        """Whether this sweep is to run it."""
        return not self.done and self.elsewhere is None


def remaining(plan: Plan, ledger: Ledger, sweep: str, lineage: str) -> Iterator[Candidate]:
    """Yield every combination of the plan once, in order, a key that stands twice only the first time.

    The ledger is asked a batch at a time, so memory does not grow with the plan, but for the keys seen.
    """
    seen: set[str] = set()
    walk = iter(plan)
    while batch := list(islice(walk, _BATCH)):
        keyed = {}
        for combination in batch:
            key = digest(combination.part.prefix, combination.cells)
            if key not in seen:
                seen.add(key)
                keyed[key] = combination
        done = ledger.done(lineage, list(keyed))
        claimed = ledger.claimed(lineage, [key for key in keyed if key not in done], besides=sweep)
        for key, combination in keyed.items():
            yield Candidate(combination, key, key in done, claimed.get(key))
