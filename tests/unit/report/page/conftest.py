"""What the tests of the page share: results, and a report of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.report.page import Report
from sweeplib.report.ranking import rank
from sweeplib.report.results import Result
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def _result(
    number: int,
    metrics: Mapping[str, float] | None = None,
    outcome: Outcome | None = Outcome.COMPLETED,
    duration: float | None = 1.5,
    message: str = "",
    **parameters: str,
) -> Result:
    return Result(
        key=f"{number:032x}",
        outcome=outcome,
        duration=duration,
        parameters=parameters,
        metrics=metrics or {},
        message=message,
        label=" ".join(f"{name}={value}" for name, value in parameters.items()),
        exit_code=None if outcome is None else int(outcome is not Outcome.COMPLETED),
        sweep="S1",
        command="train",
        attempts=1,
        started=100.25,
    )


def _report(results: Sequence[Result], **fields: Any) -> Report:
    values: dict[str, Any] = {"standings": (), "code": (), "narrowed": (), "made": 0.0}
    return Report(job="train", ranking=rank(results), **(values | fields))


@pytest.fixture
def result() -> Callable[..., Result]:
    """Make a result by its number: key, metrics and parameters."""
    return _result


@pytest.fixture
def report() -> Callable[..., Report]:
    """Make a report of results."""
    return _report
