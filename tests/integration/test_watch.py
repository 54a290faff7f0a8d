"""`sweep results --watch` in a real terminal, while a real sweep runs."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pytest

from tests.conftest import end_group
from tests.integration.test_run import await_true

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Project

JOBS = """
jobs:
  fit:
    call: fit.fit
    style: kwargs
    tracking: false
    parallel: 1
    metric: loss
    sets: [{each: "batch=64,128 lr=0.1,1"}]
"""
FIT = """
import os, time

def fit(batch, lr):
    while not os.path.exists(f"go-{batch}-{lr}"):
        time.sleep(0.02)
    return {"loss": batch * lr}
"""


class Terminal:
    """A terminal of 24 lines in which `sweep` runs, and what it was told to show."""

    def __init__(self, project: Project, *arguments: str) -> None:
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sweeplib.cli", *arguments],
            cwd=project.folder,
            env=project.env | {"TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.raw = ""

    def read(self) -> bool:
        """Take what is shown next; tell whether there will be more."""
        try:
            data = os.read(self._own, 65536)
        except OSError:  # nobody has the other end any more
            data = b""
        self.raw += data.decode()
        return bool(data)

    def await_text(self, pattern: str) -> None:
        """Wait until what matches is shown, after what was waited for before."""
        while (found := re.search(pattern, self.raw)) is None:
            assert self.read(), self.raw
        self.raw = self.raw[found.end() :]

    def rest(self) -> str:
        """Wait for the end; return what is shown until then."""
        while self.read():
            pass
        self.process.wait(60)
        os.close(self._own)
        return self.raw.replace("\r\n", "\n")


@pytest.fixture
def running(project: Project) -> Iterator[subprocess.Popen[str]]:
    """A sweep whose commands wait for files called ``go-…``."""
    project.jobs(JOBS)
    project.write("fit.py", FIT)
    process = project.start("run", "fit")
    try:
        await_true(lambda: any(project.folder.glob(".sweep/sweeps/*/logs/*/*.log")), "the first command")
        yield process
    finally:
        end_group(process)


def test_results_are_redrawn_until_the_sweep_has_ended(
    project: Project, running: subprocess.Popen[str]
) -> None:
    terminal = Terminal(project, "results", "fit", "--watch")
    terminal.await_text(r"fit-\w+: 0 of 4 done, 1 running")
    (project.folder / "go-64-0.1").touch()
    terminal.await_text(r"fit-\w+: 1 of 4 done, 1 running, about .* left")
    terminal.await_text(r"best so far: loss 6\.400 with batch=64 lr=0\.1 \(\w{8}\)")
    (project.folder / "go-64-1").touch()
    terminal.await_text(r"fit-\w+: 2 of 4 done, 1 running, about .* left")
    terminal.await_text(r"loss over batch and lr\s+batch \\ lr +0\.1 +1 *\s+64 +6\.400 █ +64\.00 ·")
    for name in ("go-128-0.1", "go-128-1"):
        (project.folder / name).touch()
    running.communicate(timeout=120)
    shown = terminal.rest()
    assert terminal.process.returncode == 0
    last = shown.rpartition("sweep: fit: 4 combinations (4 completed); by loss, lowest first\n")[2]
    assert [line.split()[:1] + line.split()[2:5] for line in last.splitlines()] == [
        ["rank", "batch", "lr", "loss"],
        ["1", "64", "0.1", "6.400"],
        ["2", "128", "0.1", "12.80"],
        ["3", "64", "1", "64.00"],
        ["4", "128", "1", "128.0"],
    ]
    done = project.sweep("results", "fit", "--watch", check=0)
    assert done.stdout.splitlines()[0].split()[:4] == ["rank", "key", "batch", "lr"]
    assert done.stderr == (
        "sweep: no sweep of job 'fit' is running; these are its results so far\n"
        "sweep: fit: 4 combinations (4 completed); by loss, lowest first\n"
    )


def test_watching_is_interrupted(project: Project, running: subprocess.Popen[str]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        terminal = Terminal(project, "results", "fit", "--watch", "--over", "lr")
        terminal.await_text(r"fit-\w+: 0 of 4 done, 1 running")
        terminal.process.send_signal(number)
        shown = terminal.rest()
        assert "Traceback" not in shown
        assert shown.rpartition("\x1b[?25h")[1], "the cursor is there again"
        assert terminal.process.returncode == 130
    assert running.poll() is None


def test_in_a_pipe_a_block_is_printed(project: Project, running: subprocess.Popen[str]) -> None:
    watching = project.start("results", "fit", "--watch")
    try:
        assert watching.stdout is not None
        assert re.fullmatch(r"fit-\w+: 0 of 4 done, 1 running\n", watching.stdout.readline())
        for path in ("go-64-0.1", "go-64-1", "go-128-0.1", "go-128-1"):
            (project.folder / path).touch()
        out, err = watching.communicate(timeout=120)
    finally:
        end_group(watching)
    assert (watching.returncode, "\x1b" in out) == (0, False)
    assert err == "sweep: fit: 4 combinations (4 completed); by loss, lowest first\n"
    assert [line.split()[0] for line in out.splitlines()[-5:]] == ["rank", "1", "2", "3", "4"]
