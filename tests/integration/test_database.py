"""The project's own Prefect server under many writers at once."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa

from sweeplib.orchestrate.database import OneWriter
from tests.integration.prefect_api import ask

if TYPE_CHECKING:
    from pathlib import Path

WRITERS = 8
ROUNDS = 4
PATIENCE = 60.0  # seconds


def test_no_writer_is_turned_away_and_no_trigger_missed(prefect_api: str) -> None:
    tag = f"crowd-{uuid4().hex[:8]}"
    flow = ask(prefect_api, "/flows/", {"name": tag})["id"]
    automation = ask(
        prefect_api,
        "/automations/",
        {
            "name": tag,
            "trigger": {
                "type": "event",
                "posture": "Reactive",
                "expect": ["prefect.flow-run.Failed"],
                "match_related": {"prefect.resource.id": f"prefect.tag.{tag}"},
                "threshold": 1,
            },
            "actions": [{"type": "do-nothing"}],
        },
    )

    def run_and_fail(_: int) -> str:
        body = {"flow_id": flow, "tags": [tag], "state": {"type": "RUNNING"}}
        flow_run = str(ask(prefect_api, "/flow_runs/", body)["id"])
        ask(prefect_api, f"/flow_runs/{flow_run}/set_state", {"state": {"type": "FAILED"}, "force": True})
        return flow_run

    def acted() -> int:
        found: dict[str, Any] = ask(
            prefect_api,
            "/events/filter",
            {
                "filter": {
                    "event": {"name": ["prefect.automation.action.executed"]},
                    "resource": {"id": [f"prefect.automation.{automation['id']}"]},
                }
            },
        )
        return int(found["total"])

    def await_acted(count: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while (found := acted()) < count:
            assert time.monotonic() < deadline, f"{found} of {count}"
            time.sleep(0.2)  # the server tells by its API alone

    run_and_fail(0)
    await_acted(1)
    with ThreadPoolExecutor(WRITERS) as writers:
        flow_runs = list(writers.map(run_and_fail, range(WRITERS * ROUNDS)))
    assert len(set(flow_runs)) == WRITERS * ROUNDS, "a status of 503 would have been raised"
    await_acted(1 + WRITERS * ROUNDS)
    assert acted() == 1 + WRITERS * ROUNDS


def test_transactions_wait_in_line_and_one_in_another_does_not(tmp_path: Path) -> None:
    async def play() -> list[str]:
        database = OneWriter(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
        engine = await database.engine()
        order: list[str] = []
        began = asyncio.Event()
        go = asyncio.Event()

        async def write(name: str) -> None:
            async with await database.session(engine) as session, database.begin_transaction(session):
                order.append(f"{name} begins")
                if name == "first":
                    began.set()
                    await go.wait()
                await session.execute(sa.text("INSERT INTO names VALUES (:name)"), {"name": name})
                order.append(f"{name} ends")

        async with await database.session(engine) as session, database.begin_transaction(session):
            await session.execute(sa.text("CREATE TABLE names (name TEXT)"))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(write("first"))
            await began.wait()
            for name in ("second", "third"):
                tasks.create_task(write(name))
            await asyncio.sleep(0)
            go.set()
        async with await database.session(engine) as outer, database.begin_transaction(outer):
            await outer.execute(sa.text("INSERT INTO names VALUES ('outer')"))
            async with await database.session(engine) as inner, database.begin_transaction(inner):
                found = await inner.execute(sa.text("SELECT name FROM names ORDER BY rowid"))
                order.append(" ".join(found.scalars()))
        await engine.dispose()
        return order

    assert asyncio.run(play()) == [
        *("first begins", "first ends", "second begins", "second ends", "third begins", "third ends"),
        "first second third",
    ]
