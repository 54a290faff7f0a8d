"""The lock that dies with its holder."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from sweeplib.engine import Lock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.engine.conftest import Kit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_one_holder_at_a_time(path: Path) -> None:
    first, second = Lock(path), Lock(path)
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


def test_it_waits_for_as_long_as_is_said(path: Path) -> None:
    with Lock(path) as held, Lock(path) as other:
        assert held.acquire()
        began = time.monotonic()
        assert not other.acquire(0.2)
        assert 0.2 <= time.monotonic() - began < 5


def test_it_waits_for_the_holder_to_let_go(path: Path, kit: Kit) -> None:
    with Lock(path) as held, Lock(path) as other:
        assert held.acquire()
        thread = kit.soon(held.release)
        assert other.acquire(10)
        thread.join()


def test_leaving_the_block_releases_it(path: Path) -> None:
    with Lock(path) as lock:
        assert lock.acquire()
    with Lock(path) as again:
        assert again.acquire()


def test_releasing_what_is_not_held(path: Path) -> None:
    lock = Lock(path)
    lock.release()
    assert lock.acquire()
    lock.release()
    lock.release()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Lock(tmp_path / "none" / "lock").acquire()
