"""The ledger is killed, torn and damaged, and opened again."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import sweeplib.ledger
from sweeplib.errors import LedgerError
from sweeplib.ledger import Ledger, SweepState
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = {**os.environ, "PYTHONPATH": str(Path(sweeplib.ledger.__file__).parents[2])}

WRITER = """
import os, sys
from sweeplib.ledger import Ledger, Submission
from sweeplib.run.model import Attempt, Outcome
path, sweep, prefix, many = sys.argv[1:]
with Ledger.open(path) as ledger:
    for number in range(int(many)):
        key = f"{prefix}-{number}"
        ledger.submit(sweep, [Submission(key=key, position=number, label="", parameters={})])
        os.write(1, f"submitted {key}\\n".encode())
        # Long messages make the log grow so fast that it is copied into the file again and again.
        ledger.record(sweep, [Attempt(key=key, number=1, outcome=Outcome.COMPLETED, started=1.0, ended=2.0,
                                      message="m" * 9000)])
        os.write(1, f"recorded {key}\\n".encode())
"""


def writer(path: Path, sweep: str, prefix: str, many: int = 10**9) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-c", WRITER, str(path), sweep, prefix, str(many)]
    return subprocess.Popen(command, env=HERE, stdout=subprocess.PIPE, text=True)


def end(process: subprocess.Popen[str]) -> list[str]:
    """Kill a writer; return the lines that it still reported."""
    process.send_signal(signal.SIGKILL)
    rest = process.communicate()[0]
    return [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]


def check_whole(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []


def test_what_was_reported_survives_a_kill(ledger: Ledger, path: Path, make: Any) -> None:
    """Two writers at a time, one of them killed in each round, at any moment."""
    moments = cycle([1, 23, 58, 2, 41, 9, 34])
    sweep = make.id(1)
    ledger.add_sweep(make.sweep(1))
    reported: list[str] = []
    survivor = writer(path, sweep, "first")
    for number in range(6):
        other = writer(path, sweep, f"round{number}")
        for process in (other, survivor):
            assert process.stdout is not None
            reported += [process.stdout.readline() for _ in range(next(moments))]
        reported += end(survivor)
        survivor = other
    reported += end(survivor)

    submitted = {line.split()[1] for line in reported if line.startswith("submitted ")}
    recorded = {line.split()[1] for line in reported if line.startswith("recorded ")}
    assert len(recorded) > 100
    with Ledger.open(path) as again:
        assert recorded - again.done(sweep, recorded) == set()
        kept = {row.key: row for row in again.combinations(sweep)}
        assert submitted - kept.keys() == set()
        assert all(len(again.attempts(sweep, key)) == kept[key].attempts for key in kept)
    check_whole(path)


def test_a_kill_while_the_ledger_is_made_leaves_one_that_opens(tmp_path: Path, make: Any) -> None:
    for number in range(8):
        path = tmp_path / str(number) / ".sweep" / "ledger.db"
        pair = [writer(path, make.id(1), "none", many=0) for _ in range(2)]
        with suppress(subprocess.TimeoutExpired):
            pair[0].wait(timeout=0.04 + 0.02 * number)
        for process in pair:
            end(process)
        with Ledger.open(path) as ledger:
            ledger.add_sweep(make.sweep(1))
        check_whole(path)


def test_many_processes_make_and_write_one_ledger(path: Path, make: Any) -> None:
    makers = [writer(path, make.id(1), "none", many=0) for _ in range(4)]
    for process in makers:
        process.communicate()
    assert [process.returncode for process in makers] == [0] * 4
    with Ledger.open(path) as ledger:
        ledger.add_sweep(make.sweep(1))
        processes = [writer(path, make.id(1), f"p{number}", many=100) for number in range(4)]
        for process in processes:
            process.communicate()
        assert [process.returncode for process in processes] == [0] * 4
        assert ledger.counts(make.id(1))[Outcome.COMPLETED] == 400
    check_whole(path)


class History:
    """A ledger's files as they were before it was closed, and what it held after each transaction."""

    def __init__(self, folder: Path, make: Any) -> None:
        path = folder / "ledger.db"
        self.states: list[tuple[int, Any]] = []  # size of the log after a transaction, all rows then
        with Ledger.open(path) as ledger:
            for action in self.actions(ledger, make):
                action()
                size = (folder / "ledger.db-wal").stat().st_size
                self.states.append((size, everything(ledger)))
            self.main = path.read_bytes()
            self.log = (folder / "ledger.db-wal").read_bytes()

    def actions(self, ledger: Ledger, make: Any) -> Iterator[Callable[[], object]]:
        first, second = make.id(1), make.id(2)
        yield lambda: ledger.add_sweep(make.sweep(1))
        for number in range(6):
            names = [f"k{number}-{index}" for index in range(5)]
            yield lambda names=names: ledger.submit(first, make.submissions(*names))
            ends = [make.attempt(name, Outcome.FAILED) for name in names[1:]]
            yield lambda ends=ends: ledger.record(first, ends)
            yield lambda names=names: ledger.record(first, [make.attempt(names[1], number=2)])
        yield lambda: ledger.set_tracked(first, [("k0-1", "r", {"x": 1.0})])
        yield lambda: ledger.finish_sweep(first, SweepState.FAILED, 5.0)
        yield lambda: ledger.add_sweep(make.sweep(2, lineage=1))
        yield lambda: ledger.submit(second, make.submissions("k0-2"))

    def after(self, size: int) -> Any:
        """Return what the transactions that end within `size` bytes of the log leave."""
        states = [state for end, state in self.states if end <= size]
        return states[-1] if states else []


def everything(ledger: Ledger) -> list[Any]:
    found: list[Any] = []
    for sweep in ledger.sweeps():
        rows = list(ledger.combinations(sweep.id))
        found += [sweep, *rows, *(ledger.attempts(sweep.id, row.key) for row in rows)]
    return found


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, make: Any) -> History:
    return History(tmp_path_factory.mktemp("history"), make)


def reopen(folder: Path, main: bytes, log: bytes) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "ledger.db").write_bytes(main)
    (folder / "ledger.db-wal").write_bytes(log)
    return folder / "ledger.db"


def cuts(history: History) -> list[int]:
    """Return offsets in the log: around the ends of transactions, and anywhere."""
    size = len(history.log)
    near = {end + step for end, _ in history.states for step in (-1, 0)}
    return sorted({0, 1, 31, 32, *near, *range(7, size, size // 25)})


def flip(log: bytes, cut: int) -> bytes:
    return log[:cut] + bytes(byte ^ 0x55 for byte in log[cut:])


TEARS: dict[str, Callable[[bytes, int], bytes]] = {
    "cut off": lambda log, cut: log[:cut],
    "zeros": lambda log, cut: log[:cut].ljust(len(log), b"\0"),
    "flipped": flip,
    "one byte": lambda log, cut: log[:cut] + flip(log[cut : cut + 1], 0) + log[cut + 1 :],
}


@pytest.mark.parametrize("tear", TEARS)
def test_a_torn_log_loses_the_torn_transactions_and_no_other(
    history: History, tmp_path: Path, make: Any, tear: str
) -> None:
    assert len(history.states) == len({size for size, _ in history.states}) == 23
    for cut in cuts(history):
        torn = TEARS[tear](history.log, cut)
        path = reopen(tmp_path / "torn", history.main, torn)
        # What a tear leaves as it was is not torn: zeros may stand where zeros stood.
        whole = next((at for at in range(cut, len(torn)) if torn[at] != history.log[at]), len(torn))
        with Ledger.open(path) as ledger:
            assert everything(ledger) == history.after(whole), (tear, cut)
            ledger.add_sweep(make.sweep(9))
            assert ledger._usable().execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def read_all(path: Path, lineage: str) -> str | None:
    """Read all that a ledger holds; return what a `LedgerError` says, and fail with any other error."""
    try:
        with Ledger.open(path) as ledger:
            everything(ledger)
            list(ledger.results("train", lineage))
            ledger.done(lineage, ["k0-1"])
    except LedgerError as error:
        return str(error)
    return None


def test_a_damaged_file_is_told_with_the_remedy(history: History, tmp_path: Path, make: Any) -> None:
    path = reopen(tmp_path / "whole", history.main, history.log)
    assert read_all(path, make.id(1)) is None  # and closing copies the log into the file
    whole = path.read_bytes()
    told = []
    for number in range(120):
        start = number * len(whole) // 120
        noise = hashlib.shake_256(str(number).encode()).digest([1, 16, 4096][number % 3])
        damaged = whole[:start] + noise + whole[start + len(noise) :]
        path = reopen(tmp_path / "damaged", damaged[: len(whole)], b"")
        if error := read_all(path, make.id(1)):
            told.append(error)
    assert len(told) > 20
    remedies = ("move it away with its -wal and -shm files and run again", "move the file away", "local disk")
    assert [error for error in told if not error.startswith(f"{path} ")] == []
    assert [error for error in told if not any(remedy in error for remedy in remedies)] == []


@pytest.mark.parametrize("size", [50, 100, 4096, 20_000])
def test_a_file_that_was_cut_off_is_told(history: History, tmp_path: Path, make: Any, size: int) -> None:
    path = reopen(tmp_path / "whole", history.main, history.log)
    Ledger.open(path).close()
    path = reopen(tmp_path / "cut", path.read_bytes()[:size], b"")
    error = read_all(path, make.id(1))
    assert error is not None
    assert error.startswith(f"{path} is damaged (")
