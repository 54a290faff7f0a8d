"""How the project's own Prefect server takes events of task runs: they are recorded when it answers.

Prefect's way is a queue of 10,000 events for each of four readers, which drops what does not fit, and from
which each reader parses every event anew. Here an event of a task run is parsed once, written to the rows
that those readers would write, in one transaction, and handed on only where triggers or open pages ask for
it. So whoever waits for the answer is as fast as the server, and nothing is lost.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from prefect.server.database import provide_database_interface
from prefect.server.events import messaging, stream
from prefect.server.events.schemas.events import Event, ReceivedEvent
from prefect.server.events.storage.database import write_events
from prefect.server.events.triggers import find_interested_triggers
from prefect.server.services.task_run_recorder import (
    db_recordable_task_run_from_event,
    record_bulk_task_run_events,
)
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import IntegrityError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sweeplib.orchestrate.recorder import RECORDED

if TYPE_CHECKING:
    from prefect.server.database import PrefectDBInterface
    from prefect.server.database.orm_models import Base
    from sqlalchemy.dialects.sqlite import Insert
    from sqlalchemy.ext.asyncio import AsyncConnection
    from starlette.requests import Request

__all__ = ["route", "wanted"]

_ALWAYS = {"flow_run_id", "labels", "state_id", "state_name", "state_timestamp", "state_type"}
_EVENTS = TypeAdapter(list[Event])


def route() -> Route:
    """Return the route that is to stand before the one of Prefect's API for the same path."""
    return Route("/api/events", _take, methods=["POST"])


async def _take(request: Request) -> Response:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return JSONResponse({"exception_message": "Events are taken as application/json."}, 415)
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
    await messaging.publish([*others, *filter(None, map(wanted, task_runs))])
    return Response(status_code=204, headers={RECORDED: "true"})


def _is_of_task_run(event: ReceivedEvent) -> bool:
    """Tell whether Prefect's recorder of task runs would take an event."""
    orchestrated = event.resource.get("prefect.orchestration") == "client"
    return orchestrated and event.event.startswith("prefect.task-run")


async def _record(events: list[ReceivedEvent]) -> None:
    """Write task runs, states and events in one transaction, with statements that are compiled once.

    Prefect's own functions write many rows in one statement, which is compiled anew each time: most of what
    they cost. They have the cases in which a task run has another id than the one of its first event.
    """
    if not events:
        return
    database = provide_database_interface()
    try:
        async with database.session_context(begin_transaction=True) as session:
            await _write(database, await session.connection(), events)
    except IntegrityError:
        await record_bulk_task_run_events(events)
        async with database.session_context(begin_transaction=True) as session:
            await write_events(session, events)


async def _write(database: PrefectDBInterface, to: AsyncConnection, events: list[ReceivedEvent]) -> None:
    now = datetime.now(UTC)
    made = {"created": now, "updated": now}
    optional = _optional(database)
    runs: dict[frozenset[str], list[dict[str, Any]]] = {}
    states = []
    for event in events:
        task_run, row = db_recordable_task_run_from_event(event)
        row = {**optional, **row, **made}
        runs.setdefault(frozenset(row), []).append(row)
        state = task_run.state
        assert state is not None  # noqa: S101  (it is made from the event's)
        states.append({**state.model_dump(), "task_run_id": task_run.id, **made})
    for columns, rows in runs.items():
        await to.execute(_upsert(database, columns, frozenset(optional)), rows)
    await to.execute(insert(_table(database.TaskRunState)).on_conflict_do_nothing(), states)
    known = sa.select(database.Event.id).where(database.Event.id.in_([event.id for event in events]))
    there = set((await to.execute(known)).scalars())
    new = [event for event in events if event.id not in there]
    if new:
        await to.execute(insert(_table(database.Event)), [{**_row(event), **made} for event in new])
        resources = [row for event in new for row in event.as_database_resource_rows()]
        await to.execute(insert(_table(database.EventResource)), [{**row, **made} for row in resources])


def _row(event: ReceivedEvent) -> dict[str, Any]:
    row = event.as_database_row()
    row["resource"], row["related"] = dict(event.resource.root), [dict(each.root) for each in event.related]
    return row


@cache
def _optional(database: PrefectDBInterface) -> dict[str, None]:
    """Return the columns of a task run that an event may leave out, and that keep their value then."""
    return {
        column.name: None
        for column in database.TaskRun.__table__.columns
        if column.nullable and column.name not in _ALWAYS
    }


@cache
def _upsert(database: PrefectDBInterface, columns: frozenset[str], optional: frozenset[str]) -> Insert:
    """Return the statement that makes a task run, or changes one that is there to what is newer."""
    table = _table(database.TaskRun)
    statement = insert(table).values({name: sa.bindparam(name) for name in sorted(columns)})
    new = statement.excluded
    changed = {
        name: sa.func.coalesce(new[name], table.c[name]) if name in optional else new[name]
        for name in sorted(columns - {"id", "created"})
    }
    newer = table.c.state_timestamp < new.state_timestamp
    return statement.on_conflict_do_update(index_elements=["id"], set_=changed, where=newer)


def _table(model: type[Base]) -> sa.Table:
    return cast(sa.Table, model.__table__)


def wanted(event: ReceivedEvent) -> ReceivedEvent | None:
    """Return the event as it is to be handed on; None where nobody asks for it.

    Every worker subscribes, to the flow runs that are to be cancelled: its filter tells that it asks for none
    of these. What an event follows was not handed on, perhaps, and is not to be waited for.
    """
    asked_for = any(not each.excludes(event) for each in stream.filters.values())
    if asked_for or find_interested_triggers(event):
        return event.model_copy(update={"follows": None})
    return None
