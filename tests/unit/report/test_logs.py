"""Copying a file while it grows."""

from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING

from sweeplib.report.logs import follow

if TYPE_CHECKING:
    from pathlib import Path


class _Nowhere(io.RawIOBase):
    """Counts what is written to it."""

    count = 0

    def write(self, data: object) -> int:
        length = len(memoryview(data))  # type: ignore[arg-type]
        self.count += length
        return length


def _never() -> None:
    raise AssertionError("there is nothing to wait for")


def test_bytes_are_copied_as_they_are(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000 + b"\r\nno newline at the end"
    path = tmp_path / "log"
    path.write_bytes(content)
    out = io.BytesIO()
    follow(path, out, lambda: True, _never)
    assert out.getvalue() == content


def test_a_huge_log_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.truncate(1 << 28)
    out = _Nowhere()
    tracemalloc.start()
    follow(path, out, lambda: True, _never)  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert out.count == 1 << 28
    assert peak < 8 << 20


def test_what_is_written_up_to_the_end_is_copied(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    out = io.BytesIO()
    steps = iter([b"two\n", b"", b"three\n"])
    seen: list[bytes] = []
    over = False

    def pause() -> None:
        nonlocal over
        seen.append(out.getvalue())
        with path.open("ab") as file:
            file.write(next(steps))
        over = len(seen) == 3

    def ended() -> bool:
        if over:
            with path.open("ab") as file:
                file.write(b"just before the end was seen\n")
        return over

    follow(path, out, ended, pause)
    assert seen == [b"one\n", b"one\ntwo\n", b"one\ntwo\n"]
    assert out.getvalue() == b"one\ntwo\nthree\njust before the end was seen\n"
