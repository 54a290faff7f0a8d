"""The project of HydraFlow's tutorial: Hydra applications that open their own runs, as they are."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.property.hydraflow_cases import INTERPRETER

if TYPE_CHECKING:
    from tests.conftest import Project

EXAMPLE = Path(__file__).parents[2] / "examples" / "hydra_app"
JOBS = {"job_sequential": 6, "job_parallel": 6, "job_submit": 4}
PARAMS = "SELECT key, value FROM params WHERE run_uuid = ?"
TAGS = "SELECT key, value FROM tags WHERE run_uuid = ?"
HYDRAFLOW = os.environ.get(INTERPRETER)  # read now: fixtures of other tests clean the environment


def runs(project: Project) -> list[tuple[str, str, dict[str, str], dict[str, str]]]:
    """Return experiment, status, parameters and tags of every run."""
    with sqlite3.connect(project.folder / "mlflow.db") as store:
        found = store.execute(
            "SELECT r.run_uuid, e.name, r.status FROM runs r JOIN experiments e USING (experiment_id)"
        ).fetchall()
        params = {run: dict(store.execute(PARAMS, [run]).fetchall()) for run, *_ in found}
        tags = {run: dict(store.execute(TAGS, [run]).fetchall()) for run, *_ in found}
    return [(name, status, params[run], tags[run]) for run, name, status in found]


def copy(project: Project) -> None:
    for path in EXAMPLE.iterdir():
        if path.is_file():
            shutil.copy(path, project.folder)


@pytest.mark.timeout(300)
def test_the_tutorial(project: Project) -> None:
    copy(project)
    for job in JOBS:
        project.sweep("run", job, check=0)
    found = runs(project)
    assert Counter(name for name, *_ in found) == JOBS
    assert {status for _, status, *_ in found} == {"FINISHED"}
    sizes = {
        job: sorted(
            (int(params["width"]), int(params["height"])) for name, _, params, _ in found if name == job
        )
        for job in JOBS
    }
    heights = (100, 200, 300)
    assert sizes == {
        "job_sequential": [(width, height) for width in (100, 300) for height in heights],
        "job_parallel": [(width, height) for width in (200, 400) for height in heights],
        "job_submit": [(width, height) for width in (250, 350) for height in (150, 250)],
    }
    with project.ledger() as ledger:
        for sweep in ledger.sweeps():
            keys = {row.key for row in ledger.combinations(sweep.id)}
            tags = [each for name, *_, each in found if name == sweep.job]
            assert {each["sweep.tag"] for each in tags} == {sweep.tag}
            assert {each["sweep.id"] for each in tags} == {sweep.id}
            assert {each["sweep.key"] for each in tags} == keys
    folders = [path.name for path in (project.folder / "multirun").iterdir()]
    assert len(folders) == 2 + 2 + 2, "a folder for each multirun, and none shared"
    for job in JOBS:
        again = project.sweep("run", job, check=0)
        assert "nothing is left to do" in again.stderr
    assert len(runs(project)) == 16


def test_two_sweeps_at_once_share_no_folder(project: Project) -> None:
    copy(project)
    first = project.start("run", "job_sequential", "--fresh")
    second = project.start("run", "job_sequential", "--fresh")
    for process in (first, second):
        _, err = process.communicate(timeout=200)
        assert process.returncode == 0, err
    assert Counter(name for name, *_ in runs(project)) == {"job_sequential": 12}
    assert len(list((project.folder / "multirun").iterdir())) == 4


def test_extra_arguments_reach_the_application(project: Project) -> None:
    copy(project)
    lines = project.sweep(
        "run", "job_sequential", "--dry-run", "width=5", "--", "--info", "defaults", check=0
    )
    assert all(
        line.startswith("python example.py width=5 --info defaults --multirun width=")
        for line in lines.stdout.splitlines()
    )


@pytest.mark.outside
@pytest.mark.skipif(not HYDRAFLOW, reason=f"{INTERPRETER} names no interpreter that has HydraFlow")
def test_an_application_of_hydraflow_itself(project: Project) -> None:
    """Whose own MLflow it is that writes; so it has a store of its own version."""
    copy(project)
    project.write(
        "example.py",
        """
        from dataclasses import dataclass

        import hydraflow
        import mlflow


        @dataclass
        class Config:
            width: int = 1024
            height: int = 768


        @hydraflow.main(Config)
        def app(run, cfg):
            mlflow.log_metric("area", cfg.width * cfg.height)


        if __name__ == "__main__":
            app()
        """,
    )
    jobs = (project.folder / "hydraflow.yaml").read_text()
    assert HYDRAFLOW is not None
    (project.folder / "hydraflow.yaml").write_text(jobs.replace("python ", f"{HYDRAFLOW} "))
    for job in JOBS:
        project.sweep("run", job, check=0)
    found = runs(project)
    assert Counter(name for name, *_ in found) == JOBS
    assert {status for _, status, *_ in found} == {"FINISHED"}
    assert all({"sweep.tag", "sweep.key", "sweep.id", "sweep.job"} <= tags.keys() for *_, tags in found)
