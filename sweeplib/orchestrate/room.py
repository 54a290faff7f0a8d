"""The room of a machine for commands: places, processors, memory and devices, and what is free of them.

Of processors a thousandth is the least, of a device a part as in `sweeplib.run.leases`; memory is in bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sweeplib.run.leases import PARTS

__all__ = ["NOTHING", "Held", "Need", "Room", "thousandths"]

Held = tuple[tuple[str, int], ...]
"""Devices, and how many parts of each."""


def thousandths(cpu: float) -> int:
    """Return an amount of processors as it is counted here; no command needs less than one."""
    return max(1, round(1000 * cpu))


@dataclass(frozen=True, slots=True)
class Need:
    """What a command takes besides a place while it runs: a share of one of `devices`, or so many (`gpu`)."""

    cpu: int = 0
    memory: int = 0
    gpu: float = 0.0
    devices: tuple[str, ...] = ()

    @property
    def without_devices(self) -> Need:
        """The same, but for devices."""
        return Need(self.cpu, self.memory) if self.gpu else self


NOTHING = Need()


class Room:
    """What is free for commands: so many places, thousandths of processors, and bytes.

    Devices are those that commands name, and free at first.
    """

    def __init__(self, places: int, cpu: int = 0, memory: int = 0) -> None:
        self._all = places, cpu, memory
        self._places, self._cpu, self._memory = self._all
        self._used: dict[str, int] = {}

    @property
    def is_full(self) -> bool:
        """Whether there is no place left, whatever the command."""
        return not self._places

    def take(self, need: Need) -> Held | None:
        """Take what a command needs; return its devices, or None where it does not fit."""
        if not self._places or need.cpu > self._cpu or need.memory > self._memory:
            return None
        held = self._devices(need) if need.gpu else ()
        if held is not None:
            self._add(need, held, -1)
        return held

    def give(self, need: Need, held: Held) -> None:
        """Give back what a command has taken."""
        self._add(need, held, 1)

    def _add(self, need: Need, held: Held, sign: int) -> None:
        self._places += sign
        self._cpu += sign * need.cpu
        self._memory += sign * need.memory
        for device, parts in held:
            self._used[device] = self._used.get(device, 0) - sign * parts

    def _devices(self, need: Need) -> Held | None:
        """Return devices that are free, or the one of which the least that will do is free (as leases do)."""
        free = [(PARTS - self._used.get(device, 0), device) for device in need.devices]
        if need.gpu >= 1:
            whole = [(device, PARTS) for parts, device in free if parts == PARTS]
            count = int(need.gpu)
            return tuple(whole[:count]) if len(whole) >= count else None
        parts = math.ceil(need.gpu * PARTS - 1e-9)
        found = min((each for each in free if each[0] >= parts), key=lambda each: each[0], default=None)
        return None if found is None else ((found[1], parts),)

    def beside(self, need: Need) -> Room:
        """Return the room that there is beside a command that runs alone; of devices, all."""
        places, cpu, memory = self._all
        return Room(places - 1, cpu - need.cpu, memory - need.memory)
