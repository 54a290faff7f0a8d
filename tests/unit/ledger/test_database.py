"""Opening a ledger, transactions, locks, and what is said when something is wrong."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import sweeplib.ledger
from sweeplib.errors import LedgerError, SweepError
from sweeplib.ledger import Ledger
from sweeplib.ledger.database import MIGRATIONS
from sweeplib.ledger.statements import script
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = {**os.environ, "PYTHONPATH": str(Path(sweeplib.ledger.__file__).parents[2])}


def pragma(ledger: Ledger, name: str) -> Any:
    return ledger._usable().execute(f"PRAGMA {name}").fetchone()[0]


def test_a_new_ledger_is_durable_and_out_of_the_repository(ledger: Ledger, path: Path) -> None:
    assert ledger.path == path
    assert (path.parent / ".gitignore").read_text() == "*\n"
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "user_version")
    assert [pragma(ledger, name) for name in names] == ["wal", 1, 1, 60_000, len(MIGRATIONS)]


def test_an_opened_ledger_has_the_same_settings(ledger: Ledger, path: Path) -> None:
    (path.parent / ".gitignore").unlink()
    with Ledger.open(str(path)) as second:
        names = ("journal_mode", "synchronous", "foreign_keys", "user_version")
        assert [pragma(second, name) for name in names] == ["wal", 1, 1, len(MIGRATIONS)]
    assert not (path.parent / ".gitignore").exists()  # a user who took it away keeps it so


def test_closing_leaves_one_file_of_data(path: Path) -> None:
    ledger = Ledger.open(path)
    ledger.close()
    ledger.close()
    assert sorted(file.name for file in path.parent.iterdir()) == [".gitignore", "ledger.db", "ledger.lock"]
    with pytest.raises(LedgerError) as caught:
        ledger.sweeps()
    assert str(caught.value) == f"{path} was closed; open it again to go on"


def test_import_is_light() -> None:
    heavy = {"prefect", "dask", "distributed", "mlflow", "pandas", "rich", "yaml", "asyncio", "socket"}
    code = f"import sys, sweeplib.ledger; print(*{heavy} & {{*sys.modules}})"
    # -P: the sweeplib that is tested, not one that the current folder happens to hold.
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, env=HERE, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_a_newer_ledger_is_left_alone(path: Path) -> None:
    Ledger.open(path).close()
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version = 9")
    raw.close()
    with pytest.raises(LedgerError) as caught:
        Ledger.open(path)
    assert str(caught.value) == (
        f"{path} was written by a newer sweeplib (ledger version 9, this one reads up to {len(MIGRATIONS)}); "
        "install that version again, or move the file away with its -wal and -shm files to begin a new ledger"
    )


def damaged(path: Path, what: str) -> str:
    return (
        f"{path} is damaged ({what}); move it away with its -wal and -shm files and run again: a new "
        "ledger begins, in which nothing is done yet (`sqlite3 FILE .recover` may still read the old one)"
    )


def test_a_file_that_is_no_database(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"jobs:\n" * 1000)
    with pytest.raises(LedgerError) as caught:
        Ledger.open(path)
    assert str(caught.value) == damaged(path, "file is not a database")


def test_a_ledger_with_another_schema(path: Path, make: Any) -> None:
    Ledger.open(path).close()
    raw = sqlite3.connect(path)
    raw.execute("DROP TABLE attempts")
    raw.close()
    with Ledger.open(path) as ledger:
        ledger.add_sweep(make.sweep(1))
        ledger.submit(make.id(1), make.submissions("a"))
        with pytest.raises(LedgerError) as caught:
            ledger.record(make.id(1), [make.attempt("a")])
    assert str(caught.value) == damaged(path, "no such table: attempts")


def test_a_row_that_makes_no_sense(ledger: Ledger, path: Path, make: Any) -> None:
    ledger.add_sweep(make.sweep(1))
    ledger._usable().execute("UPDATE sweeps SET arguments = '3'")
    with pytest.raises(LedgerError) as caught:
        ledger.sweeps()
    assert str(caught.value) == damaged(path, "'int' object is not iterable")
    ledger._usable().execute("UPDATE sweeps SET arguments = '[]', job = CAST(X'FF' AS TEXT)")
    with pytest.raises(LedgerError) as caught:
        ledger.sweeps()
    reason = f"Could not decode to UTF-8 column 'job' with text '{chr(0xFFFD)}'"
    assert str(caught.value) == damaged(path, reason)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / ".sweep").touch()
    path = tmp_path / ".sweep" / "ledger.db"
    with pytest.raises(LedgerError) as caught:
        Ledger.open(path)
    assert str(caught.value) == (
        f"{path} cannot be read or written ([Errno 17] File exists: '{path.parent}'); "
        "check that its folder is on a local disk, exists and belongs to you"
    )


def test_a_file_that_cannot_be_opened(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(LedgerError) as caught:
        Ledger.open(path)
    assert str(caught.value) == (
        f"{path} cannot be read or written (unable to open database file); "
        "check that its folder is on a local disk, exists and belongs to you"
    )


def test_a_full_disk_loses_only_what_did_not_fit(ledger: Ledger, path: Path, make: Any) -> None:
    ledger.add_sweep(make.sweep(1))
    ledger.submit(make.id(1), make.submissions("a"))
    pages = pragma(ledger, "page_count")
    pragma(ledger, f"max_page_count = {pages}")
    with pytest.raises(LedgerError) as caught:
        ledger.submit(make.id(1), make.submissions(*(f"b{n}" for n in range(500)), first=1))
    assert str(caught.value) == (
        f"{path} cannot grow: its disk is full; make room and run again, what is recorded is kept"
    )
    pragma(ledger, f"max_page_count = {pages + 100}")
    assert len(ledger.submit(make.id(1), make.submissions("c", first=1))) == 1
    assert [row.key for row in ledger.combinations(make.id(1))] == ["a", "c"]


def busy(path: Path) -> str:
    return (
        f"{path} was kept locked by another process for 0.05 s; "
        "wait until that one is done, or end it, and run again"
    )


@pytest.fixture
def impatient(path: Path) -> Iterator[Ledger]:
    with Ledger.open(path, patience=0.05) as opened:
        yield opened


def test_waiting_for_another_writer_ends(impatient: Ledger, path: Path, make: Any) -> None:
    with path.with_suffix(".lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(LedgerError) as caught:
            impatient.add_sweep(make.sweep(1))
        assert str(caught.value) == busy(path)
        assert impatient.sweeps() == []  # reading waits for nobody
    impatient.add_sweep(make.sweep(1))


def test_waiting_for_a_stranger_who_writes_ends(impatient: Ledger, path: Path, make: Any) -> None:
    stranger = sqlite3.connect(path, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError) as caught:
        impatient.add_sweep(make.sweep(1))
    assert str(caught.value) == busy(path)
    stranger.close()
    impatient.add_sweep(make.sweep(1))


@pytest.mark.parametrize("error", [SweepError, KeyboardInterrupt, SystemExit])
def test_an_exception_undoes_the_whole_transaction(
    ledger: Ledger, make: Any, error: type[BaseException]
) -> None:
    ledger.add_sweep(make.sweep(1))

    def fail() -> None:
        with ledger.transaction():
            ledger.submit(make.id(1), make.submissions("a"))
            assert ledger.counts(make.id(1))[None] == 1
            raise error

    with pytest.raises(error):
        fail()
    assert ledger.counts(make.id(1))[None] == 0
    assert ledger.submit(make.id(1), make.submissions("b"))


def test_our_own_mistakes_are_not_dressed_up(ledger: Ledger) -> None:
    with pytest.raises(sqlite3.ProgrammingError):
        ledger._write("finish_sweep")


def test_refused_records_are_a_defect(ledger: Ledger, path: Path, make: Any) -> None:
    ledger.add_sweep(make.sweep(1))
    with pytest.raises(LedgerError) as caught:
        ledger.add_sweep(make.sweep(2, total=None))
    assert str(caught.value) == (
        f"{path} refused a record (NOT NULL constraint failed: sweeps.total); "
        "this is a defect of sweeplib: please report it"
    )
    ledger.submit(make.id(1), make.submissions("a"))
    with pytest.raises(LedgerError) as caught:
        ledger.record(make.id(1), [make.attempt("a", ended=None)])
    assert str(caught.value) == (
        f"{path} refused a record (NOT NULL constraint failed: attempts.ended); "
        "this is a defect of sweeplib: please report it"
    )


def test_what_is_read_inside_a_transaction_still_holds_when_it_writes(path: Path, make: Any) -> None:
    """Eight ledgers, as eight processes have them, want the same keys: each key is taken once."""
    keys = [f"k{n}" for n in range(40)]
    with Ledger.open(path) as ledger:
        for number in range(8):
            ledger.add_sweep(make.sweep(number, lineage=0))

    def take(number: int) -> None:
        with Ledger.open(path) as own:
            for key in keys:
                with own.transaction():
                    if not own.claimed(make.id(0), [key], besides=make.id(number)):
                        own.submit(make.id(number), make.submissions(key))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, range(8)))
    with Ledger.open(path) as ledger:
        assert sum(ledger.counts(make.id(number))[None] for number in range(8)) == len(keys)


def test_threads_share_one_ledger(ledger: Ledger, make: Any) -> None:
    ledger.add_sweep(make.sweep(1))

    def work(thread: int) -> None:
        for number in range(25):
            key = f"{thread}-{number}"
            ledger.submit(make.id(1), make.submissions(key, first=100 * thread + number))
            assert not ledger.cancel_requested(make.id(1))
            ledger.record(make.id(1), [make.attempt(key)])
            assert key in {row.key for row in ledger.combinations(make.id(1))}

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert ledger.counts(make.id(1))[Outcome.COMPLETED] == 150


def test_a_ledger_of_an_earlier_version_is_brought_up_to_date(path: Path, make: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = sqlite3.connect(path)
    for statement in script(MIGRATIONS[0]):
        raw.execute(statement)
    raw.execute(
        "INSERT INTO sweeps VALUES (:id, 'train', 'train-1', :id, 0, 'completed', 1, 0, '[\"x=1\"]', '{}',"
        " 1.0, 2.0, 'here', 1, 'flow-run-1', NULL, NULL, 0)",
        {"id": make.id(1)},
    )
    raw.execute("PRAGMA user_version = 1")
    raw.commit()
    raw.close()
    with Ledger.open(path) as ledger:
        found = ledger.get_sweep(make.id(1))
        assert (found.arguments, found.selection) == (("x=1",), "")
        assert ledger.sweep_of_flow_run("flow-run-1", "train") == found
        assert ledger.sweep_of_flow_run("flow-run-1", "other") is None
        assert ledger.sweep_of_flow_run("flow-run-2", "train") is None
        ledger.add_sweep(make.sweep(2, selection="lr=1m"))
        assert ledger.get_sweep(make.id(2)).selection == "lr=1m"
