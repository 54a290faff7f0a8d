"""The recorder against a real Prefect API: one that is away, comes, and refuses a record."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import clean_environment

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import json, sys, time
from datetime import datetime, timezone
from pathlib import Path
from uuid import uuid4
from sweeplib.orchestrate.recorder import flush_all, recorder
from sweeplib.orchestrate.server import prefect_server

port, folder = int(sys.argv[1]), Path(sys.argv[2])
to = recorder(f"http://127.0.0.1:{port}/api")
assert recorder(f"http://127.0.0.1:{port}/api") is to
answers = {}


def now():
    return datetime.now(timezone.utc).isoformat()


def log(message, **changes):
    to.log({"name": "test", "level": 20, "message": message, "timestamp": now(), **changes})


def event(name):
    resource = {"prefect.resource.id": "test.thing"}
    to.event({"id": str(uuid4()), "event": name, "occurred": now(), "resource": resource})


began = time.monotonic()
for number in range(450):
    event(f"test.event-{number}")
    log(f"line {number}")
answers["queued in"] = time.monotonic() - began
answers["left while away"] = flush_all(3)
answers["problem"] = to.problem
(folder / "prefect.json").write_text(json.dumps({"pid": 0, "mark": "", "port": port}))
server = prefect_server(folder.parents[1])
try:
    assert server.start() == f"http://127.0.0.1:{port}", "the server has another port than it was to have"
    answers["left when it is back"] = flush_all(60)
    answers["problem then"] = to.problem
    log("before \\udcff")
    log("bad", level="high")
    log("after")
    answers["left of a refused one"] = flush_all(60)
    sys.path.insert(0, sys.argv[3])
    from tests.integration.prefect_api import ask
    api = f"http://127.0.0.1:{port}/api"
    lines = []
    while page := ask(api, "/logs/filter", {"limit": 200, "offset": len(lines), "sort": "TIMESTAMP_ASC"}):
        lines += [entry["message"] for entry in page]
    answers["lines"] = lines
    wanted = {"filter": {"event": {"prefix": ["test."]}}, "limit": 50}
    deadline = time.monotonic() + 60
    while (total := ask(api, "/events/filter", wanted)["total"]) < 450 and time.monotonic() < deadline:
        time.sleep(0.1)  # the server writes them in its own time
    answers["events"] = total
finally:
    server.stop()
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one process found, which sent to an API that came up after a while."""
    project = tmp_path_factory.mktemp("recorder")
    folder = project / ".sweep" / "server"
    folder.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(port), str(folder), str(ROOT)],
        env=clean_environment(project / "home"),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    found["stderr"] = done.stderr
    return found


def test_nobody_waits_for_an_api_that_is_away(answers: dict[str, Any]) -> None:
    assert answers["queued in"] < 1
    assert answers["left while away"] == 900
    assert answers["problem"]


def test_everything_follows_when_it_is_back(answers: dict[str, Any]) -> None:
    assert (answers["left when it is back"], answers["problem then"]) == (0, "")
    assert answers["lines"][:450] == [f"line {number}" for number in range(450)]
    assert answers["events"] == 450


def test_a_record_that_is_refused_costs_no_other(answers: dict[str, Any]) -> None:
    assert answers["left of a refused one"] == 0
    assert answers["lines"][450:] == ["before ?", "after"]
    assert answers["stderr"].count("Prefect's API did not take a record of a task run: ") == 1
