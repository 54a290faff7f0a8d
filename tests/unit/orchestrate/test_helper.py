"""A helper in a pool, without its flow run: what it finds of a sweep, and how it ends that."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from socket import gethostname
from typing import TYPE_CHECKING

from sweeplib.engine import Lock
from sweeplib.orchestrate.asked import Asked
from sweeplib.orchestrate.cluster import place
from sweeplib.orchestrate.helper import _Helper, nothing_to_do
from sweeplib.orchestrate.in_process import InProcessSubmitter
from sweeplib.orchestrate.session import Session
from sweeplib.orchestrate.spool import Spool
from sweeplib.run.model import Outcome, SweepPaths, Work
from tests.integration.prefect_api import new_session

if TYPE_CHECKING:
    from pathlib import Path

SESSION = Session("http://x/api", "f", 1, "train", ("one",), (), (), 0, ())


def test_a_sweep_that_is_not_here_has_not_ended(tmp_path: Path) -> None:
    spool = Spool.of(SweepPaths(tmp_path / "sweeps" / "01K"))
    found = nothing_to_do(spool)
    assert found is not None
    needed = (
        "workers of the pool need the project's folder at the same path, on a file system with file locks"
    )
    words = f"there is no {spool.sweep} on {gethostname()}; {needed} that they share with the sweep"
    assert (found.name, found.message) == ("Failed", words)
    spool.make(SESSION, Asked())
    with Lock(spool.owner_lock) as lock:
        assert lock.acquire()
        assert nothing_to_do(spool) is None
        spool.close()
        found = nothing_to_do(spool)
        assert found is not None
        assert (found.name, found.message) == ("Completed", "nothing to do: the sweep has ended")
    gone = nothing_to_do(Spool.of(SweepPaths(spool.sweep)))
    assert gone is not None
    assert gone.name == "Completed", "a spool is cleared away at the end of its sweep"


def test_commands_that_are_being_ended_are_ended_at_once(tmp_path: Path, prefect_api: str) -> None:
    paths = SweepPaths(tmp_path / "sweeps" / "01K")
    spool = Spool.of(paths)
    session = new_session(prefect_api)
    spool.make(session, Asked())
    ran = tmp_path / "ran"
    stubborn = f"trap 'echo ended >> {ran}' TERM; echo begun >> {ran}; while :; do sleep 0.05; done"
    work = Work("01K", "train", "a", 0, "i=1", ("sh", "-c", stubborn), "/", str(paths.folder), grace=20.0)
    with (
        Lock(spool.owner_lock) as lock,
        Lock(paths.owner_lock) as owner,
        place(None, "in this process", Asked(), 1) as placement,
        InProcessSubmitter(placement, session, None) as submitter,
        ThreadPoolExecutor(1) as pool,
    ):
        assert lock.acquire()
        assert owner.acquire()
        spool.put(0, work)
        ended = pool.submit(_Helper(spool, "h", submitter).run)
        for word, then in (("begun", paths.stop.touch), ("ended", spool.hurry)):
            while not ran.exists() or word not in ran.read_text():
                time.sleep(0.02)  # a command tells by its file alone
                assert not ended.done()
            then()
        assert ended.result(10).name == "Cancelled"
        ((number, (attempt,)),) = spool.collect()
    assert (number, attempt.outcome) == (0, Outcome.CANCELLED)
