"""Keeping a service alive while a sweep runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from sweeplib.orchestrate.keeper import kept_alive
from sweeplib.orchestrate.server import is_alive

if TYPE_CHECKING:
    from tests.unit.orchestrate.conftest import Home


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeplib.orchestrate.keeper._LOOK", 0.02)


def test_a_killed_service_comes_back_on_its_port(home: Home) -> None:
    service = home.service()
    address = service.start()
    with kept_alive(service, home.notes.append):
        for _ in range(2):
            pid = home.pid()
            home.kill_quietly(pid)
            home.await_true(
                lambda pid=pid: home.pid() != pid and is_alive(f"{address}/health"), "the service to be back"
            )
            assert service.start() == address  # waits for the keeper's start to be through
    assert home.notes == ["the local tiny server has died: starting it again"] * 2
    assert not [thread for thread in threading.enumerate() if thread.name == "sweep-keeper"]


def test_nothing_is_started_that_lives(home: Home) -> None:
    service = home.service()
    service.start()
    pid = home.pid()
    with kept_alive(service, home.notes.append):
        assert is_alive(f"{service.address()}/health")
    assert (home.pid(), home.notes) == (pid, [])


def test_a_service_that_keeps_dying_is_given_up(home: Home) -> None:
    service = home.service()
    service.start()
    (home.folder / "crash").touch()
    with kept_alive(service, home.notes.append):
        home.kill_quietly(home.pid())
        home.await_true(lambda: len(home.notes) == 7, "three tries")
    died = "the local tiny server has died: starting it again"
    failed = f"the local tiny server did not start; its log is {service.log}:\n"
    fires = ["\n".join(["the disk is on fire"] * tries) for tries in (1, 2, 3)]
    assert home.notes == [
        died,
        failed + fires[0],
        died,
        failed + fires[1],
        died,
        failed + fires[2],
        f"the local tiny server keeps dying; see {service.log}",
    ]
