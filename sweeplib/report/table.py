"""Tables for a person: plain aligned text in a pipe, fitted to the terminal on one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Column", "plain_lines", "printable", "write_table"]

_GAP = 2
_FOLDED = 10  # the width down to which a column may be folded on a narrow terminal


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, its cells, and what a terminal that is too narrow may do to it.

    `folds`: break its cells over several lines. `spare`: leave it out.
    """

    title: str
    cells: Sequence[str]
    right: bool = False
    folds: bool = False
    spare: bool = False

    @property
    def width(self) -> int:
        """The characters that it takes in full."""
        return max(map(_width, [self.title, *self.cells]))

    @property
    def least(self) -> int:
        """The characters that it needs."""
        return min(self.width, _FOLDED) if self.folds else self.width


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


def _write_rich(columns: Sequence[Column], out: TextIO, styles: Sequence[str] | None) -> list[str]:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # NO_COLOR takes rich's colours away, and this its other escapes too
    console = Console(file=out, color_system=None if os.environ.get("NO_COLOR") else "auto", highlight=False)
    fitting = _fitting(columns, console.width)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for column in fitting:
        table.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            no_wrap=not column.folds,
            overflow="fold",
            min_width=column.least,
        )
    for number, row in enumerate(zip(*[column.cells for column in fitting], strict=True)):
        table.add_row(*map(Text, row), style=styles[number] if styles else None)
    console.print(table)
    return [column.title for column in columns if column not in fitting]


def _fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Return the columns without as many of the last spare ones as do not fit."""
    fitting = list(columns)
    spare = [column for column in columns if column.spare]
    while spare and sum(column.least + _GAP for column in fitting) - _GAP > width:
        fitting.remove(spare.pop())
    return fitting


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
