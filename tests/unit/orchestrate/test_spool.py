"""The spool: every piece of work has one taker, and a helper that dies is seen."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import pytest

from sweeplib.engine import Lock
from sweeplib.engine.unseen import unseen
from sweeplib.orchestrate.asked import Asked
from sweeplib.orchestrate.session import Session
from sweeplib.orchestrate.spool import Signed, Spool
from sweeplib.run.model import Work

if TYPE_CHECKING:
    from pathlib import Path

SESSION = Session("http://x/api", "f", 1, "train", ("one",), (), (), 0, ())


def work(key: str) -> Work:
    return Work("s", "j", key, 0, key, ("true",), "/", "/")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path / "spool")
    made.make(SESSION, Asked(2.0))
    return made


def test_work_goes_out_in_order_and_its_ends_come_back(spool: Spool) -> None:
    assert (spool.session, spool.asked) == (SESSION, Asked(2.0))
    for number in range(3):
        spool.put(number, work(f"k{number}"))
    assert (spool.waiting(), spool.taken()) == (3, 0)
    assert spool.take("a", 0) == []
    assert spool.take("a", 2) == [(0, work("k0")), (1, work("k1"))]
    assert spool.take("b", 9) == [(2, work("k2"))]
    assert (spool.waiting(), spool.taken()) == (0, 3)
    assert (spool.held_by("a"), spool.held_by("b")) == ([0, 1], [2])
    attempts = [unseen("k1", "x")]
    spool.give("a", 1, attempts)
    assert spool.collect() == [(1, attempts)]
    assert spool.collect() == []
    assert spool.held_by("a") == [0]


def test_what_nobody_has_taken_can_be_withdrawn(spool: Spool) -> None:
    for number in range(3):
        spool.put(number, work(f"k{number}"))
    spool.take("a", 1)
    assert spool.withdraw() == [1, 2]
    assert spool.take("a", 1) == []


def test_each_piece_has_one_taker(spool: Spool) -> None:
    for number in range(200):
        spool.put(number, work(f"k{number}"))

    def take_all(name: str) -> list[int]:
        found = []
        while taken := spool.take(name, 3):
            found += [number for number, _ in taken]
        return found

    with ThreadPoolExecutor(4) as pool:
        each = [*pool.map(take_all, "abc"), *pool.map(lambda _: spool.withdraw(), "d")]
    assert sorted(number for one in each for number in one) == list(range(200))


def test_a_helper_signs_in_and_out(spool: Spool) -> None:
    assert spool.signed() == []
    with spool.signing("a", 4):
        assert spool.signed() == [Signed("a", 4, alive=True)]
    assert spool.signed() == []
    with pytest.raises(RuntimeError, match="x"), spool.signing("a", 4):
        raise RuntimeError("x")
    assert spool.signed() == [Signed("a", 4, alive=False)], "one that broke off is dead"


def test_a_helper_that_died_and_is_run_again_waits_until_what_it_had_is_taken_back(spool: Spool) -> None:
    spool.put(0, work("k"))
    spool.take("a", 1)
    with pytest.raises(RuntimeError, match="x"), spool.signing("a", 4):
        raise RuntimeError("x")
    began = Event()

    def again() -> list[int]:
        began.set()
        spool.await_turn("a")
        with spool.signing("a", 4):
            return spool.held_by("a")

    with Lock(spool.owner_lock) as lock, ThreadPoolExecutor(1) as pool:
        assert lock.acquire()
        held = pool.submit(again)
        assert began.wait(10)
        assert spool.signed() == [Signed("a", 4, alive=False)]
        spool.forget("a")
        assert held.result(10) == []
    (spool.folder / "helpers" / "a").touch()
    spool.await_turn("a")
    assert spool.orphaned, "it waits for nobody who has gone"


def test_a_helper_that_is_killed_is_seen(spool: Spool) -> None:
    spool.put(0, work("k"))
    script = (
        "import sys, pathlib; from sweeplib.orchestrate.spool import Spool\n"
        "spool = Spool(pathlib.Path(sys.argv[1]))\n"
        "with spool.signing('a', 2):\n    spool.take('a', 1); print('in', flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(spool.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    assert spool.signed() == [Signed("a", 2, alive=True)]
    process.kill()
    process.communicate()
    assert spool.signed() == [Signed("a", 2, alive=False)]
    assert spool.held_by("a") == [0]
    spool.forget("a")
    assert (spool.signed(), spool.held_by("a"), spool.taken()) == ([], [], 0)


def test_a_spool_without_its_owner_is_orphaned(spool: Spool) -> None:
    assert spool.orphaned
    with Lock(spool.owner_lock) as lock:
        assert lock.acquire()
        assert not spool.orphaned
    assert spool.orphaned
    assert not spool.closed
    assert not spool.hurried
    spool.close()
    spool.hurry()
    assert spool.closed
    assert spool.hurried
    assert Spool(spool.folder / "gone").orphaned, "and so is one that was cleared away"
    assert Spool(spool.folder / "gone").take("a", 1) == []
