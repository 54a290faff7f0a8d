"""Telling Prefect later what it could not be told while a sweep ran: its server was away, or we died.

The ledger knows it all. A record that Prefect has already is not sent again.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Completed, Crashed, Failed

from sweeplib.engine import Lock
from sweeplib.ledger import SweepState
from sweeplib.orchestrate.chunks import attempt_of, chunk_of, key_of_chunk
from sweeplib.orchestrate.pages import combinations_artifact, key_of, ui_of
from sweeplib.orchestrate.pulse import Topic, create, event_of, request
from sweeplib.orchestrate.records import FINAL, settle
from sweeplib.orchestrate.session import Session
from sweeplib.orchestrate.task_runs import TaskRun
from sweeplib.report.lookup import metric_of, paths_of
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, State

    from sweeplib.ledger import Ledger, Sweep
    from sweeplib.run.model import Attempt

__all__ = ["MOST", "report_late"]

MOST = 20
"""How many sweeps are looked after at once, the newest: those of another API stay unreported for ever."""

_PAGE = 200


def report_late(ledger: Ledger, project: Path, ending: str = "") -> list[str]:
    """Tell Prefect what it lacks of ended sweeps that it knows; return notes for the user.

    `ending` is the flow run that calls this, whose last state Prefect will be told by its own engine.
    """
    notes: list[str] = []
    with get_client(sync_client=True) as client:
        for sweep in ledger.unreported(MOST):
            with Lock(paths_of(project, sweep.id).owner_lock) as lock:
                if not lock.acquire():
                    continue  # its owner sees to it
                try:
                    notes += _report(client, ledger, project, sweep, ending)
                except ObjectNotFound:
                    continue
    return notes


def _report(client: SyncPrefectClient, ledger: Ledger, project: Path, sweep: Sweep, ending: str) -> list[str]:
    flow_run = client.read_flow_run(UUID(sweep.flow_run_id or ""))
    session = _session(client, sweep, flow_run)
    known = dict(_recorded(client, flow_run.id))
    count = missing = 0
    for key, label, attempt in _task_runs(ledger, sweep):
        count += 1
        if known.get(uuid5(flow_run.id, key), -1.0) < attempt.ended:  # or the end before a retry is known
            missing += 1
            TaskRun(session, key, label).ends(attempt)
    if str(flow_run.id) != ending and _is_stale(flow_run.state, sweep):
        client.set_flow_run_state(flow_run.id, _state(ledger, sweep), force=True)
    notes = settle(str(flow_run.id), count)
    if notes:
        return notes
    told = _conclude(client, ledger, project, sweep, session)
    ledger.set_reported(sweep.id)
    return [f"Prefect has now been told of {sweep.tag}, which it missed"] if missing or told else []


def _task_runs(ledger: Ledger, sweep: Sweep) -> Iterator[tuple[str, str, Attempt]]:
    """Yield key, label and end of what has a task run each: combinations by themselves, then the chunks."""
    chunks: set[int] = set()
    for row in ledger.combinations(sweep.id):
        if row.chunk is not None:
            chunks.add(row.chunk)
        elif row.outcome is not None:
            yield row.key, row.label, attempt_of(row)
    for number in sorted(chunks):
        chunk = chunk_of(number, ledger.chunk(sweep.id, number))
        if chunk.members:
            yield key_of_chunk(number), chunk.label, chunk.end()


def _conclude(
    client: SyncPrefectClient, ledger: Ledger, project: Path, sweep: Sweep, session: Session
) -> bool:
    """Show the table of combinations and send the event of the end, if they are not there; tell whether.

    A table that is there may be of the time before a retry.
    """
    table = combinations_artifact(ledger, sweep, metric_of(project, sweep), ui_of(project, session.api))
    shown = _newest(client, session, table.key)
    if shown is not None and _moment(shown["created"]) >= (sweep.ended or 0.0):
        return False
    topic = Topic(sweep.id, sweep.tag, sweep.job, key_of(sweep.tag), sweep.isolated)
    create(client, session.flow_run, table)
    _show_progress(client, ledger, sweep, session)
    message = _message(ledger, sweep)
    request(client, "POST", "/events", [event_of(topic, session, "sweep.ended", sweep.state, message, {})])
    return True


def _newest(client: SyncPrefectClient, session: Session, key: str) -> dict[str, Any] | None:
    """Return the flow run's newest artifact with this key."""
    wanted = {"key": {"any_": [key]}, "flow_run_id": {"any_": [session.flow_run]}}
    body = {"artifacts": wanted, "sort": "CREATED_DESC", "limit": 1}
    found: list[dict[str, Any]] = request(client, "POST", "/artifacts/filter", body)
    return found[0] if found else None


def _show_progress(client: SyncPrefectClient, ledger: Ledger, sweep: Sweep, session: Session) -> None:
    """Let the progress artifact, if there is one, tell how far the sweep came."""
    shown = _newest(client, session, f"{key_of(sweep.tag)}-progress")
    if shown is not None:
        done = sweep.done_before + ledger.counts(sweep.id)[Outcome.COMPLETED]
        percent = 100.0 * done / sweep.total if sweep.total else 100.0
        body = {"data": percent, "description": _message(ledger, sweep)}
        request(client, "PATCH", f"/artifacts/{shown['id']}", body)


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _session(client: SyncPrefectClient, sweep: Sweep, flow_run: FlowRun) -> Session:
    spec: dict[str, Any] = json.loads(sweep.spec)
    tags = (sweep.job, sweep.tag, *spec.get("tags", ()))
    related = [(f"prefect.tag.{tag}", "tag") for tag in tags]
    related.append((f"prefect.flow-run.{flow_run.id}", "flow-run"))
    return Session(
        api=str(client.api_url).rstrip("/"),
        flow_run=str(flow_run.id),
        flow_run_count=flow_run.run_count,
        task=sweep.job,
        tags=tags,
        related=tuple({"prefect.resource.id": name, "prefect.resource.role": role} for name, role in related),
        limits=(),
        retries=int(spec.get("retries", 0)),
        delays=(),
    )


def _recorded(client: SyncPrefectClient, flow_run: UUID) -> Iterator[tuple[UUID, float]]:
    """Yield the task runs of a flow run of which an end is recorded, and since when."""
    body: dict[str, Any] = {
        "flow_runs": {"id": {"any_": [str(flow_run)]}},
        "task_runs": {"state": {"type": {"any_": FINAL}}},
        "sort": "ID_DESC",
        "limit": _PAGE,
        "offset": 0,
    }
    while True:
        answer = client._client.post("/task_runs/filter", json=body)  # noqa: SLF001 - the client's call parses all
        page = answer.raise_for_status().json()
        yield from ((UUID(each["id"]), _moment(each["state"]["timestamp"])) for each in page)
        body["offset"] += len(page)
        if len(page) < _PAGE:
            return


def _is_stale(state: State[Any] | None, sweep: Sweep) -> bool:
    """Tell whether a flow run's state is of the time before its sweep ended, which nobody told Prefect.

    One that waits for a retry is not, nor one that has just begun it.
    """
    if state is None or sweep.ended is None:
        return False
    if state.is_crashed():
        return sweep.state is not SweepState.LOST
    return (state.is_running() or state.is_cancelling()) and state.timestamp.timestamp() < sweep.ended


def _state(ledger: Ledger, sweep: Sweep) -> State[Any]:
    makers = {SweepState.COMPLETED: Completed, SweepState.FAILED: Failed, SweepState.CANCELLED: Cancelled}
    return makers.get(sweep.state, Crashed)(message=_message(ledger, sweep))


def _message(ledger: Ledger, sweep: Sweep) -> str:
    counts = ledger.counts(sweep.id)
    parts = [f"{counts[Outcome.COMPLETED]} of {sweep.total - sweep.done_before} completed"]
    others = [outcome for outcome in Outcome if outcome is not Outcome.COMPLETED]
    parts += [f"{counts[outcome]} {outcome}" for outcome in others if counts[outcome]]
    return ", ".join(parts)
