"""What the Prefect server has recorded, asked for over its HTTP API."""

from __future__ import annotations

import json
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sweeplib.orchestrate.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator


def ask(api: str, path: str, body: Any) -> Any:
    request = urllib.request.Request(
        f"{api}{path}", json.dumps(body).encode(), {"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def get(api: str, path: str) -> Any:
    with urllib.request.urlopen(f"{api}{path}", timeout=30) as answer:
        return json.load(answer)


def new_session(api: str, retries: int = 0) -> Session:
    """Make a flow run, and return its session, with a tag of its own."""
    tag = f"of-{uuid4().hex[:8]}"
    flow = ask(api, "/flows/", {"name": tag})["id"]
    flow_run = ask(api, "/flow_runs/", {"flow_id": flow, "state": {"type": "RUNNING"}})["id"]
    related = (
        {"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"},
        {"prefect.resource.id": f"prefect.flow-run.{flow_run}", "prefect.resource.role": "flow-run"},
    )
    return Session(api, flow_run, 1, "job", (tag,), related, (), retries, ())


def flow_runs(api: str, tag_of_task: str) -> list[dict[str, Any]]:
    """Return the flow runs that have a task run with this tag."""
    return ask(api, "/flow_runs/filter", {"task_runs": {"tags": {"all_": [tag_of_task]}}})


def task_runs(api: str, tag: str) -> list[dict[str, Any]]:
    """Return all task runs with this tag."""
    found: list[dict[str, Any]] = []
    while True:
        body = {"task_runs": {"tags": {"all_": [tag]}}, "limit": 200, "offset": len(found)}
        page = ask(api, "/task_runs/filter", body)
        found += page
        if len(page) < 200:
            return found


def logs(api: str, task_run: str) -> list[str]:
    """Return the messages of a task run's log."""
    body = {"logs": {"task_run_id": {"any_": [task_run]}}, "sort": "TIMESTAMP_ASC", "limit": 200}
    return [entry["message"] for entry in ask(api, "/logs/filter", body)]


@contextmanager
def impatient(api: str, name: str = "sweeps: find crashed flow runs", usual: int = 120) -> Iterator[None]:
    """Let the server take a flow run for dead after ten seconds of silence, not the `usual` ones."""
    (automation,) = ask(api, "/automations/filter", {"automations": {"name": {"any_": [name]}}})
    address = f"{api}/automations/{automation.pop('id')}"

    def put(within: float) -> None:
        automation["trigger"]["within"] = within
        body = json.dumps(
            {key: automation[key] for key in ("name", "enabled", "trigger", "actions")}
        ).encode()
        headers = {"content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(address, body, headers, method="PUT"), timeout=30):
            pass

    before = automation["trigger"]["within"]
    assert before == usual
    put(10)
    try:
        yield
    finally:
        put(before)
