"""Deployments of a project's jobs: one for each name under a job's `deployments`, kept as the file says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.schedules import CronSchedule
from prefect.events import DeploymentEventTrigger, ResourceSpecification
from prefect.exceptions import ObjectNotFound
from prefect.states import Scheduled
from prefect.utilities.asyncutils import run_coro_as_sync
from pydantic import ValidationError

from sweeplib.errors import InputError, PlanError
from sweeplib.jobs import Deployment
from sweeplib.orchestrate.analytics import ENTRYPOINT, NAME, analytics_flow
from sweeplib.orchestrate.deployed import entrypoint, leads_to
from sweeplib.orchestrate.flow import sweep_flow
from sweeplib.orchestrate.server import ANALYTICS_TAG, TAG
from sweeplib.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

    from sweeplib.jobs import Job
    from sweeplib.ledger import Sweep

__all__ = [
    "Change",
    "DEFAULT",
    "analytics_triggers",
    "check",
    "check_analytics",
    "deploy",
    "deploy_analytics",
    "deployments_of",
    "left_over",
    "make_pool",
    "remove",
    "retry",
    "schedules_of",
]

DEFAULT = "default"
"""The deployment of a job that names none."""

_PULL = "prefect.deployments.steps.set_working_directory"
_SLUG = "cron"  # by which a schedule is known again, so that one paused in the UI stays so
_PAGE = 200
_DRAWN = (("as they come", "sweep.progress", 10), ("at the end", "sweep.ended", 0))
"""When results are drawn: an event, and the seconds in which one of it counts for all."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one deployment."""

    name: str
    what: Literal["created", "updated"]
    schedule: str = ""


def deployments_of(job: Job) -> dict[str, Deployment]:
    """Return a job's deployments by name; where it names none, one to run by hand."""
    return dict(job.deployments) or {DEFAULT: Deployment()}


def check(jobs: Iterable[Job]) -> None:
    """Raise `InputError` for what cannot be run, or a schedule that Prefect cannot read."""
    for job in jobs:
        for name, wanted in deployments_of(job).items():
            schedules_of(job, name, wanted)
            try:
                Plan(job, wanted.arguments, wanted.only)
            except PlanError as error:
                if error.place is not None:  # which is not the deployment
                    raise
                msg = f"jobs.{job.entry}.deployments.{name}.only: {error}"
                raise InputError(msg) from error


def check_analytics(jobs: Iterable[Job]) -> None:
    """Raise `InputError` where a job of the project has the deployment that draws results."""
    for job in jobs:
        if job.entry == NAME and DEFAULT in deployments_of(job):
            raise InputError(
                f"jobs.{job.entry}: --analytics makes a deployment {NAME}/{DEFAULT} as well; "
                f"rename the job, or call its deployment something else than {DEFAULT!r}"
            )


def make_pool(name: str) -> bool:
    """Make the work pool, of type process, if there is none; return whether there was none."""
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(name)
        except ObjectNotFound:
            client.create_work_pool(WorkPoolCreate(name=name, type="process"))
            return True
    return False


def deploy(project: Path, jobs: Iterable[Job], pool: str, folder: Path | None = None) -> Iterator[Change]:
    """Make or update the deployments of jobs, which run in `pool`; yield each as it is done.

    `folder` is where a worker finds the project, if not where it is here.
    """
    with get_client(sync_client=True) as client:
        for job in jobs:
            flow = sweep_flow(job.entry, project)
            flow_id = client.create_flow_from_name(flow.name)
            for name, wanted in deployments_of(job).items():
                known = _known(client, job.entry, name)
                client.create_deployment(
                    flow_id=flow_id,
                    name=name,
                    work_pool_name=pool,
                    schedules=schedules_of(job, name, wanted, known),
                    paused=False,  # as the end of `sweep serve` leaves it
                    parameters=wanted.parameters,
                    description=flow.description,
                    tags=[TAG, *job.tags],
                    pull_steps=_pull(folder or project),
                    entrypoint=entrypoint(job.entry),
                    parameter_openapi_schema=flow.parameters.model_dump(exclude_unset=True),
                    enforce_parameter_schema=True,
                )
                yield Change(f"{job.entry}/{name}", "updated" if known else "created", _when(wanted))


def deploy_analytics(project: Path, pool: str, folder: Path | None = None) -> Change:
    """Make or update the deployment that draws the results of deployed sweeps as they go on."""
    flow = analytics_flow(project)
    with get_client(sync_client=True) as client:
        known = _known(client, NAME, DEFAULT)
        made = client.create_deployment(
            flow_id=client.create_flow_from_name(flow.name),
            name=DEFAULT,
            work_pool_name=pool,
            description=flow.description,
            tags=[ANALYTICS_TAG],
            pull_steps=_pull(folder or project),
            entrypoint=ENTRYPOINT,
            parameter_openapi_schema=flow.parameters.model_dump(exclude_unset=True),
            enforce_parameter_schema=True,
        )
    resource = f"prefect.deployment.{made}"
    run_coro_as_sync(_set_triggers(resource, made))
    return Change(f"{NAME}/{DEFAULT}", "updated" if known else "created")


async def _set_triggers(resource: str, deployment: UUID) -> None:
    """Make the automations of a deployment, in the place of those that it has."""
    async with get_client() as client:
        await client.delete_resource_owned_automations(resource)
        for trigger in analytics_triggers():
            trigger.set_deployment_id(deployment)
            await client.create_automation(trigger.as_automation())


def analytics_triggers() -> list[DeploymentEventTrigger]:
    """Return what starts the drawing of a deployed sweep's results."""
    return [
        DeploymentEventTrigger(
            name=f"sweeps: draw results {name}",
            expect={event},
            match=ResourceSpecification({"sweep.deployed": "true"}),
            for_each={"prefect.resource.id"},
            threshold=1,
            within=timedelta(seconds=within),
            parameters={"tag": "{{ event.resource['sweep.tag'] }}"},
        )
        for name, event, within in _DRAWN
    ]


def _pull(folder: Path) -> list[dict[str, Any]]:
    return [{_PULL: {"directory": str(folder)}}]


def _known(client: SyncPrefectClient, job: str, name: str) -> DeploymentResponse | None:
    try:
        return client.read_deployment_by_name(f"{job}/{name}")
    except ObjectNotFound:
        return None


def schedules_of(
    job: Job, name: str, wanted: Deployment, known: DeploymentResponse | None = None
) -> list[DeploymentScheduleCreate]:
    """Return a deployment's schedule, if it has one; one that was paused in Prefect stays so.

    Raises `InputError` for what Prefect cannot read.
    """
    if wanted.cron is None:
        return []
    try:
        schedule = CronSchedule(cron=wanted.cron, timezone=wanted.timezone)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        msg = f"jobs.{job.entry}.deployments.{name}.cron: {wanted.cron!r} is no schedule: {reason}"
        raise InputError(msg) from error
    before = [each.active for each in known.schedules if each.slug == _SLUG] if known else []
    active = not wanted.paused and all(before)
    return [DeploymentScheduleCreate(schedule=schedule, active=active, slug=_SLUG)]


def _when(wanted: Deployment) -> str:
    if wanted.cron is None:
        return ""
    zone = f" {wanted.timezone}" if wanted.timezone else " UTC"
    return f"{wanted.cron}{zone}{', paused' if wanted.paused else ''}"


def retry(sweep: Sweep) -> None:
    """Have Prefect run the flow run of a sweep again, which goes on with it.

    Raises `InputError` where Prefect does not know the flow run, or it runs.
    """
    with get_client(sync_client=True) as client:
        try:
            flow_run = client.read_flow_run(UUID(sweep.flow_run_id or ""))
        except ObjectNotFound:
            msg = f"the Prefect API at {client.api_url} does not know the flow run of {sweep.tag}"
            raise InputError(msg) from None
        if flow_run.state is not None and not flow_run.state.is_final():
            raise InputError(
                f"{sweep.tag} is {flow_run.state.name} in Prefect, and can be retried when it has ended"
            )
        client.set_flow_run_state(flow_run.id, Scheduled(message=f"retry of {sweep.tag}"), force=True)


def left_over(folder: Path, jobs: Iterable[Job]) -> list[str]:
    """Return the deployments of the project in `folder` that its job file does not name any more, sorted."""
    wanted = {f"{job.entry}/{name}" for job in jobs for name in deployments_of(job)}
    with get_client(sync_client=True) as client:
        return sorted(name for name, _ in _ours(client, folder) if name not in wanted)


def remove(folder: Path, names: Iterable[str]) -> None:
    """Delete deployments of the project in `folder`."""
    wanted = set(names)
    with get_client(sync_client=True) as client:
        for name, deployment in list(_ours(client, folder)):
            if name in wanted:
                client.delete_deployment(deployment.id)


def _ours(client: SyncPrefectClient, folder: Path) -> Iterator[tuple[str, DeploymentResponse]]:
    """Yield name and deployment of what `deploy` made for the project that workers find in `folder`."""
    offset = 0
    flows: dict[Any, str] = {}
    while page := client.read_deployments(limit=_PAGE, offset=offset):
        offset += len(page)
        for each in page:
            step: dict[str, Any] = dict((each.pull_steps or [{}])[0])
            if TAG not in each.tags or step.get(_PULL) != {"directory": str(folder)}:
                continue
            if each.flow_id not in flows:
                flows[each.flow_id] = client.read_flow(each.flow_id).name
            if leads_to(each.entrypoint, flows[each.flow_id]):
                yield f"{flows[each.flow_id]}/{each.name}", each
