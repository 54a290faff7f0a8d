"""Which combinations share a chunk, by how long their commands take."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.engine.packing import Packing


def packed(packing: Packing, seconds: float, count: int) -> list[int | None]:
    """Return the chunks of `count` combinations, each told to have taken `seconds` before the next."""
    chunks = []
    for _ in range(count):
        packing.learn(seconds)
        chunks.append(packing.next())
    return chunks


def test_up_to_the_limit_each_has_a_record_of_its_own() -> None:
    packing = Packing(24, 24)
    assert not packing.packs
    assert packed(packing, 0.001, 24) == [None] * 24
    assert packing.news == "a task run for each combination, 24 at most"


def test_chunks_grow_to_what_takes_ten_seconds() -> None:
    packing = Packing(25_000, 10_000)
    assert packing.news == (
        "25,000 combinations are more than task_runs (10,000): those whose commands are short share task runs"
    )
    packing.news = ""
    assert [packing.next() for _ in range(3)] == [None] * 3, "nobody knows yet how long the commands take"
    sizes = Counter(packed(packing, 0.1, 450))
    assert list(sizes.values()) == [16, 32, 64, 100, 100, 100, 38]
    assert list(sizes) == [1, 2, 3, 4, 5, 6, 7]
    assert packing.news == "commands take about 0.1 s: up to 100 in a task run"


def test_what_was_not_expected_shares_from_the_limit_on() -> None:
    packing = Packing(40, 5, expected=0)
    assert packing.news == "a task run for each combination, 5 at most"
    assert packed(packing, 0.1, 40) == [None] * 5 + [1] * 16 + [2] * 19
    assert packed(Packing(100_000, 10_000, expected=10), 0.1, 10) == [None] * 10


@pytest.mark.parametrize(("seconds", "largest"), [(1e-3, 1000), (0.0, 1000), (4.0, 5), (9.9, 5), (10.0, 1)])
def test_the_size_of_a_chunk(seconds: float, largest: int) -> None:
    sizes = Counter(packed(Packing(50_000, 10_000), seconds, 5000))
    assert max(sizes.values()) == (largest if largest > 1 else 5000)
    assert (None in sizes) == (largest == 1)


def test_there_are_no_more_chunks_than_allowed() -> None:
    sizes = Counter(packed(Packing(10_000_000, 1000), 0.001, 100_000))
    assert max(sizes.values()) == 10_000


def test_a_chunk_closes_when_commands_become_long() -> None:
    packing = Packing(25_000, 10_000)
    quick = packed(packing, 0.01, 400)
    packing.news = ""
    slow = packed(packing, 60.0, 20)
    assert slow[0] is not None, "one long command is no long job"
    assert slow[-1] is None
    assert packing.news.endswith(" s: a task run each")
    assert packed(packing, 0.01, 200)[-1] not in (None, quick[-1]), (
        "and short ones share again, in a new chunk"
    )


def test_a_retry_numbers_on() -> None:
    packing = Packing(100, 10, number=7)
    assert packed(packing, 0.01, 1) == [8]


@given(
    st.integers(2, 10**9),
    st.integers(1, 10**5),
    st.lists(st.tuples(st.floats(0, 100), st.integers(1, 300)), max_size=12),
    st.floats(0, 1),
)
def test_numbers_rise_and_chunks_are_bounded(
    total: int, limit: int, phases: list[tuple[float, int]], share: float
) -> None:
    packing = Packing(total, limit, expected=int(total * share))
    chunks = [chunk for seconds, count in phases for chunk in packed(packing, seconds, count)]
    numbers = [chunk for chunk in chunks if chunk is not None]
    assert numbers == sorted(numbers)
    assert sorted(set(numbers)) == list(range(1, len(set(numbers)) + 1)), "no number is left out"
    if total <= limit:
        assert not numbers
    assert max(Counter(numbers).values(), default=0) <= max(1000, -(-total // limit))
