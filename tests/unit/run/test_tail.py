"""Reading the end of log files, once and as they grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.run.tail import Tail, last_lines, plain, size_text

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest.tmpdir import TempPathFactory


def test_a_file_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "log")
    assert tail.read() == []
    (tmp_path / "log").write_text("one\n")
    assert tail.read() == ["one"]
    assert tail.read(final=True) == []


def test_a_line_is_told_when_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tail = Tail(log)
    with log.open("a") as file:
        for text, lines in [("on", []), ("e\ntw", ["one"]), ("", []), ("o\n\nthree\n", ["two", "", "three"])]:
            file.write(text)
            file.flush()
            assert tail.read() == lines
        file.write("the end")
    assert tail.read(final=True) == ["the end"]


def test_the_newest_lines_are_kept_when_there_are_too_many(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {i}\n" for i in range(10)))
    tail = Tail(log, max_lines=3)
    assert tail.read() == ["[49 B of output left out here]", "line 7", "line 8", "line 9"]


def test_the_newest_bytes_are_kept_when_there_are_too_many(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("first\n" + "x" * 2000 + "\nlast\n")
    tail = Tail(log, max_bytes=100)
    assert tail.read() == ["[2.01 kB of output left out here]", "last"]
    with log.open("a") as file:
        file.write("more\n")
    assert tail.read() == ["more"]


def test_reading_much_costs_little(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        file.truncate(10**9)
        file.seek(0, 2)
        file.write(b"\nlast\n")
    assert Tail(log).read(final=True) == ["[1 GB of output left out here]", "last"]
    assert last_lines(log, 1) == ["last"]


def test_a_long_line_is_cut(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x" * 1200 + "\n")
    assert Tail(log).read() == ["x" * 1000 + " [200 B more of this line left out]"]


def test_a_long_line_that_grows_is_cut_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tail = Tail(log, max_line=10)
    with log.open("a") as file:
        for _ in range(5):
            file.write("x" * 8)
            file.flush()
            assert tail.read() == []
        file.write("\nnext\n")
    assert tail.read() == ["x" * 10 + " [30 B more of this line left out]", "next"]


def test_a_progress_bar_shows_its_last_state(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tail = Tail(log, max_line=10)
    with log.open("a") as file:
        for percent in range(0, 101, 10):
            file.write(f"\r{percent:3}%")
            file.flush()
            assert tail.read() == []
        file.write("\n")
    assert tail.read() == ["100%"]


def test_what_is_not_text_is_replaced(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"a\xffb\n\x1b[1;31mred\x1b[0m\r\n")
    assert Tail(log).read() == ["a\ufffdb", "red"]
    assert last_lines(log, 5) == ["a\ufffdb", "red"]


@given(lines=st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=8)), data=st.data())
def test_what_is_told_in_pieces_is_what_was_written(
    tmp_path_factory: TempPathFactory, lines: list[str], data: st.DataObject
) -> None:
    log = tmp_path_factory.mktemp("tail") / "log"
    text = "".join(f"{line}\n" for line in lines).encode()
    tail = Tail(log, max_lines=10_000)
    told = []
    with log.open("ab", buffering=0) as file:
        while text:
            size = data.draw(st.integers(1, len(text)))
            file.write(text[:size])
            text = text[size:]
            told += tail.read()
    assert told + tail.read(final=True) == lines


@pytest.mark.parametrize(
    ("text", "count", "lines"),
    [
        ("", 3, []),
        ("one", 3, ["one"]),
        ("one\n\ntwo\n  \n", 1, ["two"]),
        ("one\ntwo\nthree\n", 2, ["two", "three"]),
        ("x" * 30, 1, ["…" + "x" * 20]),
        ("x" * 30 + "\n", 1, ["…" + "x" * 19]),
        ("short\n" + "x" * 15 + "\n", 9, ["…ort", "x" * 15]),
        ("short\n" + "x" * 19 + "\n", 9, ["x" * 19]),
    ],
)
def test_last_lines(tmp_path: Path, text: str, count: int, lines: list[str]) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert last_lines(log, count, max_bytes=20) == lines


def test_a_file_that_cannot_be_read_has_no_last_lines(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "none", 3) == []


def test_plain() -> None:
    assert plain("\x1b]0;title\x07a \x1b[2Kb\x1b(B \r\n") == "a b"
    assert plain("10%\r20%\r") == "20%"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1234, "1.23 kB"),
        (5 * 10**6, "5 MB"),
        (999_600, "1 MB"),
        (2 * 10**12, "2 TB"),
    ],
)
def test_size_text(count: int, text: str) -> None:
    assert size_text(count) == text
