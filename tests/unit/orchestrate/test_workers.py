"""What the workers of a real Dask cluster declare, and what commands ask of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from distributed import Client, LocalCluster

from sweeplib.amounts import Amounts
from sweeplib.orchestrate import workers
from sweeplib.orchestrate.asked import Asked
from sweeplib.orchestrate.declaration import Declaration
from sweeplib.orchestrate.workers import Fleet, Terms, Workers, fleet, gone
from tests.plans import plan

if TYPE_CHECKING:
    from collections.abc import Iterator

GB = 10**9


def cluster(**options: Any) -> LocalCluster:
    return LocalCluster(
        processes=False,
        threads_per_worker=2,
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        **options,
    )


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Two workers that declare processors and devices."""
    with cluster(n_workers=2, resources={"CPU": 4, "GPU": 2}) as started, Client(started) as found:
        yield found


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def looking(client: Client, notes: list[str], monkeypatch: pytest.MonkeyPatch) -> Workers:
    monkeypatch.setattr(workers, "_INTERVAL", 0)
    return Workers(client, notes.append, Terms())


def test_what_is_declared_is_asked_for(looking: Workers, notes: list[str]) -> None:
    assert looking.request(Amounts(cpu=2, gpu=1)) == (("CPU", 2.0), ("GPU", 1.0))
    assert looking.request(Amounts()) == ()
    assert notes == []


def test_sums_of_what_is_asked_for_are_exact(looking: Workers) -> None:
    ((_, third),) = looking.request(Amounts(gpu=1 / 3))
    ((_, tenth),) = looking.request(Amounts(cpu=0.1))
    assert 0 < 3 * third <= 1
    assert 4 - tenth - third + tenth + third == 4.0
    ((_, least),) = looking.request(Amounts(cpu=1e-9))
    assert least > 0


def test_what_is_not_declared_is_told_once(looking: Workers, notes: list[str]) -> None:
    for _ in range(2):
        assert looking.request(Amounts(cpu=1, memory=GB)) == (("CPU", 1.0),)
    (note,) = notes
    assert note == (
        "the workers of the Dask cluster declare no MEMORY, so that resources do not bound there what runs "
        "at once; start them with: dask worker … --resources 'MEMORY=32e9'"
    )


def test_what_says_nothing_of_processors(client: Client, notes: list[str]) -> None:
    looking = Workers(client, notes.append, Terms(plain=True))
    assert looking.request(Amounts(gpu=1)) == (("CPU", 1.0), ("GPU", 1.0))


def test_workers_of_a_cluster_of_ours_declare_all_though_none_has_come(
    client: Client, notes: list[str]
) -> None:
    ours = Workers(client, notes.append, Terms(ours=True))
    assert ours.request(Amounts(cpu=1, memory=GB)) == (("CPU", 1.0), ("MEMORY", GB))
    assert notes == []


def test_what_no_worker_has(looking: Workers, notes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert looking.lack((("CPU", 4.0), ("GPU", 2.0))) == ""
    wanted = (("CPU", 1.0), ("GPU", 4.0))
    assert looking.lack(wanted) == ""
    problem = "needs 4 GPUs (resources), and no worker of the Dask cluster has as much (the most is 2 GPUs)"
    assert notes == [f"a command {problem}; waiting 30 s for one that has"]
    monkeypatch.setattr(workers, "PATIENCE", 0)
    assert looking.lack(wanted) == problem
    assert len(notes) == 1


def test_about_how_many_fit_at_once(client: Client) -> None:
    made = plan("i=1:9", resources={"cpu": 4})
    there = fleet(client)
    assert (there.threads, there.at_once(Terms(Asked.of(made)))) == (4, 2)
    assert there.at_once(Terms(Asked.of(plan("i=1:9")))) == 4
    assert there.at_once(Terms(Asked.of(plan("i=1:9")), parallel=3)) == 3
    assert there.at_once(Terms(Asked.of(plan("i=1:9", resources={"memory": "1GB"})))) == 4
    assert there.capacity(9, plain=True).at_once(Asked.of(plan("i=1:9"))) == 8


@pytest.mark.parametrize(
    ("threads", "parallel", "window"), [(0, None, 2), (1, None, 2), (8, None, 16), (8, 3, 3), (0, 1, 1)]
)
def test_how_much_is_kept_submitted(threads: int, parallel: int | None, window: int) -> None:
    there = Fleet(threads, ())
    assert there.window(Terms(parallel=parallel)) == window
    assert there.at_once(Terms(parallel=parallel)) >= 1


def test_workers_of_our_own_declare_what_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "CUDA_VISIBLE_DEVICES", "0,1,2")
    with cluster(n_workers=1, resources={"GPU": 1}, memory_limit="1GB") as started, Client(started) as client:
        client.register_plugin(Declaration(gpu=True))
        assert list(fleet(client).declared) == [{"CPU": 2, "MEMORY": GB, "GPU": 1}]
        (first,) = client.nthreads()
        started.scale(2)
        client.wait_for_workers(2)
        (second,) = client.nthreads().keys() - {first}
        client.submit(bool, workers=[second], resources={"MEMORY": GB}).result(timeout=20)
        assert list(fleet(client).declared) == [{"CPU": 2, "MEMORY": GB, "GPU": 1}] * 2


def test_what_is_said_of_a_cluster_that_has_gone_away() -> None:
    kept = "what is done is kept: run again when it is back"
    assert str(gone(KeyError("workers"))) == f"the Dask cluster has gone away; {kept}"
    assert str(gone(OSError("no answer"))) == f"the Dask cluster has gone away (no answer); {kept}"
