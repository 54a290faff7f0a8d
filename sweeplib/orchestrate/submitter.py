"""The engine's submitter for Prefect: one task run a combination, on a Dask cluster."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from sweeplib.engine import Finished
from sweeplib.engine.unseen import unseen
from sweeplib.orchestrate.tasks import attempt_of
from sweeplib.run.attempt import run_attempt
from sweeplib.run.client import Guard
from sweeplib.run.marker import read_markers
from sweeplib.run.model import Attempt, SweepPaths

if TYPE_CHECKING:
    from prefect import Task
    from prefect.client.schemas.objects import State

    from sweeplib.orchestrate.task_runner import SweepTaskRunner
    from sweeplib.run.model import Work

__all__ = ["PrefectSubmitter"]


@dataclass(frozen=True, slots=True)
class _Ended:
    """A Dask future that has ended, with its work; `tracked` says that it was a Prefect task run."""

    work: Work
    future: Any
    tracked: bool


class PrefectSubmitter:
    """Submits work through the task runner, keeping `window` pieces of it out.

    What ends is learnt from Dask, how it ended from the attempt in the task run's state; where that is
    missing (a worker was killed, Prefect could not be reached) from the done-markers. Work that Prefect
    failed to run runs without it: the ledger decides what is done, and Prefect only shows it.
    """

    def __init__(self, runner: SweepTaskRunner, task: Task[Any, Any], window: int) -> None:
        self._runner = runner
        self._task = task
        self._window = window
        self._ended: SimpleQueue[_Ended] = SimpleQueue()
        self._out: dict[str, Any] = {}
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
        future = self._runner.submit(self._task, {"work": work}).wrapped_future
        self.submitted += 1
        self._watch(work, future, tracked=True)

    def _watch(self, work: Work, future: Any, *, tracked: bool) -> None:
        self._out[work.key] = future  # a Dask future that nobody holds is forgotten, and its task with it
        future.add_done_callback(partial(self._arrive, work, tracked))

    def _arrive(self, work: Work, tracked: bool, future: Any) -> None:  # noqa: FBT001 - bound by partial
        self._ended.put(_Ended(work, future, tracked))

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
        """Return the attempts at the work; None if it has to run again without Prefect."""
        work = ended.work
        self._out.pop(work.key, None)
        attempt: Attempt | None = None
        problem = "nobody saw its end"
        try:
            result = ended.future.result()
            attempt = result if isinstance(result, Attempt) else attempt_of(result)
            if attempt is None:
                problem = _why(result)
        except Exception as error:  # noqa: BLE001 - whatever Dask or Prefect raise, the work is not lost
            problem = str(error) or type(error).__name__
        if attempt is not None and attempt.number <= 1:
            return Finished(work, [attempt])
        history = read_markers(SweepPaths(Path(work.folder)), work.key)
        if attempt is not None:
            return Finished(work, [*[each for each in history if each.number < attempt.number], attempt])
        if history:
            return Finished(work, history)
        if ended.tracked and not self._stopped:
            self._watch(work, self._runner.client.submit(run_attempt, work, pure=False), tracked=False)
            return None
        return Finished(work, [*history, unseen(work.key, problem)])

    def stop(self) -> None:
        """End what runs in this process; workers elsewhere look at the sweep's stop file."""
        self._stopped = True
        if self._sweep is not None:
            Guard.shared().terminate_sweep(self._sweep)


def _why(state: State[Any]) -> str:
    return state.message or state.name or "unknown"
