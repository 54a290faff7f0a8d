"""Which metric ranks, in which direction, and where the others go."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.errors import InputError
from sweeplib.report.ranking import lower_is_better, rank
from sweeplib.report.results import Result
from sweeplib.run.model import Outcome


def result(key: str, outcome: Outcome | None = Outcome.COMPLETED, **metrics: float) -> Result:
    return Result(key=key, outcome=outcome, duration=1.0, parameters={}, metrics=metrics)


@pytest.mark.parametrize(
    "name",
    ["loss", "val_loss", "log-loss", "test/rmse", "Error", "fit_seconds", "latency.p99", "train time",
     "perplexity", "negative_log_likelihood", "kl_divergence", "fit_time_ms"],
)  # fmt: skip
def test_lower_is_better(name: str) -> None:
    assert lower_is_better(name)


@pytest.mark.parametrize(
    "name",
    ["accuracy", "f1", "glossary", "timely", "terror", "neg_log_loss", "neg_mean_squared_error",
     "log_likelihood", "throughput", "auc", ""],
)  # fmt: skip
def test_higher_is_better(name: str) -> None:
    assert not lower_is_better(name)


def test_the_first_metric_in_the_alphabet_ranks() -> None:
    ranking = rank([result("a", loss=1, accuracy=0.5), result("b", loss=0, accuracy=0.9)])
    assert (ranking.metric, ranking.ascending) == ("accuracy", False)
    assert [(row.rank, row.key) for row in ranking.results] == [(1, "b"), (2, "a")]


def test_a_loss_ranks_upwards_unless_told() -> None:
    rows = [result("a", loss=1), result("b", loss=0)]
    assert [row.key for row in rank(rows, "loss").results] == ["b", "a"]
    assert [row.key for row in rank(rows, "loss", ascending=False).results] == ["a", "b"]
    assert [row.key for row in rank(rows, "loss", ascending=True).results] == ["b", "a"]


def test_those_without_the_metric_come_after_and_those_that_ended_badly_last() -> None:
    rows = [
        result("failed", Outcome.FAILED, m=9.0),
        result("running", None),
        result("low", m=1.0),
        result("nan", m=math.nan),
        result("other", n=1.0),
        result("lost", Outcome.LOST),
        result("high", m=math.inf),
        result("as low", m=1.0),
    ]
    assert [(row.rank, row.key) for row in rank(rows, "m").results] == [
        (1, "high"),
        (2, "low"),
        (3, "as low"),
        (None, "running"),
        (None, "nan"),
        (None, "other"),
        (None, "failed"),
        (None, "lost"),
    ]


def test_best_leaves_the_ranked_ones() -> None:
    ranking = rank([result("a", m=1.0), result("b", m=3.0), result("c", m=2.0), result("d")])
    assert [row.key for row in ranking.best(2)] == ["b", "c"]
    assert [row.key for row in ranking.best(9)] == ["b", "c", "a"]


def test_without_any_metric_the_plan_keeps_its_order_and_none_is_best() -> None:
    ranking = rank([result("b"), result("x", Outcome.FAILED), result("a")])
    assert (ranking.metric, [row.key for row in ranking.results]) == (None, ["b", "a", "x"])
    message = "no combination has logged a metric, so none is best; leave --best out"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        ranking.best(1)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [result("a", loss=1, accuracy=1)],
            "there is no metric 'acuracy'; did you mean 'accuracy'? (metrics: accuracy, loss)",
        ),
        ([result("a")], "there is no metric 'acuracy': no combination has logged any"),
    ],
)
def test_an_unknown_metric_is_the_users_mistake(rows: list[Result], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        rank(rows, "acuracy")


outcomes = st.sampled_from([*Outcome, None])
values = st.dictionaries(st.sampled_from(["m", "n"]), st.floats(), max_size=2)


@given(st.lists(st.tuples(outcomes, values)), st.sampled_from([None, True, False]))
def test_ranking_keeps_every_result_once(
    given_rows: list[tuple[Outcome | None, dict[str, float]]], ascending: bool | None
) -> None:
    rows = [result(str(place), outcome, **metrics) for place, (outcome, metrics) in enumerate(given_rows)]
    ranking = rank(rows, ascending=ascending)
    assert sorted(row.key for row in ranking.results) == sorted(row.key for row in rows)
    ranked = [row for row in ranking.results if row.rank is not None]
    assert [row.rank for row in ranked] == list(range(1, len(ranked) + 1))
    assert list(ranking.results[: len(ranked)]) == ranked
    numbers = [row.metrics[ranking.metric or ""] for row in ranked]
    assert numbers == sorted(numbers, reverse=not ranking.ascending)
