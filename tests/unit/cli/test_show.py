"""`sweep show`."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from pathlib import Path

KEY = "3fa9b2c1" + "0" * 24


def test_all_jobs(sweep: Any) -> None:
    done = sweep("show")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "job    kind  combinations  command\n"
        "train  run              4  python train.py\n"
        "other  call             1  package.other\n"
    )


def test_jobs_that_are_wrong(sweep: Any, folder: Path) -> None:
    (folder / "backends").mkdir()
    (folder / "backends" / "x.yaml").write_text("each: rows=2\n", encoding="utf-8")
    (folder / "sweeps.yaml").write_text(
        "jobs:\n"
        "  good: {run: x, sets: [{each: a=1}]}\n"
        "  bad: {run: y, groups: {backend: backends/}, sets: [{each: rows=1 backend=x}]}\n"
        "  none: {run: y, sets: [{each: a=1, exclude: a == 1}]}\n"
        "  huge: {run: y, sets: [{each: 'a=1:10000000000 b=1:10000000000'}]}\n",
        encoding="utf-8",
    )
    done = sweep("show")
    assert done.code == 2
    assert done.out == (
        "job   kind  combinations  command\n"
        "good  run              1  x\n"
        "bad   run          wrong  y\n"
        "none  run          wrong  y\n"
        "huge  run       too many  y\n"
    )
    assert done.err == (
        f"sweep: {folder / 'sweeps.yaml'}:3: jobs.bad.sets[0].each: the parameter 'rows' is in this set, and "
        "backends/x.yaml brings it as well; keep one of the two\n"
        "job 'none' has no combinations: its sets exclude all of theirs\n"
    )


def test_one_job(sweep: Any) -> None:
    done = sweep("show", "train")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "train\n"
        "  run           python train.py\n"
        "  style         flags\n"
        "\n"
        "set 1: 4 combinations\n"
        "  each          model = svc, knn\n"
        "                C = 1, 2\n"
        "\n"
        "4 combinations in all\n"
        "  first         python train.py --model=svc --C=1\n"
        "  last          python train.py --model=knn --C=2\n"
    )


def test_an_unknown_job(sweep: Any) -> None:
    done = sweep("show", "trian")
    assert (done.code, done.out) == (2, "")
    assert done.err == "sweep: sweeps.yaml has no job 'trian'; did you mean 'train'? (jobs: train, other)\n"


def test_nothing_heavy_is_imported(folder: Path) -> None:
    code = (
        "import sys; from sweeplib.cli.app import cli\n"
        f"for words in (['show', 'train'], ['show'], ['status']):\n"
        f"    cli.main(['-C', {str(folder)!r}, *words], standalone_mode=False)\n"
        "heavy = {'prefect', 'dask', 'distributed', 'mlflow', 'pandas', 'pydantic', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_package_runs_as_a_module(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sweeplib.cli", "-C", str(folder), "show"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("job    kind")


def test_a_combination_on_record(sweep: Any, history: Any) -> None:
    history.sweep(1, git={"commit": "c0ffee", "branch": "main", "dirty": True})
    history.submit(1, KEY, lr=[0.1], model="svc")
    history.end(1, KEY, Outcome.FAILED, metrics={"loss": 0.25}, exit_code=3, message="exit code 3: no data")
    done = sweep("show", KEY[:8])
    assert (done.code, done.err) == (0, "")
    shown = [line.split(maxsplit=1) for line in done.out.splitlines()[1:]]
    assert done.out.startswith("lr=0.1 model=svc\n")
    assert ["key", KEY] in shown
    assert ["job", "train"] in shown
    assert ["sweep", f"train-1 ({history.id(1)})"] in shown
    assert ["outcome", "failed"] in shown
    assert ["message", "exit code 3: no data"] in shown
    assert ["parameters", "lr=0.1"] in shown
    assert ["metrics", "loss=0.25"] in shown
    assert ["git", "c0ffee on main, with uncommitted changes"] in shown


def test_a_sweep_on_record(sweep: Any, history: Any) -> None:
    history.sweep(1, arguments=("epochs=5",), selection="lr=0.1")
    done = sweep("show", "train-1")
    assert (done.code, done.err) == (0, "")
    shown = [line.split(maxsplit=1) for line in done.out.splitlines()[1:]]
    assert done.out.startswith("train-1\n")
    assert ["arguments", "epochs=5"] in shown
    assert ["only", "lr=0.1"] in shown
    assert ["git", "not recorded: there was no git, or no commit"] in shown


def test_a_patch(sweep: Any, history: Any) -> None:
    history.sweep(1, git={"commit": "c0ffee", "branch": "main", "dirty": True})
    history.submit(1, KEY, lr=[0.1])
    patch = "diff --git a/x b/x\n+caf\u00e9\n"
    history.paths(1).patch.write_text(patch, encoding="utf-8")
    for name in (KEY[:6], "train-1"):
        done = sweep("show", name, "--patch")
        assert (done.code, done.out) == (0, patch)
        assert done.err == "sweep: train-1: git c0ffee on main, with uncommitted changes\n"


def test_no_patch(sweep: Any, history: Any) -> None:
    history.sweep(1)
    history.submit(1, KEY, lr=[0.1])
    done = sweep("show", "--patch", KEY[:6])
    assert (done.code, done.out) == (0, "")
    assert done.err == "sweep: train-1: git not recorded: there was no git, or no commit; no patch\n"
    done = sweep("show", "--patch")
    assert (done.code, done.err) == (
        2,
        "sweep: --patch is for a combination or a sweep; give the beginning of a key, or a tag\n",
    )
    done = sweep("show", "--patch", "nothing")
    assert (done.code, done.err) == (
        2,
        "sweep: there is no sweep and no combination 'nothing' on record; `sweep status` lists sweeps\n",
    )


def test_what_is_nowhere(sweep: Any, history: Any) -> None:
    history.sweep(1)
    done = sweep("show", "trian")
    assert (done.code, done.out) == (2, "")
    assert done.err == "sweep: sweeps.yaml has no job 'trian'; did you mean 'train'? (jobs: train, other)\n"


def test_a_wrong_job_file_is_told_before_what_is_on_record(sweep: Any, history: Any, folder: Path) -> None:
    history.sweep(1)
    (folder / "sweeps.yaml").write_text("jobs:\n  train: {run: x, sats: [{each: a=1}]}\n")
    done = sweep("show", "train")
    assert (done.code, done.out) == (2, "")
    assert "unknown key 'sats'; did you mean 'sets'?" in done.err
    (folder / "sweeps.yaml").unlink()
    assert sweep("show", "train").out.startswith("train-1\n")


def test_a_beginning_that_several_have(sweep: Any, history: Any) -> None:
    history.sweep(1)
    history.submit(1, KEY, "3fa9ffff" + "0" * 24, lr=[0.1, 0.2])
    done = sweep("show", "3fa9")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("sweep: several combinations have a key that begins with '3fa9': ")
    history.sweep(2, tag="nightly")
    history.sweep(3, tag="nightly")
    done = sweep("show", "nightly")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"sweep: several sweeps have the tag 'nightly': {history.id(3)}, {history.id(2)}; give the id\n"
    )
