"""Laws of admission: no machine is given more than it has, everything runs, nothing waits for ever."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from sweeplib.orchestrate.admission import Admission
from sweeplib.orchestrate.room import Need, Room
from sweeplib.run.leases import PARTS

if TYPE_CHECKING:
    from sweeplib.orchestrate.admission import Slot

CPU, MEMORY, DEVICES = 8000, 100, ("0", "1", "2")

gpus = st.sampled_from([0.0, 0.0, 0.0, 0.2, 1 / 3, 0.5, 0.7, 1.0, 2.0, 3.0])
needs = st.builds(
    lambda cpu, memory, gpu: Need(cpu, memory, gpu, DEVICES if gpu else ()),
    st.sampled_from([0, 1, 500, 1000, 1000, 2000, 5000, 8000]),
    st.sampled_from([0, 0, 10, 40, 100]),
    gpus,
)


class Machine:
    """Commands that have begun and not ended, as an observer of the machine sees them."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.admission: Admission[int] = Admission(Room(places, CPU, MEMORY))
        self.needs: list[Need] = []
        self.running: dict[int, Slot] = {}
        self.began: list[int] = []

    def put(self, need: Need) -> None:
        self.needs.append(need)
        self.admission.put(len(self.needs) - 1, need)
        self.look()

    def end(self, number: int) -> None:
        self.running.pop(number).give()
        self.look()

    def look(self) -> None:
        while not self.admission.ready.empty():
            admitted = self.admission.ready.get()
            assert admitted is not None
            number, slot = admitted
            self.running[number] = slot
            self.began.append(number)
        used = [self.needs[number] for number in self.running]
        assert len(used) <= self.places
        assert self.admission.running == len(used)
        assert sum(need.cpu for need in used) <= CPU
        assert sum(need.memory for need in used) <= MEMORY
        parts: Counter[str] = Counter()
        for slot in self.running.values():
            parts.update(dict(slot.held))
        assert all(count <= PARTS for count in parts.values())
        if self.first is not None and not self.running:
            raise AssertionError("something waits, and nothing runs")

    @property
    def first(self) -> int | None:
        """What has waited for longest."""
        return next((number for number in range(len(self.needs)) if number not in self.began), None)


@given(st.lists(needs, min_size=1, max_size=40), st.integers(1, 6), st.data())
def test_the_room_is_never_exceeded_and_everything_runs(
    wanted: list[Need], places: int, data: st.DataObject
) -> None:
    machine = Machine(places)
    left = list(wanted)
    while left or machine.running:
        if left and (not machine.running or data.draw(st.booleans())):
            machine.put(left.pop(0))
        else:
            machine.end(data.draw(st.sampled_from(sorted(machine.running))))
    assert sorted(machine.began) == list(range(len(wanted)))


@given(st.lists(needs, min_size=2, max_size=40), st.integers(1, 6))
def test_the_first_that_waits_does_not_wait_for_what_overtakes_it(wanted: list[Need], places: int) -> None:
    machine = Machine(places)
    for need in wanted:
        machine.put(need)
        if machine.first is not None:
            break
    first = machine.first
    before = list(machine.running)
    for need in wanted[len(machine.needs) :]:
        machine.put(need)
    for number in before:
        machine.end(number)
    assert first is None or first in machine.began


@given(needs, st.integers(2, 30), st.integers(1, 6), st.data())
def test_what_needs_the_same_begins_in_order(
    need: Need, count: int, places: int, data: st.DataObject
) -> None:
    machine = Machine(places)
    for _ in range(count):
        machine.put(need)
    while machine.running:
        machine.end(data.draw(st.sampled_from(sorted(machine.running))))
    assert machine.began == list(range(count))
