"""What the engine does with what it knows of earlier attempts, and canaries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.engine import Rerun
from sweeplib.engine.order import makespan
from sweeplib.ledger import Submission, Sweep, SweepState
from sweeplib.plan import Plan
from sweeplib.run.model import Attempt, Outcome
from tests.plans import plan

if TYPE_CHECKING:
    from sweeplib.run.model import Work
    from tests.unit.engine.conftest import Kit, Lab


def took(lab: Lab, seconds: dict[str, float], made: Plan | None = None) -> None:
    """Write down an earlier sweep whose combinations took so long, by label, or by value of ``i``."""
    made = made or lab.plan(f"i={','.join(seconds)}")
    sweep = f"01J{len(lab.ledger.sweeps()):023d}"
    lab.ledger.add_sweep(
        Sweep(id=sweep, job="train", lineage=sweep, total=len(made), created=1.0, arguments=made.arguments)
    )
    rows = [
        Submission(key=each.key, position=each.position, label=each.label, parameters=each.parameters)
        for each in made
    ]
    lab.ledger.submit(sweep, rows)
    ends = [
        Attempt(key=each.key, number=1, outcome=Outcome.COMPLETED, started=10.0, ended=10.0 + time)
        for each in made
        if (time := seconds.get(each.label, seconds.get(each.parameters.get("i", ""))))
    ]
    lab.ledger.record(sweep, ends)
    lab.ledger.finish_sweep(sweep, SweepState.COMPLETED)


GROWING = {"1": 1.0, "2": 1.0, "3": 1.0, "4": 20.0}


def test_the_makespan_is_that_of_list_scheduling() -> None:
    assert makespan([1, 1, 1, 3], 2) == 4
    assert makespan([3, 1, 1, 1], 2) == 3
    assert makespan([], 3) == 0


@pytest.mark.parametrize(
    ("order", "seconds", "first", "said"),
    [
        (
            "auto",
            {"1": 5.0, "2": 5.0, "3": 5.0, "4": 20.0},
            "i=4",
            (
                "longest first: by 4 earlier attempts, 4 combinations take about 20 s so, "
                "and 25 s in the plan's order"
            ),
        ),
        (
            "auto",
            {"1": 2.0, "2": 2.0, "3": 2.0, "4": 2.0},
            "i=1",
            (
                "in the plan's order: longest first would not be worth it; by 4 earlier attempts, "
                "4 combinations take about 4 s so, and 4 s in the plan's order"
            ),
        ),
        (
            "longest",
            {"1": 2.0, "2": 2.0, "3": 2.0, "4": 2.1},
            "i=4",
            (
                "longest first: by 4 earlier attempts, 4 combinations take about 4.1 s so, "
                "and 4.1 s in the plan's order"
            ),
        ),
        ("plan", {"1": 5.0, "2": 5.0, "3": 5.0, "4": 20.0}, "i=1", None),
    ],
)
def test_the_order_and_why(
    lab: Lab, kit: Kit, order: str, seconds: dict[str, float], first: str, said: str | None
) -> None:
    took(lab, seconds)
    heard, submitter = kit.heard(), kit.counted(parallel=2)
    summary = lab.run(lab.plan("i=1:4", order=order), submitter=submitter, observer=heard, fresh=True)
    assert summary.ok
    assert submitter.works[0].label == first
    assert len({work.key for work in submitter.works}) == 4
    found = [text for text in heard.notes + heard.logged if "order" in text]
    assert found == ([said] if said else [])


def test_a_few_of_many_that_run_again_are_put_in_order(
    lab: Lab, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeplib.engine.order.HELD", 3)
    made = lab.plan("i=1:5")
    lab.run(made)
    lab.script("true")
    lab.run(Plan(made.job, only="i=1:3"), rerun=Rerun.CHANGED)
    heard = kit.heard()
    assert lab.run(made, rerun=Rerun.CHANGED, observer=heard).again == 2
    assert [text for text in heard.logged if ", 2 combinations take about" in text]
    lab.script("# all of them")
    assert lab.run(made, rerun=Rerun.CHANGED, observer=heard).again == 5
    assert "in the plan's order: there are more than 3 combinations" in heard.logged


def test_longest_first_without_any_knowledge_says_so(lab: Lab, kit: Kit) -> None:
    heard = kit.heard()
    assert lab.run(lab.plan("i=1:2", order="longest"), observer=heard).ok
    assert heard.logged[0] == (
        "longest first: nothing is known yet of how long combinations take, so in the plan's order"
    )


def test_the_time_left_is_what_is_expected(lab: Lab, kit: Kit) -> None:
    took(lab, GROWING)
    heard = kit.heard()
    lab.run(lab.plan("i=1:4", order="plan"), observer=heard, fresh=True)
    assert heard.shown[0].seconds_left == pytest.approx(23 / 2, abs=1)
    assert heard.shown[-1].left == 0
    assert heard.shown[-1].time_left(5.0) is None


def test_without_knowledge_the_time_left_is_that_of_the_pace(lab: Lab, kit: Kit) -> None:
    heard = kit.heard()
    lab.run(lab.plan("i=1:4"), observer=heard)
    assert {progress.seconds_left for progress in heard.shown} == {None}


def test_a_multiple_of_the_expected_time_ends_a_command(lab: Lab, kit: Kit) -> None:
    took(lab, {"1": 12.0, "2": 0.1})
    submitter = kit.counted()
    heard = kit.heard()
    lab.run(lab.plan("i=1:3", timeout="3x"), submitter=submitter, observer=heard, fresh=True)
    assert {work.label: (work.timeout, work.timeout_note) for work in submitter.works} == {
        "i=1": (36.0, "3x the expected 12 s"),
        "i=2": (10.0, "3x the expected 0.1 s, but at least 10 s"),
        "i=3": (None, ""),
    }
    assert heard.logged[0] == (
        "timeout 3x: of the expected time, by 2 earlier attempts, and at least 10 s; "
        "combinations with a value that none of those had have no timeout"
    )


def test_no_timeout_comes_from_another_command(lab: Lab) -> None:
    def timeouts(*sets: str | dict[str, str], arguments: tuple[str, ...] = ()) -> list[float | None]:
        made = Plan(lab.plan(*sets, timeout="3x").job, arguments)
        with lab.execution(made, fresh=True) as execution:
            return [execution.work(item, {}).timeout for item in execution.items()]

    small, large = {"each": "i=1:3", "add": "--small"}, {"each": "n=1,2", "add": "--large"}
    took(lab, {"i=1": 5.0, "i=2": 6.0, "i=3": 7.0, "n=1": 50.0, "n=2": 60.0}, lab.plan(small, large))
    took(lab, {"1": 20.0}, Plan(lab.plan("i=1").job, ("epochs=1",)))
    assert timeouts(small, large) == [15.0, 18.0, 21.0, 150.0, 180.0]
    assert timeouts("i=1") == [None], "another add"
    assert timeouts("i=1", arguments=("epochs=13",)) == [None], "other arguments"
    assert timeouts("i=1", arguments=("epochs=1",)) == [60.0]
    assert timeouts(large, {"each": "i=1:2", "add": "--huge"}) == [150.0, 180.0, None, None]
    assert timeouts({"each": "n=1", "add": "--small"}, {"each": "i=1", "add": "--large"}) == [None, None]


def test_a_multiple_of_what_is_not_known_is_no_timeout(lab: Lab, kit: Kit) -> None:
    heard = kit.heard()
    assert lab.run(lab.plan("i=1", timeout="3x"), observer=heard).ok
    assert heard.logged[0] == (
        "timeout 3x: nothing is known yet of how long the commands take, so they have no timeout"
    )


FAILS_FOR_A_2 = 'echo "$*" >> ran\ncase "$*" in *a=2*) exit 1;; esac'


def test_canaries_that_fail_keep_the_rest_from_starting(lab: Lab, kit: Kit) -> None:
    lab.script(FAILS_FOR_A_2)
    heard = kit.heard()
    made: dict[str, Any] = {"canary": True}
    summary = lab.run(lab.plan("a=1,2 b=1:3", **made), observer=heard)
    assert not summary.ok
    assert heard.notes == [
        "canary: first a=1 b=1, a=2 b=2, a=1 b=3, with all of 5 parameter values",
        "canary: 1 of 3 failed; 3 combinations were not started",
    ]
    assert str(summary) == (
        "2 of 6 completed, 1 failed, 3 not started; no more were started after 1 failed of the first (canary)"
    )
    assert lab.newest().state is SweepState.FAILED

    lab.script('echo "$*" >> ran')
    again = kit.heard()
    summary = lab.run(lab.plan("a=1,2 b=1:3", **made), observer=again)
    assert summary.ok
    assert str(summary) == "4 of 4 completed, 2 were done before"
    assert again.ends[0] == ("a=2 b=2", Outcome.COMPLETED)
    assert again.notes == ["canary: first a=2 b=2 (2 of 3 ran before), with all of 5 parameter values"]
    assert lab.ran()["a=2 b=2"] == 2
    assert sum(lab.ran().values()) == 7


def test_nothing_begins_while_another_sweep_runs_a_canary(lab: Lab, kit: Kit) -> None:
    made = lab.plan("a=1:3", canary=1)
    with lab.execution(made) as other:
        theirs = next(other.items()).submission
        lab.ledger.submit(other.id, [theirs])
        heard = kit.heard()
        summary = lab.run(made, observer=heard)
        assert (summary.ok, lab.newest().state, lab.ran()) == (False, SweepState.FAILED, {})
        assert heard.notes == ["canary: 1 of 1 is left to another sweep; 2 combinations were not started"]
        assert str(summary) == (
            "0 of 2 completed, 2 not started, 1 left to another sweep; "
            "no more were started with 1 of the first elsewhere (canary)"
        )
        end = Attempt(key=theirs.key, number=1, outcome=Outcome.COMPLETED, started=1.0, ended=2.0)
        lab.ledger.record(other.id, [end])
        assert str(lab.run(made)) == "2 of 2 completed, 1 were done before"


@pytest.mark.parametrize(
    ("outcome", "said", "ran"),
    [
        (Outcome.COMPLETED, "2 of 2 completed, 2 were done before", "24"),
        (Outcome.FAILED, "4 of 4 completed", "1234"),
        (
            None,
            (
                "1 of 2 completed, 1 not started, 2 left to another sweep; "
                "no more were started with 2 of the first elsewhere (canary)"
            ),
            "2",
        ),
    ],
)
def test_canaries_of_another_sweep_are_looked_at_again(
    lab: Lab, kit: Kit, outcome: Outcome | None, said: str, ran: str
) -> None:
    """It has the first of three, and takes the third while the second runs; then both end so, or go on."""
    made = lab.plan("a=1:4", canary=3)
    with lab.execution(made) as other:
        theirs = [item.submission for item in other.items()][:3:2]
        lab.ledger.submit(other.id, theirs[:1])

        def meanwhile(work: Work) -> None:
            if work.label != "a=2":
                return
            lab.ledger.submit(other.id, theirs[1:])
            for each in theirs if outcome else ():
                end = Attempt(key=each.key, number=1, outcome=outcome, started=1.0, ended=2.0)
                lab.ledger.record(other.id, [end])

        heard = kit.heard()
        summary = lab.run(made, submitter=kit.counted(window=1, before=meanwhile), observer=heard)
    assert str(summary) == said
    assert lab.ran() == {f"a={a}": 1 for a in ran}
    assert heard.notes[0] == (
        "canary: first a=2, a=3 (1 of 3 run in another sweep), with 3 of 4 parameter values; 4 would have all"
    )
    if outcome is None:
        assert heard.notes[1:] == ["canary: 2 of 3 are left to another sweep; 1 combination was not started"]


def test_fewer_canaries_than_it_takes_say_how_many_would_do(lab: Lab, kit: Kit) -> None:
    heard = kit.heard()
    summary = lab.run(lab.plan("a=1,2 b=1:3", canary=1), observer=heard)
    assert str(summary) == "6 of 6 completed"
    assert heard.ends[0] == ("a=1 b=1", Outcome.COMPLETED)
    assert heard.notes == ["canary: first a=1 b=1, with 2 of 5 parameter values; 3 would have all"]


def test_the_message_says_what_the_timeout_comes_from(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeplib.engine.timeouts.LEAST", 0.1)
    lab.script("exec sleep 30")
    took(lab, {"1": 0.1})
    lab.run(lab.plan("i=1", timeout="3x"), fresh=True)
    row = lab.rows()["train"] if "train" in lab.rows() else next(iter(lab.rows().values()))
    assert row.outcome is Outcome.TIMED_OUT
    assert re.fullmatch(r"timed out after 0\.3 s \(3x the expected 0\.1 s\)", row.message)


def test_a_plan_of_any_size_has_its_canaries() -> None:
    from sweeplib.plan.canary import canaries

    found = canaries(plan("a=1:1000 b=1:1000 c=1:1000"), 3)
    assert (len(found.positions), found.touched, found.values, found.needed) == (3, 9, 3000, 1000)
    excluded = plan({"each": "a=1:200 b=1:200", "exclude": "a == b"})
    found = canaries(excluded)
    touched = {pair for place in found.positions for pair in excluded[place].parameters.items()}
    assert (len(touched), found.touched, found.values) == (400, 400, 400)
