"""Ending commands: whole trees, whoever asks for it and whoever dies."""

from __future__ import annotations

import fcntl
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.run import child
from sweeplib.run.attempt import run_attempt
from sweeplib.run.client import Guard, Spec
from sweeplib.run.locks import is_unused
from sweeplib.run.marker import read_marker
from sweeplib.run.model import Attempt, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from conftest import Process, Sweep

    from sweeplib.run.client import Running
    from sweeplib.run.model import Work

# What a tree may hold beside its leader, and what must not help any of them.
WISHES = [
    "child",
    "stubborn",
    "session",
    "session-stubborn",
    "session-bare",
    "session-orphan",
    "session-orphan-stubborn",
]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool
        Guard.shared().close()


def in_tree(sweep: Sweep, pool: ThreadPoolExecutor, /, *wishes: str, **changes: object) -> TreeRun:
    future = pool.submit(run_attempt, sweep.tree(*wishes, **changes), tick=0.05)
    return TreeRun(future, sweep.mailbox.processes(len(wishes) + 1))


class TreeRun:
    """A running tree: its attempt to come, and its processes by role."""

    def __init__(self, future: Future[Attempt], processes: dict[str, Process]) -> None:
        self.future = future
        self.processes = processes

    def attempt(self) -> Attempt:
        return self.future.result(20)

    def is_gone(self, timeout: float = 0) -> bool:
        return all(process.ended(timeout) for process in self.processes.values())


def verdict(attempt: Attempt) -> tuple[Outcome, int | None, str]:
    return attempt.outcome, attempt.exit_code, attempt.message


def test_a_timeout_ends_the_whole_tree(sweep: Sweep, pool: ThreadPoolExecutor) -> None:
    tree = in_tree(sweep, pool, *WISHES, timeout=1.0)
    attempt = tree.attempt()
    assert tree.is_gone()
    assert verdict(attempt) == (Outcome.TIMED_OUT, None, "timed out after 1 s")
    assert read_marker(sweep.paths.marker(sweep.key, 1)) == attempt
    assert attempt.ended - attempt.started == pytest.approx(1.5, abs=1.0)


def test_a_tree_that_heeds_term_needs_no_grace(sweep: Sweep, pool: ThreadPoolExecutor) -> None:
    tree = in_tree(sweep, pool, "child", "session", "session-orphan", timeout=0.5, grace=30.0)
    attempt = tree.attempt()
    assert tree.is_gone()
    assert attempt.ended - attempt.started < 10


def test_a_command_may_clean_up_when_it_is_ended(sweep: Sweep, pool: ThreadPoolExecutor) -> None:
    script = f"trap 'echo cleaned; exit 0' TERM; echo go > {sweep.mailbox.path}; while :; do sleep 0.05; done"
    future = pool.submit(run_attempt, sweep.work("sh", "-c", script, grace=20.0), tick=0.05)
    assert sweep.mailbox.line() == "go"
    Guard.shared().terminate_sweep("01SWEEP")
    assert verdict(future.result(20)) == (Outcome.CANCELLED, None, "cancelled")
    assert "cleaned" in sweep.log().splitlines()


def test_terminating_a_sweep_ends_all_its_commands_and_no_others(
    sweep: Sweep, pool: ThreadPoolExecutor
) -> None:
    trees = [in_tree(sweep, pool, *WISHES[:3], key=f"k{i}") for i in range(4)]
    other = in_tree(sweep, pool, "child", key="other", sweep="02OTHER")
    Guard.shared().terminate_sweep("01SWEEP")
    assert {verdict(tree.attempt()) for tree in trees} == {(Outcome.CANCELLED, None, "cancelled")}
    assert all(tree.is_gone() for tree in trees)
    assert not any(process.ended(0) for process in other.processes.values())
    Guard.shared().terminate_sweep("02OTHER")
    assert verdict(other.attempt()) == (Outcome.CANCELLED, None, "cancelled")


def test_terminating_without_a_guard_starts_none() -> None:
    Guard.shared().close()
    Guard.shared().terminate_sweep("01SWEEP")
    assert Guard.shared().pid is None


def test_the_stop_file_ends_a_running_command(sweep: Sweep, pool: ThreadPoolExecutor) -> None:
    tree = in_tree(sweep, pool, *WISHES)
    sweep.paths.stop.touch()
    assert verdict(tree.attempt()) == (Outcome.CANCELLED, None, "cancelled: the sweep was stopped")
    assert tree.is_gone()


def test_the_owners_death_ends_a_running_command(sweep: Sweep, pool: ThreadPoolExecutor) -> None:
    with sweep.paths.owner_lock.open("w") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        tree = in_tree(sweep, pool, *WISHES[:3])
    assert verdict(tree.attempt()) == (Outcome.LOST, None, "the process that owned the sweep died")
    assert tree.is_gone()


def test_what_ended_by_itself_before_keeps_its_outcome(sweep: Sweep) -> None:
    """The guard is stopped while the command ends, so that it finds the request and the end at once."""
    guard = Guard.shared()
    guard.start(spec(sweep, "zero", "true")).wait()
    gate = sweep.paths.folder / "gate"  # neither may end, and be reaped, before the guard is stopped
    begin = f"echo s $$ > {sweep.mailbox.path}; until [ -e {gate} ]; do sleep 0.02; done"
    running = {
        name: guard.start(spec(sweep, name, "sh", "-c", f"{begin}; {script}"))
        for name, script in {"ok": "exit 0", "bad": "exit 7"}.items()
    }
    assert guard.pid is not None
    processes = [sweep.mailbox.processes(1)["s"] for _ in running]
    os.kill(guard.pid, signal.SIGSTOP)
    try:
        gate.touch()
        assert all(process.ended() for process in processes)
        for command in running.values():
            command.terminate()
    finally:
        os.kill(guard.pid, signal.SIGCONT)
    ends = {name: command.wait(20) for name, command in running.items()}
    assert ends["ok"]
    assert ends["bad"]
    assert ends["ok"].outcome is Outcome.COMPLETED
    assert (ends["bad"].outcome, ends["bad"].exit_code) == (Outcome.FAILED, 7)


def spec(sweep: Sweep, name: str, *argv: str) -> Spec:
    folder = sweep.paths.folder
    return Spec(
        sweep="01SWEEP",
        argv=list(argv),
        cwd=str(folder),
        log=str(folder / f"{name}.log"),
        marker=str(folder / f"{name}.json"),
        result=str(folder / f"{name}.result.json"),
        lock=str(sweep.paths.workers_lock),
        grace=0.5,
    )


def test_a_normal_end_leaves_background_children_alone(sweep: Sweep) -> None:
    code = f"""
import os, time
if os.fork() == 0:
    with open({str(sweep.mailbox.path)!r}, "w") as fifo:
        fifo.write(f"child {{os.getpid()}}\\n")
    time.sleep(600)
"""
    attempt = run_attempt(sweep.python(code), tick=0.05)
    child = sweep.mailbox.processes(1)["child"]
    assert attempt.outcome is Outcome.COMPLETED
    assert sweep.run("true", key="other").outcome is Outcome.COMPLETED
    Guard.shared().close()
    assert not child.ended(0)
    os.kill(child.pid, signal.SIGKILL)
    assert child.ended()


def test_the_workers_lock_is_held_while_commands_run(sweep: Sweep, pool: ThreadPoolExecutor) -> None:
    trees = [in_tree(sweep, pool, key=f"k{i}") for i in range(2)]
    assert is_unused(sweep.paths.workers_lock) is False
    Guard.shared().terminate_sweep("01SWEEP")
    assert [tree.attempt().outcome for tree in trees] == [Outcome.CANCELLED] * 2
    assert is_unused(sweep.paths.workers_lock) is True


def test_no_command_starts_while_the_sweep_is_being_recovered(sweep: Sweep, pool: ThreadPoolExecutor) -> None:
    with sweep.paths.workers_lock.open("w") as recovery:
        fcntl.flock(recovery, fcntl.LOCK_EX)
        started = pool.submit(sweep.run, "true")
        cancelled = pool.submit(sweep.run, "true", key="k2", sweep="02OTHER")
        while not sweep.paths.log("k2", 1).exists() or Guard.shared().pid is None:
            time.sleep(0.01)
        deadline = time.monotonic() + 20
        while not cancelled.done() and time.monotonic() < deadline:
            Guard.shared().terminate_sweep("02OTHER")
            time.sleep(0.05)
        assert verdict(cancelled.result(0)) == (Outcome.CANCELLED, None, "cancelled")
        assert not started.done()
    assert started.result(20).outcome is Outcome.COMPLETED


def test_closing_the_guard_cancels_what_runs(sweep: Sweep, pool: ThreadPoolExecutor) -> None:
    trees = [in_tree(sweep, pool, *WISHES[:3], key=f"k{i}") for i in range(3)]
    Guard.shared().close()
    assert all(tree.is_gone() for tree in trees)
    assert {verdict(tree.attempt()) for tree in trees} == {(Outcome.CANCELLED, None, "cancelled")}
    assert sweep.run("true").outcome is Outcome.COMPLETED


def test_a_killed_guard_loses_its_commands_and_is_replaced(sweep: Sweep, pool: ThreadPoolExecutor) -> None:
    trees = [in_tree(sweep, pool, *WISHES, key=f"k{i}") for i in range(3)]
    guard = Guard.shared().pid
    assert guard is not None
    os.kill(guard, signal.SIGKILL)
    message = "the guard process died under this command (exit code -9)"
    attempts = [tree.attempt() for tree in trees]
    assert {verdict(attempt) for attempt in attempts} == {(Outcome.LOST, None, message)}
    assert all(tree.is_gone() for tree in trees)
    assert [read_marker(sweep.paths.marker(f"k{i}", 1)) for i in range(3)] == attempts
    assert sweep.run("true", key="k0").number == 2
    assert Guard.shared().pid not in (None, guard)


def test_a_killed_guard_loses_also_a_command_it_has_not_told_of(
    sweep: Sweep, pool: ThreadPoolExecutor
) -> None:
    sweep.run("true")
    guard = Guard.shared().pid
    assert guard is not None
    script = f"echo sh $$ > {sweep.mailbox.path}; exec sleep 600"
    future = pool.submit(sweep.run, "sh", "-c", script, key="k2")
    process = sweep.mailbox.processes(1)["sh"]
    os.kill(guard, signal.SIGKILL)
    assert future.result(20).outcome is Outcome.LOST
    assert process.ended(0)


def test_what_the_guard_does_not_foresee_costs_one_command(sweep: Sweep, pool: ThreadPoolExecutor) -> None:
    other = in_tree(sweep, pool, key="k1")
    guard = Guard.shared().pid
    log = str(sweep.paths.folder / "a.log")

    def start(argv: Sequence[str], **fields: Any) -> Running:
        files = {"log": log, "marker": f"{log}.json", "result": f"{log}.result", "lock": f"{log}.lock"}
        return Guard.shared().start(Spec(sweep="01SWEEP", argv=list(argv), cwd="/", **{**files, **fields}))

    def lost(running: Running) -> str:
        finished = running.wait(20)
        assert finished
        assert finished.outcome is Outcome.LOST
        assert is_unused(running.spec.lock)
        return finished.message

    failed = "the guard process failed at this command: "
    assert lost(start(["true"], log="\0")) == f"{failed}ValueError: embedded null byte"
    # When it is to be ended, whose tree ends then nevertheless.
    running = start(sweep.tree("session-stubborn").argv, grace="long")
    processes = sweep.mailbox.processes(2)
    running.terminate()
    assert lost(running) == f"{failed}TypeError: unsupported operand type(s) for +: 'float' and 'str'"
    assert all(process.ended() for process in processes.values())
    assert Guard.shared().pid == guard
    assert not other.is_gone()


def test_guards_killed_again_and_again_lose_nothing_but_what_ran(
    sweep: Sweep, pool: ThreadPoolExecutor
) -> None:
    futures = [pool.submit(sweep.run, "sh", "-c", "echo ran", key=f"k{i}") for i in range(300)]
    kills = 0
    for future in futures[5::30]:
        future.result(20)
        guard = Guard.shared().pid
        if guard is not None:
            kills += 1
            os.kill(guard, signal.SIGKILL)
    attempts = [future.result(20) for future in futures]
    assert kills
    assert {attempt.outcome for attempt in attempts} <= {Outcome.COMPLETED, Outcome.LOST}
    assert [read_marker(sweep.paths.marker(attempt.key, 1)) for attempt in attempts] == attempts
    assert all(sweep.log(key=attempt.key) == "ran\n" for attempt in attempts if attempt.exit_code == 0)


def test_the_guard_shrugs_off_the_signals_that_end_its_parent(sweep: Sweep) -> None:
    sweep.run("true")
    guard = Guard.shared().pid
    assert guard is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(guard, number)
    assert sweep.run("true", key="k2").outcome is Outcome.COMPLETED
    assert Guard.shared().pid == guard


PARENT = """
import os, pickle, sys, threading
from sweeplib.run.attempt import run_attempt
from sweeplib.run.client import Guard
work = pickle.loads(bytes.fromhex(sys.argv[1]))
thread = threading.Thread(target=run_attempt, args=(work,), daemon=True)
thread.start()
while (guard := Guard.shared().pid) is None:
    pass
with open(sys.argv[2], "w") as fifo:
    fifo.write(f"guard {guard}\\n")
if sys.argv[3] == "fork" and os.fork() == 0:
    with open(sys.argv[2], "w") as fifo:
        fifo.write(f"fork {os.getpid()}\\n")
thread.join() if sys.argv[3] != "exit" else sys.stdin.readline()
"""


@pytest.fixture
def parent(sweep: Sweep, python_path: None) -> Iterator[Callable[[Work, str], subprocess.Popen[str]]]:
    """Start a process of its own that runs a piece of work."""
    started: list[subprocess.Popen[str]] = []

    def start(work: Work, manner: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", PARENT, pickle.dumps(work).hex(), str(sweep.mailbox.path), manner]
        started.append(
            subprocess.Popen(
                argv, text=True, stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
            )
        )
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_nothing_survives_the_parents_death(
    sweep: Sweep, parent: Callable[[Work, str], subprocess.Popen[str]], number: int
) -> None:
    process = parent(sweep.tree(*WISHES), "plain")
    alive = sweep.mailbox.processes(len(WISHES) + 2)
    process.send_signal(number)
    process.wait(20)
    assert all(one.ended() for one in alive.values())
    attempt = read_marker(sweep.paths.marker(sweep.key, 1))
    assert attempt
    if number == signal.SIGINT:
        assert attempt.outcome is Outcome.CANCELLED
    else:
        assert verdict(attempt) == (Outcome.LOST, None, "the process that ran this command died")
    assert is_unused(sweep.paths.workers_lock) is True


def test_an_ordinary_exit_ends_what_runs(
    sweep: Sweep, parent: Callable[[Work, str], subprocess.Popen[str]]
) -> None:
    process = parent(sweep.tree(*WISHES), "exit")
    alive = sweep.mailbox.processes(len(WISHES) + 2)
    process.communicate("exit\n", timeout=20)
    assert process.returncode == 0
    assert all(one.ended() for one in alive.values())


def test_a_forked_child_of_the_parent_keeps_nothing_alive(
    sweep: Sweep, parent: Callable[[Work, str], subprocess.Popen[str]]
) -> None:
    process = parent(sweep.tree("child"), "fork")
    alive = sweep.mailbox.processes(4)
    fork = alive.pop("fork")
    process.kill()
    assert all(one.ended() for one in alive.values())
    os.kill(fork.pid, signal.SIGKILL)
    assert fork.ended()


def test_a_forked_process_gets_a_guard_of_its_own(sweep: Sweep) -> None:
    sweep.run("true")
    ours = Guard.shared().pid
    code = os.fork()
    if code == 0:
        try:
            outcome = run_attempt(sweep.work("false", key="k2"), tick=0.05).outcome
            theirs = Guard.shared().pid
            Guard.shared().close()
            os._exit(0 if outcome is Outcome.FAILED and theirs not in (None, ours) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(code, 0)[1]) == 0
    assert sweep.run("true", key="k3").outcome is Outcome.COMPLETED
    assert Guard.shared().pid == ours


def test_an_interrupt_ends_the_command_and_is_passed_on(sweep: Sweep) -> None:
    interrupt = threading.Thread(
        target=lambda: (sweep.mailbox.line(), os.kill(os.getpid(), signal.SIGINT)), daemon=True
    )
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        run_attempt(sweep.work("sh", "-c", f"echo go > {sweep.mailbox.path}; sleep 600"), tick=0.05)
    interrupt.join()
    attempt = read_marker(sweep.paths.marker(sweep.key, 1))
    assert attempt
    assert verdict(attempt) == (Outcome.CANCELLED, None, "cancelled")


def test_the_guard_names_outcomes_as_the_model_does() -> None:
    named = {child.COMPLETED, child.FAILED, child.TIMED_OUT, child.LOST, "cancelled"}
    assert named == {outcome.value for outcome in Outcome}
