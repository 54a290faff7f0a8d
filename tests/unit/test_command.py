"""A combination's argument vector and lines: styles, quoting, order, ULIDs, streaming."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
import tracemalloc
from collections import deque
from itertools import islice, pairwise
from pathlib import Path

import pytest

from sweeplib.command import argv, environment, lines, parameter_lines, submit_argv
from tests.plans import plan

SET = {"each": "model=svc,'a b' lr/m=1", "all": "seed=1:3", "add": "n=2"}
CALLER = (sys.executable, "-m", "sweeplib.run.call", "package.train", "--style")


def normal(line: str) -> str:
    """Return a line with ``ULID`` in the place of what is generated."""
    return re.sub(r"multirun/[0-9A-Z]{26}(?![0-9A-Z])", "multirun/ULID", line)


class TestStyles:
    def test_hydra(self) -> None:
        found = plan(SET, style="hydra")
        assert argv(found, found[1], "ULID") == (
            "python",
            "train.py",
            "--multirun",
            "model='a b'",
            "lr=1e-3",
            "seed=1,2,3",
            "hydra.job.name=train",
            "hydra.sweep.dir=multirun/ULID",
            "n=2",
        )
        rest = "lr=1e-3 seed=1,2,3 hydra.job.name=train hydra.sweep.dir=multirun/ULID n=2"
        assert list(map(normal, lines(found))) == [
            f"python train.py --multirun model=svc {rest}",
            f"python train.py --multirun 'model='\"'\"'a b'\"'\"'' {rest}",
        ]

    def test_plain(self) -> None:
        found = plan(SET, style="plain")
        assert argv(found, found[1], "ULID") == (
            "python",
            "train.py",
            "model=a b",
            "lr=1e-3",
            "seed=1,2,3",
            "n=2",
        )
        assert list(lines(found)) == [
            "python train.py model=svc lr=1e-3 seed=1,2,3 n=2",
            "python train.py 'model=a b' lr=1e-3 seed=1,2,3 n=2",
        ]

    def test_flags(self) -> None:
        found = plan(SET, style="flags")
        assert argv(found, found[1], "ULID") == (
            "python",
            "train.py",
            "--model=a b",
            "--lr=1e-3",
            "--seed=1,2,3",
            "n=2",
        )
        assert list(lines(found)) == [
            "python train.py --model=svc --lr=1e-3 --seed=1,2,3 n=2",
            "python train.py '--model=a b' --lr=1e-3 --seed=1,2,3 n=2",
        ]

    def test_kwargs(self) -> None:
        found = plan(SET, style="kwargs", call="package.train")
        assert argv(found, found[1], "ULID") == (
            *CALLER,
            "kwargs",
            "--",
            "model='a b'",
            "lr=1e-3",
            "seed=1,2,3",
            "n=2",
        )
        assert list(lines(found)) == [
            "package.train(model='svc', lr=0.001, seed='1,2,3', n=2)",
            "package.train(model='a b', lr=0.001, seed='1,2,3', n=2)",
        ]


@pytest.mark.parametrize(
    ("style", "line"),
    [
        pytest.param(
            "hydra",
            "package.train(['--multirun', 'model=svc', 'lr=1e-3', 'seed=1,2,3', "
            "'hydra.job.name=train', 'hydra.sweep.dir=multirun/ULID', 'n=2'])",
        ),
        ("plain", "package.train(['model=svc', 'lr=1e-3', 'seed=1,2,3', 'n=2'])"),
        ("flags", "package.train(['--model=svc', '--lr=1e-3', '--seed=1,2,3', 'n=2'])"),
    ],
)
def test_call_with_a_list(style: str, line: str) -> None:
    found = plan(SET, style=style, call="package.train")
    assert normal(next(lines(found))) == line
    vector = argv(found, found[0], "ULID")
    assert vector[:6] == (*CALLER, "list")
    assert f"package.train({list(vector[7:])})" == line


@pytest.mark.parametrize(
    ("style", "parameters"),
    [
        (
            "hydra",
            "--multirun model=svc lr=1e-3 seed=1,2,3 hydra.job.name=train hydra.sweep.dir=multirun/ULID n=2",
        ),
        ("plain", "model=svc lr=1e-3 seed=1,2,3 n=2"),
        ("flags", "--model=svc --lr=1e-3 --seed=1,2,3 n=2"),
    ],
)
def test_submit(style: str, parameters: str) -> None:
    found = plan(SET, style=style, submit="sbatch 'my job.sh'")
    assert submit_argv(found, "/a b/submit.txt") == ("sbatch", "my job.sh", "/a b/submit.txt")
    command, *rest = map(normal, lines(found, "/a b/submit.txt"))
    assert command == "sbatch 'my job.sh' '/a b/submit.txt'"
    assert rest[0] == parameters
    assert rest == list(map(normal, parameter_lines(found)))
    assert len(rest) == len(found)
    assert next(lines(found)) == "sbatch 'my job.sh' submit.txt"


class TestExtraArguments:
    """What a user adds on the command line stands after the command's words, before what is generated."""

    def test_run(self) -> None:
        found = plan("a=1", {"add": "--last"}, add="c=3", arguments=["epochs=5", "--verbose", "x y"])
        assert argv(found, found[0], "ULID")[2:] == ("epochs=5", "--verbose", "x y", "a=1", "c=3")
        assert list(lines(found)) == [
            "python train.py epochs=5 --verbose 'x y' a=1 c=3",
            "python train.py epochs=5 --verbose 'x y' c=3 --last",
        ]

    def test_run_for_hydra(self) -> None:
        found = plan("a=1", style="hydra", arguments=["epochs=5"])
        assert normal(next(lines(found))) == (
            "python train.py epochs=5 --multirun a=1 hydra.job.name=train hydra.sweep.dir=multirun/ULID"
        )

    def test_call(self) -> None:
        found = plan("a=1", call="package.train base=0", arguments=["epochs=5"])
        assert argv(found, found[0], "ULID") == (*CALLER, "list", "--", "base=0", "epochs=5", "a=1")
        assert list(lines(found)) == ["package.train(['base=0', 'epochs=5', 'a=1'])"]

    def test_call_with_keywords(self) -> None:
        found = plan(
            {"each": "a='x y'", "add": "c=3"}, style="kwargs", call="package.train b=0 a=1", arguments=["b=5"]
        )
        assert argv(found, found[0], "ULID") == (
            *CALLER,
            "kwargs",
            "--",
            "b=0",
            "a=1",
            "b=5",
            "a='x y'",
            "c=3",
        )
        assert list(lines(found)) == ["package.train(b=5, a='x y', c=3)"]

    def test_submit(self) -> None:
        found = plan("a=1", submit="python submit.py app.py", arguments=["--partition", "gpu"])
        assert submit_argv(found, "file") == ("python", "submit.py", "app.py", "--partition", "gpu", "file")
        assert list(lines(found)) == ["python submit.py app.py --partition gpu submit.txt", "a=1"]


@pytest.mark.parametrize(
    ("of_job", "of_set", "merged"),
    [
        ("", "x=1", "x=1"),
        ("x=1 y=2", "", "x=1 y=2"),
        ("x=1 y=2", "y=3", "x=1 y=3"),
        ("x=1 y=2", "x=3 z=4", "x=3 y=2 z=4"),
        ("x=1 --fast", "--slow x=2", "x=2 --fast --slow"),
        ("--fast x=a=b", "x=c=d --fast", "--fast x=c=d"),
        ("hydra/launcher=joblib", "'hydra/launcher=my launcher'", "'hydra/launcher=my launcher'"),
        ("x='[1, 2]'", "+x=3 ~y", "'x=[1, 2]' +x=3 '~y'"),
    ],
)
def test_add_of_a_set_is_merged_over_that_of_the_job(of_job: str, of_set: str, merged: str) -> None:
    found = plan({"each": "a=1", "add": of_set}, "a=2", add=of_job)
    alone = shlex.join(shlex.split(of_job))
    assert list(lines(found)) == [f"python train.py a=1 {merged}", f"python train.py a=2 {alone}".rstrip()]


@pytest.mark.parametrize("style", ["hydra", "plain", "flags"])
@pytest.mark.parametrize("each", ["", "a=1"])
@pytest.mark.parametrize("all_", ["", "b=2"])
@pytest.mark.parametrize("add", ["", "c=3"])
def test_no_space_too_many_where_something_is_missing(style: str, each: str, all_: str, add: str) -> None:
    found = plan({"each": each, "all": all_, "add": add}, style=style)
    expected = shlex.join(argv(found, found[0], "ULID"))
    assert list(map(normal, lines(found))) == [expected]
    assert list(map(normal, parameter_lines(found))) == [expected.removeprefix("python train.py").lstrip()]


HARD = [
    "'two words'",
    '"it\'s"',
    "'say \"x\"'",
    "$HOME",
    "'$HOME and `pwd`'",
    "'first\nsecond'",
    "'a\tb'",
    r"'back\slash'",
    "naïve",
    "'日本 語'",
    "🜁",
    "*",
    "~",
    "!x",
    "#x",
    "a&b;c",
    "x>y",
    "''",
    "[1,'a b']",
    "${now:%H}",
    "-x",
]


@pytest.mark.parametrize("style", ["hydra", "plain", "flags"])
def test_a_shell_reads_the_lines_as_the_argument_vectors(style: str) -> None:
    found = plan(
        {"each": f"a={','.join(HARD)}", "all": "b='x  y',2", "add": "'c=it is' \"d='$HOME'\""},
        style=style,
        run=r"printf '%s\0'",
        arguments=["e=$HOME 'x'", "f\ng"],
    )
    shell = subprocess.run(["sh"], input="\n".join(lines(found)).encode(), capture_output=True, check=True)
    assert shell.stderr == b""
    read = normal(shell.stdout.decode()).split("\0")[:-1]
    assert read == [text for one in found for text in argv(found, one, "ULID")[2:]]


@pytest.mark.parametrize(
    ("value", "text"), [("'two words'", "two words"), ('"it\'s"', "it's"), ("''", ""), ("[1,'2']", "[1,'2']")]
)
def test_quotes_are_kept_for_hydra_and_taken_off_elsewhere(value: str, text: str) -> None:
    hydra, plain, flags = (plan(f"a={value}", style=style) for style in ("hydra", "plain", "flags"))
    assert argv(hydra, hydra[0], "ULID")[3] == f"a={value}"
    assert argv(plain, plain[0], "ULID")[2] == f"a={text}"
    assert argv(flags, flags[0], "ULID")[2] == f"--a={text}"


def test_every_line_has_its_own_directory() -> None:
    found = plan("a=1:50", "b=1:50", style="hydra")
    directories = [line.rpartition("multirun/")[2] for line in lines(found)]
    assert all(one < other for one, other in pairwise(directories))
    assert len(directories) == 100


HUGE = "a=1:1000000 b=1:1000000 c=1:1000000"


@pytest.mark.parametrize("command", [{}, {"style": "hydra"}, {"call": "package.train"}, {"submit": "submit"}])
def test_the_first_lines_of_a_huge_plan_are_there_at_once(command: dict[str, str]) -> None:
    def beginning() -> float:
        found = plan(HUGE, "d=1", **command)
        began = time.process_time()
        assert "a=1" in "\n".join(islice(lines(found), 2))
        return time.process_time() - began

    assert min(beginning() for _ in range(5)) < 0.05


@pytest.mark.parametrize("text", ["a=1:100000 b=1,2", "a=1,2 b=1:100000", "a=1:400 b=1:500"])
@pytest.mark.parametrize("style", ["plain", "hydra"])
def test_memory_does_not_grow_with_the_count(text: str, style: str) -> None:
    found = plan(text, style=style)
    deque(islice(lines(found), 10), maxlen=0)
    tracemalloc.start()
    stream = lines(found)
    deque(islice(stream, 100_000), maxlen=0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_500_000


class TestEnvironment:
    """``python`` means the project's own virtual environment, where `sweep` runs from that."""

    @pytest.fixture(autouse=True)
    def _nothing_active(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("VIRTUAL_ENV", raising=False)
        monkeypatch.delenv("CONDA_PREFIX", raising=False)
        monkeypatch.setattr(sys, "prefix", "/project/.venv")
        monkeypatch.setenv("PATH", "/usr/bin")

    def test_inside_the_project(self) -> None:
        assert environment(Path("/project")) == {
            "PATH": "/project/.venv/bin:/usr/bin",
            "VIRTUAL_ENV": "/project/.venv",
        }

    def test_without_a_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PATH")
        assert environment(Path("/project"))["PATH"] == "/project/.venv/bin"

    def test_outside_the_project(self) -> None:
        assert environment(Path("/other")) == {}

    @pytest.mark.parametrize("name", ["VIRTUAL_ENV", "CONDA_PREFIX"])
    def test_another_one_is_active(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(name, "/elsewhere")
        assert environment(Path("/project")) == {}

    def test_no_virtual_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "base_prefix", "/project/.venv")
        assert environment(Path("/project")) == {}
