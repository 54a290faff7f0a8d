"""Admission: who begins next, who may overtake whom, and what happens at the end."""

from __future__ import annotations

from sweeplib.orchestrate.admission import Admission, Slot
from sweeplib.orchestrate.room import NOTHING, Need, Room, thousandths


def cpus(count: float) -> Need:
    return Need(thousandths(count))


def admission(places: int = 10, cpu: float = 4) -> Admission[str]:
    return Admission(Room(places, thousandths(cpu), 1000))


def began(queue: Admission[str]) -> dict[str, Slot]:
    """Take what may begin, in order."""
    found = {}
    while not queue.ready.empty():
        admitted = queue.ready.get()
        assert admitted
        found[admitted[0]] = admitted[1]
    return found


def put(queue: Admission[str], **needs: Need) -> dict[str, Slot]:
    for name, need in needs.items():
        queue.put(name, need)
    return began(queue)


def test_small_ones_run_together_and_a_large_one_alone() -> None:
    queue = admission()
    slots = put(queue, a=cpus(1), b=cpus(1), large=cpus(4), c=cpus(1))
    assert list(slots) == ["a", "b"], "c would make the large one wait for longer"
    assert queue.is_waited_for
    slots["a"].give()
    assert not began(queue)
    slots["b"].give()
    (large,) = began(queue).values()
    large.give()
    assert list(began(queue)) == ["c"]
    assert not queue.is_waited_for


def test_what_fits_beside_the_one_that_waits_overtakes_it() -> None:
    queue = admission(cpu=8)
    slots = put(queue, a=cpus(4), b=cpus(2), large=cpus(6), c=cpus(1), d=cpus(2), e=cpus(1), f=cpus(1))
    assert list(slots) == ["a", "b", "c", "e"], "beside six there are two"
    slots["c"].give()
    assert list(began(queue)) == ["f"], "what has overtaken it and ended makes room for another"
    slots["a"].give()
    assert not began(queue)
    slots["b"].give()
    assert list(began(queue)) == ["large"]


def test_processors_do_not_wait_for_devices() -> None:
    queue = admission()
    gpu = Need(thousandths(1), 0, 1.0, ("0",))
    half = Need(0, 0, 0.5, ("1",))
    slots = put(queue, a=gpu, b=gpu, c=half, d=cpus(2), e=cpus(1), f=cpus(1))
    assert list(slots) == ["a", "d", "e"], "one processor is for b; c waits for devices behind it"
    slots["a"].give()
    assert list(began(queue)) == ["b", "c"]


def test_shares_fill_up_one_device_first() -> None:
    room = Room(10)
    both = ("0", "1")
    assert room.take(Need(gpu=0.5, devices=both)) == (("0", 30),)
    assert room.take(Need(gpu=1 / 3, devices=both)) == (("0", 20),)
    assert room.take(Need(gpu=2, devices=both)) is None
    assert room.take(Need(gpu=0.3, devices=both)) == (("1", 18),)
    room.give(Need(gpu=0.3, devices=both), (("1", 18),))
    assert room.take(Need(gpu=1, devices=both)) == (("1", 60),)


def test_what_goes_on_comes_first() -> None:
    queue = admission(places=1)
    slots = put(queue, a=NOTHING, b=NOTHING)
    queue.put("again", NOTHING, first=True)
    slots["a"].give()
    assert list(began(queue)) == ["again"]


def test_a_slot_is_given_back_once() -> None:
    queue = admission(places=1)
    slots = put(queue, a=NOTHING, b=NOTHING, c=NOTHING)
    with slots["a"]:
        assert not began(queue)
    slots["a"].give()
    assert list(began(queue)) == ["b"]
    assert queue.running == 1


def test_at_the_end_nothing_waits_for_room() -> None:
    queue = admission()
    put(queue, a=cpus(4), b=cpus(4), c=cpus(4))
    queue.open()
    assert list(began(queue)) == ["b", "c"]
    assert list(put(queue, d=cpus(4))) == ["d"]
    queue.close(2)
    assert [queue.ready.get(), queue.ready.get()] == [None, None]
