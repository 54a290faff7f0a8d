"""Events of task runs at the project's own server: recorded when it answers, and handed on to who asks."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.orchestrate.recorder import RECORDED, recorder
from sweeplib.orchestrate.task_runs import TaskRun
from sweeplib.run.model import Attempt, Outcome
from tests.integration.prefect_api import ask, new_session, task_runs

if TYPE_CHECKING:
    from sweeplib.orchestrate.session import Session

PATIENCE = 60.0  # seconds


@pytest.fixture
def session(prefect_api: str) -> Session:
    """A flow run's session, with a tag of its own."""
    return new_session(prefect_api)


def ended(key: str, outcome: Outcome) -> Attempt:
    now = time.time()
    return Attempt(key=key, number=1, outcome=outcome, started=now - 1, ended=now, exit_code=0)


def test_all_is_recorded_when_the_server_has_answered(session: Session, prefect_api: str) -> None:
    for number in range(500):
        run = TaskRun(session, f"{number:08}", f"i={number}")
        run.begins(time.time() - 1)
        run.ends(ended(f"{number:08}", Outcome.COMPLETED if number % 2 else Outcome.FAILED))
    assert recorder(prefect_api).flush(60) == 0
    found = task_runs(prefect_api, session.tags[0])
    assert Counter(each["state_type"] for each in found) == Counter(COMPLETED=250, FAILED=250)
    assert {each["name"] for each in found} == {f"i={number}" for number in range(500)}
    states = ask(
        prefect_api,
        "/events/filter",
        {"filter": {"related": {"id": [session.related[1]["prefect.resource.id"]]}}},
    )
    assert states["total"] >= 1000, "the events are on record as well"


def test_a_trigger_hears_of_task_runs(session: Session, prefect_api: str) -> None:
    automation = ask(
        prefect_api,
        "/automations/",
        {
            "name": session.tags[0],
            "trigger": {
                "type": "event",
                "posture": "Reactive",
                "expect": ["prefect.task-run.Failed"],
                "match_related": {"prefect.resource.id": f"prefect.tag.{session.tags[0]}"},
                "threshold": 1,
            },
            "actions": [{"type": "do-nothing"}],
        },
    )
    wanted = {
        "event": {"name": ["prefect.automation.action.executed"]},
        "resource": {"id": [f"prefect.automation.{automation['id']}"]},
    }
    run = TaskRun(session, "k", "i=1")
    run.begins(time.time() - 1)
    run.ends(ended("k", Outcome.FAILED))
    assert recorder(prefect_api).flush(60) == 0
    deadline = time.monotonic() + PATIENCE
    while ask(prefect_api, "/events/filter", {"filter": wanted})["total"] != 1:
        assert time.monotonic() < deadline
        time.sleep(0.2)  # the server tells by its API alone
    (found,) = task_runs(prefect_api, session.tags[0])
    assert found["state_name"] == "Failed"


def post(api: str, body: Any, kind: str = "application/json") -> tuple[int, dict[str, str], str]:
    data, headers = json.dumps(body).encode(), {"content-type": kind}
    request = urllib.request.Request(f"{api}/events", data, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read().decode()


def test_what_is_no_event_is_refused(prefect_api: str) -> None:
    status, _, text = post(prefect_api, [{"event": "x"}])
    assert status == 422
    assert json.loads(text)["exception_message"] == "Invalid request received."
    assert post(prefect_api, [])[:1] == (204,)
    assert RECORDED in post(prefect_api, [])[1]
    assert post(prefect_api, [], "text/plain")[0] == 415, "a page of another site can send that, and JSON not"
