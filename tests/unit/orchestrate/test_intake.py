"""Which events of task runs Prefect's own readers get from the project's server: those that are asked for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prefect.server.events import stream
from prefect.server.events.filters import EventFilter, EventNameFilter
from prefect.server.events.schemas.events import ReceivedEvent

from sweeplib.orchestrate.intake import wanted


def event(name: str) -> ReceivedEvent:
    return ReceivedEvent(
        id=uuid4(),
        occurred=datetime.now(UTC),
        event=name,
        resource={"prefect.resource.id": f"prefect.task-run.{uuid4()}"},
        follows=uuid4(),
    )


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (None, False),
        (["prefect.flow-run.Cancelling"], False),
        (["prefect.task-run.Completed"], True),
        (["prefect.task-run.*"], True),
    ],
)
def test_what_is_handed_on(names: list[str] | None, found: bool) -> None:
    """Without names nobody has subscribed; the second are those of every worker."""

    async def look() -> ReceivedEvent | None:
        if names is None:
            return wanted(event("prefect.task-run.Completed"))
        prefixes = [name.removesuffix("*") for name in names if name.endswith("*")]
        whole = [name for name in names if not name.endswith("*")]
        asked = EventFilter(event=EventNameFilter(prefix=prefixes or None, name=whole or None))
        asked.occurred.until += timedelta(weeks=1)  # as the API has it for who listens from now on
        async with stream.subscribed(asked):
            return wanted(event("prefect.task-run.Completed"))

    handed = asyncio.run(look())
    assert (handed is not None) is found
    if handed:
        assert handed.follows is None
