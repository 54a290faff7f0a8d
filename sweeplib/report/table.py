"""Tables for a person: plain aligned text in a pipe, fitted to the terminal on one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console
    from rich.table import Table

__all__ = ["Column", "console_of", "plain_lines", "printable", "rich_table", "write_table"]

_GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, its cells, and what a terminal that is too narrow may do to it.

    `folds`: break its cells over several lines, down to this width; 0: never. `spare`: leave it out,
    a column with a higher number, and one further to the right, sooner; 0: never.
    """

    title: str
    cells: Sequence[str]
    right: bool = False
    folds: int = 0
    spare: int = 0

    @property
    def width(self) -> int:
        """The characters that it takes in full."""
        return max(map(_width, [self.title, *self.cells]))

    @property
    def least(self) -> int:
        """The characters that it needs."""
        return min(self.width, self.folds) if self.folds else self.width


def printable(text: str) -> str:
    """Return `text` on one line, with escapes for what would steer a terminal or cannot be encoded."""
    if text.isprintable():
        return text
    return "".join([character if character.isprintable() else _escaped(character) for character in text])


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def plain_lines(columns: Sequence[Column]) -> Iterator[str]:
    """Yield the lines of a table with nothing left out and nothing folded, the titles first."""
    widths = [column.width for column in columns]
    rows = zip(*[[column.title, *column.cells] for column in columns], strict=True)
    for row in rows:
        padded = [
            _padded(cell, width, right=column.right)
            for cell, width, column in zip(row, widths, columns, strict=True)
        ]
        yield (" " * _GAP).join(padded).rstrip()


def write_table(columns: Sequence[Column], out: TextIO, styles: Sequence[str] | None = None) -> list[str]:
    """Write a table to `out`, and return the titles of columns for which a terminal had no room.

    `styles` are rich's, one a row; they show on a terminal only, and not where NO_COLOR is set.
    """
    if out.isatty():
        return _write_rich(columns, out, styles)
    for line in plain_lines(columns):
        out.write(line + "\n")
    return []


def console_of(out: TextIO) -> Console:
    """Return rich's console of a terminal; where NO_COLOR is set, without colours and other escapes."""
    from rich.console import Console

    return Console(file=out, color_system=None if os.environ.get("NO_COLOR") else "auto", highlight=False)


def _write_rich(columns: Sequence[Column], out: TextIO, styles: Sequence[str] | None) -> list[str]:
    console = console_of(out)
    table, left_out = rich_table(columns, console.width, styles)
    console.print(table)
    return left_out


def rich_table(
    columns: Sequence[Column], width: int, styles: Sequence[str] | None = None
) -> tuple[Table, list[str]]:
    """Return a table for a terminal of that width, and the titles of columns for which there is no room."""
    from rich.table import Table
    from rich.text import Text

    fitting = _fitting(columns, width)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for column, room in zip(fitting, _widths(fitting, width), strict=True):
        table.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            no_wrap=not column.folds,
            overflow="fold",
            width=room,
        )
    for number, row in enumerate(zip(*[column.cells for column in fitting], strict=True)):
        table.add_row(*map(Text, row), style=styles[number] if styles else None)
    return table, [column.title for column in columns if column not in fitting]


def _fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Return the columns without as many of the spare ones as do not fit."""
    fitting = list(columns)
    spare = sorted([column for column in columns if column.spare], key=lambda column: column.spare)
    while spare and _room(fitting, width) < 0:
        fitting.remove(spare.pop())
    return fitting


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    """Return each column's width: what it needs, and as much more as there is room, from the left."""
    room = max(0, _room(columns, width))
    widths = []
    for column in columns:
        more = min(room, column.width - column.least)
        room -= more
        widths.append(column.least + more)
    return widths


def _room(columns: Sequence[Column], width: int) -> int:
    """Return how many characters are left, below 0 how many are missing, if each column has its least."""
    return width + _GAP - sum(column.least + _GAP for column in columns)


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
