"""Notices that commands leave for whoever runs their sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeplib.run import notices
from sweeplib.run.model import SweepPaths

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_each_notice_is_taken_once(tmp_path: Path) -> None:
    paths = SweepPaths(tmp_path)
    assert notices.take(paths) == []
    for key, text in (("a", "it waits"), ("b", "größer \udcff"), ("c", "it waits")):
        notices.leave(paths, key, text)
    assert notices.take(paths) == ["it waits", "größer \udcff"]
    assert notices.take(paths) == []
    notices.leave(paths, "a", "it waits")
    assert notices.take(paths) == ["it waits"]


def test_a_notice_that_cannot_be_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "notices").write_text("a file")
    notices.leave(SweepPaths(tmp_path), "a", "it waits")
    [message] = caplog.messages
    assert message.startswith(f"a notice could not be left {tmp_path}/notices/a.txt.")
    assert message.endswith(": not a directory")
    assert notices.take(SweepPaths(tmp_path)) == []
