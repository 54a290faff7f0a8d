"""Ranges and suffixed numbers: what they are, how they are written, and every message about them."""

from __future__ import annotations

import sys

import pytest

from sweeplib.errors import SweepSyntaxError
from sweeplib.syntax import collect, parse_each

QUOTE = "put the value in quotes to mean the text"
LAST = "and a suffix at the range's end, after a colon"
STEP = "expected a number as the range's step, or a suffix (f p n u m k M G T, or e and an exponent)"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        # Integers.
        ("1:3", "1,2,3"),
        (":2", "0,1,2"),
        ("-1:1", "-1,0,1"),
        ("+1:+2", "1,2"),
        ("01:03", "1,2,3"),
        ("1:10:4", "1,5,9"),
        ("3:1:-1", "3,2,1"),
        ("5:5", "5"),
        ("5:5:-1", "5"),
        ("1000000:1000003", "1000000,1000001,1000002,1000003"),
        (
            "99999999999999999999:100000000000000000001",
            "99999999999999999999,100000000000000000000,100000000000000000001",
        ),
        # Decimals, exactly.
        ("0:0.3:0.1", "0,0.1,0.2,0.3"),
        ("-0.1:0.1:.1", "-0.1,0,0.1"),
        ("-0.2:-.1:.05", "-0.2,-0.15,-0.1"),
        ("1.:2:0.50", "1,1.5,2"),
        ("0.3:0:-0.1", "0.3,0.2,0.1,0"),
        ("0.1:2", "0.1,1.1"),
        # Like %g with the digits that were written ...
        ("1e-5:3e-5:1e-5", "1e-05,2e-05,3e-05"),
        ("1e-4:2e-4:1e-4", "0.0001,0.0002"),
        ("-1.2e3:-1.1e3:.1e3", "-1.2e+03,-1.1e+03"),
        ("1e100:2e100:1e100", "1e+100,2e+100"),
        ("5e0:1e1:5e0", "5,1e+01"),
        # ... and more where a number has more: the same notation for all of them.
        ("1e2:1.5e2:25", "100,125,150"),
        ("1:1e2:33", "1,34,67,1e+02"),
        ("9e0:11e0:1e0", "9,10,11"),
        ("9e0:1.1e1:1e0", "9,10,11"),
        ("9e0:2e1:1e0", "9,10,11,12,13,14,15,16,17,18,19,20"),
        ("1e2:1e0:-333e-1", "100,66.7,33.4"),
        # Suffixes: fixed notation, and none after zero.
        ("1:3:k", "1e3,2e3,3e3"),
        ("0:2:m", "0,1e-3,2e-3"),
        ("-.5:.5:.5:k", "-0.5e3,0,0.5e3"),
        ("1.2e3:1.4e3:.1e3:k", "1200e3,1300e3,1400e3"),
        ("1e-5:2e-5:1e-5:M", "0.00001e6,0.00002e6"),
        ("1:2:E+3", "1E+3,2E+3"),
        ("4:M", "4e6"),
        ("0:k", "0e3"),
        ("1e3:k", "1e6"),
        ("-.5:e-2", "-.5e-2"),
        # Colons that make no range.
        ("http://h:80", "http://h:80"),
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("a:b:c", "a:b:c"),
        ("'1:3'", "'1:3'"),
        ("[1:3]", "[1:3]"),
    ],
)
def test_values(text: str, values: str) -> None:
    assert collect(f"a={text}") == [f"a={values}"]


def test_a_range_costs_nothing_until_it_is_read() -> None:
    argument = parse_each("a=1:1000000000")[0]
    assert (len(argument), argument[999_999_999], argument[-1]) == (
        10**9,
        ("a", "1000000000"),
        ("a", "1000000000"),
    )
    argument = parse_each("a=0:100000000:0.1")[0]
    assert (len(argument), argument[123_456_789].value) == (10**9 + 1, "12345678.9")


@pytest.mark.parametrize(
    ("text", "caret", "expected"),
    [
        ("1:", "  ^", f"expected a number as the range's stop; {QUOTE}"),
        (":", " ^", f"expected a number as the range's stop; {QUOTE}"),
        ("::1", " ^", f"expected a number as the range's stop; {QUOTE}"),
        ("1:b", "  ^", f"expected a number as the range's stop; {QUOTE}"),
        ("1:3tep", "  ^^^^", f"expected a number as the range's stop; {QUOTE}"),
        ("1:'2'", "  ^^^", f"expected a number as the range's stop; {QUOTE}"),
        (
            "1:2:",
            "    ^",
            f"{STEP}; {QUOTE}",
        ),
        (
            "1:2:x",
            "    ^",
            f"{STEP}; {QUOTE}",
        ),
        ("1:2:3:4", "      ^", f"expected start:stop[:step][:suffix] and no more; {QUOTE}"),
        ("1:2:3:4:k", "      ^", f"expected start:stop[:step][:suffix] and no more; {QUOTE}"),
        ("1:2:3:x", "      ^", f"expected start:stop[:step][:suffix] and no more; {QUOTE}"),
        ("1:3:0", "    ^", f"expected a step other than 0; {QUOTE}"),
        ("1:3:0.0", "    ^^^", f"expected a step other than 0; {QUOTE}"),
        ("3:1", "  ^", f"expected a stop of at least 3, or a negative step; {QUOTE}"),
        (":-1", " ^^", f"expected a stop of at least 0, or a negative step; {QUOTE}"),
        ("1:3:-1", "  ^", f"expected a stop of at most 1, or a positive step; {QUOTE}"),
        (":k", "^", f"expected a number before the suffix; {QUOTE}"),
        (
            "1k:3",
            "^^",
            f"expected a number as the range's start, {LAST} (1:k)",
        ),
        (
            "1:3k",
            "  ^^",
            f"expected a number as the range's stop, {LAST} (3:k)",
        ),
        (
            "1k:m",
            "^^",
            f"expected a number before the suffix, {LAST} (1:k)",
        ),
        ("0:1:1e-30", "^^^^^^^^^", f"expected at most {sys.maxsize:,} values"),
        ("1:" + "9" * 1001, "  " + "^" * 1001, f"expected a number of at most 1,000 characters; {QUOTE}"),
    ],
)
def test_message(text: str, caret: str, expected: str) -> None:
    with pytest.raises(SweepSyntaxError) as caught:
        parse_each(f"a={text}")
    assert str(caught.value) == f"  a={text}\n    {caret}\n{expected}"
