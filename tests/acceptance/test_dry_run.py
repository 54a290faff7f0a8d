"""Looking before running, as a user does it: `sweep run JOB --dry-run`, `sweep --help`, and mistakes."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Project

ROOT = Path(__file__).parents[2]
COMMANDS = (
    *("run", "show", "explain", "plan", "status", "logs", "results", "report"),
    *("compare", "retry", "cancel", "launch", "expand", "deploy", "serve", "up", "down", "completion"),
)

NO_FILE = """\
sweep: there is no sweeps.yaml or hydraflow.yaml in this folder; write a sweeps.yaml such as
  jobs:
    train:
      run: python train.py
      style: flags
      sets: [{each: 'lr=0.1,0.01'}]
"""

JOBS = """\
jobs:
  train:
    run: python train.py
    style: flags
    sets:
      - each: model=svc,knn lr=1:2:m
        all: name='two words'
  large:
    run: python train.py
    sets:
      - each: a=1:1000 b=1:1000
  evaluate:
    call: package.evaluate
    style: plain
    sets:
      - each: split=test,train
  batch:
    submit: sbatch submit.sh
    sets:
      - each: a=1,2
"""


@pytest.fixture
def project(bare_project: Project) -> Project:
    """A project with a job of each kind; nothing is running, and nothing is to be started."""
    bare_project.jobs(JOBS)
    return bare_project


def untouched(project: Project) -> bool:
    """Tell whether the project's folder has its job file and nothing else."""
    return [path.name for path in project.folder.iterdir()] == ["sweeps.yaml"]


class TestOutput:
    def test_commands_and_nothing_else(self, project: Project) -> None:
        done = project.sweep("run", "train", "--dry-run", check=0)
        assert done.stdout == (
            "python train.py --model=svc --lr=1e-3 '--name=two words'\n"
            "python train.py --model=svc --lr=2e-3 '--name=two words'\n"
            "python train.py --model=knn --lr=1e-3 '--name=two words'\n"
            "python train.py --model=knn --lr=2e-3 '--name=two words'\n"
        )
        assert done.stderr == ""
        assert untouched(project)

    def test_calls(self, project: Project) -> None:
        done = project.sweep("run", "evaluate", "--dry-run", check=0)
        assert done.stdout == "package.evaluate(['split=test'])\npackage.evaluate(['split=train'])\n"
        assert done.stderr == ""

    def test_a_submit_command_and_its_file(self, project: Project) -> None:
        done = project.sweep("run", "batch", "--dry-run", check=0)
        command, *lines = done.stdout.splitlines()
        assert command == "sbatch submit.sh submit.txt"
        assert [shlex.split(line)[:2] for line in lines] == [["--multirun", "a=1"], ["--multirun", "a=2"]]
        assert done.stderr == ""
        assert untouched(project)

    def test_extra_arguments(self, project: Project) -> None:
        done = project.sweep("run", "train", "epochs=5", "--dry-run", "--", "--parallel", check=0)
        first = done.stdout.splitlines()[0]
        assert first == "python train.py epochs=5 --parallel --model=svc --lr=1e-3 '--name=two words'"

    def test_another_folder(self, project: Project) -> None:
        elsewhere = project.folder / "deep" / "down"
        elsewhere.mkdir(parents=True)
        here = project.sweep("run", "train", "--dry-run", check=0)
        away = Project(elsewhere, project.env).sweep("-C", "../..", "run", "train", "--dry-run", check=0)
        assert (away.stdout, away.stderr) == (here.stdout, "")

    def test_a_million_lines_stream(self, project: Project) -> None:
        process = project.start("run", "large", "--dry-run")
        assert process.stdout is not None
        counted = sum(1 for _ in process.stdout)
        _, errors = process.communicate()
        assert (counted, errors, process.returncode) == (1_000_000, "", 0)

    def test_the_commands_of_this_repository(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "sweeplib.cli", "run", "train", "--dry-run"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        lines = done.stdout.splitlines()
        assert len(set(lines)) == len(lines) >= 24
        assert {tuple(shlex.split(line)[:2]) for line in lines} == {("python", "examples/digits/train.py")}


class TestPipes:
    def test_a_reader_that_has_seen_enough(self, project: Project) -> None:
        pipe = f"{shlex.quote(sys.executable)} -m sweeplib.cli run large --dry-run | head -1"
        done = subprocess.run(
            ["sh", "-c", pipe],
            cwd=project.folder,
            env=project.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.startswith("python train.py --multirun a=1 b=1 ")
        assert done.stdout.count("\n") == 1
        assert done.stderr == ""

    @pytest.mark.parametrize("job", ["train", "large"])
    def test_nobody_reads_at_all(self, project: Project, job: str) -> None:
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "w") as closed:
            done = subprocess.run(
                [sys.executable, "-m", "sweeplib.cli", "run", job, "--dry-run"],
                cwd=project.folder,
                env=project.env,
                stdout=closed,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        # It ends as `yes` and `cat` do.
        assert (done.stderr, done.returncode) == ("", -signal.SIGPIPE)

    def test_a_shell_runs_what_is_printed(self, project: Project) -> None:
        project.jobs("jobs: {say: {run: echo, style: plain, sets: [{each: \"x='a  b',c y='$HOME','*'\"}]}}")
        printed = project.sweep("run", "say", "--dry-run", check=0).stdout
        shell = subprocess.run(["sh"], input=printed, capture_output=True, text=True, check=True)
        assert shell.stdout == "x=a  b y=$HOME\nx=a  b y=*\nx=c y=$HOME\nx=c y=*\n"


class TestMistakes:
    """What the user wrote is wrong: exit code 2, one message on standard error, nothing else anywhere."""

    def test_no_such_job(self, project: Project) -> None:
        done = project.sweep("run", "trian", "--dry-run", check=2)
        assert done.stderr == (
            "sweep: sweeps.yaml has no job 'trian'; did you mean 'train'? "
            "(jobs: train, large, evaluate, batch)\n"
        )
        assert done.stdout == ""

    def test_no_job_file(self, project: Project) -> None:
        (project.folder / "sweeps.yaml").unlink()
        done = project.sweep("run", "train", "--dry-run", check=2)
        assert done.stdout == ""
        assert done.stderr == NO_FILE
        assert list(project.folder.iterdir()) == []

    def test_no_such_folder(self, project: Project) -> None:
        done = project.sweep("-C", "nowhere", "run", "train", "--dry-run", check=2)
        assert done.stdout == ""
        assert "'-C' / '--project': Directory 'nowhere' does not exist." in done.stderr

    def test_no_job_named(self, project: Project) -> None:
        done = project.sweep("run", "--dry-run", check=2)
        assert done.stdout == ""
        assert "Missing argument 'JOB'." in done.stderr

    def test_no_such_command(self, project: Project) -> None:
        done = project.sweep("rnu", "train", check=2)
        assert done.stdout == ""
        assert done.stderr.endswith("Error: No such command 'rnu'; did you mean 'run'?\n")

    def test_sweep_text_that_cannot_be_read(self, project: Project) -> None:
        project.jobs(
            """\
            jobs:
              train:
                run: python train.py
                sets:
                  - each: model=svc,knn lr=1,,2
            """
        )
        done = project.sweep("run", "train", "--dry-run", check=2)
        assert done.stdout == ""
        assert done.stderr == (
            "sweep: sweeps.yaml:5: jobs.train.sets[0].each\n"
            "  model=svc,knn lr=1,,2\n"
            "                     ^\n"
            "expected a value between the commas; write '' for an empty text\n"
        )
        assert untouched(project)

    def test_too_many_combinations(self, project: Project) -> None:
        project.jobs("jobs: {train: {run: echo, sets: [{each: 'a=1:10000000000 b=1:10000000000'}]}}")
        done = project.sweep("run", "train", "--dry-run", check=2)
        assert done.stdout == ""
        assert done.stderr == (
            "sweep: job 'train' has 100,000,000,000,000,000,000 combinations, more than a plan can hold "
            "(9,223,372,036,854,775,807); sweep fewer values\n"
        )

    @pytest.mark.parametrize("value", ["0", "-1", "x"])
    def test_a_number_of_commands_that_is_none(self, project: Project, value: str) -> None:
        done = project.sweep("run", "train", "--dry-run", f"--parallel={value}", check=2)
        assert done.stdout == ""
        assert "Invalid value for '-j' / '--parallel'" in done.stderr


class TestHelp:
    def test_of_sweep(self, project: Project) -> None:
        done = project.sweep("--help", check=0)
        listed = re.findall(r"^  ([a-z]+)  ", done.stdout.partition("Commands:")[2], re.MULTILINE)
        assert tuple(listed) == COMMANDS
        assert done.stderr == ""
        assert project.sweep("-h", check=0).stdout == done.stdout

    @pytest.mark.parametrize("command", COMMANDS)
    def test_of_a_command(self, project: Project, command: str) -> None:
        done = project.sweep(command, "--help", check=0)
        usage, _, rest = done.stdout.partition("\n\n")
        assert usage.startswith(f"Usage: sweep {command} ")
        assert "--help" in rest
        assert done.stderr == ""
        assert all(len(line) <= 80 for line in itertools.chain(usage.splitlines(), rest.splitlines()))
        assert untouched(project)

    def test_of_a_command_in_short(self, project: Project) -> None:
        assert project.sweep("run", "-h", check=0).stdout == project.sweep("run", "--help", check=0).stdout

    def test_version(self, project: Project) -> None:
        assert re.fullmatch(r"sweep, version \d+\.\d+\.\d+\n", project.sweep("--version", check=0).stdout)
