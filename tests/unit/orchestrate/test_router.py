"""The router: for the engine one submitter, for each place a station."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from sweeplib.engine import Finished
from sweeplib.engine.arrivals import Arrivals
from sweeplib.engine.unseen import unseen
from sweeplib.orchestrate.router import Router
from sweeplib.run.model import Work
from sweeplib.where import HERE, Where

if TYPE_CHECKING:
    from threading import Event

BIG = Where("cluster", "big")


class Told:
    """A station whose work ends when it is told so."""

    def __init__(self, parallel: int) -> None:
        self.parallel = parallel
        self.window = 2 * parallel
        self.batch = parallel
        self.submitted = 0
        self.works: list[Work] = []
        self.ends: Arrivals[Work] = Arrivals()
        self.stops: list[bool] = []

    @property
    def running(self) -> int:
        return min(len(self.works), self.parallel)

    def at(self, _: Where | None) -> Told:
        return self

    def ring(self, bell: Event) -> None:
        self.ends.bell = bell

    def submit(self, work: Work) -> None:
        self.submitted += 1
        self.works.append(work)

    def wait(self, timeout: float) -> list[Finished]:
        assert timeout == 0.0, "the router waits for all"
        found = []
        for work in self.ends.take(timeout):
            self.works.remove(work)
            found.append(Finished(work, [unseen(work.key, "")]))
        return found

    def stop(self, *, at_once: bool = False) -> None:
        self.stops.append(at_once)


def work(key: str, where: Where | None) -> Work:
    return Work("s", "j", key, 0, key, (), "", "", where=where)


@pytest.fixture
def stations() -> tuple[Told, Told]:
    return Told(2), Told(3)


@pytest.fixture
def router(stations: tuple[Told, Told]) -> Router:
    here, big = stations
    return Router({None: here, HERE: here, BIG: big})


def test_it_is_the_sum_of_its_stations(router: Router, stations: tuple[Told, Told]) -> None:
    here, big = stations
    assert (router.parallel, router.window, router.batch) == (5, 10, 2)
    assert (router.running, router.submitted) == (0, 0), (
        "and parallel is what could run, also where none does"
    )
    for number in range(4):
        router.submit(work(f"h{number}", HERE))
    router.submit(work("n", None))
    router.submit(work("b", BIG))
    assert [each.key for each in here.works] == ["h0", "h1", "h2", "h3", "n"]
    assert [each.key for each in big.works] == ["b"]
    assert (router.running, router.submitted) == (3, 6)
    assert router.at(None) is router.at(HERE) is here
    assert router.at(BIG) is big


def test_it_wakes_for_what_ends_anywhere(router: Router, stations: tuple[Told, Told]) -> None:
    _, big = stations
    router.submit(first := work("b", BIG))
    timer = threading.Timer(0.05, big.ends.put, [first])
    began = time.monotonic()
    timer.start()
    (found,) = router.wait(20.0)
    assert found.work is first
    assert time.monotonic() - began < 10
    assert router.wait(0.0) == []


def test_it_stops_everywhere(router: Router, stations: tuple[Told, Told]) -> None:
    router.stop()
    router.stop(at_once=True)
    assert [each.stops for each in stations] == [[False, True]] * 2
