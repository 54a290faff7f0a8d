"""What is expected of each case, from given rows at its limits."""

from __future__ import annotations

import pytest

from benchmarks import commands, first_command, imports, makespan, many, resume
from benchmarks.model import Measure, Row

RATE = Measure("commands a second", "/s")
MISSING = Measure("records missing when the process has ended", "")
DROPPED = Measure("lines of the server's log that tell of a dropped message", "")
WALL = Measure("time of the process", "s")


def found(case: object, *rows: tuple[str, Measure, float]) -> list[tuple[str, bool | None]]:
    """Return what is found, and whether that is enough, for rows of one sample each."""
    given = [Row("x", tool, measure, (value,)) for tool, measure, value in rows]
    return [(each.found, each.met) for each in case.expectations(given)]  # type: ignore[attr-defined]


def test_commands_are_as_fast_as_gnu_parallels_and_far_ahead_of_the_stock_runner() -> None:
    ours = ("sweep, tracking off", RATE, 300.0)
    missing = [
        (tool, MISSING, 0.0)
        for tool in ("sweep, tracking off", "sweep, MLflow on SQLite", "sweep, in a new project")
    ]
    peers = ("GNU parallel", RATE, 300.0), ("prefect-dask, stock", RATE, 20.5)
    assert found(commands, ours, *peers, *missing) == [
        ("1 times", True),
        ("14.6 times", False),
        ("0 records missing", True),
    ]


def test_many_commands_are_as_fast_as_few_and_on_record() -> None:
    many_, few = "sweep, 10,000 commands", "sweep, 1,000 commands"
    rows = [(many_, RATE, 90.0), (few, RATE, 100.0), (many_, MISSING, 2.0), (few, MISSING, 0.0)]
    assert found(many, *rows, (many_, DROPPED, 0.0)) == [
        ("0.9 times", True),
        ("records missing when the process has ended: 2", False),
        ("lines of the server's log that tell of a dropped message: 0", True),
    ]
    assert [met for _, met in found(many)] == [None, None, None]


def test_scripts_that_import_much_are_eight_times_faster() -> None:
    rows = [("sweep, preload", WALL, 10.0), ("HydraFlow", WALL, 80.0), ("GNU parallel", WALL, 79.0)]
    assert found(imports, *rows) == [("8 times", True), ("7.9 times", False)]


def test_the_first_command_waits_little_longer_than_for_prefect() -> None:
    time = Measure("time to the first command", "s")
    rows = [("sweep, tracking off", time, 2.5), ("sweep, MLflow on SQLite", time, 2.6)]
    assert found(first_command, *rows, ("import prefect", time, 1.0)) == [
        ("2.5 times", True),
        ("2.6 times", False),
    ]


@pytest.mark.parametrize(("seconds", "met"), [(17.1, True), (17.3, False)])
def test_the_makespan_is_near_the_ideal_one(seconds: float, *, met: bool) -> None:
    span = Measure("from the first command's start to the last one's end", "s")
    assert [ok for _, ok in found(makespan, ("sweep", span, seconds))] == [met]


def test_a_resume_begins_soon_and_stays_small() -> None:
    first = Measure("from the flow run's start to the first command's", "s")
    memory = Measure("peak memory of the process", "MB")
    assert found(resume, ("sweep", first, 2.9), ("sweep", memory, 401.0)) == [
        ("2.9 s", True),
        ("401 MB", False),
    ]
