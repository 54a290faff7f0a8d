"""Options of `sweep run` that are misspelt, and those that are the command's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Project

JOBS = "jobs: {echo: {run: echo, style: plain, sets: [{each: i=1}]}}\n"


@pytest.mark.parametrize(("written", "meant"), [("--dryrun", "--dry-run"), ("--paralel=3", "--parallel")])
def test_a_misspelt_option_is_refused(bare_project: Project, written: str, meant: str) -> None:
    bare_project.jobs(JOBS)
    done = bare_project.sweep("run", "echo", written, check=2)
    assert done.stderr == (
        "Usage: sweep run [OPTIONS] JOB [ARG]...\n"
        "Try 'sweep run --help' for help.\n\n"
        f"Error: no option {written.partition('=')[0]}; did you mean {meant}? "
        "Behind -- it is given to the command\n"
    )
    assert not (bare_project.folder / ".sweep").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--parallel-jobs=3", "--dry-run"], "echo --parallel-jobs=3 i=1\n"),
        (["--dry-run", "--", "--dryrun", "-x"], "echo --dryrun -x i=1\n"),
    ],
)
def test_the_commands_own_options_are_passed_on(
    bare_project: Project, arguments: list[str], line: str
) -> None:
    bare_project.jobs(JOBS)
    assert bare_project.sweep("run", "echo", *arguments, check=0).stdout == line


def test_everything_and_what_has_changed(bare_project: Project) -> None:
    bare_project.jobs(JOBS)
    done = bare_project.sweep("run", "echo", "--fresh", "--rerun", "changed", check=2)
    assert done.stderr == (
        "sweep: --fresh runs everything again, also what has changed; leave --rerun out, or --fresh\n"
    )


def test_what_has_changed_is_not_looked_at_in_a_dry_run(bare_project: Project) -> None:
    bare_project.jobs(JOBS)
    done = bare_project.sweep("run", "echo", "--dry-run", "--rerun", "changed", check=2)
    assert done.stderr == (
        "sweep: --dry-run prints all commands of the job, done or not; leave --rerun out, and see what would "
        "run with: sweep explain echo\n"
    )
