"""`sweep results`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.engine import TrackedRun, TrackedSweep
from sweeplib.ledger import SweepState
from sweeplib.run.model import Attempt, Outcome
from sweeplib.track import make_tracker

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [letter * 32 for letter in "abcdef"]


@pytest.fixture
def trained(history: Any) -> Any:
    """Two sweeps of one lineage: four combinations completed, one failed, one runs."""
    a, b, c, d, e, f = KEYS
    history.sweep(1, total=6, tracking={"tracker": "mlflow"})
    history.submit(1, a, b, c, d, model=["svc", "svc", "knn", "knn"], C=["1m", "10", "1", "1"], seed=42)
    history.end(1, a, metrics={"accuracy": 0.98, "loss": 0.123456}, seconds=1.25)
    history.end(1, b, metrics={"accuracy": 0.986123, "loss": 0.2}, seconds=245)
    history.end(1, c, Outcome.FAILED, message="exit code 3")
    history.end(1, d, metrics={}, seconds=0.25)
    history.finish(1, SweepState.FAILED)
    history.sweep(2, lineage=1, total=6)
    history.submit(2, c, first=2, model="knn", C="1", seed=42)
    history.end(2, c, Outcome.TIMED_OUT, message="ended after 2 s\n(timeout)", seconds=2)
    history.submit(2, e, f, first=4, model="mlp", C=["1", "4"], seed=42)
    history.end(2, e, metrics={"accuracy": 0.5}, seconds=3)
    return history


HEADLINE = (
    "sweep: train: 6 combinations (4 completed, 1 timed out, 1 submitted); by accuracy, highest first\n"
)


def test_a_table_the_best_first(sweep: Any, trained: Any) -> None:
    done = sweep("results", "train")
    assert (done.code, done.err) == (0, HEADLINE)
    assert done.out == (
        "rank  key       model   C  accuracy    loss  duration  outcome    message\n"
        "   1  bbbbbbbb  svc    10    0.9861  0.2000    4m 05s  completed\n"
        "   2  aaaaaaaa  svc    1m    0.9800  0.1235     1.2 s  completed\n"
        "   3  eeeeeeee  mlp     1    0.5000             3.0 s  completed\n"
        "      dddddddd  knn     1                      0.25 s  completed\n"
        "      ffffffff  mlp     4                              submitted\n"
        "      cccccccc  knn     1                       2.0 s  timed out  ended after 2 s\\n(timeout)\n"
    )


def test_the_best_by_another_metric(sweep: Any, trained: Any) -> None:
    done = sweep("results", "train", "--metric", "loss", "--best", "1")
    assert done.code == 0
    assert done.err == HEADLINE.replace("by accuracy, highest", "by loss, lowest")
    assert done.out == (
        "rank  key       model   C    loss  accuracy  duration\n"
        "   1  aaaaaaaa  svc    1m  0.1235    0.9800     1.2 s\n"
    )


def test_the_direction_can_be_told(sweep: Any, trained: Any) -> None:
    done = sweep("results", "train", "-m", "loss", "--descending", "-n", "1")
    assert done.err == HEADLINE.replace("by accuracy", "by loss")
    assert done.out.splitlines()[1].split()[:2] == ["1", "bbbbbbbb"]


def test_csv_is_complete_and_unrounded(sweep: Any, trained: Any) -> None:
    done = sweep("results", "train", "--format", "csv")
    assert (done.code, done.err) == (0, "")
    a, b, c, d, e, f = KEYS
    assert done.out == (
        "rank,key,outcome,exit_code,duration,model,C,seed,accuracy,loss,log\n"
        f"1,{b},completed,,245.0,svc,10,42,0.986123,0.2,\n"
        f"2,{a},completed,,1.25,svc,1m,42,0.98,0.123456,\n"
        f"3,{e},completed,,3.0,mlp,1,42,0.5,,\n"
        f",{d},completed,,0.25,knn,1,42,,,\n"
        f",{f},,,,mlp,4,42,,,\n"
        f",{c},timed out,,2.0,knn,1,42,,,\n"
    )


def test_json(sweep: Any, trained: Any) -> None:
    done = sweep("results", "train", "--format", "json", "--best", "1")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == [
        {
            "rank": 1,
            "key": KEYS[1],
            "outcome": "completed",
            "exit_code": None,
            "duration": 245.0,
            "parameters": {"model": "svc", "C": "10", "seed": "42"},
            "metrics": {"accuracy": 0.986123, "loss": 0.2},
            "message": "",
            "log": "",
        }
    ]


@pytest.mark.parametrize("name", ["train-2", "TRAIN-2", f"01J{2:023d}", f"01j{2:023d}"])
def test_one_sweep(sweep: Any, trained: Any, name: str) -> None:
    done = sweep("results", "train", "--sweep", name, "--format", "csv")
    assert done.code == 0
    assert [line.split(",")[1] for line in done.out.splitlines()[1:]] == [KEYS[4], KEYS[5], KEYS[2]]


def test_the_newest_sweep_decides_what_is_shown(sweep: Any, trained: Any) -> None:
    trained.sweep(3)
    trained.submit(3, KEYS[0], model="svc")
    trained.end(3, KEYS[0])
    done = sweep("results", "train")
    assert done.err == (
        "sweep: train: 1 combination (1 completed); no metric was logged, so in the order of the plan\n"
    )
    assert done.out == "rank  key       model  duration\n      aaaaaaaa  svc       1.5 s\n"


def test_a_sweep_that_has_only_begun(sweep: Any, history: Any) -> None:
    history.sweep(1)
    done = sweep("results", "train")
    assert (done.code, done.out, done.err) == (
        0,
        "",
        "sweep: no combination of job 'train' is on record yet\n",
    )
    assert sweep("results", "train", "--format", "json").out == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["train", "--metric", "acuracy"],
            "there is no metric 'acuracy'; did you mean 'accuracy'? (metrics: accuracy, loss)",
        ),
        (["other"], "job 'other' has no sweep yet; start one with: sweep run other"),
        (["trian"], "sweeps.yaml has no job 'trian'; did you mean 'train'? (jobs: train, other)"),
        (["other", "--best", "1"], "job 'other' has no sweep yet; start one with: sweep run other"),
        (
            ["train", "--sweep", "x"],
            "no sweep has an id that begins with 'x'; `sweep status` lists the sweeps",
        ),
        (["train", "--sweep", ""], "a sweep has no empty name; `sweep status` lists the sweeps"),
        (["train", "--sweep", "o-3"], "sweep o-3 is one of job 'other-one', not of 'train'"),
    ],
)
def test_mistakes(sweep: Any, trained: Any, arguments: list[str], message: str) -> None:
    trained.sweep(3, job="other-one", tag="o-3")
    done = sweep("results", *arguments)
    assert (done.code, done.out, done.err) == (2, "", f"sweep: {message}\n")


def test_before_anything_has_run(sweep: Any, folder: Path) -> None:
    done = sweep("results", "train")
    message = "sweep: job 'train' has no sweep yet; start one with: sweep run train\n"
    assert (done.code, done.out, done.err) == (2, "", message)
    assert not (folder / ".sweep").exists()


def test_two_sweeps_of_one_tag(sweep: Any, history: Any) -> None:
    history.sweep(1, tag="same")
    history.sweep(2, tag="same")
    done = sweep("results", "train", "--sweep", "same")
    ids = f"{history.id(2)}, {history.id(1)}"
    assert (done.code, done.err) == (2, f"sweep: several sweeps have the tag 'same': {ids}; give the id\n")


def test_metrics_that_the_ledger_lacks_come_from_mlflow(
    sweep: Any, history: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    history.sweep(1, tracking={"tracker": "mlflow"})
    history.submit(1, *KEYS[:2], C=["1", "2"])
    history.end(1, KEYS[0])
    history.end(1, KEYS[1], metrics={"accuracy": 0.25})
    with make_tracker(folder) as tracker:
        tracked = TrackedSweep(id=history.id(1), job="train", tag="train-1", own_runs=False, total=4)
        tracker.begin(tracked)
        tracker.open([TrackedRun(key=KEYS[0], label="C=1", parameters={"C": "1"})])
        tracker.environment(KEYS[0])
        now = time.time()
        tracker.end(
            Attempt(
                key=KEYS[0],
                number=1,
                outcome=Outcome.COMPLETED,
                started=now,
                ended=now,
                metrics={"accuracy": 0.75},
            )
        )
        assert tracker.finish("completed", 60.0) == []
    done = sweep("results", "train")
    assert done.err == "sweep: train: 2 combinations (2 completed); by accuracy, highest first\n"
    assert done.out == (
        "rank  key       C  accuracy  duration\n"
        "   1  aaaaaaaa  1    0.7500     1.5 s\n"
        "   2  bbbbbbbb  2    0.2500     1.5 s\n"
    )


def test_mlflow_is_not_asked_about_sweeps_that_it_was_not_told_of(
    sweep: Any, history: Any, folder: Path
) -> None:
    (folder / "mlflow.db").write_bytes(b"no database")
    history.sweep(1)
    history.submit(1, KEYS[0], C="1")
    history.end(1, KEYS[0])
    assert sweep("results", "train").err == (
        "sweep: train: 1 combination (1 completed); no metric was logged, so in the order of the plan\n"
    )


def test_an_mlflow_that_does_not_answer_is_a_note(
    sweep: Any, history: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (folder / "mlflow.db").touch()
    log = folder / ".sweep" / "mlflow.log"
    log.mkdir()
    history.sweep(1, tracking={"tracker": "mlflow"})
    history.submit(1, KEYS[0], C="1")
    history.end(1, KEYS[0])
    done = sweep("results", "train")
    first, *rest = done.err.splitlines()
    assert done.code == 0
    assert first.startswith("sweep: MLflow did not answer (")
    assert first.endswith("): metrics may be missing; see .sweep/mlflow.log")
    assert rest == [
        "sweep: train: 1 combination (1 completed); no metric was logged, so in the order of the plan"
    ]
    assert done.out == "rank  key       C  duration\n      aaaaaaaa  1     1.5 s\n"


def test_mlflow_is_asked_at_the_end_of_watching_alone(
    sweep: Any, history: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (folder / "mlflow.db").touch()
    (folder / ".sweep" / "mlflow.log").mkdir()
    history.sweep(1, tracking={"tracker": "mlflow"})
    history.submit(1, KEYS[0], C="1")
    history.end(1, KEYS[0])
    with history.owned(1):
        end = threading.Timer(0.5, history.finish, (1, SweepState.COMPLETED))
        end.start()
        done = sweep("results", "train", "--watch")
        end.join()
    assert done.err.count("MLflow did not answer (") == 1
    assert done.out.splitlines()[-1] == "      aaaaaaaa  1     1.5 s"


def test_a_narrow_terminal_is_told_what_is_left_out(trained: Any, folder: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "sweeplib.cli", "-C", str(folder), "results", "train", "-n", "1"]
    done = subprocess.run(
        command,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=os.environ | {"COLUMNS": "50", "NO_COLOR": "1", "TERM": "xterm"},
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.stderr.decode() == HEADLINE + (
        "sweep: left out, as the terminal is too narrow: loss; a pipe or a file gets them all\n"
    )
    assert [line.rstrip() for line in shown.splitlines()] == [
        "rank  key       model   C  accuracy  duration",
        "   1  bbbbbbbb  svc    10    0.9861    4m 05s",
    ]


def test_what_cannot_be_watched(sweep: Any, history: Any) -> None:
    history.sweep(1, total=1)
    history.submit(1, "a" * 32, C="1")
    done = sweep("results", "train", "--watch", "--format", "csv")
    message = "sweep: --watch shows a table over and over; leave --format csv out, or --watch\n"
    assert (done.code, done.out, done.err) == (2, "", message)
    done = sweep("results", "train", "--over", "C")
    message = "sweep: --over says what --watch draws, and --watch is not given\n"
    assert (done.code, done.out, done.err) == (2, "", message)
    done = sweep("results", "train", "--watch", "--over", "c")
    message = "sweep: there is no parameter 'c'; did you mean 'C'? (parameters: C)\n"
    assert (done.code, done.out, done.err) == (2, "", message)
