"""What is done with another code runs again, where that is asked for; nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeplib.engine import Rerun
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from tests.unit.engine.conftest import Kit, Lab


def test_what_has_changed_runs_again_once(lab: Lab) -> None:
    made = lab.plan("a=1:3")
    lab.run(made)
    assert str(lab.run(made, rerun=Rerun.CHANGED)) == "0 of 0 completed, 3 were done before"
    lab.script('echo "again $1" >> ran')
    assert str(lab.run(made)) == "0 of 0 completed, 3 were done before"
    summary = lab.run(made, rerun=Rerun.SCRIPT)
    assert str(summary) == "3 of 3 completed (3 again, with changed code)"
    assert str(lab.run(made, rerun=Rerun.CHANGED)) == "0 of 0 completed, 3 were done before"
    assert lab.ran() == {f"{before}a={a}": 1 for before in ("", "again ") for a in (1, 2, 3)}


def test_what_fails_with_the_new_code_keeps_its_result_and_is_tried_again(lab: Lab) -> None:
    made = lab.plan("a=1:2")
    lab.run(made)
    first = lab.newest()
    lab.script('test "$1" = a=1')
    summary = lab.run(made, rerun=Rerun.CHANGED)
    assert str(summary) == "1 of 2 completed (2 again, with changed code), 1 failed"
    assert lab.outcomes() == {"a=1": Outcome.COMPLETED, "a=2": Outcome.FAILED}
    decided = {row.label: row.sweep for row in lab.ledger.results("train", first.lineage)}
    assert decided == {"a=1": lab.newest().id, "a=2": first.id}
    summary = lab.run(made, rerun=Rerun.CHANGED)
    assert str(summary) == "0 of 1 completed (1 again, with changed code), 1 failed, 1 were done before"


def test_what_is_new_is_no_rerun(lab: Lab) -> None:
    lab.run(lab.plan("a=1"))
    lab.script("true")
    summary = lab.run(lab.plan("a=1:3"), rerun=Rerun.CHANGED)
    assert str(summary) == "3 of 3 completed (1 again, with changed code)"


def test_a_submit_job_runs_again_as_a_whole(lab: Lab) -> None:
    made = lab.plan("a=1:3", submit="sh work.sh")
    lab.run(made)
    assert str(lab.run(made, rerun=Rerun.CHANGED)) == "0 of 0 completed, 1 were done before"
    lab.script("true")
    assert str(lab.run(made, rerun=Rerun.CHANGED)) == "1 of 1 completed (1 again, with changed code)"


def test_a_resumed_sweep_runs_nothing_twice_and_notes_its_code(lab: Lab) -> None:
    """As a retry of a flow run: what it completed stays done, and what it runs now has the code of now."""
    lab.script('test "$1" = a=1')
    made = lab.plan("a=1:2")
    lab.run(made)
    sweep = lab.newest()
    lab.script("true")
    summary = lab.run(made, resumes=sweep, rerun=Rerun.CHANGED)
    assert str(summary) == "1 of 1 completed, 1 were done before"
    assert len(lab.ledger.codes(sweep.id)) == 2
    summary = lab.run(made, rerun=Rerun.CHANGED)
    assert str(summary) == "1 of 1 completed (1 again, with changed code), 1 were done before"
    assert lab.outcomes() == {"a=1": Outcome.COMPLETED}


def test_what_another_sweep_has_run_again_meanwhile_is_done(lab: Lab, kit: Kit) -> None:
    made = lab.plan("a=1:2")
    lab.run(made)
    lab.script("true")
    others = []

    def meanwhile(*_: object) -> None:
        if not others:
            others.append(lab.run(lab.plan("a=2"), rerun=Rerun.CHANGED))

    submitter = kit.counted(1, window=1, before=meanwhile)
    summary = lab.run(made, rerun=Rerun.CHANGED, submitter=submitter)
    assert str(others[0]) == "1 of 1 completed (1 again, with changed code)"
    assert str(summary) == "1 of 1 completed (1 again, with changed code), 1 were done before"


def test_canaries_are_run_again_too(lab: Lab) -> None:
    made = lab.plan("a=1:3", canary=1)
    lab.run(made)
    lab.script("true")
    assert str(lab.run(made, rerun=Rerun.CHANGED)) == "3 of 3 completed (3 again, with changed code)"
