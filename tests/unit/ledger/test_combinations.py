"""Combinations of a running sweep: done, claimed, submitted, recorded, tracked."""

from __future__ import annotations

import math
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.errors import UnknownKeyError
from sweeplib.ledger import AttemptRow, Combination, Ledger, Submission, SweepState
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

C, F, T, X, L = Outcome


@pytest.fixture
def one(ledger: Ledger, make: Any) -> str:
    """Return the only sweep there is."""
    ledger.add_sweep(make.sweep(1))
    return make.id(1)


def keys(rows: Iterable[Combination | Submission]) -> list[str]:
    return [row.key for row in rows]


def test_a_submitted_combination(ledger: Ledger, one: str) -> None:
    submission = Submission(
        key="a", position=2**63 - 1, label="lr=1e-3", parameters={"lr": "1e-3", "n": "'ü'"}, run_id="r1"
    )
    assert ledger.submit(one, [submission]) == [submission]
    assert list(ledger.combinations(one)) == [
        Combination(
            sweep=one,
            key="a",
            position=2**63 - 1,
            label="lr=1e-3",
            parameters={"lr": "1e-3", "n": "'ü'"},
            outcome=None,
            attempts=0,
            exit_code=None,
            started=None,
            ended=None,
            log="",
            message="",
            run_id="r1",
            metrics=None,
            tracked=False,
        )
    ]


@pytest.mark.parametrize("outcome", Outcome)
def test_an_attempt_decides(ledger: Ledger, make: Any, one: str, outcome: Outcome) -> None:
    ledger.submit(one, make.submissions("a"))
    attempt = make.attempt("a", outcome, metrics={"accuracy": 0.5}, message="why \udcff")
    ledger.record(one, [attempt])
    code = {C: 0, F: 3}.get(outcome)
    assert list(ledger.combinations(one)) == [
        Combination(
            sweep=one,
            key="a",
            position=0,
            label="k=a",
            parameters={"k": "a"},
            outcome=outcome,
            attempts=1,
            exit_code=code,
            started=10.0,
            ended=15.0,
            log="logs/a.1.log",
            message="why \\udcff",
            run_id=None,
            metrics={"accuracy": 0.5},
            tracked=False,
        )
    ]
    assert ledger.attempts(one, "a") == [
        AttemptRow(
            sweep=one,
            key="a",
            number=1,
            outcome=outcome,
            exit_code=code,
            started=10.0,
            ended=15.0,
            log="logs/a.1.log",
            message="why \\udcff",
            metrics={"accuracy": 0.5},
        )
    ]


def test_metrics_may_be_no_numbers(ledger: Ledger, make: Any, one: str) -> None:
    ledger.submit(one, make.submissions("a"))
    ledger.record(one, [make.attempt("a", metrics={"loss": math.nan, "gap": -math.inf})])
    (row,) = ledger.combinations(one)
    assert row.metrics is not None
    assert math.isnan(row.metrics["loss"])
    assert row.metrics["gap"] == -math.inf


def test_a_key_is_submitted_once(ledger: Ledger, make: Any, one: str) -> None:
    assert keys(ledger.submit(one, make.submissions("a", "b", "a"))) == ["a", "b"]
    assert keys(ledger.submit(one, make.submissions("b", "c", first=5))) == ["c"]
    assert [(row.key, row.position) for row in ledger.combinations(one)] == [("a", 0), ("b", 1), ("c", 6)]


@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_is_not_completed_is_submitted_again(
    ledger: Ledger, make: Any, one: str, outcome: Outcome
) -> None:
    ledger.submit(one, [Submission(key="a", position=0, label="old", parameters={}, run_id="r1")])
    ledger.record(one, [make.attempt("a", outcome, metrics={"x": 1.0})])
    ledger.set_tracked(one, [("a", None, None)])
    (before,) = ledger.combinations(one)
    submitted = ledger.submit(one, [Submission(key="a", position=7, label="new", parameters={"k": "v"})])
    (after,) = ledger.combinations(one)
    if outcome is C:
        assert submitted == []
        assert after == before
    else:
        assert keys(submitted) == ["a"]
        assert after == Combination(
            sweep=one,
            key="a",
            position=7,
            label="new",
            parameters={"k": "v"},
            outcome=None,
            attempts=1,
            exit_code=None,
            started=None,
            ended=None,
            log="",
            message="",
            run_id="r1",
            metrics=None,
            tracked=False,
        )


def test_a_record_again_changes_nothing(ledger: Ledger, make: Any, one: str) -> None:
    ledger.submit(one, make.submissions("a", "b"))
    attempts = [make.attempt("a", F), make.attempt("a", C, 2), make.attempt("b", X)]
    ledger.record(one, attempts)
    ledger.set_tracked(one, [("a", "r1", None), ("b", "r2", None)])
    before = list(ledger.combinations(one)), ledger.attempts(one, "a"), ledger.attempts(one, "b")
    ledger.record(one, attempts)
    ledger.record(one, attempts[1:] + attempts[:1])
    assert before == (list(ledger.combinations(one)), ledger.attempts(one, "a"), ledger.attempts(one, "b"))


def test_a_record_again_does_not_end_what_was_submitted_again(ledger: Ledger, make: Any, one: str) -> None:
    ledger.submit(one, make.submissions("a"))
    ledger.record(one, [make.attempt("a", F)])
    ledger.submit(one, make.submissions("a"))
    ledger.record(one, [make.attempt("a", F)])
    assert keys(ledger.open_combinations(one)) == ["a"]


@pytest.mark.parametrize("later", Outcome)
def test_completed_stays(ledger: Ledger, make: Any, one: str, later: Outcome) -> None:
    ledger.submit(one, make.submissions("a"))
    ledger.record(one, [make.attempt("a", C)])
    ledger.set_tracked(one, [("a", "r1", {"x": 1.0})])
    ledger.record(one, [make.attempt("a", later, 2)])
    (row,) = ledger.combinations(one)
    assert (row.outcome, row.log, row.attempts) == (C, "logs/a.1.log", 2)
    assert (row.tracked, row.metrics) == (True, {"x": 1.0})
    assert [attempt.outcome for attempt in ledger.attempts(one, "a")] == [C, later]


@pytest.mark.parametrize(("known", "told"), list(product(Outcome, Outcome)))
def test_what_is_known_of_an_attempt_only_grows(
    ledger: Ledger, make: Any, one: str, known: Outcome, told: Outcome
) -> None:
    ledger.submit(one, make.submissions("a"))
    ledger.record(one, [make.attempt("a", known)])
    ledger.record(one, [make.attempt("a", told, message="told")])
    ended = told in (F, Outcome.TIMED_OUT)
    grows = known is not told and (known is L or told is C or (known is Outcome.CANCELLED and ended))
    (row,) = ledger.combinations(one)
    (attempt,) = ledger.attempts(one, "a")
    assert row.outcome is attempt.outcome is (told if grows else known)
    assert (attempt.message == "told") is grows
    assert row.attempts == 1


@pytest.mark.parametrize("order", list(permutations([0, 1, 2])))
def test_the_order_of_records_does_not_matter(
    ledger: Ledger, make: Any, one: str, order: tuple[int, ...]
) -> None:
    ledger.submit(one, make.submissions("a", "b"))
    a = [make.attempt("a", F), make.attempt("a", T, 2), make.attempt("a", X, 3)]
    b = [make.attempt("b", F), make.attempt("b", C, 2), make.attempt("b", L, 3)]
    for index in order:
        ledger.record(one, [a[index], b[index]])
    assert [(row.outcome, row.message, row.attempts) for row in ledger.combinations(one)] == [
        (X, "cancelled at 3", 3),
        (C, "", 3),
    ]


@pytest.mark.parametrize("method", ["record", "set_tracked"])
def test_what_was_never_submitted_is_unknown(ledger: Ledger, make: Any, one: str, method: str) -> None:
    ledger.submit(one, make.submissions("a"))
    rows = {
        "record": [make.attempt("a"), make.attempt("b")],
        "set_tracked": [("a", "r1", None), ("b", "r2", None)],
    }
    with pytest.raises(UnknownKeyError) as caught:
        getattr(ledger, method)(one, rows[method])
    assert str(caught.value) == f"combination b was never submitted in sweep {one}"
    (row,) = ledger.combinations(one)
    assert (row.outcome, row.run_id) == (None, None)
    assert ledger.attempts(one, "a") == []


def test_done_is_what_any_sweep_of_the_lineage_completed(ledger: Ledger, make: Any) -> None:
    for sweep in (make.sweep(1), make.sweep(2, lineage=1), make.sweep(3)):
        ledger.add_sweep(sweep)
        ledger.submit(sweep.id, make.submissions("a", "b", "c", "d"))
    ledger.record(make.id(1), [make.attempt("a"), make.attempt("b", F)])
    ledger.record(make.id(2), [make.attempt("a", F), make.attempt("b"), make.attempt("c", L)])
    ledger.record(make.id(3), [make.attempt("d")])
    assert ledger.done(make.id(1), ["a", "b", "c", "d", "e", "a"]) == {"a", "b"}
    assert ledger.done(make.id(1), iter(["a", "c"])) == {"a"}
    assert ledger.done(make.id(3), ["a", "b", "c", "d", "e"]) == {"d"}
    assert ledger.done(make.id(1), []) == set()


def test_more_keys_than_a_statement_has_parameters(ledger: Ledger, make: Any, one: str) -> None:
    many = [f"k{number}" for number in range(40_000)]
    ledger.submit(one, make.submissions("k3", "k39999"))
    ledger.record(one, [make.attempt("k3"), make.attempt("k39999")])
    assert ledger.done(one, many) == {"k3", "k39999"}


def test_claims_are_the_open_combinations_of_other_running_sweeps(ledger: Ledger, make: Any) -> None:
    lineages = {1: 1, 2: 1, 3: 1, 4: 4, 5: 1}
    held = {1: "abx", 2: "bc", 3: "d", 4: "e", 5: "f"}
    for number, lineage in lineages.items():
        ledger.add_sweep(make.sweep(number, lineage=lineage))
        ledger.submit(make.id(number), make.submissions(*held[number]))
    ledger.record(make.id(1), [make.attempt("x", F)])
    ledger.finish_sweep(make.id(3), SweepState.LOST)
    every = [*"abcdefx"]
    first, second, fifth = make.id(1), make.id(2), make.id(5)
    claims = {"a": first, "b": first, "c": second, "f": fifth}
    assert ledger.claimed(first, every) == claims
    assert ledger.claimed(first, every, besides=fifth) == {"a": first, "b": first, "c": second}
    assert ledger.claimed(first, every, besides=first) == {"b": second, "c": second, "f": fifth}
    assert ledger.claimed(first, ["a", "d"]) == {"a": first}
    assert ledger.claimed(make.id(4), every, besides=make.id(4)) == {}


def test_tracking_a_combination(ledger: Ledger, make: Any, one: str) -> None:
    ledger.submit(one, make.submissions("a", "b", "c"))
    ledger.record(one, [make.attempt("a", metrics={"x": 1.0}), make.attempt("b", F)])
    ledger.set_tracked(one, [("a", "r1", None), ("b", None, {"y": 2.0}), ("c", "r3", None)])
    assert [(row.run_id, row.metrics, row.tracked) for row in ledger.combinations(one)] == [
        ("r1", {"x": 1.0}, True),
        (None, {"y": 2.0}, True),
        ("r3", None, False),  # it has no outcome to be told yet
    ]


def test_another_outcome_is_to_be_tracked_again(ledger: Ledger, make: Any, one: str) -> None:
    ledger.submit(one, make.submissions("a"))
    ledger.record(one, [make.attempt("a", F)])
    ledger.set_tracked(one, [("a", "r1", None)])
    assert keys(ledger.untracked(sweep_id=one)) == []
    ledger.record(one, [make.attempt("a", C, 2)])
    assert keys(ledger.untracked(sweep_id=one)) == ["a"]


def test_what_did_not_begin_twice(ledger: Ledger, make: Any, one: str) -> None:
    for _ in range(2):
        ledger.submit(one, make.submissions("a"))
        ledger.record(one, [make.attempt("a", X, 0)])
        assert keys(ledger.open_combinations(one)) == []
        assert ledger.counts(one)[X] == 1
