"""Laws of the sweep syntax, for texts that are right, for ranges of all kinds, and for any text at all."""

from __future__ import annotations

import itertools
import json
import math
import re
import string
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sweeplib.errors import SweepSyntaxError
from sweeplib.syntax import Argument, collect, expand, number, parse_all, parse_each, unquote
from sweeplib.syntax.numbers import suffix

if TYPE_CHECKING:
    from collections.abc import Callable

SI = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12}
RECORDED = json.loads(
    (Path(__file__).parents[1] / "unit" / "syntax" / "hydraflow-0.23.2.json").read_text(encoding="utf-8")
)
ALONE = [(text, [row[0] for row in rows]) for text, rows, _ in RECORDED if rows and len(rows[0]) == 1]


P = ParamSpec("P")


def law(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Mark a test as a law; an example may take as long as a busy machine needs."""
    return lambda test: settings(deadline=None)(given(*strategies)(test))


# Texts that are right.

words = st.text(string.ascii_letters + "_.-/$", min_size=1, max_size=6)
quoted = st.builds(
    lambda text, quote: quote_text(text, quote),
    st.text("ab ,:|=()[]{}'\"\\\n", max_size=8),
    st.sampled_from("'\""),
)
lists = st.sampled_from(["[1,2]", "[a, 'b, c']", "{x:1,y:[2]}", "${now:%H,%M}", "[(1,2)]"])
integers = st.integers(-50, 50).map(str)
small_ranges = st.tuples(
    st.integers(-20, 20), st.integers(0, 9), st.sampled_from(["", ":1", ":2", ":0.5"])
).map(lambda parts: f"{parts[0]}:{parts[0] + parts[1]}{parts[2]}")
suffixed = st.tuples(small_ranges, st.sampled_from([*SI, "e2", "e-3", "E+1"])).map(":".join)


def joined(items: st.SearchStrategy[str], separator: str, most: int) -> st.SearchStrategy[str]:
    return st.lists(items, min_size=1, max_size=most).map(separator.join)


def parenthesised(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = joined(items, ",", 3).map(lambda text: f"({text})")
    outer = st.sampled_from(["", "_", "x", "e-", "m"])
    return st.tuples(outer, group, outer, group, st.sampled_from(["", "k", ":m", "e3", "_x"])).map("".join)


items = st.recursive(words | quoted | lists | integers | small_ranges | suffixed, parenthesised, max_leaves=6)
parts = joined(items, ",", 4)


@st.composite
def arguments(draw: st.DrawFn, *, pipes: bool = True) -> list[str]:
    """Draw a list of arguments, every one with a parameter of its own."""
    found = []
    for index in range(draw(st.integers(0, 3))):
        values = draw(joined(parts, "|", 3) if pipes and draw(st.booleans()) else parts)
        found.append(f"key{index}={values}")
    return found


def parsed(texts: list[str]) -> tuple[Argument, ...]:
    """Return the arguments, or leave out the example: some parentheses happen to make ranges."""
    try:
        return parse_each(texts)
    except SweepSyntaxError as error:
        if "this makes ranges" not in error.expected:
            raise
        return ()


@law(arguments())
def test_length_is_the_count_and_access_follows_the_order(texts: list[str]) -> None:
    for argument in parsed(texts):
        cells = list(argument)
        assert len(argument) == len(cells)
        assert [argument[i] for i in range(len(cells))] == cells
        assert [argument[i - len(cells)] for i in range(len(cells))] == cells
        assert argument[1::2] == cells[1::2]


@law(arguments())
def test_expand_is_the_product_of_the_arguments(texts: list[str]) -> None:
    columns = parsed(texts)
    rows = itertools.product(*columns)
    expected = [[f"{cell.key}={cell.value}" for cell in row] for row in itertools.islice(rows, 500)]
    if columns or not texts:
        assert list(itertools.islice(expand(texts), 500)) == expected
        assert math.prod(map(len, columns)) >= len(expected) > 0


@law(arguments(pipes=False))
def test_collect_joins_what_expand_lists(texts: list[str]) -> None:
    if columns := parsed(texts):
        expected = [f"{column.keys[0]}={','.join([cell.value for cell in column])}" for column in columns]
        assert collect(texts) == expected
        assert [f"{key}={value}" for key, value in parse_all(texts)] == expected


@law(arguments())
def test_text_and_list_mean_the_same(texts: list[str]) -> None:
    if columns := parsed(texts):
        assert parse_each(" \n".join(texts)) == columns


@law(st.lists(st.sampled_from(ALONE), max_size=3))
def test_recorded_hydraflow_results_multiply(cases: list[tuple[str, list[str]]]) -> None:
    """HydraFlow's results hold together with each other, each for a parameter of its own name."""

    def renamed(text: str, index: int) -> str:
        return re.sub(r"(^|\|)([^=|]+)(?==)", rf"\1p{index}.\2", text.strip())

    columns = [[renamed(cell, index) for cell in cells] for index, (_, cells) in enumerate(cases)]
    text = " ".join(renamed(text, index) for index, (text, _) in enumerate(cases))
    expected = itertools.islice(itertools.product(*columns), 300)
    assert list(itertools.islice(expand(text), 300)) == list(map(list, expected))


# Ranges.


@st.composite
def decimals(draw: st.DrawFn) -> str:
    """Draw a number as it may be written."""
    sign = draw(st.sampled_from(["", "-", "+"]))
    mantissa = draw(st.from_regex(r"[0-9]{1,5}(\.[0-9]{0,4})?|\.[0-9]{1,4}", fullmatch=True))
    exponent = draw(st.sampled_from(["", "", "", "e3", "E-2", "e+05", "e-9"]))
    return sign + mantissa + exponent


@law(decimals(), decimals(), st.integers(1, 30), st.integers(0, 99), st.sampled_from(["", *SI, "e2", "E-3"]))
def test_ranges_are_exact(start: str, step: str, count: int, percent: int, ending: str) -> None:
    first, stride = Decimal(start), Decimal(step)
    assume(stride != 0)
    stop = first + (count - 1) * stride + stride * percent / 100
    column = parse_each(f"a={start}:{stop}:{step}" + (f":{ending}" if ending else ""))[0]
    factor = Decimal(f"1e{SI[ending]}") if ending in SI else Decimal("1" + ending)
    assert [number(cell.value) for cell in column] == [(first + i * stride) * factor for i in range(count)]


@law(decimals(), decimals(), st.integers(1, 30))
def test_a_range_is_written_as_c_writes_numbers(start: str, step: str, count: int) -> None:
    """As ``%.Ng``, with one N for the whole range that rounds no number of it."""
    first, stride = Decimal(start), Decimal(step)
    values = [first + i * stride for i in range(count)]
    finest = min(first.as_tuple().exponent, stride.as_tuple().exponent)
    digits = max(values, key=abs).adjusted() - int(finest) + 1
    assume(stride != 0 and digits <= 15)  # beyond, a float does not hold them
    assume(not re.fullmatch(r"[-+0-9]+", start + step + str(values[-1])))  # integers are written in full
    texts = [cell.value for cell in parse_each(f"a={start}:{values[-1]}:{step}")[0]]
    assert texts in [[f"{float(value) or 0:.{n}g}" for value in values] for n in range(1, 20)]


@law(st.integers(-(10**30), 10**30), st.integers(1, 10**20), st.integers(1, 10**18), st.data())
def test_a_long_range_costs_nothing(start: int, step: int, count: int, data: st.DataObject) -> None:
    column = parse_each(f"a={start}:{start + step * (count - 1)}:{step}")[0]
    index = data.draw(st.integers(0, count - 1))
    assert len(column) == count
    assert column[index].value == str(start + step * index)


@law(decimals(), st.sampled_from([*SI, "e2", "E-3", "e+10"]))
def test_a_suffix_multiplies(text: str, ending: str) -> None:
    factor = Decimal(f"1e{SI[ending]}") if ending in SI else Decimal("1" + ending)
    expected = Decimal(text) * factor
    found = suffix(ending)
    assert found is not None
    assert Decimal(found.after(text)) == expected
    assert [
        Decimal(value)
        for _, value in parse_all([f"a/{ending}={text}", f"b={text}:{ending}", f"c=({text}){ending}"])
    ] == [expected] * 3


# Quotes.


def quote_text(text: str, quote: str) -> str:
    """Return `text` in quotes, as Hydra wants it: quotes, and backslashes before one or the end, escaped."""
    escaped = re.sub(rf"(\\*){quote}", lambda run: run[1] * 2 + "\\" + quote, text)
    escaped = re.sub(r"\\+\Z", lambda run: run[0] * 2, escaped)
    return quote + escaped + quote


@law(
    st.text(st.characters(exclude_characters="\0")) | st.text("ab ,:|=()[]{}'\"\\\n"), st.sampled_from("'\"")
)
def test_quoted_text_is_literal(text: str, quote: str) -> None:
    value = quote_text(text, quote)
    assert collect(f"a={value},1") == [f"a={value},1"]
    assert list(parse_each(f"a={value}")[0]) == [("a", value)]
    assert unquote(value) == text
    assert number(value) is None


@law(arguments())
def test_quotes_around_an_argument_are_the_shells(texts: list[str]) -> None:
    if columns := parsed(texts):
        for quote in "'\"":
            assert parse_each(" ".join(quote_text(text, quote) for text in texts)) == columns


# Any text at all.

soup = st.text("ab01.,:|=()[]{}'\"\\/ekm-+ \t\n", max_size=30)
anything = st.text(max_size=20) | soup | soup.map("a=".__add__) | soup.map("a/k=".__add__)


def read(text: str | list[str]) -> None:
    """Parse a text in every way, and read what it became."""
    for column in parse_each(text):
        assert len(column) > 0
        for cell in [column[0], column[-1], *itertools.islice(column, 20)]:
            assert cell.key in column.keys
            unquote(cell.value)
            number(cell.value)
    list(itertools.islice(expand(text), 5))
    collect(text)


def failure(text: str | list[str]) -> SweepSyntaxError | None:
    """Return the error that reading `text` raises, if it does."""
    try:
        read(text)
    except SweepSyntaxError as error:
        return error
    return None


@law(anything | st.lists(anything, max_size=3))
def test_no_text_raises_anything_but_a_syntax_error_with_a_span_inside_it(text: str | list[str]) -> None:
    error = failure(text)
    if error is not None:
        start, end = error.span
        assert 0 <= start <= end <= len(error.source)
        assert error.source == text or error.source in text
        *_, caret, expected = str(error).split("\n")
        assert expected == error.expected
        assert caret.lstrip(" ").strip("^") == ""
        assert "^" in caret


@law(anything)
def test_unquote_and_number_take_any_text(text: str) -> None:
    assert len(unquote(text)) <= len(text)
    found = number(text)
    assert found is None or found.is_finite()


@pytest.mark.parametrize(
    "text", ["'" * 5001, "(" * 5000, "a=" + "[" * 5000, "a=" + "(" * 5000 + "1" + ")" * 5000]
)
def test_a_monstrous_text_is_a_syntax_error(text: str) -> None:
    with pytest.raises(SweepSyntaxError):
        parse_each(text)


@pytest.mark.parametrize(
    "text", ["a=" + "[" * 5000 + "]" * 5000, "a=" + "(1)" * 2000, "a=" + "1|" * 2000 + "1", "a=" + "9" * 9000]
)
def test_a_monstrous_text_can_be_right(text: str) -> None:
    read(text.replace("|", ","))
    assert len(parse_each(text)) == 1
