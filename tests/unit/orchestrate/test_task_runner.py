"""The warm task runner under real flows: what futures give, what the server records, what threads keep."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import clean_environment
from tests.integration.prefect_api import logs, task_runs

if TYPE_CHECKING:
    from pathlib import Path

THREADS = 3

# Tasks are pickled by value, so what they share stands in a module of its own.
SHARED = f"""
import threading

barrier = threading.Barrier({THREADS}, timeout=60)
tries = []


def meet(number):
    barrier.wait()
    return threading.get_ident()


def flaky(name):
    tries.append(name)
    if tries.count(name) < 3:
        raise ValueError(f"try {{tries.count(name)}} of {{name}}")
    return tries.count(name)
"""

FLOWS = f"""
import json, logging, sys

import shared
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger
from prefect.states import Failed
from sweeplib.orchestrate import worker
from sweeplib.orchestrate.records import settle
from sweeplib.orchestrate.task_runner import SweepTaskRunner

logging.raiseExceptions = False
address = "127.0.0.1:0"
local = dict(processes=False, n_workers=1, threads_per_worker={THREADS}, memory_limit=0)
local |= dict(dashboard_address=address, worker_dashboard_address=address, silence_logs="CRITICAL")
runner = SweepTaskRunner(cluster_kwargs=local)
plain = dict(persist_result=False, cache_policy=NO_CACHE)
answers = {{}}


@task(task_run_name="double of {{x}}", tags=["of-task"], **plain)
def double(x):
    get_run_logger().info("doubling %s", x)
    return 2 * x


@task(**plain)
def meet(number):
    return shared.meet(number)


@task(**plain)
def fail(x):
    raise ValueError(f"no luck with {{x}}")


@task(retries=2, **plain)
def flaky(name):
    return shared.flaky(name)


@task(**plain)
def refuse():
    return Failed(message="refused")


def sessions():
    return sorted({{each.session for each in worker._open.values()}}), len(worker._open)


def run_id():
    return str(FlowRunContext.get().flow_run.id)


@flow(task_runner=runner)
def warm():
    answers["warm run"] = run_id()
    answers["threads"] = len({{future.result() for future in [meet.submit(n) for n in range({THREADS})]}})
    answers["sessions"] = sessions()
    again = [future.result() for future in [meet.submit(n) for n in range({THREADS} * 5)]]
    answers["sessions later"] = sessions()


@flow(task_runner=runner)
def results():
    answers["run"] = run_id()
    named = double.with_options(tags=["{{tag}}"])
    answers["results"] = [future.result() for future in [named.submit(x) for x in range(4)]]
    failed = fail.with_options(tags=["{{tag}}"]).submit("x")
    failed.wait()
    answers["failed"] = [failed.state.name, repr(failed.result(raise_on_failure=False))]
    try:
        failed.result()
    except ValueError as error:
        answers["raised"] = str(error)
    answers["flaky"] = flaky.with_options(tags=["{{tag}}"]).submit("one").result()
    refused = refuse.submit()
    refused.wait()
    answers["refused"] = [refused.state.name, refused.state.message]
    return "done"


@flow(task_runner=runner)
def stock():
    first = double.submit(1)
    answers["after another"] = double.submit(5, wait_for=[first]).result()
    answers["of another"] = double.submit(first).result()
    answers["mapped"] = double.map([1, 2, 3]).result()


def main(tag):
    warm()
    answers["sessions after"] = sessions()
    named = results()
    answers["missing"] = settle(answers["run"], 7)
    stock()
    answers["sessions at the end"] = sessions()
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
"""
TAG = "runner-test"


@pytest.fixture(scope="module")
def answers(prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the flows found, all in one process: importing Prefect and Dask takes seconds."""
    folder: Path = tmp_path_factory.mktemp("flows")
    (folder / "shared.py").write_text(SHARED)
    (folder / "flows.py").write_text(FLOWS.replace("{tag}", TAG).replace("def main(tag)", "def main()"))
    done = subprocess.run(
        [sys.executable, "flows.py"],
        cwd=folder,
        env={
            **clean_environment(folder / "home"),
            "PREFECT_API_URL": prefect_api,
            "PREFECT_LOGGING_LEVEL": "INFO",
            "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def recorded(answers: dict[str, Any], prefect_api: str) -> dict[str, dict[str, Any]]:
    """The task runs that the server has recorded, by name up to a random tail."""
    assert answers["missing"] == []
    return {run["name"]: run for run in task_runs(prefect_api, TAG)}


def test_results(answers: dict[str, Any]) -> None:
    assert answers["results"] == [0, 2, 4, 6]


def test_failures(answers: dict[str, Any]) -> None:
    assert answers["failed"] == ["Failed", "ValueError('no luck with x')"]
    assert answers["raised"] == "no luck with x"
    assert answers["refused"] == ["Failed", "refused"]


def test_retries(answers: dict[str, Any], recorded: dict[str, dict[str, Any]]) -> None:
    assert answers["flaky"] == 3
    (flaky,) = (run for name, run in recorded.items() if name.startswith("flaky"))
    assert (flaky["run_count"], flaky["state_name"]) == (3, "Completed")


def test_names_and_tags(recorded: dict[str, dict[str, Any]], prefect_api: str) -> None:
    assert {name for name in recorded if name.startswith("double")} == {f"double of {x}" for x in range(4)}
    assert recorded["double of 3"]["tags"] == [TAG]
    assert logs(prefect_api, recorded["double of 3"]["id"])[0] == "doubling 3"


def test_what_waits_for_others_goes_the_stock_way(answers: dict[str, Any]) -> None:
    assert answers["after another"] == 10
    assert answers["of another"] == 4
    assert answers["mapped"] == [2, 4, 6]


def test_a_thread_is_hydrated_once_a_flow_run(answers: dict[str, Any]) -> None:
    assert answers["threads"] == THREADS
    first, later = answers["sessions"], answers["sessions later"]
    assert (len(first[0]), first[1]) == (1, THREADS)
    assert later == first


def test_what_was_entered_is_left_with_the_flow_run(answers: dict[str, Any]) -> None:
    assert answers["sessions after"] == [[], 0]
    assert answers["sessions at the end"] == [[], 0]
