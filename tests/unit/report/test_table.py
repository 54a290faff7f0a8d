"""Tables in a pipe and on a terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import threading
from typing import TYPE_CHECKING, TextIO

import pytest

from sweeplib.report.table import Column, plain_lines, printable, write_table

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = [
    Column("rank", ["1", "10"], right=True),
    Column("model", ["a fairly long name of a model", "svc"], folds=10),
    Column("accuracy", ["0.9861", "0.9800"], right=True),
    Column("loss", ["0.0512", ""], right=True, spare=1),
    Column("fit_seconds", ["1.234", "10.11"], right=True, spare=2),
]


def on_terminal(act: Callable[[TextIO], object]) -> str:
    """Return what reaches a terminal when `act` writes to it."""
    ours, theirs = pty.openpty()
    read: list[bytes] = []

    def drain() -> None:
        try:
            while block := os.read(ours, 65536):
                read.append(block)
        except OSError:
            pass  # Linux reports the other end's closing as an error

    reader = threading.Thread(target=drain)
    reader.start()
    with os.fdopen(theirs, "w", encoding="utf-8") as out:
        act(out)
    reader.join()
    os.close(ours)
    return b"".join(read).decode().replace("\r\n", "\n")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A colour terminal of 80 columns, whatever the tests run in."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return monkeypatch


def test_in_a_pipe_nothing_is_folded_coloured_or_left_out(terminal: pytest.MonkeyPatch) -> None:
    terminal.setenv("COLUMNS", "20")
    out = io.StringIO()
    assert write_table(COLUMNS, out, ["bold", "red"]) == []
    assert out.getvalue() == (
        "rank  model                          accuracy    loss  fit_seconds\n"
        "   1  a fairly long name of a model    0.9861  0.0512        1.234\n"
        "  10  svc                              0.9800                10.11\n"
    )


def test_wide_characters_take_two_columns() -> None:
    columns = [Column("模型", ["小", "abc"]), Column("x", ["1", "2"])]
    assert list(plain_lines(columns)) == ["模型  x", "小    1", "abc   2"]


def test_without_rows_there_are_titles() -> None:
    assert list(plain_lines([Column("a", []), Column("b", [])])) == ["a  b"]


def test_on_a_terminal_rows_have_their_style(terminal: pytest.MonkeyPatch) -> None:
    text = on_terminal(lambda out: write_table(COLUMNS, out, ["bold", "red"]))
    lines = text.splitlines()
    assert lines[0].startswith("\x1b[1m")
    assert lines[1].startswith("\x1b[1m")
    assert lines[2].startswith("\x1b[31m")


def test_no_color_leaves_no_escape(terminal: pytest.MonkeyPatch) -> None:
    terminal.setenv("NO_COLOR", "1")
    text = on_terminal(lambda out: write_table(COLUMNS, out, ["bold", "red"]))
    assert [line.rstrip() for line in text.splitlines()] == list(plain_lines(COLUMNS))


def test_a_narrow_terminal_folds(terminal: pytest.MonkeyPatch) -> None:
    terminal.setenv("NO_COLOR", "1")
    terminal.setenv("COLUMNS", "56")
    text = on_terminal(lambda out: write_table(COLUMNS, out))
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines[0].split() == ["rank", "model", "accuracy", "loss", "fit_seconds"]
    assert max(map(len, lines)) <= 56
    words = "".join(re.sub(r"[\d.]", "", line) for line in lines[1:]).split()
    assert words == ["a", "fairly", "long", "name", "of", "a", "model", "svc"]


def test_a_very_narrow_terminal_leaves_out_the_last_spare_columns_and_says_so(
    terminal: pytest.MonkeyPatch,
) -> None:
    terminal.setenv("NO_COLOR", "1")
    terminal.setenv("COLUMNS", "36")
    left_out: list[str] = []
    text = on_terminal(lambda out: left_out.extend(write_table(COLUMNS, out)))
    assert left_out == ["fit_seconds"]
    assert text.splitlines()[0].split() == ["rank", "model", "accuracy", "loss"]


def test_the_more_spare_column_goes_first(terminal: pytest.MonkeyPatch) -> None:
    terminal.setenv("COLUMNS", "7")
    columns = [Column("a", []), Column("b", [], spare=2), Column("c", [], spare=1), Column("d", [], spare=2)]
    left_out: list[str] = []
    on_terminal(lambda out: left_out.extend(write_table(columns, out)))
    assert left_out == ["d"]
    terminal.setenv("COLUMNS", "4")
    on_terminal(lambda out: left_out.extend(write_table(columns, out)))
    assert left_out == ["d", "b", "d"]


def test_what_folds_shares_the_room_from_the_left(terminal: pytest.MonkeyPatch) -> None:
    terminal.setenv("NO_COLOR", "1")
    terminal.setenv("COLUMNS", "19")
    columns = [Column("x", ["abc def ghi"], folds=4), Column("y", ["one two three"], folds=6)]
    text = on_terminal(lambda out: write_table(columns, out))
    assert [line.rstrip() for line in text.splitlines()] == [
        "x            y",
        "abc def ghi  one",
        "             two",
        "             three",
    ]


def test_a_cell_is_no_markup(terminal: pytest.MonkeyPatch) -> None:
    text = on_terminal(lambda out: write_table([Column("[bold]x", ["[red]:smile:[/red]"])], out))
    assert "[red]:smile:[/red]" in text
    assert "[bold]x" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, 模型 …", "plain, 模型 …"),
        ("two\nlines\t", r"two\nlines\t"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("\udc80", r"\udc80"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
