"""Columns of numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.report.numbers import significant


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.98611, 0.98], ["0.9861", "0.9800"]),
        ([3.0, None, 10.0], ["3", "", "10"]),
        ([3.0, 0.5], ["3.000", "0.5000"]),
        ([1234.56, 1.0], ["1235", "1.000"]),
        ([12345.0], ["1.234e+04"]),
        ([1e-7], ["1.000e-07"]),
        ([math.nan, math.inf, 1.0], ["nan", "inf", "1"]),
        ([-0.123456], ["-0.1235"]),
        ([], []),
    ],
)
def test_four_digits_in_one_notation(values: list[float | None], texts: list[str]) -> None:
    assert significant(values) == texts


@given(st.lists(st.floats(-1e300, 1e300)))
def test_no_number_is_off_by_more_than_its_fourth_digit(values: list[float]) -> None:
    for value, text in zip(values, significant(values), strict=True):
        assert math.isclose(float(text), value, rel_tol=5.0001e-4, abs_tol=1e-300)
