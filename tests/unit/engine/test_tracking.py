"""What the engine tells its tracker, in which order, and what it does with the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweeplib.ledger import SweepState
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from tests.unit.engine.conftest import Kit, Lab


def test_the_order_of_calls(lab: Lab, kit: Kit) -> None:
    diary = kit.diary()
    lab.run(lab.plan("i=1:3"), tracker=diary, submitter=kit.counted(parallel=1, window=2))
    names = diary.names()
    assert names[:4] == ["begin", "open", "environment", "environment"]
    assert names[-1] == "finish"
    for label, row in lab.rows().items():
        opened = next(n for n, (name, value) in enumerate(diary.calls) if name == "open" and label in value)
        given = diary.calls.index(("environment", row.key))
        ended = diary.calls.index(("end", row.key))
        assert opened < given < ended
    assert names.count("end") == 3
    assert diary.calls[-1] == ("finish", "completed")


def test_the_sweep_as_the_tracker_sees_it(lab: Lab, kit: Kit) -> None:
    diary = kit.diary()
    lab.run(lab.plan("i=1:3", tags=["digits"]), tracker=diary)
    (sweep,) = (value for name, value in diary.calls if name == "begin")
    newest = lab.newest()
    assert (sweep.id, sweep.job, sweep.tag, sweep.total) == (newest.id, "train", newest.tag, 3)
    assert sweep.tags == {
        "sweep.id": newest.id,
        "sweep.tag": newest.tag,
        "sweep.job": "train",
        "sweep.tag.digits": "true",
    }
    assert (sweep.own_runs, sweep.patch) == (False, None)


@pytest.mark.parametrize(
    ("fields", "own"),
    [
        ({"style": "hydra"}, True),
        ({"style": "plain"}, False),
        ({"style": "flags"}, False),
        ({"style": "plain", "tracking": "own"}, True),
    ],
)
def test_commands_that_open_their_own_runs(lab: Lab, kit: Kit, fields: dict[str, str], *, own: bool) -> None:
    diary = kit.diary()
    lab.run(lab.plan("i=1", **fields), tracker=diary)
    assert [value.own_runs for name, value in diary.calls if name == "begin"] == [own]


def test_what_is_acknowledged_is_kept(lab: Lab, kit: Kit) -> None:
    lab.run(lab.plan("i=1:2"), tracker=kit.diary())
    for row in lab.rows().values():
        assert (row.tracked, row.run_id, row.metrics) == (True, f"run-{row.key[:4]}", {"score": 0.5})
    assert list(lab.ledger.untracked(job="train")) == []


def test_the_notes_of_the_tracker_reach_the_user(lab: Lab, kit: Kit) -> None:
    heard = kit.heard()
    summary = lab.run(lab.plan("i=1:2"), tracker=kit.diary(knows=False), observer=heard)
    assert heard.notes == ["nothing could be stored"]
    assert summary.ok


def test_what_earlier_sweeps_owe_is_reported(lab: Lab, kit: Kit) -> None:
    lab.script('[ "$1" != i=2 ]')
    lab.run(lab.plan("i=1:3"), tracker=kit.diary(knows=False))
    earlier = lab.newest()
    rows = lab.rows()
    diary = kit.diary()
    lab.run(lab.plan("i=1:4"), tracker=diary)
    assert diary.names()[:2] == ["begin", "report"]
    ((sweep, ended),) = diary.reports()
    assert (sweep.id, sweep.tag, sweep.total) == (earlier.id, earlier.tag, 3)
    assert [each.label for each in ended] == ["i=1", "i=2", "i=3"]
    failed = ended[1]
    row = rows["i=2"]
    assert (failed.key, failed.parameters, failed.run_id) == (row.key, {"i": "2"}, None)
    assert (failed.outcome, failed.exit_code) == (Outcome.FAILED, 1)
    assert (failed.started, failed.ended) == (row.started, row.ended)
    assert all(row.tracked for row in lab.rows(earlier.id).values())

    diary = kit.diary()
    lab.run(lab.plan("i=1:4"), tracker=diary)
    assert diary.reports() == []


def test_many_are_reported_in_batches(lab: Lab, kit: Kit) -> None:
    lab.script("exit 0")
    lab.run(lab.plan("i=1:70"), tracker=kit.diary(knows=False))
    diary = kit.diary()
    lab.run(lab.plan("i=1"), tracker=diary)
    assert [len(ended) for _, ended in diary.reports()] == [64, 6]


def test_a_living_sweep_reports_by_itself(lab: Lab, kit: Kit) -> None:
    with lab.execution(lab.plan("i=1:2")) as living:
        submissions = [item.submission for item in living.items()]
        lab.ledger.submit(living.id, submissions)
        complete(lab, living.id, submissions[0].key)
        diary = kit.diary()
        lab.run(lab.plan("i=3:4"), tracker=diary)
        assert diary.reports() == []
        lab.ledger.finish_sweep(living.id, SweepState.LOST)
        diary = kit.diary()
        lab.run(lab.plan("i=3:4"), tracker=diary)
        assert [(sweep.id, len(ended)) for sweep, ended in diary.reports()] == [(living.id, 1)]


def complete(lab: Lab, sweep: str, key: str) -> None:
    from sweeplib.run.model import Attempt

    attempt = Attempt(key=key, number=1, outcome=Outcome.COMPLETED, started=1.0, ended=2.0)
    lab.ledger.record(sweep, [attempt])


def test_another_job_is_not_reported(lab: Lab, kit: Kit) -> None:
    lab.run(lab.plan("i=1", name="other"), tracker=kit.diary(knows=False))
    diary = kit.diary()
    lab.run(lab.plan("i=1"), tracker=diary)
    assert diary.reports() == []


def test_an_untracked_job_owes_nothing(lab: Lab, kit: Kit) -> None:
    lab.run(lab.plan("i=1", tracking=False))
    diary = kit.diary()
    lab.run(lab.plan("i=1:2"), tracker=diary)
    assert diary.reports() == []


def test_an_interrupted_sweep_is_finished_in_the_tracker(lab: Lab, kit: Kit) -> None:
    lab.script("exec sleep 60")
    diary = kit.diary()
    submitter = kit.counted(window=2)

    def interrupted(timeout: float) -> list[object]:
        submitter.wait = submitter._inner.wait
        kit.interrupt()
        return []

    submitter.wait = interrupted
    with pytest.raises(KeyboardInterrupt):
        lab.run(lab.plan("i=1:3"), tracker=diary, submitter=submitter)
    assert diary.names().count("end") == 2
    assert diary.calls[-1] == ("finish", "cancelled in a hurry")
