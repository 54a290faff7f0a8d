"""Which parameters the metric depends on."""

from __future__ import annotations

import math
import random
from itertools import product
from typing import Any

import pytest

from sweeplib.report.axes import axes_of
from sweeplib.report.page.importance import LEAST, Importance, importance_of
from sweeplib.report.ranking import rank


def measured(results: Any) -> Importance:
    ranking = rank(results)
    return importance_of(ranking, [axis for axis in axes_of(ranking.results) if axis.varies])


def grid(result: Any, score: Any) -> list[Any]:
    """Return results of all combinations of three parameters."""
    cells = product(["1e-4", "1e-3", "1e-2", "1e-1"], ["a", "b", "c"], ["1", "2", "3", "4"])
    return [
        result(
            number, {"score": score(math.log10(float(lr)), model, int(seed))}, lr=lr, model=model, seed=seed
        )
        for number, (lr, model, seed) in enumerate(cells)
    ]


def test_what_matters_comes_first(result: Any) -> None:
    found = measured(grid(result, lambda lr, model, _: -((lr + 2) ** 2) + {"a": 1, "b": 0, "c": 0.5}[model]))
    assert [share.name for share in found.shares] == ["lr", "model", "seed"]
    lr, model, seed = (share.mean for share in found.shares)
    assert lr > 0.5 > model > 0.02 > seed
    assert found.score > 0.8
    assert not found.doubtful
    assert found.looked == 48


def test_a_category_in_the_middle_is_seen(result: Any) -> None:
    found = measured(grid(result, lambda _, model, seed: float(model == "b") + seed / 1000))
    assert found.shares[0].name == "model"


def test_one_that_diverged_does_not_outweigh_the_others(result: Any) -> None:
    def score(lr: float, model: str, seed: int) -> float:
        return math.inf if (lr, model, seed) == (-1, "a", 4) else 10 * lr + seed / 100

    assert measured(grid(result, score)).shares[0].name == "lr"


def test_noise_is_called_that(result: Any) -> None:
    noise = random.Random(7)  # noqa: S311 - no secret
    found = measured(grid(result, lambda *_: noise.random()))
    assert found.doubtful


def test_it_is_the_same_each_time(result: Any) -> None:
    results = grid(result, lambda lr, _, seed: lr + seed)
    assert measured(results) == measured(results)


def test_parameters_that_some_have_not(result: Any) -> None:
    results = [result(number, {"m": number % 2}, a=str(number % 2)) for number in range(30)]
    results += [result(100 + number, {"m": number % 3}, b=str(number % 3)) for number in range(30)]
    assert {share.name for share in measured(results).shares} == {"a", "b"}


def test_numbers_that_32_bits_do_not_hold(result: Any) -> None:
    cells = product(["0", "1", "1e40", "-1e40"], ["1", "2", "3", "4", "5", "6"])
    results = [result(place, {"m": int(y)}, penalty=penalty, y=y) for place, (penalty, y) in enumerate(cells)]
    found = measured(results)
    assert [share.name for share in found.shares] == ["y", "penalty"]
    assert found.score > 0.9


def test_a_parameter_that_hardly_any_has(result: Any) -> None:
    results = [result(number, {"m": number % 7}, a=str(number % 7)) for number in range(30)]
    assert measured([*results, result(99, {"m": 3}, a="3", b="x")]).shares[0].name == "a"


@pytest.mark.parametrize(
    ("count", "slope", "reason"),
    [
        (LEAST - 1, 1.0, f"needs {LEAST} combinations with the metric, and there are {LEAST - 1}"),
        (LEAST, 0.0, "all combinations have the same m"),
    ],
)
def test_where_it_cannot_be_told(result: Any, count: int, slope: float, reason: str) -> None:
    results = [result(number, {"m": slope * number}, a=str(number)) for number in range(count)]
    assert measured(results) == Importance(reason=reason)


def test_where_the_sample_has_one_value(result: Any) -> None:
    results = [result(number, {"m": float(number > 0)}, a=str(number % 2)) for number in range(6_000)]
    assert measured(results) == Importance(reason="all 2,000 combinations looked at have the same m")


def test_where_nothing_varies(result: Any) -> None:
    found = measured([result(number, {"m": number}, a="1") for number in range(LEAST)])
    assert found == Importance(reason="no parameter varies")


def test_without_a_metric(result: Any) -> None:
    assert measured([result(1, a="1")]).reason.endswith("and there are 0")
