"""The combinations of a running sweep: what is done, submitted, recorded, tracked."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

from sweeplib.errors import UnknownKeyError
from sweeplib.ledger.rows import attempt_values, json_text, submission_values
from sweeplib.ledger.sweeps import SweepRecords

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweeplib.ledger.rows import Submission
    from sweeplib.run.model import Attempt

__all__ = ["CombinationRecords"]


class CombinationRecords(SweepRecords):
    """What an engine asks and tells the ledger while a sweep runs.

    To submit what is neither done nor claimed by another sweep, with no sweep in between::

        with ledger.transaction():
            skip = ledger.done(lineage, keys) | ledger.claimed(lineage, keys, besides=sweep).keys()
            ledger.submit(sweep, [s for s in submissions if s.key not in skip])
    """

    def done(self, lineage: str, keys: Iterable[str]) -> set[str]:
        """Return those of `keys` that a sweep of the lineage completed."""
        found = self._read(lambda row: str(row[0]), "done", lineage=lineage, keys=json.dumps(list(keys)))
        return set(found)

    def done_in(self, lineage: str, keys: Iterable[str]) -> dict[str, tuple[str, float | None]]:
        """Return those of `keys` that are done, with the newest sweep that completed each, and its start."""
        found = self._read(
            lambda row: (str(row["key"]), (str(row["sweep"]), row["started"])),
            "done_in",
            lineage=lineage,
            keys=json.dumps(list(keys)),
        )
        return dict(found)

    def failed(self, lineage: str, keys: Iterable[str]) -> set[str]:
        """Return those of `keys` that failed or timed out in the last sweep of the lineage that had them."""
        found = self._read(lambda row: str(row[0]), "failed", lineage=lineage, keys=json.dumps(list(keys)))
        return set(found)

    def claimed(self, lineage: str, keys: Iterable[str], *, besides: str | None = None) -> dict[str, str]:
        """Return those of `keys` that stand submitted in a running sweep of the lineage, with its id.

        The sweep `besides`, the caller's own, does not count. Of several sweeps the oldest is told.
        A sweep whose owner died claims its keys until it is finished as lost.
        """
        found = self._read(
            lambda row: (str(row["key"]), str(row["sweep"])),
            "claimed",
            lineage=lineage,
            besides=besides,
            keys=json.dumps(list(keys)),
        )
        return dict(found)

    def last_attempt(self, sweep_id: str, key: str) -> int:
        """Return the highest number of an attempt at a combination that is on record, 0 if there is none."""
        return self._read(lambda row: int(row[0]), "last_attempt", sweep=sweep_id, key=key)[0]

    def count_done(self, lineage: str) -> int:
        """Return how many combinations are done in a lineage at most, at the cost of one look at an index.

        One that several sweeps completed counts so many times.
        """
        return self._read(lambda row: int(row[0]), "count_done", lineage=lineage)[0]

    def chunks(self, sweep_id: str, keys: Iterable[str]) -> dict[str, int | None]:
        """Return the chunks of those of `keys` that were submitted in the sweep before."""
        found = self._read(
            lambda row: (str(row["key"]), row["chunk"]),
            "chunks_of",
            sweep=sweep_id,
            keys=json.dumps(list(keys)),
        )
        return dict(found)

    def tags(self, sweep_id: str) -> set[str]:
        """Return the tags that combinations of a sweep have of their own."""
        return set(self._read(lambda row: str(row[0]), "tags_of", sweep=sweep_id))

    def last_chunk(self, sweep_id: str) -> int:
        """Return the highest number of a chunk in a sweep, 0 if there is none."""
        return self._read(lambda row: int(row[0]), "last_chunk", sweep=sweep_id)[0]

    def submit(self, sweep_id: str, submissions: Sequence[Submission]) -> list[Submission]:
        """Set combinations down as submitted, in one transaction; return those that newly are.

        A key that has another outcome than completed, in this sweep, is submitted again. One that
        stands submitted already, or completed, is left alone and not returned: so neither a key
        that a plan has twice nor one that was done meanwhile runs again. One that is submitted
        again stays in its chunk. Raises `UnknownSweepError`.
        """
        with self.transaction():
            lineage = self._lineage_of(sweep_id)
            return [
                submission
                for submission in submissions
                if self._write("submit", **submission_values(sweep_id, lineage, submission))
            ]

    def record(self, sweep_id: str, attempts: Sequence[Attempt]) -> None:
        """Write down how attempts ended, in one transaction.

        The outcome of a combination is completed if any attempt on record completed, and stays so;
        else it is that of the last attempt. An attempt (by key and number) that is on record
        already changes nothing, unless it tells more: that a lost one did end, how one ended that was
        to be cancelled, or that any completed. With its first record a combination stops to stand
        submitted, and to be claimed: record the attempts before a retry together with the last. Raises
        `UnknownKeyError` where a key was never submitted in the sweep; then nothing of it all is written.
        """
        with self.transaction():
            for attempt in attempts:
                place = {"sweep": sweep_id, "key": attempt.key}
                # Number 0 stands for any that did not begin, so perhaps for another one than that on record.
                again = not self._add_attempt(sweep_id, attempt)
                if again and (attempt.number or not self._read(bool, "is_open", **place)):
                    continue
                self._write("decide", sweep=sweep_id, key=attempt.key)
                self._write("count_attempts", sweep=sweep_id, key=attempt.key)

    def set_tracked(
        self, sweep_id: str, rows: Iterable[tuple[str, str | None, Mapping[str, float] | None]]
    ) -> None:
        """Keep that the tracker knows the outcomes of these combinations, in one transaction.

        A row is the key, the MLflow run, and the metrics that the run has; None leaves what is on
        record. Raises `UnknownKeyError` where a key was never submitted in the sweep; then nothing
        of it all is written.
        """
        with self.transaction():
            for key, run_id, metrics in rows:
                values = {"run_id": run_id, "metrics": json_text(metrics)}
                if not self._write("set_tracked", sweep=sweep_id, key=key, **values):
                    raise _never_submitted(sweep_id, key)

    def _add_attempt(self, sweep_id: str, attempt: Attempt) -> int:
        try:
            return self._write("record_attempt", **attempt_values(sweep_id, attempt))
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
                raise
            raise _never_submitted(sweep_id, attempt.key) from error


def _never_submitted(sweep_id: str, key: str) -> UnknownKeyError:
    return UnknownKeyError(f"combination {key} was never submitted in sweep {sweep_id}")
