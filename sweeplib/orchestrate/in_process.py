"""The engine's submitter where Dask runs in this process: its threads take work from a queue.

A Dask task a combination costs its scheduler and its worker some milliseconds, for messages, states and
placement that one process has no use for. So Dask is asked for its threads once a sweep, and they serve.
"""

from __future__ import annotations

from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from sweeplib.engine import Finished
from sweeplib.engine.arrivals import Arrivals
from sweeplib.engine.unseen import unseen
from sweeplib.orchestrate.admission import Admission
from sweeplib.orchestrate.combination import Again, Running
from sweeplib.orchestrate.ended import attempts_at
from sweeplib.orchestrate.later import Later
from sweeplib.run.client import Guard
from sweeplib.run.model import SweepPaths

if TYPE_CHECKING:
    from collections.abc import Iterable
    from threading import Event

    from distributed import Client

    from sweeplib.orchestrate.cluster import Placement
    from sweeplib.orchestrate.session import Session
    from sweeplib.run.model import Attempt, Work
    from sweeplib.where import Where

__all__ = ["InProcessSubmitter"]


class InProcessSubmitter:
    """Hands work to `placement.threads` threads of a Dask worker in this process; a context manager.

    Each piece begins as soon as `placement.capacity` has room for it (see `sweeplib.orchestrate.admission`).
    Once more than `allowed` combinations have failed (None: any number may), it starts no more, before there
    is room for the next: who counts what comes back would be too late.
    """

    def __init__(self, placement: Placement, session: Session, allowed: int | None) -> None:
        self._client: Client = placement.runner.client
        self._threads = placement.threads
        self._session = session
        assert placement.capacity is not None  # noqa: S101  (there are threads in this process)
        self._capacity = placement.capacity
        self._admission: Admission[Work | Running] = Admission(self._capacity.room())
        self._ended: Arrivals[tuple[Work, Attempt | Again | str]] = Arrivals()
        self._later = Later()
        self._failed = count(1)
        self._allowed = allowed
        self._sweep: str | None = None
        self._id = str(uuid4())
        self._expected = placement.parallel
        self._window = placement.window
        self.batch = placement.batch
        """How many pieces of work to submit at once."""
        self.submitted = 0
        """How many task runs were submitted; `Chunks` counts its own."""

    def __enter__(self) -> Self:
        _serving[self._id] = self
        keys = [f"{self._session.task}-{self._id}-{number}" for number in range(self._threads)]
        self._futures = self._client.map(_serve, [self._id] * self._threads, key=keys, pure=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._admission.close(self._threads)
        del _serving[self._id]

    @property
    def parallel(self) -> int:
        """How many commands run at once: if others wait for their room, as many as do."""
        running = self._admission.running
        return max(running, 1 if self._admission.is_waited_for else self._expected)

    @property
    def window(self) -> int:
        """How many pieces of work to keep submitted; what waits to be tried again takes no place."""
        return self._window + len(self._later)

    @property
    def running(self) -> int:
        """How many commands run now, about."""
        return self._admission.running

    def at(self, where: Where | None) -> Self:  # noqa: ARG002 - the protocol's signature
        """Return this one: it hands no work on."""
        return self

    def ring(self, bell: Event) -> None:
        """Ring a bell whenever something has ended."""
        self._ended.bell = bell

    def submit(self, work: Work) -> None:
        """Submit a task run for this work."""
        self._sweep = work.sweep
        self.submitted += work.chunk is None
        self._admission.put(work, self._capacity.need(work))

    def serve(self) -> None:
        """Run what is submitted, until nothing more is (the body of a thread of Dask's)."""
        while (admitted := self._admission.ready.get()) is not None:
            each, slot = admitted
            result: Attempt | Again | str
            running = each if isinstance(each, Running) else Running.of(each, self._session)
            try:
                result = running.go_on(slot, partial(self._count_failure, running.work))
            except BaseException as error:  # noqa: BLE001 - whatever it was, the work is not lost
                result = str(error) or type(error).__name__
            finally:
                slot.give()
            self._ended.put((running.work, result))

    def _count_failure(self, work: Work) -> None:
        failed = next(self._failed)
        if self._allowed is not None and failed > self._allowed:
            SweepPaths(Path(work.folder)).halt.touch()

    def wait(self, timeout: float) -> list[Finished]:
        """Return what has ended, waiting up to `timeout` seconds for the first that arrives."""
        finished = []
        for work, result in self._ended.take(self._later.wait(timeout)):
            if isinstance(result, Again):
                self._later.put(result)
            else:
                finished.append(Finished(work, attempts_at(work, result) or [unseen(work.key, str(result))]))
        self._go_on(self._later.due())
        return finished

    def _go_on(self, due: Iterable[Running]) -> None:
        """Have these run next: they are of what came first."""
        for running in due:
            self._admission.put(running, self._capacity.need(running.work), first=True)

    def abandon(self) -> int:
        """Begin nothing more, not even what was submitted; return how much of that there was."""
        return len(self._later.every()) + self._admission.withdraw()

    def stop(self, *, at_once: bool = False) -> None:
        """End what runs; what waits need not wait for room: it sees the sweep's stop file, and ends."""
        self._admission.open()
        self._go_on(self._later.every())
        if self._sweep is not None:
            Guard.shared().terminate_sweep(self._sweep, at_once=at_once)


_serving: dict[str, InProcessSubmitter] = {}


def _serve(submitter: str) -> None:
    """Serve a submitter of this process (a Dask task)."""
    found = _serving.get(submitter)
    if found is not None:
        found.serve()
