"""`sweep run` with a real Prefect server, Dask, MLflow and commands."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import sqlite3
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sweeplib.ledger import SweepState
from sweeplib.orchestrate.server import is_alive
from sweeplib.run.model import Outcome
from tests.conftest import end_group
from tests.integration.prefect_api import ask, flow_runs, logs, task_runs

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.conftest import Project


def newest(project: Project, job: str) -> tuple[str, str, dict[str, Outcome | None]]:
    """Return id, tag and outcomes by label of the newest sweep."""
    with project.ledger() as ledger:
        sweep = ledger.sweeps(job=job, limit=1)[0]
        return sweep.id, sweep.tag, {row.label: row.outcome for row in ledger.combinations(sweep.id)}


def await_true(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.02)


def await_started(project: Project, process: subprocess.Popen[str], count: int) -> None:
    """Wait until `count` commands have said in the file `started` that they run."""

    def reached() -> bool:
        assert process.poll() is None, process.communicate()
        path = project.folder / "started"
        return path.exists() and len(path.read_text().split()) == count

    await_true(reached, f"{count} commands to start")


def test_commands_start_in_the_order_of_the_plan(project: Project) -> None:
    """Also where they are short, and threads that come back from one compete for the next."""
    project.jobs(
        """
        jobs:
          short: {run: "true", style: plain, tracking: false, parallel: 2, sets: [{each: "i=1:400"}]}
        """
    )
    project.sweep("run", "short", check=0)
    with project.ledger() as ledger:
        (sweep,) = ledger.sweeps(job="short")
        rows = list(ledger.combinations(sweep.id))
        started = [ledger.attempts(sweep.id, row.key)[0].started for row in rows]
    order = sorted(range(len(rows)), key=started.__getitem__)
    assert max(abs(place - number) for place, number in enumerate(order)) < 10


def test_a_failing_combination_stops_nothing_and_is_shown_everywhere(
    project: Project, prefect_api: str
) -> None:
    project.write(
        "script.py",
        """
        import sys
        print("begin", sys.argv[1:])
        if sys.argv[1] == "x=2":
            sys.exit("no luck with two")
        print("end")
        """,
    )
    project.jobs(
        """
        jobs:
          fails:
            run: python script.py
            style: plain
            retries: 2
            tracking: false
            tags: [mine]
            sets:
              - each: x=1:4
                all: seed=42
        """
    )
    done = project.sweep("run", "fails", check=1)
    sweep, tag, outcomes = newest(project, "fails")
    assert outcomes == {
        "x=1": Outcome.COMPLETED,
        "x=2": Outcome.FAILED,
        "x=3": Outcome.COMPLETED,
        "x=4": Outcome.COMPLETED,
    }
    assert done.stdout.startswith(f"{tag}: 3 of 4 completed, 1 failed in ")
    with project.ledger() as ledger:
        (failed,) = ledger.combinations(sweep, Outcome.FAILED)
        assert failed.message == "exit code 1: no luck with two"
        assert [attempt.number for attempt in ledger.attempts(sweep, failed.key)] == [1, 2, 3]
        assert ledger.get_sweep(sweep).state is SweepState.FAILED
    assert f"failed: x=2: exit code 1: no luck with two (sweep logs {failed.key[:8]})" in done.stderr

    (flow_run,) = flow_runs(prefect_api, tag)
    assert flow_run["state"]["type"] == "FAILED"
    assert flow_run["state"]["message"] == "3 of 4 completed, 1 failed"
    runs = {run["name"]: run for run in task_runs(prefect_api, tag)}
    assert {name: run["state_type"] for name, run in runs.items()} == {
        "x=1": "COMPLETED",
        "x=2": "FAILED",
        "x=3": "COMPLETED",
        "x=4": "COMPLETED",
    }
    assert runs["x=2"]["run_count"] == 3
    assert {"fails", "mine", tag} <= set(runs["x=1"]["tags"])
    messages = "\n".join(logs(prefect_api, runs["x=1"]["id"]))
    assert "command: python script.py x=1 seed=42" in messages
    assert "end" in messages
    assert f"all output is in {project.folder}/.sweep/sweeps/{sweep}/logs/" in messages

    again = project.sweep("run", "fails", check=1)
    assert "fails: 3 of 4 combinations done, 1 to go" in again.stderr
    assert newest(project, "fails")[2] == {"x=2": Outcome.FAILED}


def test_what_a_script_logs_to_mlflow_lands_in_its_run(project: Project) -> None:
    project.write(
        "train.py",
        """
        import sys, mlflow
        values = dict(argument.lstrip("-").split("=") for argument in sys.argv[1:])
        mlflow.log_metric("score", float(values["lr"]) * float(values["width"]))
        """,
    )
    project.jobs(
        """
        jobs:
          tracked:
            run: python train.py
            style: flags
            sets:
              - each: lr=1:2:m width=10,20
        """
    )
    project.sweep("run", "tracked", check=0)
    done = project.sweep("results", "tracked", "--format", "csv", check=0)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["lr"], row["width"], row["score"]) for row in rows] == [
        ("2e-3", "20", "0.04"),
        ("1e-3", "20", "0.02"),
        ("2e-3", "10", "0.02"),
        ("1e-3", "10", "0.01"),
    ]
    store = sqlite3.connect(project.folder / "mlflow.db")
    names = [row[0] for row in store.execute("SELECT name FROM experiments WHERE name != 'Default'")]
    statuses = Counter(row[0] for row in store.execute("SELECT status FROM runs"))
    store.close()
    assert names == ["tracked"]
    assert statuses == {"FINISHED": 5}  # one a combination, and the sweep's own


def test_interrupted_and_gone_on_with(project: Project) -> None:
    project.write("slow.sh", 'echo "$1" >> started; [ -e quick ] || exec sleep 60\n')
    project.jobs(
        """
        jobs:
          slow: {run: sh slow.sh, style: plain, tracking: false, parallel: 2, sets: [{each: "i=1:5"}]}
        """
    )
    process = project.start("run", "slow")
    await_started(project, process, 2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("sweep: interrupted; what is done is kept, and the next run goes on with the rest\n")
    sweep, _, outcomes = newest(project, "slow")
    assert set(outcomes.values()) == {Outcome.CANCELLED}
    with project.ledger() as ledger:
        assert ledger.get_sweep(sweep).state is SweepState.CANCELLED
    project.write("quick", "")
    project.sweep("run", "slow", check=0)
    assert set(newest(project, "slow")[2].values()) == {Outcome.COMPLETED}


def test_cancelled_from_another_terminal(project: Project) -> None:
    project.write("slow.sh", 'echo "$1" >> started; exec sleep 60\n')
    project.jobs(
        """
        jobs:
          slow: {run: sh slow.sh, style: plain, tracking: false, parallel: 2, sets: [{each: "i=1:5"}]}
        """
    )
    process = project.start("run", "slow")
    await_started(project, process, 2)
    project.sweep("cancel", "slow", check=0)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert set(newest(project, "slow")[2].values()) == {Outcome.CANCELLED}


@pytest.mark.parametrize("tracking", ["true", "own", "false"])
def test_modules_are_loaded_once_for_all(project: Project, tracking: str) -> None:
    project.write("loaded.py", "import os\nopen('loads', 'a').write('x')\npid = os.getpid()\n")
    project.write("work.py", "import loaded, sys\nprint(loaded.pid, sys.argv[1])\n")
    project.jobs(
        f"""
        jobs:
          warm:
            run: python work.py
            style: plain
            env: {{A: 1}}
            preload: [loaded]
            tracking: {tracking}
            sets: [{{each: "i=1:6"}}]
        """
    )
    done = project.sweep("run", "warm", "--parallel", "2", check=0)
    assert "cold" not in done.stderr
    assert (project.folder / "loads").read_text() == "x"
    with project.ledger() as ledger:
        sweep = ledger.sweeps(limit=1)[0]
        logs = [Path(row.log).read_text().split() for row in ledger.combinations(sweep.id)]
    assert [words[1] for words in logs] == [f"i={number}" for number in range(1, 7)]
    assert len({words[0] for words in logs}) == 1


def test_called_functions_run_apart_and_return_metrics(project: Project) -> None:
    project.write(
        "package/work.py",
        """
        import os

        def train(lr: float, name: str, crash: bool = False) -> dict[str, float]:
            if crash:
                os._exit(7)
            return {"double": 2 * lr, "length": len(name)}
        """,
    )
    project.write("package/__init__.py", "")
    project.jobs(
        """
        jobs:
          called:
            call: package.work.train
            style: kwargs
            sets:
              - each: lr=0.5,1m name=abc
              - each: lr=1
                all: name=x crash=true
        """
    )
    project.sweep("run", "called", check=1)
    outcomes = Counter(newest(project, "called")[2].values())
    assert outcomes == {Outcome.COMPLETED: 2, Outcome.FAILED: 1}
    done = project.sweep("results", "called", "--metric", "double", "--format", "json", check=0)
    found = [row["metrics"] for row in json.loads(done.stdout) if row["metrics"]]
    assert found == [{"double": 1.0, "length": 3.0}, {"double": 0.002, "length": 3.0}]


def test_submit_runs_once_and_its_file_stays(project: Project) -> None:
    project.write(
        "submit.py",
        """
        import subprocess, sys
        # what a scheduler would do: read the file after this command has returned
        subprocess.Popen(["sh", "-c", 'while [ ! -e go ]; do sleep 0.05; done; cp "$0" copy', sys.argv[-1]])
        print("submitted", sys.argv[1:])
        """,
    )
    project.jobs(
        """
        jobs:
          batch: {submit: python submit.py app.py, style: plain, sets: [{each: "a=1:3 b='x y',z"}]}
        """
    )
    project.sweep("run", "batch", check=0)
    project.write("go", "")
    copy = project.folder / "copy"
    await_true(lambda: copy.exists() and copy.read_text().count("\n") == 6, "the copy of the submit file")
    assert copy.read_text().splitlines() == [f"a={a} {b}" for a in (1, 2, 3) for b in ("'b=x y'", "b=z")]
    again = project.sweep("run", "batch", check=0)
    assert again.stderr == "sweep: batch: submitted already; nothing is left to do (--fresh submits again)\n"


def test_long_lines_and_much_output_cost_nothing(project: Project) -> None:
    project.write("loud.py", "print('x' * 200_000); print('y' * 5_000_000); print('last')\n")
    project.jobs(
        "jobs: {loud: {run: python loud.py, style: plain, tracking: false, sets: [{each: 'i=1,2'}]}}\n"
    )
    project.sweep("run", "loud", check=0)
    with project.ledger() as ledger:
        rows = list(ledger.combinations(newest(project, "loud")[0]))
    for row in rows:
        with open(row.log, "rb") as log:
            assert len(log.read()) == 5_200_007


def test_timeout_and_failure_limit(project: Project) -> None:
    project.jobs(
        """
        defaults: {style: plain, tracking: false}
        jobs:
          late: {run: sh -c 'exec sleep 60', timeout: 1s, sets: [{each: i=1}]}
          stops: {run: "false", parallel: 1, max_failures: 2, sets: [{each: "i=1:40"}]}
        """
    )
    done = project.sweep("run", "late", check=1)
    assert "timed out: late: timed out after 1 s" in done.stderr
    done = project.sweep("run", "stops", check=1)
    assert "combinations failed, more than max_failures allows: starting no more" in done.stderr
    assert "(max_failures) in " in done.stdout
    outcomes = Counter(newest(project, "stops")[2].values())
    assert outcomes.keys() <= {Outcome.FAILED, Outcome.CANCELLED}
    assert outcomes[Outcome.FAILED] == 3
    assert outcomes[Outcome.CANCELLED] <= 2, "those that waited for the one slot"


def test_two_runs_of_one_job_at_once_share_the_work(project: Project) -> None:
    project.write("work.sh", 'sleep 0.2; echo "$1" >> finished\n')
    project.jobs(
        """
        jobs:
          twice: {run: sh work.sh, style: plain, tracking: false, parallel: 2, sets: [{each: "i=1:30"}]}
        """
    )
    first, second = project.start("run", "twice"), project.start("run", "twice")
    try:
        first.communicate(timeout=120)
        second.communicate(timeout=120)
    finally:
        end_group(first)
        end_group(second)
    finished = Counter((project.folder / "finished").read_text().split())
    assert finished == Counter(f"i={i}" for i in range(1, 31))
    project.sweep("run", "twice", check=0)


def test_every_task_run_is_in_the_prefect_database(project: Project, prefect_api: str) -> None:
    project.jobs(
        "jobs: {many: {run: 'true', style: plain, tracking: false, parallel: 2, sets: [{each: 'i=1:300'}]}}\n"
    )
    project.sweep("run", "many", check=0)
    sweep, tag, _ = newest(project, "many")
    with project.ledger() as ledger:
        assert ledger.counts(sweep)[Outcome.COMPLETED] == 300
    body = {"task_runs": {"tags": {"all_": [tag]}, "state": {"type": {"any_": ["COMPLETED"]}}}}
    assert ask(prefect_api, "/task_runs/count", body) == 300


def test_a_job_that_starts_its_own_cluster(project: Project) -> None:
    project.write("where.sh", 'echo "$1" >> finished\n')
    project.jobs(
        """
        jobs:
          spread:
            run: sh where.sh
            style: plain
            tracking: false
            cluster:
              class: distributed.LocalCluster
              n_workers: 2
              threads_per_worker: 1
              dashboard_address: "127.0.0.1:0"
            sets: [{each: "i=1:8"}]
        """
    )
    project.sweep("run", "spread", check=0)
    assert Counter((project.folder / "finished").read_text().split()) == Counter(
        f"i={i}" for i in range(1, 9)
    )


def test_a_cluster_that_is_not_there(project: Project) -> None:
    project.jobs("jobs: {gone: {run: 'true', style: plain, tracking: false, sets: [{each: i=1}]}}\n")
    project.env["DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT"] = "3s"  # not half a minute
    done = project.sweep("run", "gone", "--cluster", "tcp://127.0.0.1:1", check=1)
    assert done.stderr.startswith("sweep: the Dask cluster tcp://127.0.0.1:1 cannot be used: ")
    assert done.stderr.endswith("; check the address, or start one with: dask scheduler\n")
    assert "Traceback" not in done.stderr


def test_a_cluster_that_cannot_be_started_as_it_is_written(project: Project) -> None:
    project.jobs(
        """
        clusters:
          two: {class: distributed.LocalCluster, n_wrkers: 2}
        jobs:
          named: {run: 'true', style: plain, tracking: false, where: two, sets: [{each: i=1}]}
          own: {run: 'true', style: plain, tracking: false, cluster: {class: no.Such}, sets: [{each: i=1}]}
        """
    )
    done = project.sweep("run", "named", check=2)
    assert done.stderr.splitlines()[-1] == (
        "sweep: sweeps.yaml:3: clusters.two: distributed.LocalCluster takes no argument 'n_wrkers'; "
        "did you mean 'n_workers'?"
    )
    assert "Traceback" not in done.stderr
    done = project.sweep("run", "own", check=2)
    assert done.stderr == (
        "sweep: sweeps.yaml:6: jobs.own.cluster: there is no module 'no', for the class no.Such; install it, "
        "or check the name\n"
    )


def _files_of_the_sweep(project: Project, server: str) -> None:
    """The pages in Prefect link to what the project's own server hands out."""
    with project.ledger() as ledger:
        (sweep,) = ledger.sweeps(job="one")
        rows = list(ledger.combinations(sweep.id))
    found = ask(f"{server}/api", "/artifacts/filter", {"artifacts": {"type": {"any_": ["table"]}}})
    (table,) = [each for each in found if each["key"] == f"{sweep.tag}-combinations"]
    links = re.findall(r"\]\((http://[^)]*)\)", table["description"] + table["data"])
    assert links == [
        f"{server}/sweeps/{sweep.id}/results.csv",
        *[f"{server}/sweeps/{sweep.id}/logs/{row.key}.1.log" for row in rows],
    ]
    with urllib.request.urlopen(links[0], timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    assert lines[0] == "rank,key,outcome,exit_code,duration,i,log"
    assert [line.split(",")[1:4] for line in lines[1:]] == [[row.key, "completed", "0"] for row in rows]
    Path(rows[0].log).write_text("<b>said</b>")
    with urllib.request.urlopen(links[1], timeout=30) as answer:
        assert (answer.read(), answer.headers["content-type"]) == (
            b"<b>said</b>",
            "text/plain; charset=utf-8",
        )
    for wrong in (
        f"{sweep.id}/logs/..%2F..%2Fledger.db",
        f"{sweep.id}/logs/{rows[0].key}.9.log",
        "01M7YQSM0CH9SS7Q8F8FVA6Y5D/results.csv",
        "x/results.csv",
    ):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{server}/sweeps/{wrong}", timeout=30)


@pytest.mark.timeout(280)
def test_the_embedded_server(bare_project: Project) -> None:
    bare_project.jobs(
        """
        jobs:
          one: {run: "true", style: plain, tracking: false, sets: [{each: "i=1:3"}]}
          two: {run: "true", style: plain, tracking: false, sets: [{each: "i=1:3"}]}
        """
    )
    first, second = bare_project.start("run", "one"), bare_project.start("run", "two")
    outputs = [process.communicate(timeout=200) for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), outputs
    server = json.loads((bare_project.folder / ".sweep" / "server" / "prefect.json").read_text())
    assert sum("starting a local prefect server" in err for _, err in outputs) == 1
    up = bare_project.sweep("up", check=0)
    prefect, mlflow = (line.split()[-1] for line in up.stdout.splitlines())
    assert prefect == f"http://127.0.0.1:{server['port']}"
    assert mlflow.startswith("http://127.0.0.1:")
    _files_of_the_sweep(bare_project, prefect)
    down = bare_project.sweep("down", check=0)
    assert down.stdout == "stopped: prefect, mlflow\n"
    assert not is_alive(f"{prefect}/api/health")
    assert not is_alive(f"{mlflow}/health")
    assert bare_project.sweep("down", check=0).stdout == "no server of this project is running\n"


def test_a_configured_api_is_used_and_said_so(project: Project, prefect_api: str) -> None:
    project.jobs("jobs: {one: {run: 'true', sets: [{each: i=1}]}}\n")
    up = project.sweep("up", "--api", check=0)
    assert up.stdout == f"{prefect_api}\n"
    used = f"the configured Prefect API is used, at {prefect_api}"
    assert up.stderr == f"sweep: {used}: none of this project's own is started\n"
    assert not (project.folder / ".sweep" / "server" / "prefect.json").exists()


def test_what_ran_with_other_code_runs_again(project: Project) -> None:
    project.write("work.py", "import helper\n")
    project.write("helper.py", "")
    project.jobs(
        """
        jobs:
          work: {run: python work.py, style: flags, tracking: false, sets: [{each: "i=1:2"}]}
        """
    )
    project.sweep("run", "work", check=0)
    project.write("helper.py", "open('ran', 'a').write('x')\n")
    again = project.sweep("run", "work", "--rerun", "changed", check=0)
    assert re.match(
        r"work-\w+: 2 of 2 completed \(2 again, with changed code\) in ", again.stdout.splitlines()[-1]
    )
    assert again.stderr.splitlines()[0] == (
        "sweep: work: 0 of 2 combinations done, 2 to go, 2 of them again, with changed code "
        "(--fresh runs all again)"
    )
    assert (project.folder / "ran").read_text() == "xx"
    assert project.sweep("run", "work", "--rerun", "script", check=0).stderr == (
        "sweep: work: 2 of 2 combinations done; nothing is left to do (--fresh runs all again)\n"
    )
