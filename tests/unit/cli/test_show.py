"""`sweep show`."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def test_all_jobs(sweep: Any) -> None:
    done = sweep("show")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "job    kind  combinations  command\n"
        "train  run              4  python train.py\n"
        "other  call             1  package.other\n"
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
