"""A submitter of threads: no Prefect and no Dask, for tests and for where neither can be had."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from sweeplib.engine.arrivals import Arrivals
from sweeplib.engine.model import Finished
from sweeplib.engine.unseen import unseen
from sweeplib.run.attempt import run_attempt
from sweeplib.run.client import Guard

if TYPE_CHECKING:
    from sweeplib.run.model import Work
    from sweeplib.where import Where

__all__ = ["LocalSubmitter"]


class LocalSubmitter:
    """Runs `parallel` commands at once in threads of this process, each once, without retries."""

    def __init__(self, parallel: int) -> None:
        self._parallel = parallel
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="sweep")
        self._ended: Arrivals[Finished] = Arrivals(gather=0.0)
        self._sweeps: set[str] = set()
        self._out = 0

    @property
    def parallel(self) -> int:
        """How many commands run at once."""
        return self._parallel

    @property
    def running(self) -> int:
        """How many of the commands that were submitted run now."""
        return min(self._out, self._parallel)

    @property
    def window(self) -> int:
        """Twice what runs at once, so that a thread that is free finds work."""
        return 2 * self._parallel

    @property
    def batch(self) -> int:
        """One: what waits for others costs time."""
        return 1

    def at(self, where: Where | None) -> Self:  # noqa: ARG002 - the protocol's signature
        """Return this one: it runs all work here."""
        return self

    def submit(self, work: Work) -> None:
        """Take a piece of work; returns at once."""
        self._out += 1
        self._sweeps.add(work.sweep)
        self._pool.submit(self._run, work)

    def _run(self, work: Work) -> None:
        try:
            attempt = run_attempt(work)
        except Exception as error:  # noqa: BLE001 - whatever it is, the engine waits for an end
            attempt = unseen(work.key, str(error) or type(error).__name__)
        self._ended.put(Finished(work, [attempt]))

    def wait(self, timeout: float) -> list[Finished]:
        """Return what has ended, waiting up to `timeout` seconds for the first."""
        ended = self._ended.take(timeout)
        self._out -= len(ended)
        return ended

    def stop(self, *, at_once: bool = False) -> None:
        """End what runs; the sweep's stop file keeps the rest from starting."""
        for sweep in self._sweeps:
            Guard.shared().terminate_sweep(sweep, at_once=at_once)
