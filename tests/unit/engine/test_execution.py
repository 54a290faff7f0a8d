"""An execution: its row in the ledger, its folder, its lock, its work."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from sweeplib.amounts import Amounts
from sweeplib.engine import Lock
from sweeplib.ledger import SweepState

if TYPE_CHECKING:
    import pytest

    from tests.unit.engine.conftest import Kit, Lab


def test_the_sweep_in_the_ledger(lab: Lab) -> None:
    made = lab.plan("i=1:3", arguments=["epochs=5"], tags=["digits"])
    with lab.execution(made, flow_run="f-1", isolated=True) as execution:
        sweep = lab.newest()
    assert sweep.id == execution.id
    assert (sweep.job, sweep.total, sweep.arguments) == ("train", 3, ("epochs=5",))
    assert (sweep.lineage, sweep.isolated) == (sweep.id, True)
    assert sweep.tag == f"train-{sweep.id[-8:].lower()}"
    assert sweep.state is SweepState.RUNNING
    assert (sweep.host, sweep.pid) == (socket.gethostname(), os.getpid())
    assert (sweep.flow_run_id, sweep.tracking, sweep.git) == ("f-1", {"tracker": "mlflow"}, None)
    assert json.loads(sweep.spec)["tags"] == ["digits"]


def test_the_lock_is_held_as_long_as_the_sweep_is_owned(lab: Lab) -> None:
    with lab.execution(lab.plan("i=1")) as execution:
        other = Lock(execution.paths.owner_lock)
        assert not other.acquire()
    assert other.acquire()
    other.release()


def test_lineages(lab: Lab) -> None:
    made = lab.plan("i=1")
    ids = []
    for options in ({}, {}, {"fresh": True}, {}, {"fresh": True, "isolated": True}, {}):
        with lab.execution(made, **options) as execution:
            ids.append((execution.id, execution.lineage))
    first, second, fresh, after, alone, last = ids
    assert [first[1], second[1]] == [first[0], first[0]]
    assert [fresh[1], after[1]] == [fresh[0], fresh[0]]
    assert alone[1] == alone[0]
    assert last[1] == fresh[0]


def test_two_first_executions_are_of_one_lineage(lab: Lab) -> None:
    made = lab.plan("i=1")
    first, second = lab.execution(made), lab.execution(made)
    with first, second:
        assert {first.lineage, second.lineage} == {first.id}


def test_the_state_of_the_code_is_kept(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@example.org")
    for arguments in (["init", "-q", "-b", "main"], ["add", "work.sh"], ["commit", "-q", "-m", "one"]):
        subprocess.run(["git", "-C", str(lab.folder), *arguments], check=True)
    with lab.execution(lab.plan("i=1")) as clean:
        assert lab.newest().git["dirty"] is False
        assert not clean.paths.patch.exists()
    lab.script("echo changed")
    with lab.execution(lab.plan("i=1")) as dirty:
        git = lab.newest().git
        assert (git["branch"], git["dirty"], len(git["commit"])) == ("main", True, 40)
        assert "+echo changed\n" in dirty.paths.patch.read_text()


def test_work(lab: Lab) -> None:
    made = lab.plan("i=1:2", timeout=5, env={"A": "job", "B": "job"}, arguments=["x=1"])
    with lab.execution(made) as execution:
        item = next(execution.items())
        work = execution.work(item, {"B": "tracker", "C": None})
    assert work.argv == ("sh", "work.sh", "x=1", "i=1")
    assert (work.sweep, work.job, work.key) == (execution.id, "train", item.submission.key)
    assert (work.position, work.label, work.timeout) == (0, "i=1", 5)
    assert (work.cwd, work.folder) == (str(lab.folder), str(execution.paths.folder))
    assert {name: work.env[name] for name in "ABC"} == {"A": "job", "B": "tracker", "C": None}


def test_what_a_command_needs_of_the_machine(lab: Lab) -> None:
    made = lab.plan(
        "cpu=1,8",
        {"each": "cpu=2", "resources": {"gpu": 1}},
        resources={"cpu": "${cpu}", "memory": "2GB"},
    )
    with lab.execution(made) as execution:
        works = [execution.work(item, {}) for item in execution.items()]
    gb = 10**9
    assert [work.amounts for work in works] == [Amounts(1, 2 * gb), Amounts(8, 2 * gb), Amounts(2, 2 * gb, 1)]
    assert [work.refusal for work in works] == [""] * 3


def test_an_amount_that_was_not_looked_at_ahead(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A very long list of values is looked through in part; its rest fails combination by combination."""
    monkeypatch.setattr("sweeplib.plan.part._LOOKED", 2)
    summary = lab.run(lab.plan("cpu=1,2,zero", resources={"cpu": "${cpu}"}))
    assert str(summary) == "2 of 3 completed, 1 failed"
    assert lab.rows()["cpu=zero"].message == (
        "resources: cpu must be a number such as 2, or a parameter such as ${cpu}, and above 0; it is 'zero'"
    )
    assert "zero" not in lab.ran()


def test_what_is_done_gets_no_command(lab: Lab) -> None:
    lab.run(lab.plan("i=1:2"))
    with lab.execution(lab.plan("i=1:3", "i=3")) as execution:
        items = list(execution.items())
    assert [(item.done, item.repeated, bool(item.argv)) for item in items] == [
        (True, False, False),
        (True, False, False),
        (False, False, True),
        (False, True, False),
    ]


def test_each_hydra_command_has_a_folder_of_its_own(lab: Lab) -> None:
    with lab.execution(lab.plan("i=1:3", style="hydra", run="python app.py")) as execution:
        folders = [item.argv[-1] for item in execution.items()]
    assert len(set(folders)) == 3
    assert all(text.startswith("hydra.sweep.dir=multirun/") for text in folders)


def test_a_submit_job_runs_once_with_a_file(lab: Lab, kit: Kit) -> None:
    (lab.folder / "submit.py").write_text(
        "import sys, pathlib\npathlib.Path('got').write_text(pathlib.Path(sys.argv[-1]).read_text())\n"
    )
    made = lab.plan("i=1:3 b='x y'", submit=f"{sys.executable} submit.py")
    submitter = kit.counted()
    summary = lab.run(made, submitter=submitter)
    assert str(summary) == "1 of 1 completed"
    assert (lab.folder / "got").read_text() == "i=1 'b=x y'\ni=2 'b=x y'\ni=3 'b=x y'\n"
    assert list(lab.rows()) == ["train: 3 combinations"]
    assert lab.rows()["train: 3 combinations"].parameters == {"combinations": "3"}
    (work,) = submitter.works
    assert work.argv[-1] == str(lab.paths(summary.sweep).submit_file)

    again = lab.run(made)
    assert str(again) == "0 of 0 completed, 1 were done before"
    assert not lab.paths(again.sweep).submit_file.exists()
