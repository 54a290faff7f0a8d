"""Sweeps: begun, resumed, ended, found."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.errors import LedgerError, UnknownSweepError
from sweeplib.ledger import Ledger, Sweep, SweepState

if TYPE_CHECKING:
    from pathlib import Path

FINAL = [state for state in SweepState if state is not SweepState.RUNNING]


def test_a_sweep_comes_back_as_it_was_added(ledger: Ledger, path: Path, make: Any) -> None:
    plain = make.sweep(1)
    full = Sweep(
        id=make.id(2),
        job="träin",
        lineage=make.id(1),
        total=2**63 - 1,
        created=1700000000.25,
        tag="nightly",
        isolated=True,
        state=SweepState.RUNNING,
        done_before=3,
        arguments=("--seed=1", "a b", "'"),
        spec='{"run": "python train.py"}',
        ended=1700000001.5,
        host="node1",
        pid=4711,
        flow_run_id="0f3c",
        tracking={"uri": "sqlite:///mlflow.db", "experiment_id": "1", "run_id": None},
        git={"commit": "abc", "dirty": True},
        cancel_requested=True,
    )
    ledger.add_sweep(plain)
    ledger.add_sweep(full)
    with Ledger.open(path) as other:
        assert other.get_sweep(make.id(1)) == plain
        assert other.get_sweep(make.id(2)) == full


def test_text_that_is_no_unicode_is_kept_readable(ledger: Ledger, make: Any) -> None:
    ledger.add_sweep(make.sweep(1, tag="a\udcffb", arguments=("x=\udcff",)))
    sweep = ledger.get_sweep(make.id(1))
    assert sweep.tag == "a\\udcffb"
    assert sweep.arguments == ("x=\udcff",)


def test_an_id_is_added_once(ledger: Ledger, path: Path, make: Any) -> None:
    ledger.add_sweep(make.sweep(1))
    with pytest.raises(LedgerError) as caught:
        ledger.add_sweep(make.sweep(1, job="other"))
    assert str(caught.value) == f"{path}: sweep {make.id(1)} is on record already"
    assert ledger.get_sweep(make.id(1)).job == "train"


def test_a_lineage_begins_with_a_sweep(ledger: Ledger, make: Any) -> None:
    with pytest.raises(UnknownSweepError) as caught:
        ledger.add_sweep(make.sweep(2, lineage=1))
    assert str(caught.value) == no_sweep(make.id(1))
    assert ledger.sweeps() == []


def no_sweep(sweep_id: str) -> str:
    return f"no sweep has an id that begins with '{sweep_id}'; `sweep status` lists the sweeps"


def test_a_sweep_is_found_by_the_beginning_of_its_id(ledger: Ledger) -> None:
    for sweep_id in ("01JA", "01JAB", "01JC"):
        ledger.add_sweep(Sweep(id=sweep_id, job="train", lineage=sweep_id, total=1, created=1.0))
    assert ledger.get_sweep("01JC").id == "01JC"
    assert ledger.get_sweep("01jab").id == "01JAB"
    with pytest.raises(UnknownSweepError) as caught:
        ledger.get_sweep("01J")
    assert str(caught.value) == (
        "several sweeps have an id that begins with '01J': 01JA, 01JAB, 01JC; give more of it"
    )
    with pytest.raises(UnknownSweepError) as caught:
        ledger.get_sweep("01X")
    assert str(caught.value) == no_sweep("01X")


def test_few_of_many_ambiguous_sweeps_are_listed(ledger: Ledger, make: Any) -> None:
    for number in range(10, 17):
        ledger.add_sweep(make.sweep(number))
    with pytest.raises(UnknownSweepError) as caught:
        ledger.get_sweep("01J0")
    ids = ", ".join(make.id(number) for number in range(10, 15))
    assert str(caught.value) == (
        f"several sweeps have an id that begins with '01J0': {ids}, …; give more of it"
    )


def test_sweeps_are_listed_newest_first(ledger: Ledger, make: Any) -> None:
    for number, job in enumerate(["train", "other", "train", "train"]):
        ledger.add_sweep(make.sweep(number, job=job))

    def listed(*arguments: Any) -> list[str]:
        return [sweep.id for sweep in ledger.sweeps(*arguments)]

    assert listed() == [make.id(3), make.id(2), make.id(1), make.id(0)]
    assert listed("train") == [make.id(3), make.id(2), make.id(0)]
    assert listed("train", 2) == [make.id(3), make.id(2)]
    assert listed(None, 1) == [make.id(3)]
    assert listed("train", 0) == []
    assert listed("none") == []


def test_the_latest_lineage_is_that_of_the_newest_local_sweep(ledger: Ledger, make: Any) -> None:
    assert ledger.latest_lineage("train") is None
    ledger.add_sweep(make.sweep(1, isolated=True))
    assert ledger.latest_lineage("train") is None
    ledger.add_sweep(make.sweep(2))
    ledger.add_sweep(make.sweep(3, lineage=2))
    ledger.add_sweep(make.sweep(4, isolated=True))
    ledger.add_sweep(make.sweep(5, job="other"))
    assert ledger.latest_lineage("train") == make.id(2)
    assert ledger.latest_lineage("train", isolated=True) == make.id(4)
    ledger.add_sweep(make.sweep(6))
    assert ledger.latest_lineage("train") == make.id(6)


@pytest.mark.parametrize("state", FINAL)
def test_a_running_sweep_ends_once(ledger: Ledger, make: Any, state: SweepState) -> None:
    ledger.add_sweep(make.sweep(1))
    assert ledger.finish_sweep(make.id(1), state, 5.0)
    for later in FINAL:
        assert not ledger.finish_sweep(make.id(1), later, 6.0)
    assert ledger.get_sweep(make.id(1)) == replace(make.sweep(1), state=state, ended=5.0)


def test_the_end_is_now_where_not_said_otherwise(ledger: Ledger, make: Any) -> None:
    ledger.add_sweep(make.sweep(1))
    ledger.finish_sweep(make.id(1), SweepState.FAILED)
    ended = ledger.get_sweep(make.id(1)).ended
    assert ended is not None
    assert ended > 1_700_000_000


def test_running_is_no_end(ledger: Ledger, make: Any) -> None:
    ledger.add_sweep(make.sweep(1))
    with pytest.raises(
        ValueError, match=r"^a sweep is not finished by running; resume_sweep sets it running$"
    ):
        ledger.finish_sweep(make.id(1), SweepState.RUNNING)


@pytest.mark.parametrize("state", FINAL)
def test_a_resumed_sweep_runs_again_under_its_new_owner(ledger: Ledger, make: Any, state: SweepState) -> None:
    ledger.add_sweep(make.sweep(1, host="gone", pid=1))
    ledger.request_cancel(make.id(1))
    ledger.finish_sweep(make.id(1), state)
    resumed = ledger.resume_sweep(make.id(1), host="here", pid=7)
    assert resumed == make.sweep(1, host="here", pid=7)
    assert ledger.get_sweep(make.id(1)) == resumed
    assert ledger.finish_sweep(make.id(1), SweepState.COMPLETED)


def test_the_owner_is_this_process_where_not_said_otherwise(ledger: Ledger, make: Any) -> None:
    ledger.add_sweep(make.sweep(1))
    resumed = ledger.resume_sweep(make.id(1))
    assert (resumed.host, resumed.pid) == (os.uname().nodename, os.getpid())


def test_running_sweeps_are_listed_oldest_first(ledger: Ledger, make: Any) -> None:
    for number, job in enumerate(["train", "other", "train", "train"]):
        ledger.add_sweep(make.sweep(number, job=job))
    ledger.finish_sweep(make.id(2), SweepState.COMPLETED)
    assert [sweep.id for sweep in ledger.running_sweeps()] == [make.id(0), make.id(1), make.id(3)]
    assert [sweep.id for sweep in ledger.running_sweeps("train")] == [make.id(0), make.id(3)]


def test_a_request_to_cancel_is_seen_by_other_processes(ledger: Ledger, path: Path, make: Any) -> None:
    ledger.add_sweep(make.sweep(1))
    with Ledger.open(path) as other:
        assert not other.cancel_requested(make.id(1))
        assert ledger.request_cancel(make.id(1))
        assert other.cancel_requested(make.id(1))
        assert other.get_sweep(make.id(1)).cancel_requested


def test_an_ended_sweep_is_not_cancelled(ledger: Ledger, make: Any) -> None:
    ledger.add_sweep(make.sweep(1))
    ledger.finish_sweep(make.id(1), SweepState.COMPLETED)
    assert not ledger.request_cancel(make.id(1))
    assert not ledger.cancel_requested(make.id(1))


def test_flow_run_and_tracking_are_kept(ledger: Ledger, make: Any) -> None:
    kept = make.sweep(1, flow_run_id="0f3c", tracking={"uri": "sqlite:///mlflow.db"})
    ledger.add_sweep(kept)
    assert ledger.get_sweep(make.id(1)) == kept


def test_what_prefect_may_not_know(ledger: Ledger, make: Any) -> None:
    for number, flow_run in enumerate(["0f3c", None, "1f3c", "2f3c"], 1):
        ledger.add_sweep(make.sweep(number, flow_run_id=flow_run))
    assert ledger.unreported(9) == [], "they run"
    for number in range(1, 5):
        ledger.finish_sweep(make.id(number), SweepState.FAILED)
    assert [sweep.id for sweep in ledger.unreported(9)] == [make.id(4), make.id(3), make.id(1)]
    assert [sweep.id for sweep in ledger.unreported(1)] == [make.id(4)]
    for number in (1, 4):
        ledger.set_reported(make.id(number))
    assert [sweep.id for sweep in ledger.unreported(9)] == [make.id(3)]
    ledger.resume_sweep(make.id(1))
    ledger.resume_sweep(make.id(2))
    for number in (1, 2):
        ledger.finish_sweep(make.id(number), SweepState.COMPLETED)
    assert [sweep.id for sweep in ledger.unreported(9)] == [make.id(3), make.id(1)]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("resume_sweep", ()),
        ("finish_sweep", (SweepState.FAILED,)),
        ("request_cancel", ()),
        ("cancel_requested", ()),
        ("submit", ([],)),
    ],
)
def test_every_method_knows_an_unknown_sweep(ledger: Ledger, method: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(UnknownSweepError) as caught:
        getattr(ledger, method)("01X", *arguments)
    assert str(caught.value) == no_sweep("01X")
