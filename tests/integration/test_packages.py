"""Packages of a job, a set or a variant, through `sweep run`: each combination finds its own."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

import pytest

from sweeplib.run.model import Outcome
from tests.conftest import end_group
from tests.integration.prefect_api import logs, task_runs
from tests.integration.test_run import await_true, newest
from tests.wheels import wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project

UNSOLVED = (
    "packages: No solution found when resolving dependencies: Because there is no version of shade==9.0 and "
    "all versions of needy depend on shade==9.0, we can conclude that all versions of needy cannot be used. "
    "And because you require needy, we can conclude that your requirements are unsatisfiable."
)


@pytest.fixture(autouse=True)
def wheels(project: Project, tmp_path: Path) -> None:
    """The packages that there are, for all of the project's commands."""
    folder = tmp_path / "wheels"
    for version in ("1.0", "2.0", "3.0"):
        wheel(folder, "shade", version, f"VERSION = '{version}'\n")
    wheel(folder, "needy", "1.0", "", requires="shade==9.0")
    project.env |= {"UV_OFFLINE": "1", "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(folder)}
    project.write("show.py", "import shade, sys\nprint(shade.VERSION, *sys.argv[1:])\n")


def outputs(project: Project, job: str) -> dict[str, list[str]]:
    """Return what the last attempts of the newest sweep printed, by combination."""
    found = {}
    with project.ledger() as ledger:
        sweep = ledger.sweeps(job=job, limit=1)[0]
        for row in ledger.combinations(sweep.id):
            with open(ledger.attempts(sweep.id, row.key)[-1].log) as log:
                found[row.label] = log.read().splitlines()
    return found


def environments(project: Project) -> list[Path]:
    folder = project.folder / ".sweep" / "environments"
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.exists() else []


def test_variants_whose_packages_conflict(project: Project) -> None:
    project.jobs(
        """
        jobs:
          show:
            run: python show.py
            style: plain
            tracking: false
            groups: {backend: backends/}
            sets: [{each: "backend=* n=1,2"}]
        """
    )
    project.write("backends/old.yaml", "with: [shade==1.0]")
    project.write("backends/new.yaml", "with: [shade==2.0]")
    project.write("backends/bad.yaml", "with: [needy]")
    done = project.sweep("run", "show", check=1)
    assert "4 of 6 completed, 2 failed" in done.stdout
    assert outputs(project, "show") == {
        "backend=bad n=1": [UNSOLVED],
        "backend=bad n=2": [UNSOLVED],
        "backend=new n=1": ["2.0 backend=new n=1"],
        "backend=new n=2": ["2.0 backend=new n=2"],
        "backend=old n=1": ["1.0 backend=old n=1"],
        "backend=old n=2": ["1.0 backend=old n=2"],
    }
    assert f"sweep: failed: backend=bad n=1: {UNSOLVED} (sweep logs " in done.stderr
    shared = [path for path in environments(project) if (path / ".ready").exists()]
    assert len(shared) == 2
    # A new variant is a new file; what is done stays done, with the environments that it had.
    (project.folder / "backends" / "bad.yaml").unlink()
    project.write("backends/newest.yaml", "with: [shade==3.0]")
    done = project.sweep("run", "show", check=0)
    assert "4 of 6 combinations done, 2 to go" in done.stderr
    assert {label: text for label, text in outputs(project, "show").items() if "newest" in label} == {
        "backend=newest n=1": ["3.0 backend=newest n=1"],
        "backend=newest n=2": ["3.0 backend=newest n=2"],
    }
    ready = [path for path in environments(project) if (path / ".ready").exists()]
    assert len(ready) == 3
    assert set(shared) < set(ready)


def test_two_sweeps_at_once_make_one_environment(project: Project, prefect_api: str) -> None:
    project.jobs(
        """
        defaults: {style: plain, tracking: false, parallel: 2, with: [shade==1.0]}
        jobs:
          first: {run: python show.py, sets: [{each: "n=1,2"}]}
          second: {run: python show.py, sets: [{each: "n=1,2"}]}
        """
    )
    project.sweep("run", "first", check=0)
    (home,) = environments(project)
    (home / ".ready").unlink()  # as where it was interrupted
    with home.with_suffix(".lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        processes = [project.start("run", job, "--fresh") for job in ("first", "second")]
        try:
            sweeps = project.folder / ".sweep" / "sweeps"
            await_true(lambda: len(list(sweeps.glob("*/logs/*/*.log"))) == 2 + 4, "four commands to wait")
            assert len(list(sweeps.glob("*/done/*/*.json"))) == 2
            fcntl.flock(lock, fcntl.LOCK_UN)
            for process in processes:
                printed, _ = process.communicate(timeout=120)
                assert process.returncode == 0, printed
        finally:
            for process in processes:
                end_group(process)
    assert environments(project) == [home]
    messages = []
    for job in ("first", "second"):
        _, tag, outcomes = newest(project, job)
        assert outcomes == dict.fromkeys(["n=1", "n=2"], Outcome.COMPLETED)
        messages += [text for run in task_runs(prefect_api, tag) for text in logs(prefect_api, run["id"])]
    assert "\n".join(messages).split("\n").count("installing shade==1.0") == 1


def test_every_kind_of_job_has_its_packages(project: Project) -> None:
    project.write("area.py", "def area(n):\n    import shade\n    print(shade.VERSION, n)\n")
    project.write("lines.txt", "python show.py a | tr a-z A-Z\n")
    project.write("submit.sh", "python show.py submitted; cat $1\n")
    project.jobs(
        """
        defaults: {style: plain, tracking: false}
        jobs:
          area:
            call: area.area
            style: kwargs
            sets: [{each: n=1, with: [shade==1.0]}, {each: n=2, with: [shade==2.0]}]
          lines: {launch: lines.txt, with: [shade==1.0]}
          array: {submit: sh submit.sh, with: [shade==2.0], sets: [{each: "n=1,2"}]}
        """
    )
    for job in ("area", "lines", "array"):
        project.sweep("run", job, check=0)
    assert outputs(project, "area") == {"n=1": ["1.0 1"], "n=2": ["2.0 2"]}
    assert list(outputs(project, "lines").values()) == [["1.0 A"]]
    assert list(outputs(project, "array").values()) == [["2.0 submitted", "n=1", "n=2"]]


def test_warm_python_has_its_packages(project: Project) -> None:
    project.write(
        "loaded.py",
        """
        import sys

        with open("loads", "a") as file:
            print(sys.prefix, file=file)

        import shade
        """,
    )
    project.jobs(
        """
        jobs:
          show:
            run: python show.py
            style: plain
            tracking: false
            preload: [loaded]
            groups: {backend: backends/}
            sets: [{each: "backend=* n=1,2"}]
        """
    )
    project.write("backends/old.yaml", "with: [shade==1.0]")
    project.write("backends/new.yaml", "with: [shade==2.0]")
    done = project.sweep("run", "show", check=0)
    assert "started cold" not in done.stderr
    assert [text for (text,) in outputs(project, "show").values()] == [
        "2.0 backend=new n=1",
        "2.0 backend=new n=2",
        "1.0 backend=old n=1",
        "1.0 backend=old n=2",
    ]
    loads = (project.folder / "loads").read_text().splitlines()
    assert sorted(loads) == [str(home) for home in environments(project)]
