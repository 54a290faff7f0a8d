"""A helper: a flow run in a work pool that runs combinations of a sweep, as many as there are for it.

The sweep's own process hands them out by a `Spool`. A flow run takes seconds to start, so it stays for more.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.states import Cancelled, Completed, Failed

from sweeplib.orchestrate.cluster import place
from sweeplib.orchestrate.in_process import InProcessSubmitter
from sweeplib.orchestrate.reader import outlive_reader
from sweeplib.orchestrate.recorder import flush_all
from sweeplib.orchestrate.spool import Spool
from sweeplib.run.client import Guard
from sweeplib.run.model import Outcome, SweepPaths

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from sweeplib.engine import Finished
    from sweeplib.run.model import Work

__all__ = ["ENTRYPOINT", "NAME", "NEEDS", "helper", "nothing_to_do"]

NAME = "sweep-helper"
"""The flow's name."""

ENTRYPOINT = f"{__name__}.helper"
"""Where its deployments find it."""

NEEDS = (
    "workers of the pool need the project's folder at the same path, on a file system with file locks that "
    "they share with the sweep"
)
"""What is amiss where they see nothing of a sweep."""

_TICK = 0.2  # seconds between looks at the spool, when nothing ends
_IDLE = 60.0  # seconds without work after which a helper leaves its place in the pool to others
_GRACE = 15.0  # seconds that commands have to end
_FLUSH = 10.0  # seconds that records have to be sent


def run(spool: str, parallel: int | None = None) -> State[Any]:
    """Run combinations of a sweep, until there are no more.

    Args:
        spool: The folder in which the sweep hands them out.
        parallel: Commands at once. Left out: the number of processors.
    """
    context = FlowRunContext.get()
    assert context is not None  # noqa: S101  (a flow is run by Prefect alone)
    assert context.flow_run is not None  # noqa: S101
    outlive_reader()
    found = Spool(Path(spool))
    found.await_turn(str(context.flow_run.id))
    if (nothing := nothing_to_do(found)) is not None:
        return nothing
    with get_client(sync_client=True) as client:  # its address here, which may not be that of the sweep
        session = replace(found.session, api=str(client.api_url).rstrip("/"))
    with place(None, "in this process", found.asked, parallel) as placement:
        near = replace(placement, window=2 * placement.parallel, batch=1)  # the rest is for other helpers
        with InProcessSubmitter(near, session, None) as submitter:
            return _Helper(found, str(context.flow_run.id), submitter).run()


def nothing_to_do(spool: Spool) -> State[Any] | None:
    """Return how a helper ends that has nothing to do: the sweep has ended, or cannot be seen from here."""
    if not spool.sweep.exists():
        return Failed(message=f"there is no {spool.sweep} on {gethostname()}; {NEEDS}")
    if spool.orphaned or spool.closed:
        return Completed(message="nothing to do: the sweep has ended")
    return None


helper = Flow(run, name=NAME, persist_result=False)


class _Helper:
    """One helper at its work."""

    def __init__(self, spool: Spool, name: str, submitter: InProcessSubmitter) -> None:
        self._spool = spool
        self._id = name
        self._submitter = submitter
        self._numbers: dict[str, int] = {}  # of what it has, by key
        self._paths: SweepPaths | None = None
        self._sweep = ""
        self._ran = 0
        self._parent = os.getppid()

    def run(self) -> State[Any]:
        """Work until there is no more to do; what breaks in ends the commands."""
        with self._spool.signing(self._id, self._submitter.parallel):
            try:
                return self._work()
            except BaseException:
                self._abandon()
                raise
            finally:
                flush_all(_FLUSH)

    def _work(self) -> State[Any]:
        stopped = hurried = False
        busy = time.monotonic()
        while True:
            if not stopped and self._is_stopped():
                stopped = True
                self._submitter.stop()
            if stopped and not hurried and self._spool.hurried:
                hurried = True
                self._submitter.stop(at_once=True)
            if self._spool.orphaned or os.getppid() != self._parent:
                msg = "the sweep's process, or the worker's, has died"
                raise RuntimeError(msg)
            if not stopped:
                self._take()
            if self._numbers:
                busy = time.monotonic()
            elif stopped or self._spool.closed or time.monotonic() - busy > _IDLE:
                break
            for each in self._submitter.wait(_TICK):
                self._give(each)
        said = f"{self._ran:,} combination{'s' if self._ran != 1 else ''} ran"
        return Cancelled(message=f"the sweep was stopped; {said}") if stopped else Completed(message=said)

    def _is_stopped(self) -> bool:
        return self._paths is not None and self._paths.stop.exists()

    def _take(self) -> None:
        for number, work in self._spool.take(self._id, self._submitter.window - len(self._numbers)):
            self._remember(number, work)
            self._submitter.submit(work)

    def _remember(self, number: int, work: Work) -> None:
        self._numbers[work.key] = number
        self._paths = SweepPaths(Path(work.folder))
        self._sweep = work.sweep

    def _give(self, finished: Finished) -> None:
        self._ran += 1
        self._spool.give(self._id, self._numbers.pop(finished.work.key), finished.attempts)

    def _abandon(self) -> None:
        """End what runs and begin nothing more; what did not end by itself is left to another helper."""
        left = len(self._numbers) - self._submitter.abandon()
        Guard.shared().terminate_sweep(self._sweep)
        deadline = time.monotonic() + _GRACE
        while left > 0 and time.monotonic() < deadline:
            for each in self._submitter.wait(_TICK):
                left -= 1
                if each.attempts[-1].outcome is not Outcome.CANCELLED:
                    self._give(each)
