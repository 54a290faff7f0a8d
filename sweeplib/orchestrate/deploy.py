"""Deployments of a project's jobs: one for each name under a job's `deployments`, kept as the file says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectNotFound
from pydantic import ValidationError

from sweeplib.errors import InputError
from sweeplib.jobs import Deployment
from sweeplib.orchestrate.deployed import entrypoint
from sweeplib.orchestrate.flow import sweep_flow
from sweeplib.orchestrate.server import TAG

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

    from sweeplib.jobs import Job

__all__ = [
    "Change",
    "check",
    "DEFAULT",
    "deploy",
    "deployments_of",
    "left_over",
    "make_pool",
    "remove",
    "schedules_of",
]

DEFAULT = "default"
"""The deployment of a job that names none."""

_PULL = "prefect.deployments.steps.set_working_directory"
_SLUG = "cron"  # by which a schedule is known again, so that one paused in the UI stays so
_PAGE = 200


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
    """Raise `InputError` for a schedule that Prefect cannot read, before anything is made."""
    for job in jobs:
        for name, wanted in deployments_of(job).items():
            schedules_of(job, name, wanted)


def make_pool(name: str) -> bool:
    """Make the work pool, of type process, if there is none; return whether there was none."""
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(name)
        except ObjectNotFound:
            client.create_work_pool(WorkPoolCreate(name=name, type="process"))
            return True
    return False


def deploy(project: Path, jobs: Iterable[Job], pool: str) -> Iterator[Change]:
    """Make or update the deployments of jobs, which run in `pool`; yield each as it is done."""
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
                    parameters=wanted.parameters,
                    description=flow.description,
                    tags=[TAG, *job.tags],
                    pull_steps=[{_PULL: {"directory": str(project)}}],
                    entrypoint=entrypoint(job.entry),
                    parameter_openapi_schema=flow.parameters.model_dump(exclude_unset=True),
                    enforce_parameter_schema=True,
                )
                yield Change(f"{job.entry}/{name}", "updated" if known else "created", _when(wanted))


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


def left_over(project: Path, jobs: Iterable[Job]) -> list[str]:
    """Return the project's deployments that its job file does not name any more, sorted."""
    wanted = {f"{job.entry}/{name}" for job in jobs for name in deployments_of(job)}
    with get_client(sync_client=True) as client:
        return sorted(name for name, _ in _ours(client, project) if name not in wanted)


def remove(project: Path, names: Iterable[str]) -> None:
    """Delete deployments of the project."""
    wanted = set(names)
    with get_client(sync_client=True) as client:
        for name, deployment in list(_ours(client, project)):
            if name in wanted:
                client.delete_deployment(deployment.id)


def _ours(client: SyncPrefectClient, project: Path) -> Iterator[tuple[str, DeploymentResponse]]:
    """Yield name and deployment of what `deploy` made for this project."""
    offset = 0
    flows: dict[Any, str] = {}
    while page := client.read_deployments(limit=_PAGE, offset=offset):
        offset += len(page)
        for each in page:
            step: dict[str, Any] = dict((each.pull_steps or [{}])[0])
            if TAG not in each.tags or step.get(_PULL) != {"directory": str(project)}:
                continue
            if each.flow_id not in flows:
                flows[each.flow_id] = client.read_flow(each.flow_id).name
            if each.entrypoint == entrypoint(flows[each.flow_id]):
                yield f"{flows[each.flow_id]}/{each.name}", each
