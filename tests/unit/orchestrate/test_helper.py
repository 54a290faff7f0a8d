"""A helper in a pool, without Prefect: what it finds of a sweep."""

from __future__ import annotations

from socket import gethostname
from typing import TYPE_CHECKING

from sweeplib.engine import Lock
from sweeplib.orchestrate.asked import Asked
from sweeplib.orchestrate.helper import nothing_to_do
from sweeplib.orchestrate.session import Session
from sweeplib.orchestrate.spool import Spool
from sweeplib.run.model import SweepPaths

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
