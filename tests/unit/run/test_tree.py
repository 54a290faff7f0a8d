"""Process trees by what the system tells of them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from sweeplib.run import tree
from sweeplib.run.tree import Table, Tree, end_strays, start_time

if TYPE_CHECKING:
    from collections.abc import Iterator

STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.1; done"


@pytest.fixture
def stray() -> Iterator[subprocess.Popen[str]]:
    """A shell that ignores TERM, leader of a session, with a child now and then."""
    with subprocess.Popen(
        ["sh", "-c", STUBBORN], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def test_a_tree_is_what_is_below_its_leader(stray: subprocess.Popen[str]) -> None:
    found = Tree(stray.pid, "mark").find(Table())
    assert stray.pid in {process.pid for process in found}
    assert {process.session for process in found} == {stray.pid}


def test_an_empty_table_has_no_processes() -> None:
    assert Tree(os.getpid(), "mark").find(Table(empty=True)) == []


def test_a_process_that_is_gone_has_no_start() -> None:
    with subprocess.Popen(["true"]) as process:
        assert start_time(process.pid) is not None
        process.wait()
    assert start_time(process.pid) is None


def test_a_reused_number_is_not_the_leader(stray: subprocess.Popen[str]) -> None:
    since = start_time(stray.pid)
    assert since is not None
    assert Tree(stray.pid, "mark", since).find_strays(Table()) != []
    assert Tree(stray.pid, "mark", since - 1).find_strays(Table()) == []


def test_strays_are_killed_after_their_grace(stray: subprocess.Popen[str]) -> None:
    end_strays([Tree(stray.pid, "mark", start_time(stray.pid))], grace=0.2)
    assert stray.wait(10) == -signal.SIGKILL


def test_without_proc_the_group_is_ended(
    stray: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "_HAS_PROC", False)
    monkeypatch.setattr(tree, "STUBBORN", 0.3)
    assert start_time(stray.pid) is None
    command = Tree(stray.pid, "mark")
    assert command.find(Table()) == []
    assert not command.is_gone([])
    end_strays([command], grace=0.2)
    assert stray.wait(10) == -signal.SIGKILL
    # Its child is gone when init has taken note.
    deadline = time.monotonic() + 10
    while not command.is_gone([]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert command.is_gone([])
