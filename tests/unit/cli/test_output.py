"""Files that are written whole, or into what is no file."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from sweeplib.cli.output import written
from sweeplib.errors import InputError


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    with written(path) as file:
        file.write("caf\u00e9 \udcff")
    assert path.read_bytes() == "caf\u00e9 \\udcff".encode()
    with pytest.raises(ZeroDivisionError), written(path) as file:
        file.write(f"half of it, and {1 // 0}")
    assert path.read_bytes() == "caf\u00e9 \\udcff".encode()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays(tmp_path: Path, there: bool) -> None:
    (tmp_path / "of-the-web").mkdir()
    target = tmp_path / "of-the-web" / "page.html"
    if there:
        target.write_text("old")
    link = tmp_path / "link.html"
    link.symlink_to(target)
    with written(link) as file:
        file.write("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    with written(pipe) as file:
        file.write("a page")
    reader.join(60)
    assert read == ["a page"]
    assert pipe.is_fifo()


def test_what_cannot_be_written(tmp_path: Path) -> None:
    for name in ("", "."):
        with pytest.raises(InputError) as wrong, written(Path(name)):
            pass
        assert str(wrong.value) == "the output has no name; write one, such as -o report.html"
    with pytest.raises(InputError) as wrong, written(tmp_path / "no" / "page.html"):
        pass
    assert str(wrong.value) == f"{tmp_path}/no/page.html cannot be written: there is no folder {tmp_path}/no"
