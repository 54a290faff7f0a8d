"""Laws of predictions: positive and finite, the same in any order, true where the data is."""

from __future__ import annotations

import itertools
import math
import random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeplib.forecast import Forecast

laws = settings(deadline=None, max_examples=150)

texts = st.sampled_from(["1", "2", "1e3", "-1", "0", "1e400", "nan", "svc", "", "a,b", "0.5", "2e-300"])
parameters = st.dictionaries(st.sampled_from("abc"), texts, max_size=3)
seconds = st.floats(0.0, 1e9) | st.sampled_from([-1.0, 1e-12])
attempts = st.lists(st.tuples(parameters, seconds), max_size=25)

# What each value multiplies the time by.
factors = st.dictionaries(
    st.sampled_from(["x", "y", "z"]),
    st.lists(st.floats(0.2, 20.0), min_size=1, max_size=5),
    min_size=1,
)


@laws
@given(attempts, parameters)
def test_predictions_are_positive_and_finite(
    known: list[tuple[dict[str, str], float]], asked: dict[str, str]
) -> None:
    forecast = Forecast(known)
    found = forecast.expected(asked)
    assert forecast.basis == len(known)
    if found is not None:
        assert 0 < found.seconds < math.inf
        assert (found.repeats > 0) <= found.known


@laws
@given(attempts, parameters, st.randoms(use_true_random=False))
def test_the_order_of_attempts_means_nothing(
    known: list[tuple[dict[str, str], float]], asked: dict[str, str], chance: random.Random
) -> None:
    other = known.copy()
    chance.shuffle(other)
    assert Forecast(known).expected(asked) == Forecast(other).expected(asked)


@laws
@given(parameters, st.lists(st.floats(0.01, 1e6), min_size=1), attempts)
def test_what_ran_before_takes_as_long_again(
    asked: dict[str, str], times: list[float], others: list[tuple[dict[str, str], float]]
) -> None:
    # A name of its own, as two texts may mean the same: 1e3 and 1000.
    own = {**asked, "own": "1"}
    found = Forecast([*others, *((own, each) for each in times)]).expected(own)
    assert found is not None
    assert found.seconds == median(times)
    assert found.repeats == len(times)
    assert found.attempts == len(others) + len(times)
    assert found.unseen == ()


def grid(factors: dict[str, list[float]]) -> list[tuple[dict[str, str], float]]:
    """Return all combinations of values, each with the product of its factors as its time."""
    return [
        (
            {name: f"v{place}" for name, place in zip(factors, places, strict=True)},
            math.prod(factors[name][place] for name, place in zip(factors, places, strict=True)),
        )
        for places in itertools.product(*(range(len(values)) for values in factors.values()))
    ]


@laws
@given(factors, st.data())
def test_what_is_a_product_is_recovered_from_part_of_it(
    factors: dict[str, list[float]], data: st.DataObject
) -> None:
    factors["w"] = [1.0, 2.0, 4.0]  # so that every value is seen often enough
    factors["v"] = [1.0, 0.5, 3.0]
    whole = grid(factors)
    left_out = data.draw(st.integers(0, len(whole) - 1))
    asked, truth = whole.pop(left_out)
    found = Forecast(whole).expected(asked)
    assert found is not None
    assert found.repeats == 0
    assert found.unseen == ()
    assert truth / 2 < found.seconds < truth * 2


@laws
@given(st.floats(0.1, 3.0), st.integers(0, 1000))
def test_a_few_outliers_change_little(power: float, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (no secret)
    known = [
        ({"n": str(n), "model": model, "seed": str(repeat)}, n**power * factor * chance.uniform(0.95, 1.05))
        for n in (1, 2, 4, 8, 16)
        for model, factor in (("a", 1.0), ("b", 3.0))
        for repeat in range(4)
    ]
    for place in chance.sample(range(len(known)), 3):
        known[place] = (known[place][0], known[place][1] * 1000)
    for n in (1, 4, 16):
        found = Forecast(known).expected({"n": str(n), "model": "b", "seed": "99"})
        assert found is not None
        assert found.seconds == pytest.approx(3 * n**power, rel=0.35)
        assert found.unseen == ("seed",)
