"""`run_multiple`: experiments from Python, with a real server."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import sweeplib
from sweeplib.errors import ExperimentError, InputError
from sweeplib.ledger import SweepState
from sweeplib.run.model import Outcome
from tests.conftest import end_group
from tests.integration.prefect_api import task_runs
from tests.integration.test_run import await_true

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project


def start(project: Project, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, name],
        cwd=project.folder,
        env=project.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(project: Project, code: str, check: int = 0) -> str:
    """Run a program of the project; return what it prints."""
    project.write("program.py", code)
    process = start(project, "program.py")
    try:
        out, err = process.communicate(timeout=120)
    finally:
        end_group(process)
    assert process.returncode == check, err
    return out if check == 0 else err


SCRIPT = """
import os, sys, time
import sweeplib
config = sweeplib.params()
with open("ran", "a") as file:
    print(config["i"], time.time(), file=file)
print("argv", sys.argv[1:], "deep", config.get("deep"))
time.sleep(config.get("sleep", 0))
with open("ran", "a") as file:
    print(config["i"], time.time(), file=file)
if config["i"] == 2:
    sys.exit("this is wrong")
"""


def test_results_come_in_order_and_a_failure_stops_nothing(project: Project, prefect_api: str) -> None:
    project.write("work.py", SCRIPT)
    out = run(
        project,
        """
        import sweeplib
        print("once")
        specs = [
            sweeplib.ExperimentSpec(
                "work.py",
                {"i": i, "sleep": 1.0 if i == 1 else 0, "deep": {"a": [1, None, True]}},
                script_args=["--x", "a b"],
                name=f"e{i}",
                tags=["mine", f"number-{i}"],
                description=f"the experiment {i}",
            )
            for i in range(1, 5)
        ]
        results = sweeplib.run_multiple(specs, parallel=2)
        for each in results:
            print(each.name, each.status, each.error_message, round(each.duration), each.experiment_id)
        print(open(results[0].log).read().strip())
        print([spec is specs[1] for spec in results.failed()])
        """,
    )
    lines = out.splitlines()
    assert [re.sub(r" [0-9a-f]{8}$", " ID", line) for line in lines] == [
        "once",
        "e1 completed None 1 ID",
        "e2 failed exit code 1: this is wrong 0 ID",
        "e3 completed None 0 ID",
        "e4 completed None 0 ID",
        "argv ['--x', 'a b'] deep {'a': [1, None, True]}",
        "[True]",
    ]
    with project.ledger() as ledger:
        (sweep,) = ledger.sweeps()
        rows = list(ledger.combinations(sweep.id))
    assert (sweep.job, sweep.state) == ("program", SweepState.FAILED)
    assert [row.key[:8] for row in rows] == [line[-8:] for line in lines[1:5]]
    assert [row.label for row in rows] == ["e1", "e2", "e3", "e4"]
    named = {each["name"]: each["state_name"] for each in task_runs(prefect_api, sweep.tag)}
    assert named == {"e1": "Completed", "e2": "Failed", "e3": "Completed", "e4": "Completed"}
    with sqlite3.connect(project.folder / "mlflow.db") as store:
        tags = dict(
            store.execute(
                "SELECT key, value FROM tags WHERE run_uuid IN (SELECT run_uuid FROM runs WHERE name = 'e3')"
            ).fetchall()
        )
    assert {"sweep.tag.mine": "true", "sweep.tag.number-3": "true"}.items() <= tags.items()
    assert tags["mlflow.note.content"] == "the experiment 3"
    tagged = project.sweep("results", "program", "--tag", "number-3", "--format", "json", check=0)
    assert [each["key"][:8] for each in json.loads(tagged.stdout)] == [lines[3][-8:]]
    assert "program" in project.sweep("status", "--tag", "number-3", check=0).stdout
    described = project.sweep("show", lines[1][-8:], check=0).stdout
    assert "description   the experiment 1" in described
    assert "tags          mine, number-1" in described
    shown = project.sweep("logs", lines[1][-8:], check=0).stdout
    assert shown == "argv ['--x', 'a b'] deep {'a': [1, None, True]}\n"


@pytest.mark.parametrize(("parallel", "most"), [("None", 1), ("3", 3), ("0", len(os.sched_getaffinity(0)))])
def test_how_many_run_at_once(project: Project, parallel: str, most: int) -> None:
    project.write("work.py", SCRIPT)
    run(
        project,
        f"""
        import sweeplib
        specs = [sweeplib.ExperimentSpec("work.py", {{"i": i + 10, "sleep": 0.7}}) for i in range(6)]
        assert all(each.status == "completed" for each in sweeplib.run_multiple(specs, parallel={parallel}))
        """,
    )
    events: dict[str, list[float]] = {}
    for line in (project.folder / "ran").read_text().splitlines():
        number, moment = line.split()
        events.setdefault(number, []).append(float(moment))
    spans = [tuple(found) for found in events.values()]
    assert len(spans) == 6
    at_once = max(sum(begin <= moment < end for begin, end in spans) for moment, _ in spans)
    assert at_once == most


def test_functions_run_in_processes_of_their_own(project: Project) -> None:
    project.write("helper.py", "def double(x):\n    return {'value': 2 * x}\n")
    out = run(
        project,
        """
        import os, sweeplib, helper
        factor = 10

        def scaled(x, deep):
            print("in", x)
            return {"value": factor * x, "pid": os.getpid(), "deep": deep["a"]}

        def broken():
            raise ValueError("on purpose")

        class Thing:
            pass

        results = sweeplib.run_multiple(
            [
                sweeplib.ExperimentSpec(function=scaled, config={"x": 2, "deep": {"a": 5}}),
                sweeplib.ExperimentSpec(function=helper.double, config={"x": 4}, name="by reference"),
                sweeplib.ExperimentSpec(
                    function=lambda thing: {"is": isinstance(thing, Thing)}, config={"thing": Thing()}
                ),
                sweeplib.ExperimentSpec(function=broken),
            ],
            parallel=2,
        )
        assert results[0].metrics.pop("pid") != os.getpid()
        for each in results:
            print(each.name, each.status, each.error_message, each.metrics)
        again = sweeplib.run_multiple(results.failed())
        print([each.status for each in again], again[0].experiment_id != results[3].experiment_id)
        """,
    )
    assert out.splitlines() == [
        "None completed None {'value': 20.0, 'deep': 5.0}",
        "by reference completed None {'value': 8.0}",
        "None completed None {'is': 1.0}",
        "None failed exit code 1: ValueError: on purpose {}",
        "['failed'] True",
    ]


def test_a_job_of_that_name_keeps_what_it_has_done(project: Project) -> None:
    project.jobs("jobs: {program: {run: 'true', style: plain, tracking: false, sets: [{each: 'a=1:3'}]}}\n")
    project.sweep("run", "program", check=0)
    run(
        project,
        """
        import sweeplib
        sweeplib.run_multiple([sweeplib.ExperimentSpec(function=lambda: {"a": 1})])
        """,
    )
    assert "3 of 3 combinations done" in project.sweep("run", "program", check=0).stderr
    assert "program.py-" in project.sweep("show", "program.py", check=0).stdout


def test_an_experiment_starts_no_experiments(project: Project) -> None:
    project.write(
        "inner.py",
        """
        import sweeplib
        sweeplib.run_multiple([sweeplib.ExperimentSpec("inner.py")])
        """,
    )
    out = run(
        project,
        """
        import sweeplib
        (result,) = sweeplib.run_multiple([sweeplib.ExperimentSpec("inner.py")])
        print(result.status, result.error_message)
        """,
    )
    assert out == (
        "failed exit code 1: sweeplib.errors.ExperimentError: "
        "run_multiple was called by a running experiment; call it from a script of its own\n"
    )


def test_an_interrupt_ends_all_and_is_recorded(project: Project) -> None:
    project.write("work.py", SCRIPT)
    project.write(
        "program.py",
        """
        import sweeplib
        specs = [sweeplib.ExperimentSpec("work.py", {"i": i, "sleep": 600}) for i in range(10, 14)]
        try:
            sweeplib.run_multiple(specs, parallel=2)
        except KeyboardInterrupt:
            print("interrupted")
        """,
    )
    process = start(project, "program.py")
    try:
        ran = project.folder / "ran"
        await_true(lambda: ran.exists() and len(ran.read_text().splitlines()) == 2, "two experiments")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        end_group(process)
    assert (process.returncode, out) == (0, "interrupted\n"), err
    with project.ledger() as ledger:
        (sweep,) = ledger.sweeps()
        outcomes = {row.outcome for row in ledger.combinations(sweep.id)}
    assert (sweep.state, outcomes) == (SweepState.CANCELLED, {Outcome.CANCELLED})


def test_the_program_goes_on_as_before(project: Project) -> None:
    """Its environment, its folder and its handlers are its own."""
    project.write("work.py", "import sweeplib\n")
    out = run(
        project,
        """
        import logging, os, signal, sweeplib
        before = dict(os.environ), os.getcwd(), signal.getsignal(signal.SIGINT), logging.raiseExceptions
        sweeplib.run_multiple([sweeplib.ExperimentSpec("work.py")])
        after = dict(os.environ), os.getcwd(), signal.getsignal(signal.SIGINT), logging.raiseExceptions
        print(before == after)
        """,
    )
    assert out == "True\n"


def test_what_cannot_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec = sweeplib.ExperimentSpec
    script = tmp_path / "a.py"
    script.write_text("")

    def said(make: object) -> str:
        assert callable(make)
        with pytest.raises(ExperimentError) as caught:
            make()
        assert isinstance(caught.value, InputError)
        assert isinstance(caught.value, ValueError)
        return str(caught.value)

    one = "an experiment has a script_path or a function; this one has"
    assert said(lambda: spec()) == f"{one} neither"
    assert said(lambda: spec("a.py", function=print)) == f"{one} both"
    assert said(lambda: spec(function=print, script_args=["x"])) == (
        "script_args are for a script; a function gets what is in config"
    )
    assert said(lambda: spec("a.py", tags="grid")) == "script_args and tags are lists of texts, not one text"
    several = sweeplib.run_multiple
    assert said(lambda: several([])) == "there are no experiments to run"
    assert said(lambda: several(["a.py"])) == "an experiment is an ExperimentSpec, not of type str"
    assert said(lambda: several([spec("a.py")], -1)) == "parallel is None, 0 or a number of processes, not -1"
    assert said(lambda: several([spec("b.py")])) == "there is no script b.py"
    assert said(lambda: several([spec("a.py", {"x": object})])) == (
        "the config of x=<class 'object'> is nothing that JSON can hold: "
        "Object of type type is not JSON serializable"
    )
    assert said(lambda: several([spec("a.py", {"x": "y" * 100_000}, name="large")])) == (
        "the config of large has 100,009 characters; put what is large into a file"
    )
    assert not (tmp_path / ".sweep").exists()


def test_nothing_of_the_environment_is_stored(project: Project) -> None:
    """Git's state is, and the parameters; a variable may be a password."""
    project.env["SERVICE_LOGIN"] = "correct-horse-battery-staple"
    project.write("work.py", "import os\nassert os.environ['SERVICE_LOGIN'].startswith('correct')\n")
    run(
        project,
        """
        import sweeplib
        (result,) = sweeplib.run_multiple([sweeplib.ExperimentSpec("work.py", {"i": 1})])
        assert result.status == "completed", result.error_message
        """,
    )
    project.jobs("jobs: {one: {run: python work.py, style: plain, preload: [json], sets: [{each: i=1}]}}\n")
    project.sweep("run", "one", check=0)
    files = [path for path in project.folder.rglob("*") if path.is_file()]
    assert any(path.name == "ledger.db" for path in files)
    assert any(path.name == "mlflow.db" for path in files)
    assert [path for path in files if b"battery-staple" in path.read_bytes()] == []
