"""Failures by how they ended."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.report.failures import explain, form_of
from sweeplib.report.results import Result
from sweeplib.run.model import Outcome

DONE, FAILED, TIMED_OUT, LOST = Outcome.COMPLETED, Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST


def result(
    key: str, outcome: Outcome | None = DONE, message: str = "", code: int | None = 1, **parameters: str
) -> Result:
    return Result(
        key=key,
        outcome=outcome,
        duration=1.0,
        parameters=parameters,
        metrics={},
        message=message,
        label=" ".join(f"{name}={value}" for name, value in parameters.items()),
        exit_code=code if outcome is FAILED else None,
    )


@pytest.mark.parametrize(
    ("message", "form"),
    [
        ("exit code 1: worker 3 at 0x7f12: 12.5 MB", "exit code #: worker # at #: # MB"),
        ("exit code 1: CUDA out of memory. Tried 1.50 GiB", "exit code #: CUDA out of memory. Tried # GiB"),
        ("KeyError: '3f2a9c01d4e5f6a7b8c9d0e1f2a3b4c5'", "KeyError: '#'"),
        ("KeyError: 'deadbeef'", "KeyError: 'deadbeef'"),
        ("run 01ARZ3NDEKTSV4RRFFQ69G5FAV: bad", "run #: bad"),
        ("run 9b2ed1a0-53f1-4c55-8a3b-0f3f7a1c2d3e", "run #"),
        ("no file '/tmp/tmpab_12cd/out.csv'", "no file '#out.csv'"),
        ("no file /home/me/data.csv, no URL http://x/y", "no file #data.csv, no URL http://x/y"),
        ("shapes (32, 10) and (5x4)", "shapes (#) and (#)"),
        ("loss is -1.5e-3 on gpu03", "loss is # on gpu#"),
        ("", ""),
    ],
)
def test_the_form_of_a_message(message: str, form: str) -> None:
    assert form_of(message) == form


def test_groups_are_told_apart_by_outcome_exit_code_and_message() -> None:
    rows = [
        result("a"),
        result("b", FAILED, "exit code 1: KeyError: 'x'"),
        result("c", FAILED, "exit code 1: out of memory at 0x1"),
        result("d", FAILED, "exit code 1: out of memory at 0x2"),
        result("e", FAILED, "exit code 3: out of memory at 0x2", code=3),
        result("f", LOST),
        result("g", TIMED_OUT, "took longer than 2 s"),
        result("h", Outcome.CANCELLED),
        result("i", None),
        result("j", FAILED, "exit code 1: out of memory at 0x3"),
        result("k", FAILED, "exit code 1: out of memory at 0x4"),
    ]
    assert [
        (group.outcome, group.exit_code, group.message, group.count, "".join(row.key for row in group.rows))
        for group in explain(rows)
    ] == [
        (FAILED, 1, "exit code 1: out of memory at …", 4, "cdj"),
        (FAILED, 1, "exit code 1: KeyError: 'x'", 1, "b"),
        (FAILED, 3, "exit code 3: out of memory at 0x2", 1, "e"),
        (LOST, None, "", 1, "f"),
        (TIMED_OUT, None, "took longer than 2 s", 1, "g"),
    ]


def test_values_of_a_combination_itself_tell_no_groups_apart() -> None:
    names = ["svm", "knn", "a", "x/y z"]
    rows = [result(name, FAILED, f"exit code 1: no model {name}", model=name) for name in names]
    rows.append(result("other", FAILED, "exit code 1: no model of that name", model="svm"))
    assert [(group.message, group.count) for group in explain(rows)] == [
        ("exit code 1: no model svm", 4),
        ("exit code 1: no model of that name", 1),
    ]


def test_a_value_that_is_a_common_word_parts_nothing() -> None:
    rows = [result(mode, FAILED, "a test has failed", mode=mode) for mode in ("test", "a", "train")]
    assert [group.count for group in explain(rows)] == [3]


def test_nothing_has_failed() -> None:
    assert explain([]) == []
    assert explain([result("a"), result("b", None), result("c", Outcome.CANCELLED)]) == []


def test_what_failures_have_in_common() -> None:
    rows = [
        result(
            f"{seed}{batch}",
            FAILED if batch == "512" and seed != "7" else DONE,
            f"exit code 1: out of memory at 0x{seed}",
            batch=batch,
            seed=seed,
            device="cuda",
        )
        for seed in map(str, range(20))
        for batch in ("64", "128", "512")
    ]
    rows.append(result("one", FAILED, "exit code 1: KeyError", batch="64", seed="1", device="cuda"))
    first, second = explain(rows)
    assert ([str(link) for link in first.shared], second.shared) == (["19 of 19 failures have batch=512"], ())
    [link] = first.shared
    assert (link.others, link.compared) == (1, 42)


def test_commands_without_parameters() -> None:
    rows = [result(str(number), FAILED, "exit code 2", command=f"./run {number}") for number in range(50)]
    rows += [result(str(number), command=f"./run {number}") for number in range(50, 100)]
    [group] = explain(rows)
    assert (group.count, group.shared) == (50, ())


@given(st.randoms(use_true_random=False), st.integers(0, 3), st.floats(0, 0.3))
def test_a_planted_cause_is_found_in_any_order_of_the_rows(
    drawn: random.Random, cause: int, noise: float
) -> None:
    rows = []
    for number in range(240):
        values = {"batch": str(64 << number % 4), "model": "abc"[number // 4 % 3], "seed": str(number // 12)}
        planted = number % 4 == cause
        message = f"exit code 1: at {number}" if planted else f"exit code 1: other {number}"
        bad = planted or drawn.random() < noise
        rows.append(result(str(number), FAILED if bad else DONE, message if bad else "", **values))

    def summary(rows: list[Result]) -> list[object]:
        return [(group.outcome, group.exit_code, group.count, group.shared) for group in explain(rows)]

    groups = summary(rows)
    shared = [group.shared for group in explain(rows) if group.message.startswith("exit code 1: at")]
    assert [[str(link) for link in each] for each in shared] == [
        [f"60 of 60 failures have batch={64 << cause}"]
    ]
    drawn.shuffle(rows)
    assert summary(rows) == groups


def test_a_hundred_thousand_rows() -> None:
    drawn = random.Random(1)  # noqa: S311
    rows = [
        result(
            str(number),
            FAILED if number % 3 == 0 else DONE,
            f"exit code 1: CUDA out of memory at {number:#x} of {number} in model m{number % 7}",
            batch=str(number % 3),
            lr=repr(drawn.random()),
            model=f"m{number % 7}",
            seed=str(number % 100),
        )
        for number in range(100_000)
    ]
    began = time.process_time()
    [group] = explain(rows)
    took = time.process_time() - began
    assert list(map(str, group.shared)) == ["33,334 of 33,334 failures have batch=0"]
    assert took < 10
