"""Histograms of run times."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.report.page.durations import durations_of
from sweeplib.report.results import Result
from sweeplib.run.model import Outcome

OUTCOMES = st.sampled_from([*Outcome, None])
ENDED = st.lists(st.tuples(OUTCOMES, st.none() | st.floats(-1, 1e7)), min_size=1)


def test_by_outcome_the_most_frequent_first(result: Any) -> None:
    results = [result(1, duration=1.0), result(2, duration=3.0), result(3, duration=2.0)]
    results += [result(4, outcome=Outcome.FAILED, duration=2.5), result(5, outcome=None, duration=None)]
    found = durations_of(results)
    assert found is not None
    assert not found.log
    assert found.edges == pytest.approx((1.0, 1.4, 1.8, 2.2, 2.6, 3.0))
    assert [(spread.outcome, spread.bins) for spread in found.spreads] == [
        ("completed", (1, 0, 1, 0, 1)),
        ("failed", (0, 0, 0, 1, 0)),
    ]
    first = found.spreads[0]
    assert (first.count, first.shortest, first.median, first.longest, first.total) == (3, 1.0, 2.0, 3.0, 6.0)


def test_bins_grow_where_durations_span_decades(result: Any) -> None:
    found = durations_of([result(1, duration=0.1), result(2, duration=1.0), result(3, duration=100.0)])
    assert found is not None
    assert found.log
    assert found.edges[1] / found.edges[0] == pytest.approx(1000 ** (1 / 5))


def test_one_duration(result: Any) -> None:
    found = durations_of([result(1, duration=2.0), result(2, duration=2.0)])
    assert found is not None
    assert found.edges == pytest.approx((1.8, 2.2))
    assert found.spreads[0].bins == (2,)


@pytest.mark.parametrize(
    ("durations", "texts"),
    [
        ((1.0, 3.0), ["1.0 s", "1.4 s", "1.8 s", "2.2 s", "2.6 s", "3.0 s"]),
        ((0.02,), ["0.018 s", "0.022 s"]),
        ((1.0, 1.0 + 2**-52), ["0.90 s", "1.1 s"]),
        ((0.02, 0.0201), ["0.02000 s", "0.02002 s", "0.02004 s", "0.02006 s", "0.02008 s", "0.02010 s"]),
        ((7200.0, 7205.0), ["7200 s", "7201 s", "7202 s", "7203 s", "7204 s", "7205 s"]),
        ((0.001, 100.0), ["0.00 s", "0.01 s", "0.10 s", "1.0 s", "10.0 s", "1m 40s"]),
        ((0.001, 0.1), ["0.0010 s", "0.0025 s", "0.0063 s", "0.016 s", "0.040 s", "0.10 s"]),
    ],
)
def test_each_edge_has_another_text(result: Any, durations: tuple[float, ...], texts: list[str]) -> None:
    found = durations_of([result(place, duration=seconds) for place, seconds in enumerate(durations)])
    assert found is not None
    assert found.texts == texts


def test_edges_from_milliseconds_to_days(result: Any) -> None:
    found = durations_of([result(place, duration=10 ** (place / 100 - 3)) for place in range(800)])
    assert found is not None
    assert (found.texts[0], found.texts[1], found.texts[-1]) == ("0.0010 s", "0.0026 s", "1d 03h")


def test_nothing_has_ended(result: Any) -> None:
    assert durations_of([]) is None
    assert durations_of([result(1, outcome=None, duration=None)]) is None


@given(ENDED)
def test_every_duration_is_in_a_bin(ended: list[tuple[Outcome | None, float | None]]) -> None:
    results = [
        Result(key="", outcome=outcome, duration=seconds, parameters={}, metrics={})
        for outcome, seconds in ended
    ]
    found = durations_of(results)
    counted = sum(outcome is not None and seconds is not None for outcome, seconds in ended)
    assert sum(sum(spread.bins) for spread in found.spreads) if found else counted == 0
    if found is not None:
        assert sum(sum(spread.bins) for spread in found.spreads) == counted
        assert list(found.edges) == sorted(set(found.edges))
        assert len(set(found.texts)) == len(found.edges)
