"""The submitter of threads."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from sweeplib.engine import LocalSubmitter
from sweeplib.run.client import Guard
from sweeplib.run.model import Outcome, Work

if TYPE_CHECKING:
    import pytest

    from tests.unit.engine.conftest import Kit, Lab


def work(lab: Lab, number: int, *argv: str) -> Work:
    folder = lab.folder / "sweep"
    folder.mkdir(exist_ok=True)
    return Work("S1", "train", f"k{number}", number, f"i={number}", argv, str(lab.folder), str(folder))


def test_it_runs_and_hands_back(lab: Lab) -> None:
    submitter = LocalSubmitter(2)
    submitter.submit(work(lab, 1, "true"))
    (finished,) = submitter.wait(20)
    assert finished.work.key == "k1"
    assert [attempt.outcome for attempt in finished.attempts] == [Outcome.COMPLETED]


def test_the_window_is_twice_what_runs_at_once() -> None:
    assert LocalSubmitter(3).window == 6


def test_waiting_for_nothing() -> None:
    began = time.monotonic()
    assert LocalSubmitter(1).wait(0.1) == []
    assert 0.1 <= time.monotonic() - began < 5


def test_all_that_has_ended_comes_at_once(lab: Lab, kit: Kit) -> None:
    submitter = LocalSubmitter(2)
    for number in range(3):
        submitter.submit(work(lab, number, "true"))
    kit.await_true(lambda: len(submitter._ended) == 3, "three commands to end")
    assert {finished.work.key for finished in submitter.wait(20)} == {"k0", "k1", "k2"}


def test_stop_ends_what_runs(lab: Lab, kit: Kit) -> None:
    submitter = LocalSubmitter(1)
    submitter.submit(work(lab, 1, "sh", "-c", "touch started; exec sleep 60"))
    kit.await_true((lab.folder / "started").exists, "the command to start")
    submitter.stop()
    (finished,) = submitter.wait(20)
    assert finished.attempts[-1].outcome is Outcome.CANCELLED


def test_work_that_cannot_be_run_comes_back_lost(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    Guard.shared().close()
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    submitter = LocalSubmitter(1)
    submitter.submit(work(lab, 1, "true"))
    (finished,) = submitter.wait(20)
    (attempt,) = finished.attempts
    assert (attempt.outcome, attempt.number) == (Outcome.LOST, 0)
    assert attempt.message == (
        "the guard process cannot be started with '/nonexistent/python': "
        "[Errno 2] No such file or directory: '/nonexistent/python'"
    )
