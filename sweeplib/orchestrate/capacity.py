"""What this machine has for the commands of a sweep, and what each takes of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeplib.orchestrate.room import NOTHING, Need, Room, thousandths
from sweeplib.run import machine, open_files
from sweeplib.run.demand import devices_of, shortage

if TYPE_CHECKING:
    from sweeplib.orchestrate.asked import Asked
    from sweeplib.run.model import Work

__all__ = ["Capacity"]

_MOST = 500  # commands at once, each with a thread of ours, however little they need; `parallel` may say more


@dataclass(frozen=True, slots=True)
class Capacity:
    """So many `places` for commands at once, thousandths of processors, and bytes of memory.

    A command of which no processors are said takes `plain` thousandths. `devices` is how many GPUs there are
    for commands that do not say themselves which those are; 0 where none of them needs any.
    """

    places: int
    cpu: int = 0
    memory: int = 0
    plain: int = 0
    devices: int = 0

    @classmethod
    def of(cls, asked: Asked, parallel: int | None) -> Capacity:
        """Return what this machine has for commands that ask for so much; `parallel` may run at once.

        None: as many as there are processors for. One that says nothing of them takes one then. In any case
        no more than files may be open.
        """
        processors = machine.processors()
        least = asked.least_cpu
        places = parallel or max(processors, min(int(processors / (least or 1.0)), _MOST))
        places = min(places, open_files.room())
        plain = thousandths(1) if least is not None and parallel is None else 0
        # To ask takes a while, and very long where a driver hangs.
        devices = len(machine.devices({**os.environ, **asked.env})) if asked.gpu else 0
        return cls(places, thousandths(processors), machine.memory(), plain, devices)

    def room(self) -> Room:
        """Return all of it, free."""
        return Room(self.places, self.cpu, self.memory)

    def need(self, work: Work) -> Need:
        """Return what a command takes: no more processors than there are, so that it runs when it is alone.

        One that cannot run here at all takes nothing, as it fails at once.
        """
        amounts = work.amounts
        if (not amounts and not self.plain) or work.refusal or shortage(work):
            return NOTHING
        return Need(
            cpu=self._cpu(amounts.cpu),
            memory=amounts.memory or 0,
            gpu=amounts.gpu or 0.0,
            devices=devices_of(work) if amounts.gpu else (),
        )

    def _cpu(self, said: float | None) -> int:
        return self.plain if said is None else min(thousandths(said), self.cpu)

    def at_once(self, asked: Asked) -> int:
        """Return how many commands fit at once, going by the mean of what some of them need."""
        sample = asked.sample
        total = Need(
            cpu=sum(self._cpu(each.cpu) for each in sample),
            memory=sum(each.memory or 0 for each in sample),
            gpu=sum(each.gpu or 0.0 for each in sample),
        )
        wanted = ((self.cpu, total.cpu), (self.memory, total.memory), (self.devices, total.gpu))
        fitting = [int(all_ * len(sample) / each + 1e-9) for all_, each in wanted if each]
        return max(1, min([self.places, *fitting]))
