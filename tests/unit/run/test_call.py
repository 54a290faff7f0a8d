"""`call` jobs: a function in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sweeplib.run.attempt import run_attempt
from sweeplib.run.call import main
from sweeplib.run.model import Attempt, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Sweep

MODULE = """
import os, sys

def show(**values):
    print(values)

def listed(arguments):
    print(arguments, sys.argv)

def measure(lr, steps=1):
    return {"loss": lr * 2, "steps": steps, "good": True}

def mixed(**values):
    return {"loss": 1, "name": "adam", 3: 4}

def text():
    return "done"

def leave(code):
    os._exit(code)

def bye(code):
    sys.exit(code)

def fail(**values):
    raise ValueError("what went wrong")

class Tensor:
    def __float__(self):
        return 2.5

class Vector:
    def __float__(self):
        raise TypeError("only one element can be a number")

def tensors():
    return {"a": Tensor(), "b": Vector()}

async def waits(lr):
    import asyncio
    await asyncio.sleep(0)
    return {"loss": lr}

def yields():
    yield {"loss": 1}

def forgets():
    os.environ.clear()
    return {"loss": 1}

number = 3
"""


@dataclass
class Called:
    code: int
    out: str
    err: str
    result: object


@pytest.fixture
def call(tmp_path: Path, python_path: None) -> Callable[..., Called]:
    (tmp_path / "project" / "pack").mkdir(parents=True)
    (tmp_path / "project" / "pack" / "train.py").write_text(MODULE)
    (tmp_path / "project" / "needy.py").write_text("import no_such_library\n")
    (tmp_path / "project" / "wrong.py").write_text("def f(:\n")

    def run(*arguments: str) -> Called:
        result = tmp_path / "result.json"
        done = subprocess.run(
            [sys.executable, "-m", "sweeplib.run.call", *arguments],
            cwd=tmp_path / "project",
            env={**os.environ, "SWEEP_RESULT": str(result)},
            capture_output=True,
            text=True,
            check=False,
        )
        kept = json.loads(result.read_text()) if result.exists() else None
        return Called(done.returncode, done.stdout, done.stderr, kept)

    return run


def test_kwargs_are_typed(call: Callable[..., Called]) -> None:
    done = call(
        "pack.train.show", "--style", "kwargs", "--", "lr=1m", "n=3", "on=true", "s='a b'", "x=[1,b]", "e="
    )
    values = {"lr": 0.001, "n": 3, "on": True, "s": "a b", "x": [1, "b"], "e": ""}
    assert done == Called(0, f"{values}\n", "", None)


def test_the_other_styles_give_the_list(call: Callable[..., Called]) -> None:
    done = call("pack.train.listed", "--style", "list", "--", "lr=1", "--x", "a b")
    assert done == Called(0, "['lr=1', '--x', 'a b'] ['pack.train.listed', 'lr=1', '--x', 'a b']\n", "", None)


def test_a_returned_mapping_is_kept(call: Callable[..., Called]) -> None:
    done = call("pack.train.measure", "--style", "kwargs", "--", "lr=0.5", "steps=3")
    assert done == Called(0, "", "", {"loss": 1.0, "steps": 3.0, "good": 1.0})


def test_what_is_no_number_is_left_out_with_a_note(call: Callable[..., Called]) -> None:
    assert call("pack.train.mixed", "--style", "kwargs", "--") == Called(
        0, "", "note: these returned values are no numbers, and are ignored: name, 3\n", {"loss": 1.0}
    )
    assert call("pack.train.tensors", "--style", "kwargs", "--") == Called(
        0, "", "note: these returned values are no numbers, and are ignored: b\n", {"a": 2.5}
    )


def test_a_coroutine_is_run(call: Callable[..., Called]) -> None:
    assert call("pack.train.waits", "--style", "kwargs", "--", "lr=2") == Called(0, "", "", {"loss": 2.0})


def test_a_generator_has_done_nothing(call: Callable[..., Called]) -> None:
    said = "it is a generator, of which nothing has run; return a mapping instead"
    done = call("pack.train.yields", "--style", "kwargs", "--")
    assert done == Called(1, "", f"cannot call pack.train.yields: {said}\n", None)


def test_a_function_may_change_its_environment(call: Callable[..., Called]) -> None:
    assert call("pack.train.forgets", "--style", "kwargs", "--") == Called(0, "", "", {"loss": 1.0})


def test_another_return_value_is_ignored_with_a_note(call: Callable[..., Called]) -> None:
    done = call("pack.train.text", "--style", "kwargs", "--")
    assert done == Called(
        0, "", "note: the returned str is no mapping of names to numbers, and is ignored\n", None
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing.f", "--style", "list", "--"], 1, "cannot call nothing.f: No module named 'nothing'"),
        (["needy.f", "--style", "list", "--"], 1, "cannot call needy.f: No module named 'no_such_library'"),
        (
            ["pack.train.shwo", "--style", "list", "--"],
            1,
            "cannot call pack.train.shwo: module 'pack.train' has no function 'shwo'; did you mean 'show'?",
        ),
        (
            ["pack.train.number", "--style", "list", "--"],
            1,
            "cannot call pack.train.number: it is no function but of type int",
        ),
        (["train", "--style", "list", "--"], 1, "cannot call 'train': expected package.module.function"),
        (
            ["pack.train.measure", "--style", "kwargs", "--", "rate=1"],
            2,
            "cannot call pack.train.measure: missing a required argument: 'lr'",
        ),
        (
            ["pack.train.measure", "--style", "kwargs", "--", "lr=1", "rate=1"],
            2,
            "cannot call pack.train.measure: got an unexpected keyword argument 'rate'",
        ),
        (
            ["pack.train.text", "--style", "list", "--"],
            2,
            "cannot call pack.train.text: too many positional arguments",
        ),
        (
            ["pack.train.show", "--style", "kwargs", "--", "--fast"],
            2,
            "cannot call pack.train.show: expected key=value, not '--fast'",
        ),
        (
            ["pack.train.show", "--style", "flags"],
            2,
            "usage: python -m sweeplib.run.call package.module.function --style list|kwargs -- ARGUMENT…",
        ),
    ],
)
def test_what_cannot_be_called_says_why(
    call: Callable[..., Called], arguments: list[str], code: int, message: str
) -> None:
    assert call(*arguments) == Called(code, "", f"{message}\n", None)


def test_an_exception_shows_the_functions_own_traceback(call: Callable[..., Called]) -> None:
    done = call("pack.train.fail", "--style", "kwargs", "--")
    lines = done.err.splitlines()
    assert done.code == 1
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith('train.py", line 26, in fail')
    assert lines[-1] == "ValueError: what went wrong"


def test_a_module_that_cannot_be_read_shows_where(call: Callable[..., Called]) -> None:
    done = call("wrong.f", "--style", "list", "--")
    assert done.code == 1
    assert 'wrong.py", line 1' in done.err
    assert "SyntaxError" in done.err


def test_a_function_may_exit(call: Callable[..., Called]) -> None:
    assert call("pack.train.bye", "--style", "kwargs", "--", "code=5").code == 5
    assert call("pack.train.leave", "--style", "kwargs", "--", "code=7").code == 7


def call_work(sweep: Sweep, *arguments: str, **changes: object) -> Attempt:
    (sweep.paths.folder / "mod.py").write_text(MODULE)
    argv = [
        sys.executable,
        "-m",
        "sweeplib.run.call",
        arguments[0],
        "--style",
        "kwargs",
        "--",
        *arguments[1:],
    ]
    return run_attempt(sweep.work(*argv, **changes), tick=0.05)


def test_a_call_job_has_metrics(sweep: Sweep, python_path: None) -> None:
    attempt = call_work(sweep, "mod.measure", "lr=0.25")
    assert (attempt.outcome, attempt.message) == (Outcome.COMPLETED, "")
    assert attempt.metrics == {"loss": 0.5, "steps": 1.0, "good": 1.0}


def test_a_call_job_fails_with_the_last_line_of_its_traceback(sweep: Sweep, python_path: None) -> None:
    attempt = call_work(sweep, "mod.fail")
    assert (attempt.outcome, attempt.metrics) == (Outcome.FAILED, None)
    assert attempt.message == "exit code 1: ValueError: what went wrong"


def test_a_hard_exit_harms_only_itself(sweep: Sweep, python_path: None) -> None:
    assert call_work(sweep, "mod.leave", "code=7").exit_code == 7
    assert call_work(sweep, "mod.measure", "lr=1", key="k2").outcome is Outcome.COMPLETED


def test_numbers_that_cannot_be_kept_fail_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept_nowhere.py").write_text(MODULE)
    (tmp_path / "file").touch()
    result = tmp_path / "file" / "result.json"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setenv("SWEEP_RESULT", str(result))
    assert main(["kept_nowhere.measure", "--style", "kwargs", "--", "lr=1"]) == 1
    part = f"{result}.{os.getpid()}.tmp"
    assert capsys.readouterr().err == (
        f"the returned numbers cannot be written: [Errno 20] Not a directory: '{part}'\n"
    )


def test_without_a_sweep_the_numbers_go_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "by_hand.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.delenv("SWEEP_RESULT", raising=False)
    assert main(["by_hand.measure", "--style", "kwargs", "--", "lr=1"]) == 0
    assert capsys.readouterr() == ("", "")
