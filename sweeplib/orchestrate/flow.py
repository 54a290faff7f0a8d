"""The Prefect flow of a job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from prefect import Flow
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger
from prefect.states import Cancelled, Completed, Failed
from prefect.task_runners import TaskRunner

from sweeplib.engine import Execution, recover, run_sweep
from sweeplib.jobs import load
from sweeplib.ledger import Ledger
from sweeplib.orchestrate import launch as launches
from sweeplib.orchestrate.cluster import Placement, place
from sweeplib.orchestrate.submitter import PrefectSubmitter
from sweeplib.orchestrate.task_runner import SweepTaskRunner
from sweeplib.orchestrate.task_runs import session
from sweeplib.plan import Plan
from sweeplib.track import make_tracker

if TYPE_CHECKING:
    import os

    from prefect.client.schemas.objects import State

    from sweeplib.engine import Summary
    from sweeplib.jobs import Job

__all__ = ["sweep_flow"]


def sweep_flow(job: str, project: str | os.PathLike[str] | None = None) -> Flow[Any, Any]:
    """Return the Prefect flow of a job: it carries the job's name and runs one sweep of it.

    `project` is the folder of ``sweeps.yaml``, by default the working folder at the time the flow runs.

    The flow takes `arguments` (a list of text: more arguments for the command), `parallel` (commands at
    once) and `cluster` (the address of a Dask scheduler); each overrides what ``sweeps.yaml`` says.
    """
    folder = None if project is None else str(Path(project).resolve())

    def run(
        arguments: list[str] | None = None, parallel: int | None = None, cluster: str | None = None
    ) -> Any:
        """Run one sweep of the job.

        Args:
            arguments: More arguments for the command, before the combination's own.
            parallel: Commands at once; left out, what the job says, else the number of processors.
            cluster: Address of a Dask scheduler; left out, what the job says, else Dask in this process.
        """
        return run_job(job, folder, arguments or [], parallel, cluster)

    runner = cast(TaskRunner[Any], SweepTaskRunner())  # prefect-dask's futures are typed apart from Prefect's
    return Flow(run, name=job, task_runner=runner, persist_result=False)


def run_job(
    name: str, folder: str | None, arguments: list[str], parallel: int | None, cluster: str | None
) -> State[Any]:
    """Run one sweep of a job inside its flow run; return the flow run's final state."""
    launch = launches.current()
    try:
        return _run(launch, name, folder, arguments, parallel, cluster)
    except Exception as error:
        launch.error = error  # the caller's to show: Prefect turns it into a state
        raise


def _run(
    launch: launches.Launch,
    name: str,
    folder: str | None,
    arguments: list[str],
    parallel: int | None,
    cluster: str | None,
) -> State[Any]:
    project = Path(folder) if folder else Path.cwd()
    job = load(project).job(name)
    logger = get_run_logger()
    context = FlowRunContext.get()
    flow_run = str(context.flow_run.id) if context and context.flow_run else None
    launch.flow_run = flow_run
    with (
        Ledger.open(project / ".sweep" / "ledger.db") as ledger,
        make_tracker(project, enabled=bool(job.tracking)) as tracker,
        place(job, parallel, cluster) as placement,
    ):
        recover(ledger, project, name, launch.observer.note)
        execution = Execution(
            Plan(job, arguments),
            ledger,
            project,
            fresh=launch.fresh,
            isolated=launch.isolated,
            flow_run=flow_run,
            slots=placement.slots,
            hidden=launch.hidden,
        )
        with execution:
            logger.info("sweep %s of job %s: %s", execution.tag, name, execution.paths.folder)
            submitter = _submitter(job, execution, placement)
            try:
                launch.summary = run_sweep(execution, submitter, tracker, launch.observer)
            except KeyboardInterrupt:
                launch.interrupted = True
                return Cancelled(message="interrupted; the next run goes on where this one ended")
            finally:
                launch.submitted = submitter.submitted
    return _state(launch.summary)


def _submitter(job: Job, execution: Execution, placement: Placement) -> PrefectSubmitter:
    shared = session(job, [job.entry, execution.tag, *job.tags])
    return PrefectSubmitter(placement.runner.client, shared, placement.window)


def _state(summary: Summary) -> State[Any]:
    if summary.interrupted:
        return Cancelled(message=str(summary))
    return Completed(message=str(summary)) if summary.ok else Failed(message=str(summary))
