"""Products of long columns: in order, and without holding them."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest

from sweeplib.syntax import expand, parse_each
from sweeplib.syntax.product import HELD, product

LONG = range(HELD + 1)
SHORT = range(2)


@pytest.mark.parametrize(
    "columns",
    [
        [],
        [SHORT],
        [SHORT, SHORT],
        [LONG],
        [SHORT, LONG],
        [LONG, SHORT],
        [SHORT, LONG, SHORT],
        [LONG, range(0), LONG],
    ],
)
def test_is_the_product_of_itertools(columns: list[range]) -> None:
    assert list(product(columns)) == list(itertools.product(*columns))


def test_two_long_columns() -> None:
    expected = itertools.islice(itertools.product(LONG, LONG), HELD + 10)
    assert list(itertools.islice(product([LONG, LONG]), HELD + 10)) == list(expected)


def test_many_short_columns_after_a_long_one() -> None:
    columns = [LONG, range(100), range(100)]
    expected = itertools.islice(itertools.product(*columns), 10_010)
    assert list(itertools.islice(product(columns), 10_010)) == list(expected)


@pytest.mark.parametrize(
    "text", ["a=1:1000000000 b=1:2", "b=1:2 a=1:1000000000", "a=(1:1000000000)(x,y)_(p,q)"]
)
def test_a_billion_combinations_begin_at_once(text: str) -> None:
    tracemalloc.start()
    try:
        assert len(list(itertools.islice(expand(text), 1000))) == 1000
        assert len(list(itertools.islice(parse_each(text)[0], 2))) == 2
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000  # bytes
