"""Arguments, names, lists, parentheses and pipes; and every message about them."""

from __future__ import annotations

import sys

import pytest

from sweeplib.errors import Place, SweepSyntaxError
from sweeplib.syntax import Cell, collect, expand, parse_all, parse_each


def message(text: str | list[str], *, side: str = "each") -> str:
    """Return the whole message about `text`."""
    with pytest.raises(SweepSyntaxError) as caught:
        (parse_each if side == "each" else parse_all)(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "collected"),
    [
        ("a=1 b=2", ["a=1", "b=2"]),
        (["a=1,2", "b=x y"], ["a=1,2", "b=x y"]),
        ([" a=1, 2 "], ["a=1,2"]),
        ("a=''", ["a=''"]),
        ("a=b==c", ["a=b==c"]),
        ("a=C:\\x", ["a=C:\\x"]),
        ("a=${b:1,2}", ["a=${b:1,2}"]),
        ("+a.b@c=1 ~d=2 --e-f=3", ["+a.b@c=1", "~d=2", "--e-f=3"]),
        ("a[0]=1", ["a[0]=1"]),
        ("/a=1", ["/a=1"]),
        ("a/x/k=1", ["a/x=1e3"]),
        ("a/e-2=5", ["a=5e-2"]),
        ("a/k=1k,1e3,1:2:m", ["a=1e6,1e6,1e0,2e0"]),
        ("a/k=(1,2)0,(3,4)m,(1:2,5)", ["a=10e3,20e3,3e0,4e0,1e3,2e3,5e3"]),
        ("a=1,2,1:2,x,3:4:k,y", ["a=1,2,1,2,x,3e3,4e3,y"]),
        ("a=(x|y)", ["a=x|y"]),
        ("a=(http,https)://h:80", ["a=http://h:80,https://h:80"]),
        ("a=( 1 , 2 )_( x,y)", ["a=1_x,2_x,1_y,2_y"]),
        ("a=('p,q',[r,s])_1", ["a='p,q'_1,[r,s]_1"]),
        ("a=(1,x)k", ["a=1e3,xk"]),
        ("a=(1,2)(k)", ["a=1k,2k"]),
        ("a=(1e3,2)e2", ["a=1e5,2e2"]),
        ("a=(1,x):k", ["a=1e3,x:k"]),
        ("a=1:2:k(a,b)", ["a=1e3a,2e3a,1e3b,2e3b"]),
    ],
)
def test_collects(text: str | list[str], collected: list[str]) -> None:
    assert collect(text) == collected


def test_a_part_without_name_has_that_of_the_part_before() -> None:
    assert list(expand("a/k=1,2|3|b=x|'y=z'|(p=1,q)")) == [
        ["a=1e3,2e3"],
        ["a=3e3"],
        ["b=x"],
        ["b='y=z'"],
        ["b=p=1,q"],
    ]


def test_text_of_no_argument_is_one_empty_combination() -> None:
    assert list(expand("")) == list(expand([])) == [[]]
    assert collect(" \n ") == []


def test_parse_all_makes_a_cell_a_parameter() -> None:
    assert parse_all("a=1:3 b=x") == (Cell("a", "1,2,3"), Cell("b", "x"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A name and a value.
        ("verbose", "  verbose\n  ^^^^^^^\nexpected key=value; a plain flag belongs in `add`"),
        ("a=1 b", "  a=1 b\n      ^\nexpected key=value; a plain flag belongs in `add`"),
        ("b|a=1", "  b|a=1\n  ^\nexpected key=value; a plain flag belongs in `add`"),
        ([""], "  \n  ^\nexpected key=value; a plain flag belongs in `add`"),
        ("=1", "  =1\n  ^\nexpected a parameter's name before the ="),
        ("/k=1", "  /k=1\n  ^^\nexpected a parameter's name before the ="),
        ("a,b=1", "  a,b=1\n   ^\nexpected a parameter's name without ','"),
        (["a b=1"], "  a b=1\n   ^\nexpected a parameter's name without ' '"),
        (["'a'=1"], "  'a'=1\n  ^\nexpected a parameter's name without \"'\""),
        (
            "a=1 b=2 a=3",
            "  a=1 b=2 a=3\n          ^^^\nexpected each parameter once in a set, but a is there already",
        ),
        (
            "a=1|b=2 b=3",
            "  a=1|b=2 b=3\n          ^^^\nexpected each parameter once in a set, but b is there already",
        ),
        # Lists.
        ("a=", "  a=\n    ^\nexpected a value here; write '' for an empty text"),
        (["a= "], "  a= \n    ^\nexpected a value here; write '' for an empty text"),
        ("a=1|", "  a=1|\n      ^\nexpected a value here; write '' for an empty text"),
        ("a=1||2", "  a=1||2\n      ^\nexpected a value here; write '' for an empty text"),
        ("a=,1", "  a=,1\n    ^\nexpected a value before the comma; write '' for an empty text"),
        ("a=1,,2", "  a=1,,2\n      ^\nexpected a value between the commas; write '' for an empty text"),
        ("a=1,2,", "  a=1,2,\n        ^\nexpected a value after the comma; write '' for an empty text"),
        ("a=()", "  a=()\n     ^\nexpected a value between the parentheses; write '' for an empty text"),
        ("a=x(1,)", "  a=x(1,)\n        ^\nexpected a value after the comma; write '' for an empty text"),
        # Suffixes in names.
        ("a/m=1,abc", "  a/m=1,abc\n        ^^^\nexpected a number, because /m after the name is a suffix"),
        ("a/e3='1'", "  a/e3='1'\n       ^^^\nexpected a number, because /e3 after the name is a suffix"),
        (
            "a/m=(1,x)k",
            "  a/m=(1,x)k\n      ^^^^^^\nexpected a number, because /m after the name is a suffix",
        ),
        # Ranges made of parentheses.
        (
            "a=(1,2):5",
            (
                "  a=(1,2):5\n    ^^^^^^^\nexpected values, but this makes ranges such as '1:5'; "
                "write each range out inside parentheses, as in (1:3,2:5)"
            ),
        ),
        (
            "a=1:(2,3)",
            (
                "  a=1:(2,3)\n      ^\n"
                "expected a number as the range's stop; put the value in quotes to mean the text"
            ),
        ),
    ],
)
def test_message(text: str | list[str], expected: str) -> None:
    assert message(text) == expected


def test_a_pipe_belongs_in_each() -> None:
    assert message("b=1 a=1,2|3", side="all") == (
        "  b=1 a=1,2|3\n           ^\n"
        "expected one list of values, because | separates combinations; "
        "move the parameter to `each`, or put the value in quotes"
    )
    assert collect("a='1|2'") == ["a='1|2'"]


def test_all_has_each_parameter_once() -> None:
    expected = "  a=1 a=2\n      ^^^\nexpected each parameter once in a set, but a is there already"
    assert message("a=1 a=2", side="all") == expected


def test_a_message_begins_with_the_place() -> None:
    place = Place("sweeps.yaml", 7, "jobs.train.sets[0].each")
    for parse in (parse_each, parse_all):
        with pytest.raises(SweepSyntaxError) as caught:
            parse("b=1\na=1,,2", place)
        assert str(caught.value) == (
            "sweeps.yaml:7: jobs.train.sets[0].each\n"
            "  a=1,,2\n"
            "      ^\n"
            "expected a value between the commas; write '' for an empty text"
        )


# Limits: what is beyond them is a message, not a traceback or a full memory.


def test_parentheses_nest_to_a_depth() -> None:
    assert collect("a=" + "(" * 32 + "x" + ")" * 32) == ["a=x"]
    text = "a=" + "(" * 33 + "x" + ")" * 33
    caret = " " * 36 + "^^^"
    assert message(text) == f"  {text}\n{caret}\nexpected at most 32 parentheses inside each other"


def test_a_list_has_no_more_values_than_a_sequence() -> None:
    item = f"1:{sys.maxsize}"
    text = f"a={item},x"
    assert len(parse_each(f"a={item}")[0]) == sys.maxsize
    assert message(text) == f"  {text}\n    {'^' * (len(text) - 2)}\nexpected at most {sys.maxsize:,} values"


def test_parentheses_make_no_more_values_than_a_sequence_has() -> None:
    text = "a=(1:10000000000)(1:10000000000)"
    assert message(text) == f"  {text}\n    {'^' * (len(text) - 2)}\nexpected at most {sys.maxsize:,} values"


def test_a_combination_joins_so_many_values() -> None:
    expected = "expected at most 1,000,000 values in one combination, not 1,000,001"
    assert message("a=1:1000001", side="all") == f"  a=1:1000001\n  ^^^^^^^^^^^\n{expected}"
    assert message("a=1|2:1000002") == f"  a=1|2:1000002\n      ^^^^^^^^^\n{expected}"


def test_so_many_values_of_parentheses_are_checked_to_be_numbers() -> None:
    assert len(parse_each("a/k=(1:1000)(1:100)")[0]) == 100_000
    text = "a/k=(1:1000)(1:101)"
    caret = "      " + "^" * 15
    assert message(text) == f"  {text}\n{caret}\nexpected a number, because /k after the name is a suffix"


def test_every_plain_value_is_checked_to_be_a_number() -> None:
    assert len(parse_each("a/k=" + ",".join(["1"] * 100_001))[0]) == 100_001
