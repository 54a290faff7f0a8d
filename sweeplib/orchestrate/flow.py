"""The Prefect flow of a job."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from prefect import Flow
from prefect.context import FlowRunContext
from prefect.exceptions import TerminationSignal
from prefect.logging import get_run_logger
from prefect.states import Cancelled, Completed, Failed
from prefect.task_runners import TaskRunner
from pydantic import Field

from sweeplib.engine import Execution, Rerun, recover, run_sweep
from sweeplib.errors import SweepError
from sweeplib.jobs import FailureLimit, load
from sweeplib.ledger import Ledger
from sweeplib.orchestrate import launch as launches
from sweeplib.orchestrate.chunks import Chunks
from sweeplib.orchestrate.heir import Heir, appointed
from sweeplib.orchestrate.late import report_late
from sweeplib.orchestrate.pages import combinations_artifact, key_of, ui_of
from sweeplib.orchestrate.places import placed, stationed
from sweeplib.orchestrate.pulse import Pulse, Topic
from sweeplib.orchestrate.reader import outlive_reader
from sweeplib.orchestrate.recorder import flush_all
from sweeplib.orchestrate.records import settle
from sweeplib.orchestrate.session import session
from sweeplib.orchestrate.task_runner import SweepTaskRunner
from sweeplib.plan import Plan
from sweeplib.track import make_tracker

if TYPE_CHECKING:
    import os
    from contextlib import AbstractContextManager

    from prefect.client.schemas.objects import FlowRun, State

    from sweeplib.engine import Observer, Summary
    from sweeplib.jobs import Job
    from sweeplib.ledger import Combination
    from sweeplib.orchestrate.session import Session

__all__ = ["sweep_flow"]

_FLUSH = 5.0  # seconds that records may take to be sent when the sweep has ended


Limit = Annotated[int | None, Field(ge=1)]
Failures = Annotated[str | None, Field(pattern=r"^([0-9]+|[0-9]{1,2}(\.[0-9]+)?%|100%)$")]


def sweep_flow(job: str, project: str | os.PathLike[str] | None = None) -> Flow[Any, Any]:
    """Return the Prefect flow of a job: it carries the job's name and runs one sweep of it.

    `project` is the folder of ``sweeps.yaml``, by default the working folder at the time the flow runs.

    The flow's parameters, each of which may be left out, are those of `run` below: Prefect shows them in the
    form of a deployment. A flow run that is retried goes on with its own sweep.
    """
    folder = None if project is None else str(Path(project).resolve())

    def run(
        arguments: list[str] | None = None,
        only: str = "",
        mode: Literal["fresh", "resume", "changed", "script"] = "fresh",
        parallel: Limit = None,
        max_failures: Failures = None,
        cluster: str | None = None,
    ) -> Any:
        """Run one sweep of the job.

        Args:
            arguments: More arguments for every command, before the combination's own.
            only: Take these combinations alone, in sweep syntax: model=svc C=1,10. Empty: all of them.
            mode: "fresh" runs everything; "resume" leaves out what the job's newest sweep has completed;
                "changed" as that, but what completed with another code runs again; "script" where scripts
                are what has changed.
            parallel: Commands at once. Left out: what the job says, else the number of processors.
            max_failures: Start no more once more than this many combinations failed, as text: "5", or 10%.
                Left out: what the job says, else no limit.
            cluster: Address of a Dask scheduler. Left out: what the job says, else Dask in this process.
        """
        asked = _Asked(tuple(arguments or ()), only, mode, parallel, max_failures, cluster)
        return run_job(job, folder, asked)

    runner = cast(TaskRunner[Any], SweepTaskRunner())  # prefect-dask's futures are typed apart from Prefect's
    return Flow(run, name=job, task_runner=runner, persist_result=False)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The parameters of a flow run."""

    arguments: tuple[str, ...]
    only: str
    mode: str
    parallel: int | None
    max_failures: str | None
    cluster: str | None

    @property
    def rerun(self) -> Rerun | None:
        """What of the done is to be run again."""
        return Rerun(self.mode) if self.mode in set(Rerun) else None

    def of(self, job: Job) -> Plan:
        """Return what the job is to run."""
        if self.max_failures is not None:
            job = replace(job, max_failures=FailureLimit.parse(self.max_failures))
        return Plan(job, self.arguments, self.only)


def run_job(name: str, folder: str | None, asked: _Asked) -> State[Any]:
    """Run one sweep of a job inside its flow run; return the flow run's final state."""
    launch = launches.current()
    outlive_reader()
    try:
        return _run(launch, name, folder, asked)
    except Exception as error:
        launch.error = error  # the caller's to show: Prefect turns it into a state
        raise


def _run(launch: launches.Launch, name: str, folder: str | None, asked: _Asked) -> State[Any]:
    project = Path(folder) if folder else Path.cwd()
    plan = launch.plan or asked.of(load(project).job(name))
    job = plan.job
    logger = get_run_logger()
    context = FlowRunContext.get()
    assert context is not None  # noqa: S101  (a flow is run by Prefect alone)
    assert context.flow_run is not None  # noqa: S101
    flow_run = str(context.flow_run.id)
    launch.flow_run = flow_run
    with Ledger.open(project / ".sweep" / "ledger.db") as ledger:
        recover(ledger, project, name, launch.observer.note)
        execution = Execution(
            plan,
            ledger,
            project,
            fresh=asked.mode == "fresh",
            retry=launch.retry,
            rerun=asked.rerun,
            isolated=launch.isolated,
            resumes=ledger.sweep_of_flow_run(flow_run, name),
            flow_run=flow_run,
            hidden=launch.hidden,
            new_id=launch.sweep,
        )
        shared = session(job, [job.entry, execution.tag, *job.tags])
        with (
            _pulse(execution, shared, context.flow_run, launch.observer) as pulse,
            make_tracker(project, enabled=bool(job.tracking)) as tracker,
            placed(plan, asked.parallel, asked.cluster) as placements,
            execution,
            _heir(execution, context.flow_run) as heir,
            stationed(placements, shared, execution, pulse.note) as submitter,
        ):
            logger.info("sweep %s of job %s: %s", execution.tag, name, execution.paths.folder)
            chunks = Chunks(shared, pulse, partial(_of_chunk, execution))
            try:
                with chunks:
                    run_sweep(execution, submitter, tracker, chunks)
            except KeyboardInterrupt:
                launch.interrupted = True
            except TerminationSignal:
                launch.interrupted = True
                deployed = context.flow_run.deployment_id is not None
                if deployed and not pulse.is_to_be_cancelled():
                    raise
            finally:
                launch.summary = execution.summary
                if launch.summary and launch.summary.interrupted:
                    heir.word = str(launch.summary)
                launch.submitted = submitter.submitted + chunks.begun
                with suppress(SweepError):  # the ledger's, which has been raised then
                    _conclude(pulse, execution, shared.api, str(launch.summary or "interrupted"))
                flush_all(_FLUSH)  # a process that a signal ends calls nothing at its exit
        launch.concluded = pulse.concluded
        deployed = context.flow_run.deployment_id is not None
        if deployed and not launch.interrupted:
            if not settle(flow_run, launch.submitted) and pulse.concluded and not execution.resumed:
                ledger.set_reported(execution.id)  # of a retry, report_late looks whether all is told
            with suppress(Exception):  # it can be told the next time, whatever it was
                report_late(ledger, project, flow_run)
    assert launch.summary is not None  # noqa: S101  (the sweep has run)
    return _state(launch.summary)


def _of_chunk(execution: Execution, number: int) -> list[Combination]:
    """Return what was in a chunk before this run of the sweep."""
    return execution.ledger.chunk(execution.id, number) if execution.resumed else []


def _pulse(execution: Execution, shared: Session, flow_run: FlowRun, observer: Observer) -> Pulse:
    topic = Topic(
        sweep=execution.id,
        tag=execution.tag,
        job=execution.plan.job.entry,
        key=key_of(execution.tag),
        deployed=flow_run.deployment_id is not None,
    )
    cancel = partial(execution.ledger.request_cancel, execution.id)
    return Pulse(topic, shared, flow_run, observer, cancel, get_run_logger().info)


def _heir(execution: Execution, flow_run: FlowRun) -> AbstractContextManager[Heir]:
    """Have a deployed run closed if this process is killed: nobody need ever come to find that out."""
    if flow_run.deployment_id is None:
        return nullcontext(Heir())
    return appointed(execution.project, execution.id, str(flow_run.id))


def _conclude(pulse: Pulse, execution: Execution, api: str, message: str) -> None:
    """Hand over what Prefect is to show of the sweep, which has ended."""
    sweep = execution.ledger.get_sweep(execution.id)
    ui = ui_of(execution.project, api)
    table = combinations_artifact(execution.ledger, sweep, execution.plan.job.metric, ui)
    pulse.conclude(sweep.state, message, [table])


def _state(summary: Summary) -> State[Any]:
    if summary.interrupted:
        return Cancelled(message=str(summary))
    return Completed(message=str(summary)) if summary.ok else Failed(message=str(summary))
