"""How many threads the libraries of a command start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweeplib.amounts import Amounts
from sweeplib.run import machine
from sweeplib.run.attempt import run_attempt
from sweeplib.run.model import Outcome
from sweeplib.run.threads import VARIABLES, threads

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Sweep


@pytest.fixture
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine have eight processors."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))


@pytest.mark.parametrize(("cpu", "count"), [(1, "1"), (2.9, "2"), (0.25, "1"), (8, "8"), (64, "8")])
@pytest.mark.usefixtures("eight")
def test_as_many_threads_as_whole_processors(cpu: float, count: str) -> None:
    assert threads(cpu, {}) == dict.fromkeys(VARIABLES, count)
    assert {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"} < set(VARIABLES)


def test_nothing_is_said_of_processors() -> None:
    assert threads(None, {}) == {}


@pytest.mark.usefixtures("eight")
def test_what_the_user_said_stays() -> None:
    found = threads(4, {"POLARS_MAX_THREADS": "3", "RAYON_NUM_THREADS": None})
    assert "POLARS_MAX_THREADS" not in found
    assert found["RAYON_NUM_THREADS"] == found["OMP_NUM_THREADS"] == "4"


@pytest.mark.usefixtures("eight")
def test_libraries_that_go_by_the_variable_of_openmp_are_left_to_it() -> None:
    found = threads(4, {"OMP_NUM_THREADS": "1"})
    assert not found.keys() & {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}
    assert found["NUMBA_NUM_THREADS"] == found["POLARS_MAX_THREADS"] == "4"


def test_a_command_sees_them(sweep: Sweep, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "7")
    script = f'echo "$OMP_NUM_THREADS $NUMBA_NUM_THREADS $RAYON_NUM_THREADS" > {tmp_path}/said'
    env = {"RAYON_NUM_THREADS": "5"}
    attempt = run_attempt(sweep.work("sh", "-c", script, amounts=Amounts(cpu=1.5), env=env))
    assert (attempt.outcome, attempt.note) == (Outcome.COMPLETED, "")
    assert (tmp_path / "said").read_text() == "1 7 5\n"


def test_more_processors_than_there_are(sweep: Sweep) -> None:
    attempt = run_attempt(sweep.work("true", amounts=Amounts(cpu=5000)))
    assert attempt.outcome is Outcome.COMPLETED
    assert attempt.note == (
        f"commands ask for 5000 processors (resources), and this machine has {machine.processors()}: "
        "such a command has all of them"
    )


def test_a_command_that_is_refused(sweep: Sweep) -> None:
    attempt = run_attempt(sweep.work("true", refusal="resources: cpu is 'zero'"))
    assert (attempt.outcome, attempt.message) == (Outcome.FAILED, "resources: cpu is 'zero'")
