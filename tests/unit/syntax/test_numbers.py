"""Which texts are numbers, and what they mean."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sweeplib.syntax import number


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("1", "1"),
        ("-1.50", "-1.5"),
        ("+.5", "0.5"),
        ("1.", "1"),
        ("0", "0"),
        ("-0.0", "0"),
        ("1e-3", "0.001"),
        ("1E+03", "1000"),
        ("1m", "0.001"),
        ("4G", "4e9"),
        ("1.5k", "1500"),
        ("2f", "2e-15"),
        ("2p", "2e-12"),
        ("2n", "2e-9"),
        ("2u", "2e-6"),
        ("2M", "2e6"),
        ("2T", "2e12"),
        ("123456789012345678901234567890.1", "123456789012345678901234567890.1"),
    ],
)
def test_number(text: str, meaning: str) -> None:
    assert number(text) == Decimal(meaning)


NO_NUMBERS = """
x . - e3 k 1K 1kk 1e3k 1e '1' 1,2 007 -01 00.5 1_000 inf nan 0x10 1e1000 \N{ARABIC-INDIC DIGIT ONE}
"""


@pytest.mark.parametrize("text", ["", "1 ", *NO_NUMBERS.split()])
def test_no_number(text: str) -> None:
    assert number(text) is None
