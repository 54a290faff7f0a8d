"""Covering arrays: how small and fast they are, and what is too large to make."""

from __future__ import annotations

import time

import pytest

from sweeplib.errors import PlanError
from sweeplib.plan import Plan
from sweeplib.plan.cover import Allowed, cover
from tests.plans import job, plan


@pytest.mark.parametrize(
    ("sizes", "strength", "most"),
    [
        ([3] * 4, 2, 9),  # an orthogonal array, which nothing is smaller than
        ([5] * 6, 2, 25),  # likewise
        ([3] * 13, 2, 21),
        ([2] * 100, 2, 16),
        ([10] * 10, 2, 175),
        ([10] * 20, 2, 235),
        ([2] * 10, 3, 20),
        ([4] * 10, 3, 165),
        ([2] * 12, 6, 245),
        ([7, 6, 5, 4, 3, 2, 2], 2, 44),
        ([4, 1, 5], 1, 5),
    ],
)
def test_an_array_is_small(sizes: list[int], strength: int, most: int) -> None:
    assert len(cover(Allowed(sizes), strength)) <= most


def test_an_array_to_read() -> None:
    assert cover(Allowed([2, 1, 3, 2]), 2) == [
        (0, 0, 0, 0),
        (0, 0, 1, 1),
        (0, 0, 2, 1),
        (1, 0, 0, 1),
        (1, 0, 1, 0),
        (1, 0, 2, 0),
    ]


def test_what_is_not_allowed_is_not_in_it() -> None:
    # Of columns 0 and 2, with 2 and 3 places: the numbers 0 (0, 0), 1 (0, 1) and 5 (1, 2).
    found = cover(Allowed([2, 2, 3], [0, 2], [0, 1, 5]), 2)
    assert found == [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 2), (1, 1, 2)]
    assert cover(Allowed([2, 2, 3], [0, 2], [0, 1, 5]), 1) == [(0, 0, 0), (0, 1, 1), (1, 0, 2)]
    assert cover(Allowed([2, 2, 3], [0, 2], []), 2) == []


def test_no_columns_make_one_row() -> None:
    assert cover(Allowed([]), 2) == [()]
    assert cover(Allowed([1, 1]), 1) == [(0, 0)]


def test_twenty_parameters_of_ten_values_take_no_time() -> None:
    begin = time.process_time()
    found = cover(Allowed([10] * 20), 2)
    assert time.process_time() - begin < 3
    assert len(found) < 235


def test_a_cover_of_all_at_once_is_the_product_however_long() -> None:
    found = plan({"each": "a=1:1000000000 b=5 c=1:3", "cover": 2})
    assert len(found) == 3_000_000_000
    assert found[-1].parameters == {"a": "1000000000", "b": "5", "c": "3"}
    assert Plan(job({"each": "a=1:1000000000 b=1:3", "cover": 4}), only="b=2")[4].parameters == {
        "a": "5",
        "b": "2",
    }


def test_what_goes_in_step_or_is_drawn_is_one_value() -> None:
    found = plan({"each": "x=~uniform(0,1) a=1,2 y=~uniform(0,1)", "n": 4, "zip": "p=1:3 q=4:6", "cover": 2})
    assert len(found) == 12
    assert {(one.parameters["x"], one.parameters["y"], one.parameters["p"]) for one in found} == {
        (x, y, p)
        for x, y in {(one.parameters["x"], one.parameters["y"]) for one in found}
        for p in ("1", "2", "3")
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"each": " ".join(f"p{i}=1:10" for i in range(20)), "cover": 3},
            (
                "a cover of 1,140,000 combinations of 3 values is more than can be made (1,000,000); "
                "sweep fewer values, or let fewer of them meet"
            ),
        ),
        (
            {"each": "a=1:1000000 b=1,2", "cover": 1},
            "a cover of 1,000,002 values is more than can be made (1,000,000); sweep fewer values",
        ),
        (
            {"each": "a=1:950 b=1:950 c=1,2", "exclude": "a == b", "cover": 2},
            (
                "a cover of the 901,550 combinations that conditions leave is too large to make; "
                "sweep fewer values of the parameters in the conditions"
            ),
        ),
    ],
)
def test_what_is_too_large(fields: dict[str, str], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        plan(fields)
    assert str(caught.value) == f"job 'train': cover: {message}"
