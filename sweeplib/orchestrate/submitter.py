"""The engine's submitter for Prefect: one task run a combination, on a Dask cluster."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from distributed.client import ClosedClientError
from distributed.comm.core import CommClosedError

from sweeplib.engine import Finished
from sweeplib.engine.unseen import unseen
from sweeplib.errors import ClusterError
from sweeplib.orchestrate.combination import run_combination
from sweeplib.orchestrate.ended import attempts_at
from sweeplib.run.client import Guard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from distributed import Client, Future

    from sweeplib.orchestrate.session import Session
    from sweeplib.run.model import Attempt, Work

__all__ = ["PrefectSubmitter"]

_GATHER = 0.01  # seconds that what ended first waits for others: a batch is fetched and stored at once


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

    def __init__(self, client: Client, session: Session, window: int, batch: int = 1) -> None:
        self._client = client
        self._session = session
        self._window = window
        self._batch = batch
        self._ended: SimpleQueue[_Ended] = SimpleQueue()
        self._taken: list[Work] = []
        self._out: dict[str, Future[Attempt]] = {}
        self._sweep: str | None = None
        self._stopped = False
        self.submitted = 0
        """How many task runs were submitted; `Chunks` counts its own."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave all as it is: what Dask still has ends by itself."""

    @property
    def window(self) -> int:
        """How many pieces of work to keep submitted."""
        return self._window

    @property
    def batch(self) -> int:
        """How many pieces of work to submit at once."""
        return self._batch

    def submit(self, work: Work) -> None:
        """Submit a task run for this work."""
        self._sweep = work.sweep
        self.submitted += work.chunk is None
        self._taken.append(work)
        if len(self._taken) >= self._batch:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._taken:
            works, self._taken = self._taken, []
            self._submit(works, last=False)

    def _submit(self, works: Sequence[Work], *, last: bool) -> None:
        """Submit works at once, which costs Dask less than one at a time."""
        keys = [f"{self._session.task}-{uuid4()}" for _ in works]
        try:
            futures = self._client.map(run_combination, works, session=self._session, key=keys, pure=False)
        except (ClosedClientError, CommClosedError) as error:
            msg = f"the Dask cluster has gone away ({error}); what is done is kept: run again when it is back"
            raise ClusterError(msg) from error
        for work, future in zip(works, futures, strict=True):
            self._out[work.key] = future  # a Dask future that nobody holds is forgotten, its task with it
            future.add_done_callback(partial(self._arrive, work, last))

    def _arrive(self, work: Work, last: bool, future: Future[Attempt]) -> None:  # noqa: FBT001 - bound by partial
        self._ended.put(_Ended(work, future, last))

    def wait(self, timeout: float) -> list[Finished]:
        """Return what has ended, waiting up to `timeout` seconds for the first."""
        self._hand_over()
        try:
            arrived = [self._ended.get(timeout=timeout)]
        except Empty:
            return []
        time.sleep(_GATHER)
        while not self._ended.empty():
            arrived.append(self._ended.get())
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
            self._submit([work], last=True)
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
