"""What people and reports ask the ledger, and the ledger as a whole."""

from __future__ import annotations

import json
import sys
from itertools import islice
from typing import TYPE_CHECKING

from sweeplib.errors import AmbiguousKeyError, UnknownKeyError
from sweeplib.ledger.combinations import CombinationRecords
from sweeplib.ledger.rows import Sample, json_text, to_attempt, to_combination, to_duration, to_past
from sweeplib.ledger.sweeps import beyond, listed
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sweeplib.ledger.rows import AttemptRow, Combination, Duration, Past

__all__ = ["Ledger"]

_PAGE = 1000
_SHOWN = 5


class Ledger(CombinationRecords):
    """The durable record of sweeps, combinations and attempts: `Ledger.open` it.

    Threads may share one; processes open one each, any number at once. Every method that writes
    has written, or raised `LedgerError`, when it returns. What it returned for survives the death
    of any process. A power failure may take the last transactions, whole ones, and nothing else.

    Iterators read as they go, a page at a time, in between which the ledger may be written to.
    """

    def counts(self, sweep_id: str) -> dict[Outcome | None, int]:
        """Return how many combinations of a sweep have each outcome; None: submitted, running.

        Every outcome is there, be it with 0.
        """
        return self._counts("counts", sweep=sweep_id)

    def combinations(
        self, sweep_id: str, outcome: Outcome | None = None, limit: int | None = None
    ) -> Iterator[Combination]:
        """Yield the combinations of a sweep, in the order of the plan, at most `limit` of them.

        `outcome` leaves only those that have it. See `open_combinations` for those with none yet.
        """
        if outcome is None:
            pages = self._pages("combinations_after", sweep=sweep_id)
        else:
            pages = self._pages("combinations_of_outcome_after", sweep=sweep_id, outcome=outcome.value)
        return islice(pages, limit)

    def chunk(self, sweep_id: str, number: int) -> list[Combination]:
        """Return the combinations of a sweep that share a chunk, in the order of the plan."""
        return self._read(to_combination, "combinations_of_chunk", sweep=sweep_id, chunk=number)

    def open_combinations(self, sweep_id: str) -> Iterator[Combination]:
        """Yield the combinations of a sweep that stand submitted, in the order of the plan."""
        return self._pages("combinations_of_outcome_after", sweep=sweep_id, outcome=None)

    def untracked(self, *, job: str | None = None, sweep_id: str | None = None) -> Iterator[Combination]:
        """Yield the combinations with an outcome that the tracker has not been told.

        Those of one sweep, or of all sweeps of `job` that are tracked (None: of all jobs), the
        oldest sweep first.
        """
        if sweep_id is not None:
            sweeps = [sweep_id]
        else:
            sweeps = self._read(lambda row: str(row[0]), "tracked_sweeps", job=job)
        for sweep in sweeps:
            yield from self._pages("untracked_after", sweep=sweep)

    def sample(
        self,
        lineage: str,
        outcomes: Iterable[Outcome],
        most: int,
        *,
        sweep_id: str | None = None,
        but: str | None = None,
    ) -> Sample:
        """Return the combinations of a lineage that have one of `outcomes`, in the order of the plan.

        Each key once, as the newest sweep has it in which it has one of them.
        Of more than `most` a sample, the same one every time, in which each has the same chance to be.
        `sweep_id` leaves only those of that sweep; `but` leaves out those that failed, timed out or were lost
        in that one.
        """
        found = self._read(
            lambda row: (to_combination(row), int(row["total"])),
            "sample",
            lineage=lineage,
            sweep=sweep_id,
            but=but,
            outcomes=json.dumps([outcome.value for outcome in outcomes]),
            limit=most,
        )
        return Sample([row for row, _ in found], found[0][1] if found else 0)

    def results(self, job: str, lineage: str) -> Iterator[Combination]:
        """Yield each combination of a lineage of `job` once, as the sweep has it that decides.

        That is the newest sweep that completed it, or else the newest that has it. In the order of
        the plan of the newest sweep that has each. Keys submitted after the first is yielded are
        left out.
        """
        decided = self._read(lambda row: (row["sweep"], row["key"]), "result_rows", job=job, lineage=lineage)
        for start in range(0, len(decided), _PAGE):
            pairs = json.dumps(decided[start : start + _PAGE])
            yield from self._read(to_combination, "combinations_at", pairs=pairs)

    def history(self, lineage: str, keys: Iterable[str]) -> dict[str, list[Past]]:
        """Return what became of `keys` in the sweeps of a lineage, of each the oldest first."""
        found: dict[str, list[Past]] = {}
        for past in self._read(to_past, "history", lineage=lineage, keys=json.dumps(list(keys))):
            found.setdefault(past.key, []).append(past)
        return found

    def last_known(self, keys: Iterable[str]) -> dict[str, Past]:
        """Return what became of `keys` in the newest sweep of any job that completed, or else had, each."""
        return {past.key: past for past in self._read(to_past, "last_known", keys=json.dumps(list(keys)))}

    def ran(self, sweep_id: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the keys and the parameters of a sweep's combinations that ran to some end of their own."""
        after = ""
        while page := self._read(
            lambda row: (str(row["key"]), dict(json.loads(row["parameters"]))),
            "ran_after",
            sweep=sweep_id,
            key=after,
            limit=_PAGE,
        ):
            yield from page
            after = page[-1][0]

    def values(self, job: str) -> dict[str, set[str]]:
        """Return the values that combinations of `job` on record have, by parameter."""
        found: dict[str, set[str]] = {}
        pairs = self._read(lambda row: (str(row["key"]), str(row["value"])), "values_of", job=job)
        for name, value in pairs:
            found.setdefault(name, set()).add(value)
        return found

    def durations(self, job: str, arguments: Sequence[str], limit: int) -> list[Duration]:
        """Return how long at most `limit` combinations took that sweeps of `job` with `arguments` completed.

        Those of the newest sweeps, of all lineages; of a sweep with more of them, a sample.
        """
        given = json_text(tuple(arguments))
        return self._read(to_duration, "durations", job=job, arguments=given, limit=limit)

    def find(self, key_prefix: str, job: str | None = None) -> Combination:
        """Return the combination whose key begins so, as in the newest sweep that has it.

        `job` leaves only combinations of that job. Raises `UnknownKeyError` where no key begins so, and
        `AmbiguousKeyError` where several do.
        """
        where = f" of job {job!r}" if job is not None else ""
        keys = self._read(
            lambda row: str(row[0]),
            "keys_by_prefix",
            prefix=key_prefix,
            beyond=beyond(key_prefix),
            job=job,
            limit=_SHOWN + 1,
        )
        if not keys:
            raise UnknownKeyError(
                f"no combination{where} has a key that begins with {key_prefix!r}; "
                "`sweep results JOB` lists the keys"
            )
        if len(keys) > 1:
            raise AmbiguousKeyError(
                f"several combinations{where} have a key that begins with {key_prefix!r}: "
                f"{listed(keys, _SHOWN)}; give more of it"
            )
        return self._read(to_combination, "newest_of_key", key=keys[0], job=job)[0]

    def jobs_of(self, key: str) -> list[str]:
        """Return the jobs that have a combination of that key, the one that had it last first."""
        return self._read(lambda row: str(row["job"]), "jobs_of_key", key=key)

    def attempts(self, sweep_id: str, key: str) -> list[AttemptRow]:
        """Return the attempts at a combination of a sweep that are on record, by number."""
        return self._read(to_attempt, "attempts_of", sweep=sweep_id, key=key)

    def _counts(self, statement: str, **parameters: object) -> dict[Outcome | None, int]:
        found = self._read(
            lambda row: (None if row["outcome"] is None else Outcome(row["outcome"]), int(row["number"])),
            statement,
            **parameters,
        )
        return {None: 0} | dict.fromkeys(Outcome, 0) | dict(found)

    def _pages(self, statement: str, **parameters: object) -> Iterator[Combination]:
        position, key = -sys.maxsize - 1, ""
        while page := self._read(
            to_combination, statement, position=position, key=key, limit=_PAGE, **parameters
        ):
            yield from page
            position, key = page[-1].position, page[-1].key
