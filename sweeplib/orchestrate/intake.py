"""How the project's own Prefect server takes events of task runs: they are recorded when it answers.

Prefect's way is a queue of 10,000 events for each of four readers, which drops what does not fit, and from
which each reader parses every event anew. Here an event of a task run is parsed once, written in the
transactions in which those readers would write it, by their own functions, and handed on only where triggers
or open pages ask for it. So whoever waits for the answer is as fast as the server, and nothing is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.server.database import provide_database_interface
from prefect.server.events import messaging, stream
from prefect.server.events.schemas.events import Event, ReceivedEvent
from prefect.server.events.storage.database import write_events
from prefect.server.events.triggers import find_interested_triggers
from prefect.server.services.task_run_recorder import record_bulk_task_run_events
from pydantic import TypeAdapter, ValidationError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sweeplib.orchestrate.recorder import RECORDED

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["route"]

_EVENTS = TypeAdapter(list[Event])


def route() -> Route:
    """Return the route that is to stand before the one of Prefect's API for the same path."""
    return Route("/api/events", _take, methods=["POST"])


async def _take(request: Request) -> Response:
    try:
        events = _EVENTS.validate_json(await request.body())
    except ValidationError as error:
        detail = error.errors(include_url=False, include_context=False, include_input=False)
        body = {"exception_message": "Invalid request received.", "exception_detail": detail}
        return JSONResponse(body, 422)
    received = [event.receive() for event in events]
    task_runs = [event for event in received if _is_of_task_run(event)]
    await _record(task_runs)
    others = [event for event in received if not _is_of_task_run(event)]
    await messaging.publish([*others, *filter(None, map(_wanted, task_runs))])
    return Response(status_code=204, headers={RECORDED: "true"})


def _is_of_task_run(event: ReceivedEvent) -> bool:
    """Tell whether Prefect's recorder of task runs would take an event."""
    orchestrated = event.resource.get("prefect.orchestration") == "client"
    return orchestrated and event.event.startswith("prefect.task-run")


async def _record(events: list[ReceivedEvent]) -> None:
    if not events:
        return
    await record_bulk_task_run_events(events)
    async with provide_database_interface().session_context(begin_transaction=True) as session:
        await write_events(session, events)


def _wanted(event: ReceivedEvent) -> ReceivedEvent | None:
    """Return the event as it is to be handed on; None where nobody asks for it.

    What it follows was not handed on, perhaps, and is not to be waited for.
    """
    if stream.subscribers or find_interested_triggers(event):
        return event.model_copy(update={"follows": None})
    return None
