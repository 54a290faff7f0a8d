"""`sweep cancel`."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

import sweeplib.cli.cancel
from sweeplib.ledger import Ledger, SweepState
from sweeplib.run.model import Attempt, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS = [letter * 32 for letter in "abcd"]


@contextmanager
def owner(history: Any, number: int) -> Iterator[None]:
    """Own a sweep as an engine does: look for the request, end what runs, write the sweep's end."""
    over = Event()

    def obey() -> None:
        with Ledger.open(history.folder / ".sweep" / "ledger.db") as ledger:
            while not ledger.cancel_requested(history.id(number)):
                if over.wait(0.02):
                    return
            attempts = [
                Attempt(key=row.key, number=1, outcome=Outcome.CANCELLED, started=1.0, ended=2.0)
                for row in ledger.open_combinations(history.id(number))
            ]
            ledger.record(history.id(number), attempts)
            ledger.finish_sweep(history.id(number), SweepState.CANCELLED)

    with history.owned(number):
        thread = Thread(target=obey)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def test_nothing_is_running(sweep: Any, folder: Path, history: Any) -> None:
    done = sweep("cancel")
    assert (done.code, done.out, done.err) == (0, "", "sweep: nothing is running\n")
    done = sweep("cancel", "train")
    assert (done.code, done.out, done.err) == (0, "", "sweep: nothing is running\n")


def test_before_anything_has_run(sweep: Any, folder: Path) -> None:
    done = sweep("cancel")
    assert (done.code, done.out, done.err) == (0, "", "sweep: nothing is running\n")
    done = sweep("cancel", "train-1")
    message = "sweep: nothing has run yet, so there is no sweep to cancel\n"
    assert (done.code, done.out, done.err) == (2, "", message)
    assert not (folder / ".sweep").exists()


def test_all_that_runs(sweep: Any, history: Any) -> None:
    history.sweep(1, total=28, done_before=8)
    history.submit(1, *KEYS[:3])
    history.end(1, KEYS[0])
    history.sweep(2, job="other", total=1)
    history.submit(2, KEYS[3])
    with owner(history, 1), owner(history, 2):
        done = sweep("cancel")
    assert (done.code, done.err) == (0, "")
    assert done.out == "train-1: cancelled, 1 of 20 completed\nother-2: cancelled, 0 of 1 completed\n"


@pytest.mark.parametrize("name", ["other", "other-2", f"01J{2:023d}"])
def test_one_by_name(sweep: Any, history: Any, name: str) -> None:
    history.sweep(1)
    history.sweep(2, job="other", total=1)
    with history.owned(1), owner(history, 2):
        done = sweep("cancel", name, name)
    assert (done.code, done.out, done.err) == (0, "other-2: cancelled, 0 of 1 completed\n", "")
    assert not history.ledger.cancel_requested(history.id(1))


def test_an_unknown_name_cancels_nothing(sweep: Any, history: Any) -> None:
    history.sweep(1)
    with history.owned(1):
        done = sweep("cancel", "train-1", "trian")
    assert (done.code, done.out) == (2, "")
    assert done.err == "sweep: no sweep has an id that begins with 'trian'; `sweep status` lists the sweeps\n"
    assert not history.ledger.cancel_requested(history.id(1))


def test_a_sweep_that_had_ended(sweep: Any, history: Any) -> None:
    history.sweep(1)
    history.finish(1, SweepState.COMPLETED)
    done = sweep("cancel", "train-1")
    assert (done.code, done.err) == (0, "")
    assert done.out == "train-1: had ended before (completed, 0 of 4 completed)\n"


def test_a_sweep_whose_owner_has_died(sweep: Any, history: Any) -> None:
    history.sweep(1)
    done = sweep("cancel")
    assert (done.code, done.err) == (0, "")
    assert done.out == "train-1: the process that ran it has died; the next `sweep run train` recovers it\n"
    assert not history.ledger.cancel_requested(history.id(1))


def test_an_owner_that_does_not_obey(sweep: Any, history: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeplib.cli.cancel, "_PATIENCE", 0.25)
    history.sweep(1)
    with history.owned(1):
        done = sweep("cancel")
    assert (done.code, done.err) == (1, "")
    assert done.out == "train-1: still running after 0.25 s; it ends when its commands have ended\n"
    assert history.ledger.cancel_requested(history.id(1))


def test_an_owner_that_dies_meanwhile(sweep: Any, history: Any) -> None:
    history.sweep(1)
    asked = Event()

    def die() -> None:
        with history.owned(1), Ledger.open(history.folder / ".sweep" / "ledger.db") as ledger:
            asked.set()
            while not ledger.cancel_requested(history.id(1)):
                Event().wait(0.02)

    thread = Thread(target=die)
    thread.start()
    asked.wait()
    done = sweep("cancel")
    thread.join()
    assert (done.code, done.err) == (0, "")
    assert done.out == "train-1: the process that ran it has died; the next `sweep run train` recovers it\n"
