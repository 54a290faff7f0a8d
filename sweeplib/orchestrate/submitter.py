"""The engine's submitter for a Dask cluster: a Dask task for each combination."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from distributed.client import ClosedClientError
from distributed.comm.core import CommClosedError

from sweeplib.engine import Finished
from sweeplib.engine.unseen import unseen
from sweeplib.errors import ClusterError
from sweeplib.orchestrate.combination import run_combination
from sweeplib.orchestrate.ended import arrivals, attempts_at
from sweeplib.run.client import Guard

if TYPE_CHECKING:
    from distributed import Client, Future

    from sweeplib.orchestrate.cluster import Placement
    from sweeplib.orchestrate.session import Session
    from sweeplib.run.model import Attempt, Work

__all__ = ["PrefectSubmitter"]


@dataclass(frozen=True, slots=True)
class _Ended:
    """A Dask future that has ended, with its work; `last` says that it is not to be submitted again."""

    work: Work
    future: Future[Attempt]
    last: bool


class PrefectSubmitter:
    """Submits work to a Dask cluster as task runs of a flow run, keeping `placement.window` pieces of it out.

    Work that Dask lost (its worker was killed) is submitted once more; where that fails as well, the
    done-markers say how it ended: the ledger decides what is done, and Prefect only shows it.
    """

    def __init__(self, placement: Placement, session: Session) -> None:
        self._client: Client = placement.runner.client
        self._session = session
        self._ended: SimpleQueue[_Ended] = SimpleQueue()
        self._out: dict[str, Future[Attempt]] = {}
        self._sweep: str | None = None
        self._stopped = False
        self.parallel = placement.parallel
        """How many commands run at once."""
        self.window = placement.window
        """How many pieces of work to keep submitted."""
        self.batch = placement.batch
        """How many pieces of work to submit at once."""
        self.submitted = 0
        """How many task runs were submitted; `Chunks` counts its own."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave all as it is: what Dask still has ends by itself."""

    def submit(self, work: Work) -> None:
        """Submit a task run for this work."""
        self._sweep = work.sweep
        self.submitted += work.chunk is None
        self._submit(work, last=False)

    def _submit(self, work: Work, *, last: bool) -> None:
        key = f"{self._session.task}-{uuid4()}"
        try:
            future = self._client.submit(run_combination, work, self._session, key=key, pure=False)
        except (ClosedClientError, CommClosedError) as error:
            msg = f"the Dask cluster has gone away ({error}); what is done is kept: run again when it is back"
            raise ClusterError(msg) from error
        self._out[work.key] = future  # a Dask future that nobody holds is forgotten, its task with it
        future.add_done_callback(partial(self._arrive, work, last))

    def _arrive(self, work: Work, last: bool, future: Future[Attempt]) -> None:  # noqa: FBT001 - bound by partial
        self._ended.put(_Ended(work, future, last))

    def wait(self, timeout: float) -> list[Finished]:
        """Return what has ended, waiting up to `timeout` seconds for the first."""
        arrived = arrivals(self._ended, timeout)
        results = self._results([each.future for each in arrived])
        found = [self._finish(each, result) for each, result in zip(arrived, results, strict=True)]
        return [each for each in found if each is not None]

    def _results(self, futures: list[Future[Attempt]]) -> list[Attempt | str]:
        """Return the attempts, or why there is none; all at once where nothing has gone wrong."""
        if all(future.status == "finished" for future in futures):
            with suppress(Exception):  # its reason is told below
                return list(self._client.gather(futures))
        return [_result(future) for future in futures]

    def _finish(self, ended: _Ended, result: Attempt | str) -> Finished | None:
        """Return the attempts at the work; None if it was submitted again."""
        work = ended.work
        self._out.pop(work.key, None)
        attempts = attempts_at(work, result)
        if attempts:
            return Finished(work, attempts)
        if not ended.last and not self._stopped:
            self._submit(work, last=True)
            return None
        return Finished(work, [unseen(work.key, str(result))])

    def stop(self) -> None:
        """End what runs in this process; workers elsewhere look at the sweep's stop file."""
        self._stopped = True
        if self._sweep is not None:
            Guard.shared().terminate_sweep(self._sweep)


def _result(future: Future[Attempt]) -> Attempt | str:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - whatever Dask raises, the work is not lost
        return str(error) or type(error).__name__
