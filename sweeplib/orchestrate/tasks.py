"""The one Prefect task: run a combination's command, and say how it went."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect._internal.result_records import ResultRecord
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from prefect.results import get_result_store
from prefect.states import Cancelled, Completed, Failed

from sweeplib.run.attempt import run_attempt
from sweeplib.run.model import Attempt, Outcome, Work
from sweeplib.run.slots import hold_slot

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from prefect import Task
    from prefect.client.schemas.objects import State

    from sweeplib.jobs import Job

__all__ = ["attempt_of", "combination_task", "slot"]

_records: dict[str, ResultRecord[Any]] = {}


def perform(work: Work) -> State[Any]:
    """Run the command, sending what it prints to the task run's log; return the state it ends in.

    The state's data is the `Attempt`. A failure is a Failed state, which Prefect retries as the task says;
    a cancelled attempt is a Cancelled state, which it does not.
    """
    log = _Log(work)
    with hold_slot(work):
        attempt = run_attempt(work, on_output=log.write)
    seconds = attempt.ended - attempt.started
    if attempt.log:
        log.write(f"{attempt.outcome} in {seconds:.3g} s; all output is in {attempt.log}")
    data = _record(attempt)
    if attempt.outcome is Outcome.COMPLETED:
        return Completed(message=f"exit code 0 in {seconds:.3g} s", data=data)
    if attempt.outcome is Outcome.CANCELLED:
        return Cancelled(message=attempt.message or "cancelled", data=data)
    name = "TimedOut" if attempt.outcome is Outcome.TIMED_OUT else "Failed"
    return Failed(name=name, message=attempt.message, data=data)


class _Log:
    """The task run's log: the command first, together with whatever comes first after it.

    A command of a few milliseconds so makes one record and not three; records are requests and rows.
    """

    def __init__(self, work: Work) -> None:
        self._logger = get_run_logger()
        self._pending = f"command: {shlex.join(work.argv)}"

    def write(self, text: str) -> None:
        """Write `text`, which may be empty, and the command if it has not been written."""
        self._logger.info("\n".join(filter(None, [self._pending, text])))
        self._pending = ""


def _record(attempt: Attempt) -> ResultRecord[Attempt]:
    """Wrap an attempt as Prefect wraps a result that is not persisted.

    Prefect does the same for any value, but resolves the result store's path anew each time, which takes
    a third of the time of a task run.
    """
    template = _records.get("template")
    if template is None:
        template = _records["template"] = get_result_store().create_result_record(None)
    return ResultRecord[Any].model_construct(metadata=template.metadata, result=attempt)


def attempt_of(state: State[Any]) -> Attempt | None:
    """Return the attempt that a final state of the task carries, if it carries one."""
    result = state.data.result if isinstance(state.data, ResultRecord) else None
    return result if isinstance(result, Attempt) else None


def slot(parameters: dict[str, Any]) -> AbstractContextManager[None]:
    """Return the context in which a task run of `parameters` has a slot for its command."""
    work: Work = parameters["work"]
    return hold_slot(work)


@task(persist_result=False, cache_policy=NO_CACHE)
def _combination(work: Work) -> Any:
    return perform(work)


def _run_name(parameters: dict[str, Any]) -> str:
    return str(parameters["work"].label)


def combination_task(job: Job, tags: list[str]) -> Task[[Work], Any]:
    """Return the task of a job: named after it, with its retries, its runs named after the combination."""
    return _combination.with_options(
        name=job.entry,
        tags=tags,
        task_run_name=_run_name,  # type: ignore[arg-type]  # Prefect looks at the parameter's name
        retries=job.retries,
        retry_delay_seconds=list(job.retry_delay) or 0,
    )
