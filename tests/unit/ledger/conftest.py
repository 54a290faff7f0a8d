"""What the tests of the ledger share: an open ledger, and short ways to make its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.ledger import Ledger, Submission, Sweep
from sweeplib.run.model import Attempt, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Make:
    """Makes sweeps, submissions and attempts of which a test says only what it is about."""

    def id(self, number: int) -> str:
        return f"01J{number:023d}"

    def sweep(self, number: int, lineage: int | None = None, **fields: Any) -> Sweep:
        own = self.id(number)
        values = {"job": "train", "total": 10, "created": 1000.0 + number} | fields
        return Sweep(id=own, lineage=own if lineage is None else self.id(lineage), **values)

    def submissions(self, *keys: str, first: int = 0) -> list[Submission]:
        return [
            Submission(key=key, position=first + index, label=f"k={key}", parameters={"k": key})
            for index, key in enumerate(keys)
        ]

    def attempt(
        self, key: str, outcome: Outcome = Outcome.COMPLETED, number: int = 1, **fields: Any
    ) -> Attempt:
        codes = {Outcome.COMPLETED: 0, Outcome.FAILED: 3}
        values = {
            "started": 10.0 * number,
            "ended": 10.0 * number + 5,
            "exit_code": codes.get(outcome),
            "log": f"logs/{key}.{number}.log",
            "message": "" if outcome is Outcome.COMPLETED else f"{outcome} at {number}",
        }
        return Attempt(key=key, number=number, outcome=outcome, **(values | fields))


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "project" / ".sweep" / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with Ledger.open(path) as opened:
        yield opened
