"""Live results and notifications: automations of a real Prefect server start a real worker's flows."""

from __future__ import annotations

import base64
import http.server
import json
import re
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.run.model import Outcome
from tests.conftest import Project, clean_environment
from tests.integration.prefect_api import ask, task_runs
from tests.integration.test_deployments import await_state, await_true, prefect, start, working

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
JOBS = """
jobs:
  learn:
    call: learning.learn
    style: kwargs
    parallel: 2
    metric: {highest: score}
    sets: [{each: "model=small,large lr=1e-3,1e-2,1e-1", all: seed=1}]
"""
LEARNING = """
import pathlib
import time

def learn(model, lr, seed):
    while (model, lr) != ("small", 0.001) and not pathlib.Path("go").exists():
        time.sleep(0.1)
    if (model, lr) == ("large", 0.1):
        raise ValueError("it diverged")
    return {"score": {"small": 1, "large": 2}[model] * lr, "steps": 10}
"""


@pytest.fixture(scope="module")
def learning(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Project:
    folder = tmp_path_factory.mktemp("learning") / "project"
    folder.mkdir()
    env = clean_environment(folder.parent / "home")
    env["PREFECT_API_URL"] = prefect_api
    project = Project(folder, env)
    project.jobs(JOBS)
    project.write("learning.py", LEARNING)
    deployed = project.sweep("deploy", "--pool", "of-tests", "--analytics", check=0)
    assert deployed.stdout == "created learn/default\ncreated analytics/default\n"
    again = project.sweep("deploy", "--pool", "of-tests", "--analytics", check=0)
    assert again.stdout == "updated learn/default\nupdated analytics/default\n"
    return project


@pytest.fixture
def messages() -> Iterator[tuple[str, list[str]]]:
    """The address of a webhook, and the texts that it got."""
    found: list[str] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            found.append(body["text"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", found
        server.shutdown()


def drawn(api: str, tag: str) -> list[dict[str, Any]]:
    """Return all versions of the artifact with a sweep's results."""
    found: list[dict[str, Any]] = ask(
        api, "/artifacts/filter", {"artifacts": {"key": {"any_": [f"{tag}-results"]}}}
    )
    return found


def notify(project: Project, *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "deployments" / "notify.py"), *arguments]
    done = subprocess.run(command, env=project.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(280)
def test_results_are_drawn_as_they_come(
    learning: Project, prefect_api: str, messages: tuple[str, list[str]]
) -> None:
    address, texts = messages
    made = "made the automation 'sweeps: tell when one ends'\n"
    assert notify(learning, address) == made
    assert notify(learning, address) == made.replace("made", "removed") + made
    try:
        with working(learning):
            runs = [start(learning, prefect_api, "learn/default", arguments=[]) for _ in range(2)]

            def begun() -> list[str]:
                with learning.ledger() as ledger:
                    tags = {sweep.flow_run_id: sweep.tag for sweep in ledger.sweeps(job="learn")}
                return [tags[run] for run in runs] if len(tags) == 2 else []

            await_true((learning.folder / ".sweep" / "ledger.db").exists, "the ledger", learning)
            tags: list[str] = await_true(begun, "two sweeps to begin", learning)
            for tag in tags:
                (early,) = await_true(lambda tag=tag: drawn(prefect_api, tag), "a first drawing", learning)
                assert early["type"] == "markdown"
                assert early["description"] == f"Results of {tag}, running"
            (learning.folder / "go").touch()
            for run in runs:
                assert await_state(learning, prefect_api, run)["message"] == "5 of 6 completed, 1 failed"

            def over() -> bool:
                return all("failed" in drawn(prefect_api, tag)[0]["description"] for tag in tags)

            await_true(over, "the last drawings", learning)
            await_true(lambda: len(texts) == 2, "two messages", learning)
    finally:
        assert notify(learning, "--remove") == made.replace("made", "removed")
    for run, tag in zip(runs, tags, strict=True):
        (artifact,) = drawn(prefect_api, tag)
        assert artifact["flow_run_id"] == run, "it is on the page of the sweep's flow run"
        assert artifact["description"] == f"Results of {tag}, failed"
        page = artifact["data"]
        assert page.startswith(f"# {tag}: 5 of 6 done, 1 failed\n\nFailed; drawn at ")
        assert "**Best so far: score 0.1000** (highest of 5) with model=small lr=1e-1\n" in page
        picture = re.search(r"!\[score over the parameters\]\(data:image/png;base64,([^)]*)\)", page)
        assert picture is not None
        assert base64.b64decode(picture[1]).startswith(b"\x89PNG")
        lines = [line for line in page.splitlines() if line.startswith("| ")]
        surface, table = lines[:4], lines[4:]
        assert [line[2:-2].split(" | ") for line in (surface[0], *surface[2:])] == [
            ["model \\\\ lr", "1e-3", "1e-2", "1e-1"],
            ["large", "0.002000 ░", "0.02000 ▓", ""],
            ["small", "0.001000 ·", "0.01000 ▒", "0.1000 █"],
        ]
        assert table[0] == "| rank | key | model | lr | **score** | duration |"
        assert [line.split(" | ")[2:5] for line in table[2:]] == [
            ["small", "1e-1", "0.1000"],
            ["large", "1e-2", "0.02000"],
            ["small", "1e-2", "0.01000"],
            ["large", "1e-3", "0.002000"],
            ["small", "1e-3", "0.001000"],
        ]
        last = page[page.index("## 1 not completed") :]
        assert last.startswith(
            "## 1 not completed\n\n"
            "**1 failed: exit code 1: ValueError: it diverged**\n\n"
            "- model=large lr=1e-1 (`"
        )
        with learning.ledger() as ledger:
            (sweep,) = [each for each in ledger.sweeps(job="learn") if each.tag == tag]
            outcomes = Counter(row.outcome for row in ledger.combinations(sweep.id))
        assert outcomes == {Outcome.COMPLETED: 5, Outcome.FAILED: 1}, "runs at once do not mix"
        assert {each["flow_run_id"] for each in task_runs(prefect_api, tag)} == {run}
    for run in runs:
        (text,) = [text for text in texts if run in text]
        assert text.startswith("learn failed\n5 of 6 completed, 1 failed\nhttp://")


def test_a_sweep_that_is_not_there(learning: Project, prefect_api: str) -> None:
    learning.sweep("deploy", "--pool", "of-tests", "--analytics", check=0)
    with working(learning):
        run = start(learning, prefect_api, "analytics/default", tag="learn-nothere")
        state = await_state(learning, prefect_api, run)
    assert state["type"] == "FAILED"
    assert "no sweep" in state["message"]


def test_prefects_own_command_shows_the_automations(learning: Project) -> None:
    shown = prefect(learning, "automation", "ls")
    assert "sweeps: draw results" in " ".join(shown.split())
