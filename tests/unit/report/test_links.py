"""What goes with failures, and what is chance."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.report.links import Condition, Link, Values, chance, conditions, links


def told(rows: list[dict[str, str]], failed: list[bool]) -> list[str]:
    every = Values(rows)
    group = Values(row for row, bad in zip(rows, failed, strict=True) if bad)
    return [str(link) for link in links(group, every, conditions(every), 1)]


def grid(**values: list[str]) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = [{}]
    for name, each in values.items():
        rows = [row | {name: value} for row in rows for value in each]
    return rows


@given(st.integers(1, 40), st.data())
def test_chance_is_the_upper_tail_of_the_hypergeometric_distribution(every: int, data: st.DataObject) -> None:
    failed, having = (data.draw(st.integers(0, every)) for _ in range(2))
    both = data.draw(st.integers(0, min(failed, having)))
    ways = sum(
        math.comb(having, met) * math.comb(every - having, failed - met)
        for met in range(both, min(failed, having) + 1)
    )
    exact = float(Fraction(ways, math.comb(every, failed)))
    assert chance(both, failed, having, every) == pytest.approx(exact, rel=1e-9, abs=1e-300)


def test_fishers_tea() -> None:
    assert chance(4, 4, 4, 8) == pytest.approx(1 / 70)
    assert chance(3, 4, 4, 8) == pytest.approx(17 / 70)


def test_a_link_says_itself() -> None:
    assert str(Link(Condition("batch", "=", "512"), 18, 20, 2, 60)) == "18 of 20 failures have batch=512"
    assert (
        str(Link(Condition("lr", ">=", "0.1"), 1800, 2000, 2, 60)) == "1,800 of 2,000 failures have lr>=0.1"
    )


def test_one_value_is_the_cause() -> None:
    rows = grid(model=["a", "b"], seed=list(map(str, range(10))), batch=["64", "128", "256", "512"])
    failed = [row["batch"] == "512" and row["seed"] not in ("3",) for row in rows]
    failed[0] = failed[5] = True
    assert told(rows, failed) == ["18 of 20 failures have batch=512"]


def test_one_side_of_a_number_is_the_cause() -> None:
    rows = grid(model=["a", "b"], batch=["64", "1k", "512", "256", "128"], seed=["1", "2"])
    assert told(rows, [row["batch"] in ("512", "1k") for row in rows]) == ["8 of 8 failures have batch>=512"]
    assert told(rows, [row["batch"] in ("64", "128") for row in rows]) == ["8 of 8 failures have batch<=128"]


def test_values_drawn_at_random_are_divided() -> None:
    drawn = random.Random(1)  # noqa: S311
    rows = [{"lr": repr(drawn.uniform(0, 1)), "id": str(number)} for number in range(1000)]
    assert told(rows, [float(row["lr"]) > 0.9 for row in rows]) == [
        "103 of 103 failures have lr>=0.8879472832020315"
    ]


def test_two_values_together_are_the_cause() -> None:
    rows = grid(model=["a", "b"], batch=["64", "512"], seed=list(map(str, range(20))))
    failed = [row["model"] == "b" and row["batch"] == "512" for row in rows]
    assert told(rows, failed) == ["20 of 20 failures have batch=512", "20 of 20 failures have model=b"]


def test_what_all_combinations_have_is_no_cause() -> None:
    rows = grid(seed=["42"], batch=["1", "2"] * 10)
    assert told(rows, [number % 3 == 0 for number in range(20)]) == []
    assert told(rows, [True] * 20) == []


def test_few_failures_say_nothing() -> None:
    rows = grid(model=["a", "b", "c", "d"], seed=list(map(str, range(50))))
    assert told(rows, [number < 2 for number in range(200)]) == []


def test_a_tendency_is_no_cause_however_sure_it_is() -> None:
    rows = [{"batch": "512" if number % 5 else "64"} for number in range(20_000)]
    drawn = random.Random(1)  # noqa: S311
    failed = [drawn.random() < (0.12 if row["batch"] == "512" else 0.08) for row in rows]
    assert told(rows, failed) == []


def test_what_some_have_not_at_all() -> None:
    rows = [{"kind": "svc", "C": "1"}] * 30 + [{"kind": "knn"}] * 30
    assert told(rows, [number < 25 for number in range(60)]) == [
        "25 of 25 failures have C=1",
        "25 of 25 failures have kind=svc",
    ]


def test_failures_without_a_cause_are_hardly_ever_explained() -> None:
    rows = grid(
        model=["a", "b", "c"],
        batch=["32", "64", "128", "256"],
        seed=list(map(str, range(1, 6))),
        lr=["1", "2"],
    )
    said = 0
    for seed in range(1000):
        drawn = random.Random(seed)  # noqa: S311
        rate = drawn.choice([0.03, 0.1, 0.5])
        said += bool(told(rows, [drawn.random() < rate for _ in rows]))
    assert said <= 10
