"""Durations for a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.report.duration import humanise


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 s"),
        (-3, "0.00 s"),
        (0.041, "0.04 s"),
        (0.994, "0.99 s"),
        (0.996, "1.0 s"),
        (12.34, "12.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1m 00s"),
        (245, "4m 05s"),
        (3599.4, "59m 59s"),
        (3599.6, "1h 00m"),
        (7380, "2h 03m"),
        (86_369, "23h 59m"),
        (86_371, "1d 00h"),
        (93_600, "1d 02h"),
        (100 * 86_400, "100d 00h"),
    ],
)
def test_two_units(seconds: float, text: str) -> None:
    assert humanise(seconds) == text


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@given(st.floats(0, 1e8))
def test_the_text_is_off_by_at_most_half_of_its_last_unit(seconds: float) -> None:
    text = humanise(seconds)
    if text.endswith(" s"):
        shown, last = float(text[:-2]), 0.01 if len(text.partition(".")[2]) == 4 else 0.1
    else:
        parts = text.split()
        shown = sum(int(part[:-1]) * UNITS[part[-1]] for part in parts)
        last = UNITS[parts[-1][-1]]
        assert int(parts[1][:-1]) < {"s": 60, "m": 60, "h": 24}[parts[1][-1]]
    assert abs(shown - seconds) <= last / 2 + 1e-9
