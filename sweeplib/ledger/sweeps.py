"""The sweeps of the ledger: begun, resumed, ended, found."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING

from sweeplib.errors import AmbiguousSweepError, LedgerError, UnknownSweepError
from sweeplib.ledger.database import Database
from sweeplib.ledger.rows import SweepState, sweep_values, to_sweep

if TYPE_CHECKING:
    from sweeplib.ledger.rows import Sweep

__all__ = ["SweepRecords", "beyond", "listed"]

_SHOWN = 5
_DUPLICATES = {sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE}


class SweepRecords(Database):
    """What the ledger knows about sweeps as a whole."""

    def add_sweep(self, sweep: Sweep) -> None:
        """Add a sweep that begins.

        Its lineage is its own id or that of a sweep on record, else `UnknownSweepError`; its id is
        new, else `LedgerError`.
        """
        with self.transaction():
            if sweep.lineage != sweep.id:
                self._lineage_of(sweep.lineage)
            try:
                self._write("add_sweep", **sweep_values(sweep))
            except sqlite3.IntegrityError as error:
                if error.sqlite_errorcode not in _DUPLICATES:
                    raise
                raise LedgerError(f"{self.path}: sweep {sweep.id} is on record already") from error

    def get_sweep(self, id_or_prefix: str) -> Sweep:
        """Return the sweep whose id begins so, in any case of letters, where only one does.

        Raises `UnknownSweepError` where none does, and `AmbiguousSweepError` where several do.
        """
        prefix = id_or_prefix.upper()
        found = self._read(
            to_sweep, "sweeps_by_prefix", prefix=prefix, beyond=beyond(prefix), limit=_SHOWN + 1
        )
        if not found:
            raise UnknownSweepError(_no_sweep(id_or_prefix))
        if len(found) > 1:
            ids = listed([sweep.id for sweep in found], _SHOWN)
            raise AmbiguousSweepError(
                f"several sweeps have an id that begins with {id_or_prefix!r}: {ids}; give more of it"
            )
        return found[0]

    def sweeps(self, job: str | None = None, limit: int | None = None) -> list[Sweep]:
        """Return the sweeps of `job`, or of all jobs, the newest first, at most `limit` of them."""
        most = -1 if limit is None else limit
        if job is None:
            return self._read(to_sweep, "all_sweeps", limit=most)
        return self._read(to_sweep, "sweeps_of_job", job=job, limit=most)

    def running_sweeps(self, job: str | None = None) -> list[Sweep]:
        """Return the sweeps in state running, the oldest first; their owners may have died."""
        return self._read(to_sweep, "running_sweeps", job=job)

    def sweep_of_flow_run(self, flow_run: str, job: str) -> Sweep | None:
        """Return the newest sweep of `job` that a Prefect flow run began; None where there is none."""
        found = self._read(to_sweep, "sweeps_of_flow_run", flow_run=flow_run, job=job)
        return found[0] if found else None

    def latest_lineage(self, job: str, *, isolated: bool = False) -> str | None:
        """Return the lineage that a next sweep of `job` goes on with; None where there is none.

        Isolated sweeps count only for one that is `isolated` itself.
        """
        lineages = self._read(lambda row: str(row["lineage"]), "latest_lineage", job=job, isolated=isolated)
        return lineages[0] if lineages else None

    def resume_sweep(self, sweep_id: str, *, host: str | None = None, pid: int | None = None) -> Sweep:
        """Set a sweep running again, owned by this process of this host where not said otherwise.

        Its end and a request to cancel it are forgotten. Returns the sweep as it is now. Raises
        `UnknownSweepError`.
        """
        owner = {"host": os.uname().nodename if host is None else host, "pid": pid or os.getpid()}
        with self.transaction():
            self._change("resume_sweep", sweep_id, **owner)
            return self.get_sweep(sweep_id)

    def finish_sweep(self, sweep_id: str, state: SweepState, ended: float | None = None) -> bool:
        """End a running sweep in a final `state`, at `ended` (seconds since the epoch; default: now).

        Returns whether it was running; if not, it keeps the state and the end it has. Raises
        `UnknownSweepError`, and `ValueError` where `state` is running.
        """
        if state is SweepState.RUNNING:
            raise ValueError("a sweep is not finished by running; resume_sweep sets it running")
        with self.transaction():
            self._lineage_of(sweep_id)
            moment = time.time() if ended is None else ended
            return self._write("finish_sweep", id=sweep_id, state=state.value, ended=moment) > 0

    def request_cancel(self, sweep_id: str) -> bool:
        """Ask the owner of a running sweep to cancel it; return whether it is running.

        Raises `UnknownSweepError`.
        """
        with self.transaction():
            self._lineage_of(sweep_id)
            return self._write("request_cancel", id=sweep_id) > 0

    def cancel_requested(self, sweep_id: str) -> bool:
        """Return whether the sweep's owner was asked to cancel it; raises `UnknownSweepError`."""
        answers = self._read(lambda row: bool(row[0]), "cancel_requested", id=sweep_id)
        if not answers:
            raise UnknownSweepError(_no_sweep(sweep_id))
        return answers[0]

    def unreported(self, limit: int) -> list[Sweep]:
        """Return at most `limit` ended sweeps, the newest first, that Prefect may not know all of."""
        return self._read(to_sweep, "unreported", limit=limit)

    def set_reported(self, sweep_id: str) -> None:
        """Remember that Prefect has recorded all of a sweep; raises `UnknownSweepError`."""
        self._change("set_reported", sweep_id)

    def set_done_before(self, sweep_id: str, done_before: int) -> None:
        """Keep how much of the plan was done when the sweep began; raises `UnknownSweepError`."""
        self._change("set_done_before", sweep_id, done_before=done_before)

    def add_code(self, sweep_id: str, since: float, code: str) -> None:
        """Keep the code (JSON text) that a sweep's commands run from `since` on (seconds since the epoch)."""
        self._write("add_code", sweep=sweep_id, since=since, code=code)

    def codes(self, sweep_id: str) -> list[tuple[float, str]]:
        """Return the code of a sweep with the time from which on it was so; of several, the oldest first."""
        return self._read(lambda row: (float(row["since"]), str(row["code"])), "codes_of", sweep=sweep_id)

    def _change(self, statement: str, sweep_id: str, **parameters: object) -> None:
        if not self._write(statement, id=sweep_id, **parameters):
            raise UnknownSweepError(_no_sweep(sweep_id))

    def _lineage_of(self, sweep_id: str) -> str:
        lineages = self._read(lambda row: str(row[0]), "lineage_of", id=sweep_id)
        if not lineages:
            raise UnknownSweepError(_no_sweep(sweep_id))
        return lineages[0]


def beyond(prefix: str) -> str:
    """Return a text that sorts after every text that begins with `prefix`."""
    return prefix + "\U0010ffff"


def listed(texts: list[str], most: int) -> str:
    """Return at most `most` of `texts`, joined by commas, with dots where there are more."""
    return ", ".join([*texts[:most], *(["…"] if len(texts) > most else [])])


def _no_sweep(sweep_id: str) -> str:
    return f"no sweep has an id that begins with {sweep_id!r}; `sweep status` lists the sweeps"
