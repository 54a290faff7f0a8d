"""The combinations that run first, and have to complete for the others to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeplib.plan.canary import canaries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweeplib.engine.execution import Execution, Item
    from sweeplib.plan.canary import Canaries

__all__ = ["Trial", "trials"]


@dataclass(frozen=True, slots=True)
class Trial:
    """How the canaries of a sweep stand.

    Of `count`, `items` are to run; `failed` are the keys of those that failed and are not to be tried again,
    `elsewhere` are another sweep's; the others completed. `values` says what values they have.
    """

    items: tuple[Item, ...]
    count: int
    failed: frozenset[str]
    elsewhere: int
    values: str

    def words(self) -> str:
        """Return which run first, and why."""
        labels = ", ".join(item.submission.label for item in self.items[:_SHOWN])
        if len(self.items) > _SHOWN:
            labels += f", and {len(self.items) - _SHOWN} more"
        done = self.count - len(self.items) - len(self.failed) - self.elsewhere
        others = [f"{done} of {self.count} ran before"] if done else []
        others += [f"{self.elsewhere} of {self.count} run in another sweep"] if self.elsewhere else []
        before = f" ({', '.join(others)})" if others else ""
        return f"canary: first {labels}{before}, with {self.values}"

    def verdict(self, failed: int, elsewhere: int, left: int) -> str:
        """Return what to say when so many failed or are another sweep's, and so many were not started."""
        texts = [f"{failed} of {self.count} failed"] if failed else []
        if elsewhere:
            texts.append(f"{elsewhere} of {self.count} {_is(elsewhere)} left to another sweep")
        text = f"canary: {', '.join(texts)}"
        if not left:
            return text
        return f"{text}; {left:,} combination{'s were' if left > 1 else ' was'} not started"


def trials(execution: Execution) -> Iterator[Trial]:
    """Yield how the canaries of a sweep stand at the time, again and again, until all have completed.

    Nothing where the job has none.
    """
    job = execution.plan.job
    if job.canary is None or job.kind == "submit":
        return
    found = canaries(execution.plan, None if job.canary is True else job.canary)
    chosen = [execution.plan[place] for place in found.positions]
    while True:
        known = list(execution.items(chosen))
        trial = Trial(
            items=tuple(item for item in known if item.free),
            count=len(known),
            failed=frozenset(item.submission.key for item in known if item.failed),
            elsewhere=sum(item.elsewhere is not None for item in known),
            values=_values(found),
        )
        if not trial.items and not trial.failed and not trial.elsewhere:
            return
        yield trial


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


_SHOWN = 8


def _values(found: Canaries) -> str:
    if found.touched == found.values:
        return f"all of {found.values:,} parameter values" + (" that were looked at" if found.sampled else "")
    looked = " that were looked at" if found.sampled else ""
    return f"{found.touched:,} of {found.values:,} parameter values{looked}; {found.needed:,} would have all"
