"""Functions that make values or draw them; and every message about them."""

from __future__ import annotations

import math
import statistics

import pytest

from sweeplib.errors import SweepSyntaxError
from sweeplib.syntax import Drawing, collect, expand, parse_all, parse_each
from sweeplib.syntax.draws import bits

TWO = Drawing(2)
HELD = "expected numbers of which every draw is one that a computer can hold"


def values(text: str, count: int = 1, seed: int = 0) -> list[str]:
    """Return the values of the only parameter."""
    (argument,) = parse_each(text, drawing=Drawing(count, seed))
    assert [argument[i] for i in range(len(argument))] == list(argument)
    return [cell.value for cell in argument]


def message(text: str, drawing: Drawing | None = TWO) -> str:
    """Return what is said about `text`, without the text and the marks below it."""
    with pytest.raises(SweepSyntaxError) as caught:
        parse_each(text, drawing=drawing)
    shown, marks, said = str(caught.value).split("\n")
    start = marks.index("^")
    return f"{shown[start : start + marks.count('^')]}: {said}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=~linspace(0,1,5)", ["0", "0.25", "0.5", "0.75", "1"]),
        ("a=~linspace(0.1, 0.9, 5)", ["0.1", "0.3", "0.5", "0.7", "0.9"]),
        ("a=~linspace(0,1,4)", ["0", "0.3333333333333333", "0.6666666666666667", "1"]),
        ("a=~linspace(1,-1,3)", ["1", "0", "-1"]),
        ("a=~linspace(5,9,1)", ["5"]),
        ("a=~linspace(1m,3m,3)", ["0.001", "0.002", "0.003"]),
        ("a=~linspace(0,1e-5,2)", ["0", "1e-05"]),
        ("a=~logspace(-4,-1,4)", ["0.0001", "0.001", "0.01", "0.1"]),
        ("a=~logspace(0,1,3)", ["1", "3.16227766016838", "10"]),
        ("a=~geomspace(1e-4,1e-1,4)", ["0.0001", "0.001", "0.01", "0.1"]),
        ("a=~geomspace(-1,-100,3)", ["-1", "-10", "-100"]),
        ("a=0,~linspace(1,2,2),x", ["0", "1", "2", "x"]),
        ("a/k=~linspace(1,2,2)", ["1e3", "2e3"]),
        ("a=v(~linspace(1,2,2))", ["v1", "v2"]),
    ],
)
def test_spaced(text: str, expected: list[str]) -> None:
    found = values(text)
    if "3.16227766016838" in expected:
        assert [float(value) for value in found] == pytest.approx([1, math.sqrt(10), 10], rel=1e-15)
    else:
        assert found == expected


def test_spaced_numbers_are_joined_in_all() -> None:
    assert collect("a=~linspace(1,2,3)") == ["a=1,1.5,2"]


def test_a_billion_numbers_are_not_made() -> None:
    (argument,) = parse_each("a=~linspace(0,1e9,1000000001)")
    assert (len(argument), argument[-1].value, argument[123_456_789].value) == (
        1_000_000_001,
        "1000000000",
        "123456789",
    )


def test_what_is_no_known_function_is_as_it_was() -> None:
    assert list(expand("a=~x,~ b='~uniform(0,1)'")) == [
        ["a=~x", "b='~uniform(0,1)'"],
        ["a=~", "b='~uniform(0,1)'"],
    ]


def test_draws_are_the_same_for_ever() -> None:
    """On every machine: these are what the first release draws."""
    assert bits(0, "lr", 0) == 0x8F0D84A16871426B0DC110B0792C7CD8
    assert values("lr=~loguniform(1e-4,1e-1)", 3) == ["0.0047467904", "0.039831584", "0.00061272176"]
    assert values("n=~randint(1,6)", 8, seed=7) == ["5", "6", "4", "6", "6", "5", "4", "1"]


@pytest.mark.parametrize(
    ("text", "low", "high", "median"),
    [
        ("a=~uniform(2,6)", 2, 6, 4),
        ("a=~loguniform(1e-4,1)", 1e-4, 1, 1e-2),
        ("a=~normal(5,0.1)", 4, 6, 5),
        ("a=~lognormal(0,0.1)", 0.5, 2, 1),
        ("a=~randint(0,100)", 0, 100, 50),
    ],
)
def test_draws_have_their_distribution(text: str, low: float, high: float, median: float) -> None:
    found = [float(value) for value in values(text, 2_000)]
    assert low <= min(found)
    assert max(found) <= high
    assert statistics.median(found) == pytest.approx(median, rel=0.12)
    assert len(set(found)) > (90 if "randint" in text else 1_990)


def test_whole_numbers_and_choices_are_even() -> None:
    assert sorted(set(values("a=~randint(1,3)", 100))) == ["1", "2", "3"]
    assert values("a=~randint(4,4)", 2) == ["4", "4"]
    found = values("a=~choice(x,'y, z',[1,2])", 3_000)
    assert sorted(set(found)) == ["'y, z'", "[1,2]", "x"]
    assert all(900 < found.count(value) < 1_100 for value in set(found))


def test_draws_depend_on_seed_parameter_and_number_alone() -> None:
    ten = values("a=~uniform(0,1)", 10)
    assert values("a=~uniform(0,1)", 20)[:10] == ten
    assert values("a=~uniform(0,1)", 10, seed=1) != ten
    assert values("b=~uniform(0,1)", 10) != ten
    both = parse_each("b=1,2 a=~uniform(0,1)", drawing=Drawing(10))
    assert [cell.value for cell in both[1]] == ten


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a=~linspce(0,1,5)",
            (
                "linspce: expected a function after the ~; did you mean 'linspace'?; "
                "put the value in quotes to mean the text"
            ),
        ),
        (
            "a=~f(1)",
            (
                "f: expected a function after the ~; the functions are linspace, logspace, geomspace, "
                "uniform, loguniform, randint, normal, lognormal, choice; "
                "put the value in quotes to mean the text"
            ),
        ),
        ("a=~linspace(0,1)", "~linspace(0,1): expected ~linspace(first,last,count), not 2 arguments"),
        ("a=~uniform(0)", "~uniform(0): expected ~uniform(low,high), not 1 arguments"),
        ("a=~uniform(0,)", "): expected ~uniform(low,high)"),
        ("a=~choice()", "): expected ~choice(value,value…)"),
        ("a=~linspace(x,1,2)", "x: expected a number as the first"),
        ("a=~linspace(0,1,0)", "0: expected how many numbers to make, a whole number of 1 or more"),
        ("a=~linspace(0,1,2.5)", "2.5: expected how many numbers to make, a whole number of 1 or more"),
        (
            "a=~linspace(0,1,99999999999999999999)",
            "99999999999999999999: expected at most 9,223,372,036,854,775,807 values",
        ),
        (
            "a=~geomspace(0,1,3)",
            "~geomspace(0,1,3): expected two numbers above 0, or two below, for a constant ratio",
        ),
        (
            "a=~logspace(0,400,3)",
            "~logspace(0,400,3): expected exponents of 10 up to 300; for numbers write ~geomspace",
        ),
        ("a=~uniform(1,1)", "1: expected a number above 1"),
        ("a=~uniform(2,1)", "1: expected a number above 2"),
        ("a=~randint(2,1)", "1: expected a number above 2"),
        ("a=~randint(1,2.5)", "2.5: expected a whole number"),
        ("a=~loguniform(0,1)", "0: expected a number above 0, of which there is a logarithm"),
        ("a=~loguniform(1e-400,1)", "~loguniform(1e-400,1): " + HELD),
        ("a=~lognormal(0,1000)", "~lognormal(0,1000): " + HELD),
        ("a=~uniform(-1e308,1e308)", "~uniform(-1e308,1e308): " + HELD),
        ("a=~normal(0,0)", "0: expected a deviation above 0"),
        (
            "a=~uniform(0,1)x",
            "x: expected nothing after a function; put the value in quotes to mean the text",
        ),
        (
            "a=1,~uniform(0,1)",
            (
                "~uniform(0,1): expected ~uniform(…) alone after the =, "
                "because a draw has one value of each parameter"
            ),
        ),
        ("a/k=~uniform(0,1)", "a/k: expected no suffix /k with a random value"),
        (
            "a=~uniform(0,1",
            "(: expected a ) to close this (; put the value in quotes to mean the text",
        ),
    ],
)
def test_messages(text: str, expected: str) -> None:
    assert message(text) == expected


def test_draws_need_to_be_counted() -> None:
    said = "~uniform(0,1): expected no random values here, for nothing says how many to draw"
    assert message("a=~uniform(0,1)", None) == said
    with pytest.raises(SweepSyntaxError, match=r"expected ~uniform\(…\) alone after the ="):
        parse_all("a=~uniform(0,1)")
