"""How long a combination will take, from earlier attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweeplib.forecast import Expected, Forecast, Forecasts
from sweeplib.ledger import Ledger, Submission, Sweep
from sweeplib.run.model import Attempt, Outcome
from tests.plans import plan

if TYPE_CHECKING:
    from pathlib import Path

GRID = Forecast(
    ({"model": model, "n": str(n)}, factor * n)
    for model, factor in (("svc", 1.0), ("mlp", 5.0), ("tree", 0.5))
    for n in (10, 100, 1000)
)


@pytest.mark.parametrize("known", [[], [({"a": "1"}, 1.0)], [({"a": "1"}, 1.0), ({"a": "2"}, 1.0)] * 3])
def test_too_few_combinations_say_nothing_of_others(known: list[tuple[dict[str, str], float]]) -> None:
    assert Forecast(known).expected({"a": "3"}) is None


def test_one_attempt_says_how_long_the_same_takes() -> None:
    found = Forecast([({"lr": "1m"}, 7.0)]).expected({"lr": "0.001"})
    assert found == Expected(7.0, repeats=1, attempts=1)
    assert str(found) == "it took that long before (1 time)"


def test_the_same_takes_the_median_of_its_times() -> None:
    found = Forecast([({"a": "1"}, 3.0), ({"a": "1"}, 100.0), ({"a": "1"}, 2.0)]).expected({"a": "1"})
    assert found == Expected(3.0, repeats=3, attempts=3)
    assert str(found) == "it took that long before (3 times)"


def test_another_one_takes_what_its_values_say() -> None:
    known = [
        ({"model": model, "n": str(n)}, factor * n)
        for model, factor in (("svc", 1.0), ("mlp", 5.0), ("tree", 0.5))
        for n in (10, 100, 1000)
        if (model, n) != ("mlp", 1000)
    ]
    found = Forecast(known).expected({"n": "1000", "model": "mlp"})
    assert found is not None
    assert found.seconds == pytest.approx(5000, rel=0.1)
    assert found.known
    assert str(found) == "from 8 earlier attempts"


@pytest.mark.parametrize(
    ("n", "seconds"),
    [
        ("300", 300),
        ("31.6", 31.6),
        ("3k", 3000),
        ("1M", 100_000),
        ("1", 1),
        ("0", 100),
        ("-5", 100),
        ("x", 100),
    ],
)
def test_numbers_between_and_beyond_those_seen(n: str, seconds: float) -> None:
    found = GRID.expected({"model": "svc", "n": n})
    assert found is not None
    assert found.seconds == pytest.approx(seconds, rel=0.05)
    assert found.unseen == ("n",)
    assert str(found) == "from 9 earlier attempts at other values of n"


def test_beyond_two_numbers_it_stays_as_it_is() -> None:
    forecast = Forecast(({"n": n, "seed": seed}, float(n)) for n in ("1", "2") for seed in ("1", "2", "3"))
    assert [found.seconds for n in ("2", "4") if (found := forecast.expected({"n": n, "seed": "9"}))] == [
        pytest.approx(2, rel=0.1)
    ] * 2


def test_beyond_numbers_without_order_it_stays_as_it_is() -> None:
    forecast = Forecast(
        ({"n": n, "seed": seed}, seconds)
        for n, seconds in (("1", 5.0), ("2", 1.0), ("3", 7.0))
        for seed in ("1", "2", "3")
    )
    found = forecast.expected({"n": "100", "seed": "1"})
    assert found is not None
    assert found.seconds == pytest.approx(7, rel=0.1)


def test_numbers_of_any_sign_are_taken_as_they_are() -> None:
    forecast = Forecast(
        ({"n": n, "seed": seed}, 2.0 ** float(n)) for n in ("-2", "0", "2") for seed in ("1", "2", "3")
    )
    found = forecast.expected({"n": "1", "seed": "1"})
    assert found is not None
    assert found.seconds == pytest.approx(2, rel=0.05)


def test_texts_and_parameters_never_seen_change_nothing() -> None:
    found = GRID.expected({"model": "new", "n": "100", "depth": "3"})
    assert found is not None
    assert found.seconds == pytest.approx(100, rel=0.1)
    assert not found.known
    assert str(found) == "from 9 earlier attempts at other values of depth, model"


def test_a_parameter_that_is_missing_is_a_value_too() -> None:
    known = [({"x": x}, 1.0) for x in "123"] + [({"x": x, "extra": "yes"}, 50.0) for x in "12"]
    found = Forecast(known).expected({"x": "3", "extra": "yes"})
    assert found is not None
    assert found.known
    assert found.seconds == pytest.approx(50, rel=0.3)


def test_the_newest_sweeps_of_the_job_are_what_it_rests_on(tmp_path: Path) -> None:
    made = plan("k=a,b,c")
    keys = [each.key for each in made]
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        for number, (job, seconds, arguments) in enumerate(
            [("train", 4.0, ()), ("other", 9.0, ()), ("train", 6.0, ()), ("train", 1.0, ("-q",))]
        ):
            sweep = f"01J{number:023d}"
            ledger.add_sweep(
                Sweep(id=sweep, job=job, lineage=sweep, total=2, created=1.0, arguments=arguments)
            )
            rows = [
                Submission(key=each.key, position=0, label="", parameters=each.parameters) for each in made
            ]
            ledger.submit(sweep, rows)
            done = 100.0 + seconds
            ended = [
                Attempt(key=keys[0], number=1, outcome=Outcome.FAILED, started=10.0, ended=100.0),
                Attempt(key=keys[0], number=2, outcome=Outcome.COMPLETED, started=100.0, ended=done),
                Attempt(key=keys[1], number=1, outcome=Outcome.FAILED, started=10.0, ended=99.0),
            ]
            ledger.record(sweep, ended)
        forecast = Forecasts.of(ledger, made)
        newest = ledger.durations("train", (), 1)
    assert forecast.expected(made[0], {"k": "a"}) == Expected(5.0, repeats=2, attempts=2)
    assert forecast.expected(made[1], {"k": "b"}) is None
    assert forecast.basis == 2
    assert [(each.key, each.parameters, each.seconds) for each in newest] == [(keys[0], {"k": "a"}, 6.0)]
