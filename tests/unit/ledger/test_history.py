"""What the ledger tells of the past: where a combination was done, its code, and which values there were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.errors import LedgerError
from sweeplib.ledger import Ledger, Submission, Sweep
from sweeplib.run.model import Attempt, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def identity(number: int) -> str:
    return f"01J{number:023d}"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    """Four sweeps: two of one lineage, one of another, one of another job.

    ``a`` completed twice and then failed, ``b`` failed, ``c`` is running, ``d`` is of the other job.
    """
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        for number, (lineage, job) in enumerate([(0, "x"), (0, "x"), (2, "x"), (3, "y")]):
            ledger.add_sweep(
                Sweep(id=identity(number), lineage=identity(lineage), job=job, total=1, created=1.0)
            )
        put(ledger, 0, "a", Outcome.COMPLETED, lr="1m")
        put(ledger, 0, "b", Outcome.FAILED, lr="2m", message="boom")
        put(ledger, 1, "a", Outcome.COMPLETED, started=5.0, lr="0.001")
        put(ledger, 1, "c", None, seed="1")
        put(ledger, 2, "a", Outcome.FAILED, lr="1m")
        put(ledger, 3, "d", Outcome.COMPLETED, lr="9")
        yield ledger


def put(
    ledger: Ledger,
    number: int,
    key: str,
    outcome: Outcome | None,
    started: float = 1.0,
    message: str = "",
    **parameters: Any,
) -> None:
    ledger.submit(identity(number), [Submission(key=key, position=0, label=key, parameters=parameters)])
    if outcome is not None:
        attempt = Attempt(
            key=key, number=1, outcome=outcome, started=started, ended=started + 1, message=message
        )
        ledger.record(identity(number), [attempt])


def test_where_a_key_was_done_last(book: Ledger) -> None:
    keys = ["a", "b", "c", "d", "e"]
    assert book.done_in(identity(0), keys) == {"a": (identity(1), 5.0)}
    assert book.done_in(identity(2), keys) == {}
    assert book.done_in(identity(3), keys) == {"d": (identity(3), 1.0)}


def test_what_became_of_keys_in_a_lineage(book: Ledger) -> None:
    found = book.history(identity(0), ["a", "b", "c", "d"])
    assert {
        key: [(past.sweep, past.outcome, past.attempts) for past in each] for key, each in found.items()
    } == {
        "a": [(identity(0), Outcome.COMPLETED, 1), (identity(1), Outcome.COMPLETED, 1)],
        "b": [(identity(0), Outcome.FAILED, 1)],
        "c": [(identity(1), None, 0)],
    }
    assert (found["b"][0].message, found["b"][0].started, found["b"][0].ended) == ("boom", 1.0, 2.0)


def test_what_became_of_keys_anywhere(book: Ledger) -> None:
    """What completed counts before what is newer."""
    found = book.last_known(["a", "b", "c", "d", "e"])
    assert {key: (past.sweep, past.outcome) for key, past in found.items()} == {
        "a": (identity(1), Outcome.COMPLETED),
        "b": (identity(0), Outcome.FAILED),
        "c": (identity(1), None),
        "d": (identity(3), Outcome.COMPLETED),
    }


def test_the_values_of_a_job(book: Ledger) -> None:
    assert book.values("x") == {"lr": {"1m", "0.001", "2m"}, "seed": {"1"}}
    assert book.values("y") == {"lr": {"9"}}
    assert book.values("z") == {}


def test_code(book: Ledger) -> None:
    assert book.codes(identity(0)) == []
    book.add_code(identity(0), 20.0, "{}")
    book.add_code(identity(0), 10.0, '{"x": 1}')
    book.add_code(identity(0), 20.0, '{"x": 2}')
    assert book.codes(identity(0)) == [(10.0, '{"x": 1}'), (20.0, '{"x": 2}')]
    assert book.codes(identity(1)) == []
    with pytest.raises(LedgerError):
        book.add_code("nowhere", 1.0, "{}")
