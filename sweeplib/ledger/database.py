"""The ledger's file: opening it, one connection for all threads, transactions, what can go wrong.

Two locks are taken for writing. The first, in memory, lets threads share the connection. The
second, on ``ledger.lock`` beside the file, lets one process at a time write: SQLite from 3.7.0 to
3.51.2, which is what most Pythons hold, can lose committed records where one process checkpoints
while another begins the write-ahead log anew (https://www.sqlite.org/wal.html#walresetbug). Ours
checkpoints only while it commits, and therefore never beside another writer.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Self, TypeVar

from sweeplib.errors import LedgerError
from sweeplib.ledger.statements import named, script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

__all__ = ["MIGRATIONS", "Database"]

MIGRATIONS = ("schema.sql", "selection.sql", "reported.sql", "chunks.sql", "commands.sql", "codes.sql")
"""The SQL files that bring a ledger to each next version: the first from 0 (empty) to 1."""

_PATIENCE = 60.0
_LONGEST_PAUSE = 0.02
_DAMAGES = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

_Value = TypeVar("_Value")


class Database:
    """An open ledger file, usable from every thread of one process.

    Not to be carried through a fork: open it anew in the child.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int, patience: float) -> None:
        """Take what `open` made: use that."""
        self.path = path
        self._connection: sqlite3.Connection | None = connection
        self._lock = lock
        self._patience = patience
        self._threads = RLock()

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, patience: float = _PATIENCE) -> Self:
        """Open the ledger at `path`, ``<project>/.sweep/ledger.db``, and make it if there is none.

        Its folder is made too, with a ``.gitignore`` that keeps all of it out of the repository.
        `patience` is how long, in seconds, other processes may keep us from writing. Raises
        `LedgerError` where the file cannot be made or read, is damaged, or is of a newer version.
        """
        path = Path(path)
        try:
            _prepare_folder(path)
            lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise LedgerError(_unusable(path, error)) from error
        try:
            with _explained(path, patience):
                connection = sqlite3.connect(
                    path, timeout=patience, isolation_level=None, check_same_thread=False
                )
        except BaseException:
            os.close(lock)
            raise
        database = cls(path, connection, lock, patience)
        try:
            database._set_up()
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Close the ledger; closing it again does nothing."""
        with self._threads:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
                os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write everything inside the block, or nothing of it; inside another block, be part of it.

        No other thread or process writes meanwhile, so what is read inside the block still holds
        when the block writes. An exception that leaves the block undoes it all: catch it outside.
        """
        with self._threads:
            connection = self._usable()
            if connection.in_transaction:
                yield
                return
            with self._alone(), _explained(self.path, self._patience):
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    yield
                    connection.execute("COMMIT")
                finally:
                    _undo(connection)

    def version(self) -> int:
        """Return a number that is another one whenever another process has written; cheap to ask for."""
        with self._threads, _explained(self.path, self._patience):
            return int(self._execute("PRAGMA data_version").fetchone()[0])

    def _write(self, statement: str, /, **parameters: object) -> int:
        """Run the statement of that name; return how many rows it changed."""
        with self.transaction():
            return self._execute(named()[statement], parameters).rowcount

    def _read(
        self, convert: Callable[[sqlite3.Row], _Value], statement: str, /, **parameters: object
    ) -> list[_Value]:
        """Return the rows of the statement of that name, each converted.

        All at once: an open reader would keep the write-ahead log growing.
        """
        with self._threads, _explained(self.path, self._patience):
            rows = self._execute(named()[statement], parameters).fetchall()
            try:
                return [convert(row) for row in rows]
            except (ValueError, TypeError, LookupError) as error:
                raise LedgerError(_damaged(self.path, error)) from error

    def _execute(self, statement: str, parameters: Mapping[str, object] | None = None) -> sqlite3.Cursor:
        try:
            return self._usable().execute(statement, parameters or {})
        except UnicodeDecodeError as error:
            # SQLite's message cites a damaged schema, and Python cannot read the message.
            raise sqlite3.DatabaseError("the schema is no text") from error

    def _usable(self) -> sqlite3.Connection:
        if self._connection is None:
            raise LedgerError(f"{self.path} was closed; open it again to go on")
        return self._connection

    def _set_up(self) -> None:
        self._usable().row_factory = sqlite3.Row
        with _explained(self.path, self._patience):
            self._execute("PRAGMA foreign_keys = ON")
            if self._version() < len(MIGRATIONS):
                with self._alone():
                    self._execute("PRAGMA journal_mode = WAL")
                self._migrate()
            # In WAL mode NORMAL loses nothing to a killed process, and to a power failure only
            # the last records, whole transactions each.
            self._execute("PRAGMA synchronous = NORMAL")
            version = self._version()
        if version > len(MIGRATIONS):
            raise LedgerError(
                f"{self.path} was written by a newer sweeplib (ledger version {version}, this one reads "
                f"up to {len(MIGRATIONS)}); install that version again, or move the file away with its "
                "-wal and -shm files to begin a new ledger"
            )

    def _migrate(self) -> None:
        with self.transaction():
            # Read inside the transaction: another process may have been faster.
            for version in range(self._version(), len(MIGRATIONS)):
                for statement in script(MIGRATIONS[version]):
                    self._execute(statement)
                self._execute(f"PRAGMA user_version = {version + 1}")

    def _version(self) -> int:
        return int(self._execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock file, as only one process at a time does."""
        deadline = time.monotonic() + self._patience
        pause = 0.0005
        while not _locked(self._lock, self.path):
            if time.monotonic() >= deadline:
                raise LedgerError(_busy(self.path, self._patience))
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)


def _undo(connection: sqlite3.Connection) -> None:
    # After a commit, or where SQLite undid it by itself (disk full), there is nothing left to undo.
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _prepare_folder(path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / ".gitignore").write_text("*\n", "utf-8")


def _locked(lock: int, path: Path) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise LedgerError(_unusable(path, error)) from error
    return True


@contextmanager
def _explained(path: Path, patience: float) -> Iterator[None]:
    """Turn the errors of SQLite that are not our own mistakes into `LedgerError`."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.DatabaseError as error:
        raise LedgerError(_explanation(path, patience, error)) from error


def _explanation(path: Path, patience: float, error: sqlite3.DatabaseError) -> str:
    # Text that is no UTF-8 is found by Python's module, which sets no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return _busy(path, patience)
    if code == sqlite3.SQLITE_FULL:
        return f"{path} cannot grow: its disk is full; make room and run again, what is recorded is kept"
    if code == sqlite3.SQLITE_CONSTRAINT:
        return f"{path} refused a record ({error}); this is a defect of sweeplib: please report it"
    # Our statements are tested against our schema: where one does not fit, the schema is another.
    return _damaged(path, error) if code in _DAMAGES else _unusable(path, error)


def _busy(path: Path, patience: float) -> str:
    return (
        f"{path} was kept locked by another process for {patience:g} s; "
        "wait until that one is done, or end it, and run again"
    )


def _damaged(path: Path, error: Exception) -> str:
    return (
        f"{path} is damaged ({error}); move it away with its -wal and -shm files and run again: a new "
        "ledger begins, in which nothing is done yet (`sqlite3 FILE .recover` may still read the old one)"
    )


def _unusable(path: Path, error: Exception) -> str:
    return (
        f"{path} cannot be read or written ({error}); "
        "check that its folder is on a local disk, exists and belongs to you"
    )
