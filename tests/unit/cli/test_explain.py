"""`sweep explain`: what would run, what would not, and why; asserted whole."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import TYPE_CHECKING

import pytest

from sweeplib.engine import Codes
from sweeplib.jobs import load
from sweeplib.ledger import Submission, SweepState
from sweeplib.plan import Plan
from sweeplib.run.model import Outcome
from tests.unit.cli.conftest import BEGAN
from tests.worktrees import Tree, own_git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Done, History

JOBS = "jobs: {{train: {{run: python train.py, style: flags, timeout: {}, sets: [{}]}}}}\n"
SETS = "{each: 'model=svc,knn lr=1m,2m'}"
HOUR = 3600.0


class Told:
    """A project's history, told in terms of its plan."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.folder = history.folder
        self.write()
        (self.folder / "train.py").write_text("")

    def write(self, sets: str = SETS, timeout: str = "1h") -> None:
        (self.folder / "sweeps.yaml").write_text(JOBS.format(timeout, sets))

    def plan(self, *arguments: str) -> Plan:
        return Plan(load(self.folder).job("train"), arguments)

    def sweep(self, number: int, *places: int, arguments: tuple[str, ...] = (), **fields: object) -> None:
        """Begin a sweep of these combinations, with the code and the job as they are."""
        plan = self.plan(*arguments)
        fields = {"job": "train", "arguments": arguments, "spec": json.dumps(plan.job.written())} | fields
        self.history.sweep(number, **fields)
        self.history.ledger.add_code(
            self.history.id(number), BEGAN, Codes(plan, self.folder, self.history.ledger).now.to_text()
        )
        self.history.ledger.submit(
            self.history.id(number),
            [
                Submission(
                    key=plan[place].key,
                    position=place,
                    label=plan[place].label,
                    parameters=plan[place].parameters,
                )
                for place in places
            ],
        )

    def end(self, number: int, place: int, outcome: Outcome = Outcome.COMPLETED, **fields: object) -> None:
        self.history.end(number, self.plan()[place].key, outcome, **fields)


@pytest.fixture
def told(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    own_git(tmp_path, monkeypatch)
    monkeypatch.setattr(time, "time", lambda: BEGAN + 2 * HOUR)
    return Told(history)


def test_before_anything_has_run(folder: Path, sweep: Callable[..., Done]) -> None:
    done = sweep("explain", "other")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "run      other: never ran: job other has no sweep yet\n\nother: 1 combination: 1 to run\n"
    )
    assert not (folder / ".sweep").exists()


def test_what_became_of_each(told: Told, sweep: Callable[..., Done]) -> None:
    told.sweep(1, 0, 1, 2)
    told.end(1, 0)
    told.end(1, 1, Outcome.FAILED, message="exit code 1: no memory")
    told.end(1, 2, Outcome.CANCELLED, message="interrupted")
    told.history.finish(1, SweepState.FAILED)
    told.sweep(2, 1, lineage=1)
    told.end(2, 1, Outcome.TIMED_OUT, message="timed out after 3 s")
    told.history.finish(2, SweepState.FAILED)
    assert sweep("explain", "train").out == (
        "skip     model=svc lr=1m: done in sweep train-1 (1 hour ago)\n"
        "run      model=svc lr=2m: failed twice, last: timed out after 3 s (in sweep train-2, 1 hour ago)\n"
        "run      model=knn lr=1m: cancelled in sweep train-1 (1 hour ago)\n"
        "run      model=knn lr=2m: never ran: a new combination of values that did\n"
        "\n"
        "train: 4 combinations: 3 to run, 1 done\n"
    )


def test_while_another_sweep_runs_and_when_it_has_died(told: Told, sweep: Callable[..., Done]) -> None:
    told.sweep(1, 0)
    with told.history.owned(1):
        out = sweep("explain", "train", "--only", "model=svc lr=1m").out
    assert out == (
        "skip     model=svc lr=1m: running in sweep train-1 now\n\ntrain: 1 combination: 1 running\n"
    )
    out = sweep("explain", "train", "--only", "model=svc lr=1m").out
    assert out.startswith(
        "run      model=svc lr=1m: not completed in sweep train-1, whose process has died\n"
    )


def test_one_failure(told: Told, sweep: Callable[..., Done]) -> None:
    told.sweep(1, 0, 1)
    told.end(1, 0, Outcome.FAILED, message="exit code 3")
    told.end(1, 1, Outcome.LOST, message="the process that ran the sweep died")
    assert sweep("explain", "train", "--only", "model=svc").out.splitlines()[:2] == [
        "run      model=svc lr=1m: failed: exit code 3 (in sweep train-1, 1 hour ago)",
        "run      model=svc lr=2m: lost: the process that ran the sweep died (in sweep train-1, 1 hour ago)",
    ]


def test_what_does_not_count(told: Told, sweep: Callable[..., Done]) -> None:
    """Sweeps before the last --fresh, those of deployments, and those of a job that was called otherwise."""
    told.sweep(1, 0)
    told.end(1, 0)
    told.sweep(2, 1, isolated=True)
    told.end(2, 1)
    told.sweep(3, 2, job="old", tag="old-3")
    told.end(3, 2, Outcome.FAILED)
    told.sweep(4, 3)
    told.end(4, 3)
    assert sweep("explain", "train").out == (
        "run      model=svc lr=1m: done before the last --fresh, in sweep train-1 (1 hour ago)\n"
        "run      model=svc lr=2m: done by a deployment, in sweep train-2 (1 hour ago)\n"
        "run      model=knn lr=1m: failed as one of job 'old', in sweep old-3 (1 hour ago)\n"
        "skip     model=knn lr=2m: done in sweep train-4 (1 hour ago)\n"
        "\n"
        "train: 4 combinations: 3 to run, 1 done\n"
    )


def test_what_is_new(told: Told, sweep: Callable[..., Done]) -> None:
    told.sweep(1, 0, 1, 2, 3)
    for place in range(4):
        told.end(1, place)
    told.write("{each: 'model=svc,mlp lr=0.001,0.3,2e-3,1m'}, {each: model=svc lr=1m dropout=0.5}")
    assert sweep("explain", "train").out == (
        "skip     model=svc lr=0.001: done in sweep train-1 (1 hour ago)\n"
        "run      model=svc lr=0.3: new value lr=0.3\n"
        "skip     model=svc lr=2e-3: done in sweep train-1 (1 hour ago)\n"
        "skip     model=svc lr=1m: the same as model=svc lr=0.001, which stands before it\n"
        "run      model=mlp lr=0.001: new value model=mlp\n"
        "run      model=mlp lr=0.3: new values model=mlp lr=0.3\n"
        "run      model=mlp lr=2e-3: new value model=mlp\n"
        "skip     model=mlp lr=1m: the same as model=mlp lr=0.001, which stands before it\n"
        "run      model=svc lr=1m dropout=0.5: new parameter dropout=0.5\n"
        "\n"
        "train: 9 combinations: 5 to run, 2 done, 2 repeated\n"
    )


def test_a_new_command(told: Told, sweep: Callable[..., Done]) -> None:
    told.sweep(1, 0)
    told.end(1, 0)
    told.end(1, 0)
    assert sweep("explain", "train", "epochs=5", "--only", "model=svc lr=1m").out.splitlines()[0] == (
        "run      model=svc lr=1m: the same parameters ran with another command: "
        "arguments epochs=5, was nothing (in sweep train-1)"
    )
    text = (told.folder / "sweeps.yaml").read_text()
    (told.folder / "sweeps.yaml").write_text(
        text.replace("train.py", "fit.py").replace("style: flags", "style: plain, add: --quick")
    )
    assert sweep("explain", "train", "--only", "model=svc lr=1m").out.splitlines()[0] == (
        "run      model=svc lr=1m: the same parameters ran with another command: "
        "run python fit.py, was python train.py; "
        "style plain, was flags; add --quick, was nothing (in sweep train-1)"
    )


SAME = "the same parameters ran with another command"


def test_what_a_set_or_a_variant_adds_is_another_command(told: Told, sweep: Callable[..., Done]) -> None:
    """It is compared with the set that the combination was in, in the sweep that is the most like it."""

    def reasons(*arguments: str) -> list[str]:
        lines = sweep("explain", "train", *arguments).out.splitlines()
        return [line.partition(": ")[2] for line in lines[:-2]]

    (told.folder / "models").mkdir()
    for name in ("svc", "knn"):
        (told.folder / "models" / f"{name}.yaml").write_text("")

    def write(first: str, second: str) -> None:
        sets = f"{{each: 'model=svc,knn lr=1m', {first}}}, {{each: 'model=svc,knn lr=2m', {second}}}"
        told.write(f"{sets}], groups: {{model: models/}}, tags: [")

    write("add: --x", "with: [polars==1.0]")
    for number, arguments in enumerate([("0.1",), ("13",)], 1):
        told.sweep(number, 0, 2, 3, arguments=arguments, lineage=1)
        for place in (0, 2, 3):
            told.history.end(number, told.plan(*arguments)[place].key)
    write("add: --y", "with: [polars==1.1]")
    assert reasons("0.1") == [
        f"{SAME}: add --y, was --x (in sweep train-1)",
        "never ran: a new combination of values that did",
        *[f"{SAME}: with polars==1.1, was polars==1.0 (in sweep train-1)"] * 2,
    ]
    assert reasons("7")[0] == f"{SAME}: arguments 7, was 13; add --y, was --x (in sweep train-2)"
    write("add: --x", "with: [polars==1.0]")
    (told.folder / "models" / "svc.yaml").write_text("add: --z\n")
    assert reasons("0.1") == [
        f"{SAME}, add or packages (in sweep train-1)",
        "never ran: a new combination of values that did",
        f"{SAME}, add or packages (in sweep train-1)",
        "done in sweep train-1 (1 hour ago)",
    ]


REWRITTEN = [
    "{each: 'lr=2e-3,1e-3 model=knn,svc'}",
    "{each: 'lr=2m', all: model=knn}, {each: 'lr=0.001 model=svc,knn'}, {each: 'model=svc lr=0.2e-2'}",
    "{each: 'lr/m=1:2 model=svc,knn'}",
    "{each: 'model=svc|model=knn', zip: 'lr=0.0010,0.0020'}",
]


@pytest.mark.parametrize("sets", REWRITTEN)
def test_writing_it_in_another_way_runs_nothing_again(
    told: Told, sweep: Callable[..., Done], sets: str
) -> None:
    told.sweep(1, 0, 1, 2, 3)
    for place in range(4):
        told.end(1, place)
    told.write(sets, timeout="2h, retries: 3, parallel: 1, env: {X: 1}")
    assert sweep("explain", "train").out.endswith("\n\ntrain: 4 combinations: 4 done\n")
    done = sweep("run", "train")
    assert (done.code, done.err) == (
        0,
        "sweep: train: 4 of 4 combinations done; nothing is left to do (--fresh runs all again)\n",
    )


def test_changed_code(told: Told, sweep: Callable[..., Done]) -> None:
    tree = Tree(told.folder)
    tree.write("data.csv")
    first = tree.commit()[:7]
    told.sweep(1, 0)
    told.end(1, 0)
    (told.folder / "train.py").write_text("import os\n")
    tree.write("data.csv", "two\n")
    second = tree.commit()[:7]
    told.sweep(2, 1, lineage=1)
    told.end(2, 1)
    tree.write("data.csv", "three\n")
    out = sweep("explain", "train", "--only", "model=svc").out
    assert out == (
        f"changed  model=svc lr=1m: code changed since train-1: train.py differs "
        f"(done at commit {first}, now {second})\n"
        f"changed  model=svc lr=2m: code changed since train-2: git state differs: data.csv "
        f"(at commit {second} both times)\n"
        "\n"
        "train: 2 combinations: 2 done with other code (--rerun changed runs them again)\n"
    )
    rows = list(csv.DictReader(io.StringIO(sweep("explain", "train", "--format", "csv").out)))
    assert [(row["verdict"], row["kind"], row["sweep"], row["lr"]) for row in rows] == [
        ("changed", "script changed", "train-1", "1m"),
        ("changed", "git state differs", "train-2", "2m"),
        ("run", "new value", "", "1m"),
        ("run", "new value", "", "2m"),
    ]


def test_what_is_run_again(told: Told, sweep: Callable[..., Done]) -> None:
    told.sweep(1, 0, 1)
    told.end(1, 0)
    told.end(1, 1)
    (told.folder / "train.py").write_text("boom\n")
    told.sweep(2, 0, 1, lineage=1)
    told.end(2, 0, Outcome.FAILED, message="exit code 1: boom")
    with told.history.owned(2):
        assert sweep("explain", "train", "--only", "model=svc").out.splitlines()[:2] == [
            (
                "changed  model=svc lr=1m: code changed since train-1: train.py differs; "
                "run again in sweep train-2, it failed: exit code 1: boom"
            ),
            "skip     model=svc lr=2m: running in sweep train-2 now",
        ]
    assert sweep("explain", "train", "--only", "model=svc lr=2m").out.splitlines()[0] == (
        "changed  model=svc lr=2m: code changed since train-1: train.py differs"
    )


def test_code_that_is_not_on_record(told: Told, sweep: Callable[..., Done]) -> None:
    told.history.sweep(1)
    told.history.submit(1, told.plan()[0].key)
    told.end(1, 0)
    assert sweep("explain", "train", "--only", "model=svc lr=1m").out.splitlines()[0] == (
        "skip     model=svc lr=1m: done in sweep train-1 (1 hour ago); its code is not on record"
    )


def test_many_are_counted(told: Told, sweep: Callable[..., Done]) -> None:
    told.sweep(1, 0, 1, 2)
    told.end(1, 0)
    for place in (1, 2):
        told.end(1, place, Outcome.FAILED, message=f"exit code 1: worker {place} died")
    told.write("{each: 'model=svc,knn,mlp lr=1m,2m,3m,4m,5m,6m seed=1:3'}, {each: 'model=svc,knn lr=1m,2m'}")
    out = sweep("explain", "train").out
    assert out == (
        "train: 58 combinations: 57 to run, 1 done\n"
        "\n"
        "run      54  new parameter seed=1, seed=2, seed=3\n"
        "             model=svc lr=1m seed=1; model=svc lr=1m seed=2; model=svc lr=1m seed=3; …\n"
        "run       2  failed: exit code 1: worker … died\n"
        "             model=svc lr=2m; model=knn lr=1m\n"
        "run       1  never ran: a new combination of values that did\n"
        "             model=knn lr=2m\n"
        "skip      1  done in sweep train-1\n"
        "             model=svc lr=1m\n"
    )
    assert len(sweep("explain", "train", "--all").out.splitlines()) == 60
    groups = json.loads(sweep("explain", "train", "--counts", "--format", "json").out)
    assert groups["counts"] == {"run": 57, "skip": 1, "changed": 0}
    assert [group["count"] for group in groups["groups"]] == [54, 2, 1, 1]


def test_json(told: Told, sweep: Callable[..., Done]) -> None:
    told.sweep(1, 0)
    told.end(1, 0)
    found = json.loads(sweep("explain", "train", "--format", "json", "--only", "model=svc lr=1m").out)
    assert found == {
        "job": "train",
        "combinations": [
            {
                "position": 0,
                "key": told.plan()[0].key,
                "verdict": "skip",
                "kind": "done",
                "reason": "done in sweep train-1 (1 hour ago)",
                "sweep": "train-1",
                "parameters": {"model": "svc", "lr": "1m"},
            }
        ],
        "counts": {"run": 0, "skip": 1, "changed": 0},
    }


def test_a_submit_job_is_one(told: Told, sweep: Callable[..., Done]) -> None:
    (told.folder / "sweeps.yaml").write_text(
        "jobs: {train: {submit: sh train.py, style: flags, sets: [{each: 'a=1:99'}]}}\n"
    )
    assert sweep("explain", "train").out == (
        "run      train: 99 combinations: never ran: job train has no sweep yet\n"
        "\n"
        "train: 1 combination: 1 to run\n"
    )
    plan = told.plan()
    told.sweep(1)
    told.history.submit(1, plan.key)
    told.history.end(1, plan.key)
    (told.folder / "train.py").write_text("true\n")
    assert sweep("explain", "train").out.splitlines()[0] == (
        "changed  train: 99 combinations: code changed since train-1: train.py differs"
    )
    text = (told.folder / "sweeps.yaml").read_text()
    (told.folder / "sweeps.yaml").write_text(text.replace("1:99", "1:98"))
    assert sweep("explain", "train").out.splitlines()[0] == (
        "run      train: 98 combinations: never ran as it is: other combinations"
    )


def test_lines_of_a_file(told: Told, sweep: Callable[..., Done]) -> None:
    (told.folder / "sweeps.yaml").write_text("jobs: {train: {launch: lines.txt}}\n")
    (told.folder / "lines.txt").write_text("python train.py --a=1\npython train.py --a=2\n")
    told.sweep(1, 0)
    told.end(1, 0)
    assert sweep("explain", "train").out == (
        "skip     python train.py --a=1: done in sweep train-1 (1 hour ago)\n"
        "run      python train.py --a=2: new value a=2\n"
        "\n"
        "train: 2 combinations: 1 to run, 1 done\n"
    )
    assert sweep("explain", "train", "--format", "csv").out.splitlines()[0] == (
        "verdict,reason,kind,sweep,key,command"
    )


@pytest.mark.parametrize(
    ("arguments", "told_why"),
    [
        (["trian"], "sweeps.yaml has no job 'trian'; did you mean 'train'? (jobs: train, other)"),
        (["train", "--counts", "--all"], "--counts tells no single combination; leave it out, or --all"),
        (
            ["train", "--counts", "--format", "csv"],
            "--counts tells no single combination; leave it out, or --format csv",
        ),
        (["train", "--only", "model=svm"], "the selection 'model=svm' leaves none of 4 combinations"),
    ],
)
def test_bad_input(folder: Path, sweep: Callable[..., Done], arguments: list[str], told_why: str) -> None:
    done = sweep("explain", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"sweep: {told_why}\n"


def test_a_damaged_ledger(folder: Path, sweep: Callable[..., Done]) -> None:
    (folder / ".sweep").mkdir()
    (folder / ".sweep" / "ledger.db").write_bytes(b"no database" * 100)
    done = sweep("explain", "train")
    assert (done.code, done.out) == (1, "")
    assert "is damaged" in done.err
