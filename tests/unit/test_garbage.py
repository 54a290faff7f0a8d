"""How often Python searches for garbage."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from sweeplib.garbage import search_less_often

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _threshold() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def searches(objects: int) -> int:
    """Return how often Python looks for garbage while so many objects are made, and kept."""
    gc.collect()
    before = sum(each["collections"] for each in gc.get_stats())
    kept: list[list[None]] = [[] for _ in range(objects)]
    assert len(kept) == objects
    return sum(each["collections"] for each in gc.get_stats()) - before


def test_it_is_searched_less_often() -> None:
    often = searches(100_000)
    search_less_often()
    assert 1 <= searches(100_000) <= 10
    assert often > 30


def test_circles_are_still_found() -> None:
    search_less_often()
    before = gc.get_stats()[0]["collected"]
    for _ in range(50_000):
        circle: list[object] = []
        circle.append(circle)
    assert gc.get_stats()[0]["collected"] - before >= 20_000
