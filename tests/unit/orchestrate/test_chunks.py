"""What a chunk comes to, by how its combinations ended."""

from __future__ import annotations

import pytest

from sweeplib.orchestrate.chunks import Chunk
from sweeplib.run.model import Attempt, Outcome

C, F, T, X, L = Outcome


def attempt(outcome: Outcome, ended: float) -> Attempt:
    message = "" if outcome is C else f"it {outcome}"
    return Attempt(key="k", number=1, outcome=outcome, started=ended - 1, ended=ended, message=message)


@pytest.mark.parametrize(
    ("outcomes", "out", "worst", "message"),
    [
        ([C, C], 0, C, "2 of 2 completed"),
        ([C, F, F], 0, F, "1 of 3 completed, 2 failed; the first: i=1: it failed"),
        ([T, C, F], 0, F, "1 of 3 completed, 1 failed, 1 timed out; the first: i=0: it timed out"),
        ([L, T], 0, T, "0 of 2 completed, 1 timed out, 1 lost; the first: i=0: it lost"),
        ([C, X], 0, X, "1 of 2 completed, 1 cancelled"),
        ([C, L, X], 0, L, "1 of 3 completed, 1 lost, 1 cancelled; the first: i=1: it lost"),
        ([C], 2, X, "1 of 3 completed, 2 not ended"),
        ([F], 2, F, "0 of 3 completed, 1 failed, 2 not ended; the first: i=0: it failed"),
        ([], 1, X, "0 of 1 completed, 1 not ended"),
    ],
)
def test_a_chunk_is_as_bad_as_its_worst(
    outcomes: list[Outcome], out: int, worst: Outcome, message: str
) -> None:
    chunk = Chunk(3)
    for position in range(1999, 1999 + len(outcomes) + out):
        chunk.join(f"k{position - 1999}", position)
    for number, outcome in enumerate(outcomes):
        chunk.take(f"k{number}", f"i={number}", attempt(outcome, 100.0 + number))
    end = chunk.end()
    assert (end.key, end.outcome, end.message) == ("chunk-3", worst, message)
    assert chunk.label == f"combinations 2,000 to {1999 + len(outcomes) + out:,}"
    if outcomes:
        assert (end.started, end.ended) == (99.0, 99.0 + len(outcomes))


def test_a_retry_changes_what_it_ran_alone() -> None:
    chunk = Chunk(1)
    for number, outcome in enumerate([C, F, T]):
        chunk.join(f"k{number}", number)
        chunk.take(f"k{number}", f"i={number}", attempt(outcome, 100.0))
    assert chunk.end().message == "1 of 3 completed, 1 failed, 1 timed out; the first: i=1: it failed"
    chunk.join("k1", 1)
    assert chunk.out == 1
    chunk.take("k1", "i=1", attempt(C, 200.0))
    assert chunk.end().message == "2 of 3 completed, 1 timed out; the first: i=2: it timed out"
    assert chunk.label == "combinations 1 to 3"
