"""Recovery: sweeps whose owner died are closed by what their commands left on disk."""

from __future__ import annotations

import fcntl
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sweeplib.engine import Lock, recover, recover_sweep
from sweeplib.ledger import SweepState
from sweeplib.run.marker import write_marker
from sweeplib.run.model import Attempt, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.engine.conftest import Kit, Lab

COMPLETED, FAILED, LOST = Outcome.COMPLETED, Outcome.FAILED, Outcome.LOST


class Dead:
    """A sweep over i=1:4 whose owner died after all of it had been started."""

    def __init__(self, lab: Lab, **fields: str) -> None:
        self.lab = lab
        with lab.execution(lab.plan("i=1:4", **fields)) as execution:
            submissions = [item.submission for item in execution.items()]
            lab.ledger.submit(execution.id, submissions)
        self.id, self.tag, self.paths = execution.id, execution.tag, execution.paths
        self.keys = [submission.key for submission in submissions]
        for key in self.keys:
            self.paths.log(key, 1).parent.mkdir(parents=True, exist_ok=True)
            self.paths.log(key, 1).touch()

    def mark(self, place: int, number: int, outcome: Outcome, **fields: object) -> Path:
        key = self.keys[place]
        path = self.paths.marker(key, number)
        attempt = Attempt(
            key=key, number=number, outcome=outcome, started=10.0, ended=10.0 + number, **fields
        )
        write_marker(path, attempt, ("true",))
        return path

    def outcomes(self) -> list[Outcome | None]:
        return list(self.lab.outcomes(self.id).values())


@pytest.fixture
def dead(lab: Lab) -> Dead:
    return Dead(lab)


def test_markers_decide(lab: Lab, dead: Dead) -> None:
    dead.mark(0, 1, COMPLETED, exit_code=0, metrics={"score": 0.5})
    dead.mark(1, 1, FAILED, exit_code=3, message="exit code 3")
    dead.mark(2, 1, FAILED)
    dead.mark(2, 2, COMPLETED)
    assert recover(lab.ledger, lab.folder) == [dead.id]
    assert dead.outcomes() == [COMPLETED, FAILED, COMPLETED, LOST]
    rows = lab.rows(dead.id)
    assert (rows["i=1"].ended, rows["i=1"].metrics) == (11.0, {"score": 0.5})
    assert (rows["i=2"].exit_code, rows["i=2"].message) == (3, "exit code 3")
    assert rows["i=3"].attempts == 2
    assert rows["i=4"].message == "the process that ran the sweep died"
    sweep = lab.ledger.get_sweep(dead.id)
    assert (sweep.state, sweep.ended is not None) == (SweepState.LOST, True)


def test_what_was_not_started_is_not_lost(lab: Lab, dead: Dead) -> None:
    dead.paths.log(dead.keys[3], 1).unlink()
    recover(lab.ledger, lab.folder)
    assert dead.outcomes() == [LOST, LOST, LOST, Outcome.CANCELLED]
    assert lab.rows(dead.id)["i=4"].message == "the process that ran the sweep died before it was started"


@pytest.mark.parametrize(
    ("begun", "outcome", "message"),
    [(1, FAILED, "exit code 3"), (2, LOST, "the process that ran the sweep died")],
)
def test_attempts_before_a_sweep_went_on_tell_nothing_of_it(
    lab: Lab, dead: Dead, begun: int, outcome: Outcome, message: str
) -> None:
    """A sweep that goes on, and whose owner dies again: what it had left to do is not forgotten."""
    for place in range(4):
        dead.mark(place, 1, FAILED, exit_code=3, message="exit code 3")
    recover(lab.ledger, lab.folder)
    with lab.execution(lab.plan("i=1:4"), resumes=lab.ledger.get_sweep(dead.id)) as execution:
        items = list(execution.items())
        lab.ledger.submit(dead.id, [item.submission for item in items])
        assert [execution.work(item, {}).before for item in items] == [1] * 4
    for key in dead.keys:
        dead.paths.log(key, begun).touch()
    assert recover(lab.ledger, lab.folder) == [dead.id]
    assert {row.outcome for row in lab.rows(dead.id).values()} == {outcome}
    assert {row.message for row in lab.rows(dead.id).values()} == {message}
    summary = lab.run(lab.plan("i=1:4"), resumes=lab.ledger.get_sweep(dead.id))
    assert str(summary) == "4 of 4 completed"
    assert [row.attempts for row in lab.rows(dead.id).values()] == [3] * 4


@pytest.mark.parametrize("torn", ["", "{", '{"key": 1}', "null", "\0" * 200])
def test_a_torn_marker_is_none(lab: Lab, dead: Dead, torn: str) -> None:
    whole = dead.mark(0, 1, COMPLETED).read_text()
    dead.mark(1, 1, COMPLETED).write_text(torn)
    dead.mark(2, 1, COMPLETED).write_text(whole)  # of another combination
    recover(lab.ledger, lab.folder)
    assert dead.outcomes() == [COMPLETED, LOST, LOST, LOST]


def test_what_is_recovered_does_not_run_again(lab: Lab, dead: Dead) -> None:
    dead.mark(0, 1, COMPLETED)
    recover(lab.ledger, lab.folder)
    assert str(lab.run(lab.plan("i=1:4"))) == "3 of 3 completed, 1 were done before"
    assert sorted(lab.ran()) == ["i=2", "i=3", "i=4"]


def test_a_sweep_is_recovered_once(lab: Lab, dead: Dead) -> None:
    assert recover(lab.ledger, lab.folder) == [dead.id]
    assert recover(lab.ledger, lab.folder) == []


def test_a_living_owner_is_left_alone(lab: Lab, dead: Dead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeplib.engine.recovery._PROBED", 0.1)
    with Lock(dead.paths.owner_lock) as owner:
        assert owner.acquire()
        assert recover(lab.ledger, lab.folder) == []
        assert lab.ledger.get_sweep(dead.id).state is SweepState.RUNNING
    assert recover(lab.ledger, lab.folder) == [dead.id]


def test_an_owner_that_is_only_looked_at_is_dead(lab: Lab, dead: Dead, kit: Kit) -> None:
    """A worker takes the lock for a moment to see whether the owner lives."""
    with dead.paths.owner_lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        thread = kit.soon(lambda: recover_in_thread(lab, dead))
        fcntl.flock(file, fcntl.LOCK_UN)
        thread.join()
    assert lab.ledger.get_sweep(dead.id).state is SweepState.LOST


def recover_in_thread(lab: Lab, dead: Dead) -> None:
    assert recover(lab.ledger, lab.folder) == [dead.id]


def test_an_owner_that_was_killed(lab: Lab, dead: Dead) -> None:
    code = (
        "import fcntl, sys; file = open(sys.argv[1], 'r+'); fcntl.flock(file, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-c", code, str(dead.paths.owner_lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "held\n"
        owner.send_signal(signal.SIGKILL)
    assert recover(lab.ledger, lab.folder) == [dead.id]


def test_the_commands_of_a_dead_owner_are_waited_for(lab: Lab, dead: Dead) -> None:
    notes: list[str] = []
    with dead.paths.workers_lock.open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_SH)

        def note(text: str) -> None:
            notes.append(text)
            dead.mark(0, 1, COMPLETED)  # the last act of a command that was being ended
            fcntl.flock(guard, fcntl.LOCK_UN)

        assert recover(lab.ledger, lab.folder, note=note) == [dead.id]
    assert notes == [f"waiting for the commands of sweep {dead.tag} to end: the process that ran it has died"]
    assert dead.outcomes() == [COMPLETED, LOST, LOST, LOST]


def test_commands_that_do_not_end(lab: Lab, dead: Dead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeplib.engine.recovery._WORKERS", 0.1)
    notes: list[str] = []
    with dead.paths.workers_lock.open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_SH)
        assert recover(lab.ledger, lab.folder, note=notes.append) == [dead.id]
    assert notes == [
        f"waiting for the commands of sweep {dead.tag} to end: the process that ran it has died",
        f"commands of sweep {dead.tag} still run; what they do will not be recorded",
    ]
    assert dead.outcomes() == [LOST, LOST, LOST, LOST]


def test_a_folder_that_was_removed(lab: Lab, dead: Dead) -> None:
    shutil.rmtree(dead.paths.folder)
    assert recover(lab.ledger, lab.folder) == [dead.id]
    assert dead.outcomes() == [LOST, LOST, LOST, LOST]
    assert not dead.paths.folder.exists()


def test_one_job_only(lab: Lab, dead: Dead) -> None:
    other = Dead(lab, name="other")
    assert recover(lab.ledger, lab.folder, "other") == [other.id]
    assert lab.ledger.get_sweep(dead.id).state is SweepState.RUNNING


def test_more_than_a_batch(lab: Lab) -> None:
    with lab.execution(lab.plan("i=1:1100")) as execution:
        submissions = [item.submission for item in execution.items()]
        lab.ledger.submit(execution.id, submissions)
    assert recover(lab.ledger, lab.folder) == [execution.id]
    assert lab.ledger.counts(execution.id)[Outcome.CANCELLED] == 1100


def test_a_sweep_that_submitted_nothing(lab: Lab) -> None:
    with lab.execution(lab.plan("i=1")) as execution:
        pass
    assert recover(lab.ledger, lab.folder) == [execution.id]
    assert lab.newest().state is SweepState.LOST


def test_what_was_ended_on_purpose_is_cancelled_and_not_lost(lab: Lab, dead: Dead) -> None:
    dead.mark(0, 1, COMPLETED, exit_code=0)
    dead.mark(1, 1, LOST, message="the process that ran this command died")
    sweep = lab.ledger.get_sweep(dead.id)
    assert recover_sweep(lab.ledger, lab.folder, sweep, cancelled="the worker was ended")
    assert dead.outcomes() == [COMPLETED, *[Outcome.CANCELLED] * 3]
    messages = [row.message for row in lab.ledger.combinations(dead.id)]
    assert messages == ["", *["the worker was ended"] * 3]
    assert lab.ledger.get_sweep(dead.id).state is SweepState.CANCELLED
