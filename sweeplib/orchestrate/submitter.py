"""The engine's submitter for a Dask cluster: a Dask task for each combination, or for several short ones."""

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
from sweeplib.orchestrate.combination import run_combinations
from sweeplib.orchestrate.ended import arrivals, attempts_at
from sweeplib.run.client import Guard

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from distributed import Client, Future

    from sweeplib.orchestrate.session import Session
    from sweeplib.run.model import Attempt, Work

__all__ = ["PrefectSubmitter"]


_SPAN = 0.2  # seconds of commands that a Dask task holds, …
_MOST = 32  # … and commands at most: each task costs Dask some milliseconds
_WEIGHT = 0.1  # of the newest command in the mean of all

_Results = list["Attempt | str"]


@dataclass(frozen=True, slots=True)
class _Ended:
    """A Dask future that has ended, with its works; `last` says that they are not to be submitted again."""

    works: Sequence[Work]
    future: Future[_Results]
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
        self._mean: float | None = None
        self._taken: list[Work] = []
        self._ended: SimpleQueue[_Ended] = SimpleQueue()
        self._out: dict[object, Future[_Results]] = {}
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
        return self._window * self.batch

    @property
    def batch(self) -> int:
        """How many pieces of work to submit at once: more of short ones, in one Dask task."""
        if self._mean is None:
            return 1
        return max(1, min(_MOST, int(_SPAN / max(self._mean, 1e-9))))

    def submit(self, work: Work) -> None:
        """Submit a task run for this work."""
        self._sweep = work.sweep
        self.submitted += work.chunk is None
        self._taken.append(work)
        if len(self._taken) >= self.batch:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._taken:
            works, self._taken = self._taken, []
            self._submit(works, last=False)

    def _submit(self, works: Sequence[Work], *, last: bool) -> None:
        key = f"{self._session.task}-{uuid4()}"
        try:
            future = self._client.submit(run_combinations, works, self._session, key=key, pure=False)
        except (ClosedClientError, CommClosedError) as error:
            msg = f"the Dask cluster has gone away ({error}); what is done is kept: run again when it is back"
            raise ClusterError(msg) from error
        self._out[future.key] = future  # a Dask future that nobody holds is forgotten, its task with it
        future.add_done_callback(partial(self._arrive, works, last))

    def _arrive(self, works: Sequence[Work], last: bool, future: Future[_Results]) -> None:  # noqa: FBT001 - bound by partial
        self._ended.put(_Ended(works, future, last))

    def wait(self, timeout: float) -> list[Finished]:
        """Return what has ended, waiting up to `timeout` seconds for the first."""
        self._hand_over()
        arrived = arrivals(self._ended, timeout)
        results = self._results([each.future for each in arrived])
        return [
            finished
            for ended, each in zip(arrived, results, strict=True)
            for finished in self._finish(ended, each)
        ]

    def _results(self, futures: list[Future[_Results]]) -> list[_Results | str]:
        """Return what came of each task, or why there is nothing; all at once where nothing went wrong."""
        if all(future.status == "finished" for future in futures):
            with suppress(Exception):  # its reason is told below
                return list(self._client.gather(futures))
        return [_result(future) for future in futures]

    def _finish(self, ended: _Ended, results: _Results | str) -> Iterator[Finished]:
        """Yield the attempts at each work; those that Dask lost are submitted again, and not yielded."""
        self._out.pop(ended.future.key, None)
        each = [results] * len(ended.works) if isinstance(results, str) else results
        lost: list[Work] = []
        for work, result in zip(ended.works, each, strict=True):
            attempts = attempts_at(work, result)
            if attempts:
                self._learn(attempts[-1])
                yield Finished(work, attempts)
            elif ended.last or self._stopped:
                yield Finished(work, [unseen(work.key, str(result))])
            else:
                lost.append(work)
        if lost:
            self._submit(lost, last=True)

    def _learn(self, attempt: Attempt) -> None:
        seconds = attempt.ended - attempt.started
        self._mean = seconds if self._mean is None else self._mean + _WEIGHT * (seconds - self._mean)

    def stop(self) -> None:
        """End what runs in this process; workers elsewhere look at the sweep's stop file."""
        self._stopped = True
        if self._sweep is not None:
            Guard.shared().terminate_sweep(self._sweep)


def _result(future: Future[_Results]) -> _Results | str:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - whatever Dask raises, the work is not lost
        return str(error) or type(error).__name__
