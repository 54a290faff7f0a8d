"""The engine's loop with threads for workers, a real ledger and real commands."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sweeplib.engine import recover
from sweeplib.ledger import SweepState
from sweeplib.run import notices
from sweeplib.run.client import Guard
from sweeplib.run.model import Attempt, Outcome, SweepPaths

if TYPE_CHECKING:
    from sweeplib.ledger import Submission
    from sweeplib.run.model import Work
    from tests.unit.engine.conftest import Kit, Lab

COMPLETED, FAILED, CANCELLED = Outcome.COMPLETED, Outcome.FAILED, Outcome.CANCELLED
SLEEPERS = 'echo "$1" >> ran; [ "$1" = i=1 ] || exec sleep 60'


def test_outcomes(lab: Lab, kit: Kit) -> None:
    lab.script('case "$1" in i=2) echo no luck; exit 3;; i=3) exec sleep 60;; i=4) kill -9 $$;; esac')
    heard = kit.heard()
    summary = lab.run(lab.plan("i=1:5", timeout=0.3), observer=heard)
    assert lab.outcomes() == {
        "i=1": COMPLETED,
        "i=2": FAILED,
        "i=3": Outcome.TIMED_OUT,
        "i=4": FAILED,
        "i=5": COMPLETED,
    }
    assert {label: row.message for label, row in lab.rows().items()} == {
        "i=1": "",
        "i=2": "exit code 3: no luck",
        "i=3": "timed out after 0.3 s",
        "i=4": "killed by SIGKILL (out of memory, or someone's kill -9)",
        "i=5": "",
    }
    assert str(summary) == "2 of 5 completed, 3 failed"
    assert not summary.ok
    assert lab.newest().state is SweepState.FAILED
    assert sorted(heard.ends) == sorted(lab.outcomes().items())


def test_all_completed(lab: Lab, kit: Kit) -> None:
    heard = kit.heard()
    summary = lab.run(lab.plan("i=1:5"), observer=heard)
    assert (str(summary), summary.ok) == ("5 of 5 completed", True)
    assert lab.ran() == Counter(f"i={i}" for i in range(1, 6))
    sweep = lab.newest()
    assert (sweep.id, sweep.state, sweep.tag) == (summary.sweep, SweepState.COMPLETED, summary.tag)
    assert sweep.ended >= sweep.created
    assert sweep.done_before == 0
    first, last = heard.shown[0], heard.shown[-1]
    assert (first.total, first.before, first.running, first.ended, first.left) == (5, 0, 2, 0, 5)
    assert (last.running, last.ended, last.completed, last.failed, last.left) == (0, 5, 5, 0, 0)
    assert heard.notes == []


def test_what_attempts_have_to_say_is_told_once(lab: Lab, kit: Kit) -> None:
    (lab.folder / "work.py").write_text("")
    heard = kit.heard()
    lab.run(lab.plan("i=1:3", run=f"{sys.executable} work.py", preload=["missing"]), observer=heard)
    assert heard.notes == [
        "started cold: preload of 'missing' failed: ModuleNotFoundError: No module named 'missing'"
    ]


def test_a_window_that_opens_later_ends_nothing(lab: Lab, kit: Kit) -> None:
    submitter = kit.counted(parallel=1, window=1)
    windows = [0, 0, 1, 0]  # and then 1 for good
    looks = iter(windows)

    class Opening(type(submitter)):  # type: ignore[misc]
        @property
        def window(self) -> int:
            return next(looks, 1)

        @window.setter
        def window(self, _: int) -> None:
            """Take what the constructor says for nothing."""

    summary = lab.run(lab.plan("i=1:3"), submitter=Opening(parallel=1))
    assert summary.ok
    assert summary.progress.completed == 3


def test_the_window_is_filled_and_never_exceeded(lab: Lab, kit: Kit) -> None:
    submitter = kit.counted(parallel=3, window=5)
    heard = kit.heard()
    lab.run(lab.plan("i=1:40"), submitter=submitter, observer=heard)
    assert submitter.most == 5
    assert max(shown.running for shown in heard.shown) == 3
    assert [work.position for work in submitter.works] == list(range(40))
    assert lab.ran() == Counter(f"i={i}" for i in range(1, 41))


def test_each_is_in_the_ledger_before_it_is_submitted(lab: Lab, kit: Kit) -> None:
    def look(work: object) -> None:
        assert lab.rows()[work.label].key == work.key

    lab.run(lab.plan("i=1:6"), submitter=kit.counted(window=2, before=look))
    assert lab.outcomes() == {f"i={i}": COMPLETED for i in range(1, 7)}


def test_too_many_failures_stop_the_submission(lab: Lab, kit: Kit) -> None:
    lab.script("exit 1")
    heard = kit.heard()
    summary = lab.run(
        lab.plan("i=1:40", max_failures=2), submitter=kit.counted(parallel=1, window=1), observer=heard
    )
    assert str(summary) == (
        "0 of 40 completed, 3 failed, 37 not started; no more were started after 3 failures (max_failures)"
    )
    assert heard.notes == ["3 combinations failed, more than max_failures allows: starting no more"]
    assert (summary.ok, summary.interrupted) == (False, False)
    assert lab.newest().state is SweepState.FAILED
    assert len(lab.rows()) == 3


def test_a_share_of_failures(lab: Lab, kit: Kit) -> None:
    lab.script("exit 1")
    submitter = kit.counted(parallel=1, window=1)
    lab.run(lab.plan("i=1:40", max_failures="10%"), submitter=submitter)
    assert len(submitter.works) == 5


def test_failures_within_the_limit_stop_nothing(lab: Lab) -> None:
    lab.script('[ "$1" != i=2 ]')
    assert str(lab.run(lab.plan("i=1:6", max_failures=1))) == "5 of 6 completed, 1 failed"


def test_a_cancel_request_ends_the_commands(lab: Lab, kit: Kit) -> None:
    lab.script("exec sleep 60")
    heard, submitter = kit.heard(), kit.counted()
    began = time.monotonic()

    def cancel() -> None:
        lab.ledger.request_cancel(lab.newest().id)

    submitter._before = lambda work: cancel() if work.position == 3 else None
    summary = lab.run(lab.plan("i=1:6"), submitter=submitter, observer=heard)
    assert time.monotonic() - began < 10
    assert str(summary) == "0 of 6 completed, 4 cancelled, 2 not started"
    assert (summary.ok, summary.interrupted) == (False, True)
    assert heard.notes == ["cancelled: ending the running commands"]
    assert submitter.stops == 1
    assert lab.newest().state is SweepState.CANCELLED
    assert lab.outcomes() == dict.fromkeys([f"i={i}" for i in range(1, 5)], CANCELLED)


def test_an_interrupt_ends_the_commands_and_records_all(lab: Lab, kit: Kit) -> None:
    lab.script(SLEEPERS)
    heard = kit.heard(lambda work, _: kit.interrupt() if work.label == "i=1" else None)
    with pytest.raises(KeyboardInterrupt):
        lab.run(lab.plan("i=1:9"), observer=heard)
    outcomes = lab.outcomes()
    assert outcomes.pop("i=1") is COMPLETED
    assert set(outcomes.values()) == {CANCELLED}
    assert lab.newest().state is SweepState.CANCELLED
    assert list(lab.ledger.open_combinations(lab.newest().id)) == []
    assert heard.shown[-1].running == 0

    lab.script('echo "$1 again" >> ran')
    summary = lab.run(lab.plan("i=1:9"))
    assert str(summary) == "8 of 8 completed, 1 were done before"
    assert {line for line in lab.ran() if "again" in line} == {f"i={i} again" for i in range(2, 10)}


def test_an_interrupt_while_work_is_being_submitted(lab: Lab, kit: Kit) -> None:
    """What was claimed and never handed out is not waited for."""
    lab.script("exec sleep 60")
    diary = kit.diary()
    diary.environment = lambda key: {} if key == lab.rows()["i=1"].key else kit.interrupt()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        lab.run(lab.plan("i=1:9"), tracker=diary)
    assert time.monotonic() - began < 10
    assert lab.outcomes() == dict.fromkeys([f"i={i}" for i in range(1, 5)], CANCELLED)
    messages = {row.message for row in lab.rows().values()}
    assert messages == {"cancelled: the sweep was stopped", "interrupted before it was started"}
    assert lab.newest().state is SweepState.CANCELLED


def test_a_second_interrupt_waits_for_no_end(lab: Lab, kit: Kit) -> None:
    lab.script(SLEEPERS)
    with pytest.raises(KeyboardInterrupt):
        lab.run(lab.plan("i=1:9"), observer=kit.heard(kit.interrupt))
    Guard.shared().close()
    sweep = lab.newest()
    assert sweep.state is SweepState.CANCELLED
    assert recover(lab.ledger, lab.folder) == []
    outcomes = lab.outcomes()
    assert outcomes.pop("i=1") is COMPLETED
    assert set(outcomes.values()) == {CANCELLED}


def test_an_interrupt_that_swallows_an_end(lab: Lab, kit: Kit) -> None:
    """A command whose end got lost on the way is as its done-marker says, and not waited for."""
    submitter = kit.counted(parallel=1, window=1)
    wait = submitter.wait

    def swallow(timeout: float) -> list[object]:
        if wait(timeout):
            submitter.wait = wait
            kit.interrupt()
        return []

    submitter.wait = swallow
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        lab.run(lab.plan("i=1:2"), submitter=submitter)
    assert time.monotonic() - began < 10
    assert lab.outcomes() == {"i=1": COMPLETED}


def test_an_interrupt_after_an_end_was_recorded(lab: Lab, kit: Kit) -> None:
    submitter = kit.counted(parallel=1, window=1)
    diary = kit.diary()
    end = diary.end

    def interrupted(attempt: Attempt) -> None:
        diary.end = end
        kit.interrupt()

    diary.end = interrupted
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        lab.run(lab.plan("i=1:2"), submitter=submitter, tracker=diary)
    assert time.monotonic() - began < 10
    assert lab.outcomes() == {"i=1": COMPLETED}
    assert [row.label for row in lab.ledger.untracked(job="train")] == ["i=1"]


def test_what_never_comes_back_is_lost(lab: Lab, kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeplib.engine.loop._GRACE", 0.1)
    submitter = kit.counted(window=1)

    def vanish(timeout: float) -> list[object]:
        submitter.wait = lambda _: []
        kit.interrupt()
        return []

    def begin(work: Work) -> None:
        log = SweepPaths(Path(work.folder)).log(work.key, 1)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()

    submitter.submit = begin
    submitter.wait = vanish
    with pytest.raises(KeyboardInterrupt):
        lab.run(lab.plan("i=1:2"), submitter=submitter)
    assert {label: (row.outcome, row.message) for label, row in lab.rows().items()} == {
        "i=1": (Outcome.LOST, "nobody saw its end")
    }


def test_an_error_of_a_collaborator_closes_the_sweep(lab: Lab, kit: Kit) -> None:
    lab.script(SLEEPERS)

    def fail(*_: object) -> None:
        heard.act = lambda *_: None
        raise ValueError("the observer is broken")

    heard = kit.heard(fail)
    with pytest.raises(ValueError, match=r"^the observer is broken$"):
        lab.run(lab.plan("i=1:4"), observer=heard)
    assert lab.newest().state is SweepState.FAILED
    assert None not in lab.outcomes().values()


def test_what_stands_twice_runs_once(lab: Lab, kit: Kit) -> None:
    heard = kit.heard()
    summary = lab.run(lab.plan("i=1,2,1e0", "i=2,3"), observer=heard)
    assert lab.ran() == Counter(["i=1", "i=2", "i=3"])
    assert str(summary) == "3 of 3 completed, 2 repeated in the plan"
    assert summary.ok
    assert heard.shown[-1].left == 0
    sweep = lab.newest()
    assert (sweep.state, sweep.total, sweep.done_before) == (SweepState.COMPLETED, 5, 2)
    assert str(lab.run(lab.plan("i=1,2,1e0", "i=2,3"))) == (
        "0 of 0 completed, 3 were done before, 2 repeated in the plan"
    )


def test_a_failed_one_that_stands_twice_is_not_run_again(lab: Lab, kit: Kit) -> None:
    lab.script('echo "$1" >> ran; exit 1')
    summary = lab.run(lab.plan("i=1,2,1e0"), submitter=kit.counted(parallel=1, window=1))
    assert lab.ran() == Counter(["i=1", "i=2"])
    assert str(summary) == "0 of 2 completed, 2 failed, 1 repeated in the plan"


def test_what_other_values_have_done_leaves_no_room_for_records(lab: Lab, kit: Kit) -> None:
    lab.run(lab.plan("i=1:10", task_runs=2))
    for values, chunks in (("i=11:20", [None] * 2 + [1] * 8), ("i=11:22", [None] * 2)):
        heard = kit.heard()
        assert lab.run(lab.plan(values, task_runs=2), submitter=kit.counted(window=2), observer=heard).ok
        assert heard.chunks == chunks
        assert "a task run for each combination, 2 at most" in heard.logged


def test_the_next_run_does_what_is_not_done(lab: Lab) -> None:
    lab.script('echo "$1" >> ran; [ "$1" != i=2 ]')
    assert str(lab.run(lab.plan("i=1:3"))) == "2 of 3 completed, 1 failed"
    lab.script('echo "$1" >> ran')
    assert str(lab.run(lab.plan("i=1:5"))) == "3 of 3 completed, 2 were done before"
    sweep = lab.newest()
    assert (sweep.total, sweep.done_before) == (5, 2)
    assert lab.outcomes() == dict.fromkeys(["i=2", "i=4", "i=5"], COMPLETED)
    assert lab.ran() == Counter(["i=1", "i=2", "i=2", "i=3", "i=4", "i=5"])
    summary = lab.run(lab.plan("i=1:5"))
    assert (str(summary), summary.ok) == ("0 of 0 completed, 5 were done before", True)
    assert lab.newest().state is SweepState.COMPLETED


def test_a_fresh_run_does_all_again(lab: Lab) -> None:
    for fresh in (False, True, False):
        lab.run(lab.plan("i=1:2"), fresh=fresh)
    assert lab.ran() == Counter({"i=1": 2, "i=2": 2})


def test_an_isolated_run_lends_its_past_to_nobody(lab: Lab) -> None:
    lab.run(lab.plan("i=1:2"), fresh=True, isolated=True)
    assert str(lab.run(lab.plan("i=1:2"))) == "2 of 2 completed"


def test_what_another_sweep_runs_is_left_to_it(lab: Lab) -> None:
    made = lab.plan("i=1:4")
    with lab.execution(made) as other:
        theirs = [item.submission for item in list(other.items())[1:3]]
        lab.ledger.submit(other.id, theirs)
        summary = lab.run(made)
    assert lab.ran() == Counter(["i=1", "i=4"])
    assert str(summary) == "2 of 2 completed, 2 left to another sweep"
    assert (summary.ok, summary.elsewhere) == (False, 2)
    assert (lab.newest().state, lab.newest().done_before) == (SweepState.COMPLETED, 0)


def test_what_another_sweep_takes_meanwhile_is_left_to_it(lab: Lab, kit: Kit) -> None:
    made = lab.plan("i=1:6")
    with lab.execution(made) as other:
        submissions = [item.submission for item in other.items()]

        def take(work: object) -> None:
            if work.position == 0:
                lab.ledger.submit(other.id, submissions[4:6])
                complete(lab, other.id, submissions[5])

        summary = lab.run(made, submitter=kit.counted(window=2, before=take))
    assert lab.ran() == Counter(f"i={i}" for i in range(1, 5))
    assert str(summary) == "4 of 4 completed, 1 were done before, 1 left to another sweep"


def complete(lab: Lab, sweep: str, submission: Submission) -> None:
    lab.ledger.record(
        sweep, [Attempt(key=submission.key, number=1, outcome=COMPLETED, started=1.0, ended=2.0)]
    )


def test_commands_get_the_environment_of_job_and_tracker(lab: Lab, kit: Kit) -> None:
    lab.script('echo "$OF_JOB $OF_BOTH $OWN_KEY" >> ran')
    diary = kit.diary(env={"OF_BOTH": "tracker"})
    lab.run(lab.plan("i=1", env={"OF_JOB": "job", "OF_BOTH": "job"}), tracker=diary)
    assert lab.ran() == Counter([f"job tracker {lab.rows()['train'].key}"])


def test_what_running_commands_have_to_say_is_told_once(lab: Lab, kit: Kit) -> None:
    heard = kit.heard()

    def say(work: Work) -> None:
        notices.leave(SweepPaths(Path(work.folder)), work.key, "waiting for a GPU")

    summary = lab.run(lab.plan("i=1:3"), submitter=kit.counted(before=say), observer=heard)
    assert (summary.ok, heard.notes) == (True, ["waiting for a GPU"])
