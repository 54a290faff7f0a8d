"""The engine's submitter for a Dask cluster: a Dask task for each combination."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from distributed.client import ClosedClientError
from distributed.comm.core import CommClosedError

from sweeplib.engine import Finished
from sweeplib.engine.arrivals import Arrivals
from sweeplib.engine.unseen import unseen
from sweeplib.errors import ClusterError
from sweeplib.orchestrate.combination import Again, Running, run_again, run_combination
from sweeplib.orchestrate.ended import attempts_at
from sweeplib.orchestrate.later import Later
from sweeplib.orchestrate.workers import Workers, gone
from sweeplib.run.client import Guard
from sweeplib.run.model import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from threading import Event

    from distributed import Client, Future

    from sweeplib.orchestrate.cluster import Placement
    from sweeplib.orchestrate.session import Session
    from sweeplib.orchestrate.workers import Request
    from sweeplib.run.model import Work
    from sweeplib.where import Where

__all__ = ["PrefectSubmitter"]


@dataclass(frozen=True, slots=True)
class _Ended:
    """A Dask future that has ended, with its work; `last` says that it is not to be submitted again."""

    work: Work
    future: Future[Attempt | Again]
    last: bool


@dataclass(frozen=True, slots=True)
class _Asking:
    """Work that asks for what not every worker has, with what has run of it."""

    work: Work
    running: Running | None
    request: Request


class PrefectSubmitter:
    """Submits work to a Dask cluster as task runs of a flow run, keeping a window of it out.

    Work that Dask lost (its worker was killed) is submitted once more; where that fails as well, the
    done-markers say how it ended: the ledger decides what is done, and Prefect only shows it.

    How much that is follows the workers, which come and go. What a command needs is asked of Dask, as far as
    workers declare it; what none has, for some time, fails. `note` is told of both, and that there is no
    worker.
    """

    def __init__(self, placement: Placement, session: Session, note: Callable[[str], None]) -> None:
        self._client: Client = placement.runner.client
        self._session = session
        self._ended: Arrivals[_Ended] = Arrivals()
        self._out: dict[str, Future[Attempt | Again]] = {}
        self._workers = Workers(self._client, note, placement.terms)
        self._asking: dict[str, _Asking] = {}
        self._later = Later()
        self._sweep: str | None = None
        self._stopped = False
        self.batch = placement.batch
        """How many pieces of work to submit at once."""
        self.submitted = 0
        """How many task runs were submitted; `Chunks` counts its own."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave all as it is: what Dask still has ends by itself."""

    @property
    def parallel(self) -> int:
        """How many commands run at once, going by the workers that there are now."""
        return self._workers.at_once

    @property
    def window(self) -> int:
        """How many pieces of work to keep submitted; what waits to be tried again takes no place."""
        return self._workers.window + len(self._later)

    @property
    def running(self) -> int:
        """How many commands run now, about: none where there is no worker."""
        return min(len(self._out), self.parallel) if self._workers.threads else 0

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
        self._submit(work, last=False)

    def _submit(self, work: Work, running: Running | None = None, *, last: bool) -> None:
        request = () if work.refusal else self._workers.request(work.amounts)
        options: dict[str, Any] = {
            "key": f"{self._session.task}-{uuid4()}",
            "pure": False,
            "fifo_timeout": "0 s",  # what is submitted within it has no order
        }
        if request:
            options["resources"] = dict(request)
            self._asking[work.key] = _Asking(work, running, request)
        try:
            if running is None:
                future = self._client.submit(run_combination, work, self._session, **options)
            else:
                future = self._client.submit(run_again, running, **options)
        except (ClosedClientError, CommClosedError) as error:
            raise gone(error) from error
        self._out[work.key] = future  # a Dask future that nobody holds is forgotten, its task with it
        future.add_done_callback(partial(self._arrive, work, last))

    def _arrive(self, work: Work, last: bool, future: Future[Attempt | Again]) -> None:  # noqa: FBT001 - bound by partial
        self._ended.put(_Ended(work, future, last))

    def wait(self, timeout: float) -> list[Finished]:
        """Return what has ended, waiting up to `timeout` seconds for the first."""
        arrived = self._ended.take(self._later.wait(timeout))
        arrived = [each for each in arrived if self._out.get(each.work.key) is each.future]  # not replaced
        results = self._results([each.future for each in arrived])
        found = [self._finish(each, result) for each, result in zip(arrived, results, strict=True)]
        self._go_on(self._later.due())
        if self._workers.look():
            self._refuse()
        return [each for each in found if each is not None]

    def _refuse(self) -> None:
        """Have what no worker can run fail on any worker, in the place of what waits for one."""
        for request in {each.request for each in self._asking.values()}:
            problem = self._workers.lack(request)
            for asking in list(self._asking.values()) if problem else ():
                if asking.request == request:
                    self._replace(asking, problem)

    def _replace(self, asking: _Asking, problem: str) -> None:
        del self._asking[asking.work.key]
        work = replace(asking.work, refusal=problem)
        before = self._out[work.key]
        running = asking.running and replace(asking.running, work=work)
        self._submit(work, running, last=True)
        before.cancel()

    def _go_on(self, due: Iterable[Running]) -> None:
        for running in due:
            self._submit(running.work, running, last=False)

    def _results(self, futures: list[Future[Attempt | Again]]) -> list[Attempt | Again | str]:
        """Return the attempts, or why there is none; all at once where nothing has gone wrong."""
        if all(future.status == "finished" for future in futures):
            with suppress(Exception):  # its reason is told below
                return list(self._client.gather(futures))
        return [_result(future) for future in futures]

    def _finish(self, ended: _Ended, result: Attempt | Again | str) -> Finished | None:
        """Return the attempts at the work; None if it is to be submitted again, now or later."""
        work = ended.work
        self._out.pop(work.key, None)
        self._asking.pop(work.key, None)
        if isinstance(result, Again):
            self._later.put(result)
            return None
        attempts = attempts_at(work, result)
        if not attempts and not ended.last and not self._stopped:
            self._submit(work, last=True)
            return None
        attempts = attempts or [unseen(work.key, str(result))]
        if not isinstance(result, Attempt):  # nor has the worker told Prefect of its task run
            tried = replace(work, tried=len(attempts) - 1)
            Running.of(tried, self._session).run.ends(attempts[-1])
        return Finished(work, attempts)

    def stop(self, *, at_once: bool = False) -> None:
        """End what runs in this process; workers elsewhere look at the sweep's stop file."""
        self._stopped = True
        with suppress(ClusterError):  # told already; what waits has ended as its last attempt did
            self._go_on(self._later.every())
        if self._sweep is not None:
            Guard.shared().terminate_sweep(self._sweep, at_once=at_once)


def _result(future: Future[Attempt | Again]) -> Attempt | Again | str:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - whatever Dask raises, the work is not lost
        return str(error) or type(error).__name__
