"""Work on a real Dask cluster that has no worker yet, gets some, and loses work."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from distributed import Future, LocalCluster

from sweeplib.amounts import Amounts
from sweeplib.errors import ClusterError
from sweeplib.jobs import ClusterSpec
from sweeplib.orchestrate import workers
from sweeplib.orchestrate.asked import Asked
from sweeplib.orchestrate.cluster import Placement, place
from sweeplib.orchestrate.recorder import recorder
from sweeplib.orchestrate.submitter import PrefectSubmitter
from sweeplib.orchestrate.task_runner import SweepTaskRunner
from sweeplib.orchestrate.workers import Terms
from sweeplib.run.marker import write_marker
from sweeplib.run.model import Attempt, Outcome, SweepPaths, Work
from tests.integration.prefect_api import new_session, task_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from distributed import Client

    from sweeplib.engine import Finished
    from sweeplib.orchestrate.session import Session


OPTIONS: dict[str, Any] = {
    "processes": False,
    "protocol": "tcp",
    "host": "127.0.0.1",
    "n_workers": 0,
    "threads_per_worker": 2,
    "dashboard_address": "127.0.0.1:0",
    "worker_dashboard_address": "127.0.0.1:0",
}


@contextmanager
def cluster() -> Iterator[LocalCluster]:
    """Have a cluster of no workers, each of which would have two threads."""
    with LocalCluster(**OPTIONS) as started:
        yield started


@contextmanager
def submitting(
    started: LocalCluster, session: Session, note: Callable[[str], None], **options: Any
) -> Iterator[tuple[PrefectSubmitter, Client]]:
    with SweepTaskRunner(address=started.scheduler_address) as runner:
        placement = Placement(runner, parallel=1, window=2, **options)
        with PrefectSubmitter(placement, session, note) as submitter:
            yield submitter, runner.client


def work(folder: Path, key: str, **options: Any) -> Work:
    options = {"argv": ("true",)} | options
    return Work("s", "train", key, 0, f"i={key}", cwd="/", folder=str(folder), **options)


def until(submitter: PrefectSubmitter, count: int) -> list[Finished]:
    """Return so many ends."""
    found: list[Finished] = []
    deadline = time.monotonic() + 20
    while len(found) < count:
        assert time.monotonic() < deadline, found
        found += submitter.wait(0.5)
    return found


def lose(client: Client) -> None:
    """Have Dask lose what it has."""
    client.cancel([Future(key, client) for key in client.futures])


def test_prefect_is_told_of_what_dask_has_lost(tmp_path: Path, prefect_api: str) -> None:
    session = new_session(prefect_api)
    with cluster() as started, submitting(started, session, print) as (submitter, client):
        for key in "ab":
            submitter.submit(work(tmp_path, key))
        now = time.time()
        seen = Attempt(key="a", number=1, outcome=Outcome.FAILED, started=now, ended=now, exit_code=3)
        write_marker(SweepPaths(tmp_path).marker("a", 1), seen, ("false",))
        lose(client)
        (ended,) = until(submitter, 1)
        assert ended.attempts == [seen]
        lose(client)
        (ended,) = until(submitter, 1)
        assert ended.attempts[-1].outcome is Outcome.LOST, "it was submitted once more"
    assert recorder(prefect_api).flush(20) == 0
    states = {each["dynamic_key"]: each["state_type"] for each in task_runs(prefect_api, session.tags[0])}
    assert states == {"a": "FAILED", "b": "CRASHED"}


def test_a_cluster_that_has_gone_away(tmp_path: Path, prefect_api: str) -> None:
    kept = "what is done is kept: run again when it is back"
    with cluster() as started, submitting(started, new_session(prefect_api), print) as (submitter, client):
        client.close()  # as it does itself, when its scheduler has not come back for 30 s
        for amounts in (Amounts(cpu=1), Amounts()):
            with pytest.raises(ClusterError) as caught:
                submitter.submit(work(tmp_path, "a", amounts=amounts))
            assert str(caught.value).startswith("the Dask cluster has gone away (")
            assert str(caught.value).endswith(f"); {kept}")


def test_a_cluster_that_grows_and_shrinks(
    tmp_path: Path, prefect_api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_INTERVAL", 0)
    monkeypatch.setattr(workers, "_ABSENT", 0)
    notes: list[str] = []
    terms = Terms(parallel=7, lacking="the Dask cluster x has no worker")
    with (
        cluster() as started,
        submitting(started, new_session(prefect_api), notes.append, terms=terms) as (submitter, _),
    ):

        def sees(threads: int, *figures: int) -> None:
            started.scale(threads // 2)
            deadline = time.monotonic() + 20
            while (submitter.window, submitter.parallel, submitter.running) != figures:
                submitter.wait(0.01)
                assert time.monotonic() < deadline, (submitter.window, submitter.parallel, submitter.running)

        sees(0, 2, 1, 0)
        submitter.submit(work(tmp_path, "a", argv=("sleep", "600")))
        while not notes:
            assert submitter.wait(0.01) == []
        sees(2, 4, 2, 1)
        sees(6, 7, 6, 1)
        sees(0, 2, 1, 0)
        while len(notes) < 2:
            submitter.wait(0.01)
        submitter.stop(at_once=True)
    assert notes == ["the Dask cluster x has no worker"] * 2, "once each time"


def test_workers_of_a_cluster_of_ours_may_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeplib.orchestrate.cluster._COMING", 0.01)
    ours = ClusterSpec("distributed.LocalCluster", OPTIONS)
    with place(ours, "slurm", Asked(), None) as placement:
        assert (placement.parallel, placement.window) == (1, 2)
        assert placement.terms.lacking == "the Dask cluster slurm has no worker"


def test_a_cluster_at_an_address_has_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeplib.orchestrate.cluster._WAIT", 0.01)
    with cluster() as started:
        address = started.scheduler_address
        lacking = f"the Dask cluster x has no worker; start one with: dask worker {address}"
        with (
            pytest.raises(ClusterError, match=re.escape(lacking)),
            place(address, "x", Asked(), None),
        ):
            pass
