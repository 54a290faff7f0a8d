"""What the server's log and process tell."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from benchmarks.model import UnavailableError
from benchmarks.server import dropped_messages, peak_memory

if TYPE_CHECKING:
    from pathlib import Path

LINE = "WARNING | prefect - Subscription queue is full, dropping message for topic='events' queue_size=1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a project's server."""
    folder = tmp_path / ".sweep" / "server"
    folder.mkdir(parents=True)
    return folder


def test_dropped_messages(folder: Path, tmp_path: Path) -> None:
    (folder / "prefect.log").write_bytes(f"started\n{LINE}".encode() + b"\xff\n" + LINE.encode())
    assert dropped_messages(tmp_path) == 2


def test_peak_memory(folder: Path, tmp_path: Path) -> None:
    (folder / "prefect.json").write_text(json.dumps({"pid": os.getpid(), "port": 1}), encoding="utf-8")
    spent = b"." * 10**8
    assert 100 < peak_memory(tmp_path) < 10_000
    assert len(spent) == 10**8


def test_a_server_that_has_been_stopped(folder: Path, tmp_path: Path) -> None:
    (folder / "prefect.json").write_text(json.dumps({"port": 1}), encoding="utf-8")
    with pytest.raises(UnavailableError) as raised:
        peak_memory(tmp_path)
    assert str(raised.value) == "failed: the server has gone: 'pid'"
