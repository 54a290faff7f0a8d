"""`sweep compare`, and the filters of `sweep results` and `sweep status`."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from sweeplib.ledger import SweepState
from sweeplib.run.model import Outcome

A, B, C = (f"{letter}{letter}12" + "0" * 28 for letter in "abc")


@pytest.fixture
def trained(history: Any) -> Any:
    """One sweep with three combinations, of which one failed."""
    commit = {"commit": "c0ffee", "branch": "main", "dirty": False}
    history.sweep(1, total=3, git=commit, spec=json.dumps({"tags": ["nightly"]}))
    history.submit(1, A, B, C, model=["svc", "svc", "knn"], lr=["1m", "10", "1"], seed=42)
    history.end(1, A, metrics={"accuracy": 0.98, "loss": 0.123456789}, seconds=1.25)
    history.end(1, B, metrics={"accuracy": 0.98}, seconds=1.25)
    history.end(1, C, Outcome.FAILED, metrics={}, seconds=2, exit_code=3, message="exit code 3")
    history.finish(1, SweepState.FAILED)
    return history


def test_what_differs(sweep: Any, trained: Any) -> None:
    done = sweep("compare", A[:4], C[:4])
    assert (done.code, done.err) == (0, "")
    rows = [line.split() for line in done.out.splitlines()]
    assert rows == [
        [A[:8], C[:8]],
        ["parameter", "model", "svc", "knn"],
        ["parameter", "lr", "1m", "1"],
        ["metric", "accuracy", "0.98", "-"],
        ["metric", "loss", "0.123457", "-"],
        ["outcome", "completed", "failed"],
        ["duration", "1.2", "s", "2.0", "s"],
    ]


def test_all_of_it_for_programs(sweep: Any, trained: Any) -> None:
    done = sweep("compare", A, B, C, "--all", "--format", "csv")
    rows = list(csv.reader(io.StringIO(done.out)))
    assert rows[0] == ["kind", "name", A, B, C]
    assert ["", "job", "train", "train", "train"] in rows
    assert ["parameter", "seed", "42", "42", "42"] in rows
    assert ["metric", "loss", "0.123456789", "", ""] in rows
    assert ["", "git commit", "c0ffee", "c0ffee", "c0ffee"] in rows
    found = json.loads(sweep("compare", A, B, "--format", "json").out)
    assert found == [
        {"kind": "parameter", "name": "lr", "differs": True, "values": {A: "1m", B: "10"}},
        {"kind": "metric", "name": "loss", "differs": True, "values": {A: 0.123456789, B: None}},
    ]


def test_what_cannot_be_compared(sweep: Any, trained: Any) -> None:
    done = sweep("compare", A)
    assert (done.code, done.err) == (2, "sweep: give the keys of two combinations or more\n")
    done = sweep("compare", A[:6], A[:6])
    assert (done.code, done.err) == (
        2,
        (
            "sweep: aa1200 is one combination, model=svc lr=1m seed=42, however often it is given; "
            "give the keys of two combinations or more\n"
        ),
    )
    done = sweep("compare", A, A[:6])
    assert (done.code, done.err) == (
        2,
        (
            f"sweep: {A} and aa1200 are the same combination, model=svc lr=1m seed=42; "
            "give the keys of two combinations or more\n"
        ),
    )
    done = sweep("compare", A, "ffff")
    assert done.code == 2
    assert done.err.startswith("sweep: no combination has a key that begins with 'ffff'")


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (["--status", "failed"], [C]),
        (["--status", "failed", "--status", "completed"], [A, B, C]),
        (["--status", "timed-out"], []),
        (["--tag", "nightly"], [A, B, C]),
        (["--tag", "nightly", "--tag", "other"], []),
        (["--name", "model=svc*"], [A, B]),
        (["--since", "1h"], []),
        (["--until", "1h"], [A, B, C]),
    ],
)
def test_results_that_are_wanted(sweep: Any, trained: Any, options: list[str], keys: list[str]) -> None:
    done = sweep("results", "train", "--format", "json", *options)
    assert done.code == 0
    assert sorted(each["key"] for each in json.loads(done.out)) == keys


def test_no_result_is_so(sweep: Any, trained: Any) -> None:
    done = sweep("results", "train", "--tag", "other")
    assert (done.code, done.out) == (0, "")
    assert done.err == "sweep: no combination of job 'train' is on record that is so\n"


@pytest.mark.parametrize(
    ("options", "tags"),
    [
        (["--status", "failed"], ["train-1"]),
        (["--status", "completed"], ["train-2"]),
        (["--tag", "nightly"], ["train-1"]),
        (["--name", "train-*"], ["train-2", "train-1"]),
        (["--name", "other*"], []),
        (["--since", "2h"], []),
    ],
)
def test_sweeps_that_are_wanted(sweep: Any, trained: Any, options: list[str], tags: list[str]) -> None:
    trained.sweep(2, total=0)
    trained.finish(2, SweepState.COMPLETED)
    done = sweep("status", "--format", "json", *options)
    assert done.code == 0
    assert [each["tag"] for each in json.loads(done.out)["sweeps"]] == tags


def test_a_time_that_is_none(sweep: Any, trained: Any) -> None:
    done = sweep("status", "--since", "soon")
    assert done.code == 2
    assert done.err.startswith("sweep: 'soon' is no time; write a date")
