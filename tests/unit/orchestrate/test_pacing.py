"""How many events are on their way to a server that records them in its own time, or not at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sweeplib.orchestrate import pacing as module
from sweeplib.orchestrate.pacing import Pacing


class Server:
    """Records events in their order, `speed` at a look, and drops what does not fit into its queue."""

    def __init__(self, speed: int, capacity: int) -> None:
        self.speed = speed
        self.capacity = capacity
        self.queue: list[bytes] = []
        self.recorded: dict[str, float] = {}
        self.dropped = 0

    def take(self, events: list[bytes]) -> None:
        for event in events:
            if len(self.queue) < self.capacity:
                self.queue.append(event)
            else:
                self.dropped += 1

    def work(self) -> None:
        taken, self.queue = self.queue[: self.speed], self.queue[self.speed :]
        for event in map(json.loads, taken):
            task_run = event["resource"]["prefect.resource.id"].removeprefix("prefect.task-run.")
            self.recorded[task_run] = datetime.fromisoformat(event["occurred"]).timestamp()


def event(number: int) -> bytes:
    occurred = datetime.fromtimestamp(1_000_000 + number, UTC).isoformat()
    return json.dumps(
        {"resource": {"prefect.resource.id": f"prefect.task-run.{number}"}, "occurred": occurred}
    ).encode()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that a `Pacing` sees, in one cell."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def drive(pacing: Pacing, server: Server, count: int, clock: list[float]) -> int:
    """Send `count` events by the hundred, with half a second between looks; return the looks it took."""
    left = [event(number) for number in range(count)]
    looks = 0
    while left or pacing.waits:
        looks += 1
        assert looks < 20_000, (len(left), len(server.recorded))
        while left and (room := min(100, pacing.room())):
            batch, left = left[:room], left[room:]
            server.take(batch)
            pacing.sent(batch)
        server.work()
        clock[0] += 0.5
        if again := pacing.confirm(server.recorded.get):
            server.take(list(again))
    return looks


def test_a_slow_server_is_never_given_more_than_it_can_keep(clock: list[float]) -> None:
    server = Server(speed=20, capacity=2000)
    looks = drive(Pacing(), server, 9000, clock)
    assert (len(server.recorded), server.dropped) == (9000, 0)
    assert looks <= 9000 / 20 + 2, "and it has always something to do"


def test_what_others_crowded_out_is_sent_again(clock: list[float]) -> None:
    server = Server(speed=500, capacity=700)
    drive(Pacing(), server, 5000, clock)
    assert server.dropped
    assert len(server.recorded) == 5000


def test_a_server_that_shows_nothing_gets_the_rest_slowly(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    pacing = Pacing()
    pacing.sent([event(number) for number in range(2000)])
    assert pacing.room() == 0
    again = []
    for _ in range(3):
        clock[0] += 11
        again.append(len(pacing.confirm(lambda _: None)))
    assert again == [2000, 2000, 0]
    assert [record.message for record in caplog.records] == [
        "the Prefect server does not show the task runs that it was sent; going on at a low rate"
    ]
    assert not pacing.waits
    pacing.sent([b"{}"] * pacing.room())
    clock[0] += 10
    assert pacing.room() == 400


def test_an_older_state_is_not_the_one_that_was_sent() -> None:
    pacing = Pacing()
    pacing.sent([event(7)])
    assert not pacing.confirm(lambda _: 1_000_006.0)
    assert pacing.waits
    pacing.confirm(lambda task_run: {"7": 1_000_007.0}[task_run])
    assert not pacing.waits


def test_the_time_of_an_outage_does_not_count(clock: list[float]) -> None:
    pacing = Pacing()
    pacing.sent([event(1)])
    clock[0] += 60
    pacing.put_off()
    assert not pacing.confirm(lambda _: None)


def test_other_events_need_no_confirmation() -> None:
    pacing = Pacing()
    pacing.sent([json.dumps({"resource": {"prefect.resource.id": "sweep.x"}}).encode()])
    assert not pacing.waits
