"""What the task runs of one flow run have in common."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.events.related import related_resources_from_run_context
from prefect.utilities.asyncutils import run_coro_as_sync

from sweeplib.orchestrate.limits import names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect.client.schemas.objects import FlowRun

    from sweeplib.jobs import Job

__all__ = ["Session", "session"]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """What the task runs of one flow run have in common, as it travels to the workers.

    `related` are the resources that events name beside the task run; `limits` the concurrency limits that
    hold for it; `delays` the seconds before each retry.
    """

    api: str
    flow_run: str
    flow_run_count: int
    task: str
    tags: tuple[str, ...]
    related: tuple[dict[str, str], ...]
    limits: tuple[str, ...]
    retries: int
    delays: tuple[float, ...]

    def delay(self, retry: int) -> float:
        """Return the seconds before a retry, counted from 0; the last of `delays` is that of all after it."""
        return self.delays[min(retry, len(self.delays) - 1)] if self.delays else 0.0


def session(job: Job, tags: Sequence[str]) -> Session:
    """Return the session of the flow run that this is called in; its task is named after the job."""
    context = FlowRunContext.get()
    assert context is not None  # noqa: S101  (a flow calls this)
    assert context.flow_run is not None  # noqa: S101
    with get_client(sync_client=True) as client:
        api = str(client.api_url)
        try:
            limits = names_of(client, tags)
        except Exception as error:  # noqa: BLE001 - the API being away stops no sweep
            _logger.warning("concurrency limits could not be asked, and limit nothing: %s", error)
            limits = ()
    of_tags = [{"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"} for tag in tags]
    return Session(
        api=api.rstrip("/"),
        flow_run=str(context.flow_run.id),
        flow_run_count=context.flow_run.run_count,
        task=job.entry,
        tags=tuple(tags),
        related=(*of_tags, *_related(context.flow_run)),
        limits=limits,
        retries=job.retries,
        delays=job.retry_delay,
    )


def _related(flow_run: FlowRun) -> list[dict[str, str]]:
    """Return the flow run, and what it belongs to as far as the API tells."""
    try:
        return run_coro_as_sync(_known_to_the_api())
    except Exception as error:  # noqa: BLE001 - the API being away stops no sweep
        _logger.warning("what the flow run belongs to could not be asked: %s", error)
        name = f"prefect.flow-run.{flow_run.id}"
        return [{"prefect.resource.id": name, "prefect.resource.role": "flow-run"}]


async def _known_to_the_api() -> list[dict[str, str]]:
    async with get_client() as client:
        found = await related_resources_from_run_context(client=client, exclude=set())
    return [dict(each.root) for each in found]
