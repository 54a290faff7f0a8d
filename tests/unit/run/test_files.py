"""Files that are whole or absent, and the locks on them."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from sweeplib.run.files import write_atomically
from sweeplib.run.locks import SweepLocks, is_free, is_unused, lock_log, unlock_log
from sweeplib.run.verdict import file_problem

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.json"
    write_atomically(str(path), "old")
    write_atomically(str(path), "new ä " + os.fsdecode(b"\xff"))
    assert path.read_bytes() == "new ä ".encode() + b"\xff"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(OSError, match="directory") as caught:
        write_atomically(str(path), "text")
    assert caught.value.errno in (errno.EISDIR, errno.EEXIST)
    assert list(tmp_path.iterdir()) == [path]


def test_a_problem_with_a_file_is_one_line() -> None:
    error = OSError(errno.ENOSPC, "No space left on device", "/a/b")
    assert file_problem("cannot create the log file", error) == (
        "cannot create the log file /a/b: no space left on device"
    )


def test_looking_at_a_lock_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert (is_free(path), is_unused(path)) == (None, None)
    path.touch()
    with path.open("r+") as holder:
        assert (is_free(path), is_unused(path)) == (True, True)
        fcntl.flock(holder, fcntl.LOCK_SH)
        assert (is_free(path), is_unused(path)) == (True, False)
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert (is_free(path), is_unused(path)) == (False, False)
    assert (is_free(path), is_unused(path)) == (True, True)


def test_a_log_is_unlocked_also_where_others_keep_it_open(tmp_path: Path) -> None:
    path = tmp_path / "log"
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    lock_log(handle)
    other = os.dup(handle)
    assert is_unused(path) is False
    unlock_log(handle)
    assert is_unused(path) is True
    os.close(other)


def test_a_sweep_is_locked_while_any_of_its_commands_runs(tmp_path: Path) -> None:
    path = str(tmp_path / "workers.lock")
    locks = SweepLocks()
    assert locks.take(path)
    assert locks.take(path)
    locks.drop(path)
    assert is_unused(path) is False
    locks.drop(path)
    assert is_unused(path) is True


def test_a_sweep_that_is_being_recovered_cannot_be_locked(tmp_path: Path) -> None:
    path = tmp_path / "workers.lock"
    locks = SweepLocks()
    with path.open("w") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert not locks.take(str(path))
    assert locks.take(str(path))
    locks.drop(str(path))


def test_a_lock_without_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SweepLocks().take(str(tmp_path / "none" / "workers.lock"))
