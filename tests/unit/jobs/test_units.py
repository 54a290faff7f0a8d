"""Durations and limits on failures."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.errors import InputError
from sweeplib.jobs import FailureLimit, Multiple, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90.0),
        (0, 0.0),
        (1.5, 1.5),
        ("90", 90.0),
        ("10s", 10.0),
        ("5m", 300.0),
        ("2h", 7200.0),
        ("1h30m", 5400.0),
        ("1d", 86400.0),
        ("1d2h3m4s", 93784.0),
        ("1.5h", 5400.0),
        ("0.1s", 0.1),
        (" 10s ", 10.0),
        ("10000d", 864000000.0),
    ],
)
def test_duration(written: object, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    ["", "s", "10 s", "10x", "1m1h", "1h1h", "-1", "-1s", "1:30", "1e3", ".5s", "٣s", "inf", "nan", "ten"],
)
def test_what_is_no_duration_is_named_with_the_remedy(written: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_duration(written)
    assert str(caught.value) == (
        f"{written!r} is not a duration; write seconds (90) or, with units, 10s, 5m, 1h30m, 1d"
    )


@pytest.mark.parametrize("value", [None, True, [1], {"s": 1}])
def test_a_value_of_another_kind_is_no_duration(value: object) -> None:
    with pytest.raises(InputError) as caught:
        parse_duration(value)
    assert (
        str(caught.value) == "this is not a duration; write seconds (90) or, with units, 10s, 5m, 1h30m, 1d"
    )


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -0.5])
def test_a_number_that_is_no_length_of_time(value: float) -> None:
    with pytest.raises(InputError):
        parse_duration(value)


@pytest.mark.parametrize("value", ["10001d", "9" * 400, 10**30, 1e300])
def test_a_duration_has_an_end(value: object) -> None:
    with pytest.raises(InputError) as caught:
        parse_duration(value)
    assert str(caught.value) == f"{str(value)!r} is too long a duration; 10000d is the longest"


@given(st.integers(0, 9990), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_units_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    text = f"{days}d{hours}h{minutes}m{seconds}s"
    assert parse_duration(text) == ((days * 24 + hours) * 60 + minutes) * 60 + seconds


@pytest.mark.parametrize(
    ("written", "total", "limit"),
    [
        (5, 100, 5),
        (0, 100, 0),
        ("5", 100, 5),
        ("10%", 100, 10),
        ("10%", 15, 1),
        ("10%", 9, 0),
        ("0%", 10**9, 0),
        ("100%", 7, 7),
        ("12.5%", 8, 1),
        (" 10% ", 100, 10),
        ("33.3%", 10**18, 333 * 10**15),
    ],
)
def test_failure_limit(written: object, total: int, limit: int) -> None:
    assert FailureLimit.parse(written).limit(total) == limit


@pytest.mark.parametrize("written", ["5", "10%", "12.5%"])
def test_a_limit_is_written_as_it_was_read(written: str) -> None:
    assert str(FailureLimit.parse(written)) == written


@pytest.mark.parametrize(
    "written", ["", "%", "101%", "100.1%", "-1", "-1%", "1.5", "10 %", "ten", "1e1%", "٣"]
)
def test_what_is_no_limit_is_named_with_the_remedy(written: str) -> None:
    with pytest.raises(InputError) as caught:
        FailureLimit.parse(written)
    assert str(caught.value) == (
        f"{written!r} is not a limit on failures; write a count (5) or a percentage from 0% to 100% (10%)"
    )


@pytest.mark.parametrize("value", [None, [5]])
def test_a_value_of_another_kind_is_no_limit(value: object) -> None:
    with pytest.raises(InputError) as caught:
        FailureLimit.parse(value)
    assert str(caught.value) == (
        "this is not a limit on failures; write a count (5) or a percentage from 0% to 100% (10%)"
    )


@given(st.decimals(0, 100, places=3), st.integers(0, 2**63 - 1))
def test_one_failure_more_than_the_limit_is_above_the_percentage(percent: Decimal, total: int) -> None:
    limit = FailureLimit.parse(f"{percent}%").limit(total)
    thousandths = int(percent * 1000)
    assert limit * 100_000 <= thousandths * total < (limit + 1) * 100_000


@pytest.mark.parametrize(("written", "seconds"), [("3x", 36.0), ("2.5x", 30.0), (" 1.01x ", 12.12)])
def test_a_multiple_of_the_expected_time(written: str, seconds: float) -> None:
    found = Multiple.parse(written)
    assert found.of(12) == pytest.approx(seconds)
    assert str(found) == found.written() == written.strip()


@pytest.mark.parametrize("written", ["x3", "-1x", "3 x", "3X", "x", "1e3x", "٣x"])
def test_what_is_no_multiple_is_named_with_the_remedy(written: str) -> None:
    with pytest.raises(InputError) as caught:
        Multiple.parse(written)
    assert str(caught.value) == (
        f"{written!r} is not a multiple of the expected time; write a number and an x, as in 3x or 2.5x"
    )


@pytest.mark.parametrize("written", ["0x", "1x", "0.5x"])
def test_a_multiple_that_would_end_what_takes_as_long_as_expected(written: str) -> None:
    with pytest.raises(InputError) as caught:
        Multiple.parse(written)
    assert str(caught.value) == f"must be more than 1x the expected time, such as 3x, not {written!r}"
