"""Values that share places, and their labels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.report.places import labels_of, places_of

NUMBERS = st.integers().map(str) | st.floats(allow_nan=False, allow_infinity=False).map(str)
VALUES = st.lists(
    NUMBERS | st.text("ab\n\\(2) …", max_size=40) | st.sampled_from(["1m", "1e-3", "1e400", "x" * 99 + "y"]),
    unique=True,
    max_size=30,
)
ROOT = "/data/projects/vision/datasets"


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["1", "2"], ["1", "2"]),
        ([f"{ROOT}/a.csv", f"{ROOT}/b.csv"], ["/data/projec…asets/a.csv", "/data/projec…asets/b.csv"]),
        (
            [f"{ROOT}/{each}/of/all.csv" for each in "abc"],
            [f"/data/projec…/of/all.csv{n}" for n in ("", " (2)", " (3)")],
        ),
        (["a\nb", "a\\nb", "a\\nb (2)"], ["a\\nb", "a\\nb (3)", "a\\nb (2)"]),
    ],
)
def test_a_label_for_each(texts: list[str], labels: list[str]) -> None:
    assert places_of(texts, 8) == (tuple(labels), tuple(range(len(texts))))


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (range(17), ["0 … 2", "3 … 5", "6 … 8", "9 … 11", "12 … 14", "15 … 16"]),
        (range(2001, 2010), ["2001 … 2002", "2003 … 2004", "2005 … 2006", "2007 … 2008", "2009"]),
        (
            [number + 0.123456 for number in range(10)],
            ["0.123 … 1.12", "2.12 … 3.12", "4.12 … 5.12", "6.12 … 7.12", "8.12 … 9.12"],
        ),
        (
            [10**40 + number for number in range(9)],
            [
                "10000…0000 … 10000…0001",
                "10000…0002 … 10000…0003",
                "10000…0004 … 10000…0005",
                "10000…0006 … 10000…0007",
                "10000…0008",
            ],
        ),
    ],
)
def test_neighbours_share_a_place(texts: list[object], labels: list[str]) -> None:
    assert list(places_of([str(text) for text in texts], 8)[0]) == labels


@given(VALUES, st.integers(1, 12))
def test_no_label_looks_like_another(texts: list[str], most: int) -> None:
    labels, places = places_of(texts, most)
    assert len(labels) == len(set(labels)) <= most
    assert len(places) == len(texts)
    assert sorted(set(places)) == list(range(len(labels)))
    assert list(places) == sorted(places)
    assert len(set(labels_of(texts, 12))) == len(texts)
