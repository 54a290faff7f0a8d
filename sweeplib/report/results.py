"""The results of a job: each combination with its parameters, outcome, duration and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sweeplib.ledger import Combination

    Fetch = Callable[[Sequence[str]], Mapping[tuple[str, str], Mapping[str, float]]]

__all__ = ["Result", "constant_parameters", "gather", "names_of_metrics", "names_of_parameters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one combination.

    `outcome` is None while it has not ended. `duration` is in seconds, of the attempt that decided
    the outcome, and None where none ended; `started` (seconds since the epoch), `exit_code` and `log`, the
    file that holds its output, are that attempt's too. `sweep` is the id of the one that it was in, `command`
    what a shell would be given. `rank` counts from 1, the best first; None: not ranked.
    """

    key: str
    outcome: Outcome | None
    duration: float | None
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    message: str = ""
    label: str = ""
    exit_code: int | None = None
    log: str = ""
    sweep: str = ""
    command: str = ""
    attempts: int = 0
    started: float | None = None
    rank: int | None = None

    @property
    def ended_badly(self) -> bool:
        """Whether it ended without completing."""
        return self.outcome not in (Outcome.COMPLETED, None)


def gather(rows: Iterable[Combination], fetch: Fetch) -> list[Result]:
    """Return the results that the ledger's `rows` hold, in their order.

    `fetch` is given the sweeps of completed rows whose metrics the ledger does not have, and returns
    what is known elsewhere, by sweep and key. It is not called where nothing lacks.
    """
    held = list(rows)
    lacking = {row.sweep for row in held if row.metrics is None and row.outcome is Outcome.COMPLETED}
    found = fetch(sorted(lacking)) if lacking else {}
    return [_result(row, found.get((row.sweep, row.key), {})) for row in held]


def _result(row: Combination, found: Mapping[str, float]) -> Result:
    return Result(
        key=row.key,
        outcome=row.outcome,
        duration=None if row.started is None or row.ended is None else row.ended - row.started,
        parameters=row.parameters,
        metrics=found if row.metrics is None else row.metrics,
        message=row.message,
        label=row.label,
        exit_code=row.exit_code,
        log=row.log,
        sweep=row.sweep,
        command=row.command,
        attempts=row.attempts,
        started=row.started,
    )


def names_of_parameters(results: Iterable[Result]) -> list[str]:
    """Return all parameters, in the order in which they first appear."""
    return list(dict.fromkeys(name for result in results for name in result.parameters))


def names_of_metrics(results: Iterable[Result]) -> list[str]:
    """Return all metrics, in the order of the alphabet."""
    return sorted({name for result in results for name in result.metrics})


def constant_parameters(results: Sequence[Result]) -> set[str]:
    """Return the parameters that have one value in all of several results."""
    if len(results) < 2:
        return set()
    shared = set(results[0].parameters.items())
    for result in results[1:]:
        shared.intersection_update(result.parameters.items())
    return {name for name, _ in shared}
