"""`sweep logs`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "abcd" * 8
OTHER = "abce" * 8
ZEROS = "abce" + "0" * 28
NOT_STARTED = (
    "combination abcf0000 has no output yet: it was not started; `sweep logs -f abcf0000` waits for it"
)


@contextmanager
def following(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start `sweep logs -f` in a process of its own; kill it if it is still there at the end."""
    command = [sys.executable, "-u", "-m", "sweeplib.cli", "-C", str(folder), "logs", "-f", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def running(history: Any) -> Any:
    """A sweep with one combination that is submitted."""
    history.sweep(1)
    history.submit(1, KEY, C="1")
    return history


def test_the_newest_attempt_byte_by_byte(sweep: Any, running: Any, capfdbinary: Any) -> None:
    running.log(1, KEY, 9, b"first\n")
    running.log(1, KEY, 10, "no end of line: é\r\n\0x".encode())
    (running.paths(1).log(KEY, 10).parent / f"{KEY}.note.log").touch()
    done = sweep("logs", "ABCD")
    assert (done.code, done.out, done.err) == (0, "no end of line: é\r\n\0x", "")
    assert sweep("logs", KEY, "--attempt", "9").out == "first\n"


def test_jobs_that_have_the_same_combination(sweep: Any, running: Any) -> None:
    running.log(1, KEY, 1, b"of train\n")
    running.sweep(2, job="test")
    running.submit(2, KEY, C="1")
    running.log(2, KEY, 1, b"of test\n")
    done = sweep("logs", "abcd")
    assert (done.code, done.out) == (0, "of test\n")
    assert done.err == "sweep: as in job test, where it ran last; for that of another, add --job (train)\n"
    for job in ("test", "train"):
        done = sweep("logs", "abcd", "--job", job)
        assert (done.code, done.out, done.err) == (0, f"of {job}\n", "")
    done = sweep("logs", "abcd", "--job", "fit")
    said = "sweep: no combination of job 'fit' has a key that begins with 'abcd'; "
    assert (done.code, done.err) == (2, f"{said}`sweep results JOB` lists the keys\n")


def test_bytes_that_are_no_text(running: Any, folder: Path) -> None:
    content = bytes(range(256))
    running.log(1, KEY, 1, content)
    command = [sys.executable, "-m", "sweeplib.cli", "-C", str(folder), "logs", "abcd"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == content


def test_a_reader_that_has_seen_enough_hears_no_complaint(running: Any, folder: Path) -> None:
    running.log(1, KEY, 1, b"line\n" * 1_000_000)
    command = [sys.executable, "-m", "sweeplib.cli", "-C", str(folder), "logs", "abcd"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"line\n"
        process.stdout.close()
        assert process.stderr.read() == b""


def test_the_newest_sweep_that_has_the_combination(sweep: Any, running: Any) -> None:
    running.log(1, KEY, 1, b"old\n")
    running.sweep(2)
    running.submit(2, KEY, C="1")
    running.log(2, KEY, 1, b"new\n")
    assert sweep("logs", "abcd").out == "new\n"


def test_only_the_path(sweep: Any, running: Any) -> None:
    path = running.log(1, KEY, 2, b"")
    done = sweep("logs", "abcd", "--path")
    assert (done.code, done.out, done.err) == (0, f"{path}\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["abc"], 2, "'abc' is too short for a key; give at least 4 digits of it"),
        (["   "], 2, "'' is too short for a key; give at least 4 digits of it"),
        (
            ["ffff"],
            2,
            "no combination has a key that begins with 'ffff'; `sweep results JOB` lists the keys",
        ),
        (
            ["abce"],
            2,
            f"several combinations have a key that begins with 'abce': {ZEROS}, {OTHER}; give more of it",
        ),
        (["abcd", "--attempt", "3"], 2, "combination abcdabcd has no output of attempt 3 (attempts: 1, 2)"),
        (
            ["abcf"],
            1,
            NOT_STARTED,
        ),
        (
            ["abc0"],
            1,
            "combination abc00000 has no output (interrupted): it was not started, or its files were removed",
        ),
    ],
)
def test_mistakes(sweep: Any, running: Any, arguments: list[str], code: int, message: str) -> None:
    running.submit(1, OTHER, ZEROS, f"abcf{'0' * 28}", f"abc0{'0' * 28}", first=1)
    running.end(1, f"abc0{'0' * 28}", Outcome.CANCELLED, message="interrupted")
    running.log(1, KEY, 1, b"one")
    running.log(1, KEY, 2, b"two")
    done = sweep("logs", *arguments)
    assert (done.code, done.out, done.err) == (code, "", f"sweep: {message}\n")


def test_before_anything_has_run(sweep: Any) -> None:
    done = sweep("logs", "abcd")
    message = "sweep: nothing has run yet, so there is no output; run a job with: sweep run JOB\n"
    assert (done.code, done.out, done.err) == (2, "", message)


def test_following_ends_with_the_done_marker(running: Any, folder: Path) -> None:
    with running.owned(1), following(folder, "abcd") as process:
        assert process.stdout is not None
        path = running.log(1, KEY, 1, b"one\n")
        assert process.stdout.readline() == b"one\n"
        with path.open("ab") as log:
            log.write(b"two\n")
        assert process.stdout.readline() == b"two\n"
        with path.open("ab") as log:
            log.write(b"three")
        running.mark(1, KEY, 1)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, b"three", b"")


def test_following_ends_with_the_owner(running: Any, folder: Path) -> None:
    running.log(1, KEY, 1, b"one\n")
    with ExitStack() as owner:
        owner.enter_context(running.owned(1))
        with following(folder, "abcd") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"one\n"
            owner.close()
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, b"", b"")


def test_following_ends_with_the_outcome_where_nothing_was_ever_started(running: Any, folder: Path) -> None:
    with running.owned(1), following(folder, "abcd") as process:
        running.end(1, KEY, Outcome.CANCELLED, message="the sweep was cancelled")
        out, err = process.communicate(timeout=30)
    message = (
        "sweep: combination abcdabcd has no output (the sweep was cancelled): "
        "it was not started, or its files were removed\n"
    )
    assert (process.returncode, out, err.decode()) == (1, b"", message)


def test_what_has_ended_is_printed_and_not_waited_for(sweep: Any, running: Any) -> None:
    running.log(1, KEY, 1, b"one\n")
    running.mark(1, KEY, 1)
    with running.owned(1):
        assert sweep("logs", "abcd", "-f").out == "one\n"


def test_an_interrupt_ends_following(running: Any, folder: Path) -> None:
    running.log(1, KEY, 1, b"one\n")
    with running.owned(1), following(folder, "abcd") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"one\n"
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err
