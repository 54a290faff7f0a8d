"""Quotes, brackets and white space: what they protect, and every message about them."""

from __future__ import annotations

import pytest

from sweeplib.errors import SweepSyntaxError
from sweeplib.syntax import collect, parse_each, unquote

OTHER = "put text with ' in other quotes"
TEXT = "put the value in quotes to mean the text"


@pytest.mark.parametrize(
    ("text", "collected"),
    [
        ("a=1\tb=2\r\n c=3", ["a=1", "b=2", "c=3"]),
        ("a='x y','p\nq'", ["a='x y','p\nq'"]),
        ("a=[1, 2],{b: 1, c: 2}", ["a=[1, 2],{b: 1, c: 2}"]),
        ("a=(1, 2)k", ["a=1e3,2e3"]),
        ("a=x'1,2'y", ["a=x'1,2'y"]),
        ("a='[',\"]\"", ["a='[',\"]\""]),
        ("a='it\\'s',2", ["a='it\\'s',2"]),
        ("a='C:\\\\',2", ["a='C:\\\\',2"]),
        ("a=\\,b", ["a=\\,b"]),
        # One level of quotes around a whole argument is a shell's.
        ("\"a='x y'\" b=1", ["a='x y'", "b=1"]),
        ("'a=1,2'", ["a=1,2"]),
        ("'a=x y'", ["a=x y"]),
        ('"a=\\"x,y\\",z"', ['a="x,y",z']),
        ('"a=C:\\\\x\\\\"', ["a=C:\\\\x\\"]),
    ],
)
def test_splits(text: str, collected: list[str]) -> None:
    assert collect(text) == collected


def test_a_list_has_its_arguments_as_they_are() -> None:
    assert collect(["a=x y", "b='1,2'"]) == ["a=x y", "b='1,2'"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=(1,2", f"  a=(1,2\n    ^\nexpected a ) to close this (; {TEXT}"),
        ("a=([1,2)", f"  a=([1,2)\n         ^\nexpected a ] before this ); {TEXT}"),
        ("a={1", f"  a={{1\n    ^\nexpected a }} to close this {{; {TEXT}"),
        ("a=1)", f"  a=1)\n     ^\nexpected a ( before this ); {TEXT}"),
        ("a=1]", f"  a=1]\n     ^\nexpected a [ before this ]; {TEXT}"),
        (
            "a=don't b=1",
            f"  a=don't b=1\n       ^\nexpected a second ' to close this one; {OTHER}",
        ),
        ('a="', '  a="\n    ^\nexpected a second " to close this one; put text with " in other quotes'),
        ("'a=1", f"  'a=1\n  ^\nexpected a second ' to close this one; {OTHER}"),
        ("'a=1'x", "  'a=1'x\n       ^\nexpected nothing after the quote that closes the argument"),
        ("a=1\0", "  a=1\0\n     ^\nexpected no NUL character"),
        # Spans are those of the text as it was written, also where backslashes were taken out.
        (
            '"a=\'\\"\',,2"',
            "  \"a='\\\"',,2\"\n          ^\nexpected a value between the commas; write '' for an empty text",
        ),
    ],
)
def test_message(text: str, expected: str) -> None:
    with pytest.raises(SweepSyntaxError) as caught:
        parse_each(text)
    assert str(caught.value) == expected


def test_a_list_has_no_nul_character_either() -> None:
    with pytest.raises(SweepSyntaxError, match="expected no NUL character"):
        parse_each(["a=1", "b=\0"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        ("", ""),
        ("''", ""),
        ("'x y'", "x y"),
        ('"x y"', "x y"),
        ("'x','y z',3", "x,y z,3"),
        ("x'1,2'y", "x1,2y"),
        ("['a',\"b\"]", "['a',\"b\"]"),
        ("['a'],'b'", "['a'],b"),
        ("{a:'b'}'c'", "{a:'b'}c"),
        ('"it\'s"', "it's"),
        ("'it\\'s'", "it's"),
        ("'a\\nb'", "a\\nb"),
        ("'C:\\\\'", "C:\\"),
        ("'\\\\\\'x'", "\\'x"),
        ("don't", "don't"),
    ],
)
def test_unquote(value: str, text: str) -> None:
    assert unquote(value) == text
