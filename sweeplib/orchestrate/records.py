"""Waiting until the Prefect server has recorded what a flow run sent it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from prefect.client.orchestration import get_client
from prefect.events.worker import EventsWorker

from sweeplib.orchestrate.recorder import flush_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from prefect.client.orchestration import SyncPrefectClient

__all__ = ["FINAL", "settle"]

_POLL = 0.25  # seconds; one count takes about 100 ms of the server's time after 10,000 task runs
_SEND = 10.0  # seconds without a record being sent, likewise
_STALL = 20.0  # seconds without a new record after which waiting is given up
_QUIET = 3.0  # seconds that the waiting may take before it says what it waits for, …
_EVERY = 15.0  # … and between that and the next time
FINAL = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]
"""Prefect's types of states in which nothing runs any more."""


def settle(flow_run: str, submitted: int, note: Callable[[str], None] = lambda _: None) -> list[str]:
    """Wait until the server has a final record of all `submitted` task runs; return notes for the user.

    Task runs reach the server as events, which it records later; a process that ends at once would leave
    the last of them unsent. Waits as long as records come in, and says so with `note` now and then.
    """
    if not submitted:
        return []
    recorded = 0
    say_at = time.monotonic() + _QUIET
    try:
        before = left = flush_all(_SEND)
        while left and (left := flush_all(_SEND)) < before:
            before = left
            if left:
                note(f"Prefect is still taking records: {left:,} to go")
        if left:
            return [f"Prefect did not take {left} records of task runs; the ledger has everything"]
        EventsWorker.drain_all(timeout=_STALL)
        with get_client(sync_client=True) as client:
            moved = time.monotonic()
            while (now := _recorded(client, flow_run)) < submitted:
                if now > recorded:
                    recorded, moved = now, time.monotonic()
                if time.monotonic() - moved > _STALL:
                    return [f"Prefect has recorded {now} of {submitted} task runs; the ledger has all"]
                if time.monotonic() > say_at:
                    say_at = time.monotonic() + _EVERY
                    note(f"Prefect is still recording: {now:,} of {submitted:,} task runs")
                time.sleep(_POLL)
    except Exception as error:  # noqa: BLE001 - a server that has gone changes no outcome
        return [f"Prefect's server did not answer at the end ({error}); the ledger has everything"]
    return []


def _recorded(client: SyncPrefectClient, flow_run: str) -> int:
    body: dict[str, Any] = {
        "flow_runs": {"id": {"any_": [flow_run]}},
        "task_runs": {"state": {"type": {"any_": FINAL}}},
    }
    answer = client._client.post("/task_runs/count", json=body)  # noqa: SLF001 - the client has no count
    answer.raise_for_status()
    return int(answer.json())
