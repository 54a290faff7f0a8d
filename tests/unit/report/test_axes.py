"""Parameters as axes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.report.axes import Scale, axes_of, axis_of
from sweeplib.report.results import Result

MIXED = {"b": "1", "a": "2"}, {"c": "1"}
VALUES = st.lists(st.none() | st.sampled_from(["1", "1.0", "1k", "1e3", "0", "-2", "", "a", "b", "1e500"]))


def results(*values: str | None) -> list[Result]:
    return [
        Result(
            key=str(place),
            outcome=None,
            duration=None,
            parameters={} if value is None else {"p": value},
            metrics={},
        )
        for place, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ("1 2 3", Scale.LINEAR),
        ("-1 0 1", Scale.LINEAR),
        ("1e-3 5e-2", Scale.LINEAR),
        ("1m 0.1", Scale.LOG),
        ("1e-300 1e300", Scale.LOG),
        ("0 1e-4 1e-2", Scale.CATEGORY),
        ("1 auto", Scale.CATEGORY),
        ("a b", Scale.CATEGORY),
        ("1 1e308", Scale.CATEGORY),
        ("1 1e400", Scale.CATEGORY),
        ("1 1e-400", Scale.CATEGORY),
    ],
)
def test_the_scale_shows_the_values(values: str, scale: Scale) -> None:
    assert axis_of("p", results(*values.split())).scale is scale


def test_numbers_come_upwards_and_texts_as_they_appear() -> None:
    axis = axis_of("p", results("b", "10", "a", None, "2", "10.0"))
    assert axis.texts == ("2", "10", "b", "a")
    assert axis.numbers is None
    assert axis.codes == (2, 1, 3, None, 0, 1)
    assert repr(axis.features) == "[2.0, 1.0, 3.0, nan, 0.0, 1.0]"


def test_one_number_is_one_value() -> None:
    axis = axis_of("p", results("1m", "0.001", "1e-3"))
    assert (axis.texts, axis.numbers, axis.varies) == (("1m",), (0.001,), False)


def test_a_parameter_that_some_have_varies() -> None:
    axis = axis_of("p", results("1", None))
    assert axis.varies
    assert repr(axis.features) == "[0.0, nan]"


def test_neighbours_share_a_place_of_a_heat_map() -> None:
    axis = axis_of("p", results(*map(str, range(50))))
    assert len(axis.labels) == 17
    assert axis.labels[:2] == ("0 … 2", "3 … 5")
    assert axis.labels[-1] == "48 … 49"
    assert axis.places[:4] == (0, 0, 0, 1)


def test_parameters_come_in_the_order_in_which_they_appear() -> None:
    made = [replace(each, parameters=names) for each, names in zip(results(None, None), MIXED, strict=True)]
    assert [axis.name for axis in axes_of(made)] == ["b", "a", "c"]


@pytest.mark.parametrize(
    "values",
    [
        ["9007199254740992", "9007199254740993"],
        [str(10**40 + number) for number in range(20)],
        ["9007199254740992", "9007199254740994"],
        ["1e400", "2e400"],
    ],
)
def test_numbers_that_an_axis_does_not_tell_apart_are_different(values: list[str]) -> None:
    axis = axis_of("p", results(*reversed(values)))
    assert axis.texts == tuple(values)
    assert axis.codes == tuple(reversed(range(len(values))))
    assert axis.scale is Scale.CATEGORY


@given(VALUES)
def test_every_result_has_its_value(values: list[str | None]) -> None:
    axis = axis_of("p", results(*values))
    assert [code is None for code in axis.codes] == [value is None for value in values]
    assert len(axis.places) == len(axis.texts) == len(set(axis.texts))
    assert {code for code in axis.codes if code is not None} == set(range(len(axis.texts)))
    assert sorted(set(axis.places)) == list(range(len(axis.labels)))
    if axis.numbers is not None:
        assert list(axis.numbers) == sorted(axis.numbers)
