"""What the workers of a cluster that we start declare of themselves, for Dask to bound what runs there.

Like `sweeplib.orchestrate.environment`, this is read by workers before Prefect may be imported there.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from distributed.diagnostics.plugin import WorkerPlugin

from sweeplib.run import machine

if TYPE_CHECKING:
    from distributed import Worker

__all__ = ["CPU", "GPU", "MEMORY", "Declaration"]

CPU, MEMORY, GPU = "CPU", "MEMORY", "GPU"
"""How resources are called in Dask."""


class Declaration(WorkerPlugin):
    """Has every worker declare a processor a thread, its limit of memory (or all), and the GPUs that it sees.

    These only where any command may need one (`gpu`): to ask takes a while, and very long where a driver
    hangs. What a worker declares already stays. Workers on one machine may see the same GPUs: leases keep
    them apart.
    """

    name = "sweeplib-declaration"

    def __init__(self, *, gpu: bool) -> None:
        self._gpu = gpu

    async def setup(self, worker: Worker) -> None:
        """Declare what the worker has."""
        there = {
            CPU: worker.state.nthreads,
            MEMORY: worker.memory_manager.memory_limit or machine.memory(),
            GPU: len(machine.devices(os.environ)) if self._gpu else 0,
        }
        said = worker.state.total_resources
        await worker.set_resources(
            **{name: amount for name, amount in there.items() if amount and name not in said}
        )
