"""Which combinations of a plan are not done yet."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sweeplib.engine.code import Outdated
    from sweeplib.ledger import Ledger
    from sweeplib.plan import Combination, Command, Line

__all__ = ["Candidate", "Standing", "remaining"]

_BATCH = 512  # combinations a query


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of something that there is to run.

    `repeated` says that its key stands in the plan before. If not, `done` says that it completed in the
    lineage before, `elsewhere` names the living sweep that runs it, and `failed` says that it failed before
    and is not to be tried again. `outdated` is the sweep that completed it with another code, where that
    means that it is to be run again.
    """

    done: bool = False
    elsewhere: str | None = None
    repeated: bool = False
    failed: bool = False
    outdated: str | None = None

    @property
    def free(self) -> bool:
        """Whether this sweep is to run it."""
        return not (self.done or self.repeated or self.failed) and self.elsewhere is None


@dataclass(frozen=True, slots=True)
class Candidate(Standing):
    """A combination of the plan, its key, and what is known of it."""

    combination: Combination | Line | Command
    key: str


def remaining(
    plan: Iterable[Combination | Line | Command],
    ledger: Ledger,
    sweep: str,
    lineage: str,
    *,
    retry: bool = True,
    rerun: Outdated | None = None,
) -> Iterator[Candidate]:
    """Yield every combination of the plan, in order; a key that stands twice is to be run the first time.

    Without `retry`, what failed or timed out before is left as it is. With `rerun`, what is outdated is not
    done. The ledger is asked a batch at a time,
    so memory does not grow with the plan, but for the keys seen.
    """
    seen: set[str] = set()
    walk = iter(plan)
    while batch := list(islice(walk, _BATCH)):
        keys = [combination.key for combination in batch]
        fresh = [key for key in dict.fromkeys(keys) if key not in seen]
        done = ledger.done(lineage, fresh)
        outdated = {} if rerun is None else rerun.of(lineage, zip(keys, batch, strict=True), done)
        done -= outdated.keys()
        undone = [key for key in fresh if key not in done]
        claimed = ledger.claimed(lineage, undone, besides=sweep)
        failed = set() if retry else ledger.failed(lineage, undone) - claimed.keys() - outdated.keys()
        for combination, key in zip(batch, keys, strict=True):
            if key in seen:
                yield Candidate(combination, key, repeated=True)
            else:
                seen.add(key)
                yield Candidate(
                    combination,
                    key,
                    done=key in done,
                    elsewhere=claimed.get(key),
                    failed=key in failed,
                    outdated=outdated.get(key),
                )
