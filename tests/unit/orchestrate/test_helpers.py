"""What is said of a pool that starts nothing, and what becomes of flow runs in it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from sweeplib.orchestrate import helpers as helpers_module
from sweeplib.orchestrate.helpers import Helpers, Verdict, verdict_of
from sweeplib.orchestrate.pools import Pool, describe
from sweeplib.orchestrate.session import Session
from tests.integration.prefect_api import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SESSION = Session("http://x/api", "f", 1, "train", ("one",), (), (), 0, ())


@pytest.mark.parametrize(
    ("pool", "workers", "words"),
    [
        (Pool("night"), 0, "has no worker online; start one with: prefect worker start --pool night"),
        (Pool("my pool"), 0, "has no worker online; start one with: prefect worker start --pool 'my pool'"),
        (Pool("night"), 1, "has started nothing for it yet: its flow run is PENDING"),
        (
            Pool("night", limit=2),
            1,
            "has started nothing for it yet: it runs 2 at once (its concurrency limit)",
        ),
        (Pool("night", needs_worker=False), 0, "has started nothing for it yet: its flow run is PENDING"),
    ],
)
def test_why_a_pool_starts_nothing(pool: Pool, workers: int, words: str) -> None:
    assert describe(pool, workers, "PENDING") == words


@pytest.mark.parametrize(
    ("state", "signed", "died", "what"),
    [
        ("SCHEDULED", False, False, None),
        ("PENDING", False, False, None),
        ("RUNNING", True, False, None),
        ("COMPLETED", False, False, "unable"),
        ("COMPLETED", True, False, None),
        ("FAILED", True, False, None),
        ("CANCELLED", True, False, None),
        ("RUNNING", True, True, "died"),
        ("CRASHED", True, True, "died"),
        ("CANCELLING", True, True, "cancelled"),
        ("CANCELLED", True, True, "cancelled"),
        ("CANCELLED", False, False, "cancelled"),
        ("CRASHED", False, False, "unable"),
        ("FAILED", False, False, "unable"),
    ],
)
def test_a_verdict(state: str, signed: bool, died: bool, what: str | None) -> None:
    found = verdict_of("id", "tag-night-1", state, "why", signed=signed, died=died)
    assert (found.what if found else None) == what
    if found:
        assert found.id == "id"
        assert found.message.startswith("the flow run tag-night-1 ")


def test_a_helper_that_nobody_asked_for_is_judged_at_once() -> None:
    helpers = Helpers(Pool("night"), SESSION, "tag", Path("/project"), Path("/spool"))
    helpers.died("7f")
    assert helpers.verdicts.get_nowait() == Verdict("7f", "died", "the flow run 7f has died")


def test_places_in_which_nothing_could_begin_are_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    helpers = Helpers(Pool("night", limit=4), SESSION, "tag", Path("/project"), Path("/spool"))
    assert helpers.most == 4
    helpers._useless += [time.monotonic()] * 3
    assert helpers.most == 1
    helpers._useless += [time.monotonic()] * 3
    assert helpers.most == 1, "one at least"
    monkeypatch.setattr(helpers_module, "_AGAIN", 0.0)
    assert helpers.most == 4


@pytest.fixture
def pool(prefect_api: str) -> Iterator[str]:
    """A work pool in which nothing is started."""
    name = f"of-{uuid4().hex[:8]}"
    ask(prefect_api, "/work_pools/", {"name": name, "type": "process"})
    yield name
    urlopen(Request(f"{prefect_api}/work_pools/{name}", method="DELETE"), timeout=30).close()


@contextmanager
def asked_for(api: str, pool: Pool, folder: Path) -> Iterator[Helpers]:
    session = replace(SESSION, api=api)
    with Helpers(pool, session, f"tag-{pool.name}", folder, folder / uuid4().hex) as helpers:
        helpers.ask(3)
        yield helpers


def flow_runs(api: str, pool: str) -> list[Any]:
    found: list[Any] = ask(api, "/flow_runs/filter", {"flow_runs": {"tags": {"all_": [f"tag-{pool}"]}}})
    return found


def await_true(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)  # the helpers' thread tells nobody


def test_workers_that_come_later_do_not_add_to_parallel(
    prefect_api: str, pool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_WORKERS", "_LOOK", "_TICK"):
        monkeypatch.setattr(helpers_module, name, 0.01)
    ask(prefect_api, f"/work_pools/{pool}/workers/heartbeat", {"name": "one"})
    with asked_for(prefect_api, Pool(pool, parallel=2), tmp_path) as helpers:
        await_true(lambda: helpers.active == 1)
        for name in ("two", "three"):  # that the last is known says that all was done that the first brought
            ask(prefect_api, f"/work_pools/{pool}/workers/heartbeat", {"name": name})
            await_true(lambda: helpers._workers == {"two": 2, "three": 3}[name])  # noqa: B023 - called at once
        assert helpers.most == 2
        (only,) = flow_runs(prefect_api, pool)
        assert only["parameters"]["parallel"] == 2
        ask(prefect_api, f"/flow_runs/{only['id']}/set_state", {"state": {"type": "CRASHED"}, "force": True})
        await_true(lambda: helpers.active == 2)
        assert sorted(each["parameters"]["parallel"] for each in flow_runs(prefect_api, pool)) == [1, 1, 2]
    assert [each["state"]["type"] for each in flow_runs(prefect_api, pool)].count("CANCELLED") == 2


def test_more_flow_runs_than_the_api_tells_of_at_once(
    prefect_api: str, pool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helpers_module, "_PAGE", 1)
    monkeypatch.setattr(helpers_module, "_LOOK", 0.01)
    with asked_for(prefect_api, Pool(pool, limit=3), tmp_path) as helpers:
        await_true(lambda: helpers.active == 3)
        first = flow_runs(prefect_api, pool)[0]
        urlopen(Request(f"{prefect_api}/flow_runs/{first['id']}", method="DELETE"), timeout=30).close()
        verdict = helpers.verdicts.get(timeout=20)
        assert (verdict.id, verdict.what) == (first["id"], "cancelled")
        assert helpers.verdicts.empty()
        assert helpers.active == 2


def test_a_helper_that_has_died_is_crashed_unless_it_has_said_how_it_ended(
    prefect_api: str, pool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = Helpers._states
    late: list[str] = []

    def and_then_it_speaks(client: Any, ids: list[str]) -> Any:
        found = states(client, ids)
        for each in late:
            told = {"state": {"type": "FAILED", "message": "the worker has died"}}
            ask(prefect_api, f"/flow_runs/{each}/set_state", told)
        return found

    with asked_for(prefect_api, Pool(pool, limit=2), tmp_path) as helpers:
        await_true(lambda: helpers.active == 2)
        silent, speaks = (each["id"] for each in flow_runs(prefect_api, pool))
        for each in (silent, speaks):
            ask(prefect_api, f"/flow_runs/{each}/set_state", {"state": {"type": "RUNNING"}, "force": True})
            helpers.signed(each)
        helpers.died(silent)
        assert helpers.verdicts.get(timeout=20).what == "died"
        late.append(speaks)
        monkeypatch.setattr(Helpers, "_states", staticmethod(and_then_it_speaks))
        helpers.died(speaks)
        assert helpers.verdicts.get(timeout=20).what == "died"
        said = {each["id"]: each["state"]["message"] for each in flow_runs(prefect_api, pool)}
        assert (said[silent], said[speaks]) == ("Its process has died.", "the worker has died")
