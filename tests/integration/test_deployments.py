"""Jobs as deployments: a real Prefect server and a real process worker run them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.ledger import SweepState
from sweeplib.run.model import Outcome
from tests.conftest import Project, clean_environment, end_group
from tests.integration.prefect_api import ask, get, task_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JOBS = """
jobs:
  picky:
    run: sh picky.sh
    style: plain
    tracking: false
    parallel: 2
    sets: [{each: "i=1:4"}]
  naps:
    run: >-
      sh -c 'trap "" TERM; test -e rested && exit; echo $$ >> started;
      sleep 600 & setsid sleep 600 & wait; sleep 600'
    style: plain
    tracking: false
    parallel: 2
    sets: [{each: "i=1:3"}]
  packed:
    run: sh -c 'echo "$0" >> ran; test -e better || case "$0" in i=*7) exit 1;; esac'
    style: plain
    tracking: false
    parallel: 2
    task_runs: 10
    sets: [{each: "i=1:50"}]
  often:
    run: touch
    style: plain
    tracking: false
    sets: [{add: ticked}]
    deployments:
      every-minute: {cron: "* * * * *", arguments: [also]}
"""
BETTER = 'while test -e held; do sleep 0.1; done; echo "$1" >> ran\n'
PICKY = BETTER + 'test "$1" != i=3\n'
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
PATIENCE = 120.0


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Project:
    """A project whose jobs are deployments, in a work pool of its own."""
    folder = tmp_path_factory.mktemp("deployed") / "project"
    folder.mkdir()
    env = clean_environment(folder.parent / "home")
    env["PREFECT_API_URL"] = prefect_api
    project = Project(folder, env)
    project.jobs(JOBS)
    project.write("picky.sh", PICKY)
    project.sweep("deploy", "--pool", "of-tests", "picky", "naps", "packed")
    return project


@contextmanager
def working(project: Project) -> Iterator[subprocess.Popen[bytes]]:
    """Have a worker run what is asked of the pool."""
    with (project.folder / "worker.log").open("ab") as log:
        worker = subprocess.Popen(
            [str(Path(sys.executable).with_name("prefect")), "worker", "start", "--pool", "of-tests"],
            cwd=project.folder.parent,
            env=project.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield worker
    finally:
        end_group(worker)  # type: ignore[arg-type]


@pytest.fixture(scope="class")
def worker(deployed: Project) -> Iterator[None]:
    with working(deployed):
        yield


def prefect(project: Project, *arguments: str) -> str:
    """Run Prefect's own command, as a user would."""
    command = [str(Path(sys.executable).with_name("prefect")), "--no-prompt", *arguments]
    done = subprocess.run(
        command, cwd=project.folder, env=project.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def start(project: Project, api: str, name: str, **parameters: object) -> str:
    """Ask for a run of a deployment; return its id."""
    deployment = get(api, f"/deployments/name/{name}")
    found = ask(api, f"/deployments/{deployment['id']}/create_flow_run", {"parameters": parameters})
    return str(found["id"])


def await_true(condition: Callable[[], Any], what: str, project: Project) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}:\n{(project.folder / 'worker.log').read_text()[-5000:]}"
        time.sleep(0.2)  # other processes tell through files and their API alone
    return found


def await_state(project: Project, api: str, flow_run: str, *, runs: int = 1) -> dict[str, Any]:
    """Return the final state of a flow run's so-manieth run."""

    def final() -> dict[str, Any] | None:
        found = get(api, f"/flow_runs/{flow_run}")
        state: dict[str, Any] = found["state"]
        return state if state["type"] in FINAL and found["run_count"] >= runs else None

    state: dict[str, Any] = await_true(final, f"the end of flow run {flow_run}", project)
    return state


def await_task_runs(project: Project, api: str, tag: str, **states: int) -> None:
    """Wait until the server, which records in its own time, has so many task runs in these states."""

    def recorded() -> bool:
        return Counter(run["state_name"] for run in task_runs(api, tag)) == Counter(states)

    await_true(recorded, f"task runs of {tag}: {states}", project)


def await_naps(project: Project) -> list[int]:
    """Return the processes of the two commands that run, which have children each."""
    path = project.folder / "started"

    def started() -> list[int]:
        pids = [int(line) for line in path.read_text().split()] if path.exists() else []
        return pids if len(pids) == 2 and len(descendants(project)) >= 7 else []

    pids: list[int] = await_true(started, "two commands to start", project)
    return pids


def descendants(project: Project) -> list[int]:
    """Return the processes in the project's folder that sleep, their shells and their flows."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                where = (entry / "cwd").readlink()
            except OSError:
                continue
            if where == project.folder and (words[0] in (b"sleep", b"sh") or b"prefect.engine" in words):
                found.append(int(entry.name))
    return found


def ran(project: Project) -> Counter[str]:
    path = project.folder / "ran"
    return Counter(path.read_text().split() if path.exists() else [])


def clear(project: Project) -> None:
    for name in ("ran", "better", "started", "rested", "held"):
        (project.folder / name).unlink(missing_ok=True)


def test_deploying_again_updates_and_what_left_the_file_is_pruned(project: Project, prefect_api: str) -> None:
    text = (
        "jobs:\n  pruned:\n    run: x\n    sets: [{each: a=1}]\n"
        "    deployments: {one: {}, two: {cron: '0 2 * * *'}}\n"
    )
    project.jobs(text)
    done = project.sweep("deploy", "--pool", "pool-of-pruned")
    assert done.stdout == "created pruned/one\ncreated pruned/two  (0 2 * * * UTC)\n"
    assert done.stderr == (
        "sweep: made the work pool 'pool-of-pruned' (process)\n"
        "sweep: start what runs them: prefect worker start --pool pool-of-pruned\n"
    )
    schedule = get(prefect_api, "/deployments/name/pruned/two")
    prefect(project, "deployment", "schedule", "pause", "pruned/two", schedule["schedules"][0]["id"])

    project.jobs(text.replace("one: {}, ", "").replace("0 2", "30 3"))
    again = project.sweep("deploy", "--pool", "pool-of-pruned")
    assert again.stdout == "updated pruned/two  (30 3 * * * UTC)\n"
    assert again.stderr.startswith(
        "sweep: pruned/one is not in sweeps.yaml any more; remove it with: sweep deploy --prune\n"
    )
    (kept,) = get(prefect_api, "/deployments/name/pruned/two")["schedules"]
    assert (kept["schedule"]["cron"], kept["active"]) == ("30 3 * * *", False)

    two = get(prefect_api, "/deployments/name/pruned/two")["id"]
    ask_to_pause(prefect_api, two)
    pruned = project.sweep("deploy", "--pool", "pool-of-pruned", "--prune")
    assert not get(prefect_api, "/deployments/name/pruned/two")["paused"], (
        "as the end of `sweep serve` leaves it"
    )
    assert pruned.stdout == "updated pruned/two  (30 3 * * * UTC)\nremoved pruned/one\n"
    left = ask(prefect_api, "/deployments/filter", {"flows": {"name": {"any_": ["pruned"]}}})
    assert [each["name"] for each in left] == ["two"]


def ask_to_pause(api: str, deployment: str) -> None:
    url = f"{api}/deployments/{deployment}/pause_deployment"
    with urllib.request.urlopen(urllib.request.Request(url, b"{}", method="POST"), timeout=30):
        pass


def test_a_cron_line_that_prefect_cannot_read(project: Project) -> None:
    project.jobs("jobs: {bad: {run: x, sets: [{each: a=1}], deployments: {one: {cron: '0 2 * foo *'}}}}\n")
    done = project.sweep("deploy", check=2)
    assert done.stderr == (
        "sweep: jobs.bad.deployments.one.cron: '0 2 * foo *' is no schedule: "
        'Invalid cron string: "0 2 * foo *"\n'
    )


@pytest.mark.parametrize("command", ["deploy", "serve"])
def test_a_job_has_the_deployment_that_draws_results(project: Project, command: str) -> None:
    project.jobs("jobs: {analytics: {run: x, sets: [{each: a=1}]}, other: {run: x, sets: [{each: a=1}]}}\n")
    done = project.sweep(command, "other", "--analytics", check=2)
    assert done.stderr.splitlines()[-1] == (
        "sweep: jobs.analytics: --analytics makes a deployment analytics/default as well; "
        "rename the job, or call its deployment something else than 'default'"
    )


def test_a_wrong_parameter_is_refused_before_anything_runs(deployed: Project, prefect_api: str) -> None:
    deployment = get(prefect_api, "/deployments/name/picky/default")
    schema = deployment["parameter_openapi_schema"]["properties"]
    assert list(schema) == ["arguments", "only", "mode", "parallel", "max_failures", "cluster"]
    assert all(each["description"] for each in schema.values())
    command = ["deployment", "run", "picky/default", "-p", "parallel=0"]
    with pytest.raises(AssertionError, match="0 is less than the minimum of 1"):
        prefect(deployed, *command)


@pytest.mark.usefixtures("worker")
class TestOneWorker:
    """With one worker for all of them: it has ended before others look for runs in its pool."""

    def test_a_retry_runs_only_what_failed_and_another_run_what_has_other_code(
        self, deployed: Project, prefect_api: str
    ) -> None:
        clear(deployed)
        flow_run = start(deployed, prefect_api, "picky/default")
        state = await_state(deployed, prefect_api, flow_run)
        assert (state["type"], state["message"]) == ("FAILED", "3 of 4 completed, 1 failed")
        assert ran(deployed) == Counter(["i=1", "i=2", "i=3", "i=4"])

        deployed.write("picky.sh", BETTER)
        with deployed.ledger() as ledger:
            tag = ledger.sweeps(job="picky", limit=1)[0].tag
        assert "was run by a deployment" in deployed.sweep("retry", tag, "-j", "2", check=2).stderr
        held = deployed.write("held", "")
        assert deployed.sweep("retry", "picky", check=0).stdout == f"asked Prefect to retry {tag}\n"
        assert (
            " in Prefect, and can be retried when it has ended"
            in deployed.sweep("retry", tag, check=2).stderr
        )
        held.unlink()
        state = await_state(deployed, prefect_api, flow_run, runs=2)
        assert (state["type"], state["message"]) == ("COMPLETED", "1 of 1 completed, 3 were done before")
        assert "nothing is left to do" in deployed.sweep("retry", tag, check=0).stderr
        assert ran(deployed) == Counter(["i=1", "i=2", "i=3", "i=3", "i=4"])
        with deployed.ledger() as ledger:
            (sweep,) = [each for each in ledger.sweeps(job="picky") if each.flow_run_id == flow_run]
            assert (sweep.state, sweep.isolated, sweep.done_before) == (SweepState.COMPLETED, True, 0)
            assert {row.outcome for row in ledger.combinations(sweep.id)} == {Outcome.COMPLETED}
        await_task_runs(deployed, prefect_api, sweep.tag, Completed=4)

        clear(deployed)
        flow_run = start(deployed, prefect_api, "picky/default", mode="changed")
        state = await_state(deployed, prefect_api, flow_run)
        told = "3 of 3 completed (3 again, with changed code), 1 were done before"
        assert (state["type"], state["message"]) == ("COMPLETED", told)
        assert ran(deployed) == Counter(["i=1", "i=2", "i=4"]), "the retry has run i=3 with the code of now"

        clear(deployed)
        flow_run = start(deployed, prefect_api, "picky/default", only="i=2,3", arguments=["x"])
        assert await_state(deployed, prefect_api, flow_run)["message"] == "2 of 2 completed"
        assert ran(deployed) == Counter({"x": 2}), "a new run starts afresh"
        local = deployed.sweep("run", "picky")
        assert ": 4 of 4 completed in " in local.stdout, "what a deployed run did is not done for a local one"

    def test_a_retry_runs_what_failed_in_its_chunk(self, deployed: Project, prefect_api: str) -> None:
        clear(deployed)
        flow_run = start(deployed, prefect_api, "packed/default")
        state = await_state(deployed, prefect_api, flow_run)
        assert (state["type"], state["message"]) == ("FAILED", "45 of 50 completed, 5 failed")
        with deployed.ledger() as ledger:
            sweep = ledger.sweeps(job="packed", limit=1)[0]
            rows = {row.label: row for row in ledger.combinations(sweep.id)}
        assert rows["i=47"].chunk is not None
        records = {row.chunk or row.key for row in rows.values()}
        failed = {row.chunk or row.key for row in rows.values() if row.outcome is Outcome.FAILED}
        assert len(records) < 40
        counts = {"Completed": len(records) - len(failed), "Failed": len(failed)}
        await_task_runs(deployed, prefect_api, sweep.tag, **counts)

        (deployed.folder / "better").touch()
        prefect(deployed, "flow-run", "retry", flow_run)
        state = await_state(deployed, prefect_api, flow_run, runs=2)
        assert (state["type"], state["message"]) == ("COMPLETED", "5 of 5 completed, 45 were done before")
        assert ran(deployed) == Counter([*rows, *(label for label in rows if label.endswith("7"))])
        await_task_runs(deployed, prefect_api, sweep.tag, Completed=len(records))
        sizes = Counter(row.chunk for row in rows.values() if row.chunk is not None)
        told = [run["state"]["message"] for run in task_runs(prefect_api, sweep.tag) if "comb" in run["name"]]
        assert sorted(told) == sorted(f"{size} of {size} completed" for size in sizes.values())
        with deployed.ledger() as ledger:
            again = {row.label: row.chunk for row in ledger.combinations(sweep.id)}
        assert again == {label: row.chunk for label, row in rows.items()}

    def test_a_cancelled_run_ends_its_commands(self, deployed: Project, prefect_api: str) -> None:
        clear(deployed)
        flow_run = start(deployed, prefect_api, "naps/default")
        await_naps(deployed)
        prefect(deployed, "flow-run", "cancel", flow_run)
        began = time.monotonic()
        await_true(lambda: not descendants(deployed), "the commands to end", deployed)
        assert time.monotonic() - began < 30

        def messages() -> list[str]:
            found = get(prefect_api, f"/flow_run_states/?flow_run_id={flow_run}")
            ends = [each for each in found if each["type"] == "CANCELLED"]
            return [each["message"] for each in sorted(ends, key=lambda each: each["timestamp"])]

        counts = "0 of 3 completed, 3 cancelled"
        await_true(lambda: len(messages()) == 3, "the worker's word and the last one", deployed)
        assert messages() == [counts, "Flow run was cancelled successfully.", counts]
        assert get(prefect_api, f"/flow_runs/{flow_run}")["state"]["message"] == counts
        history = get(prefect_api, f"/flow_run_states/?flow_run_id={flow_run}")
        assert "CRASHED" not in {each["type"] for each in history}
        with deployed.ledger() as ledger:
            sweep = ledger.sweeps(job="naps", limit=1)[0]
            assert sweep.state is SweepState.CANCELLED
            outcomes = Counter(row.outcome for row in ledger.combinations(sweep.id))
        assert outcomes == Counter({Outcome.CANCELLED: 3})
        await_task_runs(deployed, prefect_api, sweep.tag, Cancelled=3)

    def test_a_killed_run_is_found_crashed_and_its_retry_goes_on(
        self, deployed: Project, prefect_api: str
    ) -> None:
        clear(deployed)
        flow_run = start(deployed, prefect_api, "naps/default")
        await_naps(deployed)
        with deployed.ledger() as ledger:
            os.kill(ledger.sweeps(job="naps", limit=1)[0].pid, signal.SIGKILL)
        await_true(lambda: not descendants(deployed), "the commands to end", deployed)
        assert await_state(deployed, prefect_api, flow_run)["type"] == "CRASHED"

        (deployed.folder / "rested").touch()
        prefect(deployed, "flow-run", "retry", flow_run)
        state = await_state(deployed, prefect_api, flow_run, runs=2)
        assert (state["type"], state["message"]) == ("COMPLETED", "3 of 3 completed")
        with deployed.ledger() as ledger:
            (sweep,) = [each for each in ledger.sweeps(job="naps") if each.flow_run_id == flow_run]
        await_task_runs(deployed, prefect_api, sweep.tag, Completed=3)


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, "CANCELLED"), (signal.SIGKILL, "CRASHED")])
def test_ending_the_worker_leaves_nothing_behind(
    deployed: Project, prefect_api: str, number: signal.Signals, expected: str
) -> None:
    clear(deployed)
    with working(deployed) as worker:
        flow_run = start(deployed, prefect_api, "naps/default")
        await_naps(deployed)
        worker.send_signal(number)
        began = time.monotonic()
        await_true(lambda: not descendants(deployed), "the commands to end", deployed)
        assert time.monotonic() - began < 30, "commands that ignore SIGTERM have ten seconds"
        worker.wait(60)
    assert await_state(deployed, prefect_api, flow_run)["type"] == expected
    with deployed.ledger() as ledger:
        sweep = ledger.sweeps(job="naps", limit=1)[0]
        assert sweep.state is SweepState.CANCELLED
        assert {row.outcome for row in ledger.combinations(sweep.id)} == {Outcome.CANCELLED}
    await_task_runs(deployed, prefect_api, sweep.tag, Cancelled=3)
    (deployed.folder / "rested").touch()
    with working(deployed):
        assert deployed.sweep("retry", "naps", check=0).stdout.startswith("asked Prefect to retry naps-")
        state = await_state(deployed, prefect_api, flow_run, runs=2)
    assert (state["type"], state["message"]) == ("COMPLETED", "3 of 3 completed")
    with deployed.ledger() as ledger:
        ended = [each.state for each in ledger.sweeps(job="naps")]
    assert SweepState.RUNNING not in ended


def test_sweep_serve_runs_a_schedule(project: Project, prefect_api: str) -> None:
    project.jobs(JOBS)
    process = project.start("serve", "often", "--analytics")
    try:
        await_true(lambda: (project.folder / "also").exists() or process.poll(), "the schedule", project)
        assert process.poll() is None, process.communicate()
        assert (project.folder / "ticked").exists()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        end_group(process)
    assert out.splitlines()[:2] == ["serving analytics/default", "serving often/every-minute"], err
