"""The engine's submitter for Prefect: one task run a combination, on a Dask cluster."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING
from uuid import uuid4

from sweeplib.engine import Finished
from sweeplib.engine.unseen import unseen
from sweeplib.orchestrate.task_runs import run_combination
from sweeplib.run.client import Guard
from sweeplib.run.marker import read_markers
from sweeplib.run.model import SweepPaths

if TYPE_CHECKING:
    from distributed import Client, Future

    from sweeplib.orchestrate.task_runs import Session
    from sweeplib.run.model import Attempt, Work

__all__ = ["PrefectSubmitter"]


@dataclass(frozen=True, slots=True)
class _Ended:
    """A Dask future that has ended, with its work; `last` says that it is not to be submitted again."""

    work: Work
    future: Future[Attempt]
    last: bool


class PrefectSubmitter:
    """Submits work to a Dask cluster as task runs of a flow run, keeping `window` pieces of it out.

    Work that Dask lost (its worker was killed) is submitted once more; where that fails as well, the
    done-markers say how it ended: the ledger decides what is done, and Prefect only shows it.
    """

    def __init__(self, client: Client, session: Session, window: int) -> None:
        self._client = client
        self._session = session
        self._window = window
        self._ended: SimpleQueue[_Ended] = SimpleQueue()
        self._out: dict[str, Future[Attempt]] = {}
        self._sweep: str | None = None
        self._stopped = False
        self.submitted = 0
        """How many task runs were submitted, for comparison with what the server has recorded."""

    @property
    def window(self) -> int:
        """How many pieces of work to keep submitted."""
        return self._window

    def submit(self, work: Work) -> None:
        """Submit a task run for this work."""
        self._sweep = work.sweep
        self.submitted += 1
        self._submit(work, last=False)

    def _submit(self, work: Work, *, last: bool) -> None:
        key = f"{self._session.task}-{uuid4()}"
        future = self._client.submit(run_combination, self._session, work, key=key, pure=False)
        self._out[work.key] = future  # a Dask future that nobody holds is forgotten, and its task with it
        future.add_done_callback(partial(self._arrive, work, last))

    def _arrive(self, work: Work, last: bool, future: Future[Attempt]) -> None:  # noqa: FBT001 - bound by partial
        self._ended.put(_Ended(work, future, last))

    def wait(self, timeout: float) -> list[Finished]:
        """Return what has ended, waiting up to `timeout` seconds for the first."""
        try:
            arrived = [self._ended.get(timeout=timeout)]
        except Empty:
            return []
        while not self._ended.empty():
            arrived.append(self._ended.get())
        found = [self._finish(each) for each in arrived]
        return [each for each in found if each is not None]

    def _finish(self, ended: _Ended) -> Finished | None:
        """Return the attempts at the work; None if it was submitted again."""
        work = ended.work
        self._out.pop(work.key, None)
        attempt: Attempt | None = None
        problem = ""
        try:
            attempt = ended.future.result()
        except Exception as error:  # noqa: BLE001 - whatever Dask raises, the work is not lost
            problem = str(error) or type(error).__name__
        if attempt is not None and attempt.number <= 1:
            return Finished(work, [attempt])
        history = read_markers(SweepPaths(Path(work.folder)), work.key)
        if attempt is not None:
            return Finished(work, [*[each for each in history if each.number < attempt.number], attempt])
        if history:
            return Finished(work, history)
        if not ended.last and not self._stopped:
            self._submit(work, last=True)
            return None
        return Finished(work, [unseen(work.key, problem)])

    def stop(self) -> None:
        """End what runs in this process; workers elsewhere look at the sweep's stop file."""
        self._stopped = True
        if self._sweep is not None:
            Guard.shared().terminate_sweep(self._sweep)
